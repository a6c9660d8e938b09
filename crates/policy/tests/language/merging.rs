//! Every entry that matches applies; of single values the strictest wins.

use policy::Class;

use crate::asking::{ask, decide, document, of_class, policy, said, tool, with_schema};

#[test]
fn of_actions_the_strictest_wins() {
    // What two entries say, and what becomes of the call.
    for (one, other, expected) in [
        ("allow", "allow", "allow /tools/send_mail"),
        ("allow", "require_approval", "ask /tools/send_*/action"),
        ("require_approval", "allow", "ask /tools/send_mail/action"),
        ("require_approval", "deny", "deny /tools/send_*/action"),
        ("deny", "require_approval", "deny /tools/send_mail/action"),
        ("deny", "allow", "deny /tools/send_mail/action"),
        ("deny", "hide", "hide (hidden)"),
        ("hide", "allow", "hide (hidden)"),
        ("deny", "deny", "deny /tools/send_mail/action"),
    ] {
        for default in ["allow", "deny"] {
            let exact = format!(r#""send_mail": {{ "action": "{one}" }}"#);
            let glob = format!(r#""send_*": {{ "action": "{other}" }}"#);
            for order in [format!("{exact}, {glob}"), format!("{glob}, {exact}")] {
                let text = document(default, &format!(r#""tools": {{ {order} }}"#));
                assert_eq!(ask(&text, &tool("send_mail"), "{}"), expected, "{text}");
            }
        }
    }
}

#[test]
fn sections_add_up() {
    let text = document(
        "deny",
        r#""tools": { "pay": { "limits": [ { "counter": "t", "window": "day", "max": 1 } ] },
                      "p*": { "limits": [ { "counter": "g", "window": "day", "max": 1 } ] } },
           "classes": { "financial": { "limits": [ { "counter": "c", "window": "day", "max": 1 } ] },
                        "read": { "limits": [ { "counter": "r", "window": "day", "max": 1 } ] } },
           "all_tools": { "limits": [ { "counter": "a", "window": "day", "max": 1 } ], "rate_limit": { "max": 3, "window": 60 } }"#,
    );
    let policy = policy(&text);
    let counters = |class| -> Vec<String> {
        let decision = decide(&policy.for_tool(&of_class("pay", class)), "{}");
        assert!(decision.is_allowed());
        decision.limits.iter().map(|taken| taken.limit.counter.clone()).collect()
    };
    assert_eq!(counters(Class::Financial), ["t", "g", "c", "a", "/all_tools/rate_limit"]);
    assert_eq!(counters(Class::Write), ["t", "g", "a", "/all_tools/rate_limit"]);
    // Nobody said what it is, so it could be anything.
    assert_eq!(counters(Class::Unclassified), ["t", "g", "r", "c", "a", "/all_tools/rate_limit"]);
}

#[test]
fn an_unclassified_tool_is_under_every_class_unless_there_is_one_for_it() {
    let every = r#""classes": { "destructive": { "action": "deny" }, "financial": { "action": "require_approval" } }"#;
    let own = r#""classes": { "destructive": { "action": "deny" }, "unclassified": {} }"#;
    for (fields, class, expected) in [
        (every, Class::Unclassified, "deny /classes/destructive/action"),
        (every, Class::Destructive, "deny /classes/destructive/action"),
        (every, Class::Financial, "ask /classes/financial/action"),
        (every, Class::Read, "allow /default"),
        (own, Class::Unclassified, "allow /default"),
        (own, Class::Destructive, "deny /classes/destructive/action"),
    ] {
        assert_eq!(ask(&document("allow", fields), &of_class("x", class), "{}"), expected, "{fields} {class}");
    }
}

#[test]
fn a_class_opens_nothing_by_itself() {
    let text = document("deny", r#""classes": { "read": { "action": "allow" } }, "all_tools": { "action": "allow" }"#);
    assert_eq!(ask(&text, &of_class("x", Class::Read), "{}"), "deny (default deny)");
}

const SCHEMA: &str = r#"{ "type": "object", "properties": { "a": { "type": "number" } }, "required": ["a"] }"#;
const OPEN: &str = r#"{ "type": "object", "properties": { "a": { "type": "number" } }, "additionalProperties": true }"#;
const BARE: &str = r#"{ "type": "object" }"#;

#[test]
fn schema_modes() {
    let fine = r#"{"a": 1}"#;
    let more = r#"{"a": 1, "b": 2}"#;
    let wrong = r#"{"a": "1"}"#;
    let rule = r#""require": [ { "conditions": [ { "path": "args.a", "op": "gt", "value": 0 } ] } ]"#;
    let amount = r#""limits": [ { "counter": "c", "window": "day", "max": 9, "amount": "args.a" } ]"#;
    let elsewhere = r#""deny_if": [ { "conditions": [ { "path": "grant.label", "op": "eq", "value": "x" } ] } ]"#;
    let no = "deny (arguments do not match the schema)";
    let yes = "allow /tools/x";
    for (schema, entries, arguments, expected) in [
        // Without a rule that reads arguments: `check`.
        (SCHEMA, r#""x": {}"#.to_owned(), fine, yes),
        (SCHEMA, r#""x": {}"#.to_owned(), more, yes),
        (SCHEMA, r#""x": {}"#.to_owned(), wrong, no),
        (SCHEMA, format!(r#""x": {{ {elsewhere} }}"#), more, yes),
        // With one: `closed`, where the schema declares properties.
        (SCHEMA, format!(r#""x": {{ {rule} }}"#), fine, yes),
        (SCHEMA, format!(r#""x": {{ {rule} }}"#), more, no),
        (SCHEMA, format!(r#""x": {{ {amount} }}"#), more, no),
        (OPEN, format!(r#""x": {{ {rule} }}"#), more, yes),
        (BARE, format!(r#""x": {{ {rule} }}"#), more, yes),
        // Said by the entries: the strictest of those that say it.
        (SCHEMA, format!(r#""x": {{ {rule}, "schema": "check" }}"#), more, yes),
        (SCHEMA, r#""x": { "schema": "closed" }"#.to_owned(), more, no),
        (SCHEMA, r#""x": { "schema": "off" }"#.to_owned(), wrong, yes),
        (SCHEMA, r#""x": { "schema": "off" }, "x*": {}"#.to_owned(), wrong, yes),
        (SCHEMA, r#""x": { "schema": "off" }, "x*": { "schema": "check" }"#.to_owned(), wrong, no),
        (SCHEMA, r#""x": { "schema": "off" }, "x*": { "schema": "check" }"#.to_owned(), more, yes),
        (SCHEMA, r#""x": { "schema": "check" }, "x*": { "schema": "closed" }"#.to_owned(), more, no),
        // An observed entry loosens nothing.
        (SCHEMA, r#""x": { "schema": "off", "mode": "observe" }"#.to_owned(), wrong, no),
        (SCHEMA, format!(r#""x": {{ {rule}, "mode": "observe" }}"#), more, yes),
    ] {
        let text = document("deny", &format!(r#""tools": {{ {entries} }}"#));
        assert_eq!(ask(&text, &with_schema("x", schema), arguments), expected, "{text} {arguments}");
    }
}

#[test]
fn schema_off_ends_with_its_entry() {
    let text = document("allow", r#""tools": { "x": { "schema": "off", "valid_until": "2026-01-05T12:00:00Z" } }"#);
    let rules = policy(&text).for_tool(&with_schema("x", SCHEMA));
    let at = |time: &str| said(&crate::asking::decide_at(&rules, "{}", time.parse().unwrap()));
    assert_eq!(at("2026-01-05T11:59:59Z"), "allow /tools/x");
    assert_eq!(at("2026-01-05T12:00:00Z"), "deny (arguments do not match the schema)");
}

#[test]
fn a_permission_lapses_and_a_restriction_stays() {
    let fields = r#""tools": {
        "x": { "valid_until": "2026-01-05T12:00:00Z" },
        "x*": { "valid_until": "2026-01-01T00:00:00Z", "rate_limit": { "max": 1, "window": 60 } },
        "y": { "valid_until": "2026-01-01T00:00:00Z", "action": "deny" } }"#;
    let (deny, allow) = (policy(&document("deny", fields)), policy(&document("allow", fields)));
    let at = |policy: &policy::Policy, name: &str, time: &str| {
        let rules = policy.for_tool(&tool(name));
        let decision = crate::asking::decide_at(&rules, "{}", time.parse().unwrap());
        format!("{} {}", said(&decision), decision.limits.len())
    };
    assert_eq!(at(&deny, "x", "2026-01-05T11:59:59Z"), "allow /tools/x 1");
    assert_eq!(at(&deny, "x", "2026-01-05T12:00:00Z"), "deny (default deny) 0");
    assert_eq!(at(&allow, "x", "2026-01-05T12:00:00Z"), "allow /default 1");
    assert_eq!(at(&allow, "y", "2026-01-05T12:00:00Z"), "deny /tools/y/action 0");
    assert_eq!(at(&deny, "y", "2025-12-31T00:00:00Z"), "deny /tools/y/action 0");
}
