//! A file of lines, plain or compressed, read in pieces and numbered.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// The longest line, in bytes.
const LONGEST: u64 = 16 << 20;

/// The lines of a file.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// The number of the last line that was read.
    number: u64,
}

/// A line with its number; nothing when it is too long or no text.
pub(crate) type Line = (u64, Result<String, &'static str>);

/// Counts the bytes that are read of the file itself.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(into)?;
        self.read.fetch_add(u64::try_from(length).unwrap_or(0), Ordering::Relaxed);
        Ok(length)
    }
}

impl Lines {
    /// Opens a file, and leaves out its first lines.
    pub(crate) fn open(path: &Path, skip: u64, read: Arc<AtomicU64>) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(1 << 16, Counted { file: File::open(path)?, read });
        let compressed = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + Send> = match compressed {
            true => Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))),
            false => Box::new(reader),
        };
        Self::skipping(reader, skip)
    }

    /// Leaves out the first lines.
    pub(crate) fn skipping(reader: Box<dyn BufRead + Send>, skip: u64) -> io::Result<Self> {
        let mut lines = Self { reader, number: 0 };
        while lines.number < skip && lines.next()?.is_some() {}
        Ok(lines)
    }

    /// The lines of what is read already.
    pub(crate) fn of(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, number: 0 }
    }

    /// The next lines, at most so many; none at the end.
    pub(crate) fn piece(&mut self, most: usize) -> io::Result<Vec<Line>> {
        let mut piece = Vec::with_capacity(most);
        while piece.len() < most {
            match self.next()? {
                Some(line) => piece.push(line),
                None => break,
            }
        }
        Ok(piece)
    }

    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let length = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        if bytes.last() != Some(&b'\n') && u64::try_from(length).unwrap_or(0) >= LONGEST {
            self.skip_line()?;
            return Ok(Some((self.number, Err("longer than 16 MiB"))));
        }
        Ok(Some((self.number, String::from_utf8(bytes).map_err(|_| "not UTF-8"))))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.reader.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}
