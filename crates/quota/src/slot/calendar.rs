//! Uses within a window of the calendar.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Amount, Moment, Window};

/// One calendar window and what is used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// The first microsecond since 1970.
    pub(super) start: i64,
    /// The first microsecond after it; 0 where nothing was ever counted.
    pub(super) end: i64,
    /// What the steady clock shows when the window has lasted as long as it should.
    pub(super) steady_end: i64,
    /// In millionths.
    pub(super) used: u128,
}

impl Calendar {
    /// Goes on to the window that holds the moment, if it has begun.
    pub(super) fn roll(&mut self, window: Window, zone: &TimeZone, moment: Moment) {
        if !self.is_over(moment) {
            return;
        }
        if let Some(span) = window.span(zone, moment.wall) {
            let left = span.end.saturating_sub(moment.wall);
            *self = Calendar { start: span.start, end: span.end, steady_end: moment.steady.saturating_add(left), used: 0 };
        }
    }

    /// Whether the window has ended: by the wall clock, or, where the wall clock was set back to
    /// before it began, when it has lasted for as long as it had left.
    pub(super) fn is_over(&self, moment: Moment) -> bool {
        moment.wall >= self.end || (moment.wall < self.start && moment.steady >= self.steady_end)
    }

    /// Whether it has ended by both clocks, so that setting one of them cannot bring it back.
    pub(super) fn is_idle(&self, moment: Moment) -> bool {
        self.used == 0 || (moment.wall >= self.end && moment.steady >= self.steady_end)
    }

    pub(super) fn used(&self) -> Amount {
        Amount::sum(self.used)
    }

    pub(super) fn frees_at(&self, moment: Moment) -> Option<Timestamp> {
        if moment.wall < self.start {
            return moment.wall_at(self.steady_end);
        }
        Timestamp::from_microsecond(self.end).ok()
    }

    /// Counts, and tells the beginning of the window.
    pub(super) fn add(&mut self, amount: Amount) -> i64 {
        self.used = self.used.saturating_add(amount.micros());
        self.start
    }

    pub(super) fn give_back(&mut self, start: i64, amount: Amount) -> bool {
        let same = start == self.start && self.used > 0;
        if same {
            self.used = self.used.saturating_sub(amount.micros());
        }
        same
    }

    pub(super) fn raise(&mut self, other: &Calendar) {
        if other.start > self.start || self.end == 0 {
            *self = other.clone();
        } else if other.start == self.start {
            self.used = self.used.max(other.used);
        }
    }
}
