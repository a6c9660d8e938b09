//! The embedded database: one file in the data directory, one writer, many readers.
//!
//! Statements are constants with `$1…`, of types that PostgreSQL has too. Resources have a module each
//! (so far `catalogue`) and share this.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqlStr, Sqlite, SqlitePool, Transaction};

use crate::DataDir;
use crate::data_dir::private_file;

/// The file in the data directory.
const FILE: &str = "toolgate.db";

/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Rows that wait for whoever reads them: one by one, two threads would wake each other for each.
const ROWS_AHEAD: usize = 1_000;

/// What the writer keeps of the file, in KiB (negative: SQLite's way to say so): an import goes through the indexes of all tables.
const WRITER_CACHE: &str = "-65536";

/// Pages of the log that are written before they go into the file: a page that changes often goes there once.
const WRITER_LOG: &str = "16384";

/// Connections that read.
const READERS: u32 = 4;

/// Every change of the layout, in order. What has been released is never edited: add another.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "catalogue", include_str!("../migrations/sqlite/0001_catalogue.sql")),
    (2, "registry", include_str!("../migrations/sqlite/0002_registry.sql")),
    (3, "lists", include_str!("../migrations/sqlite/0003_lists.sql")),
    (10, "packages", include_str!("../migrations/sqlite/0010_packages.sql")),
];

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDatabase {
    /// A file of the data directory, and the operating system's reason.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    Io(PathBuf, io::Error),
    /// A statement failed.
    #[error("the database `{FILE}` of the data directory: {0}")]
    Sql(#[from] sqlx::Error),
    /// Its layout is not known, or could not be brought to this version's.
    #[error(
        "the database `{FILE}` of the data directory cannot be brought to the layout of this version ({0}): a newer version may have written it; upgrade, or use another --data directory"
    )]
    Layout(#[from] sqlx::migrate::MigrateError),
    /// A value is none that this version writes.
    #[error(
        "the database `{FILE}` of the data directory holds `{value}` where {what} belongs: a newer version may have written it, or the file is damaged"
    )]
    Value {
        /// What was expected.
        what: &'static str,
        /// What is there.
        value: String,
    },
    /// Another process has the right to write; its number, where it is known.
    #[error("another process{} is writing into this catalogue; wait until it has ended, or end it, and do this again", .0.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    Busy(Option<u32>),
}

/// The database of a data directory.
#[derive(Debug, Clone)]
pub struct Database {
    writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

impl Database {
    /// Opens it, and brings its layout to that of this version.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn open(data: &DataDir) -> Result<Self, BadDatabase> {
        let path = data.path().join(FILE);
        private_file(&path).map_err(|error| BadDatabase::Io(path.clone(), error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(PATIENCE)
            .foreign_keys(true)
            .statement_cache_capacity(100)
            .row_buffer_size(ROWS_AHEAD);
        let writing = options.clone().pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", WRITER_LOG);
        let writer = SqlitePoolOptions::new().max_connections(1).before_acquire(|connection, _| {
            // Where the disk was full, SQLite has ended the transaction by itself, and the connection does not know.
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        });
        let writer = writer.connect_with(writing).await?;
        migrator().run(&writer).await?;
        // A file does not hang up: to ask a connection whether it is alive would be a second way to its thread and back
        // for each statement.
        let readers = SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false);
        let readers = readers.connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// A transaction that may write: it has the right to from its beginning on, so it never finds out
    /// in its midst that another process was faster.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, BadDatabase> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Closes it: what was written goes from the log into the file.
    pub async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// A stored word that must be one of a set.
pub(crate) fn known<T>(what: &'static str, value: &str, found: Option<T>) -> Result<T, BadDatabase> {
    found.ok_or_else(|| BadDatabase::Value { what, value: value.to_owned() })
}

/// A JSON text of a row.
pub(crate) fn json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, BadDatabase> {
    known(what, text, serde_json::from_str(text).ok())
}

/// What cannot be written as JSON is an error of the caller's value.
pub(crate) fn text<T: serde::Serialize>(value: &T) -> Result<String, BadDatabase> {
    serde_json::to_string(value).map_err(|error| BadDatabase::Sql(sqlx::Error::Encode(BoxDynError::from(error))))
}
