//! Backups: what is to outlive the database, as lines of text that either engine and every later version can read.
//!
//! The first line says what it is, then comes each table with its rows, and the last line has their number and the digest of
//! all that stands before it. Secrets are in it as they lie in the tables, sealed: without the master keys they are of no use.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Column, Row, ValueRef};

use super::engine::{connect, migrated, migrator};
use super::{BadControl, ControlDatabase, Place};

/// The form of the file.
const FORM: u32 = 1;

/// The longest line that is read, in bytes: far more than any row holds.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The tables that are kept, each after those that it refers to.
const TABLES: [&str; 18] = [
    "instance",
    "instance_secret",
    "organisation",
    "member",
    "api_token",
    "agent",
    "policy",
    "policy_version",
    "policy_publication",
    "server",
    "secret",
    "tool_override",
    "pin",
    "access_grant",
    "grant_server",
    "grant_token",
    "stop",
    "admin_event",
];

/// What is of the moment: after a restore nobody is signed in, no replica serves yet, and no request is repeated. And what is
/// derived: replicas bring their decisions again from their own segments.
#[cfg(test)]
const LEFT_OUT: [&str; 5] = ["session", "replica", "idempotent", "decision", "shipped"];

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    toolgate_backup: u32,
    /// The version of Toolgate that wrote it.
    version: String,
    /// The layout of the tables.
    schema: i64,
    /// In milliseconds since 1970, by the database's clock.
    at: i64,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Row(Vec<Value>),
    Table { table: String, columns: Vec<String> },
    End { end: End },
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

/// Why there is no backup, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BadBackup {
    /// The file.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is something else, or was damaged.
    #[error(
        "line {0} is not what a backup has there: it is no backup, it was cut short, or it was changed; nothing was restored"
    )]
    Damaged(u64),
    /// A later version has written it.
    #[error(
        "it was made by Toolgate {version}, whose tables (layout {schema}) this version does not know: restore it with that version or a later one"
    )]
    Newer {
        /// The version that wrote it.
        version: String,
        /// The layout of its tables.
        schema: i64,
    },
    /// There is an instance already.
    #[error(
        "there is an instance in this database already, and nothing of it was changed: restore into an empty database or another --data directory"
    )]
    NotEmpty,
    /// The tables.
    #[error(transparent)]
    Control(#[from] BadControl),
}

impl From<sqlx::Error> for BadBackup {
    fn from(error: sqlx::Error) -> Self {
        Self::Control(error.into())
    }
}

/// A backup that was looked through from its beginning to its end.
#[derive(Debug)]
pub struct Backup {
    path: PathBuf,
    head: Head,
    rows: u64,
    secrets: BTreeMap<String, String>,
}

impl ControlDatabase {
    /// Writes a backup, as of one moment, while others go on changing. Returns the number of rows.
    ///
    /// # Errors
    /// [`BadBackup`]: then what was written is no backup.
    pub async fn back_up(&self, out: &mut (dyn Write + Send)) -> Result<u64, BadBackup> {
        let schema = migrator().iter().map(|migration| migration.version).max().unwrap_or_default();
        let mut transaction = self.begin_reading().await?;
        let at = self.now_in(&mut transaction).await?;
        let mut writer = Digesting { out, digest: Context::new(&SHA256) };
        let head = Head { toolgate_backup: FORM, version: env!("CARGO_PKG_VERSION").to_owned(), schema, at };
        writer.line(&head)?;
        let mut rows = 0;
        for table in TABLES {
            let statement = format!("SELECT * FROM {table} ORDER BY 1, 2");
            let mut found = sqlx::query(AssertSqlSafe(statement)).fetch(&mut *transaction);
            let mut first = true;
            while let Some(row) = found.try_next().await? {
                if std::mem::take(&mut first) {
                    let columns: Vec<_> = row.columns().iter().map(Column::name).collect();
                    writer.line(&serde_json::json!({ "table": table, "columns": columns }))?;
                }
                let values = (0..row.len()).map(|column| value(&row, column));
                writer.line(&values.collect::<Result<Vec<_>, _>>()?)?;
                rows += 1;
            }
        }
        transaction.rollback().await?;
        let sha256 = hex(writer.digest.clone().finish().as_ref());
        writer.line(&serde_json::json!({ "end": End { rows, sha256 } }))?;
        writer.out.flush()?;
        Ok(rows)
    }
}

/// What is written is digested.
struct Digesting<'a> {
    out: &'a mut (dyn Write + Send),
    digest: Context,
}

impl Digesting<'_> {
    fn line(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.out.write_all(&text)
    }
}

