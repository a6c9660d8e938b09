//! Places that cannot be used: each is refused with a sentence, and left as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use store::DataDir;
use store::control::{BadControl, ControlDatabase, Place};

use crate::place::sqlite;

async fn refused(place: &Place) -> String {
    match ControlDatabase::open(place).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Embedded(DataDir::open(folder.path()).unwrap());
    let file = folder.path().join("control.db");
    let text = "not a database at all, and long enough to have a header of one hundred bytes: ".repeat(4);
    fs::write(&file, &text).unwrap();
    let why = refused(&place).await;
    assert!(why.contains("no database or was damaged") && why.contains("toolgate restore"), "{why}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_newer_layout_is_left_alone() {
    let ground = sqlite();
    let database = ground.open().await;
    database.found("home", "Home").await.unwrap();
    database.close().await;
    let Place::Embedded(data) = &ground.place else { panic!() };
    let file = data.path().join("control.db");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (999, 'newer', 1, x'00', 0)";
    execute(&file, newer).await;
    let before = fs::read(&file).unwrap();
    let why = refused(&ground.place).await;
    assert!(why.contains("does not know") && why.contains("upgrade Toolgate"), "{why}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

async fn execute(file: &std::path::Path, statement: &'static str) {
    use sqlx::{Connection, Executor};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(statement).await.unwrap();
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn only_its_owner_reads_it() {
    let ground = sqlite();
    ground.open().await.found("home", "Home").await.unwrap();
    let Place::Embedded(data) = &ground.place else { panic!() };
    for file in ["control.db", "control.db-wal", "control.db-shm"] {
        let mode = fs::metadata(data.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_not_repeated() {
    for url in ["mysql://ada:hunter2@localhost/x", "postgres:hunter2", "hunter2", "postgres://[hunter2"] {
        let why = refused(&Place::Postgres(url.to_owned())).await;
        assert!(why.contains("postgres://USER@HOST"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
}

#[tokio::test]
async fn who_is_not_there_is_said_to_be_away() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://ada:hunter2@localhost/x?host={}", folder.path().display());
    let Err(error) = ControlDatabase::open(&Place::Postgres(url)).await else { panic!("it was opened") };
    assert!(matches!(error, BadControl::Away(_)), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
