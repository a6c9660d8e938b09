//! What is counted of the calls, for `/metrics`: atomics beside the way of a call, no lock and no allocation on it.
//!
//! Labels are words of ours and the names of registered servers, never what an agent can choose: a tool that does not
//! exist makes no series. Organisations are told apart by their ids, which say nothing to whoever has only these numbers.

mod exposition;
mod histogram;
mod rendered;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use audit::Effect;
use policy::{RuleId, rule_id};

pub use exposition::{Exposition, Kind};
pub use histogram::Histogram;
pub use rendered::render;

use crate::ticket::Ended;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were since the start.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bounds of the time to a decision, in microseconds: a call costs tens of them, with Redis or a disk hundreds.
const DECISION: &[u64] = &[20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 200_000, 1_000_000, 5_000_000];

/// Bounds of the time to an answer, in microseconds: those that OpenTelemetry names for operations of MCP.
const ANSWER: &[u64] = &[
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
];

/// What is counted of a whole gateway.
#[derive(Debug)]
pub struct Measures {
    /// From a parsed call to what is to be done with it, its counts and its record included.
    pub(crate) decision_time: Histogram,
    /// Requests that were refused because no record of them could be written.
    pub(crate) unrecorded: Counter,
    /// Calls whose counts could not be taken because the store of counts was down.
    pub(crate) counts_down: Counter,
    /// Of these, calls that were made all the same, because their limits say so.
    pub(crate) uncounted: Counter,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            decision_time: Histogram::new(DECISION),
            unrecorded: Counter::default(),
            counts_down: Counter::default(),
            uncounted: Counter::default(),
        }
    }
}

/// What is counted of one server.
#[derive(Debug)]
pub struct ServerMeasures {
    decisions: [[Counter; RULES.len()]; EFFECTS.len()],
    outcomes: [Counter; OUTCOMES.len()],
    /// Calls that a full limit has refused.
    pub(crate) limited: Counter,
    answer_time: Histogram,
}

impl Default for ServerMeasures {
    fn default() -> Self {
        Self {
            decisions: Default::default(),
            outcomes: Default::default(),
            limited: Counter::default(),
            answer_time: Histogram::new(ANSWER),
        }
    }
}

impl ServerMeasures {
    /// Counts a decision.
    pub(crate) fn decided(&self, effect: Effect, rule: &RuleId) {
        let (effect, rule) = (EFFECTS.iter().position(|known| *known == effect), kind_of(rule));
        let rule = RULES.iter().position(|known| *known == rule);
        if let Some(counter) = effect.zip(rule).and_then(|(effect, rule)| self.decisions.get(effect)?.get(rule)) {
            counter.count();
        }
    }

    /// Counts the end of a request that was forwarded, and how long its answer took.
    pub(crate) fn ended(&self, ended: Ended, took: Duration) {
        let place = OUTCOMES.iter().position(|(known, _)| *known == ended);
        if let Some(counter) = place.and_then(|place| self.outcomes.get(place)) {
            counter.count();
        }
        self.answer_time.observe(took);
    }

    fn decisions(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        EFFECTS.iter().zip(&self.decisions).flat_map(|(effect, by_rule)| {
            RULES.iter().zip(by_rule).map(|(rule, counter)| (effect.as_str(), *rule, counter.value()))
        })
    }

    fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        OUTCOMES.iter().zip(&self.outcomes).map(|((_, word), counter)| (*word, counter.value()))
    }
}

const EFFECTS: [Effect; 4] = [Effect::Allow, Effect::Deny, Effect::Hide, Effect::Ask];

/// Kinds of rules. Which rule it was stands in the log: a policy may have thousands.
const RULES: [&str; 15] = [
    "policy",
    "default",
    "no_policy",
    "not_in_servers",
    "hidden",
    "unknown_tool",
    "definition_changed",
    "ambiguous_arguments",
    "schema",
    "evaluation_error",
    "stopped",
    "no_lease",
    "grant_ended",
    "gateway_stopped",
    "other",
];

const OUTCOMES: [(Ended, &str); 8] = [
    (Ended::Ok, "ok"),
    (Ended::ToolError, "tool_error"),
    (Ended::RpcError, "rpc_error"),
    (Ended::Timeout, "timeout"),
    (Ended::Cancelled, "cancelled"),
    (Ended::Disconnected, "disconnected"),
    (Ended::NotSent, "not_sent"),
    (Ended::Unknown, "unknown"),
];

/// The word for an end, as metrics and spans have it.
pub(crate) fn outcome(ended: Ended) -> &'static str {
    OUTCOMES.iter().find(|(known, _)| *known == ended).map_or("unknown", |(_, word)| word)
}

fn kind_of(rule: &RuleId) -> &'static str {
    match rule.rule.as_str() {
        // What stands in brackets is said by no line of the policy.
        line if !line.starts_with('(') => "policy",
        rule_id::DEFAULT_DENY => "default",
        rule_id::NO_POLICY => "no_policy",
        rule_id::NOT_IN_SERVERS => "not_in_servers",
        rule_id::HIDDEN => "hidden",
        rule_id::UNKNOWN_TOOL => "unknown_tool",
        rule_id::DEFINITION_CHANGED => "definition_changed",
        rule_id::AMBIGUOUS_ARGUMENTS => "ambiguous_arguments",
        rule_id::SCHEMA_MISMATCH => "schema",
        rule_id::EVALUATION_ERROR => "evaluation_error",
        // Those of whoever may not go on.
        "(stopped)" => "stopped",
        "(no lease)" => "no_lease",
        "(grant ended)" => "grant_ended",
        "(gateway stopped)" => "gateway_stopped",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_rule_is_counted_as_what_it_is() {
        let measures = ServerMeasures::default();
        for (pointer, name, kind) in [
            ("/tools/x", "/tools/x", "policy"),
            ("/default", "default", "policy"),
            ("/default", rule_id::DEFAULT_DENY, "default"),
            ("", rule_id::NO_POLICY, "no_policy"),
            ("", rule_id::NOT_IN_SERVERS, "not_in_servers"),
            ("", rule_id::HIDDEN, "hidden"),
            ("", rule_id::UNKNOWN_TOOL, "unknown_tool"),
            ("", rule_id::DEFINITION_CHANGED, "definition_changed"),
            ("", rule_id::AMBIGUOUS_ARGUMENTS, "ambiguous_arguments"),
            ("", rule_id::SCHEMA_MISMATCH, "schema"),
            ("", rule_id::EVALUATION_ERROR, "evaluation_error"),
            ("", "(stopped)", "stopped"),
            ("", "(no lease)", "no_lease"),
            ("", "(grant ended)", "grant_ended"),
            ("", "(gateway stopped)", "gateway_stopped"),
            ("", "(what comes later)", "other"),
        ] {
            let rule = RuleId::new(pointer, name);
            assert_eq!(kind_of(&rule), kind, "{name}");
            measures.decided(Effect::Deny, &rule);
        }
        let counted: u64 = measures.decisions().map(|(_, _, times)| times).sum();
        assert_eq!(counted, 16);
        assert!(measures.decisions().all(|(effect, _, times)| effect == "deny" || times == 0));
    }

    #[test]
    fn every_end_has_its_word() {
        let measures = ServerMeasures::default();
        for (ended, _) in OUTCOMES {
            measures.ended(ended, Duration::from_millis(15));
        }
        assert!(measures.outcomes().all(|(_, times)| times == 1));
        assert_eq!(measures.answer_time.total(), 8);
    }
}
