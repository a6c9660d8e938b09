//! By how much a call uses a limit.

use mcp::json::Value;

use crate::operand::Numbers;
use crate::path::{Path, Step};

/// Amounts of one call lie below 10^12; in millionths.
const END: u128 = 1_000_000_000_000 * 1_000_000;

/// Why an amount cannot be counted.
pub(super) struct Uncountable(pub(super) String);

/// The exact value of the number at `path`.
///
/// # Errors
/// When there is none, it is no number, its readers could read different ones, or it is out of range.
pub(super) fn amount_at(path: &Path, arguments: &Value<'_>, numbers: Numbers) -> Result<quota::Amount, Uncountable> {
    let uncountable = |what: &str| Uncountable(format!("`{path}` {what}"));
    let number = match lookup(path, arguments) {
        None | Some(Value::Null) => return Err(uncountable("is missing")),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(uncountable("is not a number")),
    };
    if numbers == Numbers::Binary64 && !number.survives_binary64() {
        return Err(uncountable("is a number that does not survive binary64"));
    }
    let micros = number.decimal().to_micros();
    let micros = micros.ok_or_else(|| uncountable("is negative, too large, or has more than 6 decimals"))?;
    if micros >= END {
        return Err(uncountable("is not below 10^12"));
    }
    quota::Amount::from_micros(micros).ok_or_else(|| uncountable("is out of range"))
}

/// The one value at a path into the arguments.
fn lookup<'v, 'a>(path: &Path, arguments: &'v Value<'a>) -> Option<&'v Value<'a>> {
    path.steps().iter().try_fold(arguments, |value, step| match (step, value) {
        (Step::Key(key), Value::Object(object)) => object.get(key),
        (Step::Index(index), Value::Array(items)) => items.get(*index),
        (Step::FromEnd(back), Value::Array(items)) => items.get(items.len().checked_sub(*back)?),
        _ => None,
    })
}
