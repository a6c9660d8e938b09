//! A body against its schema. What is refused is named by a JSON pointer, with what would have been right; values are
//! never repeated, for they may be secrets.

use mcp::json::{Object, Value as Sent};
use policy::rule_id::escape;
use serde_json::{Map, Value};

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// A JSON pointer.
    pub(crate) pointer: String,
    /// What would have been right.
    pub(crate) why: String,
}

type Checked = Result<(), Wrong>;

fn wrong(at: &str, why: impl Into<String>) -> Checked {
    Err(Wrong { pointer: at.to_owned(), why: why.into() })
}

/// Checks a value; `schemas` are those that others refer to.
pub(crate) fn check(schemas: &Map<String, Value>, schema: &Value, sent: &Sent<'_>, at: &str) -> Checked {
    let schema = resolved(schemas, schema);
    if let Some(options) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        return one_of(schemas, options, sent, at);
    }
    types(schema, sent, at)?;
    if let Some(only) = schema.get("const") {
        return values(&[only], sent, at);
    }
    if let Some(all) = schema.get("enum").and_then(Value::as_array) {
        return values(&all.iter().collect::<Vec<_>>(), sent, at);
    }
    match sent {
        Sent::Object(object) => members(schemas, schema, object, at),
        Sent::Array(items) => {
            let most = schema.get("maxItems").and_then(Value::as_u64);
            if most.is_some_and(|most| items.len() as u64 > most) {
                return wrong(at, format!("it has at most {} elements", most.unwrap_or_default()));
            }
            let Some(each) = schema.get("items") else { return Ok(()) };
            items.iter().enumerate().try_for_each(|(index, item)| check(schemas, each, item, &format!("{at}/{index}")))
        }
        Sent::String(text) => length(schema, text, at),
        Sent::Number(number) => range(schema, number.as_f64(), at),
        Sent::Null | Sent::Bool(_) => Ok(()),
    }
}

fn resolved<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The names of the types that a schema takes; none where it takes all.
fn names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is(sent: &Sent<'_>, name: &str) -> bool {
    match (name, sent) {
        ("integer", Sent::Number(number)) => number.as_f64().fract() == 0.0 && number.as_f64().abs() < 9.0e15,
        _ => sent.type_name() == name,
    }
}

fn types(schema: &Value, sent: &Sent<'_>, at: &str) -> Checked {
    let names = names(schema);
    if names.is_empty() || names.iter().any(|name| is(sent, name)) {
        return Ok(());
    }
    wrong(at, format!("here belongs {}; what was sent is of type {}", names.join(" or "), sent.type_name()))
}

fn values(all: &[&Value], sent: &Sent<'_>, at: &str) -> Checked {
    let same = |value: &&&Value| match (sent, value) {
        (Sent::Null, Value::Null) => true,
        (Sent::String(sent), Value::String(value)) => sent.as_ref() == value,
        _ => false,
    };
    if all.iter().any(|value| same(&value)) {
        return Ok(());
    }
    let names: Vec<_> = all.iter().map(|value| value.as_str().unwrap_or("null")).collect();
    wrong(at, format!("here belongs one of {}", names.join(", ")))
}

fn one_of(schemas: &Map<String, Value>, options: &[Value], sent: &Sent<'_>, at: &str) -> Checked {
    let options: Vec<_> = options.iter().map(|option| resolved(schemas, option)).collect();
    let null = |option: &&&Value| names(option) == ["null"];
    if matches!(sent, Sent::Null) && options.iter().any(|option| null(&option)) {
        return Ok(());
    }
    let real: Vec<_> = options.iter().filter(|option| !null(option)).copied().collect();
    if let [only] = real.as_slice() {
        return check(schemas, only, sent, at);
    }
    if real.iter().all(|option| option.get("const").is_some()) {
        return values(&real.iter().filter_map(|option| option.get("const")).collect::<Vec<_>>(), sent, at);
    }
    // What is of one of several kinds says which by a field.
    let kind = |option: &Value| option.pointer("/properties/kind/const").cloned();
    let Some(object) = sent.as_object() else {
        return wrong(at, format!("here belongs object; what was sent is of type {}", sent.type_name()));
    };
    let named = object.get("kind").and_then(Sent::as_str);
    match real.iter().find(|option| kind(option).is_some_and(|kind| kind.as_str() == named)) {
        Some(option) => check(schemas, option, sent, at),
        None => {
            let kinds: Vec<_> = real.iter().filter_map(|option| kind(option)).collect();
            values(&kinds.iter().collect::<Vec<_>>(), object.get("kind").unwrap_or(&Sent::Null), &format!("{at}/kind"))
        }
    }
}

fn members(schemas: &Map<String, Value>, schema: &Value, object: &Object<'_>, at: &str) -> Checked {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let others = schema.get("additionalProperties");
    for (name, member) in object.iter() {
        let place = format!("{at}/{}", escape(name));
        match (known.get(name), others) {
            (Some(schema), _) => check(schemas, schema, member, &place)?,
            (None, Some(Value::Bool(false))) => return wrong(&place, unknown(name, known)),
            (None, Some(schema)) => check(schemas, schema, member, &place)?,
            (None, None) => {}
        }
    }
    let most = schema.get("maxProperties").and_then(Value::as_u64);
    if most.is_some_and(|most| object.len() as u64 > most) {
        return wrong(at, format!("it has at most {} members", most.unwrap_or_default()));
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if object.get(name).is_none() {
            return wrong(&format!("{at}/{}", escape(name)), "this field is missing, and must be given");
        }
    }
    Ok(())
}

