//! The recommended policy of a server, and what it says of each tool in a word.

use risk::recommend::{Bounds, Temper, can_be_named, recommend};
use serde::Serialize;
use serde_json::Value;

use super::known::Known;

/// A policy for all tools of a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// How strict it is.
    pub temper: &'static str,
    /// The document.
    pub document: Value,
    /// Why each clause is there.
    pub reasons: Vec<Because>,
    /// Tools that no policy can name; they stay denied.
    pub unnamed: Vec<String>,
}

/// Of which tools a policy has rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Of each.
    Each,
    /// Of the first ones and of those that a page lists: no page shows more of a policy.
    Shown,
}

/// Why a clause is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Because {
    /// Where the clause stands: a JSON Pointer.
    pub pointer: String,
    /// One sentence.
    pub why: String,
}

impl Recommended {
    /// The policy for these tools.
    #[must_use]
    pub fn of(tools: &[Known], temper: Temper) -> Self {
        Self::with_rules_of(tools.iter(), tools, temper)
    }

    /// The policy for these tools, with the rules of some of them alone: each is made without a look at the others.
    pub(super) fn with_rules_of<'a>(some: impl Iterator<Item = &'a Known>, tools: &[Known], temper: Temper) -> Self {
        let judged: Vec<_> = some.map(|one| (one.definition(), one.assessment.clone())).collect();
        let made = recommend(&judged, temper, &Bounds::default());
        let because = |reason: risk::recommend::Reason| Because { pointer: reason.pointer, why: reason.why };
        let unnamed = tools.iter().map(|one| &one.tool.name).filter(|name| !can_be_named(name));
        Self {
            temper: temper.as_str(),
            document: made.document,
            reasons: made.reasons.into_iter().map(because).collect(),
            unnamed: unnamed.cloned().collect(),
        }
    }

    /// What it says of a tool, in a few words: `allowed`, `asks first`, `30 a minute`.
    #[must_use]
    pub fn says(&self, tool: &str) -> String {
        let hidden = self.document.get("hide").and_then(Value::as_array);
        if hidden.is_some_and(|hidden| hidden.iter().any(|one| one.as_str() == Some(tool))) {
            return "hidden".to_owned();
        }
        let Some(rule) = self.document.get("tools").and_then(|tools| tools.get(tool)) else {
            return "denied".to_owned();
        };
        let mut words = Vec::new();
        if rule.get("action").and_then(Value::as_str) == Some("require_approval") {
            words.push("asks first".to_owned());
        }
        if ["deny_if", "require", "allow_if"].iter().any(|list| rule.get(list).is_some()) {
            words.push("arguments checked".to_owned());
        }
        let limit = rule.pointer("/limits/0/max").and_then(Value::as_u64);
        words.extend(limit.map(|max| format!("{max} a minute")));
        if words.is_empty() { "allowed".to_owned() } else { words.join(", ") }
    }
}
