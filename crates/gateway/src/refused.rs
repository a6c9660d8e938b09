//! What comes in floods and has no record of its own: counted, and recorded once a minute, so that
//! neither a flood nor its absence of records hides anything. Requests that are turned away before
//! there is anything to decide are slowed too.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Refusals of one address in a minute that are answered at once.
const FREE: u64 = 10;

/// The longest that an answer is held back.
const SLOWEST: Duration = Duration::from_secs(2);

/// Addresses that are told apart in a minute; the rest is counted together.
const MAX_ADDRESSES: usize = 10_000;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    pub reason: &'static str,
    pub server: Option<String>,
    pub client: Option<IpAddr>,
}

/// Counts of what was refused.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Since the last record.
    fresh: HashMap<Counted, u64>,
    /// Since the start, by reason: all reasons are words of ours.
    totals: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn add(&mut self, counted: Counted, times: u64) -> u64 {
        *self.totals.entry(counted.reason).or_default() += times;
        let count = self.fresh.entry(counted).or_default();
        *count += times;
        *count
    }
}

impl Refused {
    /// Counts a refusal.
    pub(crate) fn count(&self, reason: &'static str, client: Option<IpAddr>) -> u64 {
        let mut counts = self.lock();
        let client = client.filter(|_| counts.fresh.len() < MAX_ADDRESSES);
        counts.add(Counted { reason, server: None, client }, 1)
    }

    /// Counts what one server has brought.
    pub(crate) fn count_of_server(&self, reason: &'static str, server: &str, times: usize) {
        if let Some(times) = u64::try_from(times).ok().filter(|times| *times > 0) {
            self.lock().add(Counted { reason, server: Some(server.to_owned()), client: None }, times);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal and waits the longer, the more there were of that address.
    pub(crate) async fn slow_down(&self, reason: &'static str, client: IpAddr) {
        let count = self.count(reason, Some(client));
        if let Some(over) = count.checked_sub(FREE).filter(|over| *over > 0) {
            let pause = Duration::from_millis(20).saturating_mul(u32::try_from(over).unwrap_or(u32::MAX));
            tokio::time::sleep(pause.min(SLOWEST)).await;
        }
    }

    /// Takes the counts, to be recorded.
    pub(crate) fn take(&self) -> HashMap<Counted, u64> {
        std::mem::take(&mut self.lock().fresh)
    }

    /// How many there were since the start, by reason.
    pub(crate) fn totals(&self) -> BTreeMap<&'static str, u64> {
        self.lock().totals.clone()
    }
}
