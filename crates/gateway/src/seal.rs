//! Session ids that carry what they mean.
//!
//! The id that a legacy client gets holds the upstream's own id, the negotiated revision and a
//! random number, encrypted and bound to grant and server. So no table is needed to know a
//! session, one grant cannot use another's, and the upstream's id stays with the gateway. Ids of
//! tasks are the same: they hold the upstream's own and the tool whose call created the task.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, RandomizedNonceKey, UnboundKey};
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
    /// The upstream's id; of a session that is one connection or one process, the replica that holds it.
    pub upstream: String,
}

/// A task as its id describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The tool whose call created it.
    pub tool: String,
    /// The upstream's id.
    pub upstream: String,
}

/// Seals and opens ids of sessions and tasks.
#[derive(Debug)]
pub struct Seal {
    key: RandomizedNonceKey,
    /// The same key, for ids that must come out the same each time.
    steady: LessSafeKey,
}

/// The nonce of ids that must come out the same each time. AES-GCM-SIV is made for that (RFC 8452): what a nonce that is
/// used again shows is that two texts are equal, and equal ids of one task are what is wanted.
const STEADY: [u8; NONCE] = [0; NONCE];

impl Seal {
    /// A seal under a key of 32 bytes; `None` if the key is unusable.
    pub fn new(key: &[u8; 32]) -> Option<Self> {
        Some(Self {
            key: RandomizedNonceKey::new(&AES_256_GCM_SIV, key).ok()?,
            steady: LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key).ok()?),
        })
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

    /// Seals what an agent is to bring back, for a `purpose` of its own; `None` when the system gives no randomness.
    pub(crate) fn seal_for(&self, purpose: &str, text: &[u8], grant: &str, server: &str) -> Option<String> {
        let mut text = text.to_vec();
        let nonce = self.key.seal_in_place_append_tag(bound_for(purpose, grant, server), &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads what was sealed for the same purpose, grant and server.
    pub(crate) fn open_for(&self, purpose: &str, sealed: &str, grant: &str, server: &str) -> Option<Vec<u8>> {
        if sealed.len() > MAX_ID {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        Some(self.key.open_in_place(nonce, bound_for(purpose, grant, server), text).ok()?.to_vec())
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

    /// The id by which an agent knows a task: the same each time. `None` for ids and names that are too long together.
    pub fn seal_task(&self, task: &Task, grant: &str, server: &str) -> Option<String> {
        let mut text = Vec::with_capacity(20 + task.tool.len() + task.upstream.len());
        text.extend_from_slice(&u16::try_from(task.tool.len()).ok()?.to_be_bytes());
        text.extend_from_slice(task.tool.as_bytes());
        text.extend_from_slice(task.upstream.as_bytes());
        let nonce = Nonce::assume_unique_for_key(STEADY);
        self.steady.seal_in_place_append_tag(nonce, bound_for("task", grant, server), &mut text).ok()?;
        let id = URL_SAFE_NO_PAD.encode(text);
        (id.len() <= mcp::message::MAX_NAME).then_some(id)
    }

    /// Reads the id of a task that this grant has created on this server.
    pub fn open_task(&self, id: &str, grant: &str, server: &str) -> Option<Task> {
        if id.len() > mcp::message::MAX_NAME {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(id).ok()?;
        let nonce = Nonce::assume_unique_for_key(STEADY);
        let text = self.steady.open_in_place(nonce, bound_for("task", grant, server), &mut sealed).ok()?;
        let (length, rest) = text.split_first_chunk::<2>()?;
        let (tool, upstream) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Some(Task { tool: text(tool)?, upstream: text(upstream)? })
    }
}

fn bound_to(grant: &str, server: &str) -> Aad<Vec<u8>> {
    bound_for("session", grant, server)
}

fn bound_for(purpose: &str, grant: &str, server: &str) -> Aad<Vec<u8>> {
    // Purpose and server id hold no NUL, so the parts cannot be shifted into each other.
    Aad::from([b"toolgate ", purpose.as_bytes(), b"\0", server.as_bytes(), b"\0", grant.as_bytes()].concat())
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
    fn tasks_are_named_for_one_grant_and_server_and_always_the_same() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let task = Task { tool: "größe".to_owned(), upstream: "786512e2".to_owned() };
        let id = seal.seal_task(&task, "laptop", "files").unwrap();
        assert_eq!(seal.seal_task(&task, "laptop", "files"), Some(id.clone()));
        assert_eq!(seal.open_task(&id, "laptop", "files"), Some(task.clone()));
        assert_eq!(seal.open_task(&id, "other", "files"), None);
        assert_eq!(seal.open_task(&id, "laptop", "mail"), None);
        assert_eq!(Seal::new(&[8; 32]).unwrap().open_task(&id, "laptop", "files"), None);
        // What a server calls its task opens nothing, and neither does a session.
        let session = seal.seal(&session(), "laptop", "files").unwrap();
        for other in ["786512e2", "", &session, &id.to_uppercase()] {
            assert_eq!(seal.open_task(other, "laptop", "files"), None, "{other}");
        }
        assert_eq!(seal.open(&id, "laptop", "files"), None);
        let long = Task { upstream: "x".repeat(1024), ..task };
        assert_eq!(seal.seal_task(&long, "laptop", "files"), None);
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
