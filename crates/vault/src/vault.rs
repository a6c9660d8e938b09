//! Sealing and opening: envelope encryption under a ring of master keys.
//!
//! Each secret has a random data key of its own; the master key encrypts nothing but data keys. So a change of the
//! master key writes a few bytes a secret anew ([`Vault::rewrap`]) and touches no secret itself, and while it goes on,
//! what was sealed under the old key and the new one can be opened alike.

use std::fmt;

use zeroize::Zeroizing;

use crate::aead::Cipher;
use crate::crypto::{self, CryptoFailed};
use crate::key::{KEY, KeyId, MasterKey};
use crate::place::Place;
use crate::ring::KeyRing;
use crate::sealed::{MAX_SECRET, Sealed};
use crate::secret::{SecretBytes, equal, keep};

/// What a check value holds.
const CHECK: &[u8] = b"these are the right keys";

/// Where a check value belongs.
const CHECK_FIELD: &str = "key check";

/// Seals, opens and moves secrets.
#[derive(Debug)]
pub struct Vault {
    ring: KeyRing,
}

/// Why a secret was not sealed. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is longer than [`MAX_SECRET`].
    #[error("the secret has {0} bytes; {MAX_SECRET} are the most that is kept encrypted")]
    TooLong(usize),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

/// Why a secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its master key is not in the ring.
    #[error(
        "{place} is sealed under the key {key}, and {origin} holds {known}: add that key again, below the first one, or set the secret again"
    )]
    UnknownKey {
        /// The place that was asked for.
        place: String,
        /// The key it is under.
        key: KeyId,
        /// Where the keys were read from.
        origin: String,
        /// The keys that were there.
        known: Known,
    },
    /// A bit of it was changed, or the id of its master key was.
    #[error("{place} was changed since it was sealed: restore it from a backup, or set the secret again")]
    Damaged {
        /// The place that was asked for.
        place: String,
    },
    /// It was sealed for another place.
    #[error(
        "what is stored for {place} was sealed for another place: somebody has moved it in the database. Find out who, then set the secret again"
    )]
    WrongPlace {
        /// The place that was asked for.
        place: String,
    },
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

/// The ids of a ring, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known(pub Vec<KeyId>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "only " } else { "" })?;
        for (index, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The keys are not those that the stored secrets are under. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongKeys {
    /// The key is not in the ring.
    #[error(
        "the stored secrets are sealed under the key {key}, and {origin} holds {known}: start with the key that was used before (from its backup), or add it below the first one. Nothing was changed"
    )]
    Missing {
        /// The key they are under.
        key: KeyId,
        /// Where the keys were read from.
        origin: String,
        /// The keys that were there.
        known: Known,
    },
    /// The check value is damaged or not one.
    #[error(
        "the check value of the keys in the database was changed, so it cannot be told whether the key {key} is the right one: restore the database from a backup. Nothing was changed"
    )]
    Damaged {
        /// The key that the check value names.
        key: KeyId,
    },
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

impl Vault {
    /// A vault under the keys of a ring.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self { ring }
    }

    /// Its keys.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Seals a secret for a place, under the first key of the ring.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, SealError> {
        if secret.len() > MAX_SECRET {
            return Err(SealError::TooLong(secret.len()));
        }
        let data_key = crypto::random::<KEY>()?;
        let place = place.digest();
        let value = Cipher::new(&data_key)?.seal(&value_bound_to(&place), secret)?;
        let mut content = Content::new([0; KEY + 32]);
        let (key_part, place_part) = content.split_at_mut(KEY);
        key_part.copy_from_slice(data_key.as_ref());
        place_part.copy_from_slice(&place);
        Ok(wrap(self.ring.first(), &content, value.into())?)
    }

    /// Opens what was sealed for `place`, under any key of the ring.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretBytes, OpenError> {
        Ok(keep(&self.unseal(place, sealed)?.secret))
    }

    /// Whether it is under another key than the first, so that [`Vault::rewrap`] has something to do.
    #[must_use]
    pub fn needs_rewrap(&self, sealed: &Sealed) -> bool {
        sealed.key != self.ring.first().id()
    }

    /// The same secret under the first key of the ring: its data key is wrapped anew, its ciphertext stays. It is opened
    /// for that, so that what is damaged or moved is not carried on unseen. Store it only where the old text still
    /// stands, or a secret that somebody sets meanwhile is lost.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn rewrap(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Sealed, OpenError> {
        let opened = self.unseal(place, sealed)?;
        Ok(wrap(self.ring.first(), &opened.content, sealed.value.clone())?)
    }

    /// A value to store beside the first secret: [`Vault::check`] tells by it whether the keys are the right ones.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn check_value(&self) -> Result<Sealed, SealError> {
        self.seal(&Place::instance(CHECK_FIELD), CHECK)
    }

    /// Whether the ring can open what is stored; to be asked before anything is written. A check value that
    /// [`Vault::needs_rewrap`] is to be made anew after all secrets were rewrapped, so that it names a key that some
    /// secret is still under.
    ///
    /// # Errors
    /// [`WrongKeys`], with what to do.
    pub fn check(&self, value: &Sealed) -> Result<(), WrongKeys> {
        let key = value.key;
        match self.open(&Place::instance(CHECK_FIELD), value) {
            Ok(content) if equal(secrecy::ExposeSecret::expose_secret(&content), CHECK) => Ok(()),
            Err(OpenError::UnknownKey { key, origin, known, .. }) => Err(WrongKeys::Missing { key, origin, known }),
            Err(OpenError::Crypto(failed)) => Err(failed.into()),
            _ => Err(WrongKeys::Damaged { key }),
        }
    }

    fn unseal(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Opened, OpenError> {
        let damaged = || OpenError::Damaged { place: place.to_string() };
        let master = self.ring.find(sealed.key).ok_or_else(|| OpenError::UnknownKey {
            place: place.to_string(),
            key: sealed.key,
            origin: self.ring.origin().to_owned(),
            known: Known(self.ring.ids().collect()),
        })?;
        let wrapped = master.wrapping()?.open(&key_bound_to(sealed.key), &sealed.wrapped).ok_or_else(damaged)?;
        let content = Content::new(*wrapped.first_chunk().ok_or_else(damaged)?);
        let (data_key, sealed_for) = content.split_first_chunk().ok_or_else(damaged)?;
        let digest = place.digest();
        if !equal(sealed_for, &digest) {
            return Err(OpenError::WrongPlace { place: place.to_string() });
        }
        let secret = Cipher::new(data_key)?.open(&value_bound_to(&digest), &sealed.value).ok_or_else(damaged)?;
        Ok(Opened { content, secret })
    }
}

/// What a wrapped key holds: the data key, and the digest of the place.
type Content = Zeroizing<[u8; KEY + 32]>;

struct Opened {
    content: Content,
    secret: Zeroizing<Vec<u8>>,
}

fn wrap(master: &MasterKey, content: &[u8; KEY + 32], value: Box<[u8]>) -> Result<Sealed, CryptoFailed> {
    let wrapped = master.wrapping()?.seal(&key_bound_to(master.id()), content)?;
    Ok(Sealed { key: master.id(), wrapped: wrapped.try_into().map_err(|_| CryptoFailed)?, value })
}

fn key_bound_to(key: KeyId) -> Vec<u8> {
    format!("toolgate data key 1 {key}").into_bytes()
}

fn value_bound_to(place: &[u8; 32]) -> Vec<u8> {
    [b"toolgate secret 1 ".as_slice(), place].concat()
}
