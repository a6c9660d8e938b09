//! What people say against the program's judgement. Rows are added, never changed; the last one of a
//! field holds, and one without a value takes the one before it back.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Catalogue;
use super::rows::time;
use crate::BadDatabase;

/// What a person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The server.
    pub server: i64,
    /// The tool; the server itself where there is none.
    pub tool: Option<String>,
    /// What it is about: `class`, `original`, `publisher`, …
    pub field: String,
    /// What holds; nothing takes back what was said before.
    pub value: Option<String>,
    /// Who says it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Catalogue {
    /// Puts down what a person says.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn add_override(&self, said: &Override) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "INSERT INTO overrides (server, tool, field, value, who, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(said.server)
        .bind(&said.tool)
        .bind(&said.field)
        .bind(&said.value)
        .bind(&said.who)
        .bind(&said.reason)
        .bind(said.at.as_microsecond())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All that people said of a server and its tools, in the order in which they did.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn overrides(&self, server: i64) -> Result<Vec<Override>, BadDatabase> {
        let rows = sqlx::query("SELECT * FROM overrides WHERE server = $1 ORDER BY id")
            .bind(server)
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter().map(said).collect()
    }

    /// All that people ever said, in the order in which they did.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn all_overrides(&self) -> Result<Vec<Override>, BadDatabase> {
        let rows = sqlx::query("SELECT * FROM overrides ORDER BY id").fetch_all(&self.database.readers).await?;
        rows.iter().map(said).collect()
    }
}

/// A row of `overrides`.
fn said(row: &SqliteRow) -> Result<Override, BadDatabase> {
    Ok(Override {
        server: row.try_get("server")?,
        tool: row.try_get("tool")?,
        field: row.try_get("field")?,
        value: row.try_get("value")?,
        who: row.try_get("who")?,
        reason: row.try_get("reason")?,
        at: time(row.try_get("at")?)?,
    })
}
