//! Uses within so many seconds, in sixtieths.
//!
//! A use in sixtieth `b` counts until sixtieth `b + 61` begins. The latest use in `b` came just
//! before `b + 1`, so it counts for at least 60 sixtieths, which is the window; the earliest came
//! when `b` began, so it frees at most one sixtieth late.

use crate::Amount;

/// How many sixtieths are kept: those of one window and the one that is filling.
pub const BUCKETS: usize = 61;

const KEPT: i64 = 61;

/// Uses by sixtieth of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    pub(super) seconds: u32,
    /// The number of the sixtieth that is filling, since the zero of the steady clock.
    pub(super) newest: i64,
    /// In millionths; sixtieth `b` is at `b` modulo [`BUCKETS`].
    pub(super) uses: [u128; BUCKETS],
}

impl Rolling {
    pub(super) fn new(seconds: u32) -> Rolling {
        Rolling { seconds: seconds.max(1), newest: i64::MIN / 4, uses: [0; BUCKETS] }
    }

    pub(super) fn seconds(&self) -> u32 {
        self.seconds
    }

    /// A sixtieth of `s` seconds is `s` × 50,000 / 3 microseconds: counting thirds keeps it whole.
    fn thirds(&self) -> i64 {
        i64::from(self.seconds) * 50_000
    }

    fn bucket_at(&self, steady: i64) -> i64 {
        steady.saturating_mul(3).div_euclid(self.thirds())
    }

    /// The first microsecond at which what was used in `bucket` is free.
    fn end_of(&self, bucket: i64) -> i64 {
        let thirds = bucket.saturating_add(KEPT).saturating_mul(self.thirds());
        thirds.div_euclid(3) + i64::from(thirds.rem_euclid(3) > 0)
    }

    fn at(bucket: i64) -> usize {
        usize::try_from(bucket.rem_euclid(KEPT)).unwrap_or(0)
    }

    /// Goes on to the sixtieth that holds the moment, and forgets what has freed. Time that runs
    /// backwards stands still.
    pub(super) fn roll(&mut self, steady: i64) {
        self.go_on_to(self.bucket_at(steady));
    }

    fn go_on_to(&mut self, now: i64) {
        if now <= self.newest {
            return;
        }
        if now.saturating_sub(self.newest) >= KEPT {
            self.uses = [0; BUCKETS];
        } else {
            for bucket in self.newest + 1..=now {
                if let Some(uses) = self.uses.get_mut(Rolling::at(bucket)) {
                    *uses = 0;
                }
            }
        }
        self.newest = now;
    }

    pub(super) fn used(&self) -> Amount {
        Amount::sum(self.uses.iter().fold(0, |sum: u128, uses| sum.saturating_add(*uses)))
    }

    /// Counts, and tells the sixtieth.
    pub(super) fn add(&mut self, amount: Amount) -> i64 {
        if let Some(uses) = self.uses.get_mut(Rolling::at(self.newest)) {
            *uses = uses.saturating_add(amount.micros());
        }
        self.newest
    }

    pub(super) fn give_back(&mut self, bucket: i64, amount: Amount) -> bool {
        let kept = bucket <= self.newest && bucket > self.newest.saturating_sub(KEPT);
        match self.uses.get_mut(Rolling::at(bucket)) {
            Some(uses) if kept && *uses > 0 => {
                *uses = uses.saturating_sub(amount.micros());
                true
            }
            _ => false,
        }
    }

    /// The kept sixtieths, oldest first.
    fn oldest_first(&self) -> impl Iterator<Item = (i64, u128)> + '_ {
        let oldest = self.newest.saturating_sub(KEPT - 1);
        (oldest..=self.newest).map(|bucket| (bucket, self.uses.get(Rolling::at(bucket)).copied().unwrap_or(0)))
    }

    /// When, by the steady clock, so much has freed that the amount fits; `None`: never.
    pub(super) fn room_at(&self, amount: Amount, max: Amount) -> Option<i64> {
        if amount > max {
            return None;
        }
        let mut used = self.used();
        for (bucket, uses) in self.oldest_first() {
            used = used.minus(Amount::sum(uses));
            if used.plus(amount) <= max {
                return Some(self.end_of(bucket));
            }
        }
        None
    }

    /// When the oldest use frees.
    pub(super) fn frees_next(&self) -> Option<i64> {
        self.oldest_first().find(|(_, uses)| *uses > 0).map(|(bucket, _)| self.end_of(bucket))
    }

    pub(super) fn is_idle(&self, steady: i64) -> bool {
        let now = self.bucket_at(steady);
        self.oldest_first().all(|(bucket, uses)| uses == 0 || now.saturating_sub(bucket) >= KEPT)
    }

    pub(super) fn raise(&mut self, other: &Rolling) {
        if self.seconds != other.seconds {
            return;
        }
        let mut other = other.clone();
        self.go_on_to(other.newest);
        other.go_on_to(self.newest);
        for (mine, theirs) in self.uses.iter_mut().zip(other.uses) {
            *mine = (*mine).max(theirs);
        }
    }
}
