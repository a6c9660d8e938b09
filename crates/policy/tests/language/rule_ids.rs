//! Names of rules.

use policy::RuleId;

use crate::asking::{decide, document, policy, tool};

#[test]
fn names_and_pointers() {
    let leaf = r#"{ "path": "args.amount", "op": "gt", "value": 1 }"#;
    let text = document(
        "deny",
        &format!(
            r#""hide": ["a", "b*"],
            "tools": {{
              "create_charge": {{ "deny_if": [
                 {{ "conditions": [ {leaf} ] }},
                 {{ "conditions": [ {leaf}, {{ "path": "args.b", "op": "eq", "value": 1 }} ] }},
                 {{ "conditions": [ {{ "not": {{ "any_of": [ {{ "each": "args.items", "conditions": [ {{ "path": "item.n", "op": "lt", "value": 2 }} ] }} ] }} }} ] }},
                 {{ "id": "cap/large~", "conditions": [ {leaf} ] }},
                 {{ "conditions": [] }}, {{ "conditions": [] }},
                 {{ "conditions": [ {{ "path": "args[\"a/b\"]", "op": "exists", "value": true }} ] }} ],
                "limits": [ {{ "counter": "c", "window": "day", "max": 1 }}, {{ "counter": "c", "window": "hour", "max": 1 }} ],
                "rate_limit": {{ "max": 1, "window": 60 }} }},
              "files/~*": {{ "action": "deny" }} }}"#
        ),
    );
    let policy = policy(&text);
    let named: Vec<(String, String)> = policy
        .for_tool(&tool("create_charge"))
        .explain(&policy::Call {
            arguments: Some(r#"{"amount": 1}"#),
            grant: &policy::GrantFacts::labelled("local"),
            session: None,
            client_ip: None,
            now: crate::asking::noon(),
        })
        .steps
        .into_iter()
        .filter_map(|step| step.rule)
        .map(|rule| (rule.rule, rule.pointer))
        .filter(|(rule, _)| rule.starts_with("/tools/create_charge/"))
        .collect();
    let expected = [
        ("/deny_if/args.amount-gt", "/deny_if/0"),
        ("/deny_if/args.amount-gt~2", "/deny_if/1"),
        ("/deny_if/item.n-lt", "/deny_if/2"),
        ("/deny_if/cap~1large~0", "/deny_if/3"),
        ("/deny_if/always", "/deny_if/4"),
        ("/deny_if/always~2", "/deny_if/5"),
        ("/deny_if/args[\"a~1b\"]-exists", "/deny_if/6"),
        ("/limits/c", "/limits/0"),
        ("/limits/c~2", "/limits/1"),
        ("/rate_limit", "/rate_limit"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(rule, pointer)| (format!("/tools/create_charge{rule}"), format!("/tools/create_charge{pointer}")))
        .collect();
    assert_eq!(named, expected);
    for (name, rule, pointer) in [
        ("a", "(hidden)", "/hide/0"),
        ("bb", "(hidden)", "/hide/1"),
        ("other", "(default deny)", "/default"),
        ("files/~1", "/tools/files~1~0*/action", "/tools/files~1~0*/action"),
    ] {
        let decision = decide(&policy.for_tool(&tool(name)), "{}");
        assert_eq!(*decision.rule, RuleId::new(pointer, rule), "{name}");
    }
}

/// Every pointer leads to what it names.
#[test]
fn pointers_lead_into_the_document() {
    let text = document(
        "allow",
        r#""hide": ["h"], "resources": { "deny": ["a:*"], "default": "deny" }, "methods": { "allow": ["roots/list"] },
           "classes": { "read": { "require": [ { "conditions": [ { "path": "args.a", "op": "eq", "value": 1 } ] } ], "schema": "closed" } },
           "tools": { "x/y": { "action": "deny" } }"#,
    );
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let policy = policy(&text);
    let mut pointers = vec![
        policy.resource("a:b").rule().pointer.clone(),
        policy.resource("b:b").rule().pointer.clone(),
        policy.method("roots/list").rule().pointer.clone(),
        policy.method("sampling/createMessage").rule().pointer.clone(),
        policy.prompt("p").rule().pointer.clone(),
    ];
    for name in ["h", "x/y", "z"] {
        pointers.push(decide(&policy.for_tool(&tool(name)), "{}").rule.pointer.clone());
    }
    for pointer in pointers {
        assert!(!pointer.is_empty() && value.pointer(&pointer).is_some(), "{pointer}");
    }
}
