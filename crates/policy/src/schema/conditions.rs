//! Clauses and conditions in the JSON Schema.

use serde_json::{Map, Value, json};

use super::{array, closed};

/// The paths that a rule can read.
const PATH: &str = concat!(
    r#"^((args|item)(\.[^.\[\]"*\\\s\u0000-\u001f\u007f-\u009f]+|\[(0|-?[1-9][0-9]{0,9}|\*|"([^"\\]|\\.)*")\])*"#,
    r#"|grant\.(label|owner|tags(\.[^.\[\]"*\\\s\u0000-\u001f\u007f-\u009f]+|\["([^"\\]|\\.)*"\]))"#,
    r"|agent\.label|server\.name|tool\.(name|class)|session\.id|client\.ip|time\.(now|hour|weekday))$",
);

/// The operators by what they take.
fn operands() -> Vec<(&'static [&'static str], Value)> {
    let path = json!({ "$ref": "#/$defs/path_value" });
    let list = json!({ "$ref": "#/$defs/list_value" });
    vec![
        (&["eq", "neq", "contains"], json!(true)),
        (&["in", "not_in"], json!({ "anyOf": [ { "type": "array" }, path, list ] })),
        (&["lt", "lte", "gt", "gte"], json!({ "anyOf": [ { "type": ["number", "string"] }, path ] })),
        (&["regex", "matches"], json!({ "type": "string" })),
        (&["exists", "path_secret", "sql_reads", "url_public"], json!({ "type": "boolean" })),
        (&["starts_with", "ends_with"], json!({ "anyOf": [ { "type": ["string", "array"] }, path, list ] })),
        (
            &["length_lt", "length_lte", "length_gt", "length_gte"],
            json!({ "anyOf": [ { "type": "integer", "minimum": 0 }, path ] }),
        ),
        (&["type"], json!({ "enum": ["null", "boolean", "number", "integer", "string", "array", "object"] })),
        (&["within"], json!({ "anyOf": [ { "type": "string", "pattern": "^/" }, path ] })),
        (
            &["url_host_in", "email_domain_in", "cidr"],
            json!({ "anyOf": [ { "type": "array", "items": { "type": "string" } }, list ] }),
        ),
    ]
}

/// Adds the definitions.
pub(super) fn define(defs: &mut Map<String, Value>) {
    defs.insert("path".to_owned(), json!({
        "type": "string", "maxLength": 1024, "pattern": PATH, "description": "Where the rule looks, such as `args.amount`."
    }));
    defs.insert(
        "path_value".to_owned(),
        closed("Another value of the call.", json!({ "path": { "$ref": "#/$defs/path" } }), &["path"]),
    );
    defs.insert(
        "list_value".to_owned(),
        closed("A list of `lists`.", json!({ "list": { "type": "string" } }), &["list"]),
    );
    for (clause, condition) in [("clause", "condition"), ("approval_clause", "approval_condition")] {
        let text = "Conditions joined by AND; an empty list is true.";
        defs.insert(
            clause.to_owned(),
            closed(
                text,
                json!({
                    "id": { "$ref": "#/$defs/name", "description": "The last part of the rule's name." },
                    "conditions": array(condition),
                    "on_deny": { "$ref": "#/$defs/text", "description": "Text for the agent." }
                }),
                &["conditions"],
            ),
        );
        let asks = condition == "approval_condition";
        defs.insert(condition.to_owned(), forms(condition, asks));
    }
    defs.insert("test_fields".to_owned(), test_fields());
}

/// The forms of a condition, chosen by the field that is there.
fn forms(condition: &str, asks: bool) -> Value {
    let this = json!({ "$ref": format!("#/$defs/{condition}") });
    let mut parts = array(condition);
    if let Some(members) = parts.as_object_mut() {
        members.insert("minItems".to_owned(), json!(1));
    }
    let each = closed(
        "One element after the other, as `item`.",
        json!({
            "each": { "allOf": [ { "$ref": "#/$defs/path" }, { "pattern": "^(args|item)" } ] },
            "conditions": array(condition)
        }),
        &["each", "conditions"],
    );
    let mut test = json!({ "$ref": "#/$defs/test_fields" });
    if !asks && let Some(members) = test.as_object_mut() {
        members.insert("properties".to_owned(), json!({ "undecidable": false }));
    }
    json!({
        "type": "object",
        "if": { "required": ["any_of"] },
        "then": closed("At least one of these.", json!({ "any_of": parts }), &["any_of"]),
        "else": {
            "if": { "required": ["not"] },
            "then": closed("Not this.", json!({ "not": this }), &["not"]),
            "else": { "if": { "required": ["each"] }, "then": each, "else": test }
        }
    })
}

fn test_fields() -> Value {
    let operands = operands();
    let names: Vec<&str> = operands.iter().flat_map(|(ops, _)| ops.iter().copied()).collect();
    let mut schema = closed(
        "A test of one value.",
        json!({
            "path": { "$ref": "#/$defs/path" },
            "op": { "enum": names },
            "value": { "description": "What is compared with; `{ \"path\": … }` and `{ \"list\": … }` refer to other values." },
            "ignore_case": { "type": "boolean" },
            "missing": { "type": "boolean", "description": "What it means that the path leads nowhere." },
            "undecidable": { "const": "ask", "description": "In `require_approval_if`: ask where it cannot be judged." },
            "ports": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": 65535 } },
            "schemes": { "type": "array", "items": { "type": "string" } }
        }),
        &["path", "op", "value"],
    );
    let mut rules: Vec<Value> = operands
        .into_iter()
        .map(|(ops, value)| {
            json!({
                "if": { "properties": { "op": { "enum": ops } }, "required": ["op"] },
                "then": { "properties": { "value": value } }
            })
        })
        .collect();
    // An object with one of these names alone is a reference, for every operator.
    rules.push(json!({ "properties": { "value": {
        "if": { "type": "object", "required": ["path"], "maxProperties": 1 },
        "then": { "$ref": "#/$defs/path_value" },
        "else": {
            "if": { "type": "object", "required": ["list"], "maxProperties": 1 },
            "then": { "$ref": "#/$defs/list_value" }
        }
    } } }));
    for (field, ops) in OPTIONS {
        rules.push(json!({
            "if": { "required": [field] },
            "then": { "properties": { "op": { "enum": ops } } }
        }));
    }
    if let Some(members) = schema.as_object_mut() {
        members.insert("allOf".to_owned(), Value::Array(rules));
    }
    schema
}

/// The operators that an option goes with.
const OPTIONS: [(&str, &[&str]); 3] = [
    ("ignore_case", &["eq", "neq", "in", "not_in", "contains", "starts_with", "ends_with"]),
    ("ports", &["url_host_in", "url_public"]),
    ("schemes", &["url_host_in", "url_public"]),
];
