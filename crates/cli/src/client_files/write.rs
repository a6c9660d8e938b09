//! A file with other bytes: all of them or none, and never over what somebody else has just written.

use std::fs::{File, Permissions};
use std::io::{Error, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid, fchown};

use super::found::{bytes, real};

/// How often a file is read again that changes meanwhile.
const TRIES: usize = 3;

/// How the name of a new file begins, until it has the name of the file.
const START: &str = ".toolgate-";

/// How it ends.
const END: &str = ".new";

/// What is done to a file.
pub trait Change {
    /// The bytes that it should have; none, where it has them.
    ///
    /// # Errors
    /// Why it is left alone.
    fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String>;

    /// Takes note before the file changes.
    ///
    /// # Errors
    /// Why it must not change then.
    fn note(&mut self, _before: &[u8], _after: &[u8]) -> Result<(), String> {
        Ok(())
    }

    /// Takes note of what became of it.
    ///
    /// # Errors
    /// When that cannot be noted.
    fn ended(&mut self, _done: bool) -> Result<(), String> {
        Ok(())
    }
}

/// Changes a file that lies in a folder; whether there was something to change.
///
/// # Errors
/// Why not: the file is then as it was.
pub fn replace(path: &Path, within: &Path, change: &mut dyn Change) -> Result<bool, String> {
    let file = inside(path, within)?;
    for _ in 0..TRIES {
        let before = bytes(&file)?;
        let Some(after) = change.make(&before)? else { return Ok(false) };
        if after == before {
            return Ok(false);
        }
        let (prepared, mode) = prepare(&file, &after).map_err(|error| sentence(&file, &error))?;
        change.note(&before, &after)?;
        if bytes(&file)? != before {
            change.ended(false)?;
            continue;
        }
        // Until it is the file itself, nobody else may read it: it may be left behind.
        let set = prepared.as_file().set_permissions(mode).and_then(|()| prepared.as_file().sync_all());
        if let Err(error) = set.and_then(|()| prepared.persist(&file).map_err(|error| error.error)) {
            change.ended(false)?;
            return Err(sentence(&file, &error));
        }
        let folder = file.parent().unwrap_or(Path::new("/"));
        // The name is in the folder; that the folder is on the disk too, some file systems cannot say.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        if bytes(&file)? != after {
            return Err("somebody else wrote it right after: close the client, and look at it".to_owned());
        }
        change.ended(true)?;
        return Ok(true);
    }
    Err("its client keeps writing it: close the client and try again; the file was not changed".to_owned())
}

/// Makes a file that is not there, below a folder.
///
/// # Errors
/// Why not: then nothing was made.
pub fn create(path: &Path, within: &Path, folders: &[PathBuf], change: &mut dyn Change) -> Result<(), String> {
    let there = path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(within);
    inside(there, within)?;
    let bytes = change.make(b"")?.ok_or("there is nothing to write")?;
    let made = || {
        let folder = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder)?;
        // Temporary files have the mode 0600, and this one may come to hold secrets.
        let mut new = new_file(folder)?;
        new.write_all(&bytes)?;
        new.as_file().sync_all()?;
        Ok(new)
    };
    let undo = || folders.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
    let new = made().map_err(|error| {
        undo();
        sentence(path, &error)
    })?;
    if let Err(why) = change.note(b"", &bytes) {
        drop(new);
        undo();
        return Err(why);
    }
    if let Err(error) = new.persist_noclobber(path) {
        change.ended(false)?;
        return Err(sentence(path, &error.error));
    }
    change.ended(true)
}

/// Takes a file away that was made, and the folders that were made for it and hold nothing else.
///
/// # Errors
/// Why it is still there.
pub fn remove(path: &Path, within: &Path, folders: &[PathBuf]) -> Result<(), String> {
    let file = inside(path, within)?;
    std::fs::remove_file(&file).map_err(|error| sentence(&file, &error))?;
    folders.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
    Ok(())
}

