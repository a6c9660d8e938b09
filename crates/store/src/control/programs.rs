//! API tokens: what programs sign in with.

use audit::Id;

use super::access::{Actor, ManageMembers, Permit, Role, Who};
use super::page::{Page, id};
use super::{BadControl, ControlDatabase, Deed};
use crate::log::ids;

/// An API token, without what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id.
    pub id: Id,
    /// Its label, the only one of its organisation.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub owner: String,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// When it was used last, to the minute.
    pub used_at: Option<i64>,
    /// Since when it is refused.
    pub revoked_at: Option<i64>,
}

/// An API token to be made.
#[derive(Clone, Debug)]
pub struct NewProgram<'a> {
    /// Its label.
    pub label: &'a str,
    /// What it may do.
    pub role: Role,
    /// The keyed hash of the token.
    pub hash: &'a str,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

type Row = (String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);

fn program(row: Row) -> Result<Program, BadControl> {
    let (program, label, role, owner, created_at, expires_at, used_at, revoked_at) = row;
    let role = Role::parse(&role).ok_or(BadControl::Value("a role"))?;
    Ok(Program { id: id(&program)?, label, role, owner, created_at, expires_at, used_at, revoked_at })
}

/// How often the time of use is written: once a minute is enough to find what nobody uses.
const USED_EVERY: i64 = 60_000;

impl ControlDatabase {
    /// The API tokens of the permit's organisation, revoked ones included.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn programs(&self, permit: &Permit<'_, ManageMembers>, page: Page) -> Result<Vec<Program>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, label, role, owner, created_at, expires_at, used_at, revoked_at
             FROM api_token WHERE organisation = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(program).collect()
    }

    /// An API token of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn program(&self, permit: &Permit<'_, ManageMembers>, wanted: Id) -> Result<Program, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, label, role, owner, created_at, expires_at, used_at, revoked_at
             FROM api_token WHERE organisation = $1 AND id = $2",
        )
        .bind(permit.organisation().to_string())
        .bind(wanted.to_string())
        .fetch_optional(self.readers())
        .await?;
        program(row.ok_or(BadControl::Missing("token"))?)
    }

    /// Keeps an API token.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the label is.
    pub async fn add_program(
        &self,
        permit: Permit<'_, ManageMembers>,
        new: &NewProgram<'_>,
        reason: &str,
    ) -> Result<Id, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, actor, now, version) =
            (change.organisation(), change.actor(), change.now(), change.version());
        let program = ids::next();
        let insert = sqlx::query(
            "INSERT INTO api_token (id, organisation, label, role, owner, hash, created_at, expires_at, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        insert
            .bind(program.to_string())
            .bind(organisation.to_string())
            .bind(new.label.to_owned())
            .bind(new.role.name())
            .bind(actor)
            .bind(new.hash.to_owned())
            .bind(now)
            .bind(new.expires_at)
            .bind(version)
            .execute(change.connection())
            .await?;
        let detail = serde_json::json!({ "role": new.role.name(), "expires_at": new.expires_at });
        let deed = Deed { action: "token.add", kind: "token", object: program, name: new.label, detail, reason };
        change.commit(deed).await?;
        Ok(program)
    }

    /// Revokes an API token.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn revoke_program(
        &self,
        permit: Permit<'_, ManageMembers>,
        wanted: Id,
        reason: &str,
    ) -> Result<(), BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let row: Option<(String,)> = sqlx::query_as(
            "UPDATE api_token SET revoked_at = COALESCE(revoked_at, $3), changed = $4
             WHERE organisation = $1 AND id = $2 RETURNING label",
        )
        .bind(organisation.to_string())
        .bind(wanted.to_string())
        .bind(now)
        .bind(version)
        .fetch_optional(change.connection())
        .await?;
        let (label,) = row.ok_or(BadControl::Missing("token"))?;
        let detail = serde_json::Value::Null;
        let deed = Deed { action: "token.revoke", kind: "token", object: wanted, name: &label, detail, reason };
        change.commit(deed).await?;
        Ok(())
    }

    /// Whose token has this hash, if it is good.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn program_of_token(&self, hash: &str) -> Result<Option<Actor>, BadControl> {
        let now = self.now().await?;
        let row: Option<(String, String, String, String, Option<i64>, i64)> = sqlx::query_as(
            "SELECT id, organisation, label, role, used_at,
                    (SELECT COUNT(*) FROM instance WHERE first = api_token.organisation)
             FROM api_token WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(hash.to_owned())
        .bind(now)
        .fetch_optional(self.readers())
        .await?;
        let Some((token, organisation, label, role, used_at, first)) = row else { return Ok(None) };
        if used_at.is_none_or(|used| now.saturating_sub(used) >= USED_EVERY) {
            let update = sqlx::query("UPDATE api_token SET used_at = $2 WHERE id = $1");
            update.bind(token.clone()).bind(now).execute(self.writer()).await?;
        }
        Ok(Some(Actor {
            organisation: id(&organisation)?,
            first: first == 1,
            who: Who::Program { id: id(&token)?, label },
            role: Role::parse(&role).ok_or(BadControl::Value("a role"))?,
        }))
    }
}
