//! Calls that are open at a legacy server while an agent of 2026-07-28 finds out what the server asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::PATIENCE;
use super::exchange::Exchange;
use crate::seal::SessionNumber;

/// Calls that may wait at once, in all and of one grant.
const MOST: usize = 1024;
const OF_A_GRANT: usize = 32;

/// How many times one call may ask.
pub(super) const MAX_ROUNDS: u8 = 8;

/// A call that waits. Dropped, it is cancelled at its server.
pub(super) struct Waiting {
    pub(super) exchange: Exchange,
    /// The raw id of the server's question.
    pub(super) question: String,
    /// What was called, in canonical form: a continuation that says otherwise is another call.
    pub(super) call: String,
    pub(super) grant: String,
    since: Instant,
}

impl Waiting {
    pub(super) fn new(exchange: Exchange, question: String, call: String, grant: String) -> Self {
        Self { exchange, question, call, grant, since: Instant::now() }
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct OpenCalls(Mutex<HashMap<[u8; 16], Waiting>>);

impl OpenCalls {
    /// Lets one wait; false, and it is cancelled, if too many do.
    pub(super) fn wait(&self, number: SessionNumber, waiting: Waiting) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_grant = all.values().filter(|other| other.grant == waiting.grant).count();
        let room = all.len() < MOST && of_grant < OF_A_GRANT;
        if room {
            all.insert(number.0, waiting);
        }
        room
    }

    /// The call of this number, if it waits and is `call`.
    pub(super) fn take(&self, number: [u8; 16], call: &str) -> Option<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&number).is_none_or(|waiting| waiting.call != call || waiting.since.elapsed() >= PATIENCE) {
            return None;
        }
        all.remove(&number)
    }

    pub(super) fn sweep(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late: Vec<_> = all.extract_if(|_, waiting| waiting.since.elapsed() >= PATIENCE).collect();
        drop(all);
        // Dropped here, outside the lock: each tells its server.
        drop(late);
    }
}
