use std::fmt;

/// Why a text is not strict JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The byte, counted from 0, at which the fault shows.
    pub offset: usize,
    /// The fault.
    pub kind: ErrorKind,
}

/// The faults that make a text something else than strict JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A byte sequence that is not UTF-8.
    Utf8,
    /// A byte order mark before the text.
    ByteOrderMark,
    /// The text ends inside a value, or is empty.
    UnexpectedEnd,
    /// Something else than the grammar allows here; `expected` names what would have been right.
    Unexpected {
        /// What the grammar allows here.
        expected: &'static str,
    },
    /// Text after the value.
    Trailing,
    /// A key that its object already has, compared after unescaping.
    DuplicateKey(Box<str>),
    /// A control character that is not escaped inside a string.
    ControlCharacter,
    /// A backslash followed by something that is no escape.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number with a superfluous leading zero.
    LeadingZero,
    /// A number of more than [`MAX_DIGITS`](super::MAX_DIGITS) digits.
    Digits,
    /// An exponent beyond [`MAX_EXPONENT`](super::MAX_EXPONENT).
    Exponent,
    /// A number whose nearest binary64 is infinite.
    NotFinite,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) arrays and objects open at once.
    Depth,
    /// A text of 4 GiB or more.
    TooLong,
}

/// An [`Error`] on its way out of the scanner: one word wide, so that results without one fit into registers.
#[derive(Debug)]
pub(crate) struct Fault(Box<Error>);

impl Fault {
    #[cold]
    pub(crate) fn new(offset: usize, kind: ErrorKind) -> Self {
        Self(Box::new(Error { offset, kind }))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        *fault.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, kind } = self;
        match kind {
            ErrorKind::Utf8 => write!(f, "invalid UTF-8 at byte {offset}"),
            ErrorKind::ByteOrderMark => {
                write!(f, "byte order mark before the text; send UTF-8 without one")
            }
            ErrorKind::UnexpectedEnd => write!(f, "the text ends at byte {offset} before its value is complete"),
            ErrorKind::Unexpected { expected } => write!(f, "expected {expected} at byte {offset}"),
            ErrorKind::Trailing => write!(f, "text after the value at byte {offset}"),
            ErrorKind::DuplicateKey(key) => {
                write!(f, "duplicate key `{}` at byte {offset}", Shown(key))
            }
            ErrorKind::ControlCharacter => write!(f, "unescaped control character in a string at byte {offset}"),
            ErrorKind::Escape => write!(f, "unknown escape at byte {offset}"),
            ErrorKind::LoneSurrogate => write!(f, "half of a surrogate pair at byte {offset}"),
            ErrorKind::LeadingZero => write!(f, "leading zero in a number at byte {offset}"),
            ErrorKind::Digits => write!(f, "number of more than {} digits at byte {offset}", super::MAX_DIGITS),
            ErrorKind::Exponent => write!(f, "exponent beyond {} at byte {offset}", super::MAX_EXPONENT),
            ErrorKind::NotFinite => {
                write!(f, "number beyond the range of binary64 at byte {offset}")
            }
            ErrorKind::TooLong => write!(f, "text of 4 GiB or more"),
            ErrorKind::Depth => write!(f, "more than {} levels of nesting at byte {offset}", super::MAX_DEPTH),
        }
    }
}

impl std::error::Error for Error {}

/// A key from outside, safe to print: shortened, and with everything odd escaped.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        for character in self.0.chars().take(SHOWN) {
            if character.is_ascii() && !character.is_ascii_control() && character != '`' {
                write!(f, "{character}")?;
            } else {
                write!(f, "{}", character.escape_unicode())?;
            }
        }
        if self.0.chars().nth(SHOWN).is_some() {
            write!(f, "…")?;
        }
        Ok(())
    }
}
