//! Looking servers and tools up, and reading all of them.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::Row;

use super::lists::brief;
use super::rows::{server, time, tool, yes};
use super::{Brief, Catalogue, Server, Shown, Tool};
use crate::BadDatabase;

/// Tools that are read at once when all are.
const PAGE: i64 = 5_000;

/// A tool as searches find it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// What lists show of it.
    pub brief: Brief,
    /// The name for people.
    pub title: Option<String>,
    /// When its definition last changed.
    pub changed: Timestamp,
}

impl From<Tool> for Sought {
    fn from(tool: Tool) -> Self {
        let brief = Brief {
            id: tool.id,
            server: tool.server,
            name: tool.name,
            description: tool.description,
            class: tool.judged.class,
            severity: tool.judged.severity_fine,
            facets: tool.judged.facets,
        };
        Self { brief, title: tool.title, changed: tool.changed }
    }
}

const SOUGHT: &str = "\
SELECT id, server, name, title, description, class, severity_fine, facets, changed, said_class, said_hidden
FROM tools_said WHERE id > $1 ORDER BY id LIMIT $2";

/// What searches find of all tools, in the order of their numbers, page by page: those that are hidden are not among it.
#[derive(Debug)]
pub struct Stream<'a> {
    catalogue: &'a Catalogue,
    after: i64,
}

impl Stream<'_> {
    /// The next page; nothing at the end.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn next(&mut self) -> Result<Option<Vec<Sought>>, BadDatabase> {
        let rows = sqlx::query(SOUGHT).bind(self.after).bind(PAGE).fetch_all(&self.catalogue.database.readers).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = last.try_get("id")?;
        let mut page = Vec::with_capacity(rows.len());
        for row in &rows {
            if !yes(row, "said_hidden")? {
                page.push(Sought {
                    brief: brief(row)?,
                    title: row.try_get("title")?,
                    changed: time(row.try_get("changed")?)?,
                });
            }
        }
        Ok(Some(page))
    }
}

impl Catalogue {
    /// All tools, as searches find them.
    #[must_use]
    pub fn sought(&self) -> Stream<'_> {
        Stream { catalogue: self, after: i64::MIN }
    }

    /// All servers, in the order of their numbers.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn servers(&self) -> Result<Vec<Server>, BadDatabase> {
        let mut rows = sqlx::query("SELECT * FROM servers_said ORDER BY id").fetch(&self.database.readers);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(server(&row)?);
        }
        Ok(all)
    }

    /// A server by its number.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn server(&self, id: i64) -> Result<Option<Server>, BadDatabase> {
        let row = sqlx::query("SELECT * FROM servers_said WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.database.readers)
            .await?;
        row.as_ref().map(server).transpose()
    }

    /// The server of an identity.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn server_of(&self, identity: &str) -> Result<Option<Server>, BadDatabase> {
        let row =
            sqlx::query("SELECT s.* FROM servers_said s JOIN server_keys k ON k.server = s.id WHERE k.identity = $1")
                .bind(identity)
                .fetch_optional(&self.database.readers)
                .await?;
        row.as_ref().map(server).transpose()
    }

    /// The servers whose slug or name this is, in any case: the one with that slug first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn servers_named(&self, name: &str) -> Result<Vec<Server>, BadDatabase> {
        let rows = sqlx::query(
            "SELECT * FROM servers_said WHERE slug = LOWER($1) OR LOWER(name) = LOWER($1)
             ORDER BY CASE WHEN slug = LOWER($1) THEN 0 ELSE 1 END, id LIMIT 20",
        )
        .bind(name)
        .fetch_all(&self.database.readers)
        .await?;
        rows.iter().map(server).collect()
    }

    /// A tool by its number, with its server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn shown(&self, id: i64) -> Result<Option<Shown>, BadDatabase> {
        let row = sqlx::query("SELECT * FROM tools_said WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.database.readers)
            .await?;
        let Some(tool) = row.as_ref().map(tool).transpose()? else { return Ok(None) };
        Ok(self.server(tool.server).await?.map(|server| Shown { server, tool }))
    }

    /// The tools of a server, in the order of their names.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn tools_of(&self, server: i64) -> Result<Vec<Tool>, BadDatabase> {
        let rows = sqlx::query("SELECT * FROM tools_said WHERE server = $1 ORDER BY name")
            .bind(server)
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter().map(tool).collect()
    }

    /// How many servers and tools there are.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn size(&self) -> Result<(u64, u64), BadDatabase> {
        let row =
            sqlx::query("SELECT (SELECT COUNT(*) FROM servers) AS servers, (SELECT COUNT(*) FROM tools) AS tools")
                .fetch_one(&self.database.readers)
                .await?;
        let count = |name| row.try_get::<i64, _>(name).map(|count| u64::try_from(count).unwrap_or(0));
        Ok((count("servers")?, count("tools")?))
    }
}
