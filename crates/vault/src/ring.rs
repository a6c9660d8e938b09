//! A ring of master keys and its text.
//!
//! ```text
//! # The first key encrypts, all of them decrypt.
//! k0123456789abcdef 3q2+7wAAAA…=
//! kfedcba9876543210 …
//! ```
//!
//! A line a key: its id and 32 bytes in base64. The id may be left out, so that `openssl rand -base64 32` is a ring of
//! one key; where it stands it must be the one that belongs to the key, so that a mistyped key is noticed. Empty lines
//! and lines that begin with `#` are passed over.

use std::fmt;

use secrecy::SecretString;

use crate::crypto::CryptoFailed;
use crate::key::{BadKey, KEY_TEXT, KeyId, MasterKey};

/// The longest text of a ring, in bytes.
pub const MAX_TEXT: usize = 16 * 1024;

/// The most keys in a ring: a dozen years of one a month.
pub const MAX_KEYS: usize = 144;

/// What stands above the keys in a text made here.
const HEAD: &str = "# Master keys of Toolgate: the first encrypts, all of them decrypt.\n\
                    # Without them no stored secret can be read again: keep a copy elsewhere.\n";

/// Master keys, of which there is at least one. The first encrypts, the others only decrypt.
pub struct KeyRing {
    origin: String,
    first: MasterKey,
    others: Vec<MasterKey>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({}: ", self.origin)?;
        f.debug_list().entries(self.ids()).finish()?;
        f.write_str(")")
    }
}

/// Why a text is no ring. Lines count from 1; what stands in them is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRing {
    /// It holds no key.
    #[error("it holds no key: `openssl rand -base64 32` makes one")]
    Empty,
    /// It is longer than [`MAX_TEXT`].
    #[error("it is longer than {MAX_TEXT} bytes, so it holds something else than keys: one line a key is all it needs")]
    TooLong,
    /// It holds more than [`MAX_KEYS`].
    #[error("it holds more than {MAX_KEYS} keys: take out those that nothing is sealed under any more")]
    TooMany,
    /// It is not UTF-8.
    #[error("it is no text: a key stands in it as base64, which `openssl rand -base64 32` makes")]
    NoText,
    /// A line that is something else.
    #[error("line {line}: here stands something else than a key, or an id and a key with a space between")]
    NotALine {
        /// The line.
        line: usize,
    },
    /// A key that is none.
    #[error("line {line}: {why}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: BadKey,
    },
    /// An id that is not the key's.
    #[error(
        "line {line}: the id before the key is not its own, which would be {id}: id or key was mistyped or cut; restore the line from its backup"
    )]
    OtherId {
        /// The line.
        line: usize,
        /// The id of the key that stands there.
        id: KeyId,
    },
    /// A key that stands there twice.
    #[error("line {line}: the key {id} stands above already: take one of both lines out")]
    Twice {
        /// The line.
        line: usize,
        /// The key.
        id: KeyId,
    },
}

/// Why a ring was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The key is not in it.
    #[error("there is no key {0} in the ring")]
    Unknown(KeyId),
    /// The key that encrypts cannot go.
    #[error("the key {0} is the one that encrypts: make another the first, rewrap what is stored, then take it out")]
    First(KeyId),
    /// There are [`MAX_KEYS`] already.
    #[error(transparent)]
    Full(BadRing),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

