//! The time of a decision, on two clocks.

use jiff::Timestamp;

/// The time of a take: what the calendar says, and what has truly passed.
///
/// Calendar windows follow the wall clock, which people and NTP may set. Rolling windows follow a
/// steady clock that nobody sets; its zero is arbitrary. Where there is only one clock, the two
/// are the same.
///
/// Neither frees anything by running backwards: a rolling window stays at the latest time it saw;
/// a calendar window that lies in the future of the wall clock stays in force until as much steady
/// time has passed as it had left when it began, at the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970 by the wall clock.
    pub wall: i64,
    /// Microseconds by the steady clock.
    pub steady: i64,
}

impl Moment {
    /// A moment of one clock.
    #[must_use]
    pub fn at(now: Timestamp) -> Moment {
        Moment { wall: now.as_microsecond(), steady: now.as_microsecond() }
    }

    /// What the wall clock will show when the steady one shows `steady`; `None` beyond year 9999.
    #[must_use]
    pub fn wall_at(&self, steady: i64) -> Option<Timestamp> {
        let ahead = steady.checked_sub(self.steady)?;
        Timestamp::from_microsecond(self.wall.checked_add(ahead)?).ok()
    }
}