/// The file that a path leads to, which must lie in the folder.
pub(super) fn inside(path: &Path, within: &Path) -> Result<PathBuf, String> {
    let file = path.canonicalize().map_err(|error| format!("it cannot be found: {error}"))?;
    if file.starts_with(real(within)) {
        return Ok(file);
    }
    Err(format!(
        "it is a link that leads out of {} to {}, where nothing is changed: edit that file by hand, or put a file in place of the link",
        within.display(),
        file.display()
    ))
}

/// A new file, which nobody else may read.
fn new_file(folder: &Path) -> Result<tempfile::NamedTempFile, Error> {
    tempfile::Builder::new().prefix(START).suffix(END).tempfile_in(folder)
}

/// Removes new files beside a file that a killed run has left there. Only whoever holds the journal may, for nobody
/// else writes then.
pub fn sweep(file: &Path) {
    let entries = file.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_new = name.to_str().is_some_and(|name| name.starts_with(START) && name.ends_with(END));
        if is_new && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // One that cannot be removed is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The new file beside the old one, with its owner, and the mode that it is to have.
fn prepare(file: &Path, bytes: &[u8]) -> Result<(tempfile::NamedTempFile, Permissions), Error> {
    let old = std::fs::metadata(file)?;
    if old.permissions().readonly() && rustix::process::geteuid().as_raw() != 0 {
        return Err(Error::from(ErrorKind::PermissionDenied));
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = new_file(folder)?;
    new.write_all(bytes)?;
    let made = new.as_file().metadata()?;
    if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
        let (uid, gid) = (Uid::from_raw(old.uid()), Gid::from_raw(old.gid()));
        fchown(new.as_file(), Some(uid), Some(gid))?;
    }
    new.as_file().sync_all()?;
    Ok((new, Permissions::from_mode(old.mode() & 0o7777)))
}

/// What went wrong, and what to do.
fn sentence(file: &Path, error: &Error) -> String {
    let folder = file.parent().unwrap_or(Path::new("/")).display();
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => format!("make the file and its folder {folder} writable for you"),
        ErrorKind::ReadOnlyFilesystem => format!("{folder} lies on a read-only file system: mount it writable"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "there is no room for the new file: free some space".to_owned()
        }
        _ => format!("look at the folder {folder}"),
    };
    format!("it was not changed ({}): {remedy}, and try again", error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a letter behind, while somebody else writes so many times.
    struct Behind {
        file: PathBuf,
        others: usize,
        ended: Vec<bool>,
    }

    impl Change for Behind {
        fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
            Ok(Some([bytes, b"!"].concat()))
        }

        fn note(&mut self, before: &[u8], _after: &[u8]) -> Result<(), String> {
            let folder = self.file.parent().unwrap();
            let new = std::fs::read_dir(folder).unwrap().flatten().find(|entry| entry.path() != self.file).unwrap();
            assert_eq!(new.metadata().unwrap().mode() & 0o7777, 0o600, "others can read it");
            if self.others > 0 {
                self.others -= 1;
                std::fs::write(&self.file, [before, b"o"].concat()).unwrap();
            }
            Ok(())
        }

        fn ended(&mut self, done: bool) -> Result<(), String> {
            self.ended.push(done);
            Ok(())
        }
    }

    #[test]
    fn what_another_wrote_meanwhile_stays() {
        for (others, wanted, done) in [(0, "x!", Ok(true)), (2, "xoo!", Ok(true)), (3, "xooo", Err(()))] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("f");
            std::fs::write(&file, "x").unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
            let mut change = Behind { file: file.clone(), others, ended: Vec::new() };
            assert_eq!(replace(&file, folder.path(), &mut change).map_err(|_| ()), done);
            assert_eq!(std::fs::read_to_string(&file).unwrap(), wanted);
            assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o644);
            assert_eq!(change.ended.len(), if others == 3 { 3 } else { others + 1 });
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
        }
    }

    #[test]
    fn what_a_killed_run_left_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let others = ["mcp.json", ".toolgate-x", ".toolgate", "a.new"];
        for name in others.into_iter().chain([".toolgate-Ab12.new"]) {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        sweep(&folder.path().join("mcp.json"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), others.len());
        assert!(!folder.path().join(".toolgate-Ab12.new").exists());
    }
}
