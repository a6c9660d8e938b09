//! Servers: how each is reached, what it is trusted with, and what people say of its tools.

use std::collections::BTreeMap;

use audit::Id;
use serde::{Deserialize, Serialize};

use super::access::{ManageServers, Permit, See};
use super::page::{Page, id, json, some_id, text};
use super::secrets::Sealed;
use super::{BadControl, Change, ControlDatabase, Deed};
use crate::log::ids;

/// How a server is reached. Values that are secret are kept sealed, by the names that stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Reach {
    /// An endpoint.
    Http {
        /// Its address.
        url: String,
        /// Names of the headers that it is sent.
        #[serde(default)]
        headers: Vec<String>,
        /// How it is spoken to; found out where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transport: Option<Transport>,
    },
    /// A program that speaks on stdin and stdout.
    Child {
        /// The program and its arguments.
        command: Vec<String>,
        /// Names of the variables that it is given.
        #[serde(default)]
        env: Vec<String>,
    },
}

/// A transport that need not be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// HTTP+SSE, of 2024-11-05.
    Sse,
}

/// What a server is trusted with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether it keeps every digit of a number; otherwise numbers are judged as binary64.
    pub exact_numbers: bool,
    /// Whether a denial names the operands that the rule compared.
    pub full_denials: bool,
    /// Whether its first list is accepted without a person, except tools with a finding at error level.
    pub accept_first: bool,
    /// Whether changes of nothing but spelling are accepted without a person.
    pub accept_cosmetic: bool,
    /// Whether it may be asked over http at a public address, where everybody on the way reads what is sent.
    pub plain_http: bool,
    /// Calls that may be under way at once; `None` for the default of its kind.
    pub calls_at_once: Option<u32>,
    /// Seconds until a connection stands.
    pub connect_seconds: Option<u32>,
    /// Seconds until an answer begins.
    pub first_byte_seconds: Option<u32>,
    /// Seconds between two pieces of an answer.
    pub idle_seconds: Option<u32>,
    /// Bytes that a list of it may have, all pages together.
    pub list_bytes: Option<u32>,
}

/// A registered server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its id.
    pub id: Id,
    /// The organisation that it belongs to.
    pub organisation: Id,
    /// Its name, as in `/mcp/NAME/`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// How it is reached.
    pub reach: Reach,
    /// What it is trusted with.
    pub settings: Settings,
    /// The policy of grants that have none of their own.
    pub policy: Option<Id>,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// Since when it is gone.
    pub gone_at: Option<i64>,
    /// The version of the instance that made it what it is.
    pub changed: i64,
}

/// What is to be written of a server.
#[derive(Clone, Debug)]
pub struct ServerDraft<'a> {
    /// Its name, the only one of its organisation.
    pub name: &'a str,
    /// Its name for people.
    pub title: &'a str,
    /// How it is reached.
    pub reach: &'a Reach,
    /// What it is trusted with.
    pub settings: &'a Settings,
    /// The policy of grants that have none of their own.
    pub policy: Option<Id>,
}

/// What people say of a tool against its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOverride {
    /// The tool.
    pub tool: String,
    /// The class it has, as the policy language spells it.
    pub class: Option<String>,
    /// Facets, by name, that it has or has not.
    pub facets: BTreeMap<String, bool>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub set_by: String,
    /// In milliseconds since 1970.
    pub set_at: i64,
}

pub(super) type Row = (String, String, String, String, String, String, Option<String>, i64, Option<i64>, i64);

pub(super) fn server(row: Row) -> Result<Server, BadControl> {
    let (server, organisation, name, title, reach, settings, policy, created_at, gone_at, changed) = row;
    Ok(Server {
        id: id(&server)?,
        organisation: id(&organisation)?,
        name,
        title,
        reach: json("how a server is reached", &reach)?,
        settings: json("a server's settings", &settings)?,
        policy: some_id(policy.as_deref())?,
        created_at,
        gone_at,
        changed,
    })
}

