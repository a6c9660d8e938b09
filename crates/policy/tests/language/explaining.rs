//! The whole derivation of one decision.

use policy::explain::{Said, Stage};
use policy::{Call, Class, GrantFacts};

use crate::asking::{document, noon, of_class, policy};

const RULES: &str = r#""tools": { "pay": {
       "require": [ { "conditions": [ { "path": "args.currency", "op": "in", "value": ["eur", "usd"] } ] },
                    { "conditions": [ { "path": "args.to", "op": "email_domain_in", "value": ["example.com"] } ] } ],
       "deny_if": [ { "id": "cap", "conditions": [ { "path": "args.amount", "op": "gt", "value": 100 } ], "on_deny": "Too much." } ],
       "limits": [ { "counter": "spend", "window": "day", "max": 1000, "amount": "args.amount" } ] } },
     "all_tools": { "mode": "observe", "action": "deny" }"#;

fn explain(arguments: &str) -> policy::explain::Derivation {
    let policy = policy(&document("deny", RULES));
    let grant = GrantFacts::labelled("local");
    let call = Call { arguments: Some(arguments), grant: &grant, session: None, client_ip: None, now: noon() };
    policy.for_tool(&of_class("pay", Class::Financial)).explain(&call)
}

#[test]
fn every_objection_is_told_and_one_decides() {
    let derivation = explain(r#"{"currency": "gbp", "to": "a@example.com", "amount": 200}"#);
    assert_eq!(derivation.rule.rule, "/tools/pay/require/args.currency-in");
    let objections: Vec<_> = derivation
        .steps
        .iter()
        .filter(|step| step.said == Said::Objects)
        .map(|step| (step.stage, step.rule.as_ref().unwrap().rule.as_str(), step.decides))
        .collect();
    assert_eq!(
        objections,
        [
            (Stage::Require, "/tools/pay/require/args.currency-in", true),
            (Stage::DenyIf, "/tools/pay/deny_if/cap", false)
        ]
    );
    assert_eq!(derivation.detail.as_deref(), Some(r#"args.currency in ["eur", "usd"] (args.currency is "gbp")"#));
}

#[test]
fn as_text_whole() {
    let text = explain(r#"{"currency": "eur", "amount": 200}"#).to_string();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/explained.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), text);
}

#[test]
fn rules_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<policy::Policy>();
    shared::<policy::ToolRules>();
    shared::<policy::Decision>();
}

#[test]
fn as_text() {
    let text = explain(r#"{"currency": "eur", "amount": 200}"#).to_string();
    // The missing address decides; the amount would have.
    assert!(
        text.starts_with("DENY: pay (financial) on files\n  rule    /tools/pay/require/args.to-email_domain_in"),
        "{text}"
    );
    assert!(text.contains("=> require"), "{text}");
    assert!(text.contains(" x deny if    /tools/pay/deny_if/cap: applies\n"), "{text}");
    let allowed = explain(r#"{"currency": "eur", "to": "a@example.com", "amount": 12.5}"#);
    let text = allowed.to_string();
    assert!(text.contains("takes 12.5 of 1000 from `spend`  /tools/pay/limits/spend\n"), "{text}");
    assert!(text.contains("observed: would deny  /all_tools/action\n"), "{text}");
}

#[test]
fn as_data_and_the_same_decision() {
    for arguments in [
        "{}",
        r#"{"currency": "eur"}"#,
        r#"{"currency": "eur", "to": "a@example.com", "amount": 1}"#,
        r#"{"a":1,"A":1}"#,
    ] {
        let derivation = explain(arguments);
        let data = serde_json::to_value(&derivation).unwrap();
        assert_eq!(data["effect"], serde_json::json!(derivation.effect.as_str()));
        let policy = policy(&document("deny", RULES));
        let decision = crate::asking::decide(&policy.for_tool(&of_class("pay", Class::Financial)), arguments);
        assert_eq!((decision.effect, &*decision.rule), (derivation.effect, &derivation.rule), "{arguments}");
        assert_eq!(decision.reason.as_deref(), derivation.reason.as_deref());
    }
}
