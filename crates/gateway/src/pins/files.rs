//! Where pins lie: a lock file, a place in the data directory where that cannot be written, and what
//! is held at the moment.

use std::io;
use std::path::{Path, PathBuf};

use risk::pins::{BadLock, Pins, Section};
use store::{LockFile, Trace};

/// The files of one server's pins. Several servers may share them: each has its own section.
#[derive(Clone, Debug)]
pub struct PinFiles {
    lock: LockFile,
    spare: LockFile,
    held: LockFile,
}

/// Why pins cannot be read or written. What is not pinned is not called.
#[derive(Debug, thiserror::Error)]
pub enum BadPins {
    /// The operating system's reason.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The lock file holds pins of the server, and cannot be written.
    #[error(
        "{}: {error}; the pins of this server stand in this file and count from there alone, so make it writable, or accept where it can be written",
        .path.display()
    )]
    Fixed {
        /// The lock file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// Neither the lock file nor the data directory can be written.
    #[error("{lock}, and {}: {error}; make one of them writable", .path.display())]
    Nowhere {
        /// The lock file, and why it cannot be written.
        lock: String,
        /// The place in the data directory.
        path: PathBuf,
        /// Why that cannot be written either.
        error: io::Error,
    },
    /// The text is no lock file.
    #[error("{}: {error}", .path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: BadLock,
    },
}

impl From<io::Error> for BadPins {
    fn from(error: io::Error) -> Self {
        Self::io(Path::new(""), error)
    }
}

impl BadPins {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), error }
    }

    /// The same, of a file whose name the operating system's reason does not say.
    fn of(self, path: &Path) -> Self {
        match self {
            Self::Io { error, .. } => Self::io(path, error),
            other => other,
        }
    }
}

/// Where a change was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file that the pins stand in now.
    pub path: PathBuf,
    /// Why that is not the lock file, if it is not.
    pub instead: Option<String>,
}

