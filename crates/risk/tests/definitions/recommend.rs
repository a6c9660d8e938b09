//! Every recommended policy is one that the product accepts, and does what its tests say.

use super::corpus::{own, public};
use policy::cases::run;
use policy::{Class, Load, Numbers, ToolFacts, load};
use risk::recommend::{Bounds, Temper, recommend};
use risk::{Definition, assess};
use serde_json::{Value, json};

fn bounds() -> Bounds {
    Bounds {
        domains: vec!["example.com".into()],
        roots: vec!["/srv/data".into()],
        hosts: vec!["*.example.com".into()],
        cap: Some(100),
    }
}

/// Loads a recommendation for one tool and runs its tests against the tool's own schema.
fn proven(line: &Value) {
    let definition = Definition::of(line);
    let found = assess(&definition);
    let schema = definition.schema.map(ToString::to_string);
    for temper in Temper::ALL {
        for bounds in [Bounds::default(), bounds()] {
            let recommended = recommend(&[(definition, found.clone())], temper, &bounds);
            let text = recommended.document.to_string();
            let loaded = load(&text, Load::default());
            let errors: Vec<_> = loaded.diagnostics.iter().filter(|one| one.is_error()).collect();
            assert!(errors.is_empty(), "{text}\n{errors:?}");
            let policy = loaded.policy.expect("a document without errors is a policy");
            let facts = ToolFacts {
                server: "local",
                name: definition.name,
                class: found.class,
                class_accepted: false,
                input_schema: schema.as_deref(),
                numbers: Numbers::default(),
            };
            for outcome in run(&policy, &[facts]) {
                assert!(outcome.passed, "{text}\n{outcome:?}");
            }
            for reason in &recommended.reasons {
                assert!(recommended.document.pointer(&reason.pointer).is_some(), "{} is not in {text}", reason.pointer);
            }
        }
    }
}

#[test]
fn for_definitions_of_our_own() {
    own().iter().for_each(proven);
}

#[test]
fn for_every_public_definition() {
    let Some(all) = public("tools.jsonl.gz") else { return };
    // Twins of a name and a schema get the same policy.
    let mut seen = std::collections::HashSet::new();
    let all: Vec<&Value> =
        all.iter().filter(|line| seen.insert((line["name"].to_string(), line["input_schema"].to_string()))).collect();
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(2)) {
            scope.spawn(move || part.iter().for_each(|line| proven(line)));
        }
    });
}

#[test]
fn a_whole_server_in_one_document() {
    let lines = own();
    let tools: Vec<_> = lines.iter().map(Definition::of).map(|one| (one, assess(&one))).collect();
    for temper in Temper::ALL {
        let text = recommend(&tools, temper, &Bounds::default()).document.to_string();
        let loaded = load(&text, Load::default());
        assert!(loaded.policy.is_some(), "{:?}", loaded.diagnostics);
    }
}

#[test]
fn limits_are_those_of_the_first_pages() {
    for (line, max) in [
        (json!({ "name": "update_contact", "description": "Update a contact" }), 30),
        (json!({ "name": "forward_note", "description": "Forward a note to an email address" }), 10),
    ] {
        let definition = Definition::of(&line);
        let document = recommend(&[(definition, assess(&definition))], Temper::Balanced, &Bounds::default()).document;
        let limit = &document["tools"][definition.name]["limits"][0];
        let counter = format!("{}_rate", definition.name);
        assert_eq!(*limit, json!({ "counter": counter, "window": "minute", "max": max, "scope": "grant" }));
    }
}

#[test]
fn arguments_are_bounded_where_the_schema_shows_them() {
    let line = json!({ "name": "query", "description": "Run a SQL query", "inputSchema": { "type": "object",
        "properties": { "sql": { "type": "string" }, "file_path": { "type": "string" }, "webhook_url": { "type": "string" } } } });
    let definition = Definition::of(&line);
    let found = risk::Assessment { class: Class::Execute, ..assess(&definition) };
    let document = recommend(&[(definition, found)], Temper::Balanced, &Bounds::default()).document;
    let entry = &document["tools"]["query"];
    assert_eq!(entry["require"].as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!(entry["deny_if"].as_array().map(Vec::len), Some(2), "{document}");
    assert_eq!(document["tests"].as_array().map(Vec::len), Some(3), "{document}");
}

#[test]
fn optional_arguments_and_both_ends_of_a_move_are_bounded() {
    let line = json!({ "name": "move_file", "description": "Move a file", "inputSchema": { "type": "object", "properties": {
        "source": { "type": "string" }, "destination": { "type": ["string", "null"] },
        "path": { "anyOf": [{ "type": "string" }, { "type": "null" }], "default": null } } } });
    let definition = Definition::of(&line);
    let document = recommend(&[(definition, assess(&definition))], Temper::Balanced, &bounds()).document;
    let required = document["tools"]["move_file"]["require"].to_string();
    for argument in ["args.source", "args.destination", "args.path"] {
        assert!(required.contains(argument), "{argument}: {document}");
    }
}

#[test]
fn names_that_read_as_patterns_are_left_out_and_said() {
    let line = json!({ "name": "get_*" });
    let definition = Definition::of(&line);
    let recommended = recommend(&[(definition, assess(&definition))], Temper::Balanced, &Bounds::default());
    assert_eq!(recommended.unnamed, ["get_*"]);
    assert_eq!(recommended.document["tools"], json!({}));
}
