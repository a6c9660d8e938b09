//! A file of lines, plain or compressed, read in pieces and numbered.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use serde::de::IgnoredAny;

/// The longest line, in bytes.
const LONGEST: u64 = 16 << 20;

/// What some programs write at the beginning of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why an array is not read.
pub(crate) const ARRAY: &str =
    "a JSON array; one JSON object a line is read, and `jq -c '.[]'` makes lines of an array";

/// The lines of a file.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// The number of the last line that was read.
    number: u64,
    /// Whether one of them held anything.
    begun: bool,
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
        let mut lines = Self { reader, number: 0, begun: false };
        while lines.number < skip && lines.next()?.is_some() {}
        Ok(lines)
    }

    /// The lines of what is read already.
    pub(crate) fn of(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, number: 0, begun: false }
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
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        let start = bytes.trim_ascii_start().first().copied();
        let is_array = start == Some(b'[');
        let first = start.is_some() && !self.begun;
        self.begun |= start.is_some();
        if bytes.last() != Some(&b'\n') && u64::try_from(length).unwrap_or(0) >= LONGEST {
            self.skip_line()?;
            return Ok(Some((self.number, Err(if is_array { ARRAY } else { "longer than 16 MiB" }))));
        }
        // A file that is one array, written over many lines: nothing in it is a line of its own.
        if first && is_array && is_begun(&bytes) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is {ARRAY}")));
        }
        if is_array {
            return Ok(Some((self.number, Err(ARRAY))));
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

/// Whether JSON begins here and does not end.
fn is_begun(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn lines(text: &str) -> Lines {
        Lines::of(Box::new(Cursor::new(text.as_bytes().to_vec())))
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let piece = lines("\u{feff}{}\n\u{feff}{}\n").piece(9).unwrap();
        assert_eq!(piece, [(1, Ok("{}\n".to_owned())), (2, Ok("\u{feff}{}\n".to_owned()))]);
    }

    #[test]
    fn an_array_is_told_from_lines() {
        // A whole array on a line is one line that cannot be read; one that goes on is the whole file.
        for whole in ["[]\n{}\n", "\u{feff} [{\"name\": 1}]\n{}\n"] {
            let piece = lines(whole).piece(9).unwrap();
            assert_eq!(piece.first(), Some(&(1, Err(ARRAY))), "{whole}");
            assert_eq!(piece.get(1), Some(&(2, Ok("{}\n".to_owned()))), "{whole}");
        }
        for begun in ["[\n{},\n{}\n]\n", "\n \n[\n", "\u{feff}[{\n\"name\": 1}]\n"] {
            let error = lines(begun).piece(9).unwrap_err().to_string();
            assert!(error.contains("jq -c"), "{begun}: {error}");
        }
    }
}
