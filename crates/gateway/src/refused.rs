//! What comes in floods and has no record of its own: counted, and recorded once a minute, so that
//! neither a flood nor its absence of records hides anything. Requests that are turned away before
//! there is anything to decide are slowed too.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
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

/// Counts since the last record.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    counts: Mutex<HashMap<Counted, u64>>,
}

impl Refused {
    /// Counts a refusal.
    pub(crate) fn count(&self, reason: &'static str, client: Option<IpAddr>) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let client = client.filter(|_| counts.len() < MAX_ADDRESSES);
        let count = counts.entry(Counted { reason, server: None, client }).or_default();
        *count += 1;
        *count
    }

    /// Counts what one server has brought.
    pub(crate) fn count_of_server(&self, reason: &'static str, server: &str, times: usize) {
        if let Some(times) = u64::try_from(times).ok().filter(|times| *times > 0) {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(Counted { reason, server: Some(server.to_owned()), client: None }).or_default() += times;
        }
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
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
