//! A compiled policy.

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::access::{AccessRules, Named};
use crate::cases::Case;
use crate::decision::Access;
use crate::entry::{Approval, Entry};
use crate::facts::{Class, ToolFacts};
use crate::opening::Opening;
use crate::rule_id::RuleId;
use crate::tool_rules::ToolRules;

/// A pattern of `hide`.
#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) named: Named,
    pub(crate) range: Range<usize>,
}

/// What a document says, in the order in which it is asked.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) description: Option<String>,
    pub(crate) observed: bool,
    pub(crate) default_allow: bool,
    /// The bytes of the default's value.
    pub(crate) default_range: Range<usize>,
    pub(crate) default_allows: Arc<RuleId>,
    pub(crate) default_denies: Arc<RuleId>,
    pub(crate) zone: TimeZone,
    pub(crate) hide: Vec<Hidden>,
    pub(crate) all_tools: Option<Arc<Entry>>,
    /// In the order of the classes.
    pub(crate) classes: Vec<(Class, Arc<Entry>)>,
    /// Those of them that open their tools.
    pub(crate) openings: Vec<Opening>,
    /// The more specific first.
    pub(crate) tools: Vec<Arc<Entry>>,
    pub(crate) resources: AccessRules,
    pub(crate) prompts: AccessRules,
    pub(crate) methods: AccessRules,
    pub(crate) cases: Vec<Case>,
}

impl Document {
    /// Every entry, in the order in which they are asked.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.tools.iter().chain(self.classes.iter().map(|(_, entry)| entry)).chain(&self.all_tools)
    }

    /// What opens the tools of this class, where a person accepted or set it.
    pub(crate) fn opening(&self, class: Class) -> Option<&Opening> {
        self.openings.iter().find(|opening| opening.is_for(class))
    }

    /// The entries of `classes` that a tool of this class is under.
    pub(crate) fn classes_of(&self, class: Class) -> impl Iterator<Item = &Arc<Entry>> {
        // What nobody could classify could be any of them.
        let all = class == Class::Unclassified && !self.classes.iter().any(|(named, _)| *named == Class::Unclassified);
        self.classes.iter().filter(move |(named, _)| all || *named == class).map(|(_, entry)| entry)
    }
}

/// A compiled policy: immutable, cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Policy {
    document: Arc<Document>,
    digest: Arc<str>,
}

impl Policy {
    pub(crate) fn new(document: Arc<Document>) -> Policy {
        Policy { document, digest: Arc::from("") }
    }

    /// The same policy under a digest of its bytes, which the caller computes: this crate hashes nothing.
    #[must_use]
    pub fn with_digest(mut self, digest: &str) -> Policy {
        self.digest = Arc::from(digest);
        self
    }

    /// The digest given by [`Policy::with_digest`]; empty where none was.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// What the document says of itself.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.document.description.as_deref()
    }

    /// Whether the whole document is observed only. Such a policy stops nothing and is to be shown in red.
    #[must_use]
    pub fn is_observe(&self) -> bool {
        self.document.observed
    }

    /// The zone of `time.*` and of calendar windows.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.document.zone
    }

    /// The tests of the document.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.document.cases
    }

    /// The rules of one tool; to be made once for a policy and a definition, and kept.
    #[must_use]
    pub fn for_tool(&self, tool: &ToolFacts<'_>) -> ToolRules {
        ToolRules::new(&self.document, tool)
    }

    /// What becomes of a resource, by its URI as sent.
    #[must_use]
    pub fn resource(&self, uri: &str) -> Access {
        self.document.resources.uri(uri)
    }

    /// What becomes of a resource template, in lists: by its text, which is no URI.
    #[must_use]
    pub fn resource_template(&self, template: &str) -> Access {
        self.document.resources.access(template)
    }

    /// What becomes of a prompt, by its name.
    #[must_use]
    pub fn prompt(&self, name: &str) -> Access {
        self.document.prompts.access(name)
    }

    /// What becomes of a method that is no `tools/call`. Housekeeping passes; sampling, elicitation, roots and what
    /// the table does not know need `methods.allow` to name them exactly; completion, subscriptions, tasks and the
    /// like pass here unless `methods` hides or denies them, and are judged by their prompt, resource or task.
    #[must_use]
    pub fn method(&self, name: &str) -> Access {
        self.document.methods.method(name)
    }

    /// Whether any resource could pass. If not, the capability is stripped.
    #[must_use]
    pub fn any_resource(&self) -> bool {
        self.document.resources.any()
    }

    /// Whether any prompt could pass. If not, the capability is stripped.
    #[must_use]
    pub fn any_prompt(&self) -> bool {
        self.document.prompts.any()
    }

    /// Whether a method that is never open by default, such as `sampling/createMessage`, is permitted.
    #[must_use]
    pub fn permits_method_by_name(&self, name: &str) -> bool {
        self.method(name).is_allowed()
    }

    /// Whether `methods.allow` names a method exactly, and nothing of `methods` objects: what a server asks of an agent
    /// needs that even where the agent may ask it of the server.
    #[must_use]
    pub fn names_method(&self, name: &str) -> bool {
        self.document.methods.names(name)
    }

    /// Whether `logging/setLevel` passes.
    #[must_use]
    pub fn logging_allowed(&self) -> bool {
        self.method("logging/setLevel").is_allowed()
    }

    /// How calls would be approved, by the entries that say it.
    pub fn approvals(&self) -> impl Iterator<Item = (&RuleId, &Approval)> {
        self.document.entries().filter_map(|entry| Some((&*entry.rule, entry.approval.as_ref()?)))
    }

    /// Every limit of the document, in the order of the entries.
    pub fn limits(&self) -> impl Iterator<Item = &Arc<crate::limit::Limit>> {
        self.document.entries().flat_map(|entry| &entry.limits)
    }
}
