//! A compiled policy.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::access::{AccessRules, Named};
use crate::cases::Case;
use crate::decision::Access;
use crate::entry::{Approval, Entry};
use crate::facts::{Class, ToolFacts};
use crate::opening::Opening;
use crate::results::Results;
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
    /// The servers that it spans, where it is a policy for a stack.
    pub(crate) servers: Option<Vec<Box<str>>>,
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
    pub(crate) results: Option<Results>,
    pub(crate) cases: Vec<Case>,
}

impl Document {
    /// The name by which its patterns know a tool or prompt.
    pub(crate) fn name<'n>(&self, server: &str, name: &'n str) -> Cow<'n, str> {
        match self.servers {
            Some(_) => Cow::Owned(mcp::qualified::name(server, name)),
            None => Cow::Borrowed(name),
        }
    }

    /// Whether it says anything of a server.
    pub(crate) fn covers(&self, server: &str) -> bool {
        self.servers.as_ref().is_none_or(|servers| servers.iter().any(|id| **id == *server))
    }

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

/// How a policy knows the prompts and resources of the server on which it is asked.
enum Spanned<'a> {
    /// By their own names.
    One,
    /// Among those of several servers.
    On(&'a str),
    /// Not at all.
    Elsewhere,
}

/// A compiled policy: immutable, cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Policy {
    document: Arc<Document>,
    digest: Arc<str>,
    /// The server on which it is asked about prompts and resources.
    server: Option<Arc<str>>,
}

impl Policy {
    pub(crate) fn new(document: Arc<Document>) -> Policy {
        Policy { document, digest: Arc::from(""), server: None }
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

    /// The same policy as it stands on one server. One that spans several needs to know on which of them it is asked
    /// about prompts and resources; unasked, it denies them.
    #[must_use]
    pub fn on(&self, server: &str) -> Policy {
        Policy { server: Some(Arc::from(server)), ..self.clone() }
    }

    /// The ids of the servers that it spans; `None` for a policy of one server, whichever that is.
    #[must_use]
    pub fn servers(&self) -> Option<&[Box<str>]> {
        self.document.servers.as_deref()
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
        self.document.resources.uri(uri, |rules| match self.spanned() {
            Spanned::One => rules.access(uri),
            Spanned::On(server) => rules.access(&mcp::qualified::uri(server, uri)),
            Spanned::Elsewhere => rules.closed(self.server.as_deref()),
        })
    }

    /// What becomes of a resource template, in lists: by its text, which is no URI.
    #[must_use]
    pub fn resource_template(&self, template: &str) -> Access {
        match self.spanned() {
            Spanned::One => self.document.resources.access(template),
            Spanned::On(server) => self.document.resources.access(&mcp::qualified::uri(server, template)),
            Spanned::Elsewhere => self.document.resources.closed(self.server.as_deref()),
        }
    }

    /// What becomes of a prompt, by its name.
    #[must_use]
    pub fn prompt(&self, name: &str) -> Access {
        match self.spanned() {
            Spanned::One => self.document.prompts.access(name),
            Spanned::On(server) => self.document.prompts.access(&mcp::qualified::name(server, name)),
            Spanned::Elsewhere => self.document.prompts.closed(self.server.as_deref()),
        }
    }

    /// The server, where the policy spans several, and the tool that a name in it means.
    #[must_use]
    pub fn tool_named<'n>(&self, name: &'n str) -> (Option<&'n str>, &'n str) {
        match mcp::qualified::split_name(name) {
            Some((server, tool)) if self.document.servers.is_some() => (Some(server), tool),
            _ => (None, name),
        }
    }

    fn spanned(&self) -> Spanned<'_> {
        match (&self.document.servers, self.server.as_deref()) {
            (None, _) => Spanned::One,
            (Some(_), Some(server)) if self.document.covers(server) => Spanned::On(server),
            (Some(_), _) => Spanned::Elsewhere,
        }
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

    /// What may come back, if the policy says anything of it.
    #[must_use]
    pub fn results(&self) -> Option<&Results> {
        self.document.results.as_ref()
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
