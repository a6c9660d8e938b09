//! The engine below: SQLite in the data directory, or PostgreSQL, by one setting.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor, SqlStr, Transaction};

use crate::DataDir;
use crate::data_dir::{may_pass, private_file};

/// The file in the data directory.
const FILE: &str = "control.db";

/// How long a change waits for another one that is being written.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);

/// Connections that read.
const READERS: u32 = 4;

/// Connections to PostgreSQL, which serves changes and reads alike.
const CONNECTIONS: u32 = 8;

/// Every change of the layout, in order. What has been released is never edited: add another.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "control", include_str!("../../migrations/control/0001_control.sql")),
    (2, "stacks", include_str!("../../migrations/control/0002_stacks.sql")),
];

/// Where the control plane's tables lie.
#[derive(Clone)]
pub enum Place {
    /// In a data directory.
    Embedded(DataDir),
    /// In a database of PostgreSQL: its URL, which may hold a password and is printed nowhere.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Embedded(data) => f.debug_tuple("Embedded").field(&data.path()).finish(),
            Place::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// Why the control plane's tables cannot be used, or why a change could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BadControl {
    /// A file of the data directory, and the operating system's reason.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    Io(PathBuf, std::io::Error),
    /// The URL is none of PostgreSQL.
    #[error(
        "the database's URL cannot be used: write postgres://USER@HOST:PORT/DATABASE, and nothing else was looked at"
    )]
    Url,
    /// The file is no database, or was damaged.
    #[error(
        "`{FILE}` of the data directory is no database or was damaged ({0}); it was left as it is: restore a backup with `toolgate restore`, or use another --data directory"
    )]
    Damaged(sqlx::Error),
    /// The layout is a newer version's, or another program's.
    #[error(
        "the control plane's tables have a layout that this version does not know ({0}); nothing was changed: upgrade Toolgate, or restore a backup"
    )]
    Layout(MigrateError),
    /// It cannot be reached now.
    #[error("the control plane's database cannot be reached: {}", why_away(.0))]
    Away(sqlx::Error),
    /// A statement failed.
    #[error("the control plane's database: {}", without_place(&.0.to_string()))]
    Sql(sqlx::Error),
    /// A name, label or token that must be the only one is taken.
    #[error("there is one already: {0}")]
    Taken(String),
    /// There is no such thing in this organisation.
    #[error("there is no {0} like that in this organisation")]
    Missing(&'static str),
    /// Somebody has changed it since it was read.
    #[error("somebody has changed this {0} since it was read: read it again, and make the change to what it is now")]
    Stale(&'static str),
    /// An organisation without an admin could not be administered.
    #[error("this is the organisation's last admin who may sign in: make somebody else an admin first")]
    LastAdmin,
    /// Something else still names it.
    #[error("this {0} is still in use: attach another one where it is named, then remove it")]
    InUse(&'static str),
    /// A secret does not open, so it cannot be sealed anew.
    #[error("nothing was changed, since a secret cannot be opened: {0}")]
    Unsealed(String),
    /// A row holds what no version of ours writes.
    #[error(
        "the control plane's database holds what this version does not know where {0} belongs: a newer version wrote it, or it was damaged"
    )]
    Value(&'static str),
}

/// What a file of the data directory fails with: what may pass is waited for.
fn unusable(path: &Path, error: std::io::Error) -> BadControl {
    match may_pass(&error) {
        true => {
            let text = format!("{}: {error}", path.display());
            BadControl::Away(sqlx::Error::Io(std::io::Error::new(error.kind(), text)))
        }
        false => BadControl::Io(path.to_owned(), error),
    }
}

impl From<sqlx::Error> for BadControl {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Taken(database.message().to_owned())
            }
            sqlx::Error::Database(database) if is_out_of_reach(database.code().as_deref()) => Self::Away(error),
            sqlx::Error::Database(database) if is_away(database.code().as_deref()) => Self::Away(error),
            sqlx::Error::Database(database) if is_damage(database.code().as_deref()) => Self::Damaged(error),
            // A balancer whose server is away accepts a connection and closes it: no answer is as good as a wrong one.
            sqlx::Error::Protocol(_) => Self::Away(error),
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                Self::Away(error)
            }
            _ => Self::Sql(error),
        }
    }
}

