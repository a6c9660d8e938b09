//! The outcome of judging one call.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::limit::LimitUses;
use crate::rule_id::RuleId;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is forwarded once its limits are taken and its record is written.
    Allow,
    /// It needs a person's approval. This build has no approvals, so it is refused with a text that says so.
    Ask,
    /// It is denied, and the agent is told why.
    Deny,
    /// The tool does not exist for this grant.
    Hide,
}

impl Effect {
    /// The word used in records and texts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "allow",
            Effect::Ask => "ask",
            Effect::Deny => "deny",
            Effect::Hide => "hide",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an observed rule would have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Would {
    /// The observed rule.
    #[serde(serialize_with = "rule")]
    pub rule: Arc<RuleId>,
    /// Its effect, had it been enforced.
    pub effect: Effect,
}

fn rule<S: Serializer>(rule: &Arc<RuleId>, serializer: S) -> Result<S::Ok, S::Error> {
    RuleId::serialize(rule, serializer)
}

/// The outcome of judging one call, before its limits are taken.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What becomes of the call.
    pub effect: Effect,
    /// Which rule decided; of an allowed call, the entry that allowed it.
    pub rule: Arc<RuleId>,
    /// The text for the agent: the policy's own, or one that says what is wrong. `None` when allowed.
    pub reason: Option<Arc<str>>,
    /// Operands and values, for people with the right to know; never for the audit log.
    pub detail: Option<String>,
    /// Limits to take, all or none, before an allowed call is forwarded, and to look at before one is asked for.
    /// Those with `limit.observed` are shadow counts: they never stop a call. Empty when denied or hidden.
    pub limits: LimitUses,
    /// Limits with `count: "attempts"`, to take when the call is not forwarded after all. Empty when hidden.
    pub attempts: LimitUses,
    /// What observed rules would have done.
    pub would: SmallVec<[Would; 1]>,
}

impl Decision {
    /// Whether the call may go on to its limits.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }
}

/// What a policy says of a resource, a prompt or a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It passes.
    Allow {
        /// The line that allows it.
        rule: Arc<RuleId>,
        /// What observed lines would have done.
        would: Option<Would>,
    },
    /// It is denied, and the agent is told why.
    Deny {
        /// The line that denies it.
        rule: Arc<RuleId>,
        /// The text for the agent.
        reason: Arc<str>,
    },
    /// It does not exist for this grant.
    Hide {
        /// The line that hides it.
        rule: Arc<RuleId>,
    },
}

impl Access {
    /// Whether it passes.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Access::Allow { .. })
    }

    /// The line that decided.
    #[must_use]
    pub fn rule(&self) -> &Arc<RuleId> {
        match self {
            Access::Allow { rule, .. } | Access::Deny { rule, .. } | Access::Hide { rule } => rule,
        }
    }
}
