//! Observed rules have no say, and what they would have done is told.

use crate::asking::{decide, document, policy, said, tool, with_schema};

fn ask(text: &str, facts: &policy::ToolFacts<'_>, arguments: &str) -> (String, Vec<String>) {
    let decision = decide(&policy(text).for_tool(facts), arguments);
    let would = decision.would.iter().map(|would| format!("{} {}", would.effect, would.rule)).collect();
    (said(&decision), would)
}

#[test]
fn observed_entries() {
    let clause = r#"[ { "id": "c", "conditions": [ { "path": "args.a", "op": "gt", "value": 5 } ] } ]"#;
    for (default, entry, arguments, expected, would) in [
        ("allow", r#""action": "deny""#.to_owned(), "{}", "allow /tools/x", &["deny /tools/x/action"][..]),
        ("allow", r#""action": "hide""#.to_owned(), "{}", "allow /tools/x", &["hide (hidden)"]),
        ("allow", r#""action": "require_approval""#.to_owned(), "{}", "allow /tools/x", &["ask /tools/x/action"]),
        // Naming a tool still opens it.
        ("deny", r#""action": "deny""#.to_owned(), "{}", "allow /tools/x", &["deny /tools/x/action"]),
        ("deny", format!(r#""deny_if": {clause}"#), r#"{"a": 6}"#, "allow /tools/x", &["deny /tools/x/deny_if/c"]),
        ("deny", format!(r#""deny_if": {clause}"#), r#"{"a": 5}"#, "allow /tools/x", &[]),
        ("deny", format!(r#""deny_if": {clause}"#), "{}", "allow /tools/x", &["deny /tools/x/deny_if/c"]),
        ("deny", format!(r#""require": {clause}"#), r#"{"a": 5}"#, "allow /tools/x", &["deny /tools/x/require/c"]),
        (
            "deny",
            format!(r#""require_approval_if": {clause}"#),
            r#"{"a": 6}"#,
            "allow /tools/x",
            &["ask /tools/x/require_approval_if/c"],
        ),
        // Never observed.
        ("deny", format!(r#""deny_if": {clause}"#), r#"{"A": 6}"#, "deny (ambiguous arguments)", &[]),
    ] {
        let text = document(default, &format!(r#""tools": {{ "x": {{ "mode": "observe", {entry} }} }}"#));
        let (got, got_would) = ask(&text, &tool("x"), arguments);
        assert_eq!(
            (got.as_str(), got_would),
            (expected, would.iter().map(|&w| w.to_owned()).collect()),
            "{text} {arguments}"
        );
    }
}

#[test]
fn enforced_rules_decide_as_if_observed_ones_were_absent() {
    let text = document(
        "deny",
        r#""tools": { "x": { "action": "require_approval" }, "x*": { "mode": "observe", "action": "deny" } }"#,
    );
    assert_eq!(
        ask(&text, &tool("x"), "{}"),
        ("ask /tools/x/action".to_owned(), vec!["deny /tools/x*/action".to_owned()])
    );
}

#[test]
fn observed_limits_are_shadow_counts() {
    let text = document(
        "deny",
        r#""tools": { "x": { "mode": "observe", "rate_limit": { "max": 1, "window": 60 } },
                      "x*": { "limits": [ { "counter": "c", "window": "day", "max": 1 } ] } }"#,
    );
    let decision = decide(&policy(&text).for_tool(&tool("x")), "{}");
    let limits: Vec<_> =
        decision.limits.iter().map(|taken| (taken.limit.rule.rule.as_str(), taken.limit.observed)).collect();
    assert_eq!(limits, [("/tools/x/rate_limit", true), ("/tools/x*/limits/c", false)]);
}

#[test]
fn an_observed_amount_that_cannot_be_counted_stops_nothing() {
    let text = document(
        "deny",
        r#""tools": { "x": { "mode": "observe", "limits": [ { "counter": "c", "window": "day", "max": 1, "amount": "args.n" } ] } }"#,
    );
    assert_eq!(ask(&text, &tool("x"), "{}"), ("allow /tools/x".to_owned(), vec!["deny /tools/x/limits/c".to_owned()]));
}

#[test]
fn an_observed_schema_mode_stops_nothing() {
    let schema = r#"{ "type": "object", "properties": { "a": {} } }"#;
    let text = document("deny", r#""tools": { "x": { "mode": "observe", "schema": "closed" } }"#);
    let expected = ("allow /tools/x".to_owned(), vec!["deny (arguments do not match the schema)".to_owned()]);
    assert_eq!(ask(&text, &with_schema("x", schema), r#"{"b": 1}"#), expected);
}

#[test]
fn a_wholly_observed_document_stops_nothing() {
    let text = document(
        "deny",
        r#""mode": "observe", "hide": ["h*"], "all_tools": { "rate_limit": { "max": 1, "window": 60 } },
           "tools": { "d": { "action": "deny" } },
           "resources": { "hide": ["secret:*"] }, "methods": { "deny": ["completion/*"] }"#,
    );
    let policy = policy(&text);
    assert!(policy.is_observe());
    for (name, expected, would) in [
        ("h", "allow /default", &["hide (hidden)", "deny (default deny)"][..]),
        ("other", "allow /default", &["deny (default deny)"]),
        ("d", "allow /tools/d", &["deny /tools/d/action"]),
    ] {
        assert_eq!(ask(&text, &tool(name), "{}"), (expected.to_owned(), would.iter().map(|&w| w.to_owned()).collect()));
    }
    assert!(policy.resource("secret:x").is_allowed());
    assert!(policy.prompt("any").is_allowed());
    assert!(policy.method("completion/complete").is_allowed());
    assert!(policy.logging_allowed());
    // An observed document keeps a server working as before; it opens nothing that was never open.
    assert!(!policy.method("sampling/createMessage").is_allowed());
    assert!(!policy.resource("file:///a/../b").is_allowed());
}
