//! Signed statements about a chain: how far it had come, and where it begins since older segments were removed.
//!
//! A checkpoint stands in the chain itself and signs the chain's name, the number and the hash of the record before it,
//! and the time. Where older segments were removed on purpose, a [`Beginning`] beside the segments says so: a chain
//! whose first segments are missing is in order with it alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{After, Checkpoint};
use crate::signature::{BadKey, PublicKey, Signature, SigningKey};
use crate::{Head, Id, encode};

/// What signatures of checkpoints are for.
const CHECKPOINT: &str = "toolgate audit checkpoint 1";

/// What signatures of beginnings are for.
const BEGINNING: &str = "toolgate audit beginning 1";

/// Signs a chain up to record `through`, whose hash is `head`. The record of it has to be the next one, of this time.
///
/// # Errors
/// [`BadKey::Unusable`].
pub fn sign(key: &SigningKey, chain: Id, through: u64, head: Head, time: Timestamp) -> Result<Checkpoint, BadKey> {
    let mut written = Vec::with_capacity(27);
    encode::time(&mut written, time);
    let written = String::from_utf8(written).unwrap_or_default();
    let signature = key.sign(CHECKPOINT, &statement(chain, through, &head, &written))?;
    Ok(Checkpoint { chain, head, key: key.public(), signature })
}

/// Whether a checkpoint that follows record `through` and was written at `time` is signed by the key that it names.
#[must_use]
pub fn is_signed(checkpoint: &Checkpoint, through: u64, time: &str) -> bool {
    let Checkpoint { chain, head, key, signature } = checkpoint;
    key.signed(CHECKPOINT, &statement(*chain, through, head, time), signature)
}

fn statement(chain: Id, through: u64, head: &Head, time: &str) -> Vec<u8> {
    format!("{chain} {through} {head} {time}").into_bytes()
}

/// Where a chain begins since older segments were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The chain.
    pub chain: Id,
    /// The first segment that is kept; one behind the last where none is.
    pub segment: u32,
    /// The number of the first record that is kept.
    pub seq: u64,
    /// The hash of the record before it.
    pub previous: Head,
    /// What the first segment of all said of the chain before this one.
    pub after: Option<After>,
    /// When what came before was removed.
    pub removed_at: Timestamp,
    /// The key that signs.
    pub key: PublicKey,
}

/// The text is no beginning, or was not signed by the key that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was not signed, or changed since")]
pub struct BadBeginning;

impl Beginning {
    /// The text of its file: one line of JSON, one line with the signature over it.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn seal(&self, key: &SigningKey) -> Result<String, BadKey> {
        let line = serde_json::to_string(self).map_err(|_| BadKey::Unusable)?;
        let signature = key.sign(BEGINNING, line.as_bytes())?;
        Ok(format!("{line}\n{signature}\n"))
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// [`BadBeginning`].
    pub fn open(text: &str) -> Result<Self, BadBeginning> {
        let (line, rest) = text.split_once('\n').ok_or(BadBeginning)?;
        let signature: Signature = rest.strip_suffix('\n').ok_or(BadBeginning)?.parse().map_err(|_| BadBeginning)?;
        let beginning: Beginning = serde_json::from_str(line).map_err(|_| BadBeginning)?;
        let signed = beginning.key.signed(BEGINNING, line.as_bytes(), &signature);
        // The numbers of what is kept follow on those of what was removed.
        if signed && beginning.seq > 1 && beginning.segment > 1 { Ok(beginning) } else { Err(BadBeginning) }
    }
}
