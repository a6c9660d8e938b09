//! Conditions and values in words.

use mcp::json::Value;

use crate::condition::{Condition, Facts};
use crate::operand::{Operand, OwnedValue};
use crate::path::{Path, Root, Step};

/// The longest value that is shown, in characters.
const LONGEST: usize = 120;

/// A condition as a person would say it.
pub(crate) fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Test(test) => format!("{} {} {}", test.path, test.op, operand(&test.value)),
        Condition::AnyOf(parts) => {
            format!("any of ({})", parts.iter().map(self::condition).collect::<Vec<_>>().join("; "))
        }
        Condition::Not(inner) => format!("not ({})", self::condition(inner)),
        Condition::Each { path, conditions } => {
            let inner = conditions.iter().map(self::condition).collect::<Vec<_>>().join(" and ");
            format!("each item of {path} ({inner})")
        }
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Path(path) => path.to_string(),
        Operand::Literal(value) => cut(owned(value)),
    }
}

fn owned(value: &OwnedValue) -> String {
    match value {
        OwnedValue::Null => "null".to_owned(),
        OwnedValue::Bool(value) => value.to_string(),
        OwnedValue::Number(number) => number.to_string(),
        OwnedValue::String(text) => mcp::json::quote(text),
        OwnedValue::Array(items) => format!("[{}]", items.iter().map(owned).collect::<Vec<_>>().join(", ")),
        OwnedValue::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}: {}", mcp::json::quote(key), owned(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The values that a condition looked at.
pub(crate) fn found(condition: &Condition, facts: &Facts<'_>) -> String {
    let mut seen = Vec::new();
    look(condition, facts, &mut seen);
    seen.dedup();
    if seen.is_empty() { "nothing to look at".to_owned() } else { seen.join(", ") }
}

fn look(condition: &Condition, facts: &Facts<'_>, seen: &mut Vec<String>) {
    match condition {
        Condition::Test(test) => {
            seen.push(at(&test.path, facts));
            if let Operand::Path(path) = &test.value {
                seen.push(at(path, facts));
            }
        }
        Condition::AnyOf(parts) => parts.iter().for_each(|part| look(part, facts, seen)),
        Condition::Not(inner) => look(inner, facts, seen),
        Condition::Each { path, .. } => seen.push(at(path, facts)),
    }
}

fn at(path: &Path, facts: &Facts<'_>) -> String {
    match path.root() {
        Root::Item => format!("{path} differs by item"),
        Root::Context(key) => format!("{path} is {}", facts.context.text(key).unwrap_or_else(|| "missing".to_owned())),
        Root::Args => {
            let mut value = facts.args;
            for step in path.steps() {
                let next = match (step, value) {
                    (Step::Key(key), Value::Object(object)) => object.get(key),
                    (Step::Index(index), Value::Array(items)) => items.get(*index),
                    (Step::FromEnd(back), Value::Array(items)) => {
                        items.len().checked_sub(*back).and_then(|index| items.get(index))
                    }
                    (Step::Every, value) => {
                        return format!("{path} looks into {}", cut(json(value)));
                    }
                    _ => None,
                };
                match next {
                    Some(next) => value = next,
                    None => return format!("{path} is missing"),
                }
            }
            format!("{path} is {}", cut(json(value)))
        }
    }
}

fn json(value: &Value<'_>) -> String {
    owned(&OwnedValue::from(value))
}

fn cut(text: String) -> String {
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}
