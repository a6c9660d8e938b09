//! The OpenAPI document: committed as it is generated, whole in itself, and true of what is answered.

use std::path::Path;

use serde_json::{Value, json};
use web::control_api::{Kind, Route, document, routes};

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let generated = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == generated,
        "docs/openapi.json is not what the code generates; write it anew with UPDATE_SNAPSHOTS=1"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let there = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(there.is_some(), "{reference}");
    }
}

#[test]
fn every_route_stands_in_it_with_an_example_that_fits() {
    let document = document();
    let mut names = std::collections::BTreeSet::new();
    for route in routes() {
        let operation = operation(&document, &route);
        assert_eq!(operation["operationId"], route.name);
        assert!(names.insert(route.name), "{route:?}: the name is given twice");
        let content = &operation["requestBody"]["content"]["application/json"];
        assert_eq!(content.is_null(), route.example.is_none(), "{route:?}");
        if let Some(example) = &route.example {
            holds(&document, &content["schema"], example);
        }
    }
}

#[test]
fn every_kind_of_problem_is_explained() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md")).unwrap();
    for kind in Kind::ALL {
        let (status, slug, _) = kind.row();
        assert!(guide.contains(&format!("| `{slug}` | {status} |")), "docs/api.md does not explain `{slug}`");
    }
}

fn operation<'a>(document: &'a Value, route: &Route) -> &'a Value {
    &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()]
}

fn holds(document: &Value, schema: &Value, value: &Value) {
    let schema = json!({ "components": document["components"], "allOf": [schema] });
    let validator = jsonschema::validator_for(&schema).unwrap();
    if let Err(error) = validator.validate(value) {
        panic!("{error}: {value}");
    }
}

/// Whether an answer is what the document promises.
pub fn fits(document: &Value, route: &Route, answer: &Value) {
    let answers = &operation(document, route)["responses"][route.status.to_string()];
    let media = route.exports.first().copied().unwrap_or("application/json");
    holds(document, &answers["content"][media]["schema"], answer);
}
