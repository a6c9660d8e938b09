//! What changed: servers that are new, and definitions that gave way to others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use policy::Class;
use serde::Serialize;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use super::census::{Census, Counted, bounds};
use super::lists::{ROWS, ServerRow, rows};
use super::summary;
use crate::address::tool_path;

/// What changed on a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayPage {
    /// The day, in UTC.
    pub date: Date,
    /// How many servers were new.
    pub new_servers: u32,
    /// How many definitions changed.
    pub changed_definitions: u32,
    /// Which page this is, from 1.
    pub page: usize,
    /// Servers that were new.
    pub servers: Vec<ServerRow>,
    /// Definitions that changed, the latest first.
    pub definitions: Vec<Change>,
}

/// A definition that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The tool.
    pub tool: String,
    /// The path of its page.
    pub path: String,
    /// The name of its server.
    pub server: String,
    /// When.
    pub at: Timestamp,
    /// The class before.
    #[serde(serialize_with = "summary::class")]
    pub before: Class,
    /// The class since then.
    #[serde(serialize_with = "summary::class")]
    pub after: Class,
}

impl DayPage {
    /// A page of what changed on a day; `None` where nothing did.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(
        catalogue: &Catalogue,
        census: &Census,
        public_only: bool,
        date: Date,
        page: usize,
    ) -> Result<Option<Self>, BadDatabase> {
        let Some(day) = census.days().iter().find(|day| day.date == date) else { return Ok(None) };
        let page = page.max(1);
        let skip = (page - 1).saturating_mul(ROWS);
        let ids: Vec<i64> = census.new_on(date).skip(skip).take(ROWS).map(|server| server.id).collect();
        let definitions = match bounds(date) {
            Some(bounds) => changes(catalogue, census, public_only, bounds, ROWS, skip).await?,
            None => Vec::new(),
        };
        Ok(Some(Self {
            date,
            new_servers: day.servers,
            changed_definitions: day.definitions,
            page,
            servers: rows(catalogue, census, &ids).await?,
            definitions,
        }))
    }

    /// How many pages the day has.
    #[must_use]
    pub fn pages(&self) -> usize {
        usize::try_from(self.new_servers.max(self.changed_definitions)).unwrap_or(usize::MAX).div_ceil(ROWS).max(1)
    }
}

/// What is new or has changed since a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Since {
    /// Since when.
    pub since: Timestamp,
    /// Which page this is, from 1.
    pub page: usize,
    /// The next page, where there is more.
    pub next: Option<usize>,
    /// How many servers are new.
    pub new_servers: usize,
    /// Servers that are new, the latest first.
    pub servers: Vec<ServerRow>,
    /// Definitions that changed, the latest first.
    pub definitions: Vec<Change>,
}

impl Since {
    /// What changed since a time, of all that is counted or of one server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(
        catalogue: &Catalogue,
        census: &Census,
        public_only: bool,
        since: Timestamp,
        server: Option<&Server>,
        page: usize,
    ) -> Result<Self, BadDatabase> {
        let page = page.max(1);
        let skip = (page - 1).saturating_mul(ROWS);
        let wanted = |id: i64| server.is_none_or(|server| server.id == id);
        let mut new: Vec<&Counted> =
            census.servers().iter().filter(|one| one.first_seen >= since && wanted(one.id)).collect();
        new.sort_by_key(|one| (Reverse(one.first_seen), one.id));
        let ids: Vec<i64> = new.iter().skip(skip).take(ROWS).map(|one| one.id).collect();
        // One more than are shown says whether there is a page behind.
        let mut definitions = match server {
            Some(server) => of_server(catalogue, server, since).await?.into_iter().skip(skip).take(ROWS + 1).collect(),
            None => changes(catalogue, census, public_only, (since, Timestamp::MAX), ROWS + 1, skip).await?,
        };
        let more = definitions.len() > ROWS || new.len() > skip.saturating_add(ROWS);
        definitions.truncate(ROWS);
        Ok(Self {
            since,
            page,
            next: more.then_some(page + 1),
            new_servers: new.len(),
            servers: rows(catalogue, census, &ids).await?,
            definitions,
        })
    }

    /// Whether nothing stands on this page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.definitions.is_empty()
    }
}

/// Definitions of one server that changed since a time, the latest first.
async fn of_server(catalogue: &Catalogue, server: &Server, since: Timestamp) -> Result<Vec<Change>, BadDatabase> {
    let mut all = Vec::new();
    for tool in catalogue.tools_of(server.id).await? {
        // Only what changed since it was first seen has a past.
        if tool.changed == tool.first_seen || tool.changed < since {
            continue;
        }
        let mut after = tool.judged.class;
        for past in catalogue.history(tool.id).await? {
            if past.until >= since {
                all.push(Change {
                    path: tool_path(server, &tool.name),
                    server: server.name.clone(),
                    tool: tool.name.clone(),
                    at: past.until,
                    before: past.class,
                    after,
                });
            }
            after = past.class;
        }
    }
    all.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.tool.cmp(&other.tool)));
    Ok(all)
}

/// Definitions that changed between two times, the latest first.
///
/// # Errors
/// [`BadDatabase`].
pub async fn changes(
    catalogue: &Catalogue,
    census: &Census,
    public_only: bool,
    (from, until): (Timestamp, Timestamp),
    most: usize,
    skip: usize,
) -> Result<Vec<Change>, BadDatabase> {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let skip = u32::try_from(skip).unwrap_or(u32::MAX);
    let replaced = catalogue.replaced(from, until, public_only, most, skip).await?;
    let ids: BTreeSet<i64> = replaced.iter().map(|one| one.server).filter(|id| census.server(*id).is_some()).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let servers: BTreeMap<i64, Server> =
        catalogue.servers_of(&ids).await?.into_iter().map(|server| (server.id, server)).collect();
    let change = |one: store::catalogue::Replaced| {
        let server = servers.get(&one.server)?;
        Some(Change {
            path: tool_path(server, &one.tool),
            server: server.name.clone(),
            tool: one.tool,
            at: one.at,
            before: one.before,
            after: one.after,
        })
    };
    Ok(replaced.into_iter().filter_map(change).collect())
}
