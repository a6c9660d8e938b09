//! Comparisons of values. Whatever is not comparable is an error, never an answer.

use std::cmp::Ordering;
use std::net::IpAddr;

use mcp::json::Decimal;

use super::truth::Cause;
use super::view::{Items, Members, View};
use crate::operand::Numbers;
use crate::text::{cidr, fold, time};

/// How values are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compare {
    pub(super) ignore_case: bool,
    pub(super) numbers: Numbers,
    /// The value stands in the policy, where a `null` is meant and makes null comparable. In a call it may be anything.
    pub(super) literal: bool,
}

/// Strong Kleene over comparisons, like [`super::Truth`] but without a path.
type Outcome = Result<bool, Cause>;

fn all(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    decided(outcomes, false)
}

fn any(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    decided(outcomes, true)
}

/// The first outcome that equals `decides`, else the first doubt, else the contrary.
fn decided(outcomes: impl Iterator<Item = Outcome>, decides: bool) -> Outcome {
    let mut doubt = Ok(!decides);
    for outcome in outcomes {
        if outcome == Ok(decides) {
            return outcome;
        }
        if doubt.is_ok() && outcome.is_err() {
            doubt = outcome;
        }
    }
    doubt
}

fn mismatch(found: &View<'_>, wanted: &'static str) -> Cause {
    Cause::Type { found: found.type_name(), wanted }
}

impl Compare {
    pub(super) fn equal(self, found: View<'_>, wanted: View<'_>) -> Outcome {
        match (found, wanted) {
            (View::Null, View::Null) => Ok(true),
            (_, View::Null) if self.literal => Ok(false),
            (View::Bool(found), View::Bool(wanted)) => Ok(found == wanted),
            (View::Text(found), View::Text(wanted)) => {
                Ok(if self.ignore_case { fold::equal(found, wanted) } else { found == wanted })
            }
            (View::Array(found), View::Array(wanted)) => {
                if found.len() != wanted.len() {
                    return Ok(false);
                }
                all(found.iter().zip(wanted.iter()).map(|(found, wanted)| self.equal(found, wanted)))
            }
            (View::Object(found), View::Object(wanted)) => self.members(found, wanted),
            (View::Address(found), View::Text(wanted)) | (View::Text(wanted), View::Address(found)) => {
                self.address(wanted).map(|wanted| found == wanted)
            }
            (View::Address(found), View::Address(wanted)) => Ok(found == wanted),
            (View::Time(_), _) | (_, View::Time(_)) => self.order(found, wanted).map(Ordering::is_eq),
            _ => match (self.number(&found)?, self.number(&wanted)?) {
                (Some(found), Some(wanted)) => Ok(found.cmp(&wanted).is_eq()),
                _ => Err(mismatch(&found, wanted.type_name())),
            },
        }
    }

    fn members(self, found: Members<'_>, wanted: Members<'_>) -> Outcome {
        if found.len() != wanted.len() {
            return Ok(false);
        }
        all(found.pairs(wanted).map(|(found, wanted)| found.map_or(Ok(false), |found| self.equal(found, wanted))))
    }

    fn address(self, text: &str) -> Result<IpAddr, Cause> {
        cidr::address(text).map_err(|doubt| Cause::Doubtful(doubt.0))
    }

    /// Equal to some element.
    pub(super) fn one_of(self, found: View<'_>, wanted: Items<'_>) -> Outcome {
        any(wanted.iter().map(|wanted| self.equal(found, wanted)))
    }

    /// A substring of a string, an element of an array.
    pub(super) fn contains(self, found: View<'_>, wanted: View<'_>) -> Outcome {
        match (found, wanted) {
            (View::Array(items), wanted) => any(items.iter().map(|item| self.equal(item, wanted))),
            (View::Text(whole), View::Text(part)) => {
                Ok(if self.ignore_case { fold::contains(whole, part) } else { whole.contains(part) })
            }
            (View::Text(_), wanted) => Err(mismatch(&found, wanted.type_name())),
            _ => Err(mismatch(&found, "string or array")),
        }
    }

    /// Whether a string or array begins (`at_end`: ends) with another.
    pub(super) fn edge(self, found: View<'_>, wanted: View<'_>, at_end: bool) -> Outcome {
        match (found, wanted) {
            (View::Text(found), View::Text(wanted)) => Ok(match (self.ignore_case, at_end) {
                (false, false) => found.starts_with(wanted),
                (false, true) => found.ends_with(wanted),
                (true, false) => fold::starts_with(found, wanted),
                (true, true) => fold::ends_with(found, wanted),
            }),
            (View::Array(found), View::Array(wanted)) => {
                let Some(spare) = found.len().checked_sub(wanted.len()) else { return Ok(false) };
                let skipped = if at_end { spare } else { 0 };
                all(found.iter().skip(skipped).zip(wanted.iter()).map(|(found, wanted)| self.equal(found, wanted)))
            }
            _ => Err(mismatch(&found, wanted.type_name())),
        }
    }

