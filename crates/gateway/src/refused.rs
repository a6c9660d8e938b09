//! Requests that are turned away before there is anything to decide: counted, slowed, and
//! recorded once a minute, so that neither a flood nor its absence of records hides anything.

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

/// Counts since the last record.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    counts: Mutex<HashMap<(&'static str, Option<IpAddr>), u64>>,
}

impl Refused {
    /// Counts a refusal.
    pub(crate) fn count(&self, reason: &'static str, client: Option<IpAddr>) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if counts.len() < MAX_ADDRESSES { (reason, client) } else { (reason, None) };
        let count = counts.entry(key).or_default();
        *count += 1;
        *count
    }

    /// Counts a refusal and waits the longer, the more there were of that address.
    pub(crate) async fn slow_down(&self, reason: &'static str, client: IpAddr) {
        let count = self.count(reason, Some(client));
        if let Some(over) = count.checked_sub(FREE).filter(|over| *over > 0) {
            let pause = Duration::from_millis(20).saturating_mul(u32::try_from(over).unwrap_or(u32::MAX));
            tokio::time::sleep(pause.min(SLOWEST)).await;
        }
    }

    /// Takes the counts, to be recorded: reason, address, times.
    pub(crate) fn take(&self) -> Vec<(&'static str, Option<IpAddr>, u64)> {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().map(|((reason, client), times)| (reason, client, times)).collect()
    }
}
