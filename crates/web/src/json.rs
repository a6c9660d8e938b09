//! Documents as people write them: what fits a line stands in one.

use serde_json::Value;

/// The longest line.
const WIDTH: usize = 84;

/// A document in lines.
pub(crate) fn lines(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out
}

/// Writes a value that begins `before` characters into a line of this depth.
fn write(value: &Value, depth: usize, before: usize, out: &mut String) {
    let flat = flat(value);
    let nested = match value {
        Value::Object(fields) => depth == 0 || fields.values().any(|field| field.is_object() && !is_empty(field)),
        Value::Array(items) => items.len() > 1 && items.iter().any(Value::is_object),
        _ => false,
    };
    if !nested && before + flat.len() <= WIDTH {
        out.push_str(&flat);
        return;
    }
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                let name = format!("{}: ", Value::from(name.as_str()));
                out.push_str(if index == 0 { "\n" } else { ",\n" });
                out.push_str(&indent);
                out.push_str(&name);
                write(field, depth + 1, indent.len() + name.len(), out);
            }
            end(depth, '}', out);
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "\n" } else { ",\n" });
                out.push_str(&indent);
                write(item, depth + 1, indent.len(), out);
            }
            end(depth, ']', out);
        }
        _ => out.push_str(&flat),
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

/// A value in one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, field)| format!("{}: {}", Value::from(name.as_str()), flat(field))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flat).collect();
            format!("[{}]", items.join(", "))
        }
        plain => plain.to_string(),
    }
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
}
