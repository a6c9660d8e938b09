//! Passwords as they may be stored: Argon2id, in the PHC string form.
//!
//! Hashing and verifying take tens of milliseconds of a core and [`MEMORY`] on purpose. They block: call them on a
//! thread for such work (`spawn_blocking`), behind a semaphore that bounds how many run at once.

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::crypto::{self, CryptoFailed};
use crate::secret::equal;

/// Memory of one hash, in KiB: 19 MiB, as OWASP recommends with two passes and one lane.
pub const MEMORY: u32 = 19 * 1024;

/// Passes over it.
const PASSES: u32 = 2;

/// Lanes.
const LANES: u32 = 1;

/// The most that a stored hash may ask for, so that a changed row cannot stop the process: KiB, passes, lanes.
const MOST: (u32, u32, u32) = (256 * 1024, 16, 16);

/// The shortest password that may be chosen, in characters.
pub const SHORTEST: usize = 12;

/// The longest password, in bytes: more would be work without gain.
pub const LONGEST: usize = 1024;

/// Bytes of a salt that is made here.
const SALT: usize = 16;

/// The fewest bytes of a salt that is taken, as in the definition of Argon2.
const SHORTEST_SALT: usize = 8;

/// Bytes of a hash.
const HASH: usize = 32;

/// A password that somebody entered, in Unicode's form NFC, so that it is the same from every keyboard.
pub struct Password(SecretString);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a password is not taken. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It has too few characters to be chosen.
    #[error("a password has {SHORTEST} characters or more: several words are easier to remember than signs")]
    Short,
    /// It has too many bytes.
    #[error("a password has {LONGEST} bytes at most")]
    Long,
}

impl Password {
    /// A password that somebody signs in with.
    ///
    /// # Errors
    /// [`BadPassword::Long`].
    pub fn entered(text: &SecretString) -> Result<Self, BadPassword> {
        let text = text.expose_secret();
        if text.len() > LONGEST {
            return Err(BadPassword::Long);
        }
        // NFC is at most three times as long; growing would leave the text behind in freed memory.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * 3));
        normal.extend(text.nfc());
        Ok(Self(SecretString::from(normal.as_str())))
    }

    /// A password that somebody chooses.
    ///
    /// # Errors
    /// [`BadPassword`].
    pub fn chosen(text: &SecretString) -> Result<Self, BadPassword> {
        let password = Self::entered(text)?;
        if password.0.expose_secret().chars().count() < SHORTEST {
            return Err(BadPassword::Short);
        }
        Ok(password)
    }
}

/// The stored form of a password: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. No password can be told from it other than
/// by trying, which is what it makes slow; it is not to be shown nevertheless, and `Debug` does not.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Phc);

impl PasswordHash {
    /// The text to store.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    fn params(&self) -> Option<Params> {
        Params::try_from(&self.0).ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A text that is no hash of a password that this program would make or take. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is stored as a password is none, or asks for more than this program gives: the password has to be set again"
)]
pub struct NoPasswordHash;

impl FromStr for PasswordHash {
    type Err = NoPasswordHash;

    fn from_str(text: &str) -> Result<Self, NoPasswordHash> {
        let phc = Phc::new(text).map_err(|_| NoPasswordHash)?;
        let params = Params::try_from(&phc).map_err(|_| NoPasswordHash)?;
        let (memory, passes, lanes) = MOST;
        let takes = phc.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && phc.version == Some(Version::V0x13.into())
            && phc.salt.is_some_and(|salt| salt.len() >= SHORTEST_SALT)
            && phc.hash.is_some_and(|hash| hash.len() == HASH)
            && params.m_cost() <= memory
            && params.t_cost() <= passes
            && params.p_cost() <= lanes;
        // Another spelling of the same is refused.
        (takes && phc.to_string() == text).then_some(Self(phc)).ok_or(NoPasswordHash)
    }
}

/// What came of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is another, or there is nobody of that name.
    Wrong,
    /// It is the right one.
    Right {
        /// It is stored under other parameters than today's: hash it anew while it is known.
        rehash: bool,
    },
}

/// Why a password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
    /// The function refused.
    #[error("the password could not be hashed: there may be too little memory")]
    Refused,
}

/// Hashes and verifies passwords.
pub struct Passwords {
    params: Params,
    nobody: PasswordHash,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("params", &self.params).finish_non_exhaustive()
    }
}

impl Passwords {
    /// With the parameters of this version.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn new() -> Result<Self, HashError> {
        Self::with(Params::new(MEMORY, PASSES, LANES, Some(HASH)).map_err(|_| HashError::Refused)?)
    }

    fn with(params: Params) -> Result<Self, HashError> {
        // What nobody's password hashes to is random, and looks like any other.
        let mut nobody = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&params).try_into().map_err(|_| HashError::Refused)?,
            salt: None,
            hash: None,
        };
        nobody.salt = argon2::password_hash::phc::Salt::new(crypto::random::<SALT>()?.as_ref()).ok();
        nobody.hash = argon2::password_hash::phc::Output::new(crypto::random::<HASH>()?.as_ref()).ok();
        Ok(Self { params, nobody: PasswordHash(nobody) })
    }

    /// The hash of a password under a fresh salt. Blocks.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let salt = crypto::random::<SALT>()?;
        derive(password, salt.as_ref(), self.params.clone()).map(PasswordHash).ok_or(HashError::Refused)
    }

    /// Whether `password` is the one that was stored. Where there is nobody of that name (`None`), the same work is
    /// done for nothing, so that time does not tell who is known. Blocks.
    ///
    /// # Errors
    /// [`HashError::Refused`], when nothing could be found out.
    pub fn verify(&self, stored: Option<&PasswordHash>, password: &Password) -> Result<Verified, HashError> {
        let against = stored.unwrap_or(&self.nobody);
        let params = against.params().ok_or(HashError::Refused)?;
        let rehash = params != self.params;
        let (Some(salt), Some(expected)) = (&against.0.salt, &against.0.hash) else { return Err(HashError::Refused) };
        let found = derive(password, salt, params).and_then(|phc| phc.hash).ok_or(HashError::Refused)?;
        let right = equal(found.as_bytes(), expected.as_bytes()) && stored.is_some();
        Ok(if right { Verified::Right { rehash } } else { Verified::Wrong })
    }
}

fn derive(password: &Password, salt: &[u8], params: Params) -> Option<Phc> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password_with_params(password.0.expose_secret().as_bytes(), salt, params).ok()
}
