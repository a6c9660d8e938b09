//! What opens a tool under `default: "deny"`: its name, or its class.

use std::sync::Arc;

use jiff::Timestamp;

use crate::entry::Entry;
use crate::facts::{Class, ToolFacts};
use crate::policy::Document;
use crate::rule_id::RuleId;

/// An entry that opens a tool, until it ends.
#[derive(Debug)]
struct Opener {
    rule: Arc<RuleId>,
    until: Option<Timestamp>,
}

impl Opener {
    fn of(entry: &Arc<Entry>) -> Opener {
        Opener { rule: Arc::clone(&entry.rule), until: entry.valid_until }
    }

    fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What `opens` has to say of a tool.
#[derive(Debug)]
enum ByClass {
    /// Nothing, or nothing that would change anything.
    Nothing,
    /// The class opens it, and a person accepted or set the class.
    Opens(Opener),
    /// The class would open it, had a person accepted or set the class.
    Unaccepted(Opener),
    /// Some class is opened, and nobody knows of which class the tool is.
    Unclassified,
}

/// What opens one tool.
#[derive(Debug)]
pub(super) struct Openers {
    /// The entries under `tools` that name it.
    named: Vec<Opener>,
    by_class: ByClass,
}

/// Why a tool is not open.
pub(super) struct Closed<'a> {
    /// For who asks how it was decided.
    pub(super) text: &'static str,
    /// For the agent.
    pub(super) reason: &'static str,
    /// The entry that would open it, had a person accepted or set its class.
    pub(super) unaccepted: Option<&'a RuleId>,
}

impl Openers {
    pub(super) fn new<'a>(
        named: impl Iterator<Item = &'a Arc<Entry>>,
        document: &Document,
        tool: &ToolFacts<'_>,
    ) -> Openers {
        let by_class = match document.opening(tool.class) {
            _ if document.default_allow => ByClass::Nothing,
            Some(opening) if tool.class_accepted => ByClass::Opens(Opener::of(opening.entry())),
            Some(opening) => ByClass::Unaccepted(Opener::of(opening.entry())),
            None if tool.class == Class::Unclassified && !document.openings.is_empty() => ByClass::Unclassified,
            None => ByClass::Nothing,
        };
        Openers { named: named.map(Opener::of).collect(), by_class }
    }

    fn all(&self) -> impl Iterator<Item = &Opener> {
        let by_class = match &self.by_class {
            ByClass::Opens(opener) => Some(opener),
            ByClass::Nothing | ByClass::Unaccepted(_) | ByClass::Unclassified => None,
        };
        self.named.iter().chain(by_class)
    }

    /// Whether anything opens it, at any time.
    pub(super) fn any(&self) -> bool {
        self.all().next().is_some()
    }

    /// What opens it now: the more specific name first, its class last.
    pub(super) fn at(&self, now: Timestamp) -> Option<&Arc<RuleId>> {
        self.all().find(|opener| opener.lasts(now)).map(|opener| &opener.rule)
    }

    /// How that rule opens it.
    pub(super) fn text(&self, rule: &Arc<RuleId>) -> &'static str {
        match &self.by_class {
            ByClass::Opens(opener) if Arc::ptr_eq(&opener.rule, rule) => {
                "this opens the tool: its class was accepted or set by a person"
            }
            _ => "this opens the tool",
        }
    }

    /// Why it is not open now, when nothing opens it.
    pub(super) fn closed(&self, now: Timestamp) -> Closed<'_> {
        let unaccepted = match &self.by_class {
            ByClass::Unaccepted(opener) if opener.lasts(now) => Some(&*opener.rule),
            _ => None,
        };
        if self.any() {
            let text = "what opened this tool has ended";
            return Closed { text, reason: "The permission to call this tool has ended.", unaccepted };
        }
        let text = match (&self.by_class, unaccepted) {
            (_, Some(_)) => "nothing else opens this tool",
            (ByClass::Unclassified, None) => {
                "nothing under `tools` names this tool, and no class opens what nobody classified"
            }
            _ => "nothing under `tools` names this tool",
        };
        Closed { text, reason: "The policy does not allow this tool.", unaccepted }
    }
}
