//! A file that is replaced as a whole, by one process at a time: `toolgate.lock`.
//!
//! Whoever changes it holds a lock on its directory, so that no file is left lying beside it, reads
//! it, writes a new one beside it, and puts that in its place. Readers see the old text or the new.
//! Where the name is a link, all of this happens where the file itself lies, and the link stays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// The longest file that is read.
const MOST: u64 = 256 << 20;

/// The longest wait for whoever else changes the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the lock is tried meanwhile.
const AGAIN: Duration = Duration::from_millis(5);

/// So many links are followed to the file, as the system itself does.
const MOST_LINKS: usize = 40;

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
        read(&self.path)
    }

    /// Its trace; `None` where there is no file.
    pub fn trace(&self) -> Option<Trace> {
        let found = fs::metadata(&self.path).ok()?;
        Some(Trace { modified: found.modified().ok(), length: found.len(), inode: found.ino() })
    }

    /// Where the file itself lies, or would lie: links are followed, also one to a file that is not
    /// there yet.
    ///
    /// # Errors
    /// The operating system's reason, or links that lead nowhere.
    pub fn place(&self) -> io::Result<PathBuf> {
        let mut place = self.path.clone();
        for _ in 0..=MOST_LINKS {
            match fs::read_link(&place) {
                Ok(target) => place = folder(&place).join(target),
                // No link, or nothing at all.
                Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                    return Ok(place);
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("it is a link that leads round in a circle; put a file in its place"))
    }

    /// Changes the text while no other process does. `change` is given the text and says what is to
    /// stand in its place; `None` leaves it.
    ///
    /// # Errors
    /// What `change` says, or the operating system's reason; one of the kind
    /// [`TimedOut`](io::ErrorKind::TimedOut) where somebody else holds the lock for 10 s. The file is
    /// as it was.
    pub fn update<E: From<io::Error>>(
        &self,
        change: impl FnOnce(Option<String>) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        self.update_within(PATIENCE, change)
    }

    fn update_within<E: From<io::Error>>(
        &self,
        patience: Duration,
        change: impl FnOnce(Option<String>) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        let place = self.place()?;
        let folder = folder(&place);
        let directory = File::open(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if place != self.path => io::Error::other(format!(
                "it is a link to {}, in a directory that does not exist; make the directory, or remove the link",
                place.display()
            )),
            _ => error,
        })?;
        // The lock goes with the open file, also when this process dies.
        lock(&directory, folder, patience)?;
        if let Some(text) = change(read(&place)?)? {
            replace(&place, &text)?;
            directory.sync_all()?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(found) if found.len() > MOST => {
            Err(io::Error::other(format!("it is longer than {} MiB; restore it from version control", MOST >> 20)))
        }
        Ok(_) => fs::read_to_string(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The directory of a file.
fn folder(place: &Path) -> &Path {
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn lock(directory: &File, folder: &Path, patience: Duration) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match flock(directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if begun.elapsed() < patience => thread::sleep(AGAIN),
            Err(Errno::WOULDBLOCK) => {
                let text = format!(
                    "another process has held the lock on the directory {} for {} s; let it finish or end it, and try again",
                    folder.display(),
                    patience.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn replace(place: &Path, text: &str) -> io::Result<()> {
    let beside = folder(place).join(format!(".toolgate.lock.{}", crate::log::ids::next()));
    let mode = fs::metadata(place).map_or(0o644, |found| found.permissions().mode() & 0o777);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, place)
    };
    let written = write();
    if written.is_err() {
        // What could not be put in place is of no use; that it cannot be removed either says nothing new.
        let _ = fs::remove_file(&beside);
    }
    written
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

    /// Links are written to where they lead, with the lock where the file itself lies.
    #[test]
    fn links_lead_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (links, real) = (folder.path().join("links"), folder.path().join("real"));
        fs::create_dir(&links).unwrap();
        let link = LockFile::new(links.join("toolgate.lock"));
        std::os::unix::fs::symlink("hop.lock", link.path()).unwrap();
        std::os::unix::fs::symlink(real.join("pins.lock"), links.join("hop.lock")).unwrap();
        let write = |text: &str| link.update(|_| Ok::<_, io::Error>(Some(text.to_owned())));
        let error = write("one").unwrap_err().to_string();
        assert!(error.contains("real/pins.lock") && error.contains("make the directory"), "{error}");
        assert_eq!(link.read().unwrap(), None);
        fs::create_dir(&real).unwrap();
        write("one").unwrap();
        assert_eq!(fs::read_to_string(real.join("pins.lock")).unwrap(), "one");
        assert!(fs::symlink_metadata(link.path()).unwrap().is_symlink());
        assert_eq!(link.place().unwrap(), real.join("pins.lock"));
        // Whoever writes to the file by its own name is kept out, and so is who comes by the link.
        let through = |file: &LockFile| file.update_within(Duration::ZERO, |_| Ok::<_, io::Error>(None));
        let direct = LockFile::new(real.join("pins.lock"));
        link.update(|_| {
            assert_eq!(through(&direct).unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(through(&link).unwrap_err().kind(), io::ErrorKind::TimedOut);
            Ok::<_, io::Error>(None)
        })
        .unwrap();
        through(&direct).unwrap();
        let round = LockFile::new(links.join("round.lock"));
        std::os::unix::fs::symlink("round.lock", round.path()).unwrap();
        assert!(through(&round).unwrap_err().to_string().contains("circle"));
    }

    /// A process that never lets go of the lock delays a change; it does not stop it for ever.
    #[test]
    fn the_wait_for_the_lock_ends() {
        let folder = tempfile::tempdir().unwrap();
        let held = File::open(folder.path()).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let file = LockFile::new(folder.path().join("toolgate.lock"));
        let (done, ended) = std::sync::mpsc::channel();
        // On a thread of its own: a wait without end fails this test instead of hanging it.
        thread::spawn(move || {
            let patience = Duration::from_millis(20);
            done.send(file.update_within(patience, |_| Ok::<_, io::Error>(Some(String::new()))))
        });
        let error = ended.recv_timeout(Duration::from_secs(60)).unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let text = error.to_string();
        assert!(text.contains(&folder.path().display().to_string()) && text.contains("try again"), "{text}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
