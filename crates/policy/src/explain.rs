//! The whole derivation of one decision.

mod text;
pub(crate) mod words;

use serde::Serialize;

use crate::condition::{Facts, Polarity, Truth, evaluate};
use crate::decision::{Decision, Effect, Would};
use crate::entry::{Clause, ClauseKind};
use crate::facts::Class;
use crate::rule_id::RuleId;

/// A stage of the order of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// `hide` and `action: "hide"`.
    Hidden,
    /// Whether the definition can be judged.
    Definition,
    /// What opens the tool: an entry, or the default.
    Naming,
    /// `action: "deny"`.
    Action,
    /// Whether all readers read the same arguments.
    Arguments,
    /// The accepted input schema.
    Schema,
    /// `require`.
    Require,
    /// `deny_if`.
    DenyIf,
    /// `action: "require_approval"` and `require_approval_if`.
    Approval,
    /// `limits` and `rate_limit`.
    Limits,
}

/// What a step said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It has no objection.
    Passes,
    /// It objects.
    Objects,
}

/// One step of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// The rule that was asked; `None` where none applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// What it said.
    pub said: Said,
    /// Whether it is the step that decided.
    pub decides: bool,
    /// Whether the rule is observed only, and so has no say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
    /// Why, in a few words.
    pub text: String,
    /// The conditions of a clause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Tested>,
}

/// One condition of a clause and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// The condition, such as `args.amount lte 100`.
    pub condition: String,
    /// `true`, `false` or `undecidable`.
    pub truth: &'static str,
    /// What was found, or why it cannot be judged.
    pub found: String,
}

impl Step {
    pub(crate) fn passed(stage: Stage, text: &str) -> Step {
        Step {
            stage,
            rule: None,
            said: Said::Passes,
            decides: false,
            observed: false,
            text: text.to_owned(),
            conditions: Vec::new(),
        }
    }

    pub(crate) fn passed_rule(stage: Stage, rule: &RuleId, text: &str) -> Step {
        Step { rule: Some(rule.clone()), ..Step::passed(stage, text) }
    }

    pub(crate) fn at(stage: Stage, rule: &RuleId, objects: bool, text: &str) -> Step {
        let said = if objects { Said::Objects } else { Said::Passes };
        Step { said, ..Step::passed_rule(stage, rule, text) }
    }

    pub(crate) fn clause(kind: ClauseKind, clause: &Clause, truth: &Truth, facts: &Facts<'_>) -> Step {
        let (stage, polarity) = match kind {
            ClauseKind::Require => (Stage::Require, Polarity::Allows),
            ClauseKind::DenyIf => (Stage::DenyIf, Polarity::Denies),
            ClauseKind::ApprovalIf => (Stage::Approval, Polarity::Denies),
        };
        let (objects, text) = match (kind, truth) {
            (ClauseKind::Require, Truth::True) => (false, "holds".to_owned()),
            (ClauseKind::Require, Truth::False) => (true, "does not hold".to_owned()),
            (_, Truth::True) => (true, "applies".to_owned()),
            (_, Truth::False) => (false, "does not apply".to_owned()),
            (_, Truth::Undecidable(why)) => (true, format!("cannot be judged: {why}")),
        };
        let tested = clause.conditions.iter().map(|condition| {
            let truth = evaluate(std::slice::from_ref(condition), facts, polarity);
            let found = match &truth {
                Truth::Undecidable(why) => why.to_string(),
                Truth::True | Truth::False => words::found(condition, facts),
            };
            let truth = match truth {
                Truth::True => "true",
                Truth::False => "false",
                Truth::Undecidable(_) => "undecidable",
            };
            Tested { condition: words::condition(condition), truth, found }
        });
        Step { conditions: tested.collect(), ..Step::at(stage, &clause.rule, objects, &text) }
    }

    pub(crate) fn observed(mut self) -> Step {
        self.observed = true;
        self
    }
}

/// Where judging tells its steps.
pub(crate) trait Trace {
    /// Whether to go on after the deciding step, to tell what else would have objected.
    const WHOLE: bool;

    /// Takes one step; the closure is not called by who does not want it.
    fn step(&mut self, step: impl FnOnce() -> Step);
}

/// Keeps every step.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    steps: Vec<Step>,
}

impl Trace for Recorder {
    const WHOLE: bool = true;

    fn step(&mut self, step: impl FnOnce() -> Step) {
        self.steps.push(step());
    }
}

impl Recorder {
    pub(crate) fn finish(mut self, server: &str, tool: &str, class: Class, decision: Decision) -> Derivation {
        let objects = decision.effect != Effect::Allow;
        let deciding = self.steps.iter_mut().find(|step| {
            let wanted = if objects { Said::Objects } else { Said::Passes };
            !step.observed && step.said == wanted && step.rule.as_ref().is_some_and(|rule| *rule == *decision.rule)
        });
        if let Some(step) = deciding {
            step.decides = true;
        }
        Derivation {
            server: server.to_owned(),
            tool: tool.to_owned(),
            class: class.as_str(),
            effect: decision.effect,
            rule: RuleId::clone(&decision.rule),
            reason: decision.reason.as_deref().map(str::to_owned),
            detail: decision.detail.clone(),
            steps: self.steps,
            limits: decision.limits.iter().map(Used::from).collect(),
            would: decision.would.to_vec(),
            results: None,
            decision: Some(decision),
        }
    }
}

/// A limit that an allowed call takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The limit.
    pub rule: RuleId,
    /// Its counter.
    pub counter: String,
    /// By how much.
    pub amount: String,
    /// What fits.
    pub max: String,
    /// Whether it is a shadow count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
}

impl From<&crate::limit::LimitUse> for Used {
    fn from(taken: &crate::limit::LimitUse) -> Used {
        Used {
            rule: RuleId::clone(&taken.limit.rule),
            counter: taken.limit.counter.clone(),
            amount: taken.amount.to_string(),
            max: taken.limit.max.to_string(),
            observed: taken.limit.observed,
        }
    }
}

/// Every step of one decision. Displays as text for people.
#[derive(Debug, Clone, Serialize)]
pub struct Derivation {
    /// The server.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// Its class.
    pub class: &'static str,
    /// What becomes of the call, before its limits.
    pub effect: Effect,
    /// Which rule decided.
    pub rule: RuleId,
    /// The text for the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Operands and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The steps, in order; those after the deciding one say what else would have objected.
    pub steps: Vec<Step>,
    /// The limits that the call would take.
    pub limits: Vec<Used>,
    /// What observed rules would have done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would: Vec<Would>,
    /// What becomes of the result, in words, if the policy says anything of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<String>,
    /// The decision itself.
    #[serde(skip)]
    pub decision: Option<Decision>,
}
