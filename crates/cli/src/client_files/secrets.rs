//! Secrets that move out of the files of clients, into one that only the person can read for each server and its values.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clients::{Launch, Secret, Wrapped};

use super::change::{Made, Noted, within};
use super::covered::{Place, machine, option};
use super::found::real;
use super::journal::{Change, Journal, Line};
use super::newest::is_as_made;
use super::{shown, write};
use crate::env_file::{self, Variables};
use crate::environment::home;

/// The client to which the journal counts these files.
pub const CLIENT: &str = "toolgate";

/// The option of `run` that names such a file.
const OPTION: &str = "--env-file";

/// Secrets of one entry, and the file that is to hold them.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The file.
    pub path: PathBuf,
    variables: Variables,
}

/// Where secrets go in one run.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    /// What this run puts there.
    claimed: BTreeMap<PathBuf, Secret>,
}

impl Shelf {
    /// A shelf in a folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, claimed: BTreeMap::new() }
    }

    /// The file for secrets of a server: one of its name, with a number where that holds others.
    pub fn place(&mut self, server: &str, variables: Variables) -> Moved {
        let text = env_file::written(&variables);
        let mut path = self.folder.join(format!("{server}.env"));
        for number in 2_u64.. {
            let is_free = match self.claimed.get(&path) {
                Some(claimed) => *claimed == text,
                None => path.symlink_metadata().is_err() || env_file::text(&path) == Ok(text.clone()),
            };
            if is_free {
                break;
            }
            path = self.folder.join(format!("{server}-{number}.env"));
        }
        self.claimed.insert(path.clone(), text);
        Moved { path, variables }
    }
}

impl Moved {
    /// The names of the variables.
    pub fn names(&self) -> Vec<String> {
        self.variables.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The option of `run` that names the file.
    ///
    /// # Errors
    /// When its path is no text.
    pub fn option(&self) -> Result<String, String> {
        let path = self.path.to_str().ok_or("the folder of secrets is no text in UTF-8")?;
        Ok(format!("{OPTION}={path}"))
    }

    /// Makes the file, which the journal knows of before; whether it was not there.
    ///
    /// # Errors
    /// Why not: then nothing was made.
    pub fn write(&self, journal: &Journal, run: &str) -> Result<bool, String> {
        let text = env_file::written(&self.variables);
        if env_file::text(&self.path) == Ok(text.clone()) {
            return Ok(false);
        }
        let named = |why: String| format!("its secrets cannot move to {}: {why}", self.path.display());
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut folders: Vec<PathBuf> =
            folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
        folders.reverse();
        let failed = |error: std::io::Error| named(error.to_string());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let made = || {
            let home = home().map_err(|failure| failure.to_string())?;
            let within = within(&self.path, &home, None);
            write::inside(folder, &within).map_err(named)?;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
            let bytes = text.expose().as_bytes().to_vec();
            let mut make = |_: &[u8]| Ok(Some(Made { bytes: bytes.clone(), entries: Vec::new() }));
            let noted = Noted::new(journal, run, CLIENT, &self.path, &within, &mut make);
            write::create(&self.path, &within, &folders, &mut noted.creating(folders.clone())).map_err(named)
        };
        made().inspect_err(|_| folders.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder))))?;
        Ok(true)
    }
}

/// The file of secrets that the words of an entry name.
pub fn file_of(options: &[String]) -> Option<&Path> {
    option(options, OPTION).map(Path::new)
}

/// The file of secrets from which an entry took its own while it started the gateway.
pub fn file_of_launch(launch: &Launch) -> Option<PathBuf> {
    let Launch::Stdio { command, args, .. } = launch else { return None };
    let wrapped = Wrapped::parse(command, &args.iter().map(String::as_str).collect::<Vec<_>>())?;
    file_of(&wrapped.options).map(Path::to_path_buf)
}

/// The servers of this machine that take their secrets from a file, as people read them: those of the person's files and
/// of the project in the current directory. A file of a client that nobody can read may, if it names it.
pub fn users(path: &Path) -> Vec<String> {
    let (Ok(machine), Ok(home)) = (machine(), home()) else { return Vec::new() };
    let takes = |place: &&Place| {
        let own = place.wrapped().and_then(|wrapped| file_of(&wrapped.options));
        own.is_some_and(|own| real(own) == real(path))
    };
    let servers = machine.wrapped().filter(takes).map(|place| format!("{} in {}", place.key(), place.shown(&home)));
    let word = path.to_string_lossy();
    let names = |file: &&PathBuf| {
        std::fs::read(file).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(word.as_ref()))
    };
    let broken = machine.broken.iter().map(|(file, _)| file).filter(names);
    servers.chain(broken.map(|file| shown(file, &home))).collect()
}

/// Takes a file away that a run has made, where it is as it was made. What cannot be taken away stays in the journal,
/// for `undo`.
pub fn take_back(path: &Path, journal: &Journal, run: &str) {
    let changes = journal.open_changes().unwrap_or_default();
    let of_it = |change: &&Change| change.client == CLIENT && change.run == run && real(&change.file) == real(path);
    for change in changes.iter().filter(of_it).filter(|change| is_as_made(path, std::slice::from_ref(change))) {
        let folders = change.created.as_deref().unwrap_or_default();
        if write::remove(&change.file, &change.within, folders).is_ok() {
            let _ = journal.append(&Line::Undone { change: change.id.clone() });
        }
    }
}

/// Why `undo` leaves a file of secrets where it is, although nobody has changed it.
pub fn needed(users: &[String]) -> String {
    format!(
        "it stays, because {} takes its secrets from it: toolgate unwrap puts them back there, and says how to remove it",
        users.join("; ")
    )
}

/// What `undo` does not do before all that uses these files is put back.
pub const IN_USE: &str = "it stays, because a file that may use it was left alone: see to that one, and try again";

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(value: &str) -> Variables {
        vec![("TOKEN".to_owned(), value.into())]
    }

    #[test]
    fn other_values_get_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let name = |moved: Moved| moved.path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut shelf = Shelf::new(folder.path().to_path_buf());
        for (value, wanted) in [("a", "crm.env"), ("b", "crm-2.env"), ("a", "crm.env"), ("c", "crm-3.env")] {
            assert_eq!(name(shelf.place("crm", variables(value))), wanted);
        }
        // A file that is there is used for what it says, and kept otherwise.
        let path = folder.path().join("crm.env");
        std::fs::write(&path, env_file::written(&variables("b")).expose()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("crm-2.env")).unwrap();
        let mut shelf = Shelf::new(folder.path().to_path_buf());
        for (value, wanted) in [("b", "crm.env"), ("a", "crm-3.env")] {
            assert_eq!(name(shelf.place("crm", variables(value))), wanted);
        }
    }
}
