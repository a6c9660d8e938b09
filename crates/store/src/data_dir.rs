//! The directory itself: who may enter, and which versions may write in it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The layout that this version writes. 2: the counts say how often they were changed.
const FORMAT: u32 = 2;

/// The oldest version of the layout that may write beside this one. Whoever does not raise the number
/// of changes would be overlooked.
const MINIMUM_WRITER: u32 = 2;

/// Where the chains of the audit log lie in it.
const AUDIT: &str = "audit";

#[derive(Debug, Serialize, Deserialize)]
struct Format {
    format: u32,
    minimum_writer: u32,
}

/// Makes a file that is there for its owner alone, if there is none; the files that a database puts beside it take
/// after it.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// Whether what failed may work again by itself: the disk is full, takes nothing now, or fails.
pub fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind::{
        FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StaleNetworkFileHandle, StorageFull, TimedOut,
    };
    let kinds =
        [FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StaleNetworkFileHandle, StorageFull, TimedOut];
    // A disk that fails has no kind of its own.
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// A data directory that may be written.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

/// Why a data directory cannot be used. It was not changed.
#[derive(Debug, thiserror::Error)]
pub enum BadDataDir {
    /// The operating system's reason.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Its `format` file is no such file.
    #[error("the file `format` in it cannot be read ({0}); it is not a data directory of Toolgate, or was damaged")]
    Unreadable(String),
    /// A newer version has written there.
    #[error(
        "a newer version of Toolgate has written there (format {found}); this one may write format {FORMAT} only: upgrade it, or use another --data directory"
    )]
    Newer {
        /// The oldest format that may write.
        found: u32,
    },
}

impl DataDir {
    /// Opens a directory, or makes it, readable for its owner alone.
    ///
    /// # Errors
    /// [`BadDataDir`], in which case nothing was changed.
    pub fn open(path: &Path) -> Result<Self, BadDataDir> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let format = path.join("format");
        match format_of(path)? {
            Some(found) if found.format < FORMAT => {
                let newer = path.join(format!("format.{}", crate::log::ids::next()));
                write_once(&newer, &ours()?)?;
                fs::rename(newer, &format)?;
            }
            Some(_) => {}
            None => write_once(&format, &ours()?)?,
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// Where the audit log of a directory lies, for those who only read it: nothing is written, so the directory may
    /// lie where nothing can be.
    ///
    /// # Errors
    /// [`BadDataDir`], as for those who write.
    pub fn audit_of(path: &Path) -> Result<PathBuf, BadDataDir> {
        format_of(path)?;
        Ok(path.join(AUDIT))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the chains of the audit log lie.
    pub fn audit(&self) -> PathBuf {
        self.path.join(AUDIT)
    }

    /// Where the search index of the catalogue lies. It is derived data and may be deleted.
    pub fn search(&self) -> PathBuf {
        self.path.join("search")
    }

    /// A subdirectory, made if need be.
    pub(crate) fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(path)
    }
}

/// What the `format` file says, if there is one, and this version may write there.
fn format_of(path: &Path) -> Result<Option<Format>, BadDataDir> {
    let text = match fs::read_to_string(path.join("format")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let found: Format = serde_json::from_str(&text).map_err(|error| BadDataDir::Unreadable(error.to_string()))?;
    if found.minimum_writer > FORMAT {
        return Err(BadDataDir::Newer { found: found.minimum_writer });
    }
    Ok(Some(found))
}

/// The `format` file of this version.
fn ours() -> Result<Vec<u8>, BadDataDir> {
    let ours = Format { format: FORMAT, minimum_writer: MINIMUM_WRITER };
    let mut text = serde_json::to_vec(&ours).map_err(|error| BadDataDir::Unreadable(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// Writes a file that must not change afterwards: whole, or not at all, by whoever comes first.
pub(crate) fn write_once(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}", crate::log::ids::next()));
    let draft = path.with_file_name(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written =
        file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| match fs::hard_link(&draft, path) {
            // Another process was faster, and wrote the like.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    fs::remove_file(&draft)?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(DataDir::audit_of(dir.path()).unwrap(), dir.path().join("audit"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let format = dir.path().join("format");
        let older = r#"{ "format": 1, "minimum_writer": 1 }"#;
        fs::write(&format, older).unwrap();
        DataDir::audit_of(dir.path()).unwrap();
        assert_eq!(fs::read_to_string(&format).unwrap(), older);
        fs::write(&format, r#"{ "format": 9, "minimum_writer": 9 }"#).unwrap();
        assert!(matches!(DataDir::audit_of(dir.path()), Err(BadDataDir::Newer { found: 9 })));
    }

    #[test]
    fn a_newer_directory_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        DataDir::open(&path).unwrap();
        DataDir::open(&path).unwrap();
        fs::write(path.join("format"), r#"{ "format": 9, "minimum_writer": 9 }"#).unwrap();
        let error = DataDir::open(&path).unwrap_err().to_string();
        assert!(error.contains("newer version"), "{error}");
        // An older layout is brought to this one, and an older version may write there no more.
        fs::write(path.join("format"), r#"{ "format": 1, "minimum_writer": 1 }"#).unwrap();
        DataDir::open(&path).unwrap();
        assert!(fs::read_to_string(path.join("format")).unwrap().contains(r#""minimum_writer":2"#));
        // Newer, but this version may still write beside it.
        fs::write(path.join("format"), r#"{ "format": 9, "minimum_writer": 1 }"#).unwrap();
        DataDir::open(&path).unwrap();
        fs::write(path.join("format"), "x").unwrap();
        assert!(matches!(DataDir::open(&path), Err(BadDataDir::Unreadable(_))));
    }
}
