//! Judging one call: the order of evaluation, from the hidden name to the limits.

use std::sync::Arc;

use jiff::Timestamp;
use mcp::json::{self, Value};
use smallvec::SmallVec;

use crate::arguments::{ambiguous, clear};
use crate::condition::{Context, Facts, Polarity, Truth, evaluate};
use crate::decision::{Decision, Effect, Would};
use crate::entry::{Clause, ClauseKind, SchemaMode};
use crate::explain::{Stage, Step, Trace, words};
use crate::facts::Call;
use crate::limit::{Count, Limit, LimitUse, LimitUses};
use crate::rule_id::{AMBIGUOUS, EVALUATION, RuleId};
use crate::tool_schema::Closing;

use super::ToolRules;
use super::amount::{Uncountable, amount_at};

/// Tells nothing.
pub(super) struct Silent;

impl Trace for Silent {
    const WHOLE: bool = false;

    fn step(&mut self, _: impl FnOnce() -> Step) {}
}

/// What decided, before limits.
struct Verdict {
    effect: Effect,
    rule: Arc<RuleId>,
    reason: Option<Arc<str>>,
    detail: Option<String>,
}

impl Verdict {
    fn deny(rule: &Arc<RuleId>, reason: impl Into<Arc<str>>) -> Verdict {
        Verdict { effect: Effect::Deny, rule: Arc::clone(rule), reason: Some(reason.into()), detail: None }
    }

    fn detailed(mut self, detail: String) -> Verdict {
        self.detail = Some(detail);
        self
    }
}

/// Why arguments cannot be read at all, and under which name a call with them is denied.
struct Unreadable {
    rule: &'static Arc<RuleId>,
    why: String,
}

/// What a call uses of each limit of the tool, in their order.
type Amounts = SmallVec<[Result<quota::Amount, Uncountable>; 2]>;

/// The first verdict stands; those found later, when everything is to be told, do not change it.
fn keep(first: &mut Option<Verdict>, verdict: Verdict) {
    if first.is_none() {
        *first = Some(verdict);
    }
}

impl ToolRules {
    pub(super) fn judge<T: Trace>(&self, call: &Call<'_>, trace: &mut T) -> Decision {
        if let Some(rule) = &self.hidden {
            trace.step(|| Step::at(Stage::Hidden, rule, true, "the policy hides this tool"));
            return Decision {
                effect: Effect::Hide,
                rule: Arc::clone(rule),
                reason: None,
                detail: None,
                limits: SmallVec::new(),
                attempts: SmallVec::new(),
                would: SmallVec::new(),
            };
        }
        trace.step(|| Step::passed(Stage::Hidden, "no enforced rule hides this tool"));
        let mut would: SmallVec<[Would; 1]> = self.would.iter().cloned().collect();
        let mut verdict = None;
        let opened = self.before_arguments(call.now, &mut verdict, &mut would, trace);
        if verdict.is_some() && !T::WHOLE && would.is_empty() && self.observed.is_empty() {
            let amounts = self.amounts_of_attempts(call);
            return self.concluded(verdict, opened, &amounts, would);
        }
        let arguments = match self.arguments(call) {
            Ok(arguments) => arguments,
            Err(Unreadable { rule, why }) => {
                trace.step(|| Step::at(Stage::Arguments, rule, true, &why));
                keep(&mut verdict, Verdict::deny(rule, why));
                // No rule can be asked about arguments that its reader could read differently.
                return self.concluded(verdict, opened, &self.amounts(None), would);
            }
        };
        let context = self.context(call);
        let facts = Facts { args: &arguments, context: &context, numbers: self.numbers };
        let amounts = self.amounts(Some(&arguments));
        self.with_arguments(&facts, &amounts, call.now, &mut verdict, trace);
        if !self.observed.is_empty() {
            self.observe(&facts, call.now, &mut would, trace);
        }
        self.concluded(verdict, opened, &amounts, would)
    }

