//! Exact amounts: whole millionths, never floating point.

use std::fmt;
use std::str::FromStr;

/// Millionths in one.
const MICROS: u128 = 1_000_000;

/// Amounts lie below 10^15.
const END: u128 = 1_000_000_000_000_000 * MICROS;

/// An amount that is not negative, lies below 10^15 and has at most 6 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u128);

/// A text or number that is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is a number from 0 to below 10^15 with at most 6 decimals")]
pub struct NotAnAmount;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// One unit, which a call counts as unless its limit says otherwise.
    pub const ONE: Self = Self(MICROS);

    /// An amount in millionths; `None` from 10^15 on.
    #[must_use]
    pub fn from_micros(micros: u128) -> Option<Self> {
        (micros < END).then_some(Self(micros))
    }

    /// The amount in millionths.
    #[must_use]
    pub fn micros(self) -> u128 {
        self.0
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<u32> for Amount {
    fn from(units: u32) -> Self {
        Self(u128::from(units) * MICROS)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0 / MICROS, self.0 % MICROS);
        if micros == 0 {
            return f.pad(&whole.to_string());
        }
        let text = format!("{whole}.{micros:06}");
        f.pad(text.trim_end_matches('0'))
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    /// Reads a JSON number, exponent included.
    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NotAnAmount)?),
            None => (text, 0),
        };
        let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{decimals}");
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAnAmount);
        }
        let places = i32::try_from(decimals.len()).map_err(|_| NotAnAmount)?;
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        let scale = exponent
            .checked_sub(places)
            .and_then(|scale| scale.checked_add(i32::try_from(trailing).ok()?))
            .and_then(|scale| scale.checked_add(6))
            .ok_or(NotAnAmount)?;
        let scale = u32::try_from(scale).map_err(|_| NotAnAmount)?;
        let value: u128 = significant.parse().map_err(|_| NotAnAmount)?;
        let micros = 10_u128.checked_pow(scale).and_then(|power| value.checked_mul(power)).ok_or(NotAnAmount)?;
        Self::from_micros(micros).ok_or(NotAnAmount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_text_goes_in_and_out() {
        for (text, shown) in [
            ("0", "0"),
            ("1", "1"),
            ("0.99", "0.99"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("10000e-2", "100"),
            ("100.00", "100"),
            ("0.000001", "0.000001"),
            ("999999999999999.999999", "999999999999999.999999"),
            ("0e9", "0"),
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", "-1", "0.0000001", "1e15", "1000000000000000", "1e999999", "nan", ".5", "1e-400"] {
            assert_eq!(bad.parse::<Amount>(), Err(NotAnAmount), "{bad}");
        }
    }
}
