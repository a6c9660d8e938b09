//! The rules of one tool, merged: what is asked at each call, in order.

mod amount;
mod decide;
mod listing;
mod observe;
mod opened;

use std::sync::Arc;

use jiff::Timestamp;

use crate::arguments::KnownKeys;
use crate::decision::{Decision, Effect, Would};
use crate::entry::{Action, Clause, Entry, SchemaMode};
use crate::explain::{Derivation, Recorder};
use crate::facts::{Call, Class, ToolFacts};
use crate::limit::Limit;
use crate::operand::Numbers;
use crate::policy::Document;
use crate::rule_id::{ELSEWHERE, HIDDEN, RuleId, not_named};
use crate::tool_schema::ToolSchema;

use self::decide::Silent;
use self::opened::Openers;

/// The rules of one tool under one policy. Immutable and shared between threads.
#[derive(Debug)]
pub struct ToolRules {
    document: Arc<Document>,
    server: Arc<str>,
    tool: Arc<str>,
    class: Class,
    numbers: Numbers,
    /// By an enforced rule.
    hidden: Option<Arc<RuleId>>,
    /// Why the definition cannot be judged at all.
    held: Option<Arc<str>>,
    openers: Openers,
    /// Enforced `action: "deny"`.
    denials: Vec<Told>,
    /// Enforced `action: "require_approval"`.
    asks: Vec<Told>,
    require: Vec<Arc<Clause>>,
    deny_if: Vec<Arc<Clause>>,
    approval_if: Vec<Arc<Clause>>,
    /// Enforced and observed ones.
    limits: Vec<Arc<Limit>>,
    schema: Option<ToolSchema>,
    mode: Mode,
    /// How strict the schema would be if every rule were enforced.
    mode_if_enforced: Mode,
    known_keys: KnownKeys,
    reads_arguments: bool,
    /// What observed rules would do with any call.
    would: Vec<Would>,
    observed: Vec<Arc<Entry>>,
}

/// A single value of an entry with the text that goes with it.
#[derive(Debug)]
struct Told {
    rule: Arc<RuleId>,
    reason: Option<Arc<str>>,
    visible: bool,
}

/// How strict the schema is.
#[derive(Debug, Clone)]
struct Mode {
    /// While every entry that sets it says `off`, and one of them has not ended.
    off: Option<OffUntil>,
    /// Otherwise.
    otherwise: SchemaMode,
    /// The line that set it, or the bracketed name alone.
    rule: Arc<RuleId>,
}

#[derive(Debug, Clone, Copy)]
enum OffUntil {
    Always,
    Time(Timestamp),
}

impl Mode {
    /// Merges what the entries set. The default is `closed` where a rule reads arguments and the schema declares
    /// properties.
    fn merged<'a>(entries: impl Iterator<Item = &'a Arc<Entry>> + Clone, default: SchemaMode) -> Mode {
        let set = || entries.clone().filter_map(|entry| entry.schema.map(|mode| (mode, entry)));
        let strictest = set().max_by(|(a, x), (b, y)| a.cmp(b).then_with(|| y.section.cmp(&x.section)));
        match strictest {
            None => Mode { off: None, otherwise: default, rule: Arc::clone(&crate::rule_id::SCHEMA) },
            Some((SchemaMode::Off, entry)) => {
                let latest = set().try_fold(None, |latest: Option<Timestamp>, (_, entry)| {
                    entry.valid_until.map(|until| Some(latest.map_or(until, |latest| latest.max(until))))
                });
                let off = match latest {
                    Some(Some(until)) => OffUntil::Time(until),
                    _ => OffUntil::Always,
                };
                Mode { off: Some(off), otherwise: default, rule: Arc::clone(&entry.schema_rule) }
            }
            Some((mode, entry)) => Mode { off: None, otherwise: mode, rule: Arc::clone(&entry.schema_rule) },
        }
    }

    fn at(&self, now: Timestamp) -> SchemaMode {
        match self.off {
            Some(OffUntil::Always) => SchemaMode::Off,
            Some(OffUntil::Time(until)) if now < until => SchemaMode::Off,
            _ => self.otherwise,
        }
    }

    fn always_off(&self) -> bool {
        matches!(self.off, Some(OffUntil::Always))
    }
}

