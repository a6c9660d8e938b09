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
    pub(super) fn equal(self, found: &View<'_>, wanted: &View<'_>) -> Outcome {
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
                all(found.iter().zip(wanted.iter()).map(|(found, wanted)| self.equal(&found, &wanted)))
            }
            (View::Object(found), View::Object(wanted)) => self.members(*found, *wanted),
            (View::Address(found), View::Text(wanted)) | (View::Text(wanted), View::Address(found)) => {
                self.address(wanted).map(|wanted| *found == wanted)
            }
            (View::Address(found), View::Address(wanted)) => Ok(found == wanted),
            (View::Time(_), _) | (_, View::Time(_)) => self.order(found, wanted).map(Ordering::is_eq),
            _ => self.equal_numbers(found, wanted),
        }
    }

    // Apart, since exact values take room on the stack.
    #[inline(never)]
    fn equal_numbers(self, found: &View<'_>, wanted: &View<'_>) -> Outcome {
        match (self.number(found)?, self.number(wanted)?) {
            (Some(found), Some(wanted)) => Ok(found.cmp(&wanted).is_eq()),
            _ => Err(mismatch(found, wanted.type_name())),
        }
    }

    fn members(self, found: Members<'_>, wanted: Members<'_>) -> Outcome {
        if found.len() != wanted.len() {
            return Ok(false);
        }
        all(found.pairs(wanted).map(|(found, wanted)| found.map_or(Ok(false), |found| self.equal(&found, &wanted))))
    }

    fn address(self, text: &str) -> Result<IpAddr, Cause> {
        cidr::address(text).map_err(|doubt| Cause::Doubtful(doubt.0))
    }

    /// Equal to some element.
    pub(super) fn one_of(self, found: &View<'_>, wanted: Items<'_>) -> Outcome {
        any(wanted.iter().map(|wanted| self.equal(found, &wanted)))
    }

    /// A substring of a string, an element of an array.
    pub(super) fn contains(self, found: &View<'_>, wanted: &View<'_>) -> Outcome {
        match (found, wanted) {
            (View::Array(items), wanted) => any(items.iter().map(|item| self.equal(&item, wanted))),
            (View::Text(whole), View::Text(part)) => {
                Ok(if self.ignore_case { fold::contains(whole, part) } else { whole.contains(*part) })
            }
            (View::Text(_), wanted) => Err(mismatch(found, wanted.type_name())),
            _ => Err(mismatch(found, "string or array")),
        }
    }

    /// Whether a string or array begins (`at_end`: ends) with another.
    pub(super) fn edge(self, found: &View<'_>, wanted: &View<'_>, at_end: bool) -> Outcome {
        match (found, wanted) {
            (View::Text(found), View::Text(wanted)) => Ok(match (self.ignore_case, at_end) {
                (false, false) => found.starts_with(*wanted),
                (false, true) => found.ends_with(*wanted),
                (true, false) => fold::starts_with(found, wanted),
                (true, true) => fold::ends_with(found, wanted),
            }),
            (View::Array(found), View::Array(wanted)) => {
                let Some(spare) = found.len().checked_sub(wanted.len()) else { return Ok(false) };
                let skipped = if at_end { spare } else { 0 };
                all(found.iter().skip(skipped).zip(wanted.iter()).map(|(found, wanted)| self.equal(&found, &wanted)))
            }
            _ => Err(mismatch(found, wanted.type_name())),
        }
    }

    /// Which of two numbers or times is the greater.
    pub(super) fn order(self, found: &View<'_>, wanted: &View<'_>) -> Result<Ordering, Cause> {
        if let (Some(found), Some(wanted)) = (self.number(found)?, self.number(wanted)?) {
            return Ok(found.cmp(&wanted));
        }
        let instant = |view: &View<'_>| match view {
            View::Time(time) => Some(*time),
            View::Text(text) => time::instant(text),
            _ => None,
        };
        match (found, wanted) {
            (View::Text(_) | View::Time(_), View::Text(_) | View::Time(_)) => match (instant(found), instant(wanted)) {
                (Some(found), Some(wanted)) => Ok(found.cmp(&wanted)),
                _ => Err(Cause::Time),
            },
            (_, View::Text(_)) => Err(mismatch(found, "time")),
            (_, View::Sent(_) | View::Exact(_) | View::Small(_) | View::Time(_)) => {
                Err(mismatch(found, wanted.type_name()))
            }
            _ => Err(mismatch(found, "number or time")),
        }
    }

    /// The number, if the view is one.
    ///
    /// # Errors
    /// When it is one that its server may read as another.
    pub(super) fn number<'v>(self, view: &View<'v>) -> Result<Option<Exact<'v>>, Cause> {
        let small = match *view {
            View::Small(number) => Some(Small { digits: i64::from(number), decimals: 0 }),
            View::Exact(number) => Small::of(number),
            View::Sent(number) => match Small::read(number.text()) {
                None if self.numbers == Numbers::Binary64 && !number.survives_binary64() => return Err(Cause::Number),
                small => small,
            },
            _ => return Ok(None),
        };
        Ok(Some(Exact { small, view: *view }))
    }
}

