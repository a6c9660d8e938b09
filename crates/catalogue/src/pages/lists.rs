//! Lists: servers, and the tools of a class, a severity or a facet.

use std::collections::BTreeMap;

use policy::Class;
use risk::Severity;
use serde::Serialize;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server, Shelf};

use super::census::{Census, Chosen, Counted};
use super::summary::{self, ServerLine, ToolLine};

/// Entries of a page of a list.
pub const ROWS: usize = 100;

/// A server in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerRow {
    /// The server.
    #[serde(flatten)]
    pub server: ServerLine,
    /// How many tools it has.
    pub tools: u32,
    /// How many of each class.
    pub classes: BTreeMap<&'static str, u32>,
    /// The severity of the worst of them.
    #[serde(serialize_with = "worst")]
    pub worst: Option<Severity>,
}

/// A page of the list of servers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerList {
    /// How many there are.
    pub total: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// The servers.
    pub servers: Vec<ServerRow>,
}

/// A page of the tools of a kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolList {
    /// How many there are.
    pub total: u32,
    /// How many servers have one.
    pub servers: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// The servers with the most of them.
    pub top: Vec<Top>,
    /// The tools, by the names of their servers.
    pub tools: Vec<ToolLine>,
}

/// A server with many tools of a kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Top {
    /// The server.
    #[serde(flatten)]
    pub server: ServerLine,
    /// How many it has.
    pub count: u32,
}

/// Servers that are named at the head of a list of tools.
const TOP: usize = 10;

impl ServerRow {
    /// Of a row and what is counted of it.
    #[must_use]
    pub fn of(server: &Server, counted: Option<&Counted>) -> Self {
        let count = |class: Class| counted.map_or(0, |counted| counted.count(Shelf::Class(class)));
        let classes = Class::ALL.into_iter().map(|class| (class.as_str(), count(class)));
        Self {
            server: ServerLine::brief_of(server),
            tools: counted.map_or(0, |counted| counted.tools),
            classes: classes.filter(|(_, count)| *count > 0).collect(),
            worst: counted.and_then(Counted::worst),
        }
    }
}

impl ServerList {
    /// A page of the servers that are chosen.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(catalogue: &Catalogue, census: &Census, chosen: &Chosen, page: usize) -> Result<Self, BadDatabase> {
        let page = page.max(1);
        let total = census.chosen(chosen).count();
        let skip = (page - 1).saturating_mul(ROWS);
        let ids: Vec<i64> = census.chosen(chosen).skip(skip).take(ROWS).map(|server| server.id).collect();
        Ok(Self { total, page, servers: rows(catalogue, census, &ids).await? })
    }
}

/// The lines of these servers.
///
/// # Errors
/// [`BadDatabase`].
pub async fn rows(catalogue: &Catalogue, census: &Census, ids: &[i64]) -> Result<Vec<ServerRow>, BadDatabase> {
    let servers = catalogue.servers_of(ids).await?;
    Ok(servers.iter().map(|server| ServerRow::of(server, census.server(server.id))).collect())
}

impl ToolList {
    /// A page of the tools of a kind.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(catalogue: &Catalogue, census: &Census, shelf: Shelf, page: usize) -> Result<Self, BadDatabase> {
        let page = page.max(1);
        let stretches = census.stretches(shelf, page, ROWS);
        let top = census.top(shelf, TOP);
        let mut ids: Vec<i64> = stretches.iter().map(|one| one.server).collect();
        let mut on_shelf = catalogue.on_shelf(shelf, &ids).await?;
        let mut tools = Vec::with_capacity(ROWS);
        for one in &stretches {
            let of_server = on_shelf.remove(&one.server).unwrap_or_default();
            tools.extend(of_server.into_iter().skip(one.skip).take(one.take));
        }
        ids.extend(top.iter().map(|(id, _)| *id));
        let servers: BTreeMap<i64, Server> =
            catalogue.servers_of(&ids).await?.into_iter().map(|server| (server.id, server)).collect();
        let briefs = catalogue.briefs(&tools).await?;
        let named = |(id, count): &(i64, u32)| {
            let mut server = ServerLine::of(servers.get(id)?);
            server.description = None;
            Some(Top { server, count: *count })
        };
        Ok(Self {
            total: census.count(shelf),
            servers: census.servers_with(shelf),
            page,
            top: top.iter().filter_map(named).collect(),
            tools: briefs
                .into_iter()
                .filter_map(|tool| Some(ToolLine::of_brief(servers.get(&tool.server)?, tool)))
                .collect(),
        })
    }
}

fn worst<S: serde::Serializer>(severity: &Option<Severity>, to: S) -> Result<S::Ok, S::Error> {
    match severity {
        Some(severity) => summary::severity(severity, to),
        None => to.serialize_none(),
    }
}
