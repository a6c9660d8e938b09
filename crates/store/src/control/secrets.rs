//! Sealed values of upstreams. What is inside is nobody's business here.

use audit::Id;

use super::access::{ManageServers, Permit, See};
use super::change::next_version;
use super::page::id;
use super::{BadControl, Change, ControlDatabase};

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
pub struct SealedPlace {
    /// Whose it is.
    pub organisation: Id,
    /// What it belongs to.
    pub object: Id,
    /// Such as the name of a header.
    pub field: String,
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

    /// Seals every value anew, as `rewrap` says: `None` leaves one as it is. For a change of the master key,
    /// which whoever holds it makes; organisations have no part in it.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn rewrap_secrets(
        &self,
        rewrap: impl Fn(&SealedPlace, &str) -> Option<String>,
    ) -> Result<u64, BadControl> {
        let mut transaction = self.begin().await?;
        next_version(&mut transaction).await?;
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as("SELECT organisation, object, field, sealed FROM secret")
                .fetch_all(&mut *transaction)
                .await?;
        let mut count = 0;
        for (organisation, object, field, sealed) in rows {
            let place = SealedPlace { organisation: id(&organisation)?, object: id(&object)?, field };
            if let Some(sealed) = rewrap(&place, &sealed) {
                let update = sqlx::query("UPDATE secret SET sealed = $3 WHERE object = $1 AND field = $2");
                update.bind(object).bind(place.field).bind(sealed).execute(&mut *transaction).await?;
                count += 1;
            }
        }
        transaction.commit().await?;
        Ok(count)
    }
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
