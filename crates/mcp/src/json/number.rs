//! Numbers, kept as the text that was sent.

use super::decimal::Decimal;
use super::{Error, ErrorKind, Fault, MAX_DIGITS, MAX_EXPONENT};

/// A JSON number as it was sent. At most 64 significant digits, an exponent within ±400, finite in binary64.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    text: &'a str,
}

impl<'a> Number<'a> {
    /// Reads a text that is one number and nothing else.
    ///
    /// # Errors
    /// When the text is no JSON number, or outside the limits.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        match end(text, 0)? {
            at if at == text.len() => Ok(Self { text }),
            offset => Err(Error { offset, kind: ErrorKind::Trailing }),
        }
    }

    /// A text the scanner has passed.
    pub(super) fn scanned(text: &'a str) -> Self {
        Self { text }
    }

    /// The digits as sent.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// The exact value.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        Decimal::scanned(self.text)
    }

    /// The nearest binary64, ties to even, as JavaScript and most others read it.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        // The scanner has seen a JSON number, every one of which Rust reads.
        self.text.parse().unwrap_or(f64::NAN)
    }

    /// Whether a reader with binary64 numbers sees the same number.
    ///
    /// True when the binary64 nearest to the text either is the exact value (18446744073709551616) or is written
    /// shortest as the same value (0.1). False for 9007199254740993 and 99.99999999999999999999.
    #[must_use]
    pub fn survives_binary64(self) -> bool {
        // Up to 15 digits always survive, and without an exponent so few characters stay in the range.
        if self.text.len() <= 15 && !self.text.contains(['e', 'E']) {
            return true;
        }
        let exact = self.decimal();
        // Up to 15 significant digits always survive in the range of normal numbers.
        if exact.digits().len() <= 15 && (-290..290).contains(&exact.exponent()) {
            return true;
        }
        let nearest = self.as_f64();
        let same = |written: String| Number::parse(&written).is_ok_and(|number| number.decimal() == exact);
        same(format!("{nearest:e}")) || exactly(nearest).is_some_and(same)
    }
}

/// The exact decimal value of a binary64, if it has no more digits than a number may have.
fn exactly(value: f64) -> Option<String> {
    // No binary64 has more than 767 significant digits.
    let written = format!("{value:.766e}");
    let (mantissa, exponent) = written.split_once('e')?;
    Some(format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.')))
}

/// Where the number that begins at `start` ends.
///
/// # Errors
/// When no number of RFC 8259 begins there, or one outside the limits.
pub(super) fn end(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let missing = |at: usize, expected| match bytes.get(at) {
        None => Fault::new(at, ErrorKind::UnexpectedEnd),
        Some(_) => Fault::new(at, ErrorKind::Unexpected { expected }),
    };
    let run = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let negative = bytes.get(start) == Some(&b'-');
    let mut at = start + usize::from(negative);
    let whole = run(at);
    if whole == 0 {
        return Err(missing(at, if negative { "a digit" } else { "a value" }));
    }
    if whole > 1 && bytes.get(at) == Some(&b'0') {
        return Err(Fault::new(at, ErrorKind::LeadingZero));
    }
    let zeros = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| **byte == b'0').count()
    };
    let mut leading = zeros(at);
    at += whole;
    let mut digits = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = run(at + 1);
        if fraction == 0 {
            return Err(missing(at + 1, "a digit"));
        }
        if leading == whole {
            leading += zeros(at + 1);
        }
        digits += fraction;
        at += 1 + fraction;
    }
    let mut exponent = 0_i32;
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = bytes.get(at + 1);
        let first = at + 1 + usize::from(matches!(sign, Some(b'+' | b'-')));
        let length = run(first);
        if length == 0 {
            return Err(missing(first, "a digit"));
        }
        let written = bytes.get(first..first + length).unwrap_or_default();
        let size = written
            .iter()
            .fold(0_u16, |size, digit| size.saturating_mul(10).saturating_add(u16::from(digit.wrapping_sub(b'0'))));
        if size > MAX_EXPONENT {
            return Err(Fault::new(start, ErrorKind::Exponent));
        }
        exponent = if sign == Some(&b'-') { -i32::from(size) } else { i32::from(size) };
        at = first + length;
    }
    // Zeros before the first other digit are no digits of the value, but an exponent in disguise.
    let disguised = i32::try_from(leading).unwrap_or(i32::MAX);
    let limit = i32::from(MAX_EXPONENT);
    let tiny = digits > leading && leading > 0 && exponent < disguised.saturating_sub(limit);
    if disguised > limit || tiny {
        return Err(Fault::new(start, ErrorKind::Exponent));
    }
    if digits - leading > MAX_DIGITS {
        return Err(Fault::new(start, ErrorKind::Digits));
    }
    // With at most 64 digits only an exponent of its own can carry a number out of range.
    if exponent > 308 - 64 {
        let finite = text.get(start..at).and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite);
        if !finite {
            return Err(Fault::new(start, ErrorKind::NotFinite));
        }
    }
    Ok(at)
}
