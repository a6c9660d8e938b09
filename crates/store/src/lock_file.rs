//! A file that is replaced as a whole, by one process at a time: `toolgate.lock`.
//!
//! Whoever changes it holds a lock on its directory, so that no file is left lying beside it, reads
//! it, writes a new one beside it, and puts that in its place. Readers see the old text or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, flock};

/// The longest file that is read.
const MOST: u64 = 256 << 20;

/// A file that is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    path: PathBuf,
}

/// What a file's metadata say of its content: another trace, another content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl LockFile {
    /// The file at a path. Nothing is touched yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; `None` where there is no file.
    ///
    /// # Errors
    /// The operating system's reason, or a file that is far too long.
    pub fn read(&self) -> io::Result<Option<String>> {
        match fs::metadata(&self.path) {
            Ok(found) if found.len() > MOST => {
                return Err(io::Error::other(format!("it is longer than {} MiB", MOST >> 20)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        fs::read_to_string(&self.path).map(Some)
    }

    /// Its trace; `None` where there is no file.
    pub fn trace(&self) -> Option<Trace> {
        let found = fs::metadata(&self.path).ok()?;
        Some(Trace { modified: found.modified().ok(), length: found.len(), inode: found.ino() })
    }

    /// Changes the text while no other process does. `change` is given the text and says what is to
    /// stand in its place; `None` leaves it.
    ///
    /// # Errors
    /// What `change` says, or the operating system's reason; the file is as it was.
    pub fn update<E: From<io::Error>>(
        &self,
        change: impl FnOnce(Option<String>) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = File::open(parent)?;
        // The lock goes with the open file, also when this process dies.
        flock(&directory, FlockOperation::LockExclusive).map_err(io::Error::from)?;
        if let Some(text) = change(self.read()?)? {
            self.replace(parent, &text)?;
            directory.sync_all()?;
        }
        Ok(())
    }

    fn replace(&self, parent: &Path, text: &str) -> io::Result<()> {
        // A link is followed once, so that what it points to is replaced and the link stays.
        let place = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = place.parent().unwrap_or(parent);
        let beside = folder.join(format!(".toolgate.lock.{}", crate::log::ids::next()));
        let mode = fs::metadata(&place).map_or(0o644, |found| found.permissions().mode() & 0o777);
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &place)
        };
        let written = write();
        if written.is_err() {
            // What could not be put in place is of no use; that it cannot be removed either says nothing new.
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_writers_lose_nothing_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = LockFile::new(folder.path().join("toolgate.lock"));
        assert_eq!((file.read().unwrap(), file.trace()), (None, None));
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for turn in 0..25 {
                        file.update(|text| {
                            Ok::<_, io::Error>(Some(format!("{}{writer} {turn}\n", text.unwrap_or_default())))
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().unwrap().unwrap().lines().count(), 100);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("toolgate.lock");
        fs::write(&path, "as it was").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let file = LockFile::new(path.clone());
        let before = file.trace();
        assert!(file.update(|_| Err(io::Error::other("no"))).is_err());
        file.update(|_| Ok::<_, io::Error>(None)).unwrap();
        assert_eq!(file.trace(), before);
        let link = LockFile::new(folder.path().join("link.lock"));
        std::os::unix::fs::symlink(&path, link.path()).unwrap();
        link.update(|text| Ok::<_, io::Error>(text.map(|text| text.to_uppercase()))).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "AS IT WAS");
        assert!(fs::symlink_metadata(link.path()).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(file.trace(), before);
        let nowhere = LockFile::new(folder.path().join("none/toolgate.lock"));
        assert!(nowhere.update(|_| Ok::<_, io::Error>(Some(String::new()))).is_err());
    }
}
