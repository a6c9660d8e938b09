//! What limits a call takes, and by how much.

use policy::{Count, Effect, OnStoreDown, Refund, Scope};
use quota::Memory;

use crate::asking::{decide, document, noon, policy, take, tool, with_schema};

#[test]
fn fields_and_their_defaults() {
    let text = document(
        "allow",
        r#""timezone": "Europe/Berlin", "all_tools": { "limits": [
            { "counter": "plain", "window": "day", "max": 5 },
            { "counter": "full", "window": 90, "max": 0.5, "scope": ["tool", "grant"], "amount": "args.a", "kind": "quota",
              "count": "attempts", "refund": "on_error", "on_store_down": "allow", "on_deny": "Enough." },
            { "counter": "busy", "kind": "concurrency", "max": 3, "scope": "organisation" } ],
          "rate_limit": { "max": 10, "window": "minute" } }"#,
    );
    let policy = policy(&text);
    let limits: Vec<_> = policy.limits().collect();
    let [plain, full, busy, rate] = limits.as_slice() else { panic!("{limits:?}") };
    assert_eq!(plain.window, Some(quota::Window::Day));
    assert_eq!(
        (plain.scope.as_slice(), plain.count, plain.refund),
        (&[Scope::Grant][..], Count::Forwarded, Refund::NotSent)
    );
    assert_eq!((plain.on_store_down, plain.on_deny.as_deref()), (OnStoreDown::Deny, None));
    assert_eq!(plain.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(plain.max.to_string(), "5");
    assert_eq!(full.window, Some(quota::Window::Rolling(90)));
    assert_eq!(
        (full.scope.as_slice(), full.count, full.refund),
        (&[Scope::Grant, Scope::Tool][..], Count::Attempts, Refund::OnError)
    );
    assert_eq!((full.on_store_down, full.on_deny.as_deref()), (OnStoreDown::Allow, Some("Enough.")));
    assert_eq!(full.max.to_string(), "0.5");
    assert_eq!((busy.window, busy.kind), (None, quota::Kind::Concurrency));
    assert!(rate.private_to_entry && !plain.private_to_entry);
    assert_eq!((rate.counter.as_str(), rate.rule.pointer.as_str()), ("/all_tools/rate_limit", "/all_tools/rate_limit"));
}

#[test]
fn exact_amounts() {
    let text = document(
        "allow",
        r#""all_tools": { "limits": [ { "counter": "spend", "window": "day", "max": 1000, "amount": "args.amount" } ] }"#,
    );
    let policy = policy(&text);
    let binary = policy.for_tool(&tool("charge"));
    let exact = policy.for_tool(&policy::ToolFacts { numbers: policy::Numbers::Exact, ..tool("charge") });
    for (amount, in_binary, in_exact) in [
        ("1", Some("1"), Some("1")),
        ("0.99", Some("0.99"), Some("0.99")),
        ("0.000001", Some("0.000001"), Some("0.000001")),
        ("0.0000001", None, None),
        ("1e2", Some("100"), Some("100")),
        ("100.00", Some("100"), Some("100")),
        ("0", Some("0"), Some("0")),
        ("-0.0", Some("0"), Some("0")),
        ("-1", None, None),
        ("999999999999", Some("999999999999"), Some("999999999999")),
        ("1000000000000", None, None),
        ("9007199254740993", None, None),
        ("99999999999.000001", None, Some("99999999999.000001")),
        ("\"1\"", None, None),
        ("null", None, None),
        ("[1]", None, None),
        ("true", None, None),
        ("{\"value\": 1}", None, None),
    ] {
        let arguments = format!(r#"{{"amount": {amount}}}"#);
        for (rules, expected) in [(&binary, in_binary), (&exact, in_exact)] {
            let decision = decide(rules, &arguments);
            let got = decision.limits.first().map(|taken| taken.amount.to_string());
            assert_eq!(got.as_deref(), expected, "{amount}");
            if expected.is_none() {
                assert_eq!((decision.effect, decision.rule.rule.as_str()), (Effect::Deny, "/all_tools/limits/spend"));
            }
        }
    }
    assert_eq!(decide(&binary, "{}").effect, Effect::Deny);
}

#[test]
fn attempts_are_named_for_every_outcome_but_hidden() {
    let text = document(
        "deny",
        r#""hide": ["secret"], "tools": { "no": { "action": "deny" }, "ask": { "action": "require_approval" }, "yes": {} },
           "all_tools": { "limits": [ { "counter": "tries", "window": "minute", "max": 3, "count": "attempts" },
                                      { "counter": "calls", "window": "minute", "max": 3 } ] }"#,
    );
    let policy = policy(&text);
    for (name, limits, attempts) in [("secret", 0, 0), ("other", 0, 1), ("no", 0, 1), ("ask", 2, 1), ("yes", 2, 1)] {
        let decision = decide(&policy.for_tool(&tool(name)), "{}");
        assert_eq!((decision.limits.len(), decision.attempts.len()), (limits, attempts), "{name}");
    }
}

#[test]
fn rate_limits_of_two_entries_are_two_counts() {
    let text = document(
        "deny",
        r#""tools": { "a": { "rate_limit": { "max": 2, "window": 60 } }, "a*": { "rate_limit": { "max": 3, "window": 60 } } }"#,
    );
    let policy = policy(&text);
    let (one, other) = (policy.for_tool(&tool("a")), policy.for_tool(&tool("ab")));
    let counters = Memory::default();
    for (rules, expected) in [
        (&one, Ok(())),
        (&other, Ok(())),
        (&one, Ok(())),
        (&one, Err("/tools/a/rate_limit".to_owned())),
        (&other, Err("/tools/a*/rate_limit".to_owned())),
    ] {
        assert_eq!(take(&counters, &decide(rules, "{}"), noon()), expected);
    }
}

#[test]
fn a_schema_that_lacks_the_amount_closes_the_call() {
    let text = document(
        "allow",
        r#""all_tools": { "limits": [ { "counter": "s", "window": "day", "max": 10, "amount": "args.amount" } ] }"#,
    );
    let rules = policy(&text).for_tool(&with_schema("x", r#"{ "properties": { "amount": {} } }"#));
    assert_eq!(decide(&rules, r#"{"amount": 1, "Amount2": 2}"#).rule.rule, "(arguments do not match the schema)");
}
