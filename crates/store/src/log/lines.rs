//! The lines of one segment or one chain, without ever holding a whole file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::segments;

/// Longest line that is read; no record is longer. A longer one is given out in pieces, none of
/// which is a record.
const LONGEST: u64 = 8 << 20;

/// Reads a file line by line; a last line without a line feed is kept apart.
pub(super) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    /// Where the line at hand begins.
    start: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Lines> {
        let file = BufReader::with_capacity(1 << 16, File::open(path)?);
        Ok(Lines { file, line: Vec::new(), start: 0 })
    }

    /// From `offset` on, which is the beginning of a line.
    pub(super) fn open_at(path: &Path, offset: u64) -> io::Result<Lines> {
        let mut lines = Lines::open(path)?;
        lines.file.seek(SeekFrom::Start(offset))?;
        lines.start = offset;
        Ok(lines)
    }

    /// The next line without its line feed; `None` when there is no whole line (yet).
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.line.last() == Some(&b'\n') || self.line.len() as u64 >= LONGEST {
            self.start += self.line.len() as u64;
        } else if !self.line.is_empty() {
            // The beginning of a line was all there was. A failed write may have been taken back
            // since, so it is read anew.
            self.file.seek(SeekFrom::Start(self.start))?;
        }
        self.line.clear();
        io::Read::take(&mut self.file, LONGEST).read_until(b'\n', &mut self.line)?;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if self.line.len() as u64 >= LONGEST => Ok(Some(&self.line)),
            None => Ok(None),
        }
    }

    /// Moves the next line into `line`; `false` when there is none (yet).
    fn take(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let Some(read) = self.next()? else {
            return Ok(false);
        };
        line.clear();
        line.extend_from_slice(read);
        Ok(true)
    }

    /// What follows the last line feed, after [`next`](Lines::next) gave `None`.
    pub(super) fn tail(&self) -> &[u8] {
        &self.line
    }

    pub(super) fn skip_to_end(&mut self) -> io::Result<()> {
        while self.next()?.is_some() {}
        Ok(())
    }
}

/// Reads a chain, segment after segment, as far as it has come.
pub(super) struct ChainLines {
    path: PathBuf,
    segment: u32,
    lines: Option<Lines>,
}

impl ChainLines {
    /// From segment `first` on.
    pub(super) fn new(path: PathBuf, first: u32) -> ChainLines {
        ChainLines { path, segment: first, lines: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the next line into `line`, without its line feed. `false` when there is none (yet).
    pub(super) fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => match Lines::open(&self.path.join(segments::file_name(self.segment))) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                    opened => self.lines.insert(opened?),
                },
            };
            if lines.take(line)? {
                return Ok(true);
            }
            let next = self.segment.saturating_add(1);
            if !self.path.join(segments::file_name(next)).exists() {
                return Ok(false);
            }
            // A segment is complete once the next one is there, so what came in between is seen.
            if lines.take(line)? {
                return Ok(true);
            }
            (self.segment, self.lines) = (next, None);
        }
    }

    /// Passes over all that is there.
    pub(super) fn skip_to_end(&mut self) -> io::Result<()> {
        let numbers = segments::segment_numbers(&self.path)?;
        let Some(last) = numbers.last() else {
            return Ok(());
        };
        self.segment = *last;
        let mut lines = Lines::open(&self.path.join(segments::file_name(*last)))?;
        lines.skip_to_end()?;
        self.lines = Some(lines);
        Ok(())
    }
}
