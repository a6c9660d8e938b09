//! What a chain holds behind a place, checked as it is read: for those who copy it elsewhere.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use audit::{Head, Kind, Record};

use super::lines::Lines;
use super::segments;

/// Held by the process that copies the chains of a directory: one at a time.
const LOCK: &str = "shipping";

/// A place in a chain, behind a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The segment.
    pub segment: u32,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The number of that record; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub head: Head,
}

/// What follows on a place.
#[derive(Debug, Default)]
pub struct Tail {
    /// The records, and their lines without the line feed.
    pub records: Vec<(Record, String)>,
    /// Behind them.
    pub position: Position,
    /// What follows does not fit what was read before: it was altered, or the process took a record back that it could
    /// not write whole. [`segment_start`] is where to read anew.
    pub broken: bool,
}

/// Reads up to `most` records of a chain behind `from`. Segments that were removed meanwhile are passed over.
///
/// # Errors
/// When a file cannot be read.
pub fn tail(chain: &Path, from: Position, most: usize) -> io::Result<Tail> {
    let mut tail = Tail { position: from, ..Tail::default() };
    let numbers = segments::segment_numbers(chain)?;
    let Some(first) = numbers.into_iter().find(|number| *number >= from.segment) else { return Ok(tail) };
    if first != from.segment {
        match segment_start(chain, first)? {
            Some(start) => tail.position = start,
            None => return Ok(tail),
        }
    }
    while tail.records.len() < most && !tail.broken {
        let segment = chain.join(segments::file_name(tail.position.segment));
        let next = tail.position.segment.saturating_add(1);
        // Asked before reading: a segment is complete once the next one is there.
        let complete = chain.join(segments::file_name(next)).exists();
        let rest = read(&segment, &mut tail, most)?;
        if tail.broken || tail.records.len() >= most || !complete {
            break;
        }
        if rest {
            tail.broken = true;
        } else {
            (tail.position.segment, tail.position.offset) = (next, 0);
        }
    }
    Ok(tail)
}

/// Reads on in one segment. Returns whether something without a line feed is left.
fn read(segment: &Path, tail: &mut Tail, most: usize) -> io::Result<bool> {
    if fs::metadata(segment)?.len() < tail.position.offset {
        tail.broken = true;
        return Ok(false);
    }
    let mut lines = Lines::open_at(segment, tail.position.offset)?;
    while tail.records.len() < most {
        let Some(line) = lines.next()? else { return Ok(!lines.tail().is_empty()) };
        let record = Record::decode(line).ok().filter(|record| record.seq == tail.position.seq.saturating_add(1));
        let Some(record) = record.filter(|_| Record::follows(line, &tail.position.head)) else {
            tail.broken = true;
            break;
        };
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        let text = String::from_utf8_lossy(line).into_owned();
        tail.position.offset = tail.position.offset.saturating_add(length);
        (tail.position.seq, tail.position.head) = (record.seq, record.hash);
        tail.records.push((record, text));
    }
    Ok(false)
}

/// Before the first record of a segment, as that record says; `None` where it is not written yet, or none.
///
/// # Errors
/// When the file cannot be read.
pub fn segment_start(chain: &Path, segment: u32) -> io::Result<Option<Position>> {
    let mut lines = match Lines::open(&chain.join(segments::file_name(segment))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        lines => lines?,
    };
    let Some(line) = lines.next()? else { return Ok(None) };
    let record = Record::decode(line).ok().filter(|record| record.kind == Kind::Segment);
    Ok(record.and_then(|record| {
        Some(Position { segment, offset: 0, seq: record.seq.saturating_sub(1), head: record.previous? })
    }))
}

/// Before the first record that is there; `None` where there is none yet.
///
/// # Errors
/// When the directory or the file cannot be read.
pub fn chain_start(chain: &Path) -> io::Result<Option<Position>> {
    match segments::segment_numbers(chain)?.first() {
        Some(first) => segment_start(chain, *first),
        None => Ok(None),
    }
}

/// The right to copy the chains below `audit`, for as long as it is held; `None` while another process has it.
///
/// # Errors
/// When the lock cannot be made.
pub fn shipping(audit: &Path) -> io::Result<Option<File>> {
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(audit.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
