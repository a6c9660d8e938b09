//! Times as people say them: so long from now, or a time.

use jiff::Timestamp;

use crate::failure::Failure;

/// When something ends, in milliseconds since 1970: in `90m`, `12h`, `30d`, or at a time.
///
/// # Errors
/// When it is neither.
pub fn ahead(text: &str) -> Result<i64, Failure> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let wrong = || {
        let form = "write in how long, such as 90m, 12h or 30d, or a time such as 2027-01-31T12:00:00Z";
        Failure::Usage(format!("{}: {form}", audit::visible::word(text)))
    };
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let minutes: i64 = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let length = number.checked_mul(minutes).and_then(|minutes| minutes.checked_mul(60_000)).ok_or_else(wrong)?;
    Timestamp::now().as_millisecond().checked_add(length).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_are_understood() {
        assert_eq!(ahead("2027-01-31T12:00:00Z").unwrap(), 1_801_396_800_000);
        for (text, minutes) in [("90m", 90), ("12h", 720), ("30d", 43_200), ("2w", 20_160)] {
            let length = ahead(text).unwrap() - Timestamp::now().as_millisecond();
            assert!((minutes * 60_000 - 60_000..=minutes * 60_000).contains(&length), "{text}");
        }
        for wrong in ["", "d", "0d", "-1d", "1y", "é", "99999999999999999d", "tomorrow"] {
            assert!(ahead(wrong).unwrap_err().to_string().contains("30d"), "{wrong}");
        }
    }
}
