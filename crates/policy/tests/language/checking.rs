//! Findings that need the tools of the server.

use policy::lint::Known;
use policy::{Class, ToolFacts};

use crate::asking::{document, of_class, policy, tool, with_schema};

fn found(text: &str, tools: &[ToolFacts<'_>]) -> Vec<String> {
    let known = Known { tools: Some(tools), now: Some(crate::asking::noon()) };
    policy(text).check(&known).iter().map(|found| format!("{} {}", found.code, found.message)).collect()
}

const SCHEMA: &str = r##"{ "type": "object", "required": ["to"], "properties": {
    "to": { "type": "string" }, "copy": { "type": "string" },
    "items": { "type": "array", "items": { "type": "object", "properties": { "count": {} }, "required": ["count"] } },
    "any": { "$ref": "#/$defs/x" } } }"##;

#[test]
fn paths_and_absence() {
    let test = |path: &str, more: &str| {
        let clause = format!(r#"{{ "conditions": [ {{ "path": "{path}", "op": "eq", "value": 1 {more} }} ] }}"#);
        document("deny", &format!(r#""tools": {{ "send": {{ "require": [ {clause} ] }} }}"#))
    };
    let optional = |path: &str| vec![format!("P1009 `{path}` is optional in `send`, and a call without it is denied")];
    let lacks = |path: &str| vec![format!("P1003 `{path}` is not in the input schema of `send`")];
    for (path, more, expected) in [
        ("args.to", "", vec![]),
        ("args.copy", "", optional("args.copy")),
        ("args.copy", r#", "missing": false"#, vec![]),
        ("args.cpoy", "", lacks("args.cpoy")),
        ("args.items[*].count", "", optional("args.items[*].count")),
        ("args.items[*].size", "", lacks("args.items[*].size")),
        ("args.items[0].count", r#", "missing": true"#, vec![]),
        ("args.any.thing", "", vec![]),
        ("grant.label", "", vec![]),
    ] {
        let text = test(path, more);
        // A label is no number.
        let text = if path == "grant.label" { text.replace("\"value\": 1", "\"value\": \"a\"") } else { text };
        assert_eq!(found(&text, &[with_schema("send", SCHEMA)]), expected, "{path} {more}");
    }
    let each = document(
        "deny",
        r#""tools": { "send": { "require": [ { "conditions": [ { "each": "args.items", "conditions": [
            { "path": "item.size", "op": "eq", "value": 1 } ] } ] } ] } }"#,
    );
    assert_eq!(found(&each, &[with_schema("send", SCHEMA)]), lacks("item.size"));
}

#[test]
fn tools_and_patterns_without_a_partner() {
    let text = document("deny", r#""hide": ["gone_*"], "tools": { "send": {}, "sned_all": {} }"#);
    let found = found(&text, &[tool("send"), tool("send_all"), tool("other")]);
    assert_eq!(
        found,
        [
            "P1004 2 tools are named by no rule, and therefore denied",
            "P1005 no tool of the server matches `gone_*`",
            "P1005 no tool of the server matches `sned_all`",
        ]
    );
}

#[test]
fn tools_that_their_class_opens_have_a_rule() {
    let tools =
        [of_class("see", Class::Read), of_class("put", Class::Write), tool("other"), of_class("get", Class::Read)];
    let tools = tools.map(|facts| ToolFacts { class_accepted: facts.name != "get", ..facts });
    let count = |default| found(&document(default, r#""classes": { "read": { "opens": true } }"#), &tools);
    assert_eq!(count("deny"), ["P1004 2 tools are named by no rule, and therefore denied"]);
    assert_eq!(count("allow"), ["P1004 4 tools are named by no rule, and therefore allowed"]);
}

#[test]
fn refunds_endings_and_undeclared_arguments() {
    let refund = document(
        "deny",
        r#""tools": { "pay": { "limits": [ { "counter": "c", "window": "day", "max": 1, "refund": "on_error" } ] } }"#,
    );
    assert_eq!(
        found(&refund, &[of_class("pay", Class::Financial)]),
        ["P1008 a call that failed may have acted before it did, and is given back"]
    );
    assert_eq!(found(&refund, &[of_class("pay", Class::Read)]), Vec::<String>::new());
    let ended = document("deny", r#""tools": { "pay": { "valid_until": "2026-01-01T00:00:00Z" } }"#);
    assert_eq!(found(&ended, &[tool("pay")]), ["P1014 `pay` has ended"]);
    let open = document(
        "deny",
        r#""tools": { "pay": { "limits": [ { "counter": "c", "window": "day", "max": 1, "amount": "args.n" } ] } }"#,
    );
    assert_eq!(
        found(&open, &[with_schema("pay", r#"{ "type": "object" }"#)]),
        ["P1010 `pay` declares no arguments, so undeclared ones pass beside those that are judged"]
    );
}

#[test]
fn names_of_a_stack_in_a_policy_for_one_server() {
    let alone = |name: &str| format!("P1015 `{name}` is how a stack names things, and this policy names no servers");
    let text = document(
        "deny",
        r#""hide": ["mail__*", "*__delete_*"], "tools": { "files__read": {}, "own__name": {}, "__init": {} }"#,
    );
    let all = found(&text, &[tool("own__name"), tool("__init"), tool("read")]);
    let said: Vec<_> = all.iter().filter(|found| found.starts_with("P1015")).collect();
    assert_eq!(said, [&alone("mail__*"), &alone("*__delete_*"), &alone("files__read")], "{all:?}");
    let spanning = document("deny", r#""servers": ["files"], "tools": { "files__read": {} }"#);
    assert_eq!(found(&spanning, &[ToolFacts { server: "files", ..tool("read") }]), Vec::<String>::new());
    let resources = document("deny", r#""resources": { "allow": ["mcp+docs+file:*", "file:*"] }"#);
    let loaded = policy::load(&resources, policy::Load::default());
    let said: Vec<_> = loaded.diagnostics.iter().map(|found| format!("{} {}", found.code, found.message)).collect();
    assert_eq!(said, [alone("mcp+docs+file:*")]);
}

#[test]
fn what_cannot_be_read_is_not_said_to_have_no_effect() {
    for text in [
        r#""results": { "redact": ["aws_kye"] }"#,
        r#""tools": { "x": { "action": "dney", "visible": true, "reason": "r" } }"#,
    ] {
        let loaded = policy::load(&document("deny", text), policy::Load::default());
        assert!(loaded.policy.is_none());
        assert!(loaded.diagnostics.iter().all(policy::Diagnostic::is_error), "{:?}", loaded.diagnostics);
    }
}
