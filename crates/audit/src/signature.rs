//! Signatures of an instance: Ed25519 keys, and what people compare of them. Keys lie in files as other programs
//! write them too: PKCS#8 and SubjectPublicKeyInfo, in PEM. Who makes a key brings the randomness.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The names of both kinds of PEM.
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";

/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a fingerprint begins with.
const FINGERPRINT: &str = "sha256:";

/// Why something is no key, or does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is something else.
    #[error("it is no Ed25519 key in PEM")]
    NoKey,
    /// It is no fingerprint.
    #[error("a fingerprint is written sha256: and 64 hexadecimal digits")]
    NoFingerprint,
    /// The cryptographic library did not sign.
    #[error("the key cannot be used")]
    Unusable,
}

/// A key that signs. It prints its fingerprint alone.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a PKCS#8 document.
    ///
    /// # Errors
    /// [`BadKey::NoKey`].
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, BadKey> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map(Self).map_err(|_| BadKey::NoKey)
    }

    /// The key of a file's text.
    ///
    /// # Errors
    /// [`BadKey::NoKey`].
    pub fn read(text: &str) -> Result<Self, BadKey> {
        Self::from_pkcs8(&unpem(PRIVATE, text).ok_or(BadKey::NoKey)?)
    }

    /// The text of a file that holds a PKCS#8 document.
    #[must_use]
    pub fn file(document: &[u8]) -> String {
        pem(PRIVATE, document)
    }

    /// The half of it that others may have.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(key)
    }

    /// Signs `text`. What is signed begins with its purpose, so that no signature for one fits another.
    ///
    /// # Errors
    /// [`BadKey::Unusable`].
    pub fn sign(&self, purpose: &str, text: &[u8]) -> Result<Signature, BadKey> {
        let signature = self.0.try_sign(&signed(purpose, text)).map_err(|_| BadKey::Unusable)?;
        signature.as_ref().try_into().map(Signature).map_err(|_| BadKey::Unusable)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

/// A key that verifies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of a file's text.
    ///
    /// # Errors
    /// [`BadKey::NoKey`].
    pub fn read(text: &str) -> Result<Self, BadKey> {
        let document = unpem(PUBLIC, text).ok_or(BadKey::NoKey)?;
        let key = document.strip_prefix(SPKI.as_slice()).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or(BadKey::NoKey)
    }

    /// The text of its file.
    #[must_use]
    pub fn file(&self) -> String {
        pem(PUBLIC, &[SPKI.as_slice(), self.0.as_slice()].concat())
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        Fingerprint(bytes)
    }

    /// Whether this key signed `text` for `purpose`.
    #[must_use]
    pub fn signed(&self, purpose: &str, text: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&signed(purpose, text), &signature.0).is_ok()
    }

    pub(crate) fn text(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// What people compare of a key: SHA-256 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FINGERPRINT)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let digits = text.strip_prefix(FINGERPRINT).ok_or(BadKey::NoFingerprint)?;
        // A head is 32 bytes in digits too.
        digits.parse::<crate::Head>().map(|head| Self(*head.bytes())).map_err(|_| BadKey::NoFingerprint)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    pub(crate) fn text(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

/// Both stand in records as base64, in its one spelling.
macro_rules! base64_text {
    ($($name:ident: $what:literal;)*) => {$(
        impl FromStr for $name {
            type Err = BadKey;

            fn from_str(text: &str) -> Result<Self, BadKey> {
                let bytes = STANDARD.decode(text).map_err(|_| BadKey::NoKey)?;
                bytes.try_into().map(Self).map_err(|_| BadKey::NoKey)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|_| serde::de::Error::custom($what))
            }
        }
    )*};
}

base64_text! {
    PublicKey: "a key is 32 bytes in base64";
    Signature: "a signature is 64 bytes in base64";
}

fn signed(purpose: &str, text: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), b"\n", text].concat()
}

fn pem(name: &str, document: &[u8]) -> String {
    // An Ed25519 key is shorter than a line may be.
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", STANDARD.encode(document))
}

fn unpem(name: &str, text: &str) -> Option<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {name}-----"), format!("-----END {name}-----"));
    let inner = text.split_once(&begin)?.1.split_once(&end)?.0;
    STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::rand::SystemRandom;

    use super::*;

    pub(crate) fn fresh() -> SigningKey {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        SigningKey::read(&SigningKey::file(document.as_ref())).unwrap()
    }

    #[test]
    fn a_signature_is_of_one_key_one_purpose_and_one_text() {
        let (key, other) = (fresh(), fresh());
        let signature = key.sign("a", b"text").unwrap();
        let public = PublicKey::read(&key.public().file()).unwrap();
        assert_eq!(public, key.public());
        assert!(public.signed("a", b"text", &signature));
        assert!(!public.signed("b", b"text", &signature) && !public.signed("a", b"texT", &signature));
        assert!(!other.public().signed("a", b"text", &signature));
        assert_eq!(signature.text().parse::<Signature>(), Ok(signature));
        assert_eq!(public.text().parse::<PublicKey>(), Ok(public));
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let fingerprint = fresh().public().fingerprint();
        assert_eq!(fingerprint.to_string().parse::<Fingerprint>(), Ok(fingerprint));
        for no in ["", "sha256:", "sha256:00", &"0".repeat(64)] {
            assert_eq!(no.parse::<Fingerprint>(), Err(BadKey::NoFingerprint), "{no}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_key_is_not_printed() {
        for no_key in ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(PublicKey::read(no_key), Err(BadKey::NoKey), "{no_key}");
            assert!(SigningKey::read(no_key).is_err(), "{no_key}");
        }
        assert_eq!(format!("{:?}", fresh()).len(), "SigningKey(sha256:)".len() + 64);
    }
}
