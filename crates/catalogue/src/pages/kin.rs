//! Servers that have the same tools, and which of them is the original.

use serde::Serialize;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use super::summary::ServerLine;

/// What a server is among those with the same tools.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KinPage {
    /// What it is itself.
    pub is: Standing,
    /// The original, where it is another.
    pub original: Option<ServerLine>,
    /// The others.
    pub others: Vec<ServerLine>,
    /// How many there are beside those named here.
    pub more: usize,
    /// Why.
    pub reason: String,
}

/// The standing of a server among its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The others have its tools.
    Original,
    /// It has the tools of the original.
    Copy,
    /// Nobody can say which was first.
    Undecided,
}

/// How many are named.
const NAMED: usize = 12;

/// The kin of a server, as far as `shows` lets them be seen.
///
/// # Errors
/// [`BadDatabase`].
pub async fn kin(
    catalogue: &Catalogue,
    server: &Server,
    shows: impl Fn(&Server) -> bool,
) -> Result<Option<KinPage>, BadDatabase> {
    let forks = catalogue.forks_of(server.id).await?;
    let Some(own) = forks.iter().find(|fork| fork.server == server.id) else { return Ok(None) };
    let ids: Vec<i64> = forks.iter().map(|fork| fork.server).filter(|id| *id != server.id).collect();
    let mut others = Vec::new();
    let mut original = None;
    let mut more = 0;
    for row in catalogue.servers_of(&ids).await?.iter().filter(|row| shows(row)) {
        if own.original == Some(row.id) {
            original = Some(ServerLine::of(row));
        } else if others.len() < NAMED {
            others.push(ServerLine::of(row));
        } else {
            more += 1;
        }
    }
    let is = match own.original {
        None => Standing::Undecided,
        Some(id) if id == server.id => Standing::Original,
        Some(_) => Standing::Copy,
    };
    // What nobody may see is not hinted at either.
    if others.is_empty() && original.is_none() {
        return Ok(None);
    }
    Ok(Some(KinPage { is, original, others, more, reason: own.reason.clone() }))
}
