//! Documents as people write them: what fits a line stands in one.

use serde::Serialize;
use serde_json::Value;

/// The longest line.
const WIDTH: usize = 84;

/// A document in lines.
pub(crate) fn lines(value: &Value) -> String {
    beginning(value, usize::MAX)
}

/// The beginning of a document in lines: all of it, or more than so many bytes, where it has more.
pub(crate) fn beginning(value: &Value, most: usize) -> String {
    let mut out = String::new();
    write(value, 0, 0, most, &mut out);
    out
}

/// Writes a value that begins `before` characters into a line of this depth, if there is not enough already.
fn write(value: &Value, depth: usize, before: usize, most: usize, out: &mut String) {
    let nested = match value {
        Value::Object(fields) => depth == 0 || fields.values().any(|field| field.is_object() && !is_empty(field)),
        Value::Array(items) => items.len() > 1 && items.iter().any(Value::is_object),
        _ => false,
    };
    if !nested {
        let start = out.len();
        flat(value, out);
        if before + (out.len() - start) <= WIDTH || !(value.is_object() || value.is_array()) {
            return;
        }
        out.truncate(start);
    }
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "\n" } else { ",\n" });
                out.push_str(&indent);
                let start = out.len();
                key(name, out);
                write(field, depth + 1, indent.len() + (out.len() - start), most, out);
                if out.len() > most {
                    return;
                }
            }
            end(depth, '}', out);
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "\n" } else { ",\n" });
                out.push_str(&indent);
                write(item, depth + 1, indent.len(), most, out);
                if out.len() > most {
                    return;
                }
            }
            end(depth, ']', out);
        }
        _ => {}
    }
}

fn end(depth: usize, bracket: char, out: &mut String) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(bracket);
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Writes a value in one line.
fn flat(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Value::Object(fields) => {
            out.push_str("{ ");
            for (index, (name, field)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                key(name, out);
                flat(field, out);
            }
            out.push_str(" }");
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flat(item, out);
            }
            out.push(']');
        }
        plain => plain_value(plain, out),
    }
}

fn key(name: &str, out: &mut String) {
    plain_value(&name, out);
    out.push_str(": ");
}

/// A text, a number, a word: as JSON has it.
fn plain_value(value: &impl Serialize, out: &mut String) {
    // Neither can fail to be JSON.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_a_line_stands_in_one() {
        let policy = json!({ "version": "1", "tools": { "send": { "limits": [{ "max": 10, "window": "minute" }] }, "read": {} } });
        let expected = "{\n  \"version\": \"1\",\n  \"tools\": {\n    \"send\": { \"limits\": [{ \"max\": 10, \"window\": \"minute\" }] },\n    \"read\": {}\n  }\n}";
        assert_eq!(lines(&policy), expected);
    }

    #[test]
    fn lines_mean_the_same() {
        let long =
            json!({ "a": ["x".repeat(60), "y".repeat(60)], "b": [{ "c": 1 }, { "d": { "e": null } }], "f": "“\"\n" });
        assert_eq!(serde_json::from_str::<Value>(&lines(&long)).unwrap(), long);
    }

    #[test]
    fn the_beginning_is_that_of_the_whole() {
        let tools: serde_json::Map<String, Value> = (0..50)
            .map(|number| {
                (
                    format!("tool_{number}"),
                    json!({ "limits": [{ "max": number }, { "max": 1 }], "reason": "x".repeat(number) }),
                )
            })
            .collect();
        let policy = json!({ "version": "1", "hide": ["a", "b"], "tools": tools, "tests": [] });
        let whole = lines(&policy);
        for most in (0..whole.len() + 10).step_by(7) {
            let some = beginning(&policy, most);
            assert!(whole.starts_with(&some), "{most}");
            assert!(some.len() > most || some == whole, "{most}: {}", some.len());
            assert!(some.len() <= most.saturating_add(300), "{most}: {}", some.len());
        }
    }
}
