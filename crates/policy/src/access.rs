//! Resources, prompts and methods: names that are hidden, denied or allowed.

mod uri;

use std::sync::{Arc, LazyLock};

use mcp::method::Kind;

use crate::decision::{Access, Effect, Would};
use crate::pattern::Pattern;
use crate::rule_id::{DEFAULT_DENY, ELSEWHERE, RuleId, not_named};

pub use self::uri::{UriFault, check_uri};

/// A pattern and its line.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) pattern: Pattern,
    pub(crate) rule: Arc<RuleId>,
}

/// `{ "hide", "deny", "allow", "default" }`, tried in that order.
#[derive(Debug)]
pub(crate) struct AccessRules {
    /// What is judged, such as "resource"; for texts.
    pub(crate) what: &'static str,
    pub(crate) hide: Vec<Named>,
    pub(crate) deny: Vec<Named>,
    pub(crate) allow: Vec<Named>,
    pub(crate) default_allow: bool,
    /// The name of an allowing default.
    pub(crate) allowed_by_default: Arc<RuleId>,
    /// `(default deny)`, with the line it stands in.
    pub(crate) denied_by_default: Arc<RuleId>,
    /// In a wholly observed document nothing is stopped.
    pub(crate) observed: bool,
}

/// What housekeeping passes by.
static HOUSEKEEPING: LazyLock<Arc<RuleId>> = LazyLock::new(|| Arc::new(RuleId::new("", "(housekeeping)")));
/// What methods pass by that are judged by their tool, prompt, resource or task.
static JUDGED_ELSEWHERE: LazyLock<Arc<RuleId>> = LazyLock::new(|| Arc::new(RuleId::new("", "(no objection)")));
/// What a URI is denied by that readers could read differently.
static AMBIGUOUS_URI: LazyLock<Arc<RuleId>> = LazyLock::new(|| Arc::new(RuleId::new("", "(ambiguous uri)")));

fn first<'a>(rules: &'a [Named], name: &str) -> Option<&'a Arc<RuleId>> {
    rules.iter().find(|named| named.pattern.matches(name)).map(|named| &named.rule)
}

impl AccessRules {
    /// The line that hides or denies, in that order.
    fn objection(&self, name: &str) -> Option<(Effect, &Arc<RuleId>)> {
        match first(&self.hide, name) {
            Some(rule) => Some((Effect::Hide, rule)),
            None => first(&self.deny, name).map(|rule| (Effect::Deny, rule)),
        }
    }

    fn deny(&self, rule: &Arc<RuleId>) -> Access {
        let reason = format!("The policy does not allow this {}.", self.what);
        Access::Deny { rule: Arc::clone(rule), reason: Arc::from(reason) }
    }

    /// What becomes of a name.
    pub(crate) fn access(&self, name: &str) -> Access {
        let (effect, rule) = match self.objection(name) {
            Some(objection) => objection,
            None => match first(&self.allow, name) {
                Some(rule) => (Effect::Allow, rule),
                None if self.default_allow => (Effect::Allow, &self.allowed_by_default),
                None => (Effect::Deny, &self.denied_by_default),
            },
        };
        self.said(effect, rule)
    }

    fn said(&self, effect: Effect, rule: &Arc<RuleId>) -> Access {
        match effect {
            Effect::Allow => Access::Allow { rule: Arc::clone(rule), would: None },
            _ if self.observed => Access::Allow {
                rule: Arc::clone(&self.allowed_by_default),
                would: Some(Would { rule: Arc::clone(rule), effect }),
            },
            Effect::Hide => Access::Hide { rule: Arc::clone(rule) },
            Effect::Deny | Effect::Ask => self.deny(rule),
        }
    }

    /// What `access` says of a URI as sent; one that readers could read differently is denied first.
    pub(crate) fn uri(&self, uri: &str, access: impl FnOnce(&Self) -> Access) -> Access {
        match check_uri(uri) {
            Ok(()) => access(self),
            Err(fault) => Access::Deny {
                rule: Arc::clone(&AMBIGUOUS_URI),
                reason: Arc::from(format!("This URI cannot be judged: it has {fault}.")),
            },
        }
    }

    /// What becomes of whatever the document says nothing of at all, because it is about other servers.
    pub(crate) fn closed(&self, server: Option<&str>) -> Access {
        match server {
            Some(server) => Access::Deny { rule: Arc::clone(&ELSEWHERE), reason: not_named(server) },
            // Nobody has said which server it is about.
            None => self.deny(&self.denied_by_default),
        }
    }

    /// Whether any name at all could pass.
    pub(crate) fn any(&self) -> bool {
        let everything = |rules: &[Named]| rules.iter().any(|named| named.pattern.as_str() == "*");
        self.observed
            || (!everything(&self.hide) && !everything(&self.deny) && (self.default_allow || !self.allow.is_empty()))
    }

    /// What becomes of a method that has a kind in the table.
    pub(crate) fn method(&self, name: &str) -> Access {
        let kind = mcp::method::lookup(name);
        if kind.is_housekeeping() {
            return Access::Allow { rule: Arc::clone(&HOUSEKEEPING), would: None };
        }
        if needs_exact_permission(kind) {
            // Denied under either default, also in an observed document: an observed document keeps the server
            // working as before, it does not open what was never open.
            return match (self.objection(name), self.exactly_allowed(name)) {
                (None, Some(rule)) => Access::Allow { rule: Arc::clone(rule), would: None },
                (Some((effect, rule)), Some(_)) => self.said(effect, rule),
                (Some((Effect::Hide, rule)), None) => Access::Hide { rule: Arc::clone(rule) },
                (Some((_, rule)), None) => self.deny(rule),
                (None, None) => self.deny(&self.denied_by_default),
            };
        }
        if kind == Kind::LoggingSetLevel {
            return self.access(name);
        }
        match self.objection(name) {
            Some((effect, rule)) => self.said(effect, rule),
            None => {
                Access::Allow { rule: Arc::clone(first(&self.allow, name).unwrap_or(&JUDGED_ELSEWHERE)), would: None }
            }
        }
    }

    /// Whether a method is allowed by its exact name.
    pub(crate) fn names(&self, name: &str) -> bool {
        (self.observed || self.objection(name).is_none()) && self.exactly_allowed(name).is_some()
    }

    fn exactly_allowed(&self, name: &str) -> Option<&Arc<RuleId>> {
        self.allow.iter().find(|named| named.pattern.is_exact() && named.pattern.matches(name)).map(|named| &named.rule)
    }
}

/// What reaches into the client, and whatever the table does not know.
fn needs_exact_permission(kind: Kind) -> bool {
    matches!(kind, Kind::Sampling | Kind::Elicitation | Kind::Roots | Kind::Unknown)
}

/// `(default deny)` with the line it stands in.
pub(crate) fn default_deny(pointer: &str) -> Arc<RuleId> {
    Arc::new(RuleId::new(pointer, DEFAULT_DENY))
}