    /// Which of two numbers or times is the greater.
    pub(super) fn order(self, found: View<'_>, wanted: View<'_>) -> Result<Ordering, Cause> {
        if let (Some(found), Some(wanted)) = (self.number(&found)?, self.number(&wanted)?) {
            return Ok(found.cmp(&wanted));
        }
        let instant = |view: &View<'_>| match view {
            View::Time(time) => Some(*time),
            View::Text(text) => time::instant(text),
            _ => None,
        };
        match (&found, &wanted) {
            (View::Text(_) | View::Time(_), View::Text(_) | View::Time(_)) => match (instant(&found), instant(&wanted)) {
                (Some(found), Some(wanted)) => Ok(found.cmp(&wanted)),
                _ => Err(Cause::Time),
            },
            (_, View::Text(_)) => Err(mismatch(&found, "time")),
            (_, View::Sent(_) | View::Exact(_) | View::Small(_) | View::Time(_)) => Err(mismatch(&found, wanted.type_name())),
            _ => Err(mismatch(&found, "number or time")),
        }
    }

    /// The number, if the view is one.
    ///
    /// # Errors
    /// When it is one that its server may read as another.
    pub(super) fn number<'v>(self, view: &View<'v>) -> Result<Option<Exact<'v>>, Cause> {
        let short = match *view {
            View::Small(number) => Some(Short { units: i64::from(number), places: 0 }),
            View::Exact(number) => Short::of(number),
            View::Sent(number) => match Short::read(number.text()) {
                None if self.numbers == Numbers::Binary64 && !number.survives_binary64() => return Err(Cause::Number),
                short => short,
            },
            _ => return Ok(None),
        };
        Ok(Some(Exact { short, view: *view }))
    }
}

/// A number, compared by its exact value, in machine integers where that is enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact<'v> {
    short: Option<Short>,
    view: View<'v>,
}

impl Exact<'_> {
    fn decimal(&self) -> Decimal {
        match self.view {
            View::Exact(number) => *number,
            View::Sent(number) => number.decimal(),
            View::Small(number) => Decimal::from(u64::from(number)),
            // Nothing else is a number.
            _ => Decimal::ZERO,
        }
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self.short, other.short) {
            (Some(one), Some(other)) => one.cmp(other),
            _ => self.decimal().cmp(&other.decimal()),
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        self.short.is_some_and(|short| short.places == 0) || self.decimal().is_integer()
    }
}

/// The most digits of a [`Short`]. So many always survive binary64.
const SHORT: usize = 15;

/// A number of at most 15 digits: `units` × 10^-`places`, with at most 15 places.
#[derive(Debug, Clone, Copy)]
struct Short {
    units: i64,
    places: u32,
}

impl Short {
    /// A number that is written plainly, without an exponent.
    fn read(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        // One more for the point.
        if digits.len() > SHORT + 1 {
            return None;
        }
        let (mut units, mut places, mut point, mut length) = (0_i64, 0, false, 0);
        for byte in digits.bytes() {
            match byte {
                b'0'..=b'9' => {
                    units = units * 10 + i64::from(byte - b'0');
                    length += 1;
                    places += u32::from(point);
                }
                b'.' => point = true,
                _ => return None,
            }
        }
        (length <= SHORT).then_some(Self { units: if negative { -units } else { units }, places })
    }

    fn of(number: &Decimal) -> Option<Self> {
        let digits = number.digits();
        let zeros = usize::try_from(number.exponent().max(0)).ok()?;
        let places = u32::from(number.exponent().min(0).unsigned_abs());
        if digits.len() + zeros > SHORT || places > 15 {
            return None;
        }
        let units = digits.iter().chain(std::iter::repeat_n(&0, zeros)).fold(0, |units, digit| units * 10 + i64::from(*digit));
        Some(Self { units: if number.is_negative() { -units } else { units }, places })
    }

    fn cmp(self, other: Self) -> Ordering {
        // Below 10^15 times at most 10^15 each.
        let scaled = |short: Self, places: u32| i128::from(short.units) * 10_i128.pow(places.saturating_sub(short.places));
        let places = self.places.max(other.places);
        if self.places == other.places {
            self.units.cmp(&other.units)
        } else {
            scaled(self, places).cmp(&scaled(other, places))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_compare_as_long_ones_do() {
        let texts = [
            "0", "-0", "0.0", "1", "-1", "1.0", "1.5", "-1.5", "1.50", "10", "0.1", "0.000000000000001", "-0.000000000000001",
            "999999999999999", "-999999999999999", "99999999999999.9", "100000000000000", "9999999.99999999", "2", "12345.678",
        ];
        for one in texts {
            for other in texts {
                let [a, b] = [one, other].map(|text| Decimal::parse(text).unwrap());
                let expected = a.cmp(&b);
                for (x, y) in [(Short::read(one), Short::read(other)), (Short::of(&a), Short::read(other)), (Short::of(&a), Short::of(&b))] {
                    // One with more than 15 digits is not short.
                    if let (Some(x), Some(y)) = (x, y) {
                        assert_eq!(x.cmp(y), expected, "{one} {other}");
                    }
                }
            }
        }
        for long in ["1e5", "1E5", "1234567890123456", "0.1234567890123456", "12345678.90123456"] {
            assert!(Short::read(long).is_none(), "{long}");
        }
    }
}
