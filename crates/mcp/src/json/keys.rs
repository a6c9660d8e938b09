//! Which keys the objects being read already have.
//!
//! One stack serves all open objects: each owns the entries above its mark. Small objects compare each key with those
//! before it by an eight-byte print; large ones are sorted once, when they close, so that 100,000 keys cost no square.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::text::unescape;
use super::{ErrorKind, Fault, Quoted, Span};

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
    #[inline]
    pub(super) fn add(&mut self, text: &str, mark: usize, quoted: Quoted) -> Result<(), Fault> {
        let print = if quoted.escaped() {
            print(decode(text, quoted).as_bytes())
        } else {
            print_at(text.as_bytes(), quoted.inner())
        };
        let siblings = self.seen.get(mark..).unwrap_or_default();
        if siblings.len() < PAIRWISE {
            let twin =
                siblings.iter().any(|other| other.print == print && decode(text, other.quoted) == decode(text, quoted));
            if twin {
                return Err(duplicate(text, quoted));
            }
        }
        self.seen.push(Key { print, quoted });
        Ok(())
    }

    /// Forgets the object that began at `mark`, after the last look at a large one.
    pub(super) fn close(&mut self, text: &str, mark: usize) -> Result<(), Fault> {
        let siblings = self.seen.get(mark..).unwrap_or_default();
        if siblings.len() > PAIRWISE {
            let mut sorted: Vec<(Cow<'_, str>, Quoted)> =
                siblings.iter().map(|key| (decode(text, key.quoted), key.quoted)).collect();
            sorted.sort_unstable_by(|one, other| {
                one.0.cmp(&other.0).then_with(|| one.1.inner().start().cmp(&other.1.inner().start()))
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

fn duplicate(text: &str, quoted: Quoted) -> Fault {
    let key = decode(text, quoted).into_owned().into_boxed_str();
    Fault::new(quoted.outer().start(), ErrorKind::DuplicateKey(key))
}

/// Equal keys have equal prints; the print of a key of up to seven bytes is the key.
fn print(key: &[u8]) -> u64 {
    match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => long_print(*first, *last, key.len()),
        _ => key.iter().rev().fold(key.len() as u64, |print, byte| print << 8 | u64::from(*byte)),
    }
}

fn long_print(first: [u8; 8], last: [u8; 8], length: usize) -> u64 {
    u64::from_le_bytes(first) ^ u64::from_le_bytes(last).rotate_left(29) ^ (length as u64).rotate_left(51)
}

/// The print of the bytes that stand there, which need no unescaping. What follows a short key saves a loop over it.
#[inline]
fn print_at(text: &[u8], place: Span) -> u64 {
    let length = place.end() - place.start();
    match text.get(place.start()..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) if length < 8 => {
            let bits = 8 * length;
            let word = u64::from_le_bytes(*chunk) & !(u64::MAX << bits);
            word | (length as u64) << bits
        }
        _ => print(text.get(place.range()).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, print, print_at};

    #[test]
    fn both_prints_are_one() {
        let text = b"abcdefghijklmnop";
        for start in 0..text.len() {
            for end in start..=text.len() {
                assert_eq!(print_at(text, Span::new(start, end)), print(&text[start..end]));
            }
        }
    }
}
