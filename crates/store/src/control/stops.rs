//! What is stopped: a grant, an agent, a server, or everything of an organisation.

use audit::Id;

use super::access::{Permit, See, StopCalls};
use super::page::id;
use super::{BadControl, ControlDatabase, Deed};

/// What can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stoppable {
    /// One grant.
    Grant(Id),
    /// All grants of an agent.
    Agent(Id),
    /// All grants on a server.
    Server(Id),
    /// Everything of the organisation.
    Everything,
}

impl Stoppable {
    /// How it is called.
    pub fn kind(self) -> &'static str {
        match self {
            Stoppable::Grant(_) => "grant",
            Stoppable::Agent(_) => "agent",
            Stoppable::Server(_) => "server",
            Stoppable::Everything => "everything",
        }
    }

    fn object(self, organisation: Id) -> Id {
        match self {
            Stoppable::Grant(object) | Stoppable::Agent(object) | Stoppable::Server(object) => object,
            Stoppable::Everything => organisation,
        }
    }

    pub(super) fn parse(kind: &str, object: Id) -> Option<Self> {
        match kind {
            "grant" => Some(Stoppable::Grant(object)),
            "agent" => Some(Stoppable::Agent(object)),
            "server" => Some(Stoppable::Server(object)),
            "everything" => Some(Stoppable::Everything),
            _ => None,
        }
    }
}

/// Something that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What.
    pub what: Stoppable,
    /// Why: agents are told.
    pub reason: String,
    /// By whom.
    pub stopped_by: String,
    /// In milliseconds since 1970.
    pub stopped_at: i64,
}

impl ControlDatabase {
    /// What is stopped in the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn stops(&self, permit: &Permit<'_, See>) -> Result<Vec<Stop>, BadControl> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT kind, object, reason, stopped_by, stopped_at FROM stop
             WHERE organisation = $1 AND resumed_at IS NULL ORDER BY stopped_at, object",
        )
        .bind(permit.organisation().to_string())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(kind, object, reason, stopped_by, stopped_at)| {
                let what = Stoppable::parse(&kind, id(&object)?).ok_or(BadControl::Value("what is stopped"))?;
                Ok(Stop { what, reason, stopped_by, stopped_at })
            })
            .collect()
    }

    /// Stops calls.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn stop(&self, permit: Permit<'_, StopCalls>, what: Stoppable, reason: &str) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let name = change.name_of(what).await?;
        let (organisation, actor, now, version) =
            (change.organisation(), change.actor(), change.now(), change.version());
        let object = what.object(organisation);
        let insert = sqlx::query(
            "INSERT INTO stop (organisation, kind, object, reason, stopped_by, stopped_at, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (kind, object) DO UPDATE SET reason = excluded.reason, stopped_by = excluded.stopped_by,
                stopped_at = excluded.stopped_at, resumed_at = NULL, changed = excluded.changed",
        );
        insert
            .bind(organisation.to_string())
            .bind(what.kind())
            .bind(object.to_string())
            .bind(reason.to_owned())
            .bind(actor)
            .bind(now)
            .bind(version)
            .execute(change.connection())
            .await?;
        let detail = serde_json::Value::Null;
        change.commit(Deed { action: "calls.stop", kind: what.kind(), object, name: &name, detail, reason }).await
    }

    /// Lets calls go on.
    ///
    /// # Errors
    /// [`BadControl`]; what is not stopped is missing.
    pub async fn resume(
        &self,
        permit: Permit<'_, StopCalls>,
        what: Stoppable,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let object = what.object(organisation);
        let update = sqlx::query(
            "UPDATE stop SET resumed_at = $4, changed = $5
             WHERE organisation = $1 AND kind = $2 AND object = $3 AND resumed_at IS NULL",
        );
        let values = update.bind(organisation.to_string()).bind(what.kind()).bind(object.to_string());
        let done = values.bind(now).bind(version).execute(change.connection()).await?;
        if done.rows_affected() == 0 {
            return Err(BadControl::Missing("stop"));
        }
        let name = change.name_of(what).await.unwrap_or_default();
        let detail = serde_json::Value::Null;
        change.commit(Deed { action: "calls.resume", kind: what.kind(), object, name: &name, detail, reason }).await
    }
}

impl<R> super::Change<'_, R> {
    async fn name_of(&mut self, what: Stoppable) -> Result<String, BadControl> {
        let organisation = self.organisation();
        let (query, missing) = match what {
            Stoppable::Grant(_) => ("SELECT label FROM access_grant WHERE organisation = $1 AND id = $2", "grant"),
            Stoppable::Agent(_) => ("SELECT name FROM agent WHERE organisation = $1 AND id = $2", "agent"),
            Stoppable::Server(_) => ("SELECT name FROM server WHERE organisation = $1 AND id = $2", "server"),
            Stoppable::Everything => ("SELECT name FROM organisation WHERE id = $1 AND id = $2", "organisation"),
        };
        let row: Option<(String,)> = sqlx::query_as(query)
            .bind(organisation.to_string())
            .bind(what.object(organisation).to_string())
            .fetch_optional(self.connection())
            .await?;
        Ok(row.ok_or(BadControl::Missing(missing))?.0)
    }
}