impl ControlDatabase {
    /// The servers of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn servers(&self, permit: &Permit<'_, See>, page: Page) -> Result<Vec<Server>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, organisation, name, title, reach, settings, policy, created_at, gone_at, changed
             FROM server WHERE organisation = $1 AND gone_at IS NULL AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(server).collect()
    }

    /// A server of the permit's organisation, by its name or its id.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn server(&self, permit: &Permit<'_, See>, name: &str) -> Result<Server, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, organisation, name, title, reach, settings, policy, created_at, gone_at, changed
             FROM server WHERE organisation = $1 AND (name = $2 OR id = $2) AND gone_at IS NULL",
        )
        .bind(permit.organisation().to_string())
        .bind(name.to_owned())
        .fetch_optional(self.readers())
        .await?;
        server(row.ok_or(BadControl::Missing("server"))?)
    }

    /// Registers a server with its sealed secrets, which `seal` makes for the id that it is given.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_server<E: From<BadControl>>(
        &self,
        permit: Permit<'_, ManageServers>,
        draft: &ServerDraft<'_>,
        seal: impl FnOnce(Id) -> Result<Vec<Sealed>, E>,
        reason: &str,
    ) -> Result<Id, E> {
        let server = ids::next();
        let sealed = seal(server)?;
        let mut change = self.change(permit).await?;
        change.policy_exists(draft.policy).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let insert = sqlx::query(
            "INSERT INTO server (id, organisation, name, title, reach, settings, policy, created_at, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        insert
            .bind(server.to_string())
            .bind(organisation.to_string())
            .bind(draft.name.to_owned())
            .bind(draft.title.to_owned())
            .bind(text("how a server is reached", draft.reach)?)
            .bind(text("a server's settings", draft.settings)?)
            .bind(draft.policy.map(|policy| policy.to_string()))
            .bind(now)
            .bind(version)
            .execute(change.connection())
            .await
            .map_err(BadControl::from)?;
        change.set_secrets(server, &sealed).await?;
        let detail = serde_json::json!({ "reach": draft.reach, "policy": draft.policy });
        let deed = Deed { action: "server.add", kind: "server", object: server, name: draft.name, detail, reason };
        change.commit(deed).await?;
        Ok(server)
    }

    /// Writes a server anew, if it still is what it was at version `seen`. Secrets that `draft` no longer
    /// names are forgotten; `sealed` ones are set.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Stale`] where somebody was faster.
    pub async fn change_server(
        &self,
        permit: Permit<'_, ManageServers>,
        wanted: Id,
        seen: i64,
        draft: &ServerDraft<'_>,
        sealed: &[Sealed],
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        change.policy_exists(draft.policy).await?;
        let (organisation, version) = (change.organisation(), change.version());
        let update = sqlx::query(
            "UPDATE server SET name = $3, title = $4, reach = $5, settings = $6, policy = $7, changed = $8
             WHERE organisation = $1 AND id = $2 AND gone_at IS NULL AND changed = $9",
        );
        let done = update
            .bind(organisation.to_string())
            .bind(wanted.to_string())
            .bind(draft.name.to_owned())
            .bind(draft.title.to_owned())
            .bind(text("how a server is reached", draft.reach)?)
            .bind(text("a server's settings", draft.settings)?)
            .bind(draft.policy.map(|policy| policy.to_string()))
            .bind(version)
            .bind(seen)
            .execute(change.connection())
            .await?;
        if done.rows_affected() == 0 {
            return Err(change.stale_or_missing("server", wanted).await?);
        }
        change.set_secrets(wanted, sealed).await?;
        let names = match draft.reach {
            Reach::Http { headers, .. } => headers,
            Reach::Child { env, .. } => env,
        };
        change.forget_secrets_except(wanted, names).await?;
        let detail = serde_json::json!({ "reach": draft.reach, "policy": draft.policy, "settings": draft.settings });
        let deed = Deed { action: "server.change", kind: "server", object: wanted, name: draft.name, detail, reason };
        change.commit(deed).await
    }

    /// Removes a server, and forgets its secrets; grants for it alone are revoked, those for several lose it.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn remove_server(
        &self,
        permit: Permit<'_, ManageServers>,
        wanted: Id,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let row: Option<(String,)> = sqlx::query_as(
            "UPDATE server SET gone_at = $3, changed = $4
             WHERE organisation = $1 AND id = $2 AND gone_at IS NULL RETURNING name",
        )
        .bind(organisation.to_string())
        .bind(wanted.to_string())
        .bind(now)
        .bind(version)
        .fetch_optional(change.connection())
        .await?;
        let (name,) = row.ok_or(BadControl::Missing("server"))?;
        let (revoked, narrowed) = change.leads_no_more(wanted).await?;
        change.forget_secrets_except(wanted, &[]).await?;
        let detail = serde_json::json!({ "grants_revoked": revoked, "grants_narrowed": narrowed });
        let deed = Deed { action: "server.remove", kind: "server", object: wanted, name: &name, detail, reason };
        change.commit(deed).await
    }

    /// What people say of a server's tools.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn overrides(&self, permit: &Permit<'_, See>, server: Id) -> Result<Vec<ToolOverride>, BadControl> {
        let rows: Vec<(String, Option<String>, String, String, String, i64)> = sqlx::query_as(
            "SELECT tool, class, facets, reason, set_by, set_at FROM tool_override
             WHERE organisation = $1 AND server = $2 ORDER BY tool",
        )
        .bind(permit.organisation().to_string())
        .bind(server.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(tool, class, facets, reason, set_by, set_at)| {
                Ok(ToolOverride { tool, class, facets: json("facets", &facets)?, reason, set_by, set_at })
            })
            .collect()
    }

    /// Says something of a tool against its own words, or takes it back (neither class nor facets).
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn set_override(
        &self,
        permit: Permit<'_, ManageServers>,
        server: Id,
        tool: &str,
        class: Option<&str>,
        facets: &BTreeMap<String, bool>,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, actor, now) = (change.organisation(), change.actor(), change.now());
        let name = change.touch_server(server).await?;
        if class.is_none() && facets.is_empty() {
            let delete = sqlx::query("DELETE FROM tool_override WHERE server = $1 AND tool = $2");
            delete.bind(server.to_string()).bind(tool.to_owned()).execute(change.connection()).await?;
        } else {
            let insert = sqlx::query(
                "INSERT INTO tool_override (organisation, server, tool, class, facets, reason, set_by, set_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (server, tool) DO UPDATE SET class = excluded.class, facets = excluded.facets,
                    reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at",
            );
            insert
                .bind(organisation.to_string())
                .bind(server.to_string())
                .bind(tool.to_owned())
                .bind(class.map(str::to_owned))
                .bind(text("facets", facets)?)
                .bind(reason.to_owned())
                .bind(actor)
                .bind(now)
                .execute(change.connection())
                .await?;
        }
        let detail = serde_json::json!({ "tool": tool, "class": class, "facets": facets });
        let deed = Deed { action: "server.override", kind: "server", object: server, name: &name, detail, reason };
        change.commit(deed).await
    }
}

impl<R> Change<'_, R> {
    /// Marks a server as changed, so that replicas read it again; tells its name.
    pub(super) async fn touch_server(&mut self, server: Id) -> Result<String, BadControl> {
        let (organisation, version) = (self.organisation(), self.version());
        let row: Option<(String,)> = sqlx::query_as(
            "UPDATE server SET changed = $3 WHERE organisation = $1 AND id = $2 AND gone_at IS NULL RETURNING name",
        )
        .bind(organisation.to_string())
        .bind(server.to_string())
        .bind(version)
        .fetch_optional(self.connection())
        .await?;
        Ok(row.ok_or(BadControl::Missing("server"))?.0)
    }

    async fn stale_or_missing(&mut self, what: &'static str, wanted: Id) -> Result<BadControl, BadControl> {
        let organisation = self.organisation();
        let there: Option<(i64,)> =
            sqlx::query_as("SELECT changed FROM server WHERE organisation = $1 AND id = $2 AND gone_at IS NULL")
                .bind(organisation.to_string())
                .bind(wanted.to_string())
                .fetch_optional(self.connection())
                .await?;
        Ok(if there.is_some() { BadControl::Stale(what) } else { BadControl::Missing(what) })
    }
}
