//! Servers that could be taken for another.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::rows::visibility;
use super::{Catalogue, Visibility};
use crate::BadDatabase;

/// A server that could be taken for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impostor {
    /// The server.
    pub server: i64,
    /// The one that it could be taken for, where it is one.
    pub original: Option<i64>,
    /// Why.
    pub reason: String,
}

/// What is compared of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Face {
    /// The server.
    pub server: i64,
    /// Its publisher.
    pub publisher: Option<String>,
    /// The repository, as it was written.
    pub repository: Option<String>,
    /// The package.
    pub package: Option<String>,
    /// Where that is published.
    pub registry: Option<String>,
    /// What named it.
    pub sources: Vec<String>,
    /// A person says that it is what it claims to be, or no impostor.
    pub trusted: bool,
    /// Whether everybody sees it.
    pub public: bool,
}

/// Rows of one statement.
const ROWS: usize = 500;

impl Catalogue {
    /// Every server that was not withdrawn, in the order of their numbers.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn faces(&self) -> Result<Vec<Face>, BadDatabase> {
        let mut sources: HashMap<i64, Vec<String>> = HashMap::new();
        let mut rows = sqlx::query("SELECT server, source FROM server_sources").fetch(&self.database.readers);
        while let Some(row) = rows.try_next().await? {
            sources.entry(row.try_get("server")?).or_default().push(row.try_get("source")?);
        }
        drop(rows);
        let mut rows = sqlx::query(
            "SELECT s.id, COALESCE(s.said_publisher, s.publisher) AS publisher, s.repository, s.package, s.registry,
                 COALESCE(s.said_visibility, s.visibility) AS visibility,
                 CASE WHEN s.said_verified = 'yes' THEN 1 ELSE 0 END AS verified,
                 (SELECT o.value FROM overrides o WHERE o.server = s.id AND o.field = 'not-impostor' AND o.tool IS NULL
                     ORDER BY o.id DESC LIMIT 1) AS cleared
             FROM servers_said s WHERE s.tombstoned = 0 ORDER BY s.id",
        )
        .fetch(&self.database.readers);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let server: i64 = row.try_get("id")?;
            let cleared: Option<String> = row.try_get("cleared")?;
            all.push(Face {
                server,
                publisher: row.try_get("publisher")?,
                repository: row.try_get("repository")?,
                package: row.try_get("package")?,
                registry: row.try_get("registry")?,
                sources: sources.remove(&server).unwrap_or_default(),
                trusted: row.try_get::<i64, _>("verified")? != 0 || cleared.as_deref() == Some("yes"),
                public: visibility(row.try_get("visibility")?)? == Visibility::Public,
            });
        }
        Ok(all)
    }

    /// Puts down anew which servers could be taken for another.
    ///
    /// # Errors
    /// [`BadDatabase`], in which case nothing changed.
    pub async fn write_impostors(&self, impostors: &[Impostor]) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("DELETE FROM impostors").execute(&mut *transaction).await?;
        for part in impostors.chunks(ROWS) {
            let mut statement: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO impostors (server, original, reason) ");
            statement.push_values(part, |mut row, one| {
                row.push_bind(one.server).push_bind(one.original).push_bind(one.reason.as_str());
            });
            statement.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whether a server could be taken for another.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn impostor(&self, server: i64) -> Result<Option<Impostor>, BadDatabase> {
        let row = sqlx::query("SELECT server, original, reason FROM impostors WHERE server = $1")
            .bind(server)
            .fetch_optional(&self.database.readers)
            .await?;
        row.map(|row| {
            Ok(Impostor {
                server: row.try_get("server")?,
                original: row.try_get("original")?,
                reason: row.try_get("reason")?,
            })
        })
        .transpose()
    }
}
