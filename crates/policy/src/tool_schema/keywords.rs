//! Keywords about numbers, by exact value. The validator's own compare in binary64, where 100.0000000000000000001 is not
//! above a maximum of 100.

use std::cmp::Ordering;

use jsonschema::json::Node as _;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError, ValidationOptions};
use mcp::json::Decimal;
use serde_json::{Map, Value};

use super::node::{Arguments, Node, decimal};

type Made<'a> = Result<Box<dyn for<'i> Keyword<'i, Arguments>>, ValidationError<'a>>;

/// The options with the exact keywords in place of the usual ones.
pub(super) fn exact<R>(options: ValidationOptions<'_, R, Arguments>) -> ValidationOptions<'_, R, Arguments> {
    options
        .with_keyword("maximum", |parent, value, _: Location| bound(parent, "exclusiveMaximum", value, Side::Above))
        .with_keyword("minimum", |parent, value, _: Location| bound(parent, "exclusiveMinimum", value, Side::Below))
        .with_keyword("exclusiveMaximum", |_, value, _: Location| exclusive(value, Side::Above))
        .with_keyword("exclusiveMinimum", |_, value, _: Location| exclusive(value, Side::Below))
        .with_keyword("multipleOf", |_, value, _: Location| multiple(value))
        .with_keyword("const", |_, value, _: Location| Ok(Box::new(OneOf(vec![value.clone()]))))
        .with_keyword("enum", |_, value, _: Location| {
            Ok(Box::new(OneOf(value.as_array().cloned().unwrap_or_default())))
        })
}

/// On which side of the limit numbers are wrong.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

struct Bound {
    limit: Decimal,
    side: Side,
    /// The limit itself is wrong too.
    exclusive: bool,
}

/// `maximum` and `minimum`; draft 4 writes `exclusiveMaximum: true` beside them.
fn bound<'a>(parent: &'a Map<String, Value>, beside: &str, value: &'a Value, side: Side) -> Made<'a> {
    let exclusive = parent.get(beside) == Some(&Value::Bool(true));
    Ok(Box::new(Bound { limit: limit(value)?, side, exclusive }))
}

fn exclusive(value: &Value, side: Side) -> Made<'_> {
    if value.is_boolean() {
        // Draft 4: said by the keyword beside it.
        return Ok(Box::new(Nothing));
    }
    Ok(Box::new(Bound { limit: limit(value)?, side, exclusive: true }))
}

fn multiple(value: &Value) -> Made<'_> {
    Ok(Box::new(Multiple { of: limit(value)? }))
}

fn limit<'a>(value: &Value) -> Result<Decimal, ValidationError<'a>> {
    value.as_number().and_then(decimal).ok_or_else(|| ValidationError::custom("a limit must be a number"))
}

struct Nothing;

impl<'i> Keyword<'i, Arguments> for Nothing {
    fn validate(&self, _: Node<'i>) -> Result<(), ValidationError<'i>> {
        Ok(())
    }

    fn is_valid(&self, _: Node<'i>) -> bool {
        true
    }
}

impl<'i> Keyword<'i, Arguments> for Bound {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        let needed = match (self.side, self.exclusive) {
            (Side::Above, false) => "at most",
            (Side::Above, true) => "less than",
            (Side::Below, false) => "at least",
            (Side::Below, true) => "more than",
        };
        Err(ValidationError::custom(format!("the value must be {needed} {}", self.limit)))
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        instance.as_number().is_none_or(|number| match (number.decimal().cmp(&self.limit), self.side) {
            (Ordering::Equal, _) => !self.exclusive,
            (Ordering::Greater, side) => matches!(side, Side::Below),
            (Ordering::Less, side) => matches!(side, Side::Above),
        })
    }
}

struct Multiple {
    of: Decimal,
}

impl<'i> Keyword<'i, Arguments> for Multiple {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom(format!("the value must be a multiple of {}", self.of)))
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        instance.as_number().is_none_or(|number| is_multiple(&number.decimal(), &self.of))
    }
}

/// Whether `value` is a whole number of times `of`, without rounding.
fn is_multiple(value: &Decimal, of: &Decimal) -> bool {
    if value.is_zero() {
        return true;
    }
    // Of a divisor with more digits than u64 has, which no binary64 needs, nothing is a multiple.
    let divisor =
        of.digits().iter().try_fold(0_u64, |whole, digit| whole.checked_mul(10)?.checked_add(u64::from(*digit)));
    let Some(divisor) = divisor.filter(|divisor| *divisor > 0) else { return false };
    // value / of = (digits * 10^shift) / divisor
    let shift = i32::from(value.exponent()) - i32::from(of.exponent());
    let divisor = u128::from(divisor);
    let step = |rest: u128, digit: u128| (rest * 10 + digit) % divisor;
    if shift >= 0 {
        let rest = value.digits().iter().fold(0, |rest, digit| step(rest, u128::from(*digit)));
        return (0..shift).fold(rest, |rest, _| step(rest, 0)) == 0;
    }
    // digits / 10^-shift is no whole number since the last digit is not 0, but the divisor may have no tens either:
    // then value has more decimals than any multiple.
    false
}

struct OneOf(Vec<Value>);

impl<'i> Keyword<'i, Arguments> for OneOf {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom(match self.0.as_slice() {
            [only] => format!("the value must be {only}"),
            _ => "the value is none of those that the schema lists".to_owned(),
        }))
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        self.0.iter().any(|expected| instance.equals_value(expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples() {
        for (value, of, expected) in [
            ("10", "5", true),
            ("10", "3", false),
            ("0", "3", true),
            ("-9", "3", true),
            ("0.3", "0.1", true),
            ("0.35", "0.1", false),
            ("1e300", "0.0001", true),
            ("1e300", "7", false),
            ("4.5", "1.5", true),
            ("35", "1e1", false),
            ("1200", "1e2", true),
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("10.00000000000000000000000001", "1", false),
            ("1.5", "2.5", false),
            ("5", "2.5", true),
        ] {
            let decimal = |text| Decimal::parse(text).unwrap();
            assert_eq!(is_multiple(&decimal(value), &decimal(of)), expected, "{value} {of}");
        }
    }
}
