//! Master keys, which encrypt nothing but the keys of single secrets.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use crate::aead::Cipher;
use crate::crypto::{self, CryptoFailed};

/// Bytes of a key.
pub const KEY: usize = 32;

/// Characters of a key in base64.
pub(crate) const KEY_TEXT: usize = 44;

/// The name of a key: `k` and 16 hexadecimal digits, derived from the key. So a name cannot stand beside a key that it
/// does not belong to, and two keys share one by no accident. It tells nothing of the key, and may be printed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no key id. The text is not repeated, since people mistake a key for its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no key id: these are `k` and 16 of the digits 0-9 and a-f")]
pub struct NoKeyId;

impl FromStr for KeyId {
    type Err = NoKeyId;

    fn from_str(text: &str) -> Result<Self, NoKeyId> {
        let digits = text.strip_prefix('k').ok_or(NoKeyId)?;
        if digits.len() != 16 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NoKeyId);
        }
        u64::from_str_radix(digits, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| NoKeyId)
    }
}

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is not base64 of 32 bytes.
    #[error(
        "a key is {KEY} bytes in base64, which are {KEY_TEXT} characters with the `=` at the end: `openssl rand -base64 {KEY}` makes one"
    )]
    NotAKey,
    /// All bytes are alike, as in an example that was copied.
    #[error("this key is one byte repeated, which anybody guesses: `openssl rand -base64 {KEY}` makes a random one")]
    Guessable,
    /// It could not be looked at.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

/// A master key. It is wiped when dropped.
pub struct MasterKey {
    id: KeyId,
    bytes: SecretBox<[u8; KEY]>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn generate() -> Result<Self, CryptoFailed> {
        Self::of(&*crypto::random()?)
    }

    /// A key from 32 bytes.
    ///
    /// # Errors
    /// [`BadKey::Guessable`], and [`BadKey::Crypto`].
    pub fn from_bytes(bytes: &[u8; KEY]) -> Result<Self, BadKey> {
        match bytes.split_first() {
            Some((first, rest)) if rest.iter().any(|byte| byte != first) => Ok(Self::of(bytes)?),
            _ => Err(BadKey::Guessable),
        }
    }

    /// A key from the base64 of 32 bytes.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_text(text: &str) -> Result<Self, BadKey> {
        let mut buffer = Zeroizing::new([0; KEY + 1]);
        if text.len() != KEY_TEXT {
            return Err(BadKey::NotAKey);
        }
        let length = STANDARD.decode_slice(text, buffer.as_mut()).map_err(|_| BadKey::NotAKey)?;
        let bytes = buffer.get(..length).and_then(|bytes| bytes.first_chunk::<KEY>().filter(|_| length == KEY));
        Self::from_bytes(bytes.ok_or(BadKey::NotAKey)?)
    }

    fn of(bytes: &[u8; KEY]) -> Result<Self, CryptoFailed> {
        let id = KeyId(crypto::name(bytes, b"toolgate master key id")?);
        Ok(Self { id, bytes: SecretBox::init_with_mut(|kept: &mut [u8; KEY]| kept.copy_from_slice(bytes)) })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The cipher for keys of secrets.
    pub(crate) fn wrapping(&self) -> Result<Cipher, CryptoFailed> {
        Cipher::new(&*crypto::derive(self.bytes.expose_secret(), b"toolgate key wrapping")?)
    }

    /// Writes its base64 to `text`, which must have room for it.
    pub(crate) fn write(&self, text: &mut String) {
        let mut buffer = Zeroizing::new([0; KEY_TEXT]);
        if STANDARD.encode_slice(self.bytes.expose_secret(), buffer.as_mut()).is_ok() {
            text.extend(buffer.iter().map(|byte| char::from(*byte)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_keys() {
        let (one, two) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
        assert_ne!(one.id(), two.id());
        assert_eq!(one.id().to_string().parse(), Ok(one.id()));
        let mut text = String::new();
        one.write(&mut text);
        assert_eq!(text.len(), KEY_TEXT);
        assert_eq!(MasterKey::from_text(&text).unwrap().id(), one.id());
    }

    /// What is stored refers to keys by these: they must not change between versions.
    #[test]
    fn ids_stay_what_they_are() {
        let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(MasterKey::from_bytes(&key).unwrap().id().to_string(), "kddbc551e731e2826");
    }

    #[test]
    fn what_is_no_key() {
        let short = STANDARD.encode([7; 31]);
        let url_safe = format!("{}=", "_".repeat(43));
        let not_canonical = format!("{}B=", "A".repeat(42));
        for (text, why) in [
            ("", BadKey::NotAKey),
            ("password", BadKey::NotAKey),
            (short.as_str(), BadKey::NotAKey),
            (url_safe.as_str(), BadKey::NotAKey),
            (not_canonical.as_str(), BadKey::NotAKey),
            (&STANDARD.encode([0; 32]), BadKey::Guessable),
            (&STANDARD.encode([9; 32]), BadKey::Guessable),
        ] {
            assert_eq!(MasterKey::from_text(text).unwrap_err(), why, "{text}");
        }
        for text in ["", "k", "k0", "0123456789abcdef", "k0123456789abcdeF", "k+123456789abcdef", "k0123456789abcdef0"]
        {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
