//! Requests whose agents were told that there is no answer, or that wait no longer: a server may still answer them, and
//! nobody else may take that for an answer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp::message::IdKey;

/// How many are known, the latest ones.
const KNOWN: usize = 1024;

/// What an agent reads that uses the id of one again.
pub(crate) const USED_AGAIN: &str =
    "a request of this id was given up in this session, and the server may still answer it; use another id";

/// The ids of the requests of one conversation that were given up, oldest first.
#[derive(Debug, Default)]
pub(crate) struct GivenUp(Mutex<VecDeque<IdKey>>);

impl GivenUp {
    /// Notes one.
    pub(crate) fn note(&self, id: IdKey) {
        let mut known = self.known();
        if known.len() == KNOWN {
            known.pop_front();
        }
        known.push_back(id);
    }

    /// Whether a request of this id may still be answered.
    pub(crate) fn may_be_answered(&self, id: &IdKey) -> bool {
        self.known().contains(id)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.known().is_empty()
    }

    /// An answer has come; true if it is that of one that was given up, which is then answered.
    pub(crate) fn was_answered(&self, id: &IdKey) -> bool {
        let mut known = self.known();
        let before = known.len();
        known.retain(|given_up| given_up != id);
        known.len() < before
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<IdKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_comes_late_is_known_once() {
        let given_up = GivenUp::default();
        let id = |text: &str| IdKey::String(text.into());
        for number in 0..=KNOWN {
            given_up.note(id(&number.to_string()));
        }
        assert!(!given_up.may_be_answered(&id("0")), "the oldest is forgotten");
        assert!(given_up.may_be_answered(&id("1")) && !given_up.may_be_answered(&id("x")));
        assert!(given_up.was_answered(&id("1")));
        assert!(!given_up.was_answered(&id("1")) && !given_up.may_be_answered(&id("1")));
    }
}
