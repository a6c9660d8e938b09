//! Old segments are removed, whole, and the instance signs that they were: `<audit>/<chain>/begins`.
//!
//! Nothing is removed of a chain that is not in order: its first fault would go with it. A chain of which nothing is
//! left keeps its directory and its statement, so that it is not missed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use audit::checkpoint::{BadBeginning, Beginning};
use audit::{Id, SigningKey};
use jiff::Timestamp;

use super::segments::{self, Chain};
use super::{predecessor, verify};

/// Name of the statement.
const NAME: &str = "begins";

/// Held by the process that removes: one at a time.
const LOCK: &str = "pruning";

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many segments.
    pub segments: u64,
    /// Chains that have old segments and are not in order, or were signed by another key, or could not be read or
    /// written: what was begun there is ended by the next attempt.
    pub kept: Vec<Id>,
}

/// Removes segments below `audit` all of whose records are from before `before`: those at the beginnings of chains, and
/// never the one that is being written. When another process is at it, nothing is done.
///
/// # Errors
/// When the directory cannot be read, or the lock not be made.
pub fn prune(audit: &Path, before: Timestamp, key: &SigningKey) -> io::Result<Pruned> {
    let mut pruned = Pruned::default();
    let mut options = OpenOptions::new();
    let lock = match options.write(true).create(true).truncate(false).mode(0o600).open(audit.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pruned),
        lock => lock?,
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(pruned),
        locked => locked.map_err(io::Error::from)?,
    }
    for chain in segments::chains(audit)? {
        // One that cannot be read holds up no other.
        if prune_chain(&chain, before, key, &mut pruned).is_err() {
            pruned.kept.push(chain.id);
        }
    }
    Ok(pruned)
}

fn prune_chain(chain: &Chain, before: Timestamp, key: &SigningKey, pruned: &mut Pruned) -> io::Result<()> {
    // Asked before looking: the segments that were there then are not written any more, but for the last.
    let growing = usize::from(chain.is_running());
    let there = segments::segment_numbers(&chain.path)?;
    let begun = read(&chain.path)?;
    let first = match &begun {
        Some(Ok(beginning)) => beginning.segment,
        Some(Err(BadBeginning)) => return keep(chain, pruned),
        None => 1,
    };
    // What an earlier attempt had signed away and not removed.
    for number in there.iter().filter(|number| **number < first) {
        fs::remove_file(chain.segment(*number))?;
        pruned.segments += 1;
    }
    let there: Vec<u32> = there.into_iter().filter(|number| *number >= first).collect();
    let closed = there.get(..there.len().saturating_sub(growing)).unwrap_or_default();
    let mut last = None;
    for number in closed {
        match predecessor::last_record(&chain.segment(*number))? {
            Some(record) if record.time < before => last = Some((*number, record)),
            _ => break,
        }
    }
    let Some((number, record)) = last else { return Ok(()) };
    let report = verify::check_alone(chain)?;
    let ours = key.public();
    if report.finding.is_some() || report.signed.is_some_and(|signed| signed.key != ours.fingerprint()) {
        return keep(chain, pruned);
    }
    let beginning = Beginning {
        chain: chain.id,
        segment: number.saturating_add(1),
        seq: record.seq.saturating_add(1),
        previous: record.hash,
        after: report.after,
        removed_at: Timestamp::now(),
        key: ours,
    };
    write(&chain.path, &beginning.seal(key).map_err(io::Error::other)?)?;
    for number in closed.iter().filter(|closed| **closed <= number) {
        fs::remove_file(chain.segment(*number))?;
        pruned.segments += 1;
    }
    Ok(())
}

fn keep(chain: &Chain, pruned: &mut Pruned) -> io::Result<()> {
    pruned.kept.push(chain.id);
    Ok(())
}

/// Where a chain says that it begins, if it does not begin with its first segment.
pub(super) fn read(chain: &Path) -> io::Result<Option<Result<Beginning, BadBeginning>>> {
    match fs::read(chain.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => Ok(Some(String::from_utf8(bytes?).map_err(|_| BadBeginning).and_then(|text| Beginning::open(&text)))),
    }
}

/// The statement is on disk before anything is removed.
fn write(chain: &Path, text: &str) -> io::Result<()> {
    let draft = chain.join(format!(".{NAME}"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, chain.join(NAME))?;
    File::open(chain)?.sync_all()
}
