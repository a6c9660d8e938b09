//! Edited results are strict JSON and hold nothing that was to go.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::{header, json, result};

const PREFIX: &str = "toolgate/";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(Some(stripped)) = result::strip_meta(text, PREFIX) {
        assert!(!has_ours(&json::parse(&stripped).unwrap()), "{stripped}");
    } else if let Ok(value) = json::parse(text) {
        assert!(!has_ours(&value), "{text}");
    }
    if let Ok(list) = result::tools(text) {
        let kept: Vec<&str> = list.entries.iter().step_by(2).map(|tool| tool.raw).collect();
        let mut position = 0_usize;
        let edited = list.retain_private(
            |_| {
                position += 1;
                position % 2 == 1
            },
            1000,
        );
        let again = result::tools(&edited).unwrap();
        assert_eq!(again.entries.iter().map(|tool| tool.raw).collect::<Vec<_>>(), kept);
        assert_eq!(again.unreadable, 0);
        assert!(again.cache_scope.as_deref().is_none_or(|scope| scope == "private"));
        assert!(again.ttl_ms.is_none_or(|ttl| ttl <= 1000));
        for tool in &list.entries {
            let _ = (tool.destructive_hint(), tool.input_schema.map(header::declared));
        }
    }
    let _ = (
        result::prompts(text),
        result::resources(text),
        result::templates(text),
        result::call(text),
        result::input_requests(text),
    );
    let paths: &[&[&str]] = &[&["tools"], &["resources", "subscribe"]];
    if let Ok(Some(without)) = result::without_capabilities(text, paths) {
        let value = json::parse(&without).unwrap();
        let capabilities = value.get("capabilities");
        assert!(capabilities.and_then(|capabilities| capabilities.get("tools")).is_none());
        assert_eq!(result::without_capabilities(&without, paths), Ok(None));
    }
});

fn has_ours(value: &json::Value<'_>) -> bool {
    match value {
        json::Value::Array(items) => items.iter().any(has_ours),
        json::Value::Object(object) => object.iter().any(|(key, value)| {
            let ours = |meta: &json::Object<'_>| key == "_meta" && meta.iter().any(|(key, _)| key.starts_with(PREFIX));
            value.as_object().is_some_and(ours) || has_ours(value)
        }),
        _ => false,
    }
}
