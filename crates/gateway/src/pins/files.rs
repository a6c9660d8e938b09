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
        Self::Io { path: PathBuf::new(), error }
    }
}

/// Where a change was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// In the lock file, or nowhere because there was nothing to change.
    Lock,
    /// In the data directory, because the lock file cannot be written.
    Spare(String),
}

impl PinFiles {
    /// The files for a lock file at `lock`, with `data` for what cannot stand there. Nothing is
    /// touched yet.
    pub fn new(lock: &Path, data: &Path) -> Self {
        let lock = std::path::absolute(lock).unwrap_or_else(|_| lock.to_path_buf());
        // One file has one name, by whatever way it is reached.
        let lock = match (lock.parent().map(Path::canonicalize), lock.file_name()) {
            (Some(Ok(parent)), Some(name)) => parent.join(name),
            _ => lock,
        };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, lock.as_os_str().as_encoded_bytes());
        let key: String = crate::hex::encode(digest.as_ref()).chars().take(16).collect();
        let pins = data.join("pins");
        Self {
            lock: LockFile::new(lock),
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

    /// The pins of a server; `None` where it has none yet. Of two pins of one tool, one in each
    /// file, the one that was accepted later counts.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn section(&self, server: &str) -> Result<Option<Section>, BadPins> {
        let mut section = read(&self.lock)?.remove(server);
        if let Some(spare) = read(&self.spare)?.remove(server) {
            let section = section.get_or_insert_default();
            for (name, pin) in spare {
                match section.get(&name) {
                    Some(known) if known.accepted >= pin.accepted => {}
                    _ => drop(section.insert(name, pin)),
                }
            }
        }
        Ok(section)
    }

    /// Every server of which something is held.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn held_servers(&self) -> Result<Vec<String>, BadPins> {
        Ok(read(&self.held)?.servers().map(|(id, _)| id.to_owned()).collect())
    }

    /// Whether any of the files is there.
    pub fn exist(&self) -> bool {
        [&self.lock, &self.spare, &self.held].into_iter().any(|file| file.trace().is_some())
    }

    /// Changes the pins of a server while nobody else does. `change` sees them as they are now, `None`
    /// where there are none, and says whether to write.
    ///
    /// # Errors
    /// When neither the lock file nor the data directory can be written.
    pub fn change(
        &self,
        server: &str,
        mut change: impl FnMut(&mut Option<Section>) -> bool,
    ) -> Result<Written, BadPins> {
        if self.lock.path().parent().is_some_and(|parent| self.spare.path().starts_with(parent)) {
            // Among the data it lies in a place of our own making.
            self.make_place()?;
        }
        match self.change_in(&self.lock, server, &mut change) {
            Ok(()) => Ok(Written::Lock),
            // Nothing was changed: a directory of somebody else, a read-only mount, a full disk.
            Err(BadPins::Io { error, .. }) => {
                self.make_place()?;
                self.change_in(&self.spare, server, &mut change)?;
                Ok(Written::Spare(format!("{}: {error}", self.lock.path().display())))
            }
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
            let mut section = self.section(server)?;
            if !change(&mut section) {
                return Ok(None);
            }
            let mut pins = parse(file.path(), text.as_deref())?;
            match section {
                Some(section) => *pins.section(server) = section,
                None => drop(pins.remove(server)),
            }
            Ok::<_, BadPins>(Some(pins.to_string()))
        });
        updated.map_err(|error| match error {
            BadPins::Io { error, .. } => BadPins::Io { path: file.path().to_path_buf(), error },
            other => other,
        })
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
        self.held.update(|text| {
            let mut pins = parse(self.held.path(), text.as_deref())?;
            let known = pins.remove(server).unwrap_or_default();
            if &known == held {
                return Ok(None);
            }
            if !held.is_empty() {
                *pins.section(server) = held.clone();
            }
            Ok::<_, BadPins>(Some(pins.to_string()))
        })
    }

    fn make_place(&self) -> Result<(), BadPins> {
        use std::os::unix::fs::DirBuilderExt;
        let place = self.spare.path().parent().unwrap_or(Path::new("."));
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(place);
        made.map_err(|error| BadPins::Io { path: place.to_path_buf(), error })
    }
}

/// The digest by which a definition in canonical form is pinned.
pub fn digest(definition: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, definition.as_bytes());
    format!("sha256:{}", crate::hex::encode(digest.as_ref()))
}

fn read(file: &LockFile) -> Result<Pins, BadPins> {
    let text = file.read().map_err(|error| BadPins::Io { path: file.path().to_path_buf(), error })?;
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
