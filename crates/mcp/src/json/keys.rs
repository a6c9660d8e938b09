//! Which keys the objects being read already have.
//!
//! One stack serves all open objects: each owns the entries above its mark. Small objects compare each key with those
//! before it by an eight-byte print; large ones are sorted once, when they close, so that 100,000 keys cost no square.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::text::unescape;
use super::{Error, ErrorKind, Quoted};

/// Up to so many keys an object is compared pairwise.
const PAIRWISE: usize = 16;

/// The keys of the objects that are open.
#[derive(Default)]
pub(super) struct Keys {
    seen: SmallVec<[Key; 24]>,
}

#[derive(Clone, Copy)]
struct Key {
    print: u64,
    quoted: Quoted,
}

impl Keys {
    /// Where the keys of an object that opens now begin.
    pub(super) fn mark(&self) -> usize {
        self.seen.len()
    }

    /// Adds a key to the object that began at `mark`.
    pub(super) fn add(&mut self, text: &str, mark: usize, quoted: Quoted) -> Result<(), Error> {
        let print = print(&decode(text, quoted));
        let siblings = self.seen.get(mark..).unwrap_or_default();
        if siblings.len() < PAIRWISE {
            let twin = siblings.iter().any(|other| {
                other.print == print && decode(text, other.quoted) == decode(text, quoted)
            });
            if twin {
                return Err(duplicate(text, quoted));
            }
        }
        self.seen.push(Key { print, quoted });
        Ok(())
    }

    /// Forgets the object that began at `mark`, after the last look at a large one.
    pub(super) fn close(&mut self, text: &str, mark: usize) -> Result<(), Error> {
        let siblings = self.seen.get(mark..).unwrap_or_default();
        if siblings.len() > PAIRWISE {
            let mut sorted: Vec<(Cow<'_, str>, Quoted)> = siblings
                .iter()
                .map(|key| (decode(text, key.quoted), key.quoted))
                .collect();
            sorted.sort_unstable_by(|one, other| {
                one.0
                    .cmp(&other.0)
                    .then_with(|| one.1.inner().start().cmp(&other.1.inner().start()))
            });
            // The one that comes first in the text is the one to report.
            let twin = sorted
                .iter()
                .zip(sorted.iter().skip(1))
                .filter(|(one, other)| one.0 == other.0)
                .map(|(_, other)| other.1)
                .min_by_key(|quoted| quoted.inner().start());
            if let Some(quoted) = twin {
                return Err(duplicate(text, quoted));
            }
        }
        self.seen.truncate(mark);
        Ok(())
    }
}

fn decode(text: &str, quoted: Quoted) -> Cow<'_, str> {
    unescape(quoted.inner().of(text), quoted.escaped())
}

fn duplicate(text: &str, quoted: Quoted) -> Error {
    let key = decode(text, quoted).into_owned().into_boxed_str();
    Error::new(quoted.outer().start(), ErrorKind::DuplicateKey(key))
}

/// Equal keys have equal prints; the print of a key of up to seven bytes is the key.
fn print(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let length = bytes.len() as u64;
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first)
                ^ u64::from_le_bytes(*last).rotate_left(29)
                ^ length.rotate_left(51)
        }
        _ => bytes
            .iter()
            .fold(length, |print, byte| print << 8 | u64::from(*byte)),
    }
}