fn value(row: &AnyRow, column: usize) -> Result<Value, BadControl> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    match raw.type_info().kind() {
        AnyTypeInfoKind::Text => Ok(row.try_get::<String, _>(column)?.into()),
        AnyTypeInfoKind::BigInt | AnyTypeInfoKind::Integer => Ok(row.try_get::<i64, _>(column)?.into()),
        _ => Err(BadControl::Value("a text or a number")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of a backup, each with its number.
struct Lines<R> {
    from: R,
    number: u64,
    digest: Context,
}

impl Lines<BufReader<File>> {
    fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self { from: BufReader::new(File::open(path)?), number: 0, digest: Context::new(&SHA256) })
    }
}

impl<R: BufRead> Lines<R> {
    /// The next line, if there is one, and the digest of what stands before it.
    fn next(&mut self) -> Result<Option<(Vec<u8>, String)>, BadBackup> {
        let before = hex(self.digest.clone().finish().as_ref());
        let mut line = Vec::new();
        (&mut self.from).take(LONGEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.digest.update(&line);
        match line.pop() {
            Some(b'\n') => Ok(Some((line, before))),
            _ => Err(BadBackup::Damaged(self.number)),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, line: &[u8]) -> Result<T, BadBackup> {
        serde_json::from_slice(line).map_err(|_| BadBackup::Damaged(self.number))
    }
}

impl Backup {
    /// Looks a backup through, and changes nothing.
    ///
    /// # Errors
    /// [`BadBackup`], such as for one that is not whole.
    pub fn open(path: &Path) -> Result<Self, BadBackup> {
        let mut lines = Lines::of(path)?;
        let Some((line, _)) = lines.next()? else { return Err(BadBackup::Damaged(1)) };
        let head: Head = lines.read(&line)?;
        let known = migrator().iter().any(|migration| migration.version >= head.schema);
        if head.toolgate_backup != FORM || !known {
            return Err(BadBackup::Newer { version: head.version, schema: head.schema });
        }
        let mut secrets = BTreeMap::new();
        let (mut rows, mut of_secrets) = (0, false);
        while let Some((line, before)) = lines.next()? {
            match lines.read(&line)? {
                Line::Table { table, .. } => of_secrets = table == "instance_secret",
                Line::Row(values) => {
                    rows += 1;
                    if of_secrets && let [Value::String(name), Value::String(sealed)] = values.as_slice() {
                        secrets.insert(name.clone(), sealed.clone());
                    }
                }
                Line::End { end } if end.rows == rows && end.sha256 == before && lines.next()?.is_none() => {
                    return Ok(Self { path: path.to_owned(), head, rows, secrets });
                }
                Line::End { .. } => break,
            }
        }
        Err(BadBackup::Damaged(lines.number))
    }

    /// The version of Toolgate that wrote it, and when: in milliseconds since 1970.
    pub fn made(&self) -> (&str, i64) {
        (&self.head.version, self.head.at)
    }

    /// A sealed value of the instance in it, by which keys can be tried.
    pub fn instance_secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).map(String::as_str)
    }

    /// Puts it into an empty database: all of it, or nothing. Returns the number of rows.
    ///
    /// # Errors
    /// [`BadBackup`].
    pub async fn restore(&self, place: &Place) -> Result<u64, BadBackup> {
        let made = match place {
            Place::Embedded(data) => Some(ControlDatabase::file(data)).filter(|file| !file.exists()),
            Place::Postgres(_) => None,
        };
        let restored = self.restored(place, &migrator()).await;
        if let (Err(_), Some(file)) = (&restored, made) {
            for ending in ["", "-wal", "-shm"] {
                let mut name = file.clone().into_os_string();
                name.push(ending);
                let _ = std::fs::remove_file(name);
            }
        }
        restored
    }

    async fn restored(&self, place: &Place, migrator: &Migrator) -> Result<u64, BadBackup> {
        if !migrator.iter().any(|migration| migration.version == self.head.schema) {
            return Err(BadBackup::Newer { version: self.head.version.clone(), schema: self.head.schema });
        }
        let database = connect(place).await?;
        let rows = self.filled(&database, migrator).await;
        database.close().await;
        rows
    }

