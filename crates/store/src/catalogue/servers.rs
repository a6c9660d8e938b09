//! Servers: written whole by an import, filled where they had nothing to say.

use jiff::Timestamp;
use sqlx::{Row, Sqlite, Transaction};

use super::{Catalogue, Visibility};
use crate::BadDatabase;

/// What an import knows of a server. The number is the importer's: it has read all identities and alone
/// gives out new ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEntry {
    /// Its number, new or known.
    pub id: i64,
    /// The name in addresses; a known server keeps its own.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// The repository.
    pub repository: Option<String>,
    /// The package and its registry.
    pub package: Option<(String, String)>,
    /// The remote endpoint.
    pub endpoint: Option<String>,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// The licence.
    pub licence: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// The language of that.
    pub language: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Known from a list of tools alone.
    pub from_tools: bool,
    /// Identities that are not known yet.
    pub identities: Vec<String>,
    /// What named it.
    pub sources: Vec<String>,
}

/// What an importer must know of a server that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// Its number.
    pub id: i64,
    /// The name in addresses.
    pub slug: String,
    /// Its identities.
    pub identities: Vec<String>,
}

const INSERT: &str = "\
INSERT INTO servers (id, slug, name, publisher, repository, package, registry, endpoint, transport, licence,
    description, language, visibility, from_tools, first_seen, last_seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
ON CONFLICT (id) DO NOTHING";

/// Fills what is empty, and touches nothing where all is said.
const FILL: &str = "\
UPDATE servers SET
    name = CASE WHEN from_tools = 1 AND $12 = 0 THEN $13 ELSE name END,
    publisher = COALESCE(publisher, $2), repository = COALESCE(repository, $3),
    registry = CASE WHEN package IS NULL THEN $5 ELSE registry END, package = COALESCE(package, $4),
    endpoint = COALESCE(endpoint, $6), transport = COALESCE(transport, $7), licence = COALESCE(licence, $8),
    description = COALESCE(description, $9), language = COALESCE(language, $10),
    visibility = CASE WHEN $11 = 'public' THEN 'public' ELSE visibility END,
    from_tools = CASE WHEN $12 = 0 THEN 0 ELSE from_tools END
WHERE id = $1 AND (
    (publisher IS NULL AND $2 IS NOT NULL) OR (repository IS NULL AND $3 IS NOT NULL)
    OR (package IS NULL AND $4 IS NOT NULL) OR (endpoint IS NULL AND $6 IS NOT NULL)
    OR (transport IS NULL AND $7 IS NOT NULL) OR (licence IS NULL AND $8 IS NOT NULL)
    OR (description IS NULL AND $9 IS NOT NULL) OR (language IS NULL AND $10 IS NOT NULL)
    OR (visibility = 'private' AND $11 = 'public') OR (from_tools = 1 AND $12 = 0))";

const TOUCH: &str = "UPDATE servers SET last_seen = $2 WHERE id = $1 AND last_seen < $2";

const SOURCE: &str = "\
INSERT INTO server_sources (server, source, first_seen, last_seen) VALUES ($1, $2, $3, $3)
ON CONFLICT (server, source) DO UPDATE SET last_seen = excluded.last_seen";

const IDENTITY: &str = "INSERT INTO server_keys (identity, server) VALUES ($1, $2) ON CONFLICT (identity) DO NOTHING";

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    New,
    Filled,
    Same,
}

/// Writes one entry.
pub(crate) async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    entry: &ServerEntry,
    now: Timestamp,
) -> Result<Written, BadDatabase> {
    let now = now.as_microsecond();
    let (registry, package) = match &entry.package {
        Some((registry, package)) => (Some(registry), Some(package)),
        None => (None, None),
    };
    let inserted = sqlx::query(INSERT)
        .bind(entry.id)
        .bind(&entry.slug)
        .bind(&entry.name)
        .bind(&entry.publisher)
        .bind(&entry.repository)
        .bind(package)
        .bind(registry)
        .bind(&entry.endpoint)
        .bind(&entry.transport)
        .bind(&entry.licence)
        .bind(&entry.description)
        .bind(&entry.language)
        .bind(entry.visibility.as_str())
        .bind(i64::from(entry.from_tools))
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    let written = if inserted.rows_affected() > 0 {
        Written::New
    } else {
        let filled = sqlx::query(FILL)
            .bind(entry.id)
            .bind(&entry.publisher)
            .bind(&entry.repository)
            .bind(package)
            .bind(registry)
            .bind(&entry.endpoint)
            .bind(&entry.transport)
            .bind(&entry.licence)
            .bind(&entry.description)
            .bind(&entry.language)
            .bind(entry.visibility.as_str())
            .bind(i64::from(entry.from_tools))
            .bind(&entry.name)
            .execute(&mut **transaction)
            .await?;
        sqlx::query(TOUCH).bind(entry.id).bind(now).execute(&mut **transaction).await?;
        if filled.rows_affected() > 0 { Written::Filled } else { Written::Same }
    };
    for identity in &entry.identities {
        sqlx::query(IDENTITY).bind(identity).bind(entry.id).execute(&mut **transaction).await?;
    }
    for source in &entry.sources {
        sqlx::query(SOURCE).bind(entry.id).bind(source).bind(now).execute(&mut **transaction).await?;
    }
    Ok(written)
}

impl Catalogue {
    /// Every server's number, slug and identities.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn known_servers(&self) -> Result<Vec<KnownServer>, BadDatabase> {
        let rows = sqlx::query(
            "SELECT s.id, s.slug, k.identity FROM servers s LEFT JOIN server_keys k ON k.server = s.id ORDER BY s.id",
        )
        .fetch_all(&self.database.readers)
        .await?;
        let mut known: Vec<KnownServer> = Vec::new();
        for row in rows {
            let id: i64 = row.try_get("id")?;
            if known.last().is_none_or(|last| last.id != id) {
                known.push(KnownServer { id, slug: row.try_get("slug")?, identities: Vec::new() });
            }
            if let (Some(last), Some(identity)) = (known.last_mut(), row.try_get("identity")?) {
                last.identities.push(identity);
            }
        }
        Ok(known)
    }

    /// The identities of a server, the strongest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn identities(&self, server: i64) -> Result<Vec<String>, BadDatabase> {
        let statement = "\
            SELECT identity FROM server_keys WHERE server = $1 ORDER BY CASE
                WHEN identity LIKE 'name:%' THEN 0 WHEN identity LIKE 'repository:%' THEN 1
                WHEN identity LIKE 'endpoint:%' THEN 3 WHEN identity LIKE 'called:%' THEN 4 ELSE 2 END, identity";
        let rows = sqlx::query(statement).bind(server).fetch_all(&self.database.readers).await?;
        rows.iter().map(|row| Ok(row.try_get("identity")?)).collect()
    }

    /// What named a server, and when first and last.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn sources(&self, server: i64) -> Result<Vec<(String, Timestamp, Timestamp)>, BadDatabase> {
        let rows =
            sqlx::query("SELECT source, first_seen, last_seen FROM server_sources WHERE server = $1 ORDER BY source")
                .bind(server)
                .fetch_all(&self.database.readers)
                .await?;
        let time = |row: &sqlx::sqlite::SqliteRow, name| super::rows::time(row.try_get(name)?);
        rows.iter().map(|row| Ok((row.try_get("source")?, time(row, "first_seen")?, time(row, "last_seen")?))).collect()
    }
}
