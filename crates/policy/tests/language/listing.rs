//! Which tools are listed.

use std::collections::BTreeMap;

use policy::{Class, GrantFacts};

use crate::asking::{document, of_class, policy, tool, with_schema};

#[test]
fn listed_is_what_is_not_already_denied() {
    let always = r#"[ { "conditions": [] } ]"#;
    let reads = r#"[ { "conditions": [ { "path": "args.a", "op": "eq", "value": 1 } ] } ]"#;
    let late = r#"[ { "conditions": [ { "path": "time.hour", "op": "gte", "value": 0 } ] } ]"#;
    let named = r#"[ { "conditions": [ { "path": "tool.name", "op": "eq", "value": "x" } ] } ]"#;
    let label = r#"[ { "conditions": [ { "path": "grant.label", "op": "eq", "value": "local" } ] } ]"#;
    let either = r#"[ { "conditions": [ { "any_of": [ { "path": "args.a", "op": "eq", "value": 1 },
                                                   { "path": "grant.label", "op": "eq", "value": "local" } ] } ] } ]"#;
    let both = r#"[ { "conditions": [ { "path": "args.a", "op": "eq", "value": 1 },
                                      { "path": "grant.label", "op": "neq", "value": "local" } ] } ]"#;
    let no_owner = r#"[ { "conditions": [ { "path": "grant.owner", "op": "eq", "value": "ada" } ] } ]"#;
    for (default, fields, expected) in [
        ("deny", "".to_owned(), false),
        ("allow", "".to_owned(), true),
        ("deny", r#""tools": { "x": {} }"#.to_owned(), true),
        ("deny", r#""tools": { "x": { "valid_until": "2000-01-01T00:00:00Z" } }"#.to_owned(), true),
        ("deny", r#""hide": ["x"], "tools": { "x": {} }"#.to_owned(), false),
        ("allow", r#""tools": { "x": { "action": "hide" } }"#.to_owned(), false),
        ("allow", r#""tools": { "x": { "action": "deny" } }"#.to_owned(), false),
        ("allow", r#""tools": { "x": { "action": "deny", "visible": true } }"#.to_owned(), true),
        (
            "allow",
            r#""tools": { "x": { "action": "deny", "visible": true }, "*x": { "action": "deny" } }"#.to_owned(),
            false,
        ),
        ("allow", r#""tools": { "x": { "action": "require_approval" } }"#.to_owned(), true),
        ("allow", r#""tools": { "x": { "rate_limit": { "max": 0, "window": 60 } } }"#.to_owned(), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {always} }}"#), false),
        ("allow", format!(r#""all_tools": {{ "require": {always} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {reads} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "require": {reads} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {late} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {named} }}"#), false),
        ("allow", format!(r#""all_tools": {{ "require": {named} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {label} }}"#), false),
        ("allow", format!(r#""all_tools": {{ "require_approval_if": {label} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {either} }}"#), false),
        ("allow", format!(r#""all_tools": {{ "require": {both} }}"#), false),
        ("allow", format!(r#""all_tools": {{ "deny_if": {both} }}"#), true),
        ("allow", format!(r#""all_tools": {{ "deny_if": {no_owner} }}"#), false),
        ("allow", r#""mode": "observe", "hide": ["*"], "all_tools": { "action": "deny" }"#.to_owned(), true),
        ("deny", r#""mode": "observe""#.to_owned(), true),
        ("deny", r#""tools": { "x": { "mode": "observe", "action": "hide" } }"#.to_owned(), true),
    ] {
        let text = document(default, &fields);
        let rules = policy(&text).for_tool(&tool("x"));
        assert_eq!(rules.listed(&GrantFacts::labelled("local")), expected, "{text}");
    }
}

#[test]
fn lists_are_private_to_the_grant() {
    let text = document(
        "allow",
        r#""classes": { "destructive": { "require": [ { "conditions": [
            { "path": "grant.tags.team", "op": "eq", "value": "ops", "missing": false } ] } ] } }"#,
    );
    let rules = policy(&text).for_tool(&of_class("drop", Class::Destructive));
    let mut grant = GrantFacts::labelled("a");
    assert!(!rules.listed(&grant));
    grant.tags = BTreeMap::from([("team".to_owned(), "ops".to_owned())]);
    assert!(rules.listed(&grant));
}

#[test]
fn held_tools_are_not_listed() {
    let policy = policy(&document("allow", ""));
    let grant = GrantFacts::labelled("local");
    assert!(!policy.for_tool(&tool("a*")).listed(&grant));
    assert!(!policy.for_tool(&with_schema("a", r#"{ "type": 7 }"#)).listed(&grant));
}
