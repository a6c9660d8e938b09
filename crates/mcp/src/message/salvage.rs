//! The id of a message that is no strict JSON, so that its sender learns which of its requests failed.

use super::Id;
use crate::json::{check, folds_to};

/// The id of a single message that cannot be read otherwise: the value of the only key `id` of the outermost object.
/// `None` where there is none, more than one, or one that could be taken for it.
///
/// It decides nothing but what an error is answered with.
pub(super) fn id(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut found = None;
    let (mut at, mut depth, mut before) = (0, 0_u32, b' ');
    while let Some(byte) = bytes.get(at).copied() {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = string_end(bytes, start)?;
                if depth == 1 && matches!(before, b'{' | b',') {
                    let key = text.get(start + 1..at - 1)?;
                    let value = value(text, at)?;
                    if key.contains('\\') || (key != "id" && folds_to(key, "id")) || (key == "id" && found.is_some()) {
                        return None;
                    }
                    // An answer has the id of another's request.
                    if matches!(key, "result" | "error") {
                        return None;
                    }
                    if key == "id" {
                        found = Some(value);
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {}
        }
        before = byte;
    }
    let raw = found.filter(|raw| check(raw.as_bytes()).is_ok())?;
    Id::parse(raw).map(|id| id.raw().to_owned())
}

/// Where the string that begins at `start` ends, behind its quote.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The string or number behind the colon at or after `at`; empty text for anything else.
fn value(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.trim_start().strip_prefix(':')?.trim_start();
    let end = match rest.as_bytes().first()? {
        b'"' => string_end(rest.as_bytes(), 0)?,
        _ => rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len()),
    };
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn one_id_is_found_in_what_is_no_json() {
        for (text, found) in [
            (r#"{"jsonrpc":"2.0","id":9,"method":"x","params":{"a":1,"a":2}}"#, Some("9")),
            (r#"{ "id" : "a\"b" , "params": [1,, }"#, Some(r#""a\"b""#)),
            (r#"{"params":{"id":1},"id":-2}"#, Some("-2")),
            (r#"{"id":1,"id":2}"#, None),
            (r#"{"id":1,"result":{"a":1,"a":2}}"#, None),
            (r#"{"error":{,},"id":1}"#, None),
            (r#"{"id":1,"params":{"result":1,}}"#, Some("1")),
            (r#"{"id":1,"ID":2}"#, None),
            (r#"{"id":1,"\u0069d":2}"#, None),
            (r#"{"params":{"id":1}}"#, None),
            (r#"{"id":{"id":1}}"#, None),
            (r#"{"id":true}"#, None),
            (r#"[{"id":1}]"#, None),
            (r#"{"id":1,"x":"unended"#, None),
            ("", None),
        ] {
            assert_eq!(id(text).as_deref(), found, "{text}");
        }
    }
}
