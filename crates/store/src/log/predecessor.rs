//! How far the youngest other chain has come: the first record of a new chain says so, which is
//! how a chain is missed that somebody removes as a whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use audit::{After, Id, Record};

use super::segments;

/// How many chains are looked at for one that has a record.
const TRIES: usize = 8;
/// How much of the end of a segment is read for its last record.
const END: u64 = 256 << 10;

/// The youngest chain besides `own`. `None` when there is none with a record that can be read: a
/// new chain must not fail because of what lies beside it.
pub(super) fn find(audit: &Path, own: Id) -> Option<After> {
    let ids = segments::chain_ids(audit).ok()?;
    let others = ids.into_iter().rev().filter(|id| *id != own).take(TRIES);
    others.into_iter().find_map(|chain| {
        let path = audit.join(chain.to_string());
        let numbers = segments::segment_numbers(&path).ok()?;
        // The last segment may have been begun without a whole record.
        let record = numbers
            .iter()
            .rev()
            .take(2)
            .find_map(|number| last_record(&path.join(segments::file_name(*number))).ok().flatten())?;
        Some(After { chain, seq: record.seq, head: record.hash })
    })
}

/// The last whole record of a segment.
pub(super) fn last_record(segment: &Path) -> io::Result<Option<Record>> {
    let mut file = File::open(segment)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    // Behind the last line feed is what is being written.
    let mut lines = end.rsplit(|byte| *byte == b'\n').skip(1);
    Ok(lines.next().and_then(|line| Record::decode(line).ok()))
}
