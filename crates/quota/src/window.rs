//! The time in which at most `max` may be used.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Ahead, Timestamp};

/// The longest rolling window in seconds: 31 days.
pub const LONGEST_ROLLING: u32 = 2_678_400;

/// What a count is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Uses within a window.
    Quota,
    /// Calls in flight.
    Concurrency,
}

/// A window of time. The named ones are the calendar's, in the policy's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// A second of the clock.
    Second,
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
    /// A day of the calendar: 23 to 25 hours.
    Day,
    /// A week from Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// So many seconds back from any instant: 1 to [`LONGEST_ROLLING`].
    Rolling(u32),
}

/// The text is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a window: expected `second`, `minute`, `hour`, `day`, `week`, `month`, or 1 to 2678400 seconds")]
pub struct WindowError;

/// One calendar window: microseconds since 1970, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first microsecond.
    pub start: i64,
    /// The first microsecond after it.
    pub end: i64,
}

const SECOND: i64 = 1_000_000;

impl Window {
    /// The calendar window that holds `wall` (microseconds since 1970); `None` for a rolling one.
    ///
    /// Days that a time zone begins late or twice begin at their first instant. Where the calendar
    /// ends (year 9999) the window has no end: what cannot be told does not free.
    #[must_use]
    pub fn span(self, zone: &TimeZone, wall: i64) -> Option<Span> {
        let span = match self {
            Window::Rolling(_) => return None,
            Window::Second => clock_span(0, wall, SECOND),
            Window::Minute => clock_span(offset(zone, wall), wall, 60 * SECOND),
            Window::Hour => clock_span(offset(zone, wall), wall, 3600 * SECOND),
            Window::Day | Window::Week | Window::Month => self.calendar_span(zone, wall),
        };
        Some(span.unwrap_or(Span { start: wall, end: i64::MAX }))
    }

    fn calendar_span(self, zone: &TimeZone, wall: i64) -> Option<Span> {
        let date = zone.to_datetime(Timestamp::from_microsecond(wall).ok()?).date();
        let (first, next) = match self {
            Window::Week => {
                let monday = date.checked_sub(Ahead::new().days(date.weekday().to_monday_zero_offset())).ok()?;
                (monday, monday.checked_add(Ahead::new().weeks(1)).ok()?)
            }
            Window::Month => {
                let first = date.first_of_month();
                (first, first.checked_add(Ahead::new().months(1)).ok()?)
            }
            _ => (date, date.tomorrow().ok()?),
        };
        Some(Span { start: midnight(first, zone)?, end: midnight(next, zone)? })
    }
}

/// Windows of the clock are counted by the offset in force, so that an hour that the clock shows
/// twice is two windows.
fn clock_span(offset: i64, wall: i64, length: i64) -> Option<Span> {
    let local = wall.checked_add(offset)?;
    let start = wall.checked_sub(local.rem_euclid(length))?;
    Some(Span { start, end: start.checked_add(length)? })
}

fn offset(zone: &TimeZone, wall: i64) -> i64 {
    let seconds = Timestamp::from_microsecond(wall).map_or(0, |at| zone.to_offset(at).seconds());
    i64::from(seconds) * SECOND
}

fn midnight(date: Date, zone: &TimeZone) -> Option<i64> {
    Some(zone.to_zoned(date.at(0, 0, 0, 0)).ok()?.timestamp().as_microsecond())
}

impl fmt::Display for Window {
    /// `minute`, or `60 s` for a rolling one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Window::Second => "second",
            Window::Minute => "minute",
            Window::Hour => "hour",
            Window::Day => "day",
            Window::Week => "week",
            Window::Month => "month",
            Window::Rolling(seconds) => return write!(formatter, "{seconds} s"),
        })
    }
}

impl FromStr for Window {
    type Err = WindowError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Window, WindowError> {
        Ok(match text {
            "second" => Window::Second,
            "minute" => Window::Minute,
            "hour" => Window::Hour,
            "day" => Window::Day,
            "week" => Window::Week,
            "month" => Window::Month,
            _ => {
                let seconds = text.strip_suffix(" s").and_then(|digits| digits.parse().ok());
                let seconds = seconds.filter(|seconds| (1..=LONGEST_ROLLING).contains(seconds));
                Window::Rolling(seconds.ok_or(WindowError)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_windows_begin_and_end_where_the_calendar_says() {
        let table = [
            ("second", "UTC", "2026-01-05T12:34:56.789Z", "2026-01-05T12:34:56Z", "2026-01-05T12:34:57Z"),
            ("minute", "UTC", "2026-01-05T12:34:56Z", "2026-01-05T12:34:00Z", "2026-01-05T12:35:00Z"),
            ("hour", "Asia/Kolkata", "2026-01-05T12:34:56Z", "2026-01-05T12:30:00Z", "2026-01-05T13:30:00Z"),
            ("day", "UTC", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
            ("day", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("day", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            // An hour that the clock shows twice is two windows.
            ("hour", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
            ("hour", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
            // A day without a midnight.
            ("day", "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
            ("week", "UTC", "2026-01-11T23:59:59Z", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"),
            ("week", "UTC", "2026-01-12T00:00:00Z", "2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z"),
            ("month", "UTC", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("month", "America/New_York", "2026-12-31T23:00:00Z", "2026-12-01T05:00:00Z", "2027-01-01T05:00:00Z"),
            ("minute", "UTC", "1969-12-31T23:59:59Z", "1969-12-31T23:59:00Z", "1970-01-01T00:00:00Z"),
        ];
        for (window, zone, at, start, end) in table {
            let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
            let span = window.parse::<Window>().unwrap().span(&TimeZone::get(zone).unwrap(), micros(at));
            assert_eq!(span, Some(Span { start: micros(start), end: micros(end) }), "{window} {zone} {at}");
        }
    }

    #[test]
    fn where_the_calendar_ends_a_window_has_no_end() {
        let last = Timestamp::MAX.as_microsecond();
        let span = Window::Month.span(&TimeZone::UTC, last).unwrap();
        assert_eq!(span.end, i64::MAX);
    }

    #[test]
    fn windows_read_back() {
        for window in [Window::Second, Window::Day, Window::Month, Window::Rolling(1), Window::Rolling(LONGEST_ROLLING)] {
            assert_eq!(window.to_string().parse(), Ok(window));
        }
        for text in ["0 s", "2678401 s", "60", "-1 s", "fortnight", ""] {
            assert_eq!(text.parse::<Window>(), Err(WindowError), "{text}");
        }
    }
}
