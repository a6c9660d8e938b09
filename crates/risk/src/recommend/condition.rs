//! Conditions of the policy language on an argument, wherever it lies.

use serde_json::{Value, json};

use super::shape::{Argument, Kind, Step};

/// A condition that holds where the argument is absent, or every value of it passes `test` (`op` and `value`, several of
/// them joined by OR).
///
/// What the schema hides is judged as a text or a list of texts, whichever comes; truth values and numbers pass, and what
/// is left cannot be judged and fails.
pub(super) fn require(argument: &Argument<'_>, tests: &[(&str, Value)]) -> Value {
    over("args", &argument.way, true, argument.kind, tests)
}

/// The same from the next step on; `present` says that everything so far is there.
fn over(base: &str, way: &[Step<'_>], present: bool, kind: Kind, tests: &[(&str, Value)]) -> Value {
    let end = way.iter().position(|step| *step == Step::Every).unwrap_or(way.len());
    let (before, after) = way.split_at(end);
    let here = path(base, before);
    let present = present && before.iter().all(|step| matches!(step, Step::Name { required: true, .. }));
    let mut any = match after {
        [_, rest @ ..] => vec![json!({ "each": here, "conditions": [over("item", rest, present, kind, tests)] })],
        [] => values(&here, present, kind, tests),
    };
    any.extend(elsewhere(base, before, !after.is_empty(), kind));
    match <[Value; 1]>::try_from(any) {
        Ok([one]) => one,
        Err(any) => json!({ "any_of": any }),
    }
}

/// What may stand at the end of the way.
fn values(here: &str, present: bool, kind: Kind, tests: &[(&str, Value)]) -> Vec<Value> {
    let mut any: Vec<Value> = tests.iter().map(|(op, value)| test(here, op, value, present)).collect();
    if let Kind::Hidden { objects } = kind {
        let each: Vec<Value> = tests.iter().map(|(op, value)| test("item", op, value, present)).collect();
        any.push(json!({ "each": here, "conditions": [{ "any_of": each }] }));
        any.extend(["boolean", "number"].map(|name| test(here, "type", &json!(name), present)));
        any.extend(objects.then(|| test(here, "type", &json!("object"), present)));
    }
    any
}

/// Where the way ends early, since something on it is absent or of another type that the schema allows as well.
fn elsewhere(base: &str, before: &[Step<'_>], list: bool, kind: Kind) -> Vec<Value> {
    let mut any = Vec::new();
    for (index, step) in before.iter().enumerate() {
        let Step::Name { required, loose, .. } = *step else { continue };
        let here = path(base, before.get(..=index).unwrap_or_default());
        let last = before.len() == index.saturating_add(1);
        if last && !list {
            let null = loose || (!required && matches!(kind, Kind::Hidden { .. }));
            any.extend(null.then(|| json!({ "path": here, "op": "exists", "value": false })));
        } else if loose {
            let wanted = if last { "array" } else { "object" };
            any.push(json!({ "not": { "path": here, "op": "type", "value": wanted, "missing": false } }));
        } else if list && !required {
            // Tests say by `missing` what absence means; `each` cannot.
            any.push(json!({ "path": here, "op": "exists", "value": false }));
        }
    }
    any
}

fn test(path: &str, op: &str, value: &Value, present: bool) -> Value {
    let mut test = json!({ "path": path, "op": op, "value": value });
    if let Some(fields) = test.as_object_mut().filter(|_| !present && op != "exists") {
        fields.insert("missing".into(), true.into());
    }
    test
}

/// A condition that holds where some value of the argument passes the test; absence does not.
pub(super) fn some(argument: &Argument<'_>, op: &str, value: &Value) -> Value {
    let mut test = json!({ "path": path("args", &argument.way), "op": op, "value": value });
    let sure = argument.way.iter().all(|step| !matches!(step, Step::Name { required: false, .. }));
    if let Some(fields) = test.as_object_mut().filter(|_| !sure) {
        fields.insert("missing".into(), false.into());
    }
    test
}

/// A way as a path of the language.
pub(super) fn path(base: &str, way: &[Step<'_>]) -> String {
    let mut path = base.to_owned();
    for step in way {
        match step {
            Step::Every => path.push_str("[*]"),
            Step::Name { name, .. } if is_plain(name) => {
                path.push('.');
                path.push_str(name);
            }
            Step::Name { name, .. } => path.push_str(&format!("[{}]", Value::from(*name))),
        }
    }
    path
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.is_empty()
}

/// Arguments with one value for this one.
pub(super) fn with(argument: &Argument<'_>, value: Value) -> Value {
    argument.way.iter().rev().fold(value, |inner, step| match step {
        Step::Every => json!([inner]),
        Step::Name { name, .. } => json!({ *name: inner }),
    })
}
