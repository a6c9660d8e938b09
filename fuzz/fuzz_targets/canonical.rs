//! The canonical text is a fixed point with the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::{canonical, json};
use serde_json::Value;

fuzz_target!(|text: &str| {
    match canonical::text(text) {
        Ok(once) => {
            assert_eq!(canonical::text(&once).as_ref(), Ok(&once));
            let value = |text: &str| serde_json::from_str::<Value>(text).ok();
            assert_eq!(value(&once), value(text));
            assert!(sorted(&json::parse(&once).unwrap()));
        }
        Err(error) => assert_eq!(json::check(text.as_bytes()), Err(error)),
    }
});

fn sorted(value: &json::Value<'_>) -> bool {
    match value {
        json::Value::Array(items) => items.iter().all(sorted),
        json::Value::Object(object) => {
            object.iter().map(|(key, _)| key).is_sorted() && object.iter().all(|(_, value)| sorted(value))
        }
        _ => true,
    }
}
