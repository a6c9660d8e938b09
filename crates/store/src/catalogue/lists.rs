//! The rows of a list page: those of given servers and tools, read at once.

use std::collections::HashMap;

use jiff::Timestamp;
use policy::Class;
use risk::{Facet, Severity};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{class, facets, severity, time, yes};
use super::{Catalogue, Server};
use crate::BadDatabase;
use crate::at_once::{at_once, record};
use crate::database::text;

/// What the tools of a list have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Their class.
    Class(Class),
    /// Their severity.
    Severity(Severity),
    /// A facet.
    Facet(Facet),
}

/// A tool as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// Its number.
    pub id: i64,
    /// The number of its server.
    pub server: i64,
    /// Its name.
    pub name: String,
    /// What it says of itself; empty when it says nothing.
    pub description: String,
    /// The class.
    pub class: Class,
    /// The severity.
    pub severity: Severity,
    /// What else is dangerous about it.
    pub facets: Vec<Facet>,
}

/// A definition that gave way to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced {
    /// The number of the server.
    pub server: i64,
    /// The name of the tool.
    pub tool: String,
    /// When.
    pub at: Timestamp,
    /// The class before.
    pub before: Class,
    /// The class since then.
    pub after: Class,
}

/// A tool for the maps that search engines read.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// The number of the server.
    pub server: i64,
    /// Its name.
    pub name: String,
    /// When its definition last changed.
    pub changed: Timestamp,
}

/// The servers and tools of a list of numbers; of PostgreSQL that is `json_array_elements_text`.
const SERVERS: &str = "servers_said WHERE id IN (SELECT value FROM json_each($1))";
const BRIEF: &str = "tools_said WHERE id IN (SELECT value FROM json_each($1))";
const KINDS: &str = "\
SELECT id, server, class, severity_fine, facets, said_class, said_hidden FROM tools_said
WHERE server IN (SELECT value FROM json_each($1)) ORDER BY server, id";
const REPLACED: &str = "\
SELECT t.server AS server, t.name AS name, h.until AS until, h.class AS before, COALESCE(
    (SELECT n.class FROM tool_history n WHERE n.tool = h.tool AND n.until > h.until ORDER BY n.until LIMIT 1),
    t.class) AS after
FROM tool_history h JOIN tools t ON t.id = h.tool JOIN servers_said s ON s.id = t.server
WHERE h.until >= $1 AND h.until < $2 AND s.tombstoned = 0
    AND (COALESCE(s.said_visibility, s.visibility) = 'public' OR $3 = 0)
ORDER BY h.until DESC, h.tool LIMIT $4 OFFSET $5";
const MAPPED: &str = "\
SELECT server, name, changed FROM tools_said
WHERE server IN (SELECT value FROM json_each($1)) AND NOT (description = '' AND input_schema IS NULL)
    AND COALESCE(said_hidden, '') <> 'yes'";

impl Catalogue {
    /// These servers, in this order.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn servers_of(&self, ids: &[i64]) -> Result<Vec<Server>, BadDatabase> {
        let all = self.servers_from(SERVERS, text(&ids)?).await?;
        Ok(in_order(ids, all, |server| server.id))
    }

    /// These tools, in this order.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn briefs(&self, ids: &[i64]) -> Result<Vec<Brief>, BadDatabase> {
        let rows: Vec<BriefRow> = at_once(&self.database.readers, BRIEF, text(&ids)?).await?;
        let all = rows.into_iter().map(Brief::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(in_order(ids, all, |tool| tool.id))
    }

    /// The numbers of the tools on a shelf that belong to these servers, by server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn on_shelf(&self, shelf: Shelf, servers: &[i64]) -> Result<HashMap<i64, Vec<i64>>, BadDatabase> {
        let rows = sqlx::query(KINDS).bind(text(&servers)?).fetch_all(&self.database.readers).await?;
        let mut by_server: HashMap<i64, Vec<i64>> = HashMap::new();
        for row in &rows {
            let (class, severity) = judged(row)?;
            let stands = match shelf {
                Shelf::Class(shelf) => class == shelf,
                Shelf::Severity(shelf) => severity == shelf,
                Shelf::Facet(shelf) => facets(row.try_get("facets")?)?.contains(&shelf),
            };
            if stands && !yes(row, "said_hidden")? {
                by_server.entry(row.try_get("server")?).or_default().push(row.try_get("id")?);
            }
        }
        Ok(by_server)
    }

    /// What gave way to another definition between two times, the latest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn replaced(
        &self,
        from: Timestamp,
        until: Timestamp,
        public_only: bool,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Replaced>, BadDatabase> {
        let rows = sqlx::query(REPLACED)
            .bind(from.as_microsecond())
            .bind(until.as_microsecond())
            .bind(i64::from(public_only))
            .bind(i64::from(limit))
            .bind(i64::from(offset))
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Replaced {
                    server: row.try_get("server")?,
                    tool: row.try_get("name")?,
                    at: time(row.try_get("until")?)?,
                    before: class(row.try_get("before")?)?,
                    after: class(row.try_get("after")?)?,
                })
            })
            .collect()
    }

    /// The tools of these servers that say anything of themselves.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn mapped(&self, servers: &[i64]) -> Result<Vec<Mapped>, BadDatabase> {
        let rows = sqlx::query(MAPPED).bind(text(&servers)?).fetch_all(&self.database.readers).await?;
        rows.iter()
            .map(|row| {
                let changed = time(row.try_get("changed")?)?;
                Ok(Mapped { server: row.try_get("server")?, name: row.try_get("name")?, changed })
            })
            .collect()
    }
}

/// The class and severity of a row of `tools_said`: a person's word holds.
pub(super) fn judged(row: &SqliteRow) -> Result<(Class, Severity), BadDatabase> {
    judgement(row.try_get("class")?, row.try_get("severity_fine")?, row.try_get("said_class")?)
}

fn judgement(own: &str, fine: &str, said: Option<&str>) -> Result<(Class, Severity), BadDatabase> {
    match said {
        Some(word) => class(word).map(|class| (class, Severity::of(class))),
        None => Ok((class(own)?, severity(fine)?)),
    }
}

record! {
    /// What lists show of a row of `tools_said`.
    struct BriefRow {
        id: i64,
        server: i64,
        name: String,
        description: String,
        class: String,
        severity_fine: String,
        facets: String,
        said_class: Option<String>,
    }
}

impl TryFrom<BriefRow> for Brief {
    type Error = BadDatabase;

    fn try_from(row: BriefRow) -> Result<Self, BadDatabase> {
        let (class, severity) = judgement(&row.class, &row.severity_fine, row.said_class.as_deref())?;
        let (id, server, facets) = (row.id, row.server, facets(&row.facets)?);
        Ok(Self { id, server, name: row.name, description: row.description, class, severity, facets })
    }
}

/// What was asked for, in the order in which it was.
fn in_order<T>(ids: &[i64], all: Vec<T>, id: impl Fn(&T) -> i64) -> Vec<T> {
    let mut by_id: HashMap<i64, T> = all.into_iter().map(|one| (id(&one), one)).collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}
