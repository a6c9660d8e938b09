//! The first page of the counts file: what the table is, and who changed it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::slots::{Reader, damaged};

const MAGIC: &[u8; 8] = b"TGcounts";

/// The form of the file. The first had no number of changes, no boot and no time of syncing.
const FORM: u32 = 2;

/// Bytes of the header proper.
const LENGTH: usize = 64;

/// Where somebody who waits for the file says so, without holding its lock.
const WAITED: u64 = 64;

/// What stands at the beginning of the file.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) slots: u64,
    pub(super) used: u64,
    /// Rises with every turn in which something was written: who finds the number that it left
    /// knows what the file holds.
    pub(super) changes: u64,
    /// Everything that was written before is on disk, in milliseconds since 1970.
    pub(super) synced: i64,
    /// The machine's boot in which the file was used last; zeros where systems name none.
    pub(super) boot: [u8; 16],
}

impl Header {
    pub(super) fn fresh(slots: u64) -> Self {
        Self { slots, used: 0, changes: 0, synced: 0, boot: [0; 16] }
    }

    /// The header, and when somebody had to wait for the file last, in milliseconds since 1970.
    pub(super) fn read(file: &File) -> io::Result<(Self, i64)> {
        let mut bytes = [0; LENGTH + 8];
        file.read_exact_at(&mut bytes, 0).map_err(|error| damaged(&error.to_string()))?;
        let mut reader = Reader(&bytes);
        if reader.take::<8>()? != *MAGIC {
            return Err(damaged("it does not begin as such a file does"));
        }
        let form = reader.u32()?;
        if form > FORM {
            return Err(io::Error::other("a newer version of Toolgate has written this file: upgrade this one"));
        }
        let _reserved = reader.u32()?;
        let (slots, used) = (reader.u64()?, reader.u64()?);
        let header = Self { slots, used, changes: reader.u64()?, synced: reader.i64()?, boot: reader.take::<16>()? };
        if form == 0 || header.slots == 0 || header.slots > 1 << 32 {
            return Err(damaged("its size makes no sense"));
        }
        Ok((header, reader.i64()?))
    }

    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORM.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&self.slots.to_le_bytes());
        bytes.extend_from_slice(&self.used.to_le_bytes());
        bytes.extend_from_slice(&self.changes.to_le_bytes());
        bytes.extend_from_slice(&self.synced.to_le_bytes());
        bytes.extend_from_slice(&self.boot);
        file.write_all_at(&bytes, 0)
    }
}

/// Tells whoever holds the file's lock that somebody waits for it, at this time in milliseconds.
pub(super) fn say_waiting(file: &File, now: i64) {
    // Nothing hangs on it but a shorter wait the next time.
    let _ = file.write_all_at(&now.to_le_bytes(), WAITED);
}
