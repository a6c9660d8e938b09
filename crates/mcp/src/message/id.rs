//! Request ids, echoed byte for byte and compared by value.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use crate::json::unquote;

/// How many bytes the JSON text of an id may have.
pub const MAX_ID: usize = 256;

/// A request id: a string or an integer. `1` and `"1"` are two ids.
#[derive(Debug, Clone)]
pub struct Id<'a> {
    raw: &'a str,
    // Only a string that is written with escapes; any other says all by its raw text.
    unescaped: Option<Box<str>>,
}

/// An id to keep: owned, compared by type and value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKey {
    /// The digits of an integer, with its sign unless it is zero.
    Integer(Box<str>),
    /// A string, escapes undone.
    String(Box<str>),
}

impl<'a> Id<'a> {
    /// Reads the JSON text of an id.
    ///
    /// `None` for anything else than a string or an integer (written without fraction or exponent), and for texts of
    /// more than [`MAX_ID`] bytes.
    #[must_use]
    pub fn parse(raw: &'a str) -> Option<Self> {
        if raw.len() > MAX_ID {
            return None;
        }
        if raw.starts_with('"') {
            let unescaped = match unquote(raw)? {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text.into_boxed_str()),
            };
            return Some(Self { raw, unescaped });
        }
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let integer = !digits.is_empty()
            && digits.len() <= crate::json::MAX_DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        integer.then_some(Self { raw, unescaped: None })
    }

    /// The JSON text as it was sent.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The owned form, for maps.
    #[must_use]
    pub fn key(&self) -> IdKey {
        let text = self.text().into();
        if self.is_string() { IdKey::String(text) } else { IdKey::Integer(text) }
    }

    fn is_string(&self) -> bool {
        self.raw.starts_with('"')
    }

    /// The string, or the digits.
    fn text(&self) -> &str {
        match &self.unescaped {
            Some(text) => text,
            None if self.is_string() => self.raw.trim_matches('"'),
            None if self.raw == "-0" => "0",
            None => self.raw,
        }
    }
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_string() == other.is_string() && self.text() == other.text()
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.is_string().hash(state);
        self.text().hash(state);
    }
}
