//! Where the tables of a test lie, and what every test begins with.

use std::sync::LazyLock;

use audit::Id;
use store::DataDir;
use store::control::access::{Actor, Role, Who};
use store::control::{ControlDatabase, Place};
use tempfile::TempDir;
use testkit::postgres::Postgres;

static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap());

/// An engine of its own for one test.
pub struct Ground {
    pub place: Place,
    _folder: Option<TempDir>,
}

pub fn sqlite() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    Ground { place: Place::Embedded(DataDir::open(folder.path()).unwrap()), _folder: Some(folder) }
}

pub fn postgres() -> Ground {
    Ground { place: Place::Postgres(POSTGRES.database().unwrap()), _folder: None }
}

impl Ground {
    pub async fn open(&self) -> ControlDatabase {
        ControlDatabase::open(&self.place).await.unwrap()
    }

    /// Opened, founded, with somebody of a role in the first organisation.
    pub async fn founded(&self, role: Role) -> (ControlDatabase, Actor) {
        let database = self.open().await;
        database.found("home", "Home").await.unwrap();
        let organisation = database.first_organisation().await.unwrap().id;
        (database, actor(organisation, true, role))
    }
}

pub fn actor(organisation: Id, first: bool, role: Role) -> Actor {
    Actor { organisation, first, who: Who::Operator("ada".to_owned()), role }
}

pub fn as_role(actor: &Actor, role: Role) -> Actor {
    Actor { role, ..actor.clone() }
}
