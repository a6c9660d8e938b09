//! The order of evaluation.

use policy::{Class, Effect};

use crate::asking::{ask, decide, document, of_class, policy, said, tool, with_schema};

/// One policy with a rule at every step; each row removes what the step before decided by.
#[test]
fn each_step_comes_before_the_next() {
    let schema = r#"{ "type": "object", "properties": { "a": { "type": "number" }, "b": {}, "A": {} } }"#;
    let clause = |op: &str, value: &str| {
        format!(r#"{{ "conditions": [ {{ "path": "args.a", "op": "{op}", "value": {value} }} ] }}"#)
    };
    let (require, deny_if, approval) = (clause("lt", "100"), clause("gt", "50"), clause("gt", "20"));
    let entry = format!(
        r#""require": [ {require} ], "deny_if": [ {deny_if} ], "require_approval_if": [ {approval} ],
           "limits": [ {{ "counter": "spend", "window": "day", "max": 100, "amount": "args.a" }} ]"#
    );
    let all = format!(
        r#""hide": ["x_hidden"],
           "tools": {{ "x_*": {{ {entry} }}, "x_denied": {{ "action": "deny" }}, "x_asked": {{ "action": "require_approval" }} }}"#
    );
    let text = document("deny", &all);
    let big = r#"{"a": 200}"#;
    for (name, arguments, expected) in [
        ("x_hidden", big, "hide (hidden)"),
        ("y", big, "deny (default deny)"),
        ("x_denied", r#"{"a": "no", "a ": 1}"#, "deny /tools/x_denied/action"),
        ("x_", r#"{"a": "no", "a ": 1}"#, "deny (ambiguous arguments)"),
        ("x_", r#"{"a": "no"}"#, "deny (arguments do not match the schema)"),
        ("x_", r#"{"a": 200}"#, "deny /tools/x_*/require/args.a-lt"),
        ("x_", r#"{"a": 60}"#, "deny /tools/x_*/deny_if/args.a-gt"),
        ("x_", r#"{"a": -60}"#, "deny /tools/x_*/limits/spend"),
        ("x_", r#"{"a": 30}"#, "ask /tools/x_*/require_approval_if/args.a-gt"),
        ("x_asked", r#"{"a": 1}"#, "ask /tools/x_asked/action"),
        ("x_asked", r#"{"a": -1}"#, "deny /tools/x_*/limits/spend"),
        ("x_", r#"{"a": 10}"#, "allow /tools/x_*"),
    ] {
        let facts = with_schema(name, schema);
        assert_eq!(ask(&text, &facts, arguments), expected, "{name} {arguments}");
    }
}

#[test]
fn in_each_step_tools_then_classes_then_all_tools() {
    let clause = |id: &str| format!(r#"[ {{ "id": "{id}", "conditions": [] }} ]"#);
    let never = |id: &str| {
        format!(r#"[ {{ "id": "{id}", "conditions": [ {{ "path": "args.no", "op": "exists", "value": true }} ] }} ]"#)
    };
    let rules = [("require", never("r")), ("deny_if", clause("d"))];
    let section = |fields: &[usize]| -> String {
        fields
            .iter()
            .map(|&index| format!(r#""{}": {}"#, rules[index].0, rules[index].1))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (tools, classes, all, expected) in [
        (&[0, 1][..], &[0, 1][..], &[0, 1][..], "/tools/x/require/r"),
        (&[1], &[0, 1], &[0, 1], "/classes/read/require/r"),
        (&[1], &[1], &[0, 1], "/all_tools/require/r"),
        (&[1], &[1], &[1], "/tools/x/deny_if/d"),
        (&[], &[1], &[1], "/classes/read/deny_if/d"),
        (&[], &[], &[1], "/all_tools/deny_if/d"),
    ] {
        let text = document(
            "deny",
            &format!(
                r#""all_tools": {{ {} }}, "classes": {{ "read": {{ {} }} }}, "tools": {{ "x": {{ {} }} }}"#,
                section(all),
                section(classes),
                section(tools)
            ),
        );
        assert_eq!(ask(&text, &of_class("x", Class::Read), "{}"), format!("deny {expected}"), "{text}");
    }
}

#[test]
fn what_cannot_be_judged_is_denied() {
    let entry = |field: &str, condition: &str| {
        document("allow", &format!(r#""tools": {{ "x": {{ "{field}": [ {{ "conditions": [ {condition} ] }} ] }} }}"#))
    };
    let plain = r#"{ "path": "args.a", "op": "eq", "value": 1 }"#;
    let asking = r#"{ "path": "args.a", "op": "eq", "value": 1, "undecidable": "ask" }"#;
    let absent = r#"{ "path": "args.a", "op": "eq", "value": 1, "missing": false }"#;
    for (field, condition, arguments, expected) in [
        ("require", plain, "{}", Effect::Deny),
        ("deny_if", plain, "{}", Effect::Deny),
        ("require_approval_if", plain, "{}", Effect::Deny),
        ("require_approval_if", asking, "{}", Effect::Ask),
        ("require", plain, r#"{"a": "1"}"#, Effect::Deny),
        ("deny_if", plain, r#"{"a": "1"}"#, Effect::Deny),
        ("require_approval_if", plain, r#"{"a": "1"}"#, Effect::Deny),
        ("require_approval_if", asking, r#"{"a": "1"}"#, Effect::Ask),
        ("require", absent, "{}", Effect::Deny),
        ("deny_if", absent, "{}", Effect::Allow),
        ("require_approval_if", absent, "{}", Effect::Allow),
        ("require", plain, r#"{"a": 1}"#, Effect::Allow),
        ("deny_if", plain, r#"{"a": 1.0}"#, Effect::Deny),
        ("require_approval_if", plain, r#"{"a": 1e0}"#, Effect::Ask),
    ] {
        let text = entry(field, condition);
        let decision = decide(&policy(&text).for_tool(&tool("x")), arguments);
        assert_eq!(decision.effect, expected, "{field} {condition} {arguments}");
    }
}

#[test]
fn the_first_denial_wins_and_an_ask_waits_for_all_of_them() {
    let text = document(
        "allow",
        r#""tools": { "x": { "action": "require_approval",
             "require_approval_if": [ { "id": "u", "conditions": [ { "path": "args.n", "op": "gt", "value": 1 } ] } ] } }"#,
    );
    assert_eq!(ask(&text, &tool("x"), r#"{"n": 2}"#), "ask /tools/x/action");
    assert_eq!(ask(&text, &tool("x"), "{}"), "deny /tools/x/require_approval_if/u");
}

#[test]
fn tools_that_cannot_be_judged_are_held() {
    let text = document("allow", "");
    for name in ["a*b", "what?", "a\nb", "a\u{7f}"] {
        let rules = policy(&text).for_tool(&tool(name));
        assert!(rules.held().is_some(), "{name:?}");
        assert_eq!(said(&decide(&rules, "{}")), "deny (evaluation error)");
    }
    let broken = with_schema("x", r#"{ "type": 5 }"#);
    assert_eq!(ask(&text, &broken, "{}"), "deny (evaluation error)");
    let off = document("allow", r#""tools": { "x": { "schema": "off" } }"#);
    assert_eq!(ask(&off, &broken, "{}"), "allow /tools/x");
    // Never observed.
    let observed = document("allow", r#""mode": "observe""#);
    assert_eq!(ask(&observed, &broken, "{}"), "deny (evaluation error)");
    // The hidden stay hidden.
    assert_eq!(ask(&document("allow", r#""hide": ["*"]"#), &tool("a*b"), "{}"), "hide (hidden)");
}

#[test]
fn ambiguous_arguments_are_denied_whether_or_not_a_rule_reads_any() {
    let schema = r#"{ "type": "object", "properties": { "leadId": {}, "note": {} } }"#;
    let context = r#"[ { "conditions": [ { "path": "grant.label", "op": "eq", "value": "x" } ] } ]"#;
    let reading = r#"[ { "conditions": [ { "path": "args.b", "op": "exists", "value": true } ] } ]"#;
    let nothing = document("allow", "");
    let observed = document("deny", r#""mode": "observe""#);
    let elsewhere = document("allow", &format!(r#""all_tools": {{ "deny_if": {context} }}"#));
    let limited = document("allow", r#""all_tools": { "rate_limit": { "max": 1, "window": 60 } }"#);
    let reads = document("allow", &format!(r#""all_tools": {{ "deny_if": {reading} }}"#));
    let off = document("allow", r#""all_tools": { "schema": "off" }"#);
    let (bare, pinned) = (tool("x"), with_schema("x", schema));
    let (no, yes) = ("deny (ambiguous arguments)", "allow /default");
    for (arguments, expected) in [
        ("{}", yes),
        (r#"{"a": 1, "b_c": {"a": "A", "B": "A"}}"#, yes),
        (r#"{"leadID": 1, "lead": 2, "Due Date": [{"Due Date": 0}], "é": "É"}"#, yes),
        (r#" {"a": 1} "#, yes),
        (r#"{"a": 1, "A": 2}"#, no),
        (r#"{"leadId": 1, "leadID": 2}"#, no),
        (r#"{"a": 1, "a ": 2}"#, no),
        (r#"{"a": 1, "\u0041": 2}"#, no),
        (r#"{"a": "\"", "\u0061\u0000": 2}"#, no),
        (r#"{"deep": [1, {"x": {"key": 1, "\u212aey": 2}}]}"#, no),
        (r#"{"straße": 1, "STRASSE": 2}"#, no),
        // What the gateway refuses before.
        ("[]", "deny (evaluation error)"),
        (r#"{"a": 1, "a": 2, "A": 3}"#, "deny (evaluation error)"),
    ] {
        for text in [&nothing, &observed, &elsewhere, &limited, &off] {
            assert_eq!(ask(text, &bare, arguments), expected, "{text} {arguments}");
        }
    }
    for (text, facts, arguments, expected) in [
        (&reads, &bare, r#"{"a": 1}"#, yes),
        (&reads, &bare, r#"{"B": 1}"#, no),
        (&nothing, &bare, r#"{"B": 1}"#, yes),
        // A key that the pinned schema names, also where it is not held against it.
        (&nothing, &pinned, r#"{"NOTE": 1}"#, no),
        (&off, &pinned, r#"{"NOTE": 1}"#, no),
        (&off, &pinned, r#"{"leadid": 1}"#, no),
        (&off, &pinned, r#"{"leadId": 1, "note": 2, "other": 3}"#, yes),
        (&off, &bare, r#"{"leadid": 1}"#, yes),
    ] {
        assert_eq!(ask(text, facts, arguments), expected, "{text} {arguments}");
    }
}
