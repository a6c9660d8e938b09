//! The scanner under every way of reading JSON here.

use std::borrow::Cow;

use super::keys::Keys;
use super::number;
use super::span::Span;
use super::text::unescape;
use super::{ErrorKind, Fault, MAX_DEPTH};

/// Walks a JSON text once, from left to right, and refuses whatever is not strict.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    keys: Keys,
}

/// A string literal in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoted {
    // From the quote that opens to behind the one that closes.
    start: usize,
    end: usize,
    escaped: bool,
}

impl Quoted {
    /// What stands between the quotes, still escaped.
    pub(crate) fn inner(self) -> Span {
        Span::new(self.start + 1, self.end - 1)
    }

    /// The literal with its quotes.
    pub(crate) fn outer(self) -> Span {
        Span::new(self.start, self.end)
    }

    /// Whether there is anything to unescape.
    pub(crate) fn escaped(self) -> bool {
        self.escaped
    }
}

impl<'a> Scanner<'a> {
    /// Stands before the first value of `text`.
    #[inline]
    pub(crate) fn new(text: &'a str) -> Self {
        let mut scanner = Self { text, bytes: text.as_bytes(), at: 0, keys: Keys::default() };
        scanner.space();
        scanner
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Where the scanner stands. Before a value this is its first byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The byte the scanner stands before: of a value, the one that tells its type.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The string with its escapes undone; borrowed unless it has any.
    pub(crate) fn decode(&self, quoted: Quoted) -> Cow<'a, str> {
        unescape(quoted.inner().of(self.text), quoted.escaped)
    }

    /// Demands that nothing but white space is left, and that no span was too far out to be noted. Nothing that was read
    /// may be believed before this.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if u32::try_from(self.bytes.len()).is_err() {
            Err(self.error(ErrorKind::TooLong))
        } else if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(self.error(ErrorKind::Trailing))
        }
    }

    /// Passes over one value; `depth` is how many arrays and objects are open around it. Returns where it stood.
    pub(crate) fn skip(&mut self, depth: usize) -> Result<Span, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.string().map(Quoted::outer),
            Some(b'{') => self.object(depth, |scanner, _| scanner.skip(depth + 1).map(drop))?,
            Some(b'[') => self.array(depth, |scanner| scanner.skip(depth + 1).map(drop))?,
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            Some(b'-' | b'0'..=b'9') => return self.number(),
            _ => return Err(self.expected("a value")),
        }
        Ok(self.span(start))
    }

    /// Reads an object, from its brace to its brace. `member` gets each key, with the scanner before the key's value,
    /// and must consume that value.
    pub(crate) fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, Quoted) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.open(depth)?;
        let mark = self.keys.mark();
        if self.peek() != Some(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a key in double quotes"));
                }
                let key = self.string()?;
                self.keys.add(self.text, mark, key)?;
                self.space();
                if self.peek() != Some(b':') {
                    return Err(self.expected("`:`"));
                }
                self.at += 1;
                self.space();
                member(self, key)?;
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.expected("`,` or `}`")),
                }
                self.space();
            }
        }
        self.at += 1;
        self.keys.close(self.text, mark)
    }

    /// Reads an array, from its bracket to its bracket. `item` is called with the scanner before each element and must
    /// consume it.
    pub(crate) fn array(
        &mut self,
        depth: usize,
        mut item: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.open(depth)?;
        if self.peek() != Some(b']') {
            loop {
                item(self)?;
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.expected("`,` or `]`")),
                }
                self.space();
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a string literal; the scanner stands before its quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Quoted, Fault> {
        let open = self.at;
        let mut at = open + 1;
        let mut escaped = false;
        loop {
            at = plain_end(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(_) => return Err(Fault::new(at, ErrorKind::ControlCharacter)),
                None => return Err(Fault::new(at, ErrorKind::UnexpectedEnd)),
            }
        }
        self.at = at + 1;
        Ok(Quoted { start: open, end: at + 1, escaped })
    }

    /// Reads a number.
    pub(crate) fn number(&mut self) -> Result<Span, Fault> {
        let start = self.at;
        self.at = number::end(self.text, start)?;
        Ok(self.span(start))
    }

    /// Reads `true`, `false` or `null`.
    pub(crate) fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.expected(word))
        }
    }

    /// The error of finding something else here.
    pub(crate) fn expected(&self, expected: &'static str) -> Fault {
        let kind = match self.peek() {
            None => ErrorKind::UnexpectedEnd,
            Some(_) if self.at == 0 && self.text.starts_with('\u{feff}') => ErrorKind::ByteOrderMark,
            Some(_) => ErrorKind::Unexpected { expected },
        };
        self.error(kind)
    }

    /// From `start` to here.
    pub(crate) fn span(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }

    fn error(&self, kind: ErrorKind) -> Fault {
        Fault::new(self.at, kind)
    }

    /// Steps into an array or object.
    fn open(&mut self, depth: usize) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(self.error(ErrorKind::Depth));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Checks the escape at `at` (its backslash) and returns where it ends. A pair of surrogates is one escape.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match self.unit(at)? {
                0xd800..=0xdbff => match self.unit(at + 6) {
                    Ok(0xdc00..=0xdfff) => Ok(at + 12),
                    _ => Err(Fault::new(at, ErrorKind::LoneSurrogate)),
                },
                0xdc00..=0xdfff => Err(Fault::new(at, ErrorKind::LoneSurrogate)),
                _ => Ok(at + 6),
            },
            Some(_) => Err(Fault::new(at, ErrorKind::Escape)),
            None => Err(Fault::new(at + 1, ErrorKind::UnexpectedEnd)),
        }
    }

    /// The UTF-16 unit of a `\uXXXX` at `at`.
    fn unit(&self, at: usize) -> Result<u16, Fault> {
        let digits = match self.bytes.get(at..).and_then(|rest| rest.first_chunk::<6>()) {
            Some([b'\\', b'u', digits @ ..]) => digits,
            _ => return Err(Fault::new(at, ErrorKind::Escape)),
        };
        digits.iter().try_fold(0_u16, |unit, digit| {
            let value = char::from(*digit).to_digit(16).and_then(|value| u16::try_from(value).ok());
            value.map(|value| unit << 4 | value).ok_or_else(|| Fault::new(at, ErrorKind::Escape))
        })
    }
}

/// Where the run of plain string bytes from `at` ends: the next quote, backslash or control character, or the end.
///
/// Eight bytes at a time, since strings are most of what passes through a gateway.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * b'"' as u64));
        let backslash = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        // A borrow can only spoil bytes above a true hit, so the lowest hit is always true.
        let hit = quote | backslash | control;
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}
