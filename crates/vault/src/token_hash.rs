//! What is stored of a token: a keyed hash, by which it is found again and from which it cannot be told.
//!
//! The key of the hash is itself a secret that the vault seals, made once for an instance. So rotating master keys
//! rewraps it and changes no hash, the tokens in use go on, and a stolen database alone does not even tell whether a
//! token that somebody holds is one of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretBox};

use crate::crypto::{self, CryptoFailed};
use crate::key::KEY;
use crate::place::Place;
use crate::sealed::Sealed;
use crate::secret::equal;
use crate::token::Token;
use crate::vault::{OpenError, SealError, Vault};

/// Where the key belongs.
const FIELD: &str = "token hash key";

/// The key under which tokens are hashed.
pub struct HashKey {
    id: [u8; 8],
    secret: SecretBox<[u8; KEY]>,
    hmac: hmac::Key,
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashKey({})", HashKeyId(self.id))
    }
}

/// Why the hash key of an instance cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashKeyError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It opens and is none.
    #[error("what is stored as the key of token hashes is none: restore the database from a backup")]
    NotAKey,
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

impl HashKey {
    /// A fresh key, for a new instance. With another key no token that was given out is known any more.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn generate() -> Result<Self, CryptoFailed> {
        Self::of(&*crypto::random()?)
    }

    /// The key as it is stored.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, vault: &Vault) -> Result<Sealed, SealError> {
        vault.seal(&Self::place(), self.secret.expose_secret())
    }

    /// The key that was stored.
    ///
    /// # Errors
    /// [`HashKeyError`].
    pub fn open(vault: &Vault, sealed: &Sealed) -> Result<Self, HashKeyError> {
        let secret = vault.open(&Self::place(), sealed)?;
        let secret: &[u8; KEY] = secret.expose_secret().try_into().map_err(|_| HashKeyError::NotAKey)?;
        Ok(Self::of(secret)?)
    }

    /// Where it belongs, for [`Vault::rewrap`].
    #[must_use]
    pub fn place() -> Place<'static> {
        Place::instance(FIELD)
    }

    fn of(secret: &[u8; KEY]) -> Result<Self, CryptoFailed> {
        let id = crypto::name(secret, b"toolgate token hash id")?;
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, crypto::derive(secret, b"toolgate token hash")?.as_ref());
        let secret = SecretBox::init_with_mut(|kept: &mut [u8; KEY]| kept.copy_from_slice(secret));
        Ok(Self { id, secret, hmac })
    }

    /// The hash of a token; always the same, so that it can be looked up.
    #[must_use]
    pub fn hash(&self, token: &Token) -> TokenHash {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(&self.hmac, token.reveal().as_bytes()).as_ref());
        TokenHash { key: self.id, mac }
    }

    /// Whether a hash was made under this key. One that was not belongs to a token that no longer works.
    #[must_use]
    pub fn made(&self, hash: &TokenHash) -> bool {
        self.id == hash.key
    }
}

/// The keyed hash of a token, as it is stored: `th1.<id of the hash key>.<43 characters of base64>`. It may be printed.
///
/// Looking it up in an index leaks nothing useful by its time: without the key nobody can choose a token by its hash.
/// Comparing takes the same time for all that differ.
#[derive(Clone, Copy)]
pub struct TokenHash {
    key: [u8; 8],
    mac: [u8; 32],
}

/// The version of the stored form.
const VERSION: &str = "th1";

/// A text that is no hash of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no hash of a token: it was changed, or a newer version of Toolgate has written it")]
pub struct NoTokenHash;

/// The id of a hash key.
struct HashKeyId([u8; 8]);

impl fmt::Display for HashKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl TokenHash {
    /// Its 32 bytes, without the key's name: for tables in memory, whose hashes are all of one key.
    #[must_use]
    pub fn mac(&self) -> [u8; 32] {
        self.mac
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.key, &other.key) & equal(&self.mac, &other.mac)
    }
}

impl Eq for TokenHash {}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.mac);
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.{}", HashKeyId(self.key), URL_SAFE_NO_PAD.encode(self.mac))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl FromStr for TokenHash {
    type Err = NoTokenHash;

    fn from_str(text: &str) -> Result<Self, NoTokenHash> {
        let mut parts = text.split('.');
        let (Some(VERSION), Some(key), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoTokenHash);
        };
        if key.len() != 16 || !key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) || mac.len() != 43 {
            return Err(NoTokenHash);
        }
        let key = u64::from_str_radix(key, 16).map_err(|_| NoTokenHash)?.to_be_bytes();
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| NoTokenHash)?.try_into().map_err(|_| NoTokenHash)?;
        Ok(Self { key, mac })
    }
}