/// A number, compared by its exact value, the short way where that is enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact<'v> {
    small: Option<Small>,
    view: View<'v>,
}

impl Exact<'_> {
    fn decimal(&self) -> Decimal {
        match self.view {
            View::Exact(number) => *number,
            View::Sent(number) => number.decimal(),
            View::Small(number) => Decimal::from(u64::from(number)),
            _ => Decimal::ZERO,
        }
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self.small, other.small) {
            (Some(one), Some(other)) => one.cmp(other),
            _ => self.decimal().cmp(&other.decimal()),
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        self.small.is_some_and(|small| small.decimals == 0) || self.decimal().is_integer()
    }
}

/// A number of at most 15 digits, as most are: so many survive any reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small {
    digits: i64,
    /// How many of the digits stand behind the point.
    decimals: u32,
}

impl Small {
    const MOST: usize = 15;

    /// Reads a number written without an exponent.
    #[inline]
    pub(super) fn read(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        if unsigned.len() > Self::MOST {
            return None;
        }
        let (mut digits, mut decimals, mut behind) = (0_i64, 0, 0);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits * 10 + i64::from(byte - b'0');
                    decimals += behind;
                }
                b'.' => behind = 1,
                _ => return None,
            }
        }
        Some(Self { digits: if negative { -digits } else { digits }, decimals })
    }

    /// The same number, if it is short enough.
    pub(super) fn of(number: &Decimal) -> Option<Self> {
        let exponent = number.exponent();
        let zeros = u32::from(exponent.max(0).unsigned_abs());
        let decimals = u32::from(exponent.min(0).unsigned_abs());
        let most = u32::try_from(Self::MOST).ok()?;
        let length = u32::try_from(number.digits().len()).ok()?;
        if length + zeros > most || decimals > most {
            return None;
        }
        let digits = number.digits().iter().fold(0_i64, |digits, digit| digits * 10 + i64::from(*digit));
        let digits = digits * 10_i64.pow(zeros);
        Some(Self { digits: if number.is_negative() { -digits } else { digits }, decimals })
    }

    /// A count.
    pub(super) fn count(count: usize) -> Option<Self> {
        i64::try_from(count).ok().map(|digits| Self { digits, decimals: 0 })
    }

    #[inline]
    pub(super) fn cmp(self, other: Self) -> Ordering {
        if self.decimals == other.decimals {
            return self.digits.cmp(&other.digits);
        }
        // At most 15 decimals each, so that this fits.
        let scaled = |number: Self, by: u32| i128::from(number.digits) * i128::from(10_i64.pow(by));
        scaled(self, other.decimals).cmp(&scaled(other, self.decimals))
    }
}
