//! Agents: programs with an owner, which hold grants.

use audit::Id;

use super::access::{ManageGrants, Permit, See};
use super::page::{Page, id};
use super::{BadControl, Change, ControlDatabase, Deed};
use crate::log::ids;

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: Id,
    /// Its name, the only one of its organisation: policies read it.
    pub name: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub description: String,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// The version of the instance that made it what it is.
    pub changed: i64,
}

/// Who is to hold a grant.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// An agent that there is.
    Known(Id),
    /// The agent of a name; it is made where there is none.
    Named {
        /// Its name.
        name: &'a str,
        /// Who answers for it, where it is made.
        owner: Option<&'a str>,
    },
}

type Row = (String, String, Option<String>, String, i64, i64);

fn agent((agent, name, owner, description, created_at, changed): Row) -> Result<Agent, BadControl> {
    Ok(Agent { id: id(&agent)?, name, owner, description, created_at, changed })
}

impl ControlDatabase {
    /// The agents of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn agents(&self, permit: &Permit<'_, See>, page: Page) -> Result<Vec<Agent>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, owner, description, created_at, changed
             FROM agent WHERE organisation = $1 AND gone_at IS NULL AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(agent).collect()
    }

    /// An agent of the permit's organisation, by its name or its id.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn agent(&self, permit: &Permit<'_, See>, name: &str) -> Result<Agent, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, owner, description, created_at, changed
             FROM agent WHERE organisation = $1 AND (name = $2 OR id = $2) AND gone_at IS NULL",
        )
        .bind(permit.organisation().to_string())
        .bind(name.to_owned())
        .fetch_optional(self.readers())
        .await?;
        agent(row.ok_or(BadControl::Missing("agent"))?)
    }

    /// Makes an agent.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_agent(
        &self,
        permit: Permit<'_, ManageGrants>,
        name: &str,
        owner: Option<&str>,
        description: &str,
        reason: &str,
    ) -> Result<Id, BadControl> {
        let mut change = self.change(permit).await?;
        let agent = change.insert_agent(name, owner, description).await?;
        let detail = serde_json::json!({ "owner": owner });
        let deed = Deed { action: "agent.add", kind: "agent", object: agent, name, detail, reason };
        change.commit(deed).await?;
        Ok(agent)
    }

    /// Removes an agent; its grants are revoked.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn remove_agent(
        &self,
        permit: Permit<'_, ManageGrants>,
        wanted: Id,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let row: Option<(String,)> = sqlx::query_as(
            "UPDATE agent SET gone_at = $3, changed = $4
             WHERE organisation = $1 AND id = $2 AND gone_at IS NULL RETURNING name",
        )
        .bind(organisation.to_string())
        .bind(wanted.to_string())
        .bind(now)
        .bind(version)
        .fetch_optional(change.connection())
        .await?;
        let (name,) = row.ok_or(BadControl::Missing("agent"))?;
        let grants = sqlx::query(
            "UPDATE access_grant SET revoked_at = $3, changed = $4
             WHERE organisation = $1 AND agent = $2 AND revoked_at IS NULL",
        );
        let grants = grants.bind(organisation.to_string()).bind(wanted.to_string()).bind(now).bind(version);
        let grants = grants.execute(change.connection()).await?.rows_affected();
        let detail = serde_json::json!({ "grants_revoked": grants });
        let deed = Deed { action: "agent.remove", kind: "agent", object: wanted, name: &name, detail, reason };
        change.commit(deed).await
    }
}

impl<R> Change<'_, R> {
    async fn insert_agent(&mut self, name: &str, owner: Option<&str>, description: &str) -> Result<Id, BadControl> {
        let (organisation, now, version) = (self.organisation(), self.now(), self.version());
        let agent = ids::next();
        let insert = sqlx::query(
            "INSERT INTO agent (id, organisation, name, owner, description, created_at, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        insert
            .bind(agent.to_string())
            .bind(organisation.to_string())
            .bind(name.to_owned())
            .bind(owner.map(str::to_owned))
            .bind(description.to_owned())
            .bind(now)
            .bind(version)
            .execute(self.connection())
            .await?;
        Ok(agent)
    }

    /// The agent that is to hold a grant; one of its name is made where there is none.
    pub(super) async fn holder(&mut self, holder: Holder<'_>, reason: &str) -> Result<Id, BadControl> {
        let (name, owner) = match holder {
            Holder::Known(agent) => return self.agent_exists(agent).await.map(|()| agent),
            Holder::Named { name, owner } => (name, owner),
        };
        let there: Option<(String,)> =
            sqlx::query_as("SELECT id FROM agent WHERE organisation = $1 AND name = $2 AND gone_at IS NULL")
                .bind(self.organisation().to_string())
                .bind(name.to_owned())
                .fetch_optional(self.connection())
                .await?;
        if let Some((agent,)) = there {
            return id(&agent);
        }
        let agent = self.insert_agent(name, owner, "").await?;
        let detail = serde_json::json!({ "owner": owner });
        self.note(Deed { action: "agent.add", kind: "agent", object: agent, name, detail, reason }).await?;
        Ok(agent)
    }

    /// An agent that is named must be one of this organisation.
    async fn agent_exists(&mut self, agent: Id) -> Result<(), BadControl> {
        let organisation = self.organisation();
        let row: Option<(String,)> =
            sqlx::query_as("SELECT name FROM agent WHERE organisation = $1 AND id = $2 AND gone_at IS NULL")
                .bind(organisation.to_string())
                .bind(agent.to_string())
                .fetch_optional(self.connection())
                .await?;
        row.map(drop).ok_or(BadControl::Missing("agent"))
    }
}
