//! The instance, its organisations, and sealed values of its own.

use audit::Id;

use super::access::{ManageOrganisations, Permit, See};
use super::members::{self, NewMember};
use super::page::id;
use super::{BadControl, ControlDatabase, Deed};
use crate::log::ids;

/// The longest name of an organisation.
const LONGEST_NAME: usize = 40;

/// An organisation: what belongs to one is unseen by the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: Id,
    /// Its name, as in commands and addresses.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// In milliseconds since 1970.
    pub created_at: i64,
}

type Row = (String, String, String, i64);

fn organisation((organisation, name, title, created_at): Row) -> Result<Organisation, BadControl> {
    Ok(Organisation { id: id(&organisation)?, name, title, created_at })
}

impl ControlDatabase {
    /// Makes the instance with its first organisation, unless it was made before. Any number of processes may
    /// try at once.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn found(&self, name: &str, title: &str) -> Result<(), BadControl> {
        if self.founded().await? {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let now = self.now_in(&mut transaction).await?;
        let first = ids::next();
        let made = sqlx::query(
            "INSERT INTO instance (id, name, first, created_at, version) VALUES (1, $1, $2, $3, 1) ON CONFLICT (id) DO NOTHING",
        );
        let made = made.bind(ids::next().to_string()).bind(first.to_string()).bind(now);
        if made.execute(&mut *transaction).await?.rows_affected() == 1 {
            insert(&mut transaction, first, name, title, now, 1).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn founded(&self) -> Result<bool, BadControl> {
        let (instances,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM instance").fetch_one(self.readers()).await?;
        Ok(instances > 0)
    }

    /// The instance's id.
    ///
    /// # Errors
    /// [`BadControl`]; when nobody has founded it, it is missing.
    pub async fn instance(&self) -> Result<Id, BadControl> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT name FROM instance WHERE id = 1").fetch_optional(self.readers()).await?;
        id(&row.ok_or(BadControl::Missing("instance"))?.0)
    }

    /// The first organisation: its admins run the instance.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn first_organisation(&self) -> Result<Organisation, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, title, created_at FROM organisation WHERE id = (SELECT first FROM instance WHERE id = 1)",
        )
        .fetch_optional(self.readers())
        .await?;
        organisation(row.ok_or(BadControl::Missing("organisation"))?)
    }

    /// The organisation of a name. For signing in, where there is nobody yet who could be permitted anything.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn organisation_named(&self, name: &str) -> Result<Option<Organisation>, BadControl> {
        let row: Option<Row> = sqlx::query_as("SELECT id, name, title, created_at FROM organisation WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(self.readers())
            .await?;
        row.map(organisation).transpose()
    }

    /// The organisation that a permit is of.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn own_organisation(&self, permit: &Permit<'_, See>) -> Result<Organisation, BadControl> {
        let row: Option<Row> = sqlx::query_as("SELECT id, name, title, created_at FROM organisation WHERE id = $1")
            .bind(permit.organisation().to_string())
            .fetch_optional(self.readers())
            .await?;
        organisation(row.ok_or(BadControl::Missing("organisation"))?)
    }

    /// All organisations, the first one first.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn organisations(&self, _: &Permit<'_, ManageOrganisations>) -> Result<Vec<Organisation>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, title, created_at FROM organisation
             ORDER BY CASE WHEN id = (SELECT first FROM instance WHERE id = 1) THEN 0 ELSE 1 END, id",
        )
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(organisation).collect()
    }

    /// Makes an organisation.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_organisation(
        &self,
        permit: Permit<'_, ManageOrganisations>,
        name: &str,
        title: &str,
        reason: &str,
    ) -> Result<Organisation, BadControl> {
        self.add_organisation_with(permit, name, title, None, reason).await
    }

    /// Makes an organisation with its first member: both, or neither.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_organisation_with(
        &self,
        permit: Permit<'_, ManageOrganisations>,
        name: &str,
        title: &str,
        first: Option<&NewMember<'_>>,
        reason: &str,
    ) -> Result<Organisation, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, created_at, version) = (ids::next(), change.now(), change.version());
        insert(change.connection(), organisation, name, title, created_at, version).await?;
        if let Some(first) = first {
            members::insert(change.connection(), organisation, first, created_at, version).await?;
        }
        let first = first.map(|first| first.name);
        let detail = serde_json::json!({ "title": title, "first_member": first });
        let deed =
            Deed { action: "organisation.add", kind: "organisation", object: organisation, name, detail, reason };
        change.commit(deed).await?;
        Ok(Organisation { id: organisation, name: name.to_owned(), title: title.to_owned(), created_at })
    }

    /// A sealed value of the instance.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn instance_secret(&self, name: &str) -> Result<Option<String>, BadControl> {
        let row: Option<(String,)> = sqlx::query_as("SELECT sealed FROM instance_secret WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(self.readers())
            .await?;
        Ok(row.map(|(sealed,)| sealed))
    }

    /// Keeps a sealed value of the instance unless there is one of this name, and tells the one that is kept:
    /// of several processes that begin at once, all use the same.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn keep_instance_secret(&self, name: &str, sealed: &str) -> Result<String, BadControl> {
        let insert =
            sqlx::query("INSERT INTO instance_secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
        insert.bind(name.to_owned()).bind(sealed.to_owned()).execute(self.writer()).await?;
        self.instance_secret(name).await?.ok_or(BadControl::Missing("instance secret"))
    }

    /// Puts a value of the instance in the place of the one that was kept, if one was.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn put_instance_secret(&self, name: &str, sealed: &str) -> Result<(), BadControl> {
        let put = sqlx::query(
            "INSERT INTO instance_secret (name, sealed) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
        );
        put.bind(name.to_owned()).bind(sealed.to_owned()).execute(self.writer()).await?;
        Ok(())
    }
}

async fn insert(
    connection: &mut sqlx::AnyConnection,
    organisation: Id,
    name: &str,
    title: &str,
    now: i64,
    version: i64,
) -> Result<(), BadControl> {
    let insert =
        sqlx::query("INSERT INTO organisation (id, name, title, created_at, changed) VALUES ($1, $2, $3, $4, $5)");
    let values = insert.bind(organisation.to_string()).bind(name.to_owned()).bind(title.to_owned());
    values.bind(now).bind(version).execute(connection).await?;
    Ok(())
}

/// Whether a name may be an organisation's: as a server's, 1 to 40 of `a` to `z`, `0` to `9` and `-`.
pub fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