/// The pool tries again and again, and then says only that time is over.
fn why_away(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::PoolTimedOut => "it refuses connections, or does not answer".to_owned(),
        other => without_place(&other.to_string()).to_owned(),
    }
}

/// A message without the place in the driver's own source that some end with, as `(sqlx_postgres::connection::tls:95)`.
fn without_place(text: &str) -> &str {
    let place = |rest: &str| {
        let inner = rest.strip_suffix(')').and_then(|inner| inner.rsplit_once(':'));
        inner.is_some_and(|(module, line)| module.contains("::") && line.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.rsplit_once(" (").filter(|(_, rest)| place(rest)).map_or(text, |(before, _)| before)
}

/// SQLite's codes (those of one digit or two, and what they are extended to) for a file that another process keeps to
/// itself, may not be written or opened now, and for a disk that is full or fails.
fn is_out_of_reach(code: Option<&str>) -> bool {
    let code = code.filter(|code| code.len() < 5).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// PostgreSQL's codes (five characters) for a server that starts or stops, has broken the connection, takes no more of
/// them, takes nothing that is written, has no room, whose disk fails, or where somebody else holds a row.
fn is_away(code: Option<&str>) -> bool {
    const CODES: [&str; 7] = ["57P01", "57P02", "57P03", "25006", "25P03", "55P03", "58030"];
    code.is_some_and(|code| {
        code.len() == 5 && (CODES.contains(&code) || code.starts_with("53") || code.starts_with("08"))
    })
}

/// SQLite's codes for a file that is damaged, or none of its own.
fn is_damage(code: Option<&str>) -> bool {
    matches!(code, Some("11" | "26"))
}

/// The control plane's tables.
#[derive(Clone, Debug)]
pub struct ControlDatabase {
    writer: AnyPool,
    readers: AnyPool,
    engine: Engine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Milliseconds since 1970 by the database's clock: replicas need not agree on the time.
    fn clock(self) -> &'static str {
        match self {
            Engine::Sqlite => "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
            Engine::Postgres => "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)",
        }
    }
}

impl ControlDatabase {
    /// Which of the two.
    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// The file of a data directory in which it lies, where it lies there.
    pub fn file(data: &DataDir) -> PathBuf {
        data.path().join(FILE)
    }

    /// Opens it, and brings its layout to that of this version.
    ///
    /// # Errors
    /// [`BadControl`], in which case nothing was changed.
    pub async fn open(place: &Place) -> Result<Self, BadControl> {
        let database = connect(place).await?;
        migrated(migrator().run(&database.writer).await)?;
        Ok(database)
    }

    /// A transaction that may write: with SQLite it has the right to from its beginning on.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, BadControl> {
        Ok(match self.engine {
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writer.begin().await?,
        })
    }

    /// A transaction that sees one moment, whatever others write meanwhile.
    pub(super) async fn begin_reading(&self) -> Result<Transaction<'static, Any>, BadControl> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(self.readers.begin_with(begin).await?)
    }

    /// For single statements that change what belongs to no organisation.
    pub(super) fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Where one reads.
    pub(super) fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// The time by the database's clock, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn now(&self) -> Result<i64, BadControl> {
        let (now,) = sqlx::query_as(self.engine.clock()).fetch_one(&self.readers).await?;
        Ok(now)
    }

    pub(super) async fn now_in(&self, connection: &mut AnyConnection) -> Result<i64, BadControl> {
        let (now,) = sqlx::query_as(self.engine.clock()).fetch_one(connection).await?;
        Ok(now)
    }

    /// Closes it.
    pub async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Connects to it, whatever its layout is.
