//! The hash that ties each record to all before it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands between the last member of a record and its hash.
const HASH_MEMBER: &[u8] = b",\"hash\":\"";
/// What follows the hash: the end of the string and of the object.
const CLOSE: &[u8] = b"\"}";
/// Length of `,"hash":"` + 64 digits + `"}`.
pub(crate) const SUFFIX: usize = 75;

/// The head of a chain: the hash of its last record, which stands for every record up to it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head([u8; 32]);

/// A text that is not a head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a head: 64 hexadecimal digits are expected")]
pub struct HeadError(String);

impl Head {
    /// The head of a chain without records: 32 zero bytes.
    pub const EMPTY: Head = Head([0; 32]);

    /// The head with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Head {
        Head(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The head after something that consists of `parts`: SHA-256 of this head and the parts.
    pub fn then(&self, parts: &[&[u8]]) -> Head {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        for part in parts {
            context.update(part);
        }
        let digest = context.finish();
        Head(<[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default())
    }

    /// Its 64 lower-case hexadecimal digits, as ASCII, without allocating.
    pub fn text(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'0'; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            for (place, digit) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *place = DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0');
            }
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Head> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                *byte = *byte << 4 | value;
            }
        }
        Some(Head(bytes))
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({self})")
    }
}

impl FromStr for Head {
    type Err = HeadError;

    /// Reads 64 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Head, HeadError> {
        Head::parse(text.to_ascii_lowercase().as_bytes()).ok_or_else(|| HeadError(text.chars().take(80).collect()))
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Head, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Closes the record that `out` holds from `start` on (all members, the last brace missing) with
/// its hash, and returns the head that follows from it.
pub(crate) fn seal(prev: &Head, start: usize, out: &mut Vec<u8>) -> Head {
    let head = prev.then(&[out.get(start..).unwrap_or_default(), b"}"]);
    out.extend_from_slice(HASH_MEMBER);
    out.extend_from_slice(&head.text());
    out.extend_from_slice(CLOSE);
    head
}

/// Takes a line (without its line feed) apart into what was hashed, less the last brace, and the
/// hash that it carries. `None` when it does not end as a record does.
pub(crate) fn split(line: &[u8]) -> Option<(&[u8], Head)> {
    let (body, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX)?)?;
    let hash = suffix.strip_prefix(HASH_MEMBER)?.strip_suffix(CLOSE)?;
    Some((body, Head::parse(hash)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_comes_apart_again() {
        let mut out = b"before{\"seq\":1".to_vec();
        let head = seal(&Head::EMPTY, 6, &mut out);
        let line = &out[6..];
        let (body, hash) = split(line).unwrap();
        assert_eq!((body, hash), (&b"{\"seq\":1"[..], head));
        assert_eq!(Head::EMPTY.then(&[body, b"}"]), head);
        assert_eq!(line.len(), body.len() + SUFFIX);
    }

    #[test]
    fn a_head_is_64_digits() {
        let head = Head::EMPTY.then(&[b"x"]);
        assert_eq!(head.to_string().parse::<Head>(), Ok(head));
        assert_eq!(head.to_string().to_uppercase().parse::<Head>(), Ok(head));
        assert!("12".parse::<Head>().is_err());
        assert!("g".repeat(64).parse::<Head>().is_err());
        assert!(split(b"{}").is_none());
        let upper = format!("{{\"a\":1,\"hash\":\"{}\"}}", "A".repeat(64));
        assert!(split(upper.as_bytes()).is_none(), "the spelling of a hash is one");
    }
}
