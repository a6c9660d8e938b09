//! Counts of limits, as far as they are the tables' business: whose have begun, and who reset or confirmed them.

use std::collections::HashMap;

use audit::Id;
use serde_json::Value;

use super::access::{ManageLimits, Permit, See};
use super::page::id;
use super::{BadControl, ControlDatabase, Deed};

impl ControlDatabase {
    /// What the servers, agents, policies and grants of the organisation are called, by their ids; gone ones included.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn names(&self, permit: &Permit<'_, See>) -> Result<HashMap<String, String>, BadControl> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, name FROM server WHERE organisation = $1
             UNION ALL SELECT id, name FROM agent WHERE organisation = $1
             UNION ALL SELECT id, name FROM policy WHERE organisation = $1
             UNION ALL SELECT id, label FROM access_grant WHERE organisation = $1",
        )
        .bind(permit.organisation().to_string())
        .fetch_all(self.readers())
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Organisations of which nobody has written down yet that their counts begin.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn not_counted(&self) -> Result<Vec<Id>, BadControl> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM organisation WHERE counted_at IS NULL ORDER BY id")
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|(organisation,)| id(organisation)).collect()
    }

    /// Writes down that an organisation's counts begin. True for the one who did: nobody else ever says so, whatever
    /// becomes of the counts.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn begin_counts(&self, organisation: Id) -> Result<bool, BadControl> {
        let now = self.now().await?;
        let update = sqlx::query("UPDATE organisation SET counted_at = $2 WHERE id = $1 AND counted_at IS NULL");
        let done = update.bind(organisation.to_string()).bind(now).execute(self.writer()).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down that somebody resets a count. Returns the version.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn note_reset(
        &self,
        permit: Permit<'_, ManageLimits>,
        count: &str,
        used: &str,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let change = self.change(permit).await?;
        let (object, detail) = (change.organisation(), serde_json::json!({ "used": used }));
        change.commit(Deed { action: "limits.reset", kind: "organisation", object, name: count, detail, reason }).await
    }

    /// Writes down that somebody confirms the counts of the organisation. Returns the version.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn note_confirmed(&self, permit: Permit<'_, ManageLimits>, reason: &str) -> Result<i64, BadControl> {
        let change = self.change(permit).await?;
        let object = change.organisation();
        let deed =
            Deed { action: "limits.confirm", kind: "organisation", object, name: "", detail: Value::Null, reason };
        change.commit(deed).await
    }
}
