//! Resources, prompts and methods.

use policy::Access;

use crate::asking::{document, policy};

fn word(access: &Access) -> String {
    let effect = match access {
        Access::Allow { .. } => "allow",
        Access::Deny { .. } => "deny",
        Access::Hide { .. } => "hide",
    };
    format!("{effect} {}", access.rule())
}

#[test]
fn hide_then_deny_then_allow_then_the_default() {
    let fields = r#""resources": { "hide": ["secret:*"], "deny": ["*:private*"], "allow": ["file:*", "secret:*"], "default": "deny" },
                    "prompts": { "deny": ["x"] }"#;
    let policy = policy(&document("allow", fields));
    for (uri, expected) in [
        ("secret:private", "hide /resources/hide/secret:*"),
        ("file:private", "deny /resources/deny/*:private*"),
        ("file:public", "allow /resources/allow/file:*"),
        ("http://example.com/", "deny (default deny)"),
        ("file:///a/../b", "deny (ambiguous uri)"),
        ("secret:%", "deny (ambiguous uri)"),
    ] {
        assert_eq!(word(&policy.resource(uri)), expected, "{uri}");
    }
    assert_eq!(word(&policy.prompt("x")), "deny /prompts/deny/x");
    assert_eq!(word(&policy.prompt("y")), "allow /default");
}

#[test]
fn an_absent_section_follows_the_document() {
    for (default, expected) in [("allow", "allow /default"), ("deny", "deny (default deny)")] {
        let policy = policy(&document(default, ""));
        assert_eq!(word(&policy.resource("a:b")), expected);
        assert_eq!(word(&policy.prompt("a")), expected);
        assert_eq!(word(&policy.method("logging/setLevel")), expected);
        assert_eq!(policy.any_resource(), default == "allow");
        assert_eq!(policy.any_prompt(), default == "allow");
        assert_eq!(policy.logging_allowed(), default == "allow");
    }
}

#[test]
fn whether_anything_could_pass() {
    for (default, section, expected) in [
        ("allow", r#"{ "hide": ["*"] }"#, false),
        ("allow", r#"{ "deny": ["*"] }"#, false),
        ("allow", r#"{ "deny": ["a*"] }"#, true),
        ("allow", r#"{ "default": "deny" }"#, false),
        ("deny", r#"{ "allow": ["a*"] }"#, true),
        ("deny", r#"{ "default": "allow" }"#, true),
        ("deny", r#"{ "allow": ["a*"], "deny": ["*"] }"#, false),
    ] {
        let policy = policy(&document(default, &format!(r#""prompts": {section}, "resources": {section}"#)));
        assert_eq!((policy.any_prompt(), policy.any_resource()), (expected, expected), "{default} {section}");
    }
}

#[test]
fn methods() {
    let exact = r#""methods": { "allow": ["sampling/createMessage", "vendor/thing", "roots/*"] }"#;
    let hidden =
        r#""methods": { "allow": ["sampling/createMessage"], "deny": ["sampling/*"], "hide": ["completion/*"] }"#;
    for (default, fields, method, expected) in [
        ("deny", "", "initialize", "allow (housekeeping)"),
        ("deny", "", "tools/list", "allow (housekeeping)"),
        ("deny", "", "notifications/progress", "allow (housekeeping)"),
        ("deny", r#""methods": { "deny": ["*"] }"#, "ping", "allow (housekeeping)"),
        ("allow", "", "sampling/createMessage", "deny (default deny)"),
        ("allow", "", "elicitation/create", "deny (default deny)"),
        ("allow", "", "roots/list", "deny (default deny)"),
        ("allow", "", "vendor/thing", "deny (default deny)"),
        ("allow", r#""methods": { "default": "allow" }"#, "vendor/thing", "deny (default deny)"),
        ("deny", exact, "sampling/createMessage", "allow /methods/allow/sampling~1createMessage"),
        ("deny", exact, "vendor/thing", "allow /methods/allow/vendor~1thing"),
        ("deny", exact, "roots/list", "deny (default deny)"),
        ("allow", hidden, "sampling/createMessage", "deny /methods/deny/sampling~1*"),
        ("allow", hidden, "completion/complete", "hide /methods/hide/completion~1*"),
        ("deny", "", "completion/complete", "allow (no objection)"),
        ("deny", "", "tasks/get", "allow (no objection)"),
        ("deny", r#""methods": { "allow": ["logging/*"] }"#, "logging/setLevel", "allow /methods/allow/logging~1*"),
    ] {
        let policy = policy(&document(default, fields));
        assert_eq!(word(&policy.method(method)), expected, "{default} {fields} {method}");
    }
    let policy = policy(
        r#"{"version":"1","default":"allow","methods":{"allow":["sampling/createMessage","elicitation/create","roots/list"]}}"#,
    );
    for method in ["sampling/createMessage", "elicitation/create", "roots/list"] {
        assert!(policy.permits_method_by_name(method));
    }
}
