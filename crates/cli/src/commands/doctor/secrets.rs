//! The files of secrets that have left the files of clients.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Finding;
use super::clients::{GROUP, named};
use super::repair::Fix;
use crate::client_files::covered::{Machine, Place};
use crate::client_files::secrets::file_of;
use crate::client_files::shown;
use crate::commands::status::shell_word;
use crate::env_file::{self, Unusable};
use crate::environment::secrets;

/// The name of these checks.
const WHAT: &str = "secrets";

/// Looks. Names of files are said, values never.
pub fn findings(machine: &Machine, home: &Path) -> Vec<Finding> {
    let files = |place: &Place| place.wrapped().and_then(|wrapped| file_of(&wrapped.options).map(Path::to_path_buf));
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for (place, file) in machine.wrapped().filter_map(|place| Some((place, files(place)?))) {
        if used.insert(file.clone()) {
            found.extend(finding(place, &file, home));
        }
    }
    let Ok(folder) = secrets() else { return found };
    if let Some(mode) = open_mode(&folder) {
        let text = format!("others can look into {} (mode {mode:o})", shown(&folder, home));
        found.push(closed(text, folder.clone(), 0o700));
    }
    let inside = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut unused: Vec<PathBuf> = inside.filter(|path| !used.contains(path) && path.is_file()).collect();
    unused.sort();
    found.extend(unused.into_iter().map(|path| {
        let text = format!("{}: no server that is seen from here takes its secrets from it", shown(&path, home));
        Finding::note(GROUP, WHAT, text)
            .remedy(format!("rm {}, if nothing else needs it and its values stand elsewhere too", shell_word(&path)))
    }));
    found
}

fn finding(place: &Place, file: &Path, home: &Path) -> Option<Finding> {
    let why = env_file::read(file).err()?;
    let text = format!("{}: {} cannot be used, so the server does not start: ", named(place, home), shown(file, home));
    let bad = |why: &str| Finding::bad(GROUP, WHAT, text.clone() + why);
    Some(match why {
        Unusable::Missing => bad("it is missing").remedy("put it back, or take the secrets back with toolgate undo"),
        Unusable::Open(mode) => {
            closed(text + &format!("others can read it (mode {mode:o})"), file.to_path_buf(), 0o600)
        }
        other => bad(&other.to_string()).remedy("correct it by hand: NAME=\"value\" a line, the value as in JSON"),
    })
}

fn closed(text: String, path: PathBuf, mode: u32) -> Finding {
    let remedy = format!("chmod {mode:o} {}", shell_word(&path));
    Finding::bad(GROUP, WHAT, text).remedy(remedy).fixed_by(Fix::Mode { path, mode })
}

/// The mode of what others can read.
fn open_mode(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}
