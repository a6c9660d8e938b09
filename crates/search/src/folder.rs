//! The folder: one subfolder an index, and a file that names the one in use.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::BadIndex;

/// The file that names the index in use.
const CURRENT: &str = "current";

/// The file that says that the index in use is older than the store.
const STALE: &str = "stale";

/// Says that what the index in use was made from is about to change. A new index takes that back.
///
/// # Errors
/// The operating system's reason.
pub fn mark_stale(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(STALE), "")
}

/// Says that nothing has changed after all.
///
/// # Errors
/// The operating system's reason.
pub fn mark_fresh(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(STALE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the store changed since the index in use was made, or there is none.
#[must_use]
pub fn is_stale(folder: &Path) -> bool {
    folder.join(STALE).exists() || current(folder).is_err()
}

/// The folder of the index in use: another name says that there is a newer one.
///
/// # Errors
/// [`BadIndex::None`] where there is none yet, [`BadIndex::Io`].
pub fn current(folder: &Path) -> Result<PathBuf, BadIndex> {
    match fs::read_to_string(folder.join(CURRENT)) {
        Ok(name) if number(name.trim()).is_some() => Ok(folder.join(name.trim())),
        Ok(_) => Err(BadIndex::None),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(BadIndex::None),
        Err(error) => Err(error.into()),
    }
}

fn number(name: &str) -> Option<u64> {
    name.parse().ok()
}

/// A new subfolder for an index that is to be built. Only one process builds at a time.
pub(crate) fn next(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let newest = numbered(folder)?.into_iter().max().unwrap_or(0);
    let path = folder.join(newest.saturating_add(1).to_string());
    fs::create_dir(&path)?;
    Ok(path)
}

/// The same with what an index holds. Its files never change once they are written, so they lie in both; only the
/// lists of them do.
pub(crate) fn next_like(folder: &Path, index: &Path) -> io::Result<PathBuf> {
    let path = next(folder)?;
    for entry in fs::read_dir(index)? {
        let from = entry?.path();
        let Some(name) = from.file_name() else { continue };
        let to = path.join(name);
        match from.extension().and_then(|extension| extension.to_str()) {
            Some("lock") => {}
            Some("json") => drop(fs::copy(&from, to)?),
            _ => fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop))?,
        }
    }
    Ok(path)
}

fn numbered(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(entry?.file_name().to_str().and_then(number));
    }
    Ok(numbers)
}

/// Puts an index in use, in one step, and removes what came before it. Whoever reads an older one has it
/// open, and goes on.
pub(crate) fn use_now(folder: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let draft = folder.join("current.new");
    fs::write(&draft, name)?;
    fs::File::open(&draft)?.sync_all()?;
    fs::rename(draft, folder.join(CURRENT))?;
    mark_fresh(folder)?;
    let kept = number(name);
    for old in numbered(folder)?.into_iter().filter(|old| Some(*old) != kept) {
        fs::remove_dir_all(folder.join(old.to_string()))?;
    }
    Ok(())
}
