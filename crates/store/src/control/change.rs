//! A change: one transaction, one new version of the instance, one event that says who did what.

use audit::Id;
use serde_json::Value;
use sqlx::{Any, AnyConnection, Transaction};

use super::access::Permit;
use super::{BadControl, ControlDatabase};
use crate::log::ids;

/// A change under way. Dropped, it has not happened.
///
/// Changes are made one after the other: the first statement of each takes the number of its version, and
/// holds it until the end. So who has seen version *n* has seen everything before it.
pub struct Change<'a, R> {
    transaction: Transaction<'static, Any>,
    permit: Permit<'a, R>,
    version: i64,
    now: i64,
}

/// What was done, for the log of admin events.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// Such as `grant.revoke`.
    pub action: &'static str,
    /// The kind of the object, such as `grant`.
    pub kind: &'static str,
    /// Its id.
    pub object: Id,
    /// Its name at that time.
    pub name: &'a str,
    /// What else there is to say; no secret.
    pub detail: Value,
    /// Why, in the words of who did it; may be empty.
    pub reason: &'a str,
}

impl ControlDatabase {
    /// Begins a change in the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn change<'a, R>(&self, permit: Permit<'a, R>) -> Result<Change<'a, R>, BadControl> {
        let mut transaction = self.begin().await?;
        let version = next_version(&mut transaction).await?;
        let now = self.now_in(&mut transaction).await?;
        Ok(Change { transaction, permit, version, now })
    }
}

/// The next version of the instance; whoever has it is alone until its transaction ends.
pub(super) async fn next_version(connection: &mut AnyConnection) -> Result<i64, BadControl> {
    let row = sqlx::query_as("UPDATE instance SET version = version + 1 WHERE id = 1 RETURNING version");
    let (version,) = row.fetch_optional(connection).await?.ok_or(BadControl::Missing("instance"))?;
    Ok(version)
}

impl<R> Change<'_, R> {
    /// The organisation in which it happens.
    pub fn organisation(&self) -> Id {
        self.permit.organisation()
    }

    /// Who makes it.
    pub fn actor(&self) -> String {
        self.permit.actor().who.to_string()
    }

    /// The version that it makes.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// When it is made, in milliseconds since 1970 by the database's clock.
    pub fn now(&self) -> i64 {
        self.now
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Writes down what was done, and makes it so. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`BadControl`]: then nothing has happened.
    pub async fn commit(mut self, deed: Deed<'_>) -> Result<i64, BadControl> {
        self.note(deed).await?;
        self.transaction.commit().await?;
        Ok(self.version)
    }

    /// Writes down one of several things that are done at once.
    pub(super) async fn note(&mut self, deed: Deed<'_>) -> Result<(), BadControl> {
        let insert = sqlx::query(
            "INSERT INTO admin_event (id, organisation, at, actor, action, kind, object, name, detail, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        insert
            .bind(ids::next().to_string())
            .bind(self.permit.organisation().to_string())
            .bind(self.now)
            .bind(self.permit.actor().who.to_string())
            .bind(deed.action)
            .bind(deed.kind)
            .bind(deed.object.to_string())
            .bind(deed.name.to_owned())
            .bind(deed.detail.to_string())
            .bind(deed.reason.to_owned())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}
