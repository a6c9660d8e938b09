//! Running the tests of a policy.

use jiff::Timestamp;
use quota::{CountId, Counters, Memory, Take, Taken};
use serde::Serialize;

use crate::decision::{Decision, Effect};
use crate::facts::{Call, Class, ToolFacts};
use crate::limit::{LimitUse, Scope};
use crate::operand::Numbers;
use crate::policy::Policy;
use crate::refusal::{self, Refusal};
use crate::tool_rules::ToolRules;

use super::{Case, Expect};

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The name of the test.
    pub name: String,
    /// Where it stands in the document.
    pub pointer: String,
    /// Whether it came out as expected.
    pub passed: bool,
    /// What came out.
    pub got: Expect,
    /// What was expected.
    pub expected: Expect,
    /// The rule that decided.
    pub rule: String,
    /// The rule that was expected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_rule: Option<String>,
    /// The text for the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// All that the agent reads when the call is stopped, with `ID` for the decision's id.
    #[serde(skip)]
    pub told: Option<String>,
}

/// Runs every test of the policy, each with counts of its own. `tools` gives schemas, classes and the way numbers
/// are read; a tool that is not in it is judged without a schema. A class that the test gives counts as set by a person.
#[must_use]
pub fn run(policy: &Policy, tools: &[ToolFacts<'_>]) -> Vec<Outcome> {
    // Tests of one tool mostly stand together: its rules and schema are made ready once.
    let mut last: Option<(&str, Class, bool, ToolRules)> = None;
    policy
        .cases()
        .iter()
        .map(|case| {
            let facts = facts(policy, case, tools);
            let rules = match last.take() {
                Some((call, class, accepted, rules))
                    if call == case.call && class == facts.class && accepted == facts.class_accepted =>
                {
                    rules
                }
                _ => policy.for_tool(&facts),
            };
            let outcome = run_one(policy, case, facts.server, &rules);
            last = Some((&case.call, facts.class, facts.class_accepted, rules));
            outcome
        })
        .collect()
}

/// What is known of the tool that a test calls.
fn facts<'t>(policy: &Policy, case: &'t Case, tools: &'t [ToolFacts<'_>]) -> ToolFacts<'t> {
    let (server, name) = policy.tool_named(&case.call);
    let known = tools.iter().find(|tool| tool.name == name && server.is_none_or(|server| server == tool.server));
    let (class, class_accepted) = match (case.given.class, known) {
        (Class::Unclassified, Some(tool)) => (tool.class, tool.class_accepted),
        (given, _) => (given, true),
    };
    ToolFacts {
        server: server.unwrap_or(known.map_or("test", |tool| tool.server)),
        name,
        class,
        class_accepted,
        input_schema: known.and_then(|tool| tool.input_schema),
        numbers: known.map_or(Numbers::default(), |tool| tool.numbers),
    }
}

