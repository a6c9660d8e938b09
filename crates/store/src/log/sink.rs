//! Writes drafts whole or not at all.

use std::io;

use super::disk::Disk;

/// A disk, and how much of its segment is good.
pub(super) struct Sink {
    disk: Box<dyn Disk>,
    segment: u32,
    good: u64,
    /// Whether something half-written may stand behind the good bytes.
    ragged: bool,
}

impl Sink {
    pub(super) fn new(disk: Box<dyn Disk>) -> Sink {
        Sink { disk, segment: 0, good: 0, ragged: false }
    }

    /// Adds `bytes`, which begin the segment `opens` if that is given. When it fails, nothing of
    /// them is there, or will be before the next attempt.
    pub(super) fn write(&mut self, bytes: &[u8], opens: Option<u32>, sync: bool) -> io::Result<()> {
        if self.ragged {
            self.disk.truncate(self.good)?;
            self.ragged = false;
        }
        if let Some(segment) = opens
            && segment != self.segment
        {
            self.disk.open(segment)?;
            (self.segment, self.good) = (segment, 0);
        }
        let mut done = self.disk.write(bytes);
        if sync && done.is_ok() {
            done = self.disk.sync();
        }
        match done {
            Ok(()) => self.good += u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Err(_) => self.ragged = self.disk.truncate(self.good).is_err(),
        }
        done
    }
}