impl KeyRing {
    /// A ring of one fresh key.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn generate(origin: impl Into<String>) -> Result<Self, CryptoFailed> {
        Ok(Self { origin: origin.into(), first: MasterKey::generate()?, others: Vec::new() })
    }

    /// Reads the text of a ring. `origin` says in messages where it came from.
    ///
    /// # Errors
    /// [`BadRing`], with the line.
    pub fn parse(text: &[u8], origin: impl Into<String>) -> Result<Self, BadRing> {
        if text.len() > MAX_TEXT {
            return Err(BadRing::TooLong);
        }
        let text = std::str::from_utf8(text).map_err(|_| BadRing::NoText)?;
        let mut keys: Vec<MasterKey> = Vec::new();
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let key = parse_line(line, content)?;
            let id = key.id();
            if keys.iter().any(|other| other.id() == id) {
                return Err(BadRing::Twice { line, id });
            }
            if keys.len() >= MAX_KEYS {
                return Err(BadRing::TooMany);
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(BadRing::Empty)?;
        Ok(Self { origin: origin.into(), first, others: keys.collect() })
    }

    /// Its text, to be written where nobody else can read it.
    #[must_use]
    pub fn text(&self) -> SecretString {
        // Room from the beginning: growing would leave keys behind in freed memory.
        let mut text = String::with_capacity(HEAD.len() + (1 + self.others.len()) * (KEY_TEXT + 24));
        text.push_str(HEAD);
        for key in self.keys() {
            text.push_str(&key.id().to_string());
            text.push(' ');
            key.write(&mut text);
            text.push('\n');
        }
        // Exact, since shrinking would do the same.
        let exact = SecretString::from(Box::<str>::from(text.as_str()));
        zeroize::Zeroize::zeroize(&mut text);
        exact
    }

    /// Where it came from, for messages.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key that encrypts.
    #[must_use]
    pub fn first(&self) -> &MasterKey {
        &self.first
    }

    /// The ids of all keys, the encrypting one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(MasterKey::id)
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&MasterKey> {
        self.keys().find(|key| key.id() == id)
    }

    /// Adds a fresh key that encrypts from now on. With several replicas use [`KeyRing::prepare`] first: one that has
    /// not read the ring again cannot open what is sealed under the new key.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn rotate(&mut self) -> Result<KeyId, RingError> {
        let id = self.prepare()?;
        self.promote(id)?;
        Ok(id)
    }

    /// Adds a fresh key that only decrypts until it is promoted.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn prepare(&mut self) -> Result<KeyId, RingError> {
        if self.others.len() + 1 >= MAX_KEYS {
            return Err(RingError::Full(BadRing::TooMany));
        }
        let key = MasterKey::generate()?;
        let id = key.id();
        self.others.push(key);
        Ok(id)
    }

    /// Makes a key of the ring the one that encrypts.
    ///
    /// # Errors
    /// [`RingError::Unknown`].
    pub fn promote(&mut self, id: KeyId) -> Result<(), RingError> {
        if id == self.first.id() {
            return Ok(());
        }
        let found = self.others.iter().position(|key| key.id() == id).ok_or(RingError::Unknown(id))?;
        let before = std::mem::replace(&mut self.first, self.others.remove(found));
        self.others.insert(0, before);
        Ok(())
    }

    /// Takes out a key that nothing is sealed under any more.
    ///
    /// # Errors
    /// [`RingError::First`] and [`RingError::Unknown`].
    pub fn retire(&mut self, id: KeyId) -> Result<(), RingError> {
        if id == self.first.id() {
            return Err(RingError::First(id));
        }
        let found = self.others.iter().position(|key| key.id() == id).ok_or(RingError::Unknown(id))?;
        self.others.remove(found);
        Ok(())
    }

    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn parse_line(line: usize, content: &str) -> Result<MasterKey, BadRing> {
    let mut words = content.split_whitespace();
    let (stated, key) = match (words.next(), words.next(), words.next()) {
        (Some(key), None, None) => (None, key),
        (Some(id), Some(key), None) => (Some(id.parse::<KeyId>().map_err(|_| BadRing::NotALine { line })?), key),
        _ => return Err(BadRing::NotALine { line }),
    };
    let key = MasterKey::from_text(key).map_err(|why| BadRing::Key { line, why })?;
    match stated {
        Some(stated) if stated != key.id() => Err(BadRing::OtherId { line, id: key.id() }),
        _ => Ok(key),
    }
}
