//! The files of a chain, behind a trait so that a failing disk can be tried.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::segments;

/// Where a chain's bytes go: one segment after the other, each only ever added to at its end.
pub trait Disk: Send {
    /// Makes the segment with this number, empty, and goes on there.
    ///
    /// # Errors
    /// When it cannot be made; the one before stays in use.
    fn open(&mut self, segment: u32) -> io::Result<()>;

    /// Adds to the segment.
    ///
    /// # Errors
    /// When not all of it could be added; a part of it may have been.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the segment off behind `length` bytes.
    ///
    /// # Errors
    /// When it could not be cut.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Brings the segment to disk.
    ///
    /// # Errors
    /// When that failed; what was added since the last time may be lost.
    fn sync(&mut self) -> io::Result<()>;
}

/// Segment files in a directory.
pub(super) struct Files {
    directory: PathBuf,
    /// Whether a new file's name has to be on disk before anything in it counts.
    sync_names: bool,
    segment: Option<File>,
}

impl Files {
    pub(super) fn new(directory: PathBuf, sync_names: bool) -> Files {
        Files { directory, sync_names, segment: None }
    }

    fn segment(&mut self) -> io::Result<&mut File> {
        self.segment.as_mut().ok_or_else(|| io::Error::other("no segment was opened"))
    }
}

impl Disk for Files {
    fn open(&mut self, segment: u32) -> io::Result<()> {
        let path = self.directory.join(segments::file_name(segment));
        // The directory is this process's own: a file that is there was left by a failed attempt.
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.set_len(0)?;
        if self.sync_names {
            File::open(&self.directory)?.sync_all()?;
        }
        self.segment = Some(file);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.segment()?.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.segment()?.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.segment()?.sync_data()
    }
}
