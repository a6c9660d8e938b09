//! Identifiers of events and chains: 48 bits of time and 80 bits of chance, written as a ULID.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32: no `I`, `L`, `O` or `U`, so that an identifier survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID: milliseconds since 1970 in the upper 48 bits, 80 random bits below; 26 characters that
/// sort as text in the order of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

/// A text that is not a ULID as [`Id`] writes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identifier: 26 characters of Crockford's base 32 are expected")]
pub struct IdError(String);

impl Id {
    /// The identifier with these bits: the upper 48 are milliseconds since 1970.
    pub const fn from_bits(bits: u128) -> Id {
        Id(bits)
    }

    /// The least identifier of a time, in milliseconds since 1970: whatever was made before is less. A time before 1970
    /// is taken for 1970.
    pub fn first_at(millis: i64) -> Id {
        Id((u128::try_from(millis).unwrap_or_default() & ((1 << 48) - 1)) << 80)
    }

    /// The 128 bits.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Milliseconds since 1970 at which it was made, by the clock of that process.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// Its 26 characters, as ASCII, without allocating.
    pub fn text(self) -> [u8; 26] {
        let mut text = [b'0'; 26];
        let mut bits = self.0;
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(bits & 31).unwrap_or(0);
            *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
            bits >>= 5;
        }
        text
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Id, IdError> {
        let refused = || IdError(text.chars().take(64).collect());
        if text.len() != 26 || text.as_bytes().first().is_none_or(|first| *first > b'7') {
            return Err(refused());
        }
        let mut bits = 0u128;
        for byte in text.bytes() {
            let digit = ALPHABET
                .iter()
                .position(|letter| *letter == byte)
                .and_then(|digit| u128::try_from(digit).ok())
                .ok_or_else(refused)?;
            bits = bits << 5 | digit;
        }
        Ok(Id(bits))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for bits in [0, 1, 31, 32, 1 << 80, u128::MAX, 0x0123_4567_89ab_cdef << 40] {
            let id = Id::from_bits(bits);
            assert_eq!(id.to_string().len(), 26);
            assert_eq!(id.to_string().parse::<Id>(), Ok(id));
        }
        assert_eq!(Id::from_bits(u128::MAX).to_string(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "01", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000u", "0000000000000000000000000U"]
        {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    #[test]
    fn sorts_by_time() {
        let early = Id::from_bits(5 << 80 | 999);
        let late = Id::from_bits(6 << 80);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.millis(), 6);
    }
}
