//! Servers: written whole by an import, filled where they had nothing to say.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

use super::rows::visibility;
use super::{Catalogue, Visibility};
use crate::BadDatabase;
use crate::database::text;

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
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether more is known of it than its name says: tools, or where it is reached.
    pub has_content: bool,
}

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

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    New,
    Filled,
    Same,
}

/// Fills what a known server had nothing to say of.
async fn fill(transaction: &mut Transaction<'static, Sqlite>, entry: &ServerEntry) -> Result<Written, BadDatabase> {
    let (registry, package) = entry.package.clone().unzip();
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
    Ok(if filled.rows_affected() > 0 { Written::Filled } else { Written::Same })
}

/// Rows of one statement.
const ROWS: usize = 200;

const INSERT: &str = "\
INSERT INTO servers (id, slug, name, publisher, repository, package, registry, endpoint, transport, licence,
    description, language, visibility, from_tools, first_seen, last_seen) ";
const TOUCH: &str = "\
UPDATE servers SET last_seen = $2 WHERE last_seen < $2 AND id IN (SELECT value FROM json_each($1))";
const IDENTITY: &str = "INSERT INTO server_keys (identity, server) ";
const SOURCE: &str = "INSERT INTO server_sources (server, source, first_seen, last_seen) ";

/// Writes entries, and says what became of each.
pub(super) async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[ServerEntry],
    now: Timestamp,
) -> Result<Vec<Written>, BadDatabase> {
    let at = now.as_microsecond();
    let mut new = insert(transaction, entries, at).await?;
    let mut all = Vec::with_capacity(entries.len());
    let mut known: Vec<i64> = Vec::new();
    for entry in entries {
        // Of several entries for a new server the first is what it is made of.
        all.push(match !entry.slug.is_empty() && new.remove(&entry.id) {
            true => Written::New,
            false => {
                known.push(entry.id);
                fill(transaction, entry).await?
            }
        });
    }
    if !known.is_empty() {
        sqlx::query(TOUCH).bind(text(&known)?).bind(at).execute(&mut **transaction).await?;
    }
    let identities: Vec<(&str, i64)> =
        entries.iter().flat_map(|one| one.identities.iter().map(|identity| (identity.as_str(), one.id))).collect();
    for part in identities.chunks(ROWS) {
        let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(IDENTITY);
        statement.push_values(part, |mut row, (identity, server)| {
            row.push_bind(*identity).push_bind(*server);
        });
        statement.push(" ON CONFLICT (identity) DO NOTHING");
        statement.build().execute(&mut **transaction).await?;
    }
    let sources: BTreeSet<(i64, &str)> =
        entries.iter().flat_map(|one| one.sources.iter().map(|source| (one.id, source.as_str()))).collect();
    let sources: Vec<(i64, &str)> = sources.into_iter().collect();
    for part in sources.chunks(ROWS) {
        let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(SOURCE);
        statement.push_values(part, |mut row, (server, source)| {
            row.push_bind(*server).push_bind(*source).push_bind(at).push_bind(at);
        });
        statement.push(" ON CONFLICT (server, source) DO UPDATE SET last_seen = excluded.last_seen");
        statement.build().execute(&mut **transaction).await?;
    }
    Ok(all)
}

/// Those of the entries that were not known are in the database after this: their numbers.
async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[ServerEntry],
    now: i64,
) -> Result<HashSet<i64>, BadDatabase> {
    let mut new = HashSet::new();
    // A known server keeps its slug, and the importer says none.
    let entries: Vec<&ServerEntry> = entries.iter().filter(|entry| !entry.slug.is_empty()).collect();
    for part in entries.chunks(ROWS) {
        let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(INSERT);
        statement.push_values(part, |mut row, entry| {
            let package = entry.package.as_ref();
            row.push_bind(entry.id)
                .push_bind(entry.slug.as_str())
                .push_bind(entry.name.as_str())
                .push_bind(entry.publisher.as_deref())
                .push_bind(entry.repository.as_deref())
                .push_bind(package.map(|(_, package)| package.as_str()))
                .push_bind(package.map(|(registry, _)| registry.as_str()))
                .push_bind(entry.endpoint.as_deref())
                .push_bind(entry.transport.as_deref())
                .push_bind(entry.licence.as_deref())
                .push_bind(entry.description.as_deref())
                .push_bind(entry.language.as_deref())
                .push_bind(entry.visibility.as_str())
                .push_bind(i64::from(entry.from_tools))
                .push_bind(now)
                .push_bind(now);
        });
        statement.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
        for row in statement.build().fetch_all(&mut **transaction).await? {
            new.insert(row.try_get("id")?);
        }
    }
    Ok(new)
}

impl Catalogue {
    /// Every server's number, slug and identities.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn known_servers(&self) -> Result<Vec<KnownServer>, BadDatabase> {
        let rows = sqlx::query(
            "SELECT s.id, s.slug, k.identity, COALESCE(s.said_visibility, s.visibility) AS visibility,
                s.endpoint IS NOT NULL OR EXISTS (SELECT 1 FROM tools t WHERE t.server = s.id) AS has_content
             FROM servers_said s LEFT JOIN server_keys k ON k.server = s.id ORDER BY s.id",
        )
        .fetch_all(&self.database.readers)
        .await?;
        let mut known: Vec<KnownServer> = Vec::new();
        for row in rows {
            let id: i64 = row.try_get("id")?;
            if known.last().is_none_or(|last| last.id != id) {
                known.push(KnownServer {
                    id,
                    slug: row.try_get("slug")?,
                    identities: Vec::new(),
                    visibility: visibility(row.try_get("visibility")?)?,
                    has_content: row.try_get("has_content")?,
                });
            }
            if let (Some(last), Some(identity)) = (known.last_mut(), row.try_get("identity")?) {
                last.identities.push(identity);
            }
        }
        Ok(known)
    }

    /// The names that the official registry itself was heard to list, with the number of the server of each. What
    /// files and other registries say is not enough.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn registry_names(&self) -> Result<Vec<(i64, String)>, BadDatabase> {
        // The bounds of `name:`: so the index of identities is read, and no more of it than that.
        let statement = "\
            SELECT k.server, k.identity FROM server_keys k JOIN servers s ON s.id = k.server
            WHERE k.identity >= 'name:' AND k.identity < 'name;' AND s.registry_status IS NOT NULL
                AND EXISTS (SELECT 1 FROM server_sources o WHERE o.server = s.id AND o.source = 'official registry')";
        let rows = sqlx::query(statement).fetch_all(&self.database.readers).await?;
        rows.iter()
            .map(|row| {
                let identity: String = row.try_get("identity")?;
                Ok((row.try_get("server")?, identity.strip_prefix("name:").unwrap_or_default().to_owned()))
            })
            .collect()
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
