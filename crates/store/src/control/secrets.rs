//! Sealed values of upstreams. What is inside is nobody's business here.

use audit::Id;

use sqlx::AnyConnection;

use super::access::{ManageOrganisations, ManageServers, Permit, See};
use super::page::id;
use super::{BadControl, Change, ControlDatabase, Deed};

/// A sealed value and the field that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Such as the name of a header.
    pub field: String,
    /// Sealed to the organisation, the object and the field.
    pub sealed: String,
}

/// The place of a sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedAt {
    /// It is the instance's own, under this name.
    Instance(String),
    /// It belongs to an object of an organisation.
    Object {
        /// Whose it is.
        organisation: Id,
        /// What it belongs to.
        object: Id,
        /// Such as the name of a header.
        field: String,
    },
}

impl ControlDatabase {
    /// Which secrets an object of the permit's organisation has, and since when.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn secret_names(&self, permit: &Permit<'_, See>, object: Id) -> Result<Vec<(String, i64)>, BadControl> {
        let rows =
            sqlx::query_as("SELECT field, set_at FROM secret WHERE organisation = $1 AND object = $2 ORDER BY field");
        let rows = rows.bind(permit.organisation().to_string()).bind(object.to_string());
        Ok(rows.fetch_all(self.readers()).await?)
    }

    /// An object's sealed values, for whoever may replace them.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn sealed(&self, permit: &Permit<'_, ManageServers>, object: Id) -> Result<Vec<Sealed>, BadControl> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT field, sealed FROM secret WHERE organisation = $1 AND object = $2 ORDER BY field")
                .bind(permit.organisation().to_string())
                .bind(object.to_string())
                .fetch_all(self.readers())
                .await?;
        Ok(rows.into_iter().map(|(field, sealed)| Sealed { field, sealed }).collect())
    }

    /// Every sealed value of the instance and of all organisations.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn all_sealed(&self, _: &Permit<'_, ManageOrganisations>) -> Result<Vec<(SealedAt, String)>, BadControl> {
        let mut transaction = self.begin_reading().await?;
        all(&mut transaction).await
    }

    /// Every sealed value, without its place: the keys that they are under can be told from them.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn sealed_texts(&self) -> Result<Vec<String>, BadControl> {
        let all = sqlx::query_as("SELECT sealed FROM instance_secret UNION ALL SELECT sealed FROM secret");
        let rows: Vec<(String,)> = all.fetch_all(self.readers()).await?;
        Ok(rows.into_iter().map(|(sealed,)| sealed).collect())
    }

    /// Seals every value anew, as `again` says: `None` leaves one as it is. Returns how many there were, and the version. For a
    /// change of the master key; what the values hold stays as it is.
    ///
    /// # Errors
    /// [`BadControl`]; what `again` says is wrong is [`BadControl::Unsealed`], and nothing is changed then.
    pub async fn seal_anew(
        &self,
        permit: Permit<'_, ManageOrganisations>,
        reason: &str,
        mut again: impl FnMut(&SealedAt, &str) -> Result<Option<String>, String>,
    ) -> Result<(u64, i64), BadControl> {
        let mut change = self.change(permit).await?;
        let mut count = 0;
        for (at, old) in all(change.connection()).await? {
            let Some(new) = again(&at, &old).map_err(BadControl::Unsealed)? else { continue };
            let update = match &at {
                SealedAt::Instance(name) => {
                    let update = sqlx::query("UPDATE instance_secret SET sealed = $2 WHERE name = $1");
                    update.bind(name.clone()).bind(new)
                }
                SealedAt::Object { object, field, .. } => {
                    let update = sqlx::query("UPDATE secret SET sealed = $3 WHERE object = $1 AND field = $2");
                    update.bind(object.to_string()).bind(field.clone()).bind(new)
                }
            };
            update.execute(change.connection()).await?;
            count += 1;
        }
        let object = change.organisation();
        let detail = serde_json::json!({ "secrets": count });
        let deed = Deed { action: "keys.rewrap", kind: "instance", object, name: "", detail, reason };
        Ok((count, change.commit(deed).await?))
    }
}

async fn all(connection: &mut AnyConnection) -> Result<Vec<(SealedAt, String)>, BadControl> {
    let own: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sealed FROM instance_secret ORDER BY name").fetch_all(&mut *connection).await?;
    let others: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT organisation, object, field, sealed FROM secret ORDER BY object, field")
            .fetch_all(connection)
            .await?;
    let own = own.into_iter().map(|(name, sealed)| Ok((SealedAt::Instance(name), sealed)));
    let others = others.into_iter().map(|(organisation, object, field, sealed)| {
        Ok((SealedAt::Object { organisation: id(&organisation)?, object: id(&object)?, field }, sealed))
    });
    own.chain(others).collect()
}

impl<R> Change<'_, R> {
    pub(super) async fn set_secrets(&mut self, object: Id, sealed: &[Sealed]) -> Result<(), BadControl> {
        let (organisation, now) = (self.organisation(), self.now());
        for Sealed { field, sealed } in sealed {
            let insert = sqlx::query(
                "INSERT INTO secret (organisation, object, field, sealed, set_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (object, field) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at",
            );
            let values = insert.bind(organisation.to_string()).bind(object.to_string()).bind(field.clone());
            values.bind(sealed.clone()).bind(now).execute(self.connection()).await?;
        }
        Ok(())
    }

    pub(super) async fn forget_secrets_except(&mut self, object: Id, keep: &[String]) -> Result<(), BadControl> {
        let organisation = self.organisation();
        let rows: Vec<(String,)> = sqlx::query_as("SELECT field FROM secret WHERE organisation = $1 AND object = $2")
            .bind(organisation.to_string())
            .bind(object.to_string())
            .fetch_all(self.connection())
            .await?;
        for (field,) in rows {
            if !keep.contains(&field) {
                let delete = sqlx::query("DELETE FROM secret WHERE object = $1 AND field = $2");
                delete.bind(object.to_string()).bind(field).execute(self.connection()).await?;
            }
        }
        Ok(())
    }
}
