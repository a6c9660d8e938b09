//! The lines of a time, chain by chain, for those who count and need no order.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::cursor::first_segment_since;
use super::lines::ChainLines;
use super::segments;

/// Gives every line of the segments below `audit` that can hold a record of `since` or later; earlier records of those
/// segments are among them. A chain that is removed meanwhile is passed over.
///
/// # Errors
/// When a file cannot be read.
pub fn lines_since(audit: &Path, since: Timestamp, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    for chain in segments::chains(audit)? {
        let Some(first) = first_segment_since(&chain, since) else { continue };
        let mut lines = ChainLines::new(chain.path, first);
        while lines.read(&mut line)? {
            each(&line);
        }
    }
    Ok(())
}
