//! What keeps counts.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Amount, CountId, Kind, Receipt, Window};

/// What one limit takes for one call.
#[derive(Clone, Debug)]
pub struct Take {
    /// Whose count of what.
    pub id: CountId,
    /// The window; `None` for calls in flight.
    pub window: Option<Window>,
    /// The zone of the calendar's windows.
    pub zone: TimeZone,
    /// What is counted.
    pub kind: Kind,
    /// The most that the window may hold, inclusive.
    pub max: Amount,
    /// How much is taken. Of calls in flight whole ones, rounded up.
    pub amount: Amount,
}

/// The answer to takes.
#[derive(Debug)]
#[must_use]
pub enum Taken {
    /// All were taken.
    Granted(Receipt),
    /// One does not fit, and none was taken.
    Full(Full),
}

/// A count that has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// The first of the takes that does not fit.
    pub index: usize,
    /// How much is used.
    pub used: Amount,
    /// The maximum that was asked with.
    pub max: Amount,
    /// When there is room for the amount if nothing else is used until then. `None` where no time
    /// can be named: the amount is larger than the maximum, or calls in flight have to end.
    pub frees_at: Option<Timestamp>,
}

/// How much of a count is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The text of the count's identity; its beginning, where the store keeps no more.
    pub id: Arc<str>,
    /// How much is used at the moment.
    pub used: Amount,
    /// The maximum of the latest take; zero where there was none since the count was restored.
    pub max: Amount,
    /// The window; `None` for calls in flight.
    pub window: Option<Window>,
    /// When the next use frees.
    pub frees_at: Option<Timestamp>,
}

/// The counts cannot be reached or believed. Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the counts of limits cannot be used: {reason}")]
pub struct StoreDown {
    /// Why, and what to do.
    pub reason: Arc<str>,
}

impl StoreDown {
    /// Down for this reason: what is wrong, and the remedy.
    #[must_use]
    pub fn new(reason: impl Into<Arc<str>>) -> StoreDown {
        StoreDown { reason: reason.into() }
    }
}

/// Keeps counts. All methods may be called from any thread; none blocks for long.
///
/// `now` is the caller's clock. A form that has a clock of its own, shared by all that use it,
/// says so and goes by that.
pub trait Counters: Send + Sync {
    /// Takes all or nothing, in one step. Takes of the same count are one take, of the largest
    /// amount, under the smallest maximum.
    ///
    /// # Errors
    /// When the counts cannot be reached; then nothing was taken.
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown>;

    /// Says which take would not fit, and takes nothing.
    ///
    /// # Errors
    /// When the counts cannot be reached.
    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown>;

    /// Gives back what was taken, to the windows it came from, or ends calls in flight. What has
    /// freed meanwhile is not given back twice.
    ///
    /// # Errors
    /// When the counts cannot be reached; then some or all stay taken.
    fn give_back(&self, receipt: Receipt, now: Timestamp) -> Result<(), StoreDown>;

    /// Every count that is not zero, ordered by identity.
    ///
    /// # Errors
    /// When the counts cannot be reached.
    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown>;

    /// A sign of life: leases for calls in flight lapse 60 seconds after the last one. To be called
    /// every 10 seconds where the form does not do so by itself.
    fn heartbeat(&self, _now: Timestamp) {}
}
