//! What the log says was used of each count.

use std::io;
use std::path::Path;

use audit::{Record, Uses};
use jiff::Timestamp;

use super::since::lines_since;

/// Sums up what all chains below `audit` say was used of each count at `since` and later, so that
/// a store that lost its memory can be filled again. What a killed process had sent and not
/// settled counts. Lines that are no records are passed over: [`verify`](super::verify()) first.
///
/// # Errors
/// When a file cannot be read.
pub fn uses_since(audit: &Path, since: Timestamp) -> io::Result<Uses> {
    let mut uses = Uses::since(since);
    lines_since(audit, since, |line| {
        if let Ok(record) = Record::decode(line) {
            uses.add(&record);
        }
    })?;
    Ok(uses)
}
