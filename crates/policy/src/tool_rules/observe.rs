//! What observed rules would have done with a call.

use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::condition::{Facts, Truth};
use crate::decision::{Effect, Would};
use crate::entry::ClauseKind;
use crate::explain::{Step, Trace};

use super::ToolRules;
use super::decide::judged;

impl ToolRules {
    /// Adds what the clauses and amounts of observed entries, and their schema modes, would have done.
    pub(super) fn observe<T: Trace>(
        &self,
        facts: &Facts<'_>,
        now: Timestamp,
        would: &mut SmallVec<[Would; 1]>,
        trace: &mut T,
    ) {
        let enforced = self.schema_problem(facts, self.mode.at(now));
        if enforced.is_none() && self.schema_problem(facts, self.mode_if_enforced.at(now)).is_some() {
            would.push(Would { rule: Arc::clone(&self.mode_if_enforced.rule), effect: Effect::Deny });
        }
        for entry in &self.observed {
            for (kind, clause) in entry.clauses() {
                let truth = judged(clause, kind, facts);
                trace.step(|| Step::clause(kind, clause, &truth, facts).observed());
                if let Some(effect) = effect(kind, &truth) {
                    would.push(Would { rule: Arc::clone(&clause.rule), effect });
                }
            }
            for limit in &entry.limits {
                if self.amount(limit, Some(facts.args)).is_err() {
                    would.push(Would { rule: Arc::clone(&limit.rule), effect: Effect::Deny });
                }
            }
        }
    }
}

fn effect(kind: ClauseKind, truth: &Truth) -> Option<Effect> {
    match (kind, truth) {
        (ClauseKind::Require, Truth::True) | (ClauseKind::DenyIf | ClauseKind::ApprovalIf, Truth::False) => None,
        (ClauseKind::ApprovalIf, Truth::True) => Some(Effect::Ask),
        (ClauseKind::ApprovalIf, Truth::Undecidable(why)) if why.asks() => Some(Effect::Ask),
        _ => Some(Effect::Deny),
    }
}
