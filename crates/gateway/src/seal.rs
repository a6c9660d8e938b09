//! Session ids that carry what they mean.
//!
//! The id that a legacy client gets holds the upstream's own id, the negotiated revision and a
//! random number, encrypted and bound to grant and server. So no table is needed to know a
//! session, one grant cannot use another's, and the upstream's id stays with the gateway.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp::revision::Revision;

/// Bytes of a nonce, which stands before the ciphertext.
const NONCE: usize = 12;

/// The longest id that is looked at: upstream ids are short, ours a little longer, and those of stacks hold one for
/// each server.
const MAX_ID: usize = 32 * 1024;

/// The gateway's own number of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionNumber(pub [u8; 16]);

impl SessionNumber {
    /// A fresh random number; `None` if the system gives no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// What policies and records call the session.
    pub fn text(&self) -> String {
        crate::hex::encode(&self.0)
    }
}

/// A session as its id describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The gateway's number.
    pub number: SessionNumber,
    /// The revision that was negotiated, where the gateway knows it.
    pub revision: Option<Revision>,
    /// The upstream's id; empty for a session on a child process.
    pub upstream: String,
}

/// Seals and opens session ids.
#[derive(Debug)]
pub struct Seal {
    key: RandomizedNonceKey,
}

impl Seal {
    /// A seal under a key of 32 bytes; `None` if the key is unusable.
    pub fn new(key: &[u8; 32]) -> Option<Self> {
        Some(Self { key: RandomizedNonceKey::new(&AES_256_GCM_SIV, key).ok()? })
    }

    /// The id to give to the agent; `None` when the system gives no randomness.
    pub fn seal(&self, session: &Session, grant: &str, server: &str) -> Option<String> {
        let mut text = Vec::with_capacity(32 + session.upstream.len());
        text.extend_from_slice(&session.number.0);
        let revision = session.revision.map_or("", Revision::as_str);
        text.push(u8::try_from(revision.len()).ok()?);
        text.extend_from_slice(revision.as_bytes());
        text.extend_from_slice(session.upstream.as_bytes());
        let nonce = self.key.seal_in_place_append_tag(bound_to(grant, server), &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads an id that this gateway gave to this grant for this server.
    pub fn open(&self, id: &str, grant: &str, server: &str) -> Option<Session> {
        if id.len() > MAX_ID {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (nonce, text) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, bound_to(grant, server), text).ok()?;
        let (number, rest) = text.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first()?;
        let (revision, upstream) = rest.split_at_checked(usize::from(*length))?;
        Some(Session {
            number: SessionNumber(*number),
            revision: Revision::parse(std::str::from_utf8(revision).ok()?),
            upstream: String::from_utf8(upstream.to_vec()).ok()?,
        })
    }
}

fn bound_to(grant: &str, server: &str) -> Aad<Vec<u8>> {
    // The server id holds no NUL, so the two parts cannot be shifted into each other.
    Aad::from([b"toolgate session\0", server.as_bytes(), b"\0", grant.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            number: SessionNumber::random().unwrap(),
            revision: Some(Revision::V2025_06_18),
            upstream: "abc-123".to_owned(),
        }
    }

    #[test]
    fn opens_only_for_the_grant_and_server_that_it_was_given_to() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let session = session();
        let id = seal.seal(&session, "laptop", "files").unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(seal.open(&id, "laptop", "files"), Some(session));
        assert_eq!(seal.open(&id, "other", "files"), None);
        assert_eq!(seal.open(&id, "laptop", "mail"), None);
        assert_eq!(Seal::new(&[8; 32]).unwrap().open(&id, "laptop", "files"), None);
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let id = seal.seal(&session(), "g", "s").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&id).unwrap();
        for position in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[position / 8] ^= 1 << (position % 8);
            assert_eq!(seal.open(&URL_SAFE_NO_PAD.encode(changed), "g", "s"), None);
        }
        assert_eq!(seal.open("", "g", "s"), None);
    }
}
