//! Where uses are counted: here, at once; or in a store that all replicas share, a round trip away.

mod taking;

use std::sync::Arc;

use jiff::Timestamp;
use quota::{Counters, Full, Receipt, StoreDown, Take, Taken, Use};
use shared::Counts;
pub use shared::Known;

use self::taking::Taking;
use crate::limits::Beside;

/// Where the uses of limits are counted.
#[derive(Clone)]
pub enum Counting {
    /// In the memory or a file of this machine: nothing is awaited.
    Here(Arc<dyn Counters>),
    /// In the store that all replicas share, by its clock: a call takes all in one round trip.
    Shared(Counts),
}

impl std::fmt::Debug for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Here(_) => "Here",
            Self::Shared(_) => "Shared",
        })
    }
}

/// Why a count was not reset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReset {
    /// There is no such count, or nothing is used of it.
    #[error("nothing is used of such a count")]
    Unused,
    /// Calls in flight.
    #[error("calls in flight are not reset: they end by themselves, those of a process that died within a minute")]
    InFlight,
    /// The store.
    #[error(transparent)]
    Down(#[from] StoreDown),
}

impl Counting {
    /// Takes everything or nothing. Beside it, each by itself: where the call is made what is observed, of which the
    /// places of the full ones are told; where it is not made its attempts.
    pub(crate) async fn take(
        &self,
        takes: &[Take],
        beside: &Beside<'_>,
        now: Timestamp,
    ) -> Result<(Taken, Vec<usize>), StoreDown> {
        match self {
            Self::Here(counters) => take_here(&**counters, takes, beside, now),
            Self::Shared(counts) => Taking::new(counts, takes, beside).await,
        }
    }

    /// The first that would not fit, for a call that is not made either way: its attempts are taken.
    pub(crate) async fn look(
        &self,
        takes: &[Take],
        beside: &Beside<'_>,
        now: Timestamp,
    ) -> Result<Option<Full>, StoreDown> {
        match self {
            Self::Here(counters) => {
                let full = if takes.is_empty() { Ok(None) } else { counters.look(takes, now) };
                each(&**counters, &beside.attempts(), now);
                full
            }
            // In a box, so that calls that are counted here do not carry its size with them.
            Self::Shared(counts) => Box::pin(async { counts.look_with(takes, &beside.attempts()).await }).await,
        }
    }

    /// Whether time passes while it counts.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Gives back what was taken, and tells whether that may be relied on. Nobody waits for a shared store.
    pub(crate) fn give_back(&self, receipt: Receipt, now: Timestamp) -> bool {
        match self {
            Self::Here(counters) => counters.give_back(receipt, now).is_ok(),
            Self::Shared(counts) => {
                let there = counts.reachable().is_ok();
                counts.give_back_later(receipt);
                there
            }
        }
    }

    /// Every count of an organisation that is not zero.
    ///
    /// # Errors
    /// [`StoreDown`] when they cannot be read.
    pub async fn snapshot(&self, organisation: &str) -> Result<Vec<Use>, StoreDown> {
        match self {
            Self::Here(counters) => {
                let mut uses = counters.snapshot(Timestamp::now())?;
                uses.retain(|used| quota::is_of(&used.id, organisation));
                Ok(uses)
            }
            Self::Shared(counts) => counts.snapshot_of(organisation).await,
        }
    }

    /// Since when the counts of an organisation are known.
    ///
    /// # Errors
    /// [`StoreDown`] when they cannot be reached.
    pub async fn known(&self, organisation: &str) -> Result<Known, StoreDown> {
        match self {
            // Whoever loses a file knows it, and the log fills it again.
            Self::Here(_) => Ok(Known::All),
            Self::Shared(counts) => counts.known_since(organisation).await,
        }
    }

    /// Forgets what is used of a count of an organisation.
    ///
    /// # Errors
    /// [`NotReset`].
    pub async fn reset(&self, organisation: &str, id: &str) -> Result<(), NotReset> {
        if !quota::is_of(id, organisation) {
            return Err(NotReset::Unused);
        }
        if id.ends_with("|in flight") {
            return Err(NotReset::InFlight);
        }
        let done = match self {
            Self::Here(counters) => counters.reset(id)?,
            Self::Shared(counts) => counts.reset(id).await?,
        };
        if done { Ok(()) } else { Err(NotReset::Unused) }
    }

    /// Whether the counts can be reached.
    ///
    /// # Errors
    /// [`StoreDown`] says why not.
    pub fn reachable(&self) -> Result<(), StoreDown> {
        match self {
            Self::Here(_) => Ok(()),
            Self::Shared(counts) => counts.reachable(),
        }
    }

    /// To be called every ten seconds, so that calls in flight stay counted.
    pub(crate) async fn heartbeat(&self) {
        match self {
            Self::Here(counters) => counters.heartbeat(Timestamp::now()),
            Self::Shared(counts) => counts.heartbeat().await,
        }
    }

    /// To be called every second; the disk may take its time.
    pub(crate) fn sync(&self) {
        if let Self::Here(counters) = self {
            counters.sync();
        }
    }
}

/// As [`Counting::take`], without any wait.
fn take_here(
    counters: &dyn Counters,
    takes: &[Take],
    beside: &Beside<'_>,
    now: Timestamp,
) -> Result<(Taken, Vec<usize>), StoreDown> {
    let taken = match takes {
        [] => Taken::Granted(Receipt::default()),
        takes => counters.take(takes, now)?,
    };
    let full = match &taken {
        Taken::Granted(_) => each(counters, &beside.observed(), now),
        Taken::Full(_) => {
            each(counters, &beside.attempts(), now);
            Vec::new()
        }
    };
    Ok((taken, full))
}

/// Takes each by itself, and tells the places of those that are full.
fn each(counters: &dyn Counters, takes: &[Take], now: Timestamp) -> Vec<usize> {
    let full = |take: &Take| matches!(counters.take(std::slice::from_ref(take), now), Ok(Taken::Full(_)));
    takes.iter().enumerate().filter(|(_, take)| full(take)).map(|(place, _)| place).collect()
}
