//! What `doctor --fix` does.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clients::Scope;

use crate::client_files::again::{Repair, repair};
use crate::client_files::covered::Place;
use crate::client_files::journal::Journal;
use crate::client_files::shown;
use crate::environment::home;

/// Something that can be put right without asking.
#[derive(Debug)]
pub enum Fix {
    /// Others may read what is private.
    Mode {
        /// What.
        path: PathBuf,
        /// The mode that it should have.
        mode: u32,
    },
    /// An entry starts what is not there, or two gateways.
    Entry(Box<(Place, Repair)>),
}

impl fmt::Display for Fix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode { path, mode } => write!(out, "chmod {mode:o} {}", path.display()),
            Self::Entry(entry) => {
                let (place, repair) = &**entry;
                let file = home()
                    .map_or_else(|_| place.file.path.display().to_string(), |home| shown(&place.file.path, &home));
                write!(out, "{file}, {}: ", place.key())?;
                match repair {
                    Repair::Program(program) => write!(out, "toolgate is started at {program}"),
                    Repair::Outer => write!(out, "one gateway before the server instead of two"),
                }
            }
        }
    }
}

impl Fix {
    /// Does it.
    ///
    /// # Errors
    /// Why it was left as it is.
    pub fn apply(&self, data: &Path) -> Result<(), String> {
        match self {
            Self::Mode { path, mode } => {
                let permissions = std::fs::Permissions::from_mode(*mode);
                std::fs::set_permissions(path, permissions).map_err(|error| error.to_string())
            }
            Self::Entry(entry) => {
                let (place, how) = &**entry;
                let home = home().map_err(|failure| failure.to_string())?;
                let project = (place.file.scope == Scope::Project).then(std::env::current_dir);
                let project = project.transpose().map_err(|error| error.to_string())?;
                let journal = Journal::open(data).map_err(|failure| failure.to_string())?;
                repair(place, how, &home, project.as_deref(), &journal).map(|_| ())
            }
        }
    }
}

/// What nobody else may read in a data directory, with the mode that it should have.
pub fn private(data: &Path) -> Vec<(PathBuf, u32)> {
    let clients = data.join("clients");
    let before = clients.join("before");
    let kept = std::fs::read_dir(&before).into_iter().flatten().flatten().map(|entry| (entry.path(), 0o600));
    let folders = [data.to_path_buf(), clients.clone(), before.clone()].map(|folder| (folder, 0o700));
    let journal = (clients.join("journal.ndjson"), 0o600);
    folders.into_iter().chain([journal]).chain(kept).filter(|(path, _)| path.exists()).collect()
}
