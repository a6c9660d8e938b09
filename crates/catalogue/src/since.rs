//! Since when: a day, a time, or so long ago.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest time ago, in hours: about 100 years.
const LONGEST: i64 = 100 * 366 * 24;

/// What is taken, in words.
pub const SINCE: &str = "a day (2026-11-01), a time with its offset (2026-11-01T12:00:00Z), or so many hours, days or weeks ago \
    (24h, 7d, 2w), at most 100 years";

/// A text that says no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this must be {SINCE}")]
pub struct BadSince;

/// The time that is meant: a day begins in UTC, and what is so long ago is counted from `now`.
///
/// # Errors
/// [`BadSince`].
pub fn since(text: &str, now: Timestamp) -> Result<Timestamp, BadSince> {
    for (unit, hours) in [('h', 1), ('d', 24), ('w', 7 * 24)] {
        if let Some(count) = text.strip_suffix(unit).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit())) {
            let count: i64 = count.parse().map_err(|_| BadSince)?;
            let hours = count.checked_mul(hours).filter(|hours| *hours <= LONGEST).ok_or(BadSince)?;
            return now.checked_sub(SignedDuration::from_hours(hours)).map_err(|_| BadSince);
        }
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    // A day is written in one way; what else begins with one is a time without its offset.
    let day: Date = text.parse().map_err(|_| BadSince)?;
    if day.to_string() != text {
        return Err(BadSince);
    }
    day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| BadSince)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_has_many_spellings() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let table = [
            ("24h", "2026-11-21T12:00:00Z"),
            ("0h", "2026-11-22T12:00:00Z"),
            ("7d", "2026-11-15T12:00:00Z"),
            ("2w", "2026-11-08T12:00:00Z"),
            ("36500d", "1926-12-17T12:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("1969-12-31", "1969-12-31T00:00:00Z"),
            ("9999-12-30", "9999-12-30T00:00:00Z"),
            ("2026-11-01T12:00:00Z", "2026-11-01T12:00:00Z"),
            ("2026-11-01T12:00:00+02:00", "2026-11-01T10:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(since(text, now).map(|time| time.to_string()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let now = Timestamp::UNIX_EPOCH;
        for text in [
            "",
            "d",
            "7",
            "7 d",
            "+7d",
            "-7d",
            "7.5d",
            "7m",
            "7D",
            "7d7d",
            "7é",
            "99999999999d",
            "9223372036854775807w",
            "99999999999999999999h",
            "yesterday",
            "2026-13-01",
            "2026-11-01T12:00:00",
            "2026-11-01 12:00",
            "20261101",
            "now",
        ] {
            assert_eq!(since(text, now), Err(BadSince), "{text}");
        }
    }
}
