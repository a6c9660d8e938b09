//! What the registry of a package says of it.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::Catalogue;
use super::rows::time;
use crate::BadDatabase;

/// What a registry says of the package of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The server.
    pub server: i64,
    /// The newest version.
    pub version: Option<String>,
    /// How many versions there are.
    pub versions: i64,
    /// When the first was published.
    pub first_published: Option<Timestamp>,
    /// When the last was.
    pub last_published: Option<Timestamp>,
    /// Who published it, in the registry's own names.
    pub publisher: Option<String>,
    /// The repository that it names, as it is written there.
    pub repository: Option<String>,
    /// Why it is better not begun with, where its publisher says so.
    pub deprecated: Option<String>,
    /// When the registry was asked.
    pub seen: Timestamp,
}

const WRITE: &str = "\
INSERT INTO packages
    (server, version, versions, first_published, last_published, publisher, repository, deprecated, seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (server) DO UPDATE SET
    version = excluded.version, versions = excluded.versions, first_published = excluded.first_published,
    last_published = excluded.last_published, publisher = excluded.publisher, repository = excluded.repository,
    deprecated = excluded.deprecated, seen = excluded.seen
WHERE excluded.seen > packages.seen";

/// Puts down what a registry said of a package, unless it was asked later than that already. Whether it is new.
pub(super) async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    package: &Package,
) -> Result<bool, BadDatabase> {
    let written = sqlx::query(WRITE)
        .bind(package.server)
        .bind(&package.version)
        .bind(package.versions)
        .bind(package.first_published.map(Timestamp::as_microsecond))
        .bind(package.last_published.map(Timestamp::as_microsecond))
        .bind(&package.publisher)
        .bind(&package.repository)
        .bind(&package.deprecated)
        .bind(package.seen.as_microsecond())
        .execute(&mut **transaction)
        .await?;
    Ok(written.rows_affected() > 0)
}

impl Catalogue {
    /// What a registry says of the package of a server, if it was asked.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn package(&self, server: i64) -> Result<Option<Package>, BadDatabase> {
        let row = sqlx::query("SELECT * FROM packages WHERE server = $1")
            .bind(server)
            .fetch_optional(&self.database.readers)
            .await?;
        row.as_ref().map(package).transpose()
    }

    /// All that registries say of packages.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn packages(&self) -> Result<Vec<Package>, BadDatabase> {
        let mut rows = sqlx::query("SELECT * FROM packages ORDER BY server").fetch(&self.database.readers);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(package(&row)?);
        }
        Ok(all)
    }
}

fn package(row: &SqliteRow) -> Result<Package, BadDatabase> {
    let published = |name: &str| row.try_get::<Option<i64>, _>(name);
    Ok(Package {
        server: row.try_get("server")?,
        version: row.try_get("version")?,
        versions: row.try_get("versions")?,
        first_published: published("first_published")?.map(time).transpose()?,
        last_published: published("last_published")?.map(time).transpose()?,
        publisher: row.try_get("publisher")?,
        repository: row.try_get("repository")?,
        deprecated: row.try_get("deprecated")?,
        seen: time(row.try_get("seen")?)?,
    })
}
