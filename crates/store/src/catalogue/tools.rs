//! Tools: their definitions, what they can do, and what they were.

use std::collections::HashMap;

use jiff::Timestamp;
use policy::Class;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{class, time};
use super::{Catalogue, Judgement};
use crate::BadDatabase;

/// A definition of a tool, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolEntry {
    /// Its server.
    pub server: i64,
    /// Its name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it says of itself.
    pub description: String,
    /// The schema of its arguments, as JSON.
    pub input_schema: Option<String>,
    /// What the server claims of it, as JSON.
    pub annotations: Option<String>,
    /// SHA-256 of the definition in canonical form.
    pub digest: [u8; 32],
    /// What it can do.
    pub judged: Judgement,
}

/// What a tool was before.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The digest of its definition.
    pub digest: Vec<u8>,
    /// Its class.
    pub class: Class,
    /// Until when.
    pub until: Timestamp,
}

impl Catalogue {
    /// What a tool was before, the newest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn history(&self, tool: i64) -> Result<Vec<Past>, BadDatabase> {
        let rows = sqlx::query("SELECT digest, class, until FROM tool_history WHERE tool = $1 ORDER BY until DESC")
            .bind(tool)
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter().map(past).collect()
    }

    /// What the tools of a server were before, by their numbers, the oldest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn histories(&self, server: i64) -> Result<HashMap<i64, Vec<Past>>, BadDatabase> {
        let rows = sqlx::query(
            "SELECT h.tool, h.digest, h.class, h.until FROM tools t JOIN tool_history h ON h.tool = t.id
             WHERE t.server = $1 ORDER BY h.until",
        )
        .bind(server)
        .fetch_all(&self.database.readers)
        .await?;
        let mut all: HashMap<i64, Vec<Past>> = HashMap::new();
        for row in &rows {
            all.entry(row.try_get("tool")?).or_default().push(past(row)?);
        }
        Ok(all)
    }
}

fn past(row: &SqliteRow) -> Result<Past, BadDatabase> {
    let until = time(row.try_get("until")?)?;
    Ok(Past { digest: row.try_get("digest")?, class: class(row.try_get("class")?)?, until })
}
