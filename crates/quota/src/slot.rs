//! The state of one count, and the arithmetic on it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Amount, Window};

/// Parts of a rolling window, and the one that is being left.
pub const BUCKETS: usize = 61;

const PARTS: i128 = 60;

/// The uses of one count: a calendar window in one bucket, a rolling one in 60 parts and the part
/// that is being left. A use frees when its part has left the window, so up to 1/60 late and never
/// early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Number of the bucket and what it holds, at the place of the number modulo [`BUCKETS`].
    pub buckets: [(i64, u128); BUCKETS],
    /// The latest time that was seen, in nanoseconds: a clock that goes back frees nothing.
    pub latest: i64,
    /// The last maximum, to be shown.
    pub max: u128,
    /// The calendar window that was worked out last: its number, begin and end. Every use of a window
    /// asks for it, and calendars are slow.
    calendar: Option<(i64, i64, i64)>,
}

/// Where a use was counted, to give it back there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket(pub i64);

impl Default for Slot {
    fn default() -> Self {
        Self::stored([(i64::MIN, 0); BUCKETS], i64::MIN, 0)
    }
}

/// What a slot says of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) used: u128,
    pub(crate) bucket: Bucket,
}

impl Slot {
    /// A slot as a store kept it.
    #[must_use]
    pub fn stored(buckets: [(i64, u128); BUCKETS], latest: i64, max: u128) -> Self {
        Self { buckets, latest, max, calendar: None }
    }

    /// What one bucket holds, and its place among [`BUCKETS`].
    #[must_use]
    pub fn bucket(&self, bucket: Bucket) -> Option<(usize, u128)> {
        let index = index(bucket.0)?;
        self.buckets.get(index).filter(|(number, _)| *number == bucket.0).map(|(_, used)| (index, *used))
    }

    /// The time to reckon with: never before a time that was seen, unless the clock was wrong by
    /// more than a window, when nothing of the window is left to protect.
    fn now(&self, now: Timestamp) -> i64 {
        nanos(now).max(self.latest)
    }

    /// What is used at `now`, and the bucket that a use falls into.
    #[must_use]
    pub fn used(&self, window: Window, zone: &TimeZone, now: Timestamp) -> (Amount, Bucket) {
        let state = self.state(window, zone, self.now(now));
        (Amount::from_micros(state.used).unwrap_or_default(), state.bucket)
    }

    fn state(&self, window: Window, zone: &TimeZone, now: i64) -> State {
        let number = self.number(window, zone, now);
        let used = match window {
            Window::Rolling(_) => self
                .buckets
                .iter()
                .filter(|(other, _)| (number.saturating_sub(60)..=number).contains(other))
                .fold(0_u128, |sum, (_, used)| sum.saturating_add(*used)),
            _ => self.bucket(Bucket(number)).map_or(0, |(_, used)| used),
        };
        State { used, bucket: Bucket(number) }
    }

    /// The number of the bucket around `now`.
    fn number(&self, window: Window, zone: &TimeZone, now: i64) -> i64 {
        match (window, self.calendar) {
            (Window::Rolling(seconds), _) => {
                let number = i128::from(now) * PARTS / (i128::from(seconds.max(1)) * 1_000_000_000);
                i64::try_from(number).unwrap_or(i64::MAX)
            }
            (_, Some((number, start, end))) if (start..end).contains(&now) => number,
            _ => calendar(window, zone, now).map_or(i64::MAX, |(number, _, _)| number),
        }
    }

    /// Whether `amount` fits beside what is used.
    #[must_use]
    pub fn fits(&self, window: Window, zone: &TimeZone, now: Timestamp, amount: Amount, max: Amount) -> bool {
        let state = self.state(window, zone, self.now(now));
        state.used.saturating_add(amount.micros()) <= max.micros()
    }

    /// Adds a use, whether or not it fits, and tells where.
    pub fn add(&mut self, window: Window, zone: &TimeZone, now: Timestamp, amount: Amount, max: Amount) -> Bucket {
        let now = self.now(now);
        self.latest = now;
        self.max = max.micros();
        if !self.calendar.is_some_and(|(_, start, end)| (start..end).contains(&now)) {
            self.calendar = calendar(window, zone, now);
        }
        let number = self.number(window, zone, now);
        if let Some(place) = self.place(number) {
            if place.0 != number {
                *place = (number, 0);
            }
            place.1 = place.1.saturating_add(amount.micros());
        }
        Bucket(number)
    }

    /// Takes a use back out of its bucket, if that still counts.
    pub fn give_back(&mut self, bucket: Bucket, amount: Amount) {
        if let Some(place) = self.place(bucket.0)
            && place.0 == bucket.0
        {
            place.1 = place.1.saturating_sub(amount.micros());
        }
    }

    /// Forgets every use, but not the time. Tells whether there was one.
    pub fn clear(&mut self) -> bool {
        let any = self.buckets.iter().any(|(_, used)| *used > 0);
        self.buckets.iter_mut().for_each(|(_, used)| *used = 0);
        any
    }

    /// When `amount` will fit under `max`; `None` if it never does.
    #[must_use]
    pub fn frees_at(
        &self,
        window: Window,
        zone: &TimeZone,
        now: Timestamp,
        amount: Amount,
        max: Amount,
    ) -> Option<Timestamp> {
        if amount > max {
            return None;
        }
        let now = self.now(now);
        let Window::Rolling(seconds) = window else {
            let (_, end) = window.calendar(zone, timestamp(now)?)?;
            return Some(end);
        };
        let state = self.state(window, zone, now);
        let mut excess = state.used.saturating_add(amount.micros()).saturating_sub(max.micros());
        let mut held: Vec<(i64, u128)> = self
            .buckets
            .iter()
            .copied()
            .filter(|(number, used)| *used > 0 && (state.bucket.0 - 60..=state.bucket.0).contains(number))
            .collect();
        held.sort_unstable();
        for (number, used) in held {
            excess = excess.saturating_sub(used);
            if excess == 0 {
                // The part has left when 61 parts have passed since it began.
                let end = i128::from(number + 61) * i128::from(seconds) * 1_000_000_000 / PARTS;
                return timestamp(i64::try_from(end).ok()?);
            }
        }
        timestamp(now)
    }

    fn place(&mut self, number: i64) -> Option<&mut (i64, u128)> {
        self.buckets.get_mut(index(number)?)
    }
}

/// Where a bucket stands.
fn index(number: i64) -> Option<usize> {
    usize::try_from(number.rem_euclid(61)).ok()
}

/// The calendar window around `now`: its number, which is its first second, its begin and its end.
fn calendar(window: Window, zone: &TimeZone, now: i64) -> Option<(i64, i64, i64)> {
    let (start, end) = window.calendar(zone, timestamp(now)?)?;
    Some((start.as_second(), nanos(start), nanos(end)))
}

fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

fn timestamp(nanos: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}
