//! Bodies of requests that have begun to arrive: how much of them is held at once. Who sends a long message slowly, over
//! many connections, would else have the gateway hold as many times 4 MiB.

use std::sync::Arc;

use crate::bounded::{Bounded, Full, Place};
use crate::grant::TokenDigest;

/// What is taken at a time, in bytes. The first piece of each body is free: the usual message is shorter, and so takes
/// nothing, whatever others do; there are as many of those as there are connections.
const PIECE: usize = 64 * 1024;

/// What one token may have on its way, in pieces: 32 MiB.
const OF_ONE: usize = 512;

/// What all together may have, in pieces: 128 MiB.
const IN_ALL: usize = 4 * OF_ONE;

/// Whose body it is: the token that it came with, if one was needed.
type Holder = Option<TokenDigest>;

/// The room for bodies of all workers.
#[derive(Debug)]
pub(crate) struct Arriving(Arc<Bounded<Holder>>);

impl Default for Arriving {
    fn default() -> Self {
        Self(Bounded::new(OF_ONE, IN_ALL))
    }
}

impl Arriving {
    /// The room of one body, of which nothing has come yet.
    pub(crate) fn body_of(&self, holder: Holder) -> Held {
        Held(self.0.none_of(holder))
    }
}

/// The room that one body takes, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Place<Holder>);

impl Held {
    /// Takes room for so many bytes, together with what was taken before.
    ///
    /// # Errors
    /// A sentence that says what is full.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.0.grow_to(bytes.saturating_sub(1) / PIECE).map_err(|full| match full {
            Full::Each(_) => "32 MiB of long messages of this token are on their way already; send this one later",
            Full::All(_) => "128 MiB of long messages are on their way already; send this one later",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_bodies_are_free_and_long_ones_bounded_for_each_token_and_in_all() {
        let room = Arriving::default();
        let holder = |number: u8| Some(TokenDigest::of(&[number]));
        let mut held = Vec::new();
        for number in 0..4 {
            // 64 KiB, which are free, beside 32 MiB, which are all that there are.
            let mut body = room.body_of(holder(number));
            body.grow_to(PIECE * OF_ONE + PIECE).unwrap();
            let full = body.grow_to(PIECE * OF_ONE + PIECE + 1).unwrap_err();
            assert!(full.contains(if number < 3 { "of this token" } else { "128 MiB" }), "{full}");
            held.push(body);
        }
        let mut other = room.body_of(None);
        other.grow_to(PIECE).unwrap();
        assert!(other.grow_to(PIECE + 1).unwrap_err().starts_with("128 MiB"));
        held.pop();
        other.grow_to(PIECE + 1).unwrap();
        drop((held, other));
        assert_eq!(room.0.taken(), 0);
    }
}
