//! Calls that are open at a legacy server while an agent of 2026-07-28 finds out what the server asks.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::PATIENCE;
use super::exchange::Exchange;
use super::held::Pool;
use crate::seal::SessionNumber;

/// Calls that may wait at once, in all and of one grant.
const MOST: usize = 1024;
const OF_A_GRANT: usize = 32;

/// Calls that made room for others and are remembered as such.
const YIELDED: usize = 1024;

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

/// Why a call cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// A newer one needed its place.
    Yielded,
    /// It has ended, or was another call.
    Unknown,
}

/// All of them. Where too many wait, the oldest makes room: an agent that gives up a question says nothing of that.
#[derive(Default)]
pub(super) struct OpenCalls(Mutex<Open>);

#[derive(Default)]
struct Open {
    waiting: HashMap<[u8; 16], Waiting>,
    yielded: VecDeque<[u8; 16]>,
}

impl OpenCalls {
    /// Lets one wait.
    pub(super) fn wait(&self, number: SessionNumber, waiting: Waiting) {
        let mut open = self.lock();
        let of_grant = open.waiting.values().filter(|other| other.grant == waiting.grant).count();
        let over = if of_grant >= OF_A_GRANT {
            open.ended_by_others(|other| other.grant == waiting.grant)
        } else if open.waiting.len() >= MOST {
            open.ended_by_others(|_| true)
        } else {
            None
        };
        open.waiting.insert(number.0, waiting);
        drop(open);
        // Dropped here, outside the lock: it tells its server.
        drop(over);
    }

    /// Ends the oldest call that waits at the sessions of a pool; false if none does.
    pub(super) fn make_room(&self, pool: &Arc<Pool>) -> bool {
        let over = self.lock().ended_by_others(|waiting| waiting.exchange.is_at(pool));
        over.is_some()
    }

    /// The call of this number, if it waits and is `call`.
    pub(super) fn take(&self, number: [u8; 16], call: &str) -> Result<Waiting, Gone> {
        let mut open = self.lock();
        if open.yielded.contains(&number) {
            return Err(Gone::Yielded);
        }
        if open.waiting.get(&number).is_none_or(|waiting| waiting.call != call || waiting.since.elapsed() >= PATIENCE) {
            return Err(Gone::Unknown);
        }
        open.waiting.remove(&number).ok_or(Gone::Unknown)
    }

    pub(super) fn sweep(&self) {
        let mut open = self.lock();
        let late: Vec<_> = open.waiting.extract_if(|_, waiting| waiting.since.elapsed() >= PATIENCE).collect();
        drop(open);
        // Dropped here, outside the lock: each tells its server.
        drop(late);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn ended_by_others(&mut self, may: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let oldest = self.waiting.iter().filter(|(_, waiting)| may(waiting)).min_by_key(|(_, waiting)| waiting.since);
        let number = *oldest?.0;
        if self.yielded.len() >= YIELDED {
            self.yielded.pop_front();
        }
        self.yielded.push_back(number);
        self.waiting.remove(&number)
    }
}