    /// Steps 5 to 7: what no argument changes. Returns the rule that opens the tool.
    fn before_arguments<T: Trace>(
        &self,
        now: Timestamp,
        verdict: &mut Option<Verdict>,
        would: &mut SmallVec<[Would; 1]>,
        trace: &mut T,
    ) -> Option<Arc<RuleId>> {
        if let Some(why) = &self.held {
            trace.step(|| Step::at(Stage::Definition, &EVALUATION, true, why));
            keep(verdict, Verdict::deny(&EVALUATION, format!("This tool cannot be judged: {why}.")));
        }
        let opened = match self.openers.at(now) {
            Some(rule) => Some(rule),
            None if self.document.default_allow => Some(&self.document.default_allows),
            None if self.document.observed => {
                would.push(Would { rule: Arc::clone(&self.document.default_denies), effect: Effect::Deny });
                Some(&self.document.default_allows)
            }
            None => None,
        };
        match opened {
            Some(rule) => trace.step(|| Step::at(Stage::Naming, rule, false, self.openers.text(rule))),
            None => {
                let rule = &self.document.default_denies;
                let closed = self.openers.closed(now);
                let mut denied = Verdict::deny(rule, closed.reason);
                if let Some(opener) = closed.unaccepted {
                    let text = "this would open the tool, but nobody has accepted or set its class";
                    trace.step(|| Step::passed_rule(Stage::Naming, opener, text));
                    denied =
                        denied.detailed(format!("{opener} opens this tool once a person accepts or sets its class"));
                }
                trace.step(|| Step::at(Stage::Naming, rule, true, closed.text));
                keep(verdict, denied);
            }
        }
        for denial in &self.denials {
            trace.step(|| Step::at(Stage::Action, &denial.rule, true, "`action` is `deny`"));
            let reason = denial.reason.clone().unwrap_or_else(|| Arc::from("The policy denies this tool."));
            keep(verdict, Verdict::deny(&denial.rule, reason));
        }
        opened.map(Arc::clone)
    }

