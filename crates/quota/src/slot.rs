//! The state of one count: what is stored of it, and its arithmetic.
//!
//! A slot holds a calendar window, a rolling window or calls in flight, and encodes to [`SIZE`]
//! bytes, the same for every form that keeps it as bytes. All of it is pure: time and the life of
//! other holders are given.

mod bytes;
mod calendar;
mod leases;
mod rolling;

use jiff::Timestamp;

use crate::{Amount, Folded, Kind, Moment, Take, Window};

pub use bytes::{Damaged, SIZE};
pub use calendar::Calendar;
pub use leases::{Lease, Leases, MAX_HOLDERS};
pub use rolling::{BUCKETS, Rolling};

/// The state of one count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    digest: [u8; 16],
    max: Amount,
    state: State,
}

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "every variant is kept in a slot of the same size anyway")]
enum State {
    Calendar(Window, Calendar),
    Rolling(Rolling),
    Leases(Leases),
}

/// Where in a slot a use was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The calendar window that began then, in microseconds since 1970.
    Calendar {
        /// The beginning of the window.
        start: i64,
    },
    /// The sixtieth of a rolling window.
    Rolling {
        /// Its number since the zero of the steady clock.
        bucket: i64,
    },
    /// Calls in flight.
    Lease {
        /// Who makes them.
        holder: u64,
        /// Tells a holder's entry from an earlier one that lapsed.
        epoch: u32,
    },
}

/// Why a take does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How much is used.
    pub used: Amount,
    /// When there is room for the amount, if a time can be named.
    pub frees_at: Option<Timestamp>,
}

/// Who makes calls, and who of the others is still there.
pub trait Holders {
    /// The one who asks. Never used again after its end.
    fn own(&self) -> u64;
    /// Whether another's calls may still be in flight. Asked only where the answer matters.
    fn is_alive(&mut self, holder: u64) -> bool;
}

/// The only holder there is.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Holders for Alone {
    fn own(&self) -> u64 {
        1
    }

    fn is_alive(&mut self, _holder: u64) -> bool {
        true
    }
}

impl Slot {
    /// An unused count of this window and kind. A quota without a window, which no policy has, is
    /// counted by the month.
    #[must_use]
    pub fn new(digest: [u8; 16], window: Option<Window>, kind: Kind) -> Slot {
        let state = match (kind, window) {
            (Kind::Concurrency, _) => State::Leases(Leases::default()),
            (Kind::Quota, Some(Window::Rolling(seconds))) => State::Rolling(Rolling::new(seconds)),
            (Kind::Quota, window) => State::Calendar(window.unwrap_or(Window::Month), Calendar::default()),
        };
        Slot { digest, max: Amount::ZERO, state }
    }

    /// An unused count for this take.
    #[must_use]
    pub fn for_take(take: &Take) -> Slot {
        Slot::new(take.id.digest(), take.window, take.kind)
    }

    /// The count that this is.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// The maximum of the latest take.
    #[must_use]
    pub fn max(&self) -> Amount {
        self.max
    }

    /// The window; `None` for calls in flight.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        match &self.state {
            State::Calendar(window, _) => Some(*window),
            State::Rolling(rolling) => Some(Window::Rolling(rolling.seconds())),
            State::Leases(_) => None,
        }
    }

    /// Takes, if it fits. A slot that refuses may have forgotten what freed, nothing else.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn take(&mut self, folded: &Folded<'_>, moment: Moment, holders: &mut dyn Holders) -> Result<Mark, Refusal> {
        self.max = folded.max;
        let (max, amount) = (folded.max, folded.amount);
        match &mut self.state {
            State::Calendar(window, calendar) => {
                calendar.roll(*window, &folded.take.zone, moment);
                if calendar.used().plus(amount) > max {
                    let frees_at = if amount > max { None } else { calendar.frees_at(moment) };
                    return Err(Refusal { used: calendar.used(), frees_at });
                }
                Ok(Mark::Calendar { start: calendar.add(amount) })
            }
            State::Rolling(rolling) => {
                rolling.roll(moment.steady);
                let used = rolling.used();
                if used.plus(amount) > max {
                    let frees_at = rolling.room_at(amount, max).and_then(|steady| moment.wall_at(steady));
                    return Err(Refusal { used, frees_at });
                }
                Ok(Mark::Rolling { bucket: rolling.add(amount) })
            }
            State::Leases(leases) => {
                let (holder, epoch) = leases.take(amount, max, holders).map_err(|used| Refusal { used, frees_at: None })?;
                Ok(Mark::Lease { holder, epoch })
            }
        }
    }

    /// Counts a use of the past without asking a maximum: for rebuilding a count.
    pub fn count(&mut self, amount: Amount, zone: &jiff::tz::TimeZone, moment: Moment) {
        match &mut self.state {
            State::Calendar(window, calendar) => {
                calendar.roll(*window, zone, moment);
                calendar.add(amount);
            }
            State::Rolling(rolling) => {
                rolling.roll(moment.steady);
                rolling.add(amount);
            }
            State::Leases(_) => {}
        }
    }

    /// Raises this count to another of the same identity, window by window; lowers nothing.
    pub fn raise(&mut self, other: &Slot) {
        match (&mut self.state, &other.state) {
            (State::Calendar(mine, calendar), State::Calendar(theirs, other)) if mine == theirs => calendar.raise(other),
            (State::Rolling(rolling), State::Rolling(other)) => rolling.raise(other),
            _ => {}
        }
    }

    /// Gives back what was taken at `mark`, if it has not freed already. Says whether anything
    /// changed.
    pub fn give_back(&mut self, mark: Mark, amount: Amount) -> bool {
        match (&mut self.state, mark) {
            (State::Calendar(_, calendar), Mark::Calendar { start }) => calendar.give_back(start, amount),
            (State::Rolling(rolling), Mark::Rolling { bucket }) => rolling.give_back(bucket, amount),
            (State::Leases(leases), Mark::Lease { holder, epoch }) => leases.give_back(holder, epoch, amount),
            _ => false,
        }
    }

    /// How much is used at the moment, and when the next use frees.
    pub fn used(&mut self, moment: Moment, holders: &mut dyn Holders) -> (Amount, Option<Timestamp>) {
        match &mut self.state {
            State::Calendar(_, calendar) if calendar.is_over(moment) => (Amount::ZERO, None),
            State::Calendar(_, calendar) => (calendar.used(), calendar.frees_at(moment)),
            State::Rolling(rolling) => {
                rolling.roll(moment.steady);
                (rolling.used(), rolling.frees_next().and_then(|steady| moment.wall_at(steady)))
            }
            State::Leases(leases) => {
                leases.drop_lapsed(holders);
                (leases.used(), None)
            }
        }
    }

    /// Whether nothing is used any more, whatever the wall clock may still do: the slot may be
    /// forgotten.
    #[must_use]
    pub fn is_idle(&self, moment: Moment) -> bool {
        match &self.state {
            State::Calendar(_, calendar) => calendar.is_idle(moment),
            State::Rolling(rolling) => rolling.is_idle(moment.steady),
            State::Leases(leases) => leases.used() == Amount::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