pub(super) async fn connect(place: &Place) -> Result<ControlDatabase, BadControl> {
    install_default_drivers();
    match place {
        Place::Embedded(data) => embedded(&ControlDatabase::file(data)).await,
        Place::Postgres(url) => postgres(url).await,
    }
}

/// What came of a change of the layout.
pub(super) fn migrated(done: Result<(), MigrateError>) -> Result<(), BadControl> {
    done.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, _) => error.into(),
        layout => BadControl::Layout(layout),
    })
}

async fn embedded(path: &Path) -> Result<ControlDatabase, BadControl> {
    // Readable for its owner alone, as all that lies there; the files beside it take after it.
    private_file(path).map_err(|error| unusable(path, error))?;
    let options = |mode: &str| -> Result<AnyConnectOptions, BadControl> {
        format!("sqlite://{}?mode={mode}", in_url(path)).parse().map_err(|_| BadControl::Url)
    };
    // What was answered is on disk: a revoked grant does not come back with the power.
    let pragmas = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
        PATIENCE.as_millis()
    );
    // A pool tries again what fails; a file that is no database stays none. So one connection looks first.
    let mut first = AnyConnection::connect_with(&options("rw")?).await?;
    first.execute(sqlx::AssertSqlSafe(pragmas.clone())).await?;
    first.close().await?;
    let after = move |connections: AnyPoolOptions, pragmas: String| {
        out_of_transactions(connections).after_connect(move |connection, _| {
            let pragmas = pragmas.clone();
            Box::pin(async move {
                connection.execute(sqlx::AssertSqlSafe(pragmas)).await?;
                Ok(())
            })
        })
    };
    let writer = after(AnyPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE), pragmas.clone());
    let writer = writer.connect_with(options("rw")?).await?;
    let readers = after(AnyPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE), pragmas);
    let readers = readers.connect_lazy_with(options("ro")?);
    Ok(ControlDatabase { writer, readers, engine: Engine::Sqlite })
}

async fn postgres(url: &str) -> Result<ControlDatabase, BadControl> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(BadControl::Url);
    }
    let options: AnyConnectOptions = url.parse().map_err(|_| BadControl::Url)?;
    let pool = out_of_transactions(AnyPoolOptions::new()).max_connections(CONNECTIONS).acquire_timeout(CONNECT);
    // Whoever is cut off in the midst of a change must not hold up the others' for long.
    let pool = pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute("SET lock_timeout = '5s'").await?;
            connection.execute("SET idle_in_transaction_session_timeout = '10s'").await?;
            Ok(())
        })
    });
    let pool = pool.connect_with(options).await?;
    Ok(ControlDatabase { writer: pool.clone(), readers: pool, engine: Engine::Postgres })
}

/// A connection that is given out again is in no transaction. Where the disk was full, SQLite has ended one by itself, and
/// the connection does not know: another one takes its place.
fn out_of_transactions(connections: AnyPoolOptions) -> AnyPoolOptions {
    connections.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// A path as a URL carries it.
fn in_url(path: &Path) -> String {
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => text.push(char::from(*byte)),
            other => drop(write!(text, "%{other:02X}")),
        }
        text
    })
}

/// The changes of the layout.
pub(super) fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_found_again() {
        assert_eq!(in_url(Path::new("/a b/ü?#.db")), "/a%20b/%C3%BC%3F%23.db");
    }

    #[test]
    fn a_place_in_the_driver_is_nobodys_business() {
        let told = "the server does not speak TLS (sqlx_postgres::connection::tls:95)";
        assert_eq!(without_place(told), "the server does not speak TLS");
        for whole in ["no route (os error 113)", "it ends (a::b)", "(a::b:1) first", ""] {
            assert_eq!(without_place(whole), whole);
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let place = Place::Postgres("postgres://ada:hunter2@localhost/toolgate".to_owned());
        assert_eq!(format!("{place:?}"), "Postgres(…)");
    }
}
