//! Exact decimals, compared by value.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::number::Number;
use super::{Error, MAX_DIGITS};

/// The exact value of a JSON number: sign, up to 64 significant digits, a power of ten.
///
/// `1`, `1.0` and `1e0` are equal, and so are `0` and `-0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    // Digits 0 to 9, neither the first nor the last of them 0; the unused rest is 0. Zero has none.
    digits: [u8; MAX_DIGITS],
    length: u8,
    // The value is the digits, read as one integer, times ten to this power.
    exponent: i16,
    negative: bool,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { digits: [0; MAX_DIGITS], length: 0, exponent: 0, negative: false };

    /// Reads a JSON number.
    ///
    /// # Errors
    /// When the text is no JSON number, or outside the limits of numbers.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Number::parse(text).map(Number::decimal)
    }

    /// A text the scanner has passed.
    pub(super) fn scanned(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written: i16 = exponent.parse().unwrap_or(0);
        let mut value = Self { negative, ..Self::ZERO };
        let mut trailing = 0_i16;
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte.wrapping_sub(b'0'));
        // Zeros are held back until a digit follows them, so that neither leading nor trailing ones are kept.
        for digit in digits {
            if digit == 0 {
                trailing += 1;
            } else {
                if value.length > 0 {
                    value.length = value.length.saturating_add(u8::try_from(trailing).unwrap_or(u8::MAX));
                }
                trailing = 0;
                if let Some(place) = value.digits.get_mut(usize::from(value.length)) {
                    *place = digit;
                    value.length += 1;
                }
            }
        }
        if value.length == 0 {
            return Self::ZERO;
        }
        value.exponent = written + trailing - i16::try_from(fraction.len()).unwrap_or(0);
        value
    }

    /// The significant digits, 0 to 9 each, without leading or trailing zeros. Zero has none.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The power of ten that the digits, read as one integer, are multiplied by.
    #[must_use]
    pub fn exponent(&self) -> i16 {
        self.exponent
    }

    /// Whether the value is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.length == 0
    }

    /// Whether the value is a whole number, however it was written: `1.0` and `1e3` are.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The value in millionths, if it is not negative, has at most six decimals and fits.
    #[must_use]
    pub fn to_micros(&self) -> Option<u128> {
        if self.negative {
            return None;
        }
        if self.is_zero() {
            return Some(0);
        }
        let power = u32::try_from(self.exponent + 6).ok()?;
        let units = self
            .digits()
            .iter()
            .try_fold(0_u128, |units, digit| units.checked_mul(10)?.checked_add(u128::from(*digit)))?;
        units.checked_mul(10_u128.checked_pow(power)?)
    }

    /// The value as a signed integer, if it is whole and fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        let power = u32::try_from(self.exponent).ok()?;
        let size = self
            .digits()
            .iter()
            .try_fold(0_i128, |size, digit| size.checked_mul(10)?.checked_add(i128::from(*digit)))?;
        let size = size.checked_mul(10_i128.checked_pow(power)?)?;
        Some(if self.negative { -size } else { size })
    }

    /// Which power of ten the first digit stands at.
    fn magnitude(&self) -> i16 {
        self.exponent + i16::from(self.length)
    }

    fn cmp_size(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without trailing zeros, digits of one magnitude compare like words.
            (false, false) => self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits().cmp(other.digits())),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_size(other),
            (true, true) => other.cmp_size(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self::scanned(&value.to_string())
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::scanned(&value.to_string())
    }
}

/// Plain digits while the point stands within 24 places of the first digit or among them, `1.25e300` otherwise. Reads back as the same value.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let digits: String = self.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
        let magnitude = self.magnitude();
        if self.exponent >= 0 && magnitude <= 24 {
            let zeros = "0".repeat(usize::try_from(self.exponent).unwrap_or(0));
            write!(f, "{digits}{zeros}")
        } else if self.exponent < 0 && magnitude > 0 {
            let (whole, fraction) = digits.split_at(usize::try_from(magnitude).unwrap_or(0));
            write!(f, "{whole}.{fraction}")
        } else if self.exponent < 0 && magnitude > -24 {
            let zeros = "0".repeat(usize::try_from(-magnitude).unwrap_or(0));
            write!(f, "0.{zeros}{digits}")
        } else {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{point}{rest}e{}", magnitude - 1)
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}
