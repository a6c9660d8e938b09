//! Admin events: who changed what, when and why. Written by [`Change`](super::Change) alone, never changed.

use audit::Id;
use serde_json::Value;

use super::access::{Permit, ReadAdminEvents};
use super::page::{Page, id, json};
use super::{BadControl, ControlDatabase};

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminEvent {
    /// Its id; later ones are greater.
    pub id: Id,
    /// In milliseconds since 1970, by the database's clock.
    pub at: i64,
    /// Who, such as `member:ada`.
    pub actor: String,
    /// What, such as `grant.revoke`.
    pub action: String,
    /// The kind of the object.
    pub kind: String,
    /// Its id.
    pub object: Id,
    /// Its name at that time.
    pub name: String,
    /// What else there is to say.
    pub detail: Value,
    /// Why, in the words of who did it; may be empty.
    pub reason: String,
}

/// Which events are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Not before, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before, in milliseconds since 1970.
    pub until: Option<i64>,
    /// By whom, such as `member:ada`.
    pub actor: Option<String>,
    /// What, such as `grant.revoke`.
    pub action: Option<String>,
    /// About what.
    pub object: Option<Id>,
}

type Row = (String, i64, String, String, String, String, String, String, String);

impl ControlDatabase {
    /// Events of the permit's organisation, the oldest first.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn admin_events(
        &self,
        permit: &Permit<'_, ReadAdminEvents>,
        filter: &EventFilter,
        page: Page,
    ) -> Result<Vec<AdminEvent>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, at, actor, action, kind, object, name, detail, reason FROM admin_event
             WHERE organisation = $1 AND id > $2 AND at >= $4 AND at < $5
               AND ($6 = '' OR actor = $6) AND ($7 = '' OR action = $7) AND ($8 = '' OR object = $8)
             ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .bind(filter.since.unwrap_or(0))
        .bind(filter.until.unwrap_or(i64::MAX))
        .bind(filter.actor.clone().unwrap_or_default())
        .bind(filter.action.clone().unwrap_or_default())
        .bind(filter.object.map(|object| object.to_string()).unwrap_or_default())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(event, at, actor, action, kind, object, name, detail, reason)| {
                let (event, object) = (id(&event)?, id(&object)?);
                let detail = json("an event", &detail)?;
                Ok(AdminEvent { id: event, at, actor, action, kind, object, name, detail, reason })
            })
            .collect()
    }
}
