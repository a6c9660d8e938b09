//! The JSON Schema of the language, for editors.
//!
//! It accepts what the parser accepts, as far as a schema can say it: it does not know lists by name, compiled
//! expressions, hosts, time zones, or what stands elsewhere in the document.

mod conditions;

use serde_json::{Map, Value, json};

use crate::facts::Class;
use crate::limit::Scope;
use crate::results::{Detector, GREATEST_CAP, LEAST_CAP, MOST_ENTRIES};

/// The `$id` of the schema.
pub const ID: &str = "https://toolgate.dev/policy.schema.json";

/// A pattern for RFC 3339 times with an offset.
const TIME: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$";

/// Builds the schema: draft 2020-12, every object closed.
#[must_use]
pub fn json_schema() -> Value {
    let mut defs = Map::new();
    defs.insert("text".to_owned(), json!({ "type": "string", "maxLength": 4096 }));
    defs.insert("name".to_owned(), json!({ "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }));
    defs.insert(
        "pattern".to_owned(),
        json!({
            "type": "string", "minLength": 1, "maxLength": 2048, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
            "description": "An exact name, or a glob: `*` any run, `?` one character."
        }),
    );
    defs.insert(
        "amount".to_owned(),
        json!({
            "type": "number", "minimum": 0, "exclusiveMaximum": 1_000_000_000_000_000u64,
            "description": "Inclusive; below 10^15, at most 6 decimals."
        }),
    );
    defs.insert(
        "time".to_owned(),
        json!({ "type": "string", "pattern": TIME, "description": "RFC 3339 with an offset." }),
    );
    defs.insert("window".to_owned(), window());
    defs.insert("limit".to_owned(), limit());
    defs.insert(
        "rate_limit".to_owned(),
        closed(
            "At most `max` calls in a `window`.",
            json!({
                "max": { "$ref": "#/$defs/amount" },
                "window": { "$ref": "#/$defs/window" }
            }),
            &["max", "window"],
        ),
    );
    defs.insert("approval".to_owned(), approval());
    defs.insert("entry".to_owned(), entry(None));
    let opens = json!({ "type": "boolean", "description": "Under `default: deny`: the tools of this class are callable where a person accepted or set the class." });
    defs.insert("class_entry".to_owned(), entry(Some(opens)));
    defs.insert("access".to_owned(), access());
    defs.insert("results".to_owned(), results());
    defs.insert("test".to_owned(), test());
    conditions::define(&mut defs);
    let mut schema =
        closed("A Toolgate policy: what a grant may do on an MCP server.", document(), &["version", "default"]);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$id".to_owned(), json!(ID));
        members.insert("title".to_owned(), json!("Toolgate policy, version 1"));
        members.insert("$defs".to_owned(), Value::Object(defs));
    }
    schema
}

/// An object with these properties and no others.
fn closed(description: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({
        "type": "object", "description": description, "properties": properties, "additionalProperties": false
    });
    if let Some(members) = schema.as_object_mut()
        && !required.is_empty()
    {
        members.insert("required".to_owned(), json!(required));
    }
    schema
}

fn array(items: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/$defs/{items}") } })
}

fn document() -> Value {
    let mut classes = Map::new();
    for class in Class::ALL {
        let entry = if class == Class::Unclassified { "entry" } else { "class_entry" };
        classes.insert(class.as_str().to_owned(), json!({ "$ref": format!("#/$defs/{entry}") }));
    }
    json!({
        "$schema": { "type": "string", "description": "For editors." },
        "version": { "const": "1", "description": "The version of the language." },
        "default": { "enum": ["allow", "deny"], "description": "The fate of a tool that nothing in `tools` names and no class opens." },
        "description": { "$ref": "#/$defs/text" },
        "timezone": { "type": "string", "description": "Zone of `time.*` and calendar windows, as in the IANA database. Default UTC." },
        "mode": { "enum": ["enforce", "observe"], "description": "`observe`: the whole document only says what it would do." },
        "servers": {
            "type": "array", "minItems": 1, "maxItems": 64, "uniqueItems": true,
            "items": { "type": "string", "pattern": "^[a-z0-9-]{1,40}$" },
            "description": "The servers that a policy for a stack spans: its patterns are `<server>__<tool>` and `mcp+<server>+<uri>`."
        },
        "hide": { "type": "array", "items": { "$ref": "#/$defs/pattern" }, "description": "Tools that do not exist for this grant." },
        "all_tools": { "$ref": "#/$defs/entry", "description": "Rules for every call." },
        "classes": closed("Rules by risk class of the tool.", Value::Object(classes), &[]),
        "tools": {
            "type": "object",
            "description": "Rules by tool pattern. Under `default: deny`, naming a tool with `{}` allows it.",
            "propertyNames": { "allOf": [ { "$ref": "#/$defs/pattern" }, { "pattern": "[^*?]" } ] },
            "additionalProperties": { "$ref": "#/$defs/entry" }
        },
        "resources": { "$ref": "#/$defs/access" },
        "prompts": { "$ref": "#/$defs/access" },
        "methods": { "$ref": "#/$defs/access" },
        "results": { "$ref": "#/$defs/results" },
        "lists": {
            "type": "object", "additionalProperties": { "type": "array" },
            "description": "Named arrays, used as `{ \"list\": \"name\" }` in place of a value."
        },
        "tests": array("test")
    })
}

fn window() -> Value {
    json!({
        "description": "A calendar window, or a number of rolling seconds.",
        "anyOf": [
            { "enum": ["second", "minute", "hour", "day", "week", "month"] },
            { "type": "integer", "minimum": 1, "maximum": 2_678_400 }
        ]
    })
}

fn limit() -> Value {
    let scopes = Scope::ALL.map(Scope::as_str);
    let common = json!({
        "counter": { "$ref": "#/$defs/name", "description": "The name of the count." },
        "window": { "$ref": "#/$defs/window" },
        "max": { "$ref": "#/$defs/amount" },
        "scope": {
            "description": "Whose use is counted together. Default `grant`.",
            "anyOf": [
                { "enum": scopes },
                { "type": "array", "items": { "enum": scopes }, "minItems": 1, "uniqueItems": true }
            ]
        },
        "amount": {
            "allOf": [ { "$ref": "#/$defs/path" }, { "pattern": "^args[.\\[]" }, { "not": { "pattern": "\\[\\*\\]" } } ],
            "description": "The argument whose exact value is added."
        },
        "kind": { "enum": ["quota", "concurrency"] },
        "count": { "enum": ["forwarded", "attempts"] },
        "refund": { "enum": ["not_sent", "never", "on_error"] },
        "on_store_down": { "enum": ["deny", "allow"] },
        "on_deny": { "$ref": "#/$defs/text", "description": "Text for the agent when the limit is full." }
    });
    let mut limit = closed("A quota, or a number of calls in flight.", common, &["counter", "max"]);
    if let Some(members) = limit.as_object_mut() {
        members.insert(
            "if".to_owned(),
            json!({ "properties": { "kind": { "const": "concurrency" } }, "required": ["kind"] }),
        );
        members.insert(
            "then".to_owned(),
            json!({ "properties": {
            "window": false, "amount": false, "refund": false, "count": false, "max": { "type": "integer" }
        } }),
        );
        members.insert("else".to_owned(), json!({ "required": ["window"] }));
    }
    limit
}

fn approval() -> Value {
    let duration = json!({ "type": "string", "pattern": "^[1-9][0-9]{0,8}[smhd]$" });
    closed(
        "How a held call is approved.",
        json!({
            "approvers": { "type": "array", "items": { "type": "string", "pattern": "^(role:(approver|policy_manager|admin)|(member|group):.+)$" } },
            "quorum": { "type": "integer", "minimum": 1, "maximum": 100 },
            "uses": { "type": "integer", "minimum": 1, "maximum": 1_000_000 },
            "expires_in": duration,
            "redeem_within": duration,
            "on_expiry": { "const": "deny" },
            "max_pending": { "type": "integer", "minimum": 1, "maximum": 1_000_000 }
        }),
        &[],
    )
}

/// The rules of an entry; those of a class that somebody can know may also open it.
fn entry(opens: Option<Value>) -> Value {
    let (whose, mut fields) = (
        if opens.is_some() { "Rules of a class." } else { "Rules of a tool or all tools, or of what is unclassified." },
        json!({
            "action": { "enum": ["allow", "deny", "hide", "require_approval"], "description": "`allow` means no objection." },
            "reason": { "$ref": "#/$defs/text", "description": "Text for the agent when `action` stops the call." },
            "visible": { "type": "boolean", "description": "Beside `action: deny`: keep the tool listed." },
            "require": array("clause"),
            "deny_if": array("clause"),
            "require_approval_if": array("approval_clause"),
            "limits": array("limit"),
            "rate_limit": { "$ref": "#/$defs/rate_limit" },
            "approval": { "$ref": "#/$defs/approval" },
            "schema": { "enum": ["check", "closed", "off"], "description": "How arguments are held against the input schema." },
            "mode": { "enum": ["enforce", "observe"] },
            "valid_until": { "$ref": "#/$defs/time" }
        }),
    );
    if let (Some(opens), Some(members)) = (opens, fields.as_object_mut()) {
        members.insert("opens".to_owned(), opens);
    }
    closed(whose, fields, &[])
}

fn access() -> Value {
    closed(
        "Names that are hidden, denied or allowed, tried in that order.",
        json!({
            "hide": array("pattern"),
            "deny": array("pattern"),
            "allow": array("pattern"),
            "default": { "enum": ["allow", "deny"], "description": "Otherwise. Default: the document's." }
        }),
        &[],
    )
}

fn results() -> Value {
    let detectors = Detector::ALL.map(Detector::as_str);
    let taken: Vec<&str> = detectors.into_iter().chain(crate::results::names()).collect();
    let own = closed(
        "A pattern of the policy's own.",
        json!({
            "name": { "type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "not": { "enum": taken }, "description": "What the mark says." },
            "pattern": { "type": "string", "description": "A regular expression; its matches have a greatest length." }
        }),
        &["name", "pattern"],
    );
    closed(
        "What may come back.",
        json!({
            "max_bytes": {
                "type": "integer", "minimum": LEAST_CAP, "maximum": GREATEST_CAP,
                "description": "The largest result that the agent gets."
            },
            "redact": {
                "type": "array", "maxItems": MOST_ENTRIES, "uniqueItems": true,
                "items": { "anyOf": [ { "enum": detectors }, own ] },
                "description": "Secrets in whose place the agent reads a mark."
            },
            "strip_invisible": { "type": "boolean", "description": "Take out characters that nobody sees." }
        }),
        &[],
    )
}

fn test() -> Value {
    let classes = Class::ALL.map(Class::as_str);
    let grant = closed(
        "Who calls.",
        json!({
            "label": { "$ref": "#/$defs/text" },
            "owner": { "$ref": "#/$defs/text" },
            "agent": { "$ref": "#/$defs/text" },
            "tags": { "type": "object", "additionalProperties": { "type": "string" } }
        }),
        &[],
    );
    let given = closed(
        "The circumstances of a test.",
        json!({
            "time": { "$ref": "#/$defs/time" },
            "grant": { "anyOf": [ { "type": "string" }, grant ] },
            "client": { "type": "string" },
            "class": { "enum": classes },
            "used": { "type": "object", "additionalProperties": { "$ref": "#/$defs/amount" } }
        }),
        &[],
    );
    closed(
        "A call with the outcome that it must have.",
        json!({
            "name": { "$ref": "#/$defs/text" },
            "call": { "$ref": "#/$defs/name", "description": "The tool." },
            "args": { "type": "object" },
            "given": given,
            "repeat": { "type": "integer", "minimum": 1, "maximum": 100_000, "description": "How often; the last call is judged." },
            "expect": { "enum": ["allow", "deny", "hide", "limit", "approval"] },
            "rule": { "$ref": "#/$defs/text", "description": "The readable id of the rule that must decide." }
        }),
        &["call", "expect"],
    )
}
