//! Exact amounts of what a limit counts.

use std::fmt;
use std::str::FromStr;

/// An exact amount: a decimal number from 0 to below 10^15 with at most 6 decimals.
///
/// Kept in millionths, so that sums are exact. Sums of amounts may exceed 10^15; they saturate at
/// the end of 128 bits, which no sum of valid amounts reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a number as JSON writes them.
    #[error("not a number")]
    Syntax,
    /// Below zero.
    #[error("negative")]
    Negative,
    /// More than six digits behind the point, after dropping zeros at the end.
    #[error("more than 6 decimals")]
    Decimals,
    /// 10^15 or more.
    #[error("not below 10^15")]
    Large,
}

const DECIMALS: usize = 6;

impl Amount {
    /// One unit: a call.
    pub const ONE: Amount = Amount(1_000_000);
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// What an amount must stay below, in millionths: 10^15.
    pub const LIMIT_MICROS: u128 = 1_000_000_000_000_000 * 1_000_000;

    /// An amount of so many millionths; `None` from 10^15 on.
    #[must_use]
    pub const fn from_micros(micros: u128) -> Option<Amount> {
        if micros < Amount::LIMIT_MICROS { Some(Amount(micros)) } else { None }
    }

    /// The amount in millionths.
    #[must_use]
    pub const fn micros(self) -> u128 {
        self.0
    }

    /// A sum in millionths, which may be larger than an amount that is written down.
    #[must_use]
    pub(crate) const fn sum(micros: u128) -> Amount {
        Amount(micros)
    }

    /// The sum, which saturates.
    #[must_use]
    pub const fn plus(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }

    /// The difference, never below zero.
    #[must_use]
    pub const fn minus(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl From<u32> for Amount {
    fn from(units: u32) -> Amount {
        Amount(u128::from(units).saturating_mul(Amount::ONE.0))
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountError;

    fn try_from(units: u64) -> Result<Amount, AmountError> {
        Amount::from_micros(u128::from(units).saturating_mul(Amount::ONE.0)).ok_or(AmountError::Large)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads a number as JSON writes it, exponent included, by its exact value.
    fn from_str(text: &str) -> Result<Amount, AmountError> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(AmountError::Syntax),
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !digits_only(whole) || !digits_only(fraction) {
            return Err(AmountError::Syntax);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let trimmed = significant.trim_end_matches('0');
        if trimmed.is_empty() {
            return Ok(Amount::ZERO);
        }
        if negative {
            return Err(AmountError::Negative);
        }
        // The value is `trimmed` × 10^scale millionths.
        let count = |text: &str| i64::try_from(text.len()).map_err(|_| AmountError::Syntax);
        let dropped = count(significant)? - count(trimmed)?;
        let decimals = i64::try_from(DECIMALS).map_err(|_| AmountError::Syntax)?;
        let scale = exponent + dropped - count(fraction)? + decimals;
        if scale < 0 {
            return Err(AmountError::Decimals);
        }
        if count(trimmed)? + scale > 21 {
            return Err(AmountError::Large);
        }
        let scale = u32::try_from(scale).map_err(|_| AmountError::Large)?;
        let micros = trimmed.parse::<u128>().map_err(|_| AmountError::Large)?;
        let micros = 10_u128.checked_pow(scale).and_then(|power| micros.checked_mul(power));
        micros.and_then(Amount::from_micros).ok_or(AmountError::Large)
    }
}

/// Exponents beyond what can matter are cut, not refused: `0e999` is zero.
fn parse_exponent(text: &str) -> Result<i64, AmountError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::Syntax);
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000);
    Ok(if text.starts_with('-') { -size } else { size })
}

impl fmt::Display for Amount {
    /// The shortest exact decimal: `12`, `12.5`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / Amount::ONE.0, self.0 % Amount::ONE.0);
        if rest == 0 {
            return formatter.pad(&whole.to_string());
        }
        let decimals = format!("{rest:06}");
        formatter.pad(&format!("{whole}.{}", decimals.trim_end_matches('0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_their_exact_value() {
        let table: &[(&str, Result<u128, AmountError>)] = &[
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("0e999999999999999999999", Ok(0)),
            ("1", Ok(1_000_000)),
            ("1.0", Ok(1_000_000)),
            ("1e0", Ok(1_000_000)),
            ("100e-2", Ok(1_000_000)),
            ("12.5", Ok(12_500_000)),
            ("0.000001", Ok(1)),
            ("1e-6", Ok(1)),
            ("0.0000010000", Ok(1)),
            ("10e-7", Ok(1)),
            ("1e-7", Err(AmountError::Decimals)),
            ("0.0000015", Err(AmountError::Decimals)),
            ("-1", Err(AmountError::Negative)),
            ("-0.1", Err(AmountError::Negative)),
            ("999999999999999.999999", Ok(Amount::LIMIT_MICROS - 1)),
            ("1e15", Err(AmountError::Large)),
            ("1000000000000000", Err(AmountError::Large)),
            ("1e400", Err(AmountError::Large)),
            ("99e999999999999999999", Err(AmountError::Large)),
            ("", Err(AmountError::Syntax)),
            ("+1", Err(AmountError::Syntax)),
            ("01", Err(AmountError::Syntax)),
            (".5", Err(AmountError::Syntax)),
            ("5.", Err(AmountError::Syntax)),
            ("1e", Err(AmountError::Syntax)),
            ("1e+", Err(AmountError::Syntax)),
            ("--1", Err(AmountError::Syntax)),
            ("1 ", Err(AmountError::Syntax)),
            ("NaN", Err(AmountError::Syntax)),
            ("Infinity", Err(AmountError::Syntax)),
            ("0x10", Err(AmountError::Syntax)),
            ("١", Err(AmountError::Syntax)),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Amount>().map(Amount::micros), *expected, "{text}");
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        for micros in [0, 1, 10, 999_999, 1_000_000, 12_500_000, 123_456_789, Amount::LIMIT_MICROS - 1] {
            let amount = Amount::from_micros(micros).unwrap();
            assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }
        assert_eq!(Amount::from(7).to_string(), "7");
        assert_eq!("0.10".parse::<Amount>().unwrap().to_string(), "0.1");
    }
}
