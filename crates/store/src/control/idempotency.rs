//! Requests that came with a key: when the same one comes again, it is answered as the first time and done no second
//! time.

use super::access::{Permit, See, Who};
use super::{BadControl, ControlDatabase};

/// How long an answer is kept, in milliseconds: 24 h.
pub const KEPT: i64 = 24 * 3_600_000;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing was: from now on the request is under way, and whoever asked does it.
    Fresh,
    /// The same request is under way, or was when its process ended.
    UnderWay,
    /// Another request came with this key.
    Other,
    /// What was answered.
    Answered(String),
}

fn actor(permit: &Permit<'_, See>) -> String {
    match &permit.actor().who {
        // Names may come to mean somebody else.
        Who::Member { id, .. } => format!("member:{id}"),
        Who::Program { id, .. } => format!("token:{id}"),
        operator @ Who::Operator(_) => operator.to_string(),
    }
}

impl ControlDatabase {
    /// Begins a request under a key of the actor's own; `request` is a digest of all that matters of it. What is
    /// older than [`KEPT`] is forgotten.
    ///
    /// # Errors
    /// [`BadControl`]: the request must not be done.
    pub async fn begin_request(&self, permit: &Permit<'_, See>, key: &str, request: &str) -> Result<Known, BadControl> {
        let mut transaction = self.begin().await?;
        let now = self.now_in(&mut transaction).await?;
        let over = sqlx::query("DELETE FROM idempotent WHERE created_at <= $1");
        over.bind(now.saturating_sub(KEPT)).execute(&mut *transaction).await?;
        let insert = sqlx::query(
            "INSERT INTO idempotent (organisation, actor, key, request, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organisation, actor, key) DO NOTHING",
        );
        let values = insert.bind(permit.organisation().to_string()).bind(actor(permit)).bind(key.to_owned());
        let made = values.bind(request.to_owned()).bind(now).execute(&mut *transaction).await?.rows_affected();
        let known = if made == 1 {
            Known::Fresh
        } else {
            let row = sqlx::query_as(
                "SELECT request, answer FROM idempotent WHERE organisation = $1 AND actor = $2 AND key = $3",
            );
            let row: Option<(String, Option<String>)> = row
                .bind(permit.organisation().to_string())
                .bind(actor(permit))
                .bind(key.to_owned())
                .fetch_optional(&mut *transaction)
                .await?;
            match row.ok_or(BadControl::Missing("key"))? {
                (before, _) if before != request => Known::Other,
                (_, Some(answer)) => Known::Answered(answer),
                (_, None) => Known::UnderWay,
            }
        };
        transaction.commit().await?;
        Ok(known)
    }

    /// Keeps the answer to a request that was begun. It may hold what nobody else must read: it comes sealed.
    ///
    /// # Errors
    /// [`BadControl`]: the request stays under way.
    pub async fn end_request(&self, permit: &Permit<'_, See>, key: &str, answer: &str) -> Result<(), BadControl> {
        let update =
            sqlx::query("UPDATE idempotent SET answer = $4 WHERE organisation = $1 AND actor = $2 AND key = $3");
        let values = update.bind(permit.organisation().to_string()).bind(actor(permit)).bind(key.to_owned());
        values.bind(answer.to_owned()).execute(self.writer()).await?;
        Ok(())
    }

    /// Forgets a request that was begun and of which nothing has happened: it may come again.
    ///
    /// # Errors
    /// [`BadControl`]: the request stays under way.
    pub async fn drop_request(&self, permit: &Permit<'_, See>, key: &str) -> Result<(), BadControl> {
        let delete = sqlx::query(
            "DELETE FROM idempotent WHERE organisation = $1 AND actor = $2 AND key = $3 AND answer IS NULL",
        );
        let values = delete.bind(permit.organisation().to_string()).bind(actor(permit)).bind(key.to_owned());
        values.execute(self.writer()).await?;
        Ok(())
    }
}
