//! How long one decision takes: 20 rules over arguments of usual size, no limits.
//!
//! `cargo run --release -p policy --example decide_bench`

use std::hint::black_box;
use std::time::Instant;

use policy::{Call, Class, GrantFacts, Load, Numbers, ToolFacts, load};

const ARGUMENTS: &str =
    r#"{"to":"ada@example.com","amount":42.5,"currency":"eur","path":"/srv/data/report.txt","note":"as agreed"}"#;
const SCHEMA: &str = r#"{ "type": "object", "properties": { "to": { "type": "string" }, "amount": { "type": "number" },
    "currency": { "type": "string" }, "path": { "type": "string" }, "note": { "type": "string" } }, "required": ["to"] }"#;

fn main() {
    let kinds = [
        r#"{ "path": "args.amount", "op": "gt", "value": 1000 }"#,
        r#"{ "path": "args.currency", "op": "eq", "value": "usd" }"#,
        r#"{ "path": "args.to", "op": "starts_with", "value": "eve@" }"#,
        r#"{ "path": "grant.label", "op": "eq", "value": "other" }"#,
        r#"{ "path": "args.note", "op": "length_gt", "value": 400 }"#,
    ];
    let clauses: Vec<String> =
        kinds.iter().cycle().take(20).map(|condition| format!(r#"{{ "conditions": [ {condition} ] }}"#)).collect();
    for (name, schema_mode, schema) in
        [("20 rules", "off", None), ("20 rules and the schema, closed", "closed", Some(SCHEMA))]
    {
        let text = format!(
            r#"{{ "version": "1", "default": "deny", "tools": {{ "pay": {{ "schema": "{schema_mode}", "deny_if": [ {} ] }} }} }}"#,
            clauses.join(",")
        );
        let Some(policy) = load(&text, Load::default()).policy else { return println!("the policy does not load") };
        let tool = ToolFacts {
            server: "bank",
            name: "pay",
            class: Class::Financial,
            class_accepted: true,
            input_schema: schema,
            numbers: Numbers::Binary64,
        };
        measure(name, &policy.for_tool(&tool));
    }
    let Some(policy) = load(r#"{ "version": "1", "default": "allow" }"#, Load::default()).policy else { return };
    let tool = ToolFacts {
        server: "bank",
        name: "pay",
        class: Class::Read,
        class_accepted: true,
        input_schema: None,
        numbers: Numbers::Binary64,
    };
    measure("no rule", &policy.for_tool(&tool));
}

fn measure(name: &str, rules: &policy::ToolRules) {
    const ROUNDS: u32 = 200;
    let grant = GrantFacts::labelled("local");
    let call = Call {
        arguments: Some(ARGUMENTS),
        grant: &grant,
        session: None,
        client_ip: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    if !rules.decide(&call).is_allowed() {
        return println!("{name}: the call is not allowed: {}", rules.decide(&call).rule);
    }
    let best = (0..4000)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                black_box(rules.decide(black_box(&call)));
            }
            start.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default();
    println!("{name}: {} ns a decision", best.as_nanos());
}