    /// The arguments, or what is wrong with them. Where nothing reads them and a glance at their keys is enough, an
    /// empty object stands for them.
    fn arguments<'a>(&self, call: &Call<'a>) -> Result<Value<'a>, Unreadable> {
        let empty = || Value::Object(json::Object::default());
        let Some(text) = call.arguments else { return Ok(empty()) };
        if !self.reads_arguments && text.starts_with('{') && clear(text, &self.known_keys) {
            return Ok(empty());
        }
        let unreadable = |why| Unreadable { rule: &EVALUATION, why };
        let arguments =
            json::parse(text).map_err(|error| unreadable(format!("The arguments cannot be read: {error}.")))?;
        if !matches!(arguments, Value::Object(_)) {
            return Err(unreadable("The arguments are not an object.".to_owned()));
        }
        match ambiguous(&arguments, &self.known_keys) {
            None => Ok(arguments),
            Some(ambiguity) => {
                let why = format!("The arguments cannot be judged: {ambiguity}.");
                Err(Unreadable { rule: &AMBIGUOUS, why })
            }
        }
    }

    /// What the call uses of each limit.
    fn amounts(&self, arguments: Option<&Value<'_>>) -> Amounts {
        self.limits.iter().map(|limit| self.amount(limit, arguments)).collect()
    }

    /// What a call uses of each limit that was decided without its arguments.
    fn amounts_of_attempts(&self, call: &Call<'_>) -> Amounts {
        let reads = self.limits.iter().any(|limit| limit.count == Count::Attempts && limit.amount.is_some());
        let arguments = if reads { self.arguments(call).ok() } else { None };
        self.amounts(arguments.as_ref())
    }

    /// Steps 8 and 9, as far as enforced rules go.
    fn with_arguments<T: Trace>(
        &self,
        facts: &Facts<'_>,
        amounts: &Amounts,
        now: Timestamp,
        verdict: &mut Option<Verdict>,
        trace: &mut T,
    ) {
        macro_rules! decided {
            () => {
                verdict.is_some() && !T::WHOLE
            };
        }
        if decided!() {
            return;
        }
        if let Some(problem) = self.schema_problem(facts, self.mode.at(now)) {
            trace.step(|| Step::at(Stage::Schema, &self.mode.rule, true, &problem));
            let reason = format!("The arguments do not match the tool's schema: {problem}.");
            keep(verdict, Verdict::deny(&self.mode.rule, reason));
        } else if self.schema.is_some() {
            trace.step(|| Step::passed(Stage::Schema, "the arguments match the schema, or it is off"));
        }
        for (kind, clauses) in [(ClauseKind::Require, &self.require), (ClauseKind::DenyIf, &self.deny_if)] {
            for clause in clauses {
                if decided!() {
                    return;
                }
                let truth = judged(clause, kind, facts);
                trace.step(|| Step::clause(kind, clause, &truth, facts));
                if !passes(kind, &truth) {
                    keep(verdict, objection(clause, kind, truth, facts));
                }
            }
        }
        if decided!() {
            return;
        }
        let mut ask = None;
        for told in &self.asks {
            trace.step(|| Step::at(Stage::Approval, &told.rule, true, "`action` is `require_approval`"));
            if ask.is_none() {
                ask = Some(asking(&told.rule, told.reason.clone()));
            }
        }
        for clause in &self.approval_if {
            let truth = judged(clause, ClauseKind::ApprovalIf, facts);
            trace.step(|| Step::clause(ClauseKind::ApprovalIf, clause, &truth, facts));
            if passes(ClauseKind::ApprovalIf, &truth) {
                continue;
            }
            let found = objection(clause, ClauseKind::ApprovalIf, truth, facts);
            if found.effect == Effect::Ask {
                ask.get_or_insert(found);
            } else {
                keep(verdict, found);
            }
        }
        if decided!() {
            return;
        }
        for (limit, amount) in self.limits.iter().zip(amounts).filter(|(limit, _)| !limit.observed) {
            if let Err(Uncountable(why)) = amount {
                trace.step(|| Step::at(Stage::Limits, &limit.rule, true, why));
                let reason = limit.on_deny.clone().unwrap_or_else(|| {
                    Arc::from(format!("The amount that this call uses of `{}` cannot be counted.", limit.counter))
                });
                keep(verdict, Verdict::deny(&limit.rule, reason).detailed(why.clone()));
            } else {
                trace
                    .step(|| Step::passed_rule(Stage::Limits, &limit.rule, "to be taken before the call is forwarded"));
            }
        }
        if let Some(ask) = ask {
            keep(verdict, ask);
        }
    }

    /// What the schema finds, in this mode.
    pub(super) fn schema_problem(&self, facts: &Facts<'_>, mode: SchemaMode) -> Option<String> {
        let closing = match mode {
            SchemaMode::Off => return None,
            SchemaMode::Check => Closing::Check,
            SchemaMode::Closed => Closing::Closed,
        };
        let finding = self.schema.as_ref()?.validate(facts.args, closing, self.numbers).err()?;
        Some(finding.to_string())
    }

    /// How much a call with these arguments uses of a limit. Without arguments nothing says it of some limits.
    pub(super) fn amount(&self, limit: &Limit, arguments: Option<&Value<'_>>) -> Result<quota::Amount, Uncountable> {
        match (&limit.amount, arguments) {
            (None, _) => Ok(quota::Amount::ONE),
            (Some(path), Some(arguments)) => amount_at(path, arguments, self.numbers),
            (Some(_), None) => Err(Uncountable(String::new())),
        }
    }

    fn context<'a>(&'a self, call: &Call<'a>) -> Context<'a> {
        Context {
            grant: call.grant,
            server_name: &self.server,
            tool_name: &self.tool,
            tool_class: self.class,
            session_id: call.session,
            client_ip: call.client_ip,
            now: call.now,
            zone: &self.document.zone,
        }
    }

    /// The decision that follows from the verdict; without one the call is allowed.
    fn concluded(
        &self,
        verdict: Option<Verdict>,
        opened: Option<Arc<RuleId>>,
        amounts: &Amounts,
        would: SmallVec<[Would; 1]>,
    ) -> Decision {
        let verdict = verdict.unwrap_or_else(|| Verdict {
            effect: Effect::Allow,
            rule: opened.unwrap_or_else(|| Arc::clone(&self.document.default_allows)),
            reason: None,
            detail: None,
        });
        let uses = |wanted: fn(&Limit) -> bool| -> LimitUses {
            let limits = self.limits.iter().zip(amounts).filter(|(limit, _)| wanted(limit));
            limits
                .filter_map(|(limit, amount)| {
                    // Where nothing says by how much it would have counted, it does not.
                    let amount = *amount.as_ref().ok()?;
                    Some(LimitUse { limit: Arc::clone(limit), amount })
                })
                .collect()
        };
        let limits = match verdict.effect {
            Effect::Allow | Effect::Ask => uses(|_| true),
            Effect::Deny | Effect::Hide => SmallVec::new(),
        };
        let attempts = uses(|limit| limit.count == Count::Attempts);
        let Verdict { effect, rule, reason, detail } = verdict;
        Decision { effect, rule, reason, detail, limits, attempts, would }
    }
}

