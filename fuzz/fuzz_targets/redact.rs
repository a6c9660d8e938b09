//! What is edited stays strict JSON, and says what it said but for its marks.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mcp::json::{self, Value};
use policy::results::Part;
use policy::{Load, Policy, load};

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let text = r#"{ "version": "1", "default": "deny", "results": { "redact":
        ["cloud_keys", "tokens", "private_keys", "card_numbers", { "name": "own", "pattern": "TK-[0-9]{1,6}" }] } }"#;
    load(text, Load::default()).policy.unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let results = POLICY.results().unwrap();
    // As a text of its own, and as a message.
    let quoted = format!(r#"{{"result":{{"content":[{{"text":{}}}]}}}}"#, json::quote(text));
    for raw in [&quoted, text] {
        let Ok(before) = json::parse(raw) else {
            assert!(results.clean(raw, Part::Result, &|| true).is_err() || results.clean(raw, Part::Result, &|| true).unwrap().text.is_none());
            continue;
        };
        let cleaned = results.clean(raw, Part::Result, &|| true).unwrap();
        assert_eq!(cleaned.text.is_none(), cleaned.edits.is_empty());
        if let Some(edited) = &cleaned.text {
            assert_same(&before, &json::parse(edited).unwrap());
        }
    }
});

/// Equal, save where there is a mark.
fn assert_same(before: &Value<'_>, after: &Value<'_>) {
    match (before, after) {
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter().zip(other).for_each(|(one, other)| assert_same(one, other));
        }
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.len(), other.len());
            for ((key, one), (edited, other)) in one.iter().zip(other.iter()) {
                assert!(key == edited || edited.contains("[REDACTED:"));
                assert_same(one, other);
            }
        }
        (Value::String(one), Value::String(other)) => assert!(one == other || other.contains("[REDACTED:")),
        (Value::Number(_), Value::String(mark)) => assert!(mark.starts_with("[REDACTED:")),
        (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
    }
}
