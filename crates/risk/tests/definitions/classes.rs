//! The classes that definitions get: how often they are right, and what holds always.

use super::corpus::{own, public, text};
use policy::Class;
use risk::{Annotations, Definition, Place, assess};
use serde_json::{Value, json};

fn is_class(name: &str, class: Class) -> bool {
    class.as_str().eq_ignore_ascii_case(name)
}

fn accepted(line: &Value, class: Class) -> bool {
    let also = line.get("also").or_else(|| line.get("also_acceptable")).unwrap_or(&Value::Null);
    let listed = also.as_array().into_iter().flatten().chain(also.is_string().then_some(also));
    is_class(text(line, "category"), class) || listed.filter_map(Value::as_str).any(|name| is_class(name, class))
}

/// Right answers among `all`, in percent.
fn right(all: &[&Value], answer: impl Fn(&Value, Class) -> bool) -> usize {
    let right = all.iter().filter(|line| answer(line, assess(&Definition::of(line)).class)).count();
    right * 100 / all.len()
}

#[test]
fn the_measuring_sets_are_called_as_well_as_the_documentation_says() {
    let Some(dev) = public("eval_dev.jsonl") else { return };
    let all: Vec<&Value> = dev.iter().collect();
    let sure: Vec<&Value> = dev.iter().filter(|line| text(line, "confidence") == "sure").collect();
    let strict = |line: &Value, class| is_class(text(line, "category"), class);
    assert!(right(&all, strict) >= STRICT);
    assert!(right(&sure, strict) >= SURE);
    assert!(right(&all, accepted) >= LENIENT);
    let harmless = dev
        .iter()
        .filter(|line| ["Destructive", "Financial"].contains(&text(line, "category")))
        .filter(|line| {
            let class = assess(&Definition::of(line)).class;
            matches!(class, Class::Read | Class::Write) && !accepted(line, class)
        })
        .count();
    assert!(harmless <= 2, "{harmless} tools that delete or pay are called harmless");
}

/// What the sets must show at least, in percent.
const STRICT: usize = 87;
const SURE: usize = 95;
const LENIENT: usize = 95;

#[test]
fn the_tools_of_the_first_pages_are_called_as_the_pages_say() {
    let Some(dev) = public("eval_dev.jsonl") else { return };
    let seeds: Vec<&Value> = dev.iter().filter(|line| text(line, "stratum") == "seed").collect();
    assert!(!seeds.is_empty());
    for line in seeds {
        let found = assess(&Definition::of(line));
        assert!(accepted(line, found.class), "{}: {:?}", text(line, "name"), found);
        if let "update_lead" | "smartlead_update_lead_by_id" = text(line, "name") {
            assert!(found.evidence.iter().any(|one| one.text.eq_ignore_ascii_case("update")), "{found:?}");
        }
    }
}

#[test]
fn every_language_is_called_well() {
    let own = own();
    for language in ["pt", "es", "zh", "ja", "ko", "de", "fr", "ru"] {
        let held_out: Vec<&Value> =
            own.iter().filter(|line| text(line, "id").starts_with(language) && text(line, "split") == "test").collect();
        assert!(held_out.len() >= 20);
        let right = right(&held_out, accepted);
        assert!(right >= 75, "{language}: {right} %");
    }
}

#[test]
fn annotations_never_lower() {
    let rank = |class: Class| Class::ALL.iter().position(|known| *known == class);
    let hints = [None, Some(true), Some(false)];
    for line in own() {
        let plain = Definition { annotations: Annotations::default(), ..Definition::of(&line) };
        let before = assess(&plain).class;
        for read_only in hints {
            for destructive in hints {
                let annotations = Annotations { read_only, destructive, open_world: None };
                let after = assess(&Definition { annotations, ..plain }).class;
                assert!(rank(after) >= rank(before), "{}: {before:?} became {after:?}", plain.name);
            }
        }
    }
}

#[test]
fn evidence_is_what_stands_at_its_place() {
    for line in own() {
        let definition = Definition::of(&line);
        for one in assess(&definition).evidence {
            let (whole, start, end) = match one.place {
                Place::Name(start, end) => (definition.name, start, end),
                Place::Description(start, end) => (definition.description, start, end),
                _ => continue,
            };
            assert_eq!(whole.get(start..end), Some(one.text.as_str()));
        }
    }
}

#[test]
fn what_nobody_can_read_is_unclassified() {
    for (name, description) in [("", ""), ("…", "!!!"), ("ᚠᚢᚦ", "ᚱᚲ")] {
        let found = assess(&Definition { name, description, ..Definition::default() });
        assert_eq!(found.class, Class::Unclassified, "{name}");
        assert!(found.evidence.is_empty());
    }
}

#[test]
fn hostile_schemas_end() {
    let mut deep = json!({ "type": "object" });
    for _ in 0..100 {
        deep = json!({ "properties": { "a": deep, "b": { "enum": ["delete"] } }, "items": { "x": 1 } });
    }
    let wide = json!({ "properties": (0..5000).map(|n| (format!("p{n}"), json!({ "enum": ["a", "b", "c"] }))).collect::<serde_json::Map<_, _>>() });
    for schema in [&deep, &wide] {
        let found = assess(&Definition { name: "get_it", schema: Some(schema), ..Definition::default() });
        assert!(found.confidence > 0.0);
    }
}

#[test]
fn rules_of_the_labelling() {
    let cases = [
        (
            json!({ "name": "manage_note", "description": "Manages notes", "inputSchema": { "properties": { "action": { "enum": ["list", "delete"] } } } }),
            Class::Destructive,
        ),
        (
            json!({ "name": "call_api", "description": "Sends any request to the API", "inputSchema": { "properties": { "method": { "enum": ["GET", "POST", "DELETE"] } } } }),
            Class::Execute,
        ),
        (
            json!({ "name": "run_statement", "description": "Executes SQL statements such as INSERT and DELETE" }),
            Class::Destructive,
        ),
        (json!({ "name": "cancel_booking", "description": "Cancels an order of a customer" }), Class::Destructive),
        (json!({ "name": "send_note", "description": "Send a note to a contact" }), Class::Execute),
        (
            json!({ "name": "thing", "description": "Update a record", "annotations": { "readOnlyHint": true } }),
            Class::Write,
        ),
    ];
    for (line, class) in cases {
        let found = assess(&Definition::of(&line));
        assert_eq!(found.class, class, "{}: {found:?}", text(&line, "name"));
    }
}
