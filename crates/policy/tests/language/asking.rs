//! Loading a policy and asking it.

use policy::{Call, Class, Decision, GrantFacts, Load, Numbers, Policy, ToolFacts, ToolRules, load};
use quota::{CountId, Counters, Memory, Take, Taken};

/// 2026-01-05T12:00:00Z, a Monday.
pub(crate) fn noon() -> jiff::Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

/// Loads a document that must have no error.
pub(crate) fn policy(text: &str) -> Policy {
    let loaded = load(text, Load { comments_allowed: true });
    let rendered = policy::diagnostic::render(&loaded.diagnostics, "policy.json", text, Default::default());
    loaded.policy.unwrap_or_else(|| panic!("{rendered}"))
}

/// A document `{ "version": "1", "default": …, … }` with these further fields.
pub(crate) fn document(default: &str, fields: &str) -> String {
    let comma = if fields.trim().is_empty() { "" } else { "," };
    format!("{{ \"version\": \"1\", \"default\": \"{default}\"{comma} {fields} }}")
}

/// An unclassified tool without a schema.
pub(crate) fn tool(name: &str) -> ToolFacts<'_> {
    ToolFacts {
        server: "files",
        name,
        class: Class::Unclassified,
        class_accepted: true,
        input_schema: None,
        numbers: Numbers::Binary64,
    }
}

pub(crate) fn of_class(name: &str, class: Class) -> ToolFacts<'_> {
    ToolFacts { class, ..tool(name) }
}

pub(crate) fn with_schema<'a>(name: &'a str, schema: &'a str) -> ToolFacts<'a> {
    ToolFacts { input_schema: Some(schema), ..tool(name) }
}

pub(crate) fn decide(rules: &ToolRules, arguments: &str) -> Decision {
    decide_at(rules, arguments, noon())
}

pub(crate) fn decide_at(rules: &ToolRules, arguments: &str, now: jiff::Timestamp) -> Decision {
    let grant = GrantFacts::labelled("local");
    rules.decide(&Call { arguments: Some(arguments), grant: &grant, session: None, client_ip: None, now })
}

/// The effect and the readable rule, as one text.
pub(crate) fn said(decision: &Decision) -> String {
    format!("{} {}", decision.effect, decision.rule)
}

/// What a document says of a call.
pub(crate) fn ask(text: &str, facts: &ToolFacts<'_>, arguments: &str) -> String {
    said(&decide(&policy(text).for_tool(facts), arguments))
}

/// Takes the enforced limits of an allowed call, as a gateway does; the rule of the full one otherwise.
pub(crate) fn take(counters: &Memory, decision: &Decision, now: jiff::Timestamp) -> Result<(), String> {
    let enforced: Vec<_> = decision.limits.iter().filter(|taken| !taken.limit.observed).collect();
    let takes: Vec<Take> = enforced
        .iter()
        .map(|taken| {
            let limit = &taken.limit;
            Take {
                id: CountId::new(
                    "org",
                    &[("grant", "local".to_owned())],
                    &limit.counter,
                    limit.window,
                    &limit.zone,
                    limit.kind,
                ),
                window: limit.window,
                zone: limit.zone.clone(),
                kind: limit.kind,
                max: limit.max,
                amount: taken.amount,
            }
        })
        .collect();
    match counters.take(&takes, now).unwrap() {
        Taken::Granted(_) => Ok(()),
        Taken::Full(full) => Err(enforced[full.index].limit.rule.rule.clone()),
    }
}
