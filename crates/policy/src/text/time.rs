//! Times: RFC 3339 with an offset.

use jiff::Timestamp;

/// The instant that a text of RFC 3339 names, whose `date-time` always has an offset.
///
/// Stricter than most readers, so that all agree: `T` and no space, seconds below 60, at most nine decimals.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    is_rfc3339(text.as_bytes()).then(|| text.parse().ok()).flatten()
}

fn is_rfc3339(text: &[u8]) -> bool {
    // `9` stands for a digit.
    const FORM: &[u8] = b"9999-99-99T99:99:99";
    const OFFSET: &[u8] = b"99:99";
    let fits = |text: &[u8], form: &[u8]| {
        text.len() == form.len()
            && text.iter().zip(form).all(|(byte, form)| match form {
                b'9' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't'),
                sign => byte == sign,
            })
    };
    let Some((date_time, rest)) = text.split_at_checked(FORM.len()) else { return false };
    if !fits(date_time, FORM) || date_time.ends_with(b"60") {
        return false;
    }
    let zone = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    match zone.split_first() {
        Some((b'Z' | b'z', [])) => true,
        Some((b'+' | b'-', offset)) => fits(offset, OFFSET),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_with_an_offset() {
        for (text, expected) in [
            ("2026-01-05T12:00:00Z", Some(1_767_614_400)),
            ("2026-01-05t12:00:00z", Some(1_767_614_400)),
            ("2026-01-05T12:00:00.000000001Z", Some(1_767_614_400)),
            ("2026-01-05T13:30:00+01:30", Some(1_767_614_400)),
            ("2026-01-05T12:00:00-00:00", Some(1_767_614_400)),
            ("2026-01-05T12:00:00", None),
            ("2026-01-05 12:00:00Z", None),
            ("2026-01-05T12:00Z", None),
            ("2026-01-05", None),
            ("2026-01-05T12:00:60Z", None),
            ("2026-02-30T12:00:00Z", None),
            ("2026-01-05T24:00:00Z", None),
            ("2026-01-05T12:00:00.Z", None),
            ("2026-01-05T12:00:00.0000000001Z", None),
            ("2026-01-05T12:00:00,5Z", None),
            ("2026-01-05T12:00:00+0100", None),
            ("2026-01-05T12:00:00+01", None),
            ("2026-01-05T12:00:00+01:00[Europe/Berlin]", None),
            ("2026-01-05T12:00:00Z ", None),
            ("+002026-01-05T12:00:00Z", None),
            ("1767614400", None),
            ("", None),
        ] {
            assert_eq!(instant(text).map(Timestamp::as_second), expected, "{text}");
        }
    }
}
