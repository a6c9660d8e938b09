//! Members: people with a role in one organisation, and their sessions.

use audit::Id;

use super::access::{Actor, ManageMembers, Permit, Role, Who};
use super::page::{Page, id};
use super::{BadControl, ControlDatabase, Deed};
use crate::log::ids;

/// A member. Names are theirs within one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: Id,
    /// What they sign in with.
    pub name: String,
    /// What others read.
    pub display: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have a password.
    pub password: bool,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// Since when they may do nothing.
    pub disabled_at: Option<i64>,
    /// The version of the instance that made it what it is.
    pub changed: i64,
}

/// A member to be made.
#[derive(Clone, Debug)]
pub struct NewMember<'a> {
    /// What they sign in with.
    pub name: &'a str,
    /// What others read.
    pub display: &'a str,
    /// What they may do.
    pub role: Role,
    /// The hash of their password, as a PHC string; without one they cannot sign in by password.
    pub password: Option<&'a str>,
}

/// What is to be another way with a member; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct MemberPatch<'a> {
    /// The version at which the member was read, where only that one is to be changed.
    pub seen: Option<i64>,
    /// What others read.
    pub display: Option<&'a str>,
    /// What they may do.
    pub role: Option<Role>,
    /// The hash of a new password. Sessions that stand end.
    pub password: Option<&'a str>,
    /// Whether they may do nothing from now on. Sessions that stand end.
    pub disabled: Option<bool>,
}

/// What a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The member.
    pub member: Id,
    /// The hash of the password, as a PHC string.
    pub password: String,
}

type Row = (String, String, String, String, Option<String>, i64, Option<i64>, i64);

fn member(row: Row) -> Result<Member, BadControl> {
    let (member, name, display, role, password, created_at, disabled_at, changed) = row;
    Ok(Member {
        id: id(&member)?,
        name,
        display,
        role: Role::parse(&role).ok_or(BadControl::Value("a role"))?,
        password: password.is_some(),
        created_at,
        disabled_at,
        changed,
    })
}

