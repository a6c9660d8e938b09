//! Servers that have the tools of another.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::rows::visibility;
use super::{Catalogue, Visibility};
use crate::BadDatabase;
use crate::database::{json, text};

/// What is known of a server that has the tools of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The server.
    pub server: i64,
    /// The group: the lowest number of a server in it.
    pub kin: i64,
    /// Which of them is the original, where that can be said.
    pub original: Option<i64>,
    /// Why.
    pub reason: String,
}

/// What is compared of a server: who publishes it and which tools it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// The server.
    pub server: i64,
    /// Its publisher.
    pub publisher: Option<String>,
    /// Whether everybody sees it.
    pub public: bool,
    /// When it was first heard of, in microseconds since 1970.
    pub first_seen: i64,
    /// The identities that something beside itself confirms: a registry's name, a package, a repository.
    pub identities: Vec<String>,
    /// What named it.
    pub sources: Vec<String>,
    /// Which server a person says is the original of this one and those with the same tools.
    pub said: Option<i64>,
    /// Its tools: name and digest, in hexadecimal.
    pub tools: Vec<(String, String)>,
}

/// Rows of one statement.
const ROWS: usize = 500;

impl Catalogue {
    /// Every server with tools, in the order of their numbers.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn kin(&self) -> Result<Vec<Kin>, BadDatabase> {
        // A row a server: half a million rows are slower to hand over than to join.
        let mut rows = sqlx::query(
            "SELECT s.id, COALESCE(s.said_publisher, s.publisher) AS publisher, s.first_seen, t.names, t.digests,
                    COALESCE(s.said_visibility, s.visibility) AS visibility
             FROM (SELECT server, json_group_array(name ORDER BY name) AS names,
                       json_group_array(HEX(digest) ORDER BY name) AS digests FROM tools GROUP BY server) t
             JOIN servers_said s ON s.id = t.server WHERE s.tombstoned = 0 ORDER BY s.id",
        )
        .fetch(&self.database.readers);
        let mut all: Vec<Kin> = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let names: Vec<String> = json("a list of names", row.try_get("names")?)?;
            let digests: Vec<String> = json("a list of digests", row.try_get("digests")?)?;
            all.push(Kin {
                server: row.try_get("id")?,
                publisher: row.try_get("publisher")?,
                public: visibility(row.try_get("visibility")?)? == Visibility::Public,
                first_seen: row.try_get("first_seen")?,
                identities: Vec::new(),
                sources: Vec::new(),
                said: None,
                tools: names.into_iter().zip(digests).collect(),
            });
        }
        drop(rows);
        self.beside(&mut all, "SELECT server, identity AS word FROM server_keys ORDER BY server", |kin, word| {
            kin.identities.push(word);
        })
        .await?;
        self.beside(&mut all, "SELECT server, source AS word FROM server_sources ORDER BY server", |kin, word| {
            kin.sources.push(word);
        })
        .await?;
        let said = sqlx::query(
            "SELECT o.server, s.id AS original FROM overrides o JOIN servers s ON s.slug = o.value
             WHERE o.field = 'original' AND o.id = (
                 SELECT MAX(p.id) FROM overrides p WHERE p.server = o.server AND p.field = 'original')",
        )
        .fetch_all(&self.database.readers)
        .await?;
        for row in said {
            let server: i64 = row.try_get("server")?;
            if let Some(kin) = all.iter_mut().find(|kin| kin.server == server) {
                kin.said = Some(row.try_get("original")?);
            }
        }
        Ok(all)
    }

    async fn beside(
        &self,
        all: &mut [Kin],
        statement: &'static str,
        put: impl Fn(&mut Kin, String),
    ) -> Result<(), BadDatabase> {
        let mut rows = sqlx::query(statement).fetch(&self.database.readers);
        while let Some(row) = rows.try_next().await? {
            let server: i64 = row.try_get("server")?;
            if let Ok(at) = all.binary_search_by_key(&server, |kin| kin.server)
                && let Some(kin) = all.get_mut(at)
            {
                put(kin, row.try_get("word")?);
            }
        }
        Ok(())
    }

    /// Puts down anew which servers are forks.
    ///
    /// # Errors
    /// [`BadDatabase`], in which case nothing changed.
    pub async fn write_forks(&self, forks: &[Fork]) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("DELETE FROM forks").execute(&mut *transaction).await?;
        for part in forks.chunks(ROWS) {
            let mut statement: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO forks (server, kin, original, reason) ");
            statement.push_values(part, |mut row, fork| {
                row.push_bind(fork.server).push_bind(fork.kin).push_bind(fork.original).push_bind(fork.reason.as_str());
            });
            statement.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The originals of those of these servers that are copies.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn originals(&self, servers: &[i64]) -> Result<HashMap<i64, i64>, BadDatabase> {
        let statement = "\
            SELECT server, original FROM forks
            WHERE original <> server AND server IN (SELECT value FROM json_each($1))";
        let rows = sqlx::query(statement).bind(text(&servers)?).fetch_all(&self.database.readers).await?;
        rows.iter().map(|row| Ok((row.try_get("server")?, row.try_get("original")?))).collect()
    }

    /// The servers that have the same tools as this one, itself among them.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn forks_of(&self, server: i64) -> Result<Vec<Fork>, BadDatabase> {
        let statement = "\
            SELECT server, kin, original, reason FROM forks
            WHERE kin = (SELECT kin FROM forks WHERE server = $1) ORDER BY server";
        let rows = sqlx::query(statement).bind(server).fetch_all(&self.database.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(Fork {
                    server: row.try_get("server")?,
                    kin: row.try_get("kin")?,
                    original: row.try_get("original")?,
                    reason: row.try_get("reason")?,
                })
            })
            .collect()
    }
}
