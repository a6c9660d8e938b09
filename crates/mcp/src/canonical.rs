//! The canonical text of arguments: one text for all spellings of one value, to bind approvals to and to digest.
//!
//! Keys are sorted by code point, numbers stay as they were sent, strings have the fewest escapes, and there is no white
//! space. Numbers are not normalised on purpose: `1` and `1.0` are equal to a rule, yet a server may tell them apart.

use crate::json::{self, Value, quote_into};

/// The canonical text of one JSON value.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn text(raw: &str) -> Result<String, json::Error> {
    let value = json::parse(raw)?;
    let mut out = String::with_capacity(raw.len());
    write(&value, &mut out);
    Ok(out)
}

/// Appends the canonical text of a value that has been read.
pub fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.text()),
        Value::String(text) => quote_into(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            // UTF-8 sorts like the code points it stands for.
            let mut members: Vec<(&str, &Value<'_>)> = object.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (position, (key, value)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                quote_into(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn one_text_for_all_spellings() {
        let table = [
            (" { } ", "{}"),
            (r#"{"b":1,"a":[ true , null ]}"#, r#"{"a":[true,null],"b":1}"#),
            (r#"{"\u0061":"\u00e9\/\u0001\n"}"#, "{\"a\":\"é/\\u0001\\n\"}"),
            (r#"{"a":1.0,"b":1e0,"c":-0}"#, r#"{"a":1.0,"b":1e0,"c":-0}"#),
            // By code point, where UTF-16 order would put the surrogate pair first.
            (r#"{"\ufb01":1,"\ud83d\ude00":2,"z":3}"#, "{\"z\":3,\"ﬁ\":1,\"😀\":2}"),
        ];
        for (raw, canonical) in table {
            assert_eq!(text(raw).unwrap(), canonical, "{raw}");
            assert_eq!(text(canonical).unwrap(), canonical);
        }
    }
}
