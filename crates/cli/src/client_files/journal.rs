//! What was changed in files of clients, so that it can be taken back.
//!
//! A line is on disk before the file is. The bytes before lie beside it, under their digest. Both hold what the
//! files hold, secrets too, so nobody else may read them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Trying};

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A file is about to be changed.
    Change(Box<Change>),
    /// It was.
    Done {
        /// Which change.
        change: String,
    },
    /// It was not: the file is as it was.
    Dropped {
        /// Which change.
        change: String,
    },
    /// It was taken back.
    Undone {
        /// Which change.
        change: String,
    },
}

/// A change of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// The run that it belongs to.
    pub run: String,
    /// When.
    pub time: jiff::Timestamp,
    /// The version of Toolgate.
    pub version: String,
    /// The id of the client.
    pub client: String,
    /// The file, without links.
    pub file: PathBuf,
    /// The folder that it may not leave.
    pub within: PathBuf,
    /// The digest of the bytes before.
    pub before: String,
    /// The digest of the bytes afterwards.
    pub after: String,
    /// What changed.
    pub entries: Vec<Changed>,
    /// Where the file was not there before: the folders that were made for it, the outermost first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Vec<PathBuf>>,
}

/// An entry that changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// The keys down to it.
    pub place: Vec<String>,
    /// Its text before; empty, where it was not there.
    pub original: String,
    /// Its text afterwards.
    pub written: String,
}

/// The journal, which nobody else writes while this is there.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    _lock: File,
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fresh id.
///
/// # Errors
/// When the system gives no random numbers.
pub fn id() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::Usage("the system gives no random numbers".to_owned()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Journal {
    /// Opens the journal in a data directory; waits for whoever else writes.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn open(data: &Path) -> Result<Self, Failure> {
        let folder = data.join("clients");
        let what = || format!("the journal of changes in {} (nothing was changed)", folder.display());
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder.join("before")).trying(what())?;
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true), &folder.join("lock"));
        let lock = lock.trying(what())?;
        flock(&lock, FlockOperation::LockExclusive).trying(what())?;
        Ok(Self { folder, _lock: lock })
    }

    /// Appends a line, to the disk.
    ///
    /// # Errors
    /// Why not.
    pub fn append(&self, line: &Line) -> Result<(), String> {
        let path = self.folder.join("journal.ndjson");
        let failed = |error: &dyn std::fmt::Display| unwritten("the journal", &path, error);
        let text = serde_json::to_string(line).map_err(|error| failed(&error))?;
        let opened = private(OpenOptions::new().create(true).append(true).read(true), &path);
        let mut file = opened.map_err(|error| failed(&error))?;
        let written = torn(&mut file).and_then(|torn| {
            let start = if torn { "\n" } else { "" };
            file.write_all(format!("{start}{text}\n").as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| failed(&error))
    }

    /// Keeps the bytes of a file, on the disk.
    ///
    /// # Errors
    /// Why not.
    pub fn keep(&self, bytes: &[u8]) -> Result<(), String> {
        let path = self.folder.join("before").join(sha256(bytes));
        let failed = |error: std::io::Error| unwritten("the copy", &path, &error);
        if std::fs::read(&path).is_ok_and(|kept| kept == bytes) {
            return Ok(());
        }
        let folder = self.folder.join("before");
        // Temporary files have the mode 0600 from the beginning.
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&folder).map_err(failed)?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// The bytes of that digest, if they are kept and are still those.
    pub fn kept(&self, sha: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join("before").join(sha)).ok().filter(|bytes| sha256(bytes) == sha)
    }

    /// Every change that was not undone and not dropped, the oldest first. A line that was cut off by a loss of
    /// power is none: its file was not changed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn open_changes(&self) -> Result<Vec<Change>, Failure> {
        Self::read(&self.folder)
    }

    /// [`Journal::open_changes`] for those who only look: nothing is made, and nobody is waited for.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn changes(data: &Path) -> Result<Vec<Change>, Failure> {
        Self::read(&data.join("clients"))
    }

    fn read(folder: &Path) -> Result<Vec<Change>, Failure> {
        let path = folder.join("journal.ndjson");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.trying(path.display())?,
        };
        let mut changes: Vec<Change> = Vec::new();
        for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            match line {
                Line::Change(change) => changes.push(*change),
                Line::Done { .. } => {}
                Line::Dropped { change } | Line::Undone { change } => changes.retain(|known| known.id != change),
            }
        }
        Ok(changes)
    }
}

fn unwritten(what: &str, path: &Path, error: &dyn std::fmt::Display) -> String {
    let remedy = "make it writable for you, or free some space, and try again";
    format!("{what} {} cannot be written ({error}): {remedy}", path.display())
}

/// Opens a file that nobody else may read.
fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    options.mode(0o600).open(path)
}

/// Whether the last line was cut off.
fn torn(file: &mut File) -> std::io::Result<bool> {
    use std::io::{Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let change = |id: &str| Change {
            id: id.to_owned(),
            run: "r".to_owned(),
            time: jiff::Timestamp::UNIX_EPOCH,
            version: "1".to_owned(),
            client: "c".to_owned(),
            file: "/f".into(),
            within: "/".into(),
            before: sha256(b"a"),
            after: sha256(b"b"),
            entries: Vec::new(),
            created: None,
        };
        journal.append(&Line::Change(Box::new(change("1")))).unwrap();
        let path = folder.path().join("clients/journal.ndjson");
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"line\":\"chan").unwrap();
        for id in ["2", "3", "4"] {
            journal.append(&Line::Change(Box::new(change(id)))).unwrap();
        }
        journal.append(&Line::Undone { change: "3".to_owned() }).unwrap();
        journal.append(&Line::Dropped { change: "4".to_owned() }).unwrap();
        let ids: Vec<String> = journal.open_changes().unwrap().into_iter().map(|change| change.id).collect();
        assert_eq!(ids, ["1", "2"]);
        journal.keep(b"a").unwrap();
        assert_eq!(journal.kept(&sha256(b"a")).as_deref(), Some(&b"a"[..]));
        assert_eq!(journal.kept(&sha256(b"b")), None);
    }
}
