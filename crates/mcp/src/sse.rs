//! Server-sent events, taken apart without losing a byte and written anew.
//!
//! The decoder gives each event together with the very bytes it was sent in, so that a relay can pass on what it does
//! not mean to change. It follows the event stream format of the HTML standard: lines end with LF, CR or CRLF, a byte
//! order mark may come first, lines of `data` are joined by LF, an event ends at a blank line.

mod encode;

use std::borrow::Cow;
use std::fmt;

pub use encode::{comment, with_id, write_event};

/// An event, or a comment between events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The bytes as they were sent, from the end of the event before to the end of this one. Together the `raw` of all
    /// events are the stream.
    pub raw: &'a [u8],
    /// The last `event` field.
    pub event: Option<&'a [u8]>,
    /// The `data` fields, joined by LF; `None` if there are none, in which case no client reacts to the event.
    pub data: Option<Cow<'a, [u8]>>,
    /// The last `id` field that holds no NUL. Empty resets the last event id.
    pub id: Option<&'a [u8]>,
    /// The last `retry` field that is all digits, in milliseconds.
    pub retry: Option<u64>,
}

impl Event<'_> {
    /// Whether a client takes this for a message: it has data, and no name or the name `message`.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.data.is_some() && matches!(self.event, None | Some(b"" | b"message"))
    }
}

/// An event is longer than the limit. The stream cannot be judged from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// How many bytes an event may have.
    pub limit: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event of more than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLong {}

/// Takes a stream of bytes apart into events.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    // Where the event being collected begins, where its unread line begins, and up to where that was searched.
    start: usize,
    line: usize,
    searched: usize,
    limit: usize,
    // No field so far in this event.
    blank: bool,
    // No event so far in this stream, so that a byte order mark may come.
    first: bool,
    last_end: LineEnd,
    failed: bool,
}

/// How the last line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// LF or CRLF.
    Complete,
    /// CR, and what came next was no LF.
    Bare,
    /// CR, believed at once because the line before ended with a bare one; a LF may still follow and means nothing.
    Presumed,
}

impl Decoder {
    /// Events of at most `limit` bytes, as sent.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            line: 0,
            searched: 0,
            limit,
            blank: true,
            first: true,
            last_end: LineEnd::Complete,
            failed: false,
        }
    }

    /// Gives back the memory of what was taken out: a long event leaves as much behind.
    pub fn compact(&mut self) {
        self.push(&[]);
        self.buffer.shrink_to_fit();
    }

    /// Takes what has arrived. Take the events out with [`Self::next_event`] before pushing more, to keep memory
    /// bounded.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.line -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete event, or `None` until more has arrived. A comment or blank line between events comes at once,
    /// as an event without any field, since it is there to keep the connection alive.
    ///
    /// # Errors
    /// [`TooLong`] when an event does not end within the limit; from then on always.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, TooLong> {
        let (start, first) = (self.start, self.first);
        let Some(end) = self.find()? else {
            return Ok(None);
        };
        Ok(self.buffer.get(start..end).map(|raw| read(raw, first)))
    }

    /// The bytes of an event that has begun and not ended. When the stream ends here, no client reacts to them.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Where the next event ends; moves on behind it.
    fn find(&mut self) -> Result<Option<usize>, TooLong> {
        while !self.failed {
            let Some((text, next)) = self.next_line() else {
                self.failed = self.buffer.len() - self.start > self.limit;
                if self.failed {
                    break;
                }
                return Ok(None);
            };
            let line = self.buffer.get(self.line..text).unwrap_or_default();
            let begins = self.first && self.line == self.start;
            let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| begins).unwrap_or(line);
            let comment = line.first() == Some(&b':');
            let ends = line.is_empty() || self.blank && comment;
            self.blank &= comment;
            self.line = next;
            self.searched = next;
            self.failed = next - self.start > self.limit;
            if ends && !self.failed {
                self.start = next;
                self.blank = true;
                self.first = false;
                return Ok(Some(next));
            }
        }
        self.buffer = Vec::new();
        (self.start, self.line, self.searched) = (0, 0, 0);
        Err(TooLong { limit: self.limit })
    }

    /// The next complete line: where its text ends and where the line after it begins.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        if self.last_end == LineEnd::Presumed {
            let leftover = *self.buffer.get(self.line)? == b'\n';
            self.last_end = if leftover { LineEnd::Complete } else { LineEnd::Bare };
            self.line += usize::from(leftover);
            self.searched = self.line;
        }
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(length) = memchr::memchr2(b'\n', b'\r', unsearched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + length;
        self.searched = end;
        let (behind, last_end) = match (self.buffer.get(end), self.buffer.get(end + 1)) {
            (Some(b'\n'), _) => (end + 1, LineEnd::Complete),
            // A stream of bare CRs would lag an event behind if each had to wait for what follows it.
            _ if self.last_end == LineEnd::Bare => (end + 1, LineEnd::Presumed),
            (_, Some(b'\n')) => (end + 2, LineEnd::Complete),
            (_, Some(_)) => (end + 1, LineEnd::Bare),
            (_, None) => return None,
        };
        self.last_end = last_end;
        Some((end, behind))
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of one event.
fn read(raw: &[u8], first: bool) -> Event<'_> {
    let mut event = Event { raw, event: None, data: None, id: None, retry: None };
    let text = raw.strip_prefix(BYTE_ORDER_MARK).filter(|_| first).unwrap_or(raw);
    for line in lines(text) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (line.get(..colon), line.get(colon + 1..)),
            None => (Some(line), Some(&b""[..])),
        };
        let (name, value) = (name.unwrap_or_default(), value.unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => match &mut event.data {
                None => event.data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    let data = data.to_mut();
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
            },
            b"event" => event.event = Some(value),
            b"id" if !value.contains(&0) => event.id = Some(value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let digits = value.iter().map(|digit| u64::from(digit - b'0'));
                event.retry = Some(digits.fold(0, |sum: u64, digit| sum.saturating_mul(10).saturating_add(digit)));
            }
            _ => {}
        }
    }
    event
}

/// The lines of a complete event, without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    // An empty line between CR and LF means nothing inside an event, so the pair needs no care.
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
}

#[cfg(test)]
mod tests;
