//! Strict JSON: RFC 8259 and nothing beside it, read in one way only.
//!
//! A gateway judges one reading of a text and forwards the text itself, so every text on which parsers of the field
//! disagree is refused: keys that occur twice after unescaping, lone surrogates, a byte order mark, invalid UTF-8,
//! numbers that are no finite binary64, nesting that overflows somebody's stack. All ways of reading (tree, check,
//! message) share one scanner and therefore one strictness.

mod decimal;
mod edit;
mod error;
mod keys;
mod looks;
mod mend;
mod number;
mod rewrite;
mod scan;
mod span;
mod text;
mod tree;

pub use decimal::Decimal;
pub use edit::{locate, remove, splice};
pub(crate) use error::Fault;
pub use error::{Error, ErrorKind};
pub use looks::plain_keys;
pub use mend::mend_surrogates;
pub use number::Number;
pub use rewrite::{Step, Token, replace_strings, rewrite};
pub use span::Span;
pub use text::{quote, quote_into, unquote};
pub use tree::{Object, Value};

pub(crate) use edit::{Members, cut};
pub(crate) use scan::{Quoted, Scanner};
pub(crate) use text::{folds_to, unescape};

/// How many arrays and objects may be open at once.
pub const MAX_DEPTH: usize = 128;
/// How many digits a number may have from the first that is not zero, trailing zeros counted.
pub const MAX_DIGITS: usize = 64;
/// The largest written exponent of a number in either direction, and the most zeros before its first other digit.
pub const MAX_EXPONENT: u16 = 400;

/// Reads one JSON text into a tree that borrows from it.
///
/// # Errors
/// Whatever is not strict JSON, with the byte where that shows.
pub fn parse(text: &str) -> Result<Value<'_>, Error> {
    let mut scanner = Scanner::new(text);
    let value = tree::read(&mut scanner, 0)?;
    scanner.end()?;
    Ok(value)
}

/// Like [`parse`], from bytes that have yet to prove to be UTF-8.
///
/// # Errors
/// Whatever is not strict JSON, with the byte where that shows.
pub fn parse_bytes(bytes: &[u8]) -> Result<Value<'_>, Error> {
    parse(utf8(bytes)?)
}

/// The strictness of [`parse`] without the tree: nothing is allocated for texts of usual size.
///
/// # Errors
/// Exactly those of [`parse_bytes`].
pub fn check(text: &[u8]) -> Result<(), Error> {
    let mut scanner = Scanner::new(utf8(text)?);
    scanner.skip(0)?;
    Ok(scanner.end()?)
}

/// The bytes as text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|error| Error { offset: error.valid_up_to(), kind: ErrorKind::Utf8 })
}

#[cfg(test)]
mod tests;