impl PinFiles {
    /// The files for a lock file at `lock`, with `data` for what cannot stand there. Nothing is
    /// touched yet.
    pub fn new(lock: &Path, data: &Path) -> Self {
        let lock = std::path::absolute(lock).unwrap_or_else(|_| lock.to_path_buf());
        let lock = LockFile::new(plain(lock));
        // One file has one name, by whatever way it is reached.
        let real = lock.place().map_or_else(|_| lock.path().to_path_buf(), plain);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, real.as_os_str().as_encoded_bytes());
        let key: String = crate::hex::encode(digest.as_ref()).chars().take(16).collect();
        // As the lock file: what lies among the data is told by how its path begins, also where there is no directory yet.
        let pins = std::path::absolute(data).unwrap_or_else(|_| data.to_path_buf()).join("pins");
        Self {
            lock,
            spare: LockFile::new(pins.join(format!("{key}.lock"))),
            held: LockFile::new(pins.join(format!("{key}.held"))),
        }
    }

    /// The lock file.
    pub fn lock(&self) -> &Path {
        self.lock.path()
    }

    /// What the files' metadata say of their content.
    pub fn trace(&self) -> [Option<Trace>; 2] {
        [self.lock.trace(), self.spare.trace()]
    }

    /// The files that pins stand in now, as a sentence names them.
    pub fn places(&self) -> String {
        let (lock, spare) = (self.lock.path().display(), self.spare.path().display());
        match self.aside() {
            Ok(aside) if !aside.is_empty() && self.lock.trace().is_none() => spare.to_string(),
            Ok(aside) if !aside.is_empty() => format!("{lock} and {spare}"),
            _ => lock.to_string(),
        }
    }

    /// The pins of a server; `None` where it has none yet. Those in the data directory count for as
    /// long as the lock file has no section of the server.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn section(&self, server: &str) -> Result<Option<Section>, BadPins> {
        match read(&self.lock)?.remove(server) {
            Some(section) => Ok(Some(section)),
            None => Ok(read(&self.spare)?.remove(server)),
        }
    }

    /// Takes pins of a server out of the data directory where the lock file has a section of it: they
    /// do not count, and are not to come back when that section goes.
    pub fn tidy(&self, server: &str) {
        if self.spare.trace().is_some() && read(&self.lock).is_ok_and(|lock| lock.server(server).is_some()) {
            // What stays there counts for nothing; the next change tries again.
            let _ = self.spare.update(|text| {
                let mut pins = parse(self.spare.path(), text.as_deref())?;
                Ok::<_, BadPins>(pins.remove(server).map(|_| pins.to_string()))
            });
        }
    }

    /// The servers whose pins stand in the data directory and count.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn aside(&self) -> Result<Vec<String>, BadPins> {
        if self.spare.trace().is_none() {
            return Ok(Vec::new());
        }
        let lock = read(&self.lock)?;
        let spare = read(&self.spare)?;
        Ok(spare.servers().filter(|(id, _)| lock.server(id).is_none()).map(|(id, _)| id.to_owned()).collect())
    }

    /// Every server of which something is held.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn held_servers(&self) -> Result<Vec<String>, BadPins> {
        Ok(read(&self.held)?.servers().map(|(id, _)| id.to_owned()).collect())
    }

    /// Looks that accepted definitions can be read, of whichever server they are.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn check(&self) -> Result<(), BadPins> {
        read(&self.lock)?;
        read(&self.spare).map(|_| ())
    }

    /// Whether any of the files is there.
    pub fn exist(&self) -> bool {
        [&self.lock, &self.spare, &self.held].into_iter().any(|file| file.trace().is_some())
    }

    /// Changes the pins of a server while nobody else does. `change` sees them as they are now, `None`
    /// where there are none, and says whether to write. What stood in the data directory moves to the
    /// lock file with the first change that can be written there.
    ///
    /// # Errors
    /// When neither the lock file nor the data directory can be written, when the lock file alone
    /// counts and cannot be written, and when somebody else holds its lock for too long.
    pub fn change(
        &self,
        server: &str,
        mut change: impl FnMut(&mut Option<Section>) -> bool,
    ) -> Result<Written, BadPins> {
        let (lock, spare) = (self.lock.path(), self.spare.path());
        if lock.parent().is_some_and(|parent| spare.starts_with(parent)) {
            // Among the data it lies in a place of our own making.
            self.make_place()?;
        }
        let error = match self.change_in(&self.lock, server, &mut change) {
            Ok(()) => {
                self.tidy(server);
                return Ok(Written { path: lock.to_path_buf(), instead: None });
            }
            // Nothing was changed: a directory of somebody else, a read-only mount, a full disk.
            Err(BadPins::Io { error, .. }) if error.kind() != io::ErrorKind::TimedOut => error,
            Err(error) => return Err(error),
        };
        if read(&self.lock)?.server(server).is_some() {
            return Err(BadPins::Fixed { path: lock.to_path_buf(), error });
        }
        let why = format!("{}: {error}", lock.display());
        match self.make_place().and_then(|()| self.change_in(&self.spare, server, &mut change)) {
            Ok(()) => Ok(Written { path: spare.to_path_buf(), instead: Some(why) }),
            Err(BadPins::Io { path, error }) => Err(BadPins::Nowhere { lock: why, path, error }),
            Err(error) => Err(error),
        }
    }

    fn change_in(
        &self,
        file: &LockFile,
        server: &str,
        change: &mut impl FnMut(&mut Option<Section>) -> bool,
    ) -> Result<(), BadPins> {
        let updated = file.update(|text| {
            let mut pins = parse(file.path(), text.as_deref())?;
            let mut section = pins.remove(server);
            if section.is_none() && *file == self.lock {
                section = read(&self.spare)?.remove(server);
            }
            if !change(&mut section) {
                return Ok(None);
            }
            if let Some(section) = section {
                *pins.section(server) = section;
            }
            Ok::<_, BadPins>(Some(pins.to_string()))
        });
        updated.map_err(|error| error.of(file.path()))
    }

    /// What was last seen of a server and is held; the time of each is when it was seen first.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn held(&self, server: &str) -> Result<Section, BadPins> {
        Ok(read(&self.held)?.remove(server).unwrap_or_default())
    }

    /// Keeps what is held, so that another process can show it.
    ///
    /// # Errors
    /// When the data directory cannot be written.
    pub fn keep_held(&self, server: &str, held: &Section) -> Result<(), BadPins> {
        if held.is_empty() && self.held.trace().is_none() {
            return Ok(());
        }
        self.make_place()?;
        let updated = self.held.update(|text| {
            let mut pins = parse(self.held.path(), text.as_deref())?;
            let known = pins.remove(server).unwrap_or_default();
            if &known == held {
                return Ok(None);
            }
            if !held.is_empty() {
                *pins.section(server) = held.clone();
            }
            Ok::<_, BadPins>(Some(pins.to_string()))
        });
        updated.map_err(|error| error.of(self.held.path()))
    }

    fn make_place(&self) -> Result<(), BadPins> {
        use std::os::unix::fs::DirBuilderExt;
        let place = self.spare.path().parent().unwrap_or(Path::new("."));
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(place);
        made.map_err(|error| BadPins::io(place, error))
    }
}

/// The path with links in its directory followed.
fn plain(path: PathBuf) -> PathBuf {
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path,
    }
}

/// The digest by which a definition in canonical form is pinned.
pub fn digest(definition: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, definition.as_bytes());
    format!("sha256:{}", crate::hex::encode(digest.as_ref()))
}

fn read(file: &LockFile) -> Result<Pins, BadPins> {
    let text = file.read().map_err(|error| BadPins::io(file.path(), error))?;
    parse(file.path(), text.as_deref())
}

fn parse(path: &Path, text: Option<&str>) -> Result<Pins, BadPins> {
    match text {
        None => Ok(Pins::default()),
        Some(text) => {
            let bad = |error| BadPins::Text { path: path.to_path_buf(), error };
            let pins = Pins::parse(text).map_err(bad)?;
            for (server, section) in pins.servers() {
                // What a review reads is what is accepted.
                if let Some((tool, _)) = section.iter().find(|(_, pin)| pin.digest != digest(&pin.definition)) {
                    let (server, tool) = (audit::visible::word(server), audit::visible::word(tool));
                    return Err(bad(BadLock::Unreadable(format!(
                        "the digest of {tool} of server {server} is not that of its definition"
                    ))));
                }
            }
            Ok(pins)
        }
    }
}

#[cfg(test)]
mod tests;
