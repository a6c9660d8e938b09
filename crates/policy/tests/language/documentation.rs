//! The documentation: its documents load, its tests pass, and it names every field, operator and code.

use std::path::Path;

use policy::diagnostic::Code;
use policy::{Load, load};

fn text() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md")).unwrap()
}

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = text();
    let mut blocks = Vec::new();
    let mut rest = text.as_str();
    let fence = format!("\n```{language}\n");
    while let Some(start) = rest.find(&fence) {
        let inside = &rest[start + fence.len()..];
        let end = inside.find("\n```").unwrap();
        blocks.push(inside[..end].to_owned());
        rest = &inside[end..];
    }
    blocks
}

#[test]
fn documents_load_and_their_tests_pass() {
    let documents = blocks("json");
    assert!(documents.len() >= 7, "{}", documents.len());
    for document in documents {
        let loaded = load(&document, Load { comments_allowed: true });
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(errors.is_empty(), "{document}\n{errors:#?}");
        for outcome in policy::cases::run(&loaded.policy.unwrap(), &[]) {
            assert!(outcome.passed, "{document}\n{outcome:#?}");
        }
    }
}

/// A fragment stands in the rules of a tool.
#[test]
fn fragments_load() {
    let fragments = blocks("jsonc");
    assert!(!fragments.is_empty());
    for fragment in fragments {
        let document =
            format!("{{ \"version\": \"1\", \"default\": \"deny\", \"tools\": {{ \"a\": {{ {fragment} }} }} }}");
        let loaded = load(&document, Load { comments_allowed: true });
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(errors.is_empty(), "{document}\n{errors:#?}");
    }
}

#[test]
fn names_everything() {
    let text = text();
    let mut missing = Vec::new();
    let schema = policy::schema::json_schema();
    let mut names = Vec::new();
    properties(&schema, &mut names);
    for name in names {
        if !text.contains(&format!("`{name}`"))
            && !text.contains(&format!("`\"{name}\""))
            && !text.contains(&format!("`{{ \"{name}\""))
        {
            missing.push(name);
        }
    }
    for op in policy::condition::Op::ALL {
        if !text.contains(&format!("`{op}`")) {
            missing.push(op.to_string());
        }
    }
    for code in Code::ALL {
        if !text.contains(&format!("| {code} |")) {
            missing.push(format!("{code} {}", code.meaning()));
        }
    }
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "{missing:#?}");
}

fn properties(schema: &serde_json::Value, names: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                if key == "properties"
                    && let Some(fields) = value.as_object()
                {
                    names.extend(fields.keys().cloned());
                }
                properties(value, names);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}