fn unknown(name: &str, known: &Map<String, Value>) -> String {
    let near = known.keys().map(|known| (distance(name, known), known)).min();
    match near.filter(|(distance, known)| *distance <= (known.len() + 1) / 3) {
        Some((_, near)) => format!("there is no such field; did you mean `{near}`?"),
        None => {
            let all: Vec<_> = known.keys().map(String::as_str).collect();
            format!("there is no such field; there are {}", all.join(", "))
        }
    }
}

fn length(schema: &Value, text: &str, at: &str) -> Checked {
    let bound = |name| schema.get(name).and_then(Value::as_u64);
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(u64::MAX));
    let length = text.chars().count() as u64;
    if (least..=most).contains(&length) {
        return Ok(());
    }
    let expected = if length < least { format!("at least {least}") } else { format!("at most {most}") };
    wrong(at, format!("it has {expected} characters; {length} were sent"))
}

fn range(schema: &Value, number: f64, at: &str) -> Checked {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    if bound("minimum").is_some_and(|least| number < least) {
        return wrong(at, format!("it is at least {}", bound("minimum").unwrap_or_default()));
    }
    if bound("maximum").is_some_and(|most| number > most) {
        return wrong(at, format!("it is at most {}", bound("maximum").unwrap_or_default()));
    }
    Ok(())
}

/// How many letters must be put in, taken out or replaced.
fn distance(one: &str, other: &str) -> usize {
    // What is far too long is like nothing, and costs nothing.
    if one.len() > 64 {
        return usize::MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((left, up), there) in row.iter().zip(row.iter().skip(1)).zip(&other) {
            let before = next.last().copied().unwrap_or_default();
            next.push((left + usize::from(letter != *there)).min(up + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrongs(sent: &str) -> Option<(String, String)> {
        let schemas = json!({ "Name": { "type": "string", "minLength": 1, "maxLength": 3 } });
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
                "name": { "$ref": "#/components/schemas/Name" },
                "count": { "type": ["integer", "null"], "minimum": 0, "maximum": 9 },
                "role": { "oneOf": [{ "const": "a" }, { "const": "b" }] },
                "list": { "type": "array", "maxItems": 2, "items": { "type": "boolean" } },
                "reach": { "oneOf": [
                    { "type": "object", "properties": { "kind": { "const": "x" }, "url": { "type": "string" } } },
                    { "type": "object", "properties": { "kind": { "const": "y" } } },
                ] },
                "map": { "type": "object", "additionalProperties": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
            },
        });
        let sent = mcp::json::parse(sent).unwrap();
        let wrong = check(schemas.as_object().unwrap(), &schema, &sent, "").err()?;
        Some((wrong.pointer, wrong.why))
    }

    #[test]
    fn what_fits_passes() {
        let fits = r#"{ "name": "ab", "count": 3, "role": "b", "list": [true], "reach": { "kind": "x", "url": "u" },
            "map": { "q": null, "r": "" } }"#;
        assert_eq!(wrongs(fits), None);
        assert_eq!(wrongs(r#"{ "name": "a", "count": null }"#), None);
    }

    #[test]
    fn what_does_not_is_named_with_what_would() {
        let cases = [
            (r"[]", "", "here belongs object; what was sent is of type array"),
            (r"{}", "/name", "this field is missing, and must be given"),
            (r#"{ "name": 5 }"#, "/name", "here belongs string; what was sent is of type number"),
            (r#"{ "name": "" }"#, "/name", "it has at least 1 characters; 0 were sent"),
            (r#"{ "name": "abcd" }"#, "/name", "it has at most 3 characters; 4 were sent"),
            (r#"{ "name": "a", "cuont": 1 }"#, "/cuont", "there is no such field; did you mean `count`?"),
            (
                r#"{ "name": "a", "a/b": 1 }"#,
                "/a~1b",
                "there is no such field; there are name, count, role, list, reach, map",
            ),
            (
                r#"{ "name": "a", "count": 1.5 }"#,
                "/count",
                "here belongs integer or null; what was sent is of type number",
            ),
            (r#"{ "name": "a", "count": -1 }"#, "/count", "it is at least 0"),
            (r#"{ "name": "a", "count": 10 }"#, "/count", "it is at most 9"),
            (r#"{ "name": "a", "role": "c" }"#, "/role", "here belongs one of a, b"),
            (
                r#"{ "name": "a", "list": [true, "x"] }"#,
                "/list/1",
                "here belongs boolean; what was sent is of type string",
            ),
            (r#"{ "name": "a", "list": [true, true, true] }"#, "/list", "it has at most 2 elements"),
            (r#"{ "name": "a", "reach": { "kind": "z" } }"#, "/reach/kind", "here belongs one of x, y"),
            (
                r#"{ "name": "a", "reach": { "kind": "x", "url": 1 } }"#,
                "/reach/url",
                "here belongs string; what was sent is of type number",
            ),
            (r#"{ "name": "a", "map": { "q": 1 } }"#, "/map/q", "here belongs string; what was sent is of type number"),
        ];
        for (sent, pointer, why) in cases {
            assert_eq!(wrongs(sent), Some((pointer.to_owned(), why.to_owned())), "{sent}");
        }
    }
}