impl ToolRules {
    pub(crate) fn new(document: &Arc<Document>, tool: &ToolFacts<'_>) -> ToolRules {
        let name = document.name(tool.server, tool.name);
        let named = document.tools.iter().filter(|entry| entry.pattern.as_ref().is_some_and(|p| p.matches(&name)));
        let openers = Openers::new(named.clone(), document, tool);
        let entries: Vec<Arc<Entry>> =
            named.chain(document.classes_of(tool.class)).chain(&document.all_tools).map(Arc::clone).collect();
        let enforced = || entries.iter().filter(|entry| !entry.observed);
        let mut hiding = hiding(document, &entries, &name);
        let hidden = hiding.iter().position(|(_, observed)| !observed).map(|index| hiding.swap_remove(index).0);
        let mut would: Vec<Would> = hiding.into_iter().map(|(rule, _)| Would { rule, effect: Effect::Hide }).collect();
        let told = |wanted: Action| -> Vec<Told> {
            let entries = enforced().filter(|entry| entry.action == wanted);
            entries
                .map(|entry| Told {
                    rule: Arc::clone(&entry.action_rule),
                    reason: entry.reason.clone(),
                    visible: entry.visible,
                })
                .collect()
        };
        let (mut denials, asks) = (told(Action::Deny), told(Action::RequireApproval));
        if !document.covers(tool.server) {
            denials.insert(0, elsewhere(tool.server));
        }
        for entry in entries.iter().filter(|entry| entry.observed) {
            let effect = match entry.action {
                Action::Deny => Effect::Deny,
                Action::RequireApproval => Effect::Ask,
                Action::Allow | Action::Hide => continue,
            };
            would.push(Would { rule: Arc::clone(&entry.action_rule), effect });
        }
        let clauses = |of: fn(&Entry) -> &Vec<Arc<Clause>>| -> Vec<Arc<Clause>> {
            enforced().flat_map(|entry| of(entry)).map(Arc::clone).collect()
        };
        let (schema, fault) = match tool.input_schema.map(ToolSchema::compile) {
            None => (None, None),
            Some(Ok(schema)) => (Some(schema), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let declares = schema.as_ref().is_some_and(ToolSchema::declares_properties);
        let default_mode = |reads: bool| if reads && declares { SchemaMode::Closed } else { SchemaMode::Check };
        let mode = Mode::merged(enforced(), default_mode(enforced().any(|entry| entry.reads_arguments())));
        let mode_if_enforced =
            Mode::merged(entries.iter(), default_mode(entries.iter().any(|entry| entry.reads_arguments())));
        // Keys of a schema that is off are still keys of the tool.
        let known_keys = known_keys(&entries, schema.as_ref());
        let schema = schema.filter(|_| !(mode.always_off() && mode_if_enforced.always_off()));
        let held = held(tool.name).or_else(|| {
            // A schema that is never looked at holds nothing.
            let fault = fault.filter(|_| !mode.always_off())?;
            Some(format!("the tool's input schema cannot be used: {fault}"))
        });
        let reads_arguments = schema.is_some() || entries.iter().any(|entry| entry.reads_arguments());
        ToolRules {
            document: Arc::clone(document),
            server: Arc::from(tool.server),
            tool: Arc::from(tool.name),
            class: tool.class,
            numbers: tool.numbers,
            hidden,
            held: held.map(Arc::from),
            openers,
            denials,
            asks,
            require: clauses(|entry| &entry.require),
            deny_if: clauses(|entry| &entry.deny_if),
            approval_if: clauses(|entry| &entry.approval_if),
            limits: entries.iter().flat_map(|entry| &entry.limits).map(Arc::clone).collect(),
            known_keys,
            schema,
            mode,
            mode_if_enforced,
            reads_arguments,
            would,
            observed: entries.into_iter().filter(|entry| entry.observed).collect(),
        }
    }

    /// Whether the tool does not exist for the grant.
    #[must_use]
    pub fn hidden(&self) -> bool {
        self.hidden.is_some()
    }

    /// Why the definition cannot be judged at all: every call is denied, and the tool is not listed.
    #[must_use]
    pub fn held(&self) -> Option<&str> {
        self.held.as_deref()
    }

    /// The accepted input schema, where some rule looks at it.
    #[must_use]
    pub fn schema(&self) -> Option<&ToolSchema> {
        self.schema.as_ref()
    }

    /// Judges one call: steps 4 and 6 to 9 of the order of evaluation. Limits are named, not taken.
    #[must_use]
    pub fn decide(&self, call: &Call<'_>) -> Decision {
        self.judge(call, &mut Silent)
    }

    /// Judges one call as [`ToolRules::decide`] does, and tells every step, also those after the deciding one.
    #[must_use]
    pub fn explain(&self, call: &Call<'_>) -> Derivation {
        let mut recorder = Recorder::default();
        let decision = self.judge(call, &mut recorder);
        let results = self.document.results.as_ref().filter(|_| decision.effect == Effect::Allow);
        let results = results.map(crate::results::Results::describe);
        Derivation { results, ..recorder.finish(&self.server, &self.tool, self.class, decision) }
    }
}

/// The lines that hide the tool, and whether they are observed only.
fn hiding(document: &Document, entries: &[Arc<Entry>], tool: &str) -> Vec<(Arc<RuleId>, bool)> {
    let listed = document.hide.iter().filter(|hidden| hidden.named.pattern.matches(tool));
    let listed = listed.map(|hidden| (hidden.named.rule.pointer.clone(), document.observed));
    let acting = entries.iter().filter(|entry| entry.action == Action::Hide);
    let acting = acting.map(|entry| (entry.action_rule.pointer.clone(), entry.observed));
    listed.chain(acting).map(|(pointer, observed)| (Arc::new(RuleId::new(pointer, HIDDEN)), observed)).collect()
}

/// What stops every call to a server that a policy for several others says nothing of.
fn elsewhere(server: &str) -> Told {
    Told { rule: Arc::clone(&ELSEWHERE), reason: Some(not_named(server)), visible: false }
}

/// Why a tool of this name is held.
fn held(name: &str) -> Option<String> {
    if name.contains(['*', '?']) || name.chars().any(char::is_control) {
        return Some(
            "the tool's name has a `*`, a `?` or a control character, so that no pattern can name it alone".to_owned(),
        );
    }
    None
}

/// The keys of arguments that rules and the schema name.
fn known_keys(entries: &[Arc<Entry>], schema: Option<&ToolSchema>) -> KnownKeys {
    let mut keys = KnownKeys::default();
    for entry in entries {
        for (_, clause) in entry.clauses() {
            for condition in &clause.conditions {
                keys.add_condition(condition);
            }
        }
        for path in entry.limits.iter().filter_map(|limit| limit.amount.as_ref()) {
            keys.add_path(path);
        }
    }
    if let Some(schema) = schema {
        keys.add_schema(schema);
    }
    keys
}
