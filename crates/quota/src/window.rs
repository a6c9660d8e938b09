//! The time spans over which uses are counted.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, Zoned};

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// A calendar second.
    Second,
    /// A calendar minute.
    Minute,
    /// A calendar hour.
    Hour,
    /// A calendar day, in the policy's time zone.
    Day,
    /// A calendar week, from Monday.
    Week,
    /// A calendar month.
    Month,
    /// Any span of so many seconds: no span of that length ever holds more than the maximum.
    Rolling(u32),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(seconds) => f.pad(&format!("{seconds} s")),
            calendar => f.pad(calendar.name()),
        }
    }
}

impl Window {
    /// The word for a calendar window; `rolling` for all others.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Rolling(_) => "rolling",
        }
    }

    /// The calendar window of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month]
            .into_iter()
            .find(|window| window.name() == name)
    }

    /// Begin and end of the calendar window around `now`; `None` for a rolling one, or beyond the
    /// calendar's own range.
    #[must_use]
    pub fn calendar(self, zone: &TimeZone, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        // Seconds to hours are the same everywhere a zone's offset is whole; the floor in the zone
        // is right where it is not.
        let local = now.to_zoned(zone.clone());
        let (start, length) = match self {
            Self::Rolling(_) => return None,
            Self::Second => (floor(&local, Unit::Second)?, Span::new().seconds(1)),
            Self::Minute => (floor(&local, Unit::Minute)?, Span::new().minutes(1)),
            Self::Hour => (floor(&local, Unit::Hour)?, Span::new().hours(1)),
            Self::Day => (local.start_of_day().ok()?, Span::new().days(1)),
            Self::Week => {
                let days = i64::from(local.weekday().to_monday_zero_offset());
                let monday = local.date().checked_sub(Span::new().days(days)).ok()?;
                (monday.to_zoned(zone.clone()).ok()?, Span::new().days(7))
            }
            Self::Month => (local.first_of_month().ok()?.start_of_day().ok()?, Span::new().months(1)),
        };
        let end = start.checked_add(length).ok()?;
        Some((start.timestamp(), end.timestamp()))
    }
}

fn floor(time: &Zoned, unit: Unit) -> Option<Zoned> {
    time.round(jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_windows_follow_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (window, now, start, end) in [
            (Window::Minute, "2026-01-05T12:00:59.9Z", "2026-01-05T12:00:00Z", "2026-01-05T12:01:00Z"),
            (Window::Hour, "2026-01-05T12:59:00Z", "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z"),
            (Window::Day, "2026-01-05T23:30:00Z", "2026-01-05T23:00:00Z", "2026-01-06T23:00:00Z"),
            // The day on which clocks go forward has 23 hours.
            (Window::Day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            (Window::Week, "2026-01-11T12:00:00Z", "2026-01-04T23:00:00Z", "2026-01-11T23:00:00Z"),
            (Window::Month, "2026-02-14T12:00:00Z", "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"),
        ] {
            assert_eq!(window.calendar(&berlin, at(now)), Some((at(start), at(end))), "{window}");
        }
    }
}
