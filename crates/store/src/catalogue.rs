//! What is known of servers and their tools: one module a resource.
//!
//! The rows are typed: a class, a severity or a visibility that this version does not know is an error
//! that names it, never a guess.

mod census;
mod facts;
mod forks;
mod import;
mod impostors;
mod lists;
mod lookup;
mod meeting;
mod overrides;
mod packages;
mod registry;
mod rows;
mod servers;
mod tools;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};

pub use census::{ChangedOn, Listed, Tally};
pub use facts::{PastEntry, Standing};
pub use forks::{Fork, Kin};
pub use import::{Batch, Counts, Run};
pub use impostors::{Face, Impostor};
pub use lists::{Brief, Mapped, Replaced, Shelf};
pub use lookup::{Sought, Stream};
pub use meeting::Change;
pub use overrides::Override;
pub use packages::Package;
pub use registry::{ListedPage, Listing, ListingCounts, Reading, Said};
pub use rows::{Judgement, Quote, Server, Shown, Status, Tool, Visibility};
pub use servers::{KnownServer, ServerEntry};
pub use tools::{Past, ToolEntry};

use crate::{BadDatabase, DataDir, Database};

/// The catalogue of a data directory.
#[derive(Debug, Clone)]
pub struct Catalogue {
    database: Database,
    data: DataDir,
}

/// More than the number of a process has digits.
const MAX_PID: u64 = 20;

/// The right to write, held by one process at a time; the file says which.
#[derive(Debug)]
pub struct Importing {
    _lock: File,
}

impl Catalogue {
    /// Opens the catalogue of a data directory.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn open(data: &DataDir) -> Result<Self, BadDatabase> {
        Ok(Self { database: Database::open(data).await?, data: data.clone() })
    }

    /// Takes the right to write, until the value is dropped or the process dies.
    ///
    /// # Errors
    /// [`BadDatabase::Busy`] while another process has it.
    pub fn importing(&self) -> Result<Importing, BadDatabase> {
        Importing::take(&self.data)
    }

    /// Closes it.
    pub async fn close(self) {
        self.database.close().await;
    }
}

impl Importing {
    /// Takes the right to write into the catalogue of a data directory.
    ///
    /// # Errors
    /// [`BadDatabase::Busy`] while another process has it.
    pub fn take(data: &DataDir) -> Result<Self, BadDatabase> {
        let path = data.path().join("import.lock");
        let wrong = |error| BadDatabase::Io(path.clone(), error);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let mut file = open.map_err(wrong)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(wrong)?;
                Ok(Self { _lock: file })
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut held = String::new();
                file.take(MAX_PID).read_to_string(&mut held).map_err(wrong)?;
                Err(BadDatabase::Busy(held.trim().parse().ok()))
            }
            Err(error) => Err(wrong(error.into())),
        }
    }
}
