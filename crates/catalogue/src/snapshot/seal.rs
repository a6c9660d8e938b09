//! The seal of a snapshot: a head that names what follows it, signed with Ed25519 ([`audit::SigningKey`]).

use audit::{Signature, SigningKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

/// What every head says it is.
const FORMAT: &str = "toolgate-catalogue";

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// The longest head and signature, in bytes.
const HEAD: usize = 4096;

/// What is signed begins with this, so that no signature for another purpose fits.
const PURPOSE: &str = "toolgate catalogue snapshot";

/// The first line of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    format: String,
    version: u32,
    /// When it was made.
    pub made: String,
    /// Servers in it.
    pub servers: u64,
    /// Tools in it.
    pub tools: u64,
    /// SHA-256 of what follows, in hexadecimal digits.
    sha256: String,
}

/// Why a snapshot or a key is not taken. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is something else.
    #[error("it is no snapshot of a catalogue")]
    NoSnapshot,
    /// A newer version wrote it.
    #[error("a newer version of Toolgate has written it (format {0}; this one reads {VERSION}): upgrade")]
    Newer(u32),
    /// The signature is another key's, or the head was changed.
    #[error("its signature is not by the key {0}: it was signed with another, or changed since")]
    Signature(String),
    /// What follows the head is not what was signed.
    #[error("it was changed or cut off since it was signed")]
    Changed,
    /// A file that is no key.
    #[error("it is no Ed25519 key in PEM: `toolgate catalogue key FILE` makes one, and FILE.pub beside it")]
    NoKey,
    /// No key could be made or used.
    #[error("the key cannot be made or used")]
    Unusable,
}

/// The key that signs.
#[derive(Debug)]
pub struct Key(SigningKey);

impl Key {
    /// Makes a key, and gives the text of its file.
    ///
    /// # Errors
    /// [`Untrusted::Unusable`] where the machine has no randomness.
    pub fn make() -> Result<(Self, String), Untrusted> {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| Untrusted::Unusable)?;
        let text = SigningKey::file(document.as_ref());
        Ok((Self::read(&text)?, text))
    }

    /// The key of a file.
    ///
    /// # Errors
    /// [`Untrusted::NoKey`].
    pub fn read(text: &str) -> Result<Self, Untrusted> {
        SigningKey::read(text).map(Self).map_err(|_| Untrusted::NoKey)
    }

    /// The half of it that others may have.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public())
    }

    /// Puts head and signature before a body.
    ///
    /// # Errors
    /// [`Untrusted::Unusable`].
    pub fn seal(&self, made: &str, servers: u64, tools: u64, body: &[u8]) -> Result<Vec<u8>, Untrusted> {
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            made: made.to_owned(),
            servers,
            tools,
            sha256: hex(digest(&SHA256, body).as_ref()),
        };
        let head = serde_json::to_string(&head).map_err(|_| Untrusted::Unusable)?;
        let signature = self.0.sign(PURPOSE, head.as_bytes()).map_err(|_| Untrusted::Unusable)?;
        let mut file = format!("{head}\n{signature}\n").into_bytes();
        file.extend_from_slice(body);
        Ok(file)
    }
}

/// The key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(audit::PublicKey);

impl PublicKey {
    /// The key of a file.
    ///
    /// # Errors
    /// [`Untrusted::NoKey`].
    pub fn read(text: &str) -> Result<Self, Untrusted> {
        audit::PublicKey::read(text).map(Self).map_err(|_| Untrusted::NoKey)
    }

    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.file()
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint().to_string()
    }

    /// Head and body of a snapshot, when this key signed both.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn open<'a>(&self, file: &'a [u8]) -> Result<(Head, &'a [u8]), Untrusted> {
        let (line, rest) = line(file).ok_or(Untrusted::NoSnapshot)?;
        let head: Head = serde_json::from_slice(line).map_err(|_| newer(line).unwrap_or(Untrusted::NoSnapshot))?;
        if head.format != FORMAT {
            return Err(Untrusted::NoSnapshot);
        }
        if head.version != VERSION {
            return Err(Untrusted::Newer(head.version));
        }
        let (signature, body) = self::line(rest).ok_or(Untrusted::Changed)?;
        let other = || Untrusted::Signature(self.fingerprint());
        let signature: Signature =
            std::str::from_utf8(signature).ok().and_then(|text| text.parse().ok()).ok_or_else(other)?;
        if !self.0.signed(PURPOSE, line, &signature) {
            return Err(other());
        }
        if hex(digest(&SHA256, body).as_ref()) != head.sha256 {
            return Err(Untrusted::Changed);
        }
        Ok((head, body))
    }
}

/// A head of a newer version may have other members.
fn newer(line: &[u8]) -> Option<Untrusted> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let version = value.get("version")?.as_u64()?;
    let ours = value.get("format")? == FORMAT && version != u64::from(VERSION);
    ours.then(|| Untrusted::Newer(u32::try_from(version).unwrap_or(u32::MAX)))
}

/// The first line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().take(HEAD).position(|byte| *byte == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_key_and_whole_alone() {
        let (key, text) = Key::make().unwrap();
        let public = PublicKey::read(&key.public().text()).unwrap();
        assert_eq!(Key::read(&text).unwrap().public(), public);
        let file = key.seal("2026-11-21T12:00:00Z", 1, 2, b"the body").unwrap();
        let (head, body) = public.open(&file).unwrap();
        assert_eq!((head.servers, head.tools, body), (1, 2, b"the body".as_slice()));

        // Every byte counts, and so does every missing and every added one.
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(public.open(&changed).is_err(), "byte {at}");
            assert!(public.open(&file[..at]).is_err(), "cut off at {at}");
        }
        assert_eq!(public.open(&[file.as_slice(), b"x"].concat()), Err(Untrusted::Changed));
        let (other, _) = Key::make().unwrap();
        assert!(matches!(other.public().open(&file), Err(Untrusted::Signature(_))));
    }

    #[test]
    fn a_newer_format_is_told_apart() {
        let (key, _) = Key::make().unwrap();
        let newer = format!("{{\"format\":\"{FORMAT}\",\"version\":2,\"parts\":[]}}\nsignature\n");
        assert_eq!(key.public().open(newer.as_bytes()), Err(Untrusted::Newer(2)));
        for other in ["", "{}\n", "{\"format\":\"x\",\"version\":2}\n", "PK\n\n"] {
            assert_eq!(key.public().open(other.as_bytes()), Err(Untrusted::NoSnapshot), "{other}");
        }
        for no_key in ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(PublicKey::read(no_key), Err(Untrusted::NoKey), "{no_key}");
        }
    }
}
