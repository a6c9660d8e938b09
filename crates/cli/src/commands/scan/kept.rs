//! The last scan of each source, in the data directory.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::changes::Kept;

/// Where scans are kept: one file for each source, in `scans` of the data directory.
#[derive(Debug)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// A sentence.
    pub fn open(data: &Path) -> Result<Self, String> {
        let open = || {
            let data = store::DataDir::open(data).map_err(|error| error.to_string())?;
            let scans = data.path().join("scans");
            DirBuilder::new().recursive(true).mode(0o700).create(&scans).map_err(|error| error.to_string())?;
            Ok(Self(scans))
        };
        open().map_err(|error: String| format!("the data directory {}: {error}", data.display()))
    }

    /// The last scan of a source, if there is one that can be read.
    pub fn last(&self, source: &str) -> Option<Kept> {
        Kept::read(&std::fs::read_to_string(self.file(source)).ok()?)
    }

    /// Keeps a scan in place of the last one, in one step.
    ///
    /// # Errors
    /// A sentence.
    pub fn keep(&self, source: &str, kept: &Kept) -> Result<(), String> {
        let write = || {
            // A temporary file is readable for its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            serde_json::to_writer(&mut file, kept)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(self.file(source))?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| format!("the data directory {}: {error}", self.0.display()))
    }

    fn file(&self, source: &str) -> PathBuf {
        self.0.join(format!("{source}.json"))
    }
}