    /// The tables as they were when the backup was made are filled, and then brought to what they are now.
    async fn filled(&self, database: &ControlDatabase, migrator: &Migrator) -> Result<u64, BadBackup> {
        migrated(migrator.run_to(self.head.schema, database.writer()).await).map_err(|error| match error {
            // Tables that are newer than the backup are those of an instance.
            BadControl::Layout(_) => BadBackup::NotEmpty,
            other => other.into(),
        })?;
        let mut transaction = database.begin().await?;
        let (instances,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM instance").fetch_one(&mut *transaction).await?;
        if instances != 0 {
            return Err(BadBackup::NotEmpty);
        }
        self.fill(&mut transaction).await?;
        // Whatever follows the instance has seen less than this.
        sqlx::query("UPDATE instance SET version = version + 1").execute(&mut *transaction).await?;
        // Nor is it known whether nothing was counted since: nobody says that counts begin.
        sqlx::query("UPDATE organisation SET counted_at = $1 WHERE counted_at IS NULL")
            .bind(self.head.at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        migrated(migrator.run(database.writer()).await)?;
        Ok(self.rows)
    }

    async fn fill(&self, connection: &mut AnyConnection) -> Result<(), BadBackup> {
        let mut lines = Lines::of(&self.path)?;
        lines.next()?;
        let mut insert: Option<(&str, Vec<String>)> = None;
        while let Some((line, _)) = lines.next()? {
            let damaged = BadBackup::Damaged(lines.number);
            match lines.read(&line)? {
                Line::Table { table, columns } => {
                    let known = TABLES.into_iter().find(|known| *known == table).ok_or(damaged)?;
                    let named = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                    if !columns.iter().all(named) {
                        return Err(BadBackup::Damaged(lines.number));
                    }
                    insert = Some((known, columns));
                }
                Line::Row(values) => {
                    let (table, columns) =
                        insert.as_ref().filter(|(_, names)| names.len() == values.len()).ok_or(damaged)?;
                    put(connection, table, columns, values, lines.number).await?;
                }
                Line::End { .. } => return Ok(()),
            }
        }
        Err(BadBackup::Damaged(lines.number))
    }
}

/// What is null is left out: a null of its own would need the type of its column.
async fn put(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[String],
    values: Vec<Value>,
    line: u64,
) -> Result<(), BadBackup> {
    let there: Vec<_> = columns.iter().zip(values).filter(|(_, value)| !value.is_null()).collect();
    let names: Vec<_> = there.iter().map(|(name, _)| name.as_str()).collect();
    let places: Vec<_> = (1..=there.len()).map(|place| format!("${place}")).collect();
    let statement = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    let mut insert = sqlx::query(AssertSqlSafe(statement));
    for (_, value) in there {
        insert = match value {
            Value::String(text) => insert.bind(text),
            Value::Number(number) => insert.bind(number.as_i64().ok_or(BadBackup::Damaged(line))?),
            _ => return Err(BadBackup::Damaged(line)),
        };
    }
    insert.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;
    use crate::DataDir;

    /// The tables of a later version: one column more, which has a value for old rows.
    fn later() -> Migrator {
        let added = "ALTER TABLE organisation ADD COLUMN plan TEXT NOT NULL DEFAULT 'free'";
        let migration =
            Migration::new(1000, "later".into(), MigrationType::Simple, sqlx::SqlStr::from_static(added), false);
        Migrator::with_migrations(migrator().iter().cloned().chain([migration]).collect())
    }

    fn embedded(folder: &Path) -> Place {
        Place::Embedded(DataDir::open(folder).unwrap())
    }

    async fn made(folder: &Path) -> (ControlDatabase, Backup) {
        let database = ControlDatabase::open(&embedded(&folder.join("data"))).await.unwrap();
        database.found("home", "Home").await.unwrap();
        let path = folder.join("backup");
        database.back_up(&mut File::create(&path).unwrap()).await.unwrap();
        (database, Backup::open(&path).unwrap())
    }

    #[tokio::test]
    async fn every_table_is_kept_or_of_the_moment() {
        let folder = tempfile::tempdir().unwrap();
        let (database, _) = made(folder.path()).await;
        let tables: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
                .fetch_all(database.readers())
                .await
                .unwrap();
        for (table,) in tables {
            assert!(
                TABLES.contains(&table.as_str()) || LEFT_OUT.contains(&table.as_str()),
                "{table} is not thought of"
            );
        }
    }

    #[tokio::test]
    async fn a_later_version_restores_what_an_older_one_has_made() {
        let folder = tempfile::tempdir().unwrap();
        let (_, backup) = made(folder.path()).await;
        let place = embedded(&folder.path().join("later"));
        backup.restored(&place, &later()).await.unwrap();
        let database = connect(&place).await.unwrap();
        let plans: Vec<(String, String)> =
            sqlx::query_as("SELECT name, plan FROM organisation").fetch_all(database.readers()).await.unwrap();
        assert_eq!(plans, [("home".to_owned(), "free".to_owned())]);
        // And the older one leaves alone what the later one has made.
        let refused = ControlDatabase::open(&place).await.unwrap_err();
        assert!(refused.to_string().contains("upgrade Toolgate"), "{refused}");
        assert!(matches!(backup.restore(&place).await, Err(BadBackup::NotEmpty | BadBackup::Control(_))));
    }
}
