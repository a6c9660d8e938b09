//! How long one decision takes, limits aside, and that it does not depend on how many tools and grants there are.
//!
//! `cargo run --release -p policy --example decide_bench`, with a part of a name to measure only what has it.

use std::hint::black_box;
use std::time::Instant;

use policy::{Call, Class, GrantFacts, Load, Numbers, Policy, ToolFacts, ToolRules, load};

const ARGUMENTS: &str =
    r#"{"to":"ada@example.com","amount":42.5,"currency":"eur","path":"/srv/data/report.txt","note":"as agreed"}"#;
const SCHEMA: &str = r#"{ "type": "object", "properties": { "to": { "type": "string" }, "amount": { "type": "number" },
    "currency": { "type": "string" }, "path": { "type": "string" }, "note": { "type": "string" } }, "required": ["to"] }"#;

/// Of every five, four read arguments.
const MIXED: [&str; 5] = [
    r#"{ "path": "args.amount", "op": "gt", "value": 1000 }"#,
    r#"{ "path": "args.currency", "op": "eq", "value": "usd" }"#,
    r#"{ "path": "args.to", "op": "starts_with", "value": "eve@" }"#,
    r#"{ "path": "grant.label", "op": "eq", "value": "other" }"#,
    r#"{ "path": "args.note", "op": "length_gt", "value": 400 }"#,
];
const READING: [&str; 5] = [
    r#"{ "path": "args.amount", "op": "gt", "value": 1000 }"#,
    r#"{ "path": "args.currency", "op": "in", "value": ["usd", "gbp"] }"#,
    r#"{ "path": "args.to", "op": "ends_with", "value": "@example.org" }"#,
    r#"{ "path": "args.path", "op": "within", "value": "/srv/secret" }"#,
    r#"{ "path": "args.note", "op": "contains", "value": "urgent" }"#,
];
const NOT_READING: [&str; 5] = [
    r#"{ "path": "grant.label", "op": "eq", "value": "other" }"#,
    r#"{ "path": "agent.label", "op": "starts_with", "value": "test-" }"#,
    r#"{ "path": "server.name", "op": "in", "value": ["shop", "crm"] }"#,
    r#"{ "path": "tool.name", "op": "eq", "value": "refund" }"#,
    r#"{ "path": "time.now", "op": "gt", "value": "2090-01-01T00:00:00Z" }"#,
];

fn main() -> Result<(), String> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let camel = ARGUMENTS.replace("\"to\"", "\"sendTo\"").replace("\"note\"", "\"shortNote\"");
    let bench = Bench { wanted, grants: vec![GrantFacts::labelled("local")] };
    let nothing = one_tool("")?;
    bench.one("no rule", &nothing, None, ARGUMENTS)?;
    bench.one("no rule, keys with capitals", &nothing, None, &camel)?;
    bench.one("1 rule", &one_tool(&deny_if(&READING, 1))?, None, ARGUMENTS)?;
    bench.one("20 rules", &one_tool(&deny_if(&MIXED, 20))?, None, ARGUMENTS)?;
    bench.one("20 rules that all read arguments", &one_tool(&deny_if(&READING, 20))?, None, ARGUMENTS)?;
    bench.one("20 rules, none reads arguments", &one_tool(&deny_if(&NOT_READING, 20))?, None, ARGUMENTS)?;
    bench.one("20 rules and the schema, closed", &one_tool(&deny_if(&MIXED, 20))?, Some(SCHEMA), ARGUMENTS)?;
    let limits = r#""limits": [ { "counter": "spend", "window": "day", "max": 1000, "amount": "args.amount" } ]"#;
    bench.one("20 rules and an amount", &one_tool(&format!("{}, {limits}", deny_if(&MIXED, 20)))?, None, ARGUMENTS)?;

    // The same 20 rules for every tool: the calls go round.
    let many = policy_of(1000, &deny_if(&MIXED, 20))?;
    let names: Vec<String> = (0..1000).map(|number| format!("pay_{number}")).collect();
    let rules: Vec<ToolRules> = names.iter().map(|name| many.for_tool(&tool(name, None))).collect();
    bench.measure("20 rules, one of 1,000 tools", &rules.iter().take(1).collect::<Vec<_>>(), ARGUMENTS)?;
    bench.measure("20 rules, 1,000 tools in turn", &rules.iter().collect::<Vec<_>>(), ARGUMENTS)?;
    let grants = (0..10_000).map(|number| GrantFacts::labelled(&format!("grant-{number}"))).collect();
    let bench = Bench { grants, ..bench };
    bench.one("20 rules, 10,000 grants in turn", &one_tool(&deny_if(&MIXED, 20))?, None, ARGUMENTS)
}

/// Clauses that do not apply to [`ARGUMENTS`].
fn deny_if(conditions: &[&str], count: usize) -> String {
    let clauses =
        conditions.iter().cycle().take(count).map(|condition| format!(r#"{{ "conditions": [ {condition} ] }}"#));
    format!(r#""deny_if": [ {} ]"#, clauses.collect::<Vec<_>>().join(", "))
}

fn one_tool(entry: &str) -> Result<Policy, String> {
    policy_of(1, entry)
}

/// A policy that has this entry for each of so many tools. A schema holds where a tool has one.
fn policy_of(tools: usize, entry: &str) -> Result<Policy, String> {
    let entries = (0..tools).map(|number| format!(r#""pay_{number}": {{ {entry} }}"#)).collect::<Vec<_>>().join(", ");
    let text = format!(r#"{{ "version": "1", "default": "deny", "tools": {{ {entries} }} }}"#);
    let loaded = load(&text, Load::default());
    loaded.policy.ok_or_else(|| policy::diagnostic::render(&loaded.diagnostics, "bench", &text, Default::default()))
}

fn tool<'a>(name: &'a str, schema: Option<&'a str>) -> ToolFacts<'a> {
    ToolFacts {
        server: "bank",
        name,
        class: Class::Financial,
        class_accepted: true,
        input_schema: schema,
        numbers: Numbers::Binary64,
    }
}

struct Bench {
    /// A part of the names of what is measured.
    wanted: String,
    /// The callers, in turn.
    grants: Vec<GrantFacts>,
}

impl Bench {
    fn one(&self, name: &str, policy: &Policy, schema: Option<&str>, arguments: &str) -> Result<(), String> {
        self.measure(name, &[&policy.for_tool(&tool("pay_0", schema))], arguments)
    }

    /// The least of many short runs, so that what else the machine does counts little.
    fn measure(&self, name: &str, rules: &[&ToolRules], arguments: &str) -> Result<(), String> {
        const ROUNDS: u32 = 200;
        if !name.contains(&self.wanted) {
            return Ok(());
        }
        let call = |grant| Call {
            arguments: Some(arguments),
            grant,
            session: None,
            client_ip: None,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut calls = rules.iter().cycle().zip(self.grants.iter().cycle());
        if let Some((rules, grant)) = calls.clone().next() {
            let decision = rules.decide(&call(grant));
            if !decision.is_allowed() {
                return Err(format!("{name}: the call is not allowed: {}", decision.rule));
            }
        }
        let mut times: Vec<_> = (0..4000)
            .map(|_| {
                let start = Instant::now();
                for (rules, grant) in calls.by_ref().take(usize::try_from(ROUNDS).unwrap_or_default()) {
                    black_box(rules.decide(black_box(&call(grant))));
                }
                start.elapsed() / ROUNDS
            })
            .collect();
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default().as_nanos();
        println!("{name}: {} ns a decision (median {})", at(0), at(times.len() / 2));
        Ok(())
    }
}
