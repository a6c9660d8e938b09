//! The stored form of a secret.
//!
//! ```text
//! tgv1.k0123456789abcdef.<wrapped key>.<value>
//! ```
//!
//! A version, the id of the master key, and two ciphertexts in base64 (URL-safe, not padded), each after its nonce of
//! 12 bytes and before its tag of 16. The wrapped key, under the master key and bound to version and key id, holds the
//! data key and the digest of the place. The value, under the data key, is bound to version and place. The key id
//! stands in front for queries: `LIKE 'tgv1.k0123456789abcdef.%'` finds what a key still holds.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::aead::OVERHEAD;
use crate::key::{KEY, KeyId};

/// The version that this program writes and reads.
const VERSION: &str = "tgv1";

/// The longest secret, in bytes: a private key with its chain of certificates fits.
pub const MAX_SECRET: usize = 64 * 1024;

/// Bytes of a wrapped key: the data key and the digest of the place, encrypted.
pub(crate) const WRAPPED: usize = KEY + 32 + OVERHEAD;

/// The longest text that is looked at.
const MAX_TEXT: usize = 256 + (MAX_SECRET + OVERHEAD) * 4 / 3;

/// A secret as it may be stored. It can be opened with its master key, for its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) key: KeyId,
    pub(crate) wrapped: [u8; WRAPPED],
    pub(crate) value: Box<[u8]>,
}

impl Sealed {
    /// The master key under which it is.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key
    }
}

/// A text that cannot be read as a sealed secret. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// It is something else, or was cut off or changed.
    #[error("it is no sealed secret, or was changed or cut off: set the secret again, or restore a backup")]
    Malformed,
    /// A newer version has sealed it.
    #[error("a newer version of Toolgate has sealed it (format {0}; this one reads 1): upgrade")]
    Newer(u32),
}

impl FromStr for Sealed {
    type Err = NotSealed;

    fn from_str(text: &str) -> Result<Self, NotSealed> {
        if text.len() > MAX_TEXT {
            return Err(NotSealed::Malformed);
        }
        let mut parts = text.split('.');
        let version = parts.next().unwrap_or_default();
        if version != VERSION {
            return Err(newer(version).unwrap_or(NotSealed::Malformed));
        }
        let (Some(key), Some(wrapped), Some(value), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotSealed::Malformed);
        };
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| NotSealed::Malformed);
        let value = decode(value)?;
        if value.len() < OVERHEAD || value.len() > MAX_SECRET + OVERHEAD {
            return Err(NotSealed::Malformed);
        }
        Ok(Self {
            key: key.parse().map_err(|_| NotSealed::Malformed)?,
            wrapped: decode(wrapped)?.try_into().map_err(|_| NotSealed::Malformed)?,
            value: value.into(),
        })
    }
}

fn newer(version: &str) -> Option<NotSealed> {
    let digits = version.strip_prefix("tgv")?;
    let number =
        digits.parse().ok().filter(|number| *number > 1 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(NotSealed::Newer(number))
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wrapped, value) = (URL_SAFE_NO_PAD.encode(self.wrapped), URL_SAFE_NO_PAD.encode(&self.value));
        write!(f, "{VERSION}.{}.{wrapped}.{value}", self.key)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.key, self.value.len())
    }
}