fn run_one(policy: &Policy, case: &Case, server: &str, rules: &ToolRules) -> Outcome {
    let counters = Memory::default();
    let now = case.given.time;
    let call = Call {
        arguments: case.arguments.as_deref(),
        grant: &case.given.grant,
        session: None,
        client_ip: case.given.client,
        now,
    };
    let who = Who { case, server };
    for limit in policy.limits() {
        let used = case.given.used.iter().find(|(name, _)| *name == limit.counter || *name == limit.rule.rule);
        if let Some((_, amount)) = used {
            let taken = LimitUse { limit: std::sync::Arc::clone(limit), amount: *amount };
            // A use beyond the maximum fills the count: no call fits any more.
            let fits = LimitUse { limit: std::sync::Arc::clone(limit), amount: limit.max.min(*amount) };
            if !matches!(counters.take(&[who.take(&taken)], now), Ok(Taken::Granted(_))) {
                let _ = counters.take(&[who.take(&fits)], now);
            }
        }
    }
    let mut last = (Expect::Allow, String::new(), None, None);
    for _ in 0..case.repeat {
        let decision = rules.decide(&call);
        let enforced: Vec<&LimitUse> = decision.limits.iter().filter(|taken| !taken.limit.observed).collect();
        let takes: Vec<Take> = enforced.iter().map(|taken| who.take(taken)).collect();
        let full = match decision.effect {
            Effect::Allow => match counters.take(&takes, now) {
                Ok(Taken::Granted(receipt)) => {
                    // The calls of a test are made one after the other: each ends before the next.
                    let in_flight =
                        |index: usize| takes.get(index).is_some_and(|take| take.kind == quota::Kind::Concurrency);
                    let _ = counters.give_back(receipt.split(in_flight).0, now);
                    None
                }
                Ok(Taken::Full(full)) => enforced.get(full.index).copied().map(|taken| (taken, full)),
                Err(_) => None,
            },
            Effect::Ask => match counters.look(&takes, now) {
                Ok(Some(full)) => enforced.get(full.index).copied().map(|taken| (taken, full)),
                Ok(None) | Err(_) => None,
            },
            Effect::Deny | Effect::Hide => None,
        };
        if decision.effect != Effect::Allow || full.is_some() {
            let attempts: Vec<Take> = decision.attempts.iter().map(|taken| who.take(taken)).collect();
            let _ = counters.take(&attempts, now);
        }
        let told = told(full.as_ref(), &decision, now);
        last = match (full, decision.effect) {
            (Some((taken, _)), _) => {
                (Expect::Limit, taken.limit.rule.rule.clone(), taken.limit.on_deny.as_deref().map(str::to_owned), told)
            }
            (None, effect) => {
                let got = match effect {
                    Effect::Allow => Expect::Allow,
                    Effect::Ask => Expect::Approval,
                    Effect::Deny => Expect::Deny,
                    Effect::Hide => Expect::Hide,
                };
                (got, decision.rule.rule.clone(), decision.reason.as_deref().map(str::to_owned), told)
            }
        };
    }
    let (got, rule, reason, told) = last;
    Outcome {
        name: case.name.clone(),
        pointer: case.pointer.clone(),
        passed: got == case.expect && case.rule.as_ref().is_none_or(|expected| *expected == rule),
        got,
        expected: case.expect,
        rule,
        expected_rule: case.rule.clone(),
        reason,
        told,
    }
}

/// What the agent reads, where the call is stopped and the tool exists.
fn told(full: Option<&(&LimitUse, quota::Full)>, decision: &Decision, now: Timestamp) -> Option<String> {
    let reason = decision.reason.as_deref();
    let (reason, retry_after, rule) = match (full, decision.effect) {
        (Some((taken, full)), _) => {
            (refusal::full(&taken.limit, full), refusal::retry_after(full, now), &*taken.limit.rule.rule)
        }
        (None, Effect::Deny) => (refusal::denied(reason).to_owned(), None, &*decision.rule.rule),
        (None, Effect::Ask) => (refusal::unapproved(reason), None, &*decision.rule.rule),
        (None, Effect::Allow | Effect::Hide) => return None,
    };
    Some(Refusal { reason: &reason, detail: None, retry_after, rule, id: "ID" }.text())
}

/// Whose counts a test uses.
struct Who<'a> {
    case: &'a Case,
    server: &'a str,
}

impl Who<'_> {
    fn take(&self, taken: &LimitUse) -> Take {
        let limit = &taken.limit;
        let grant = &self.case.given.grant;
        let mut scopes: Vec<(&str, String)> = limit
            .scope
            .iter()
            .map(|scope| match scope {
                // A test has no session, and a call without one counts for its grant.
                Scope::Grant | Scope::Session => ("grant", grant.label.clone()),
                Scope::Agent => ("agent", grant.agent_label.clone()),
                Scope::Server => ("server", self.server.to_owned()),
                Scope::Organisation => ("organisation", String::new()),
                Scope::Tool => ("tool", self.case.call.clone()),
            })
            .collect();
        if limit.private_to_entry {
            scopes.push(("entry", limit.rule.rule.clone()));
        }
        scopes.dedup();
        let id = CountId::new("test", &scopes, &limit.counter, limit.window, &limit.zone, limit.kind);
        Take {
            id,
            window: limit.window,
            zone: limit.zone.clone(),
            kind: limit.kind,
            max: limit.max,
            amount: taken.amount,
        }
    }
}