/// Writes a member's row, in an organisation in which somebody may.
pub(super) async fn insert(
    connection: &mut sqlx::AnyConnection,
    organisation: Id,
    new: &NewMember<'_>,
    now: i64,
    version: i64,
) -> Result<Id, BadControl> {
    let member = ids::next();
    let insert = sqlx::query(
        "INSERT INTO member (id, organisation, name, display, role, password, created_at, changed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    insert
        .bind(member.to_string())
        .bind(organisation.to_string())
        .bind(new.name.to_owned())
        .bind(new.display.to_owned())
        .bind(new.role.name())
        .bind(new.password.map(str::to_owned))
        .bind(now)
        .bind(version)
        .execute(connection)
        .await?;
    Ok(member)
}

impl ControlDatabase {
    /// The members of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn members(&self, permit: &Permit<'_, ManageMembers>, page: Page) -> Result<Vec<Member>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, display, role, password, created_at, disabled_at, changed
             FROM member WHERE organisation = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(member).collect()
    }

    /// A member of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn member(&self, permit: &Permit<'_, ManageMembers>, wanted: Id) -> Result<Member, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, display, role, password, created_at, disabled_at, changed
             FROM member WHERE organisation = $1 AND id = $2",
        )
        .bind(permit.organisation().to_string())
        .bind(wanted.to_string())
        .fetch_optional(self.readers())
        .await?;
        member(row.ok_or(BadControl::Missing("member"))?)
    }

    /// Makes a member.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_member(
        &self,
        permit: Permit<'_, ManageMembers>,
        new: &NewMember<'_>,
        reason: &str,
    ) -> Result<Id, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let member = insert(change.connection(), organisation, new, now, version).await?;
        let detail = serde_json::json!({ "role": new.role.name() });
        let deed = Deed { action: "member.add", kind: "member", object: member, name: new.name, detail, reason };
        change.commit(deed).await?;
        Ok(member)
    }

    /// Makes the first admin for whoever has the secret that serves once: both, or neither. `None` where the secret is
    /// another, or was used.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_first_member(
        &self,
        permit: Permit<'_, ManageMembers>,
        (secret, value): (&str, &str),
        new: &NewMember<'_>,
    ) -> Result<Option<Id>, BadControl> {
        let mut change = self.change(permit).await?;
        let delete = sqlx::query("DELETE FROM instance_secret WHERE name = $1 AND sealed = $2");
        let gone = delete.bind(secret.to_owned()).bind(value.to_owned()).execute(change.connection()).await?;
        if gone.rows_affected() != 1 {
            return Ok(None);
        }
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let member = insert(change.connection(), organisation, new, now, version).await?;
        let (detail, reason) = (serde_json::json!({ "role": new.role.name() }), "the first admin");
        change
            .commit(Deed { action: "member.add", kind: "member", object: member, name: new.name, detail, reason })
            .await?;
        Ok(Some(member))
    }

    /// Changes a member. The last admin who may sign in stays one.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::LastAdmin`]; [`BadControl::Stale`] where somebody was faster.
    pub async fn change_member(
        &self,
        permit: Permit<'_, ManageMembers>,
        wanted: Id,
        patch: &MemberPatch<'_>,
        reason: &str,
    ) -> Result<(), BadControl> {
        let now_is = self.member(&permit, wanted).await?;
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let disabled_at = match patch.disabled {
            Some(true) => now_is.disabled_at.or(Some(now)),
            Some(false) => None,
            None => now_is.disabled_at,
        };
        let role = patch.role.unwrap_or(now_is.role);
        let update = sqlx::query(
            "UPDATE member SET display = $3, role = $4, password = COALESCE($5, password), disabled_at = $6, changed = $7
             WHERE organisation = $1 AND id = $2 AND changed = $8",
        );
        let done = update
            .bind(organisation.to_string())
            .bind(wanted.to_string())
            .bind(patch.display.unwrap_or(&now_is.display).to_owned())
            .bind(role.name())
            .bind(patch.password.map(str::to_owned))
            .bind(disabled_at)
            .bind(version)
            .bind(patch.seen.unwrap_or(now_is.changed))
            .execute(change.connection())
            .await?;
        if done.rows_affected() == 0 {
            return Err(BadControl::Stale("member"));
        }
        let admins = sqlx::query_as(
            "SELECT COUNT(*) FROM member WHERE organisation = $1 AND role = 'admin' AND disabled_at IS NULL",
        );
        let (admins,): (i64,) = admins.bind(organisation.to_string()).fetch_one(change.connection()).await?;
        if admins == 0 && now_is.role == Role::Admin && now_is.disabled_at.is_none() {
            return Err(BadControl::LastAdmin);
        }
        if patch.password.is_some() || patch.disabled == Some(true) {
            let end = sqlx::query("DELETE FROM session WHERE organisation = $1 AND member = $2");
            end.bind(organisation.to_string()).bind(wanted.to_string()).execute(change.connection()).await?;
        }
        let detail = serde_json::json!({
            "role": patch.role.map(Role::name),
            "display": patch.display,
            "disabled": patch.disabled,
            "password": patch.password.map(|_| "changed"),
        });
        let deed = Deed { action: "member.change", kind: "member", object: wanted, name: &now_is.name, detail, reason };
        change.commit(deed).await?;
        Ok(())
    }

    /// Whether somebody may administer the first organisation: then the instance is set up.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn any_admin(&self) -> Result<bool, BadControl> {
        let first = self.first_organisation().await?.id;
        let (admins,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM member WHERE organisation = $1 AND role = 'admin' AND disabled_at IS NULL",
        )
        .bind(first.to_string())
        .fetch_one(self.readers())
        .await?;
        Ok(admins > 0)
    }

    /// What a sign-in by name is checked against; `None` where nobody of that name may sign in.
    /// There is nobody yet who could be permitted anything.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn credentials(&self, organisation: Id, name: &str) -> Result<Option<Credentials>, BadControl> {
        let row: Option<(String, String)> = sqlx::query_as(
            "SELECT id, password FROM member
             WHERE organisation = $1 AND name = $2 AND password IS NOT NULL AND disabled_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(name.to_owned())
        .fetch_optional(self.readers())
        .await?;
        row.map(|(member, password)| Ok(Credentials { member: id(&member)?, password })).transpose()
    }

    /// Begins a session of a member whose sign-in was checked, for `lasts` milliseconds; false if meanwhile the password is
    /// another one, or they may do nothing any more. Only the hash of its token is kept.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn begin_session(
        &self,
        organisation: Id,
        checked: &Credentials,
        hash: &str,
        lasts: i64,
    ) -> Result<bool, BadControl> {
        let mut transaction = self.begin().await?;
        let now = self.now_in(&mut transaction).await?;
        let over = sqlx::query("DELETE FROM session WHERE expires_at <= $1");
        over.bind(now).execute(&mut *transaction).await?;
        let insert = sqlx::query(
            "INSERT INTO session (hash, organisation, member, created_at, seen_at, expires_at)
             SELECT $1, organisation, id, $4, $4, $5 FROM member
             WHERE organisation = $2 AND id = $3 AND password = $6 AND disabled_at IS NULL",
        );
        let values = insert.bind(hash.to_owned()).bind(organisation.to_string()).bind(checked.member.to_string());
        let values = values.bind(now).bind(now.saturating_add(lasts)).bind(checked.password.clone());
        let begun = values.execute(&mut *transaction).await?.rows_affected() == 1;
        transaction.commit().await?;
        Ok(begun)
    }

    /// Keeps the same password under another hash, unless it is another password by now.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn rehash(&self, checked: &Credentials, hash: &str) -> Result<bool, BadControl> {
        let update = sqlx::query("UPDATE member SET password = $3 WHERE id = $1 AND password = $2");
        let values = update.bind(checked.member.to_string()).bind(checked.password.clone()).bind(hash.to_owned());
        Ok(values.execute(self.writer()).await?.rows_affected() == 1)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn end_session(&self, hash: &str) -> Result<(), BadControl> {
        let delete = sqlx::query("DELETE FROM session WHERE hash = $1");
        delete.bind(hash.to_owned()).execute(self.writer()).await?;
        Ok(())
    }

    /// Whose session it is, if it stands.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn member_of_session(&self, hash: &str) -> Result<Option<Actor>, BadControl> {
        let now = self.now().await?;
        let row: Option<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT member.organisation, member.id, member.name, member.role,
                    (SELECT COUNT(*) FROM instance WHERE first = member.organisation)
             FROM session JOIN member ON member.id = session.member
             WHERE session.hash = $1 AND session.expires_at > $2 AND member.disabled_at IS NULL",
        )
        .bind(hash.to_owned())
        .bind(now)
        .fetch_optional(self.readers())
        .await?;
        row.map(|(organisation, member, name, role, first)| {
            Ok(Actor {
                organisation: id(&organisation)?,
                first: first == 1,
                who: Who::Member { id: id(&member)?, name },
                role: Role::parse(&role).ok_or(BadControl::Value("a role"))?,
            })
        })
        .transpose()
    }
}
