//! Pinned definitions: which one of a tool counts, and which one is shown now and waits.

use std::collections::BTreeMap;

use audit::Id;
use serde_json::Value;

use super::access::{ManageServers, Permit, See};
use super::page::{id, json, text};
use super::{BadControl, Change, ControlDatabase, Deed};

/// What is pinned of one tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinned {
    /// The tool.
    pub tool: String,
    /// The definition that counts, as the lock file writes it.
    pub accepted: Option<Value>,
    /// The definition that the server shows and that waits.
    pub seen: Option<Value>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// In milliseconds since 1970.
    pub accepted_at: Option<i64>,
}

type Row = (String, Option<String>, Option<String>, Option<String>, Option<i64>);

pub(super) fn pinned((tool, accepted, seen, accepted_by, accepted_at): Row) -> Result<Pinned, BadControl> {
    let definition = |text: Option<String>| text.map(|text| json("a definition", &text)).transpose();
    Ok(Pinned { tool, accepted: definition(accepted)?, seen: definition(seen)?, accepted_by, accepted_at })
}

impl ControlDatabase {
    /// What is pinned of a server of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn pins(&self, permit: &Permit<'_, See>, server: Id) -> Result<Vec<Pinned>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT tool, accepted, seen, accepted_by, accepted_at FROM pin
             WHERE organisation = $1 AND server = $2 ORDER BY tool",
        )
        .bind(permit.organisation().to_string())
        .bind(server.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(pinned).collect()
    }

    /// Accepts definitions, by tool: they count from now on, and nothing waits of those tools. Tools that
    /// `gone` names are forgotten.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn accept(
        &self,
        permit: Permit<'_, ManageServers>,
        server: Id,
        definitions: &BTreeMap<String, Value>,
        gone: &[String],
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let name = change.touch_server(server).await?;
        change.keep_accepted(server, definitions).await?;
        for tool in gone {
            let delete = sqlx::query("DELETE FROM pin WHERE server = $1 AND tool = $2");
            delete.bind(server.to_string()).bind(tool.clone()).execute(change.connection()).await?;
        }
        let tools: Vec<_> = definitions.keys().collect();
        let detail = serde_json::json!({ "tools": tools, "gone": gone });
        let deed = Deed { action: "server.accept", kind: "server", object: server, name: &name, detail, reason };
        change.commit(deed).await
    }

    /// Accepts a server's first list, unless something was accepted before. `None`: it was.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn accept_first(
        &self,
        permit: Permit<'_, ManageServers>,
        server: Id,
        definitions: &BTreeMap<String, Value>,
    ) -> Result<Option<i64>, BadControl> {
        let mut change = self.change(permit).await?;
        let name = change.touch_server(server).await?;
        let (accepted,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM pin WHERE server = $1 AND accepted IS NOT NULL")
            .bind(server.to_string())
            .fetch_one(change.connection())
            .await?;
        if accepted > 0 {
            return Ok(None);
        }
        change.keep_accepted(server, definitions).await?;
        let detail = serde_json::json!({ "tools": definitions.keys().collect::<Vec<_>>() });
        let reason = "its first list";
        let deed = Deed { action: "server.accept_first", kind: "server", object: server, name: &name, detail, reason };
        change.commit(deed).await.map(Some)
    }

    /// Keeps what a server shows and nobody has accepted: the data plane's own word, which changes nothing that
    /// counts. Tools of which nothing waits any more are not in `waiting`.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn definitions_seen(&self, server: Id, waiting: &BTreeMap<String, Value>) -> Result<(), BadControl> {
        let mut transaction = self.begin().await?;
        let now = self.now_in(&mut transaction).await?;
        let row: Option<(String,)> =
            sqlx::query_as("SELECT organisation FROM server WHERE id = $1 AND gone_at IS NULL")
                .bind(server.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
        let (organisation,) = row.ok_or(BadControl::Missing("server"))?;
        let organisation = id(&organisation)?;
        let old = sqlx::query("UPDATE pin SET seen = NULL, seen_at = NULL WHERE server = $1");
        old.bind(server.to_string()).execute(&mut *transaction).await?;
        for (tool, definition) in waiting {
            let insert = sqlx::query(
                "INSERT INTO pin (organisation, server, tool, seen, seen_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (server, tool) DO UPDATE SET seen = excluded.seen, seen_at = excluded.seen_at",
            );
            insert
                .bind(organisation.to_string())
                .bind(server.to_string())
                .bind(tool.clone())
                .bind(text("a definition", definition)?)
                .bind(now)
                .execute(&mut *transaction)
                .await?;
        }
        let empty = sqlx::query("DELETE FROM pin WHERE server = $1 AND accepted IS NULL AND seen IS NULL");
        empty.bind(server.to_string()).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

impl<R> Change<'_, R> {
    async fn keep_accepted(&mut self, server: Id, definitions: &BTreeMap<String, Value>) -> Result<(), BadControl> {
        let (organisation, actor, now) = (self.organisation(), self.actor(), self.now());
        for (tool, definition) in definitions {
            let insert = sqlx::query(
                "INSERT INTO pin (organisation, server, tool, accepted, accepted_by, accepted_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (server, tool) DO UPDATE SET accepted = excluded.accepted, seen = NULL, seen_at = NULL,
                    accepted_by = excluded.accepted_by, accepted_at = excluded.accepted_at",
            );
            insert
                .bind(organisation.to_string())
                .bind(server.to_string())
                .bind(tool.clone())
                .bind(text("a definition", definition)?)
                .bind(actor.clone())
                .bind(now)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }
}
