//! The JSON Schema: committed as it is generated, and of one mind with the parser.

use std::path::Path;

use policy::diagnostic::Code;
use policy::{Load, load};
use serde_json::Value;

use crate::diagnostics::documents;

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.schema.json")
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let mut generated = serde_json::to_string_pretty(&policy::schema::json_schema()).unwrap();
    generated.push('\n');
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(committed(), &generated).unwrap();
    }
    let found = std::fs::read_to_string(committed()).unwrap_or_default();
    assert!(
        found == generated,
        "docs/policy.schema.json is not what the code generates; write it anew with UPDATE_SNAPSHOTS=1"
    );
}

/// Findings that a schema cannot have: they are about other places of the document, or about languages inside of it.
fn beyond(code: Code) -> bool {
    matches!(
        code,
        Code::Operand
            | Code::UnknownList
            | Code::ItemOutsideEach
            | Code::Pattern
            | Code::Format
            | Code::DuplicateKey
            | Code::TooLarge
    ) || !matches!(code.severity(), policy::diagnostic::Severity::Error)
}

fn validator() -> jsonschema::Validator {
    jsonschema::options().build(&policy::schema::json_schema()).unwrap()
}

/// Every place of the valid document is broken in every way that a type can be; both must see it.
#[test]
fn the_schema_and_the_parser_agree() {
    let validator = validator();
    let mut judged = 0;
    let mut agree = |text: &str, origin: &str| {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return };
        let loaded = load(text, Load::default());
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        let in_schema = validator.is_valid(&value);
        if errors.iter().all(|found| beyond(found.code)) && !errors.is_empty() {
            return;
        }
        judged += 1;
        let said = || -> Vec<String> {
            validator.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect()
        };
        assert!(in_schema == errors.is_empty(), "{origin}: {text}\n{errors:#?}\n{:#?}", said());
    };
    for folder in ["valid", "invalid", "warned"] {
        for (name, text) in documents(folder) {
            agree(&text, &name);
        }
    }
    for (name, text) in documents("valid") {
        // The one with comments is no JSON.
        let Ok(plain) = serde_json::from_str::<Value>(&text) else { continue };
        agree(&plain.to_string(), &name);
        let mut pointers = Vec::new();
        collect("", &plain, &mut pointers);
        for pointer in &pointers {
            // Values of lists, arguments of tests and operands may be anything.
            if pointer.starts_with("/lists/") || pointer.contains("/args/") || pointer.contains("/value/") {
                continue;
            }
            for replacement in
                ["null", "true", "5", "-1", "0.25", "\"\"", "\"x\"", "[]", "{}", "[null]", "{\"unknown\":1}"]
            {
                let mut changed = plain.clone();
                *changed.pointer_mut(pointer).unwrap() = serde_json::from_str(replacement).unwrap();
                agree(&changed.to_string(), &format!("{name} with {replacement} at {pointer}"));
            }
            let mut removed = plain.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            if let Some(object) = removed.pointer_mut(parent).and_then(Value::as_object_mut) {
                object.remove(&key.replace("~1", "/").replace("~0", "~"));
                agree(&removed.to_string(), &format!("{name} without {pointer}"));
            }
        }
    }
    assert!(judged > 1000, "{judged}");
}

fn collect(at: &str, value: &Value, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (policy::rule_id::escape(key), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let pointer = format!("{at}/{key}");
        collect(&pointer, child, pointers);
        pointers.push(pointer);
    }
}