/// What a clause comes to.
pub(super) fn judged(clause: &Clause, kind: ClauseKind, facts: &Facts<'_>) -> Truth {
    evaluate(&clause.conditions, facts, polarity(kind))
}

/// What a true clause of this kind does.
fn polarity(kind: ClauseKind) -> Polarity {
    match kind {
        ClauseKind::Require => Polarity::Allows,
        ClauseKind::DenyIf | ClauseKind::ApprovalIf => Polarity::Denies,
    }
}

/// Whether a clause has no objection.
fn passes(kind: ClauseKind, truth: &Truth) -> bool {
    match kind {
        ClauseKind::Require => truth.is_true(),
        ClauseKind::DenyIf | ClauseKind::ApprovalIf => truth.is_false(),
    }
}

/// The objection of a clause that does not pass.
#[cold]
fn objection(clause: &Clause, kind: ClauseKind, truth: Truth, facts: &Facts<'_>) -> Verdict {
    let told = |other: &str| clause.on_deny.clone().unwrap_or_else(|| Arc::from(other));
    let verdict = match (kind, truth) {
        (ClauseKind::ApprovalIf, Truth::Undecidable(why)) if why.asks() => asking(&clause.rule, clause.on_deny.clone()),
        (_, Truth::Undecidable(why)) => {
            let verdict = Verdict::deny(&clause.rule, told("A condition of the policy on this call cannot be judged."));
            return verdict.detailed(why.to_string());
        }
        (ClauseKind::Require, _) => {
            Verdict::deny(&clause.rule, told("A condition that the policy requires of this call does not hold."))
        }
        (ClauseKind::DenyIf, _) => Verdict::deny(&clause.rule, told("The policy denies this call.")),
        (ClauseKind::ApprovalIf, _) => asking(&clause.rule, clause.on_deny.clone()),
    };
    verdict.detailed(operands(clause, facts))
}

/// The conditions of a clause and what they were judged on.
fn operands(clause: &Clause, facts: &Facts<'_>) -> String {
    let each = clause
        .conditions
        .iter()
        .map(|condition| format!("{} ({})", words::condition(condition), words::found(condition, facts)));
    each.collect::<Vec<_>>().join("; ")
}

fn asking(rule: &Arc<RuleId>, reason: Option<Arc<str>>) -> Verdict {
    let reason = reason.unwrap_or_else(|| Arc::from("The policy requires a person's approval for this call."));
    Verdict { effect: Effect::Ask, rule: Arc::clone(rule), reason: Some(reason), detail: None }
}
