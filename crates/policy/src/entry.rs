//! The parts of a compiled policy.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use crate::condition::{Condition, Op};
use crate::facts::Class;
use crate::limit::Limit;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::rule_id::RuleId;

/// What an entry does with a call that reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// No objection.
    Allow,
    RequireApproval,
    Deny,
    Hide,
}

/// How arguments are held against the accepted input schema; the stricter is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SchemaMode {
    Off,
    Check,
    Closed,
}

/// Where an entry stands, in the order in which entries are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Tools,
    Class(Class),
    AllTools,
}

/// The rules for some tools.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) section: Section,
    /// Only under `tools`.
    pub(crate) pattern: Option<Pattern>,
    /// The key, as written: a pattern, a class, or `all_tools`.
    pub(crate) name: String,
    pub(crate) rule: Arc<RuleId>,
    pub(crate) action: Action,
    pub(crate) action_rule: Arc<RuleId>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) visible: bool,
    pub(crate) require: Vec<Arc<Clause>>,
    pub(crate) deny_if: Vec<Arc<Clause>>,
    pub(crate) approval_if: Vec<Arc<Clause>>,
    /// `limits`, then `rate_limit`.
    pub(crate) limits: Vec<Arc<Limit>>,
    pub(crate) approval: Option<Approval>,
    pub(crate) schema: Option<SchemaMode>,
    pub(crate) schema_rule: Arc<RuleId>,
    /// By its own `mode` or the document's.
    pub(crate) observed: bool,
    pub(crate) valid_until: Option<Timestamp>,
    /// The bytes of the key.
    pub(crate) key_range: Range<usize>,
    /// The bytes of `limits[i]` and of `rate_limit`, beside `limits`.
    pub(crate) limit_ranges: Vec<Range<usize>>,
}

impl Entry {
    /// Every clause, in the order of evaluation.
    pub(crate) fn clauses(&self) -> impl Iterator<Item = (ClauseKind, &Arc<Clause>)> {
        let require = self.require.iter().map(|clause| (ClauseKind::Require, clause));
        let deny_if = self.deny_if.iter().map(|clause| (ClauseKind::DenyIf, clause));
        let approval_if = self.approval_if.iter().map(|clause| (ClauseKind::ApprovalIf, clause));
        require.chain(deny_if).chain(approval_if)
    }

    /// Whether a clause or an amount reads the arguments.
    pub(crate) fn reads_arguments(&self) -> bool {
        self.clauses().any(|(_, clause)| clause.reads_arguments)
            || self.limits.iter().any(|limit| limit.amount.is_some())
    }
}

/// Which array a clause stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClauseKind {
    Require,
    DenyIf,
    ApprovalIf,
}

impl ClauseKind {
    /// The name of the field.
    pub(crate) fn field(self) -> &'static str {
        match self {
            ClauseKind::Require => "require",
            ClauseKind::DenyIf => "deny_if",
            ClauseKind::ApprovalIf => "require_approval_if",
        }
    }
}

/// Conditions joined by AND.
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) rule: Arc<RuleId>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) on_deny: Option<Arc<str>>,
    pub(crate) reads_arguments: bool,
    /// The tests in it, for the findings of `check`.
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) range: Range<usize>,
}

/// One `{ path, op, value }` as written.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Path,
    pub(crate) path_range: Range<usize>,
    pub(crate) op: Op,
    pub(crate) op_range: Range<usize>,
    pub(crate) value_range: Range<usize>,
    /// The literal strings of the value; empty for other types and for `{ "path": … }`.
    pub(crate) strings: Vec<String>,
    /// The value is an empty array.
    pub(crate) empty: bool,
    pub(crate) missing: Option<bool>,
    /// Under an odd number of `not`.
    pub(crate) negated: bool,
    /// The array that `item` stands for.
    pub(crate) each: Option<Path>,
    pub(crate) range: Range<usize>,
}

/// How a held call would be approved. Compiled and kept, not obeyed by this build, which refuses such calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// `role:…`, `member:…`, `group:…`; empty means the default approvers.
    pub approvers: Vec<String>,
    /// How many of them must agree.
    pub quorum: u32,
    /// How often one approval can be redeemed.
    pub uses: u32,
    /// Seconds after which an unanswered request ends.
    pub expires_in_s: Option<u64>,
    /// Seconds within which an approval must be redeemed.
    pub redeem_within_s: u64,
    /// How many requests of one grant may wait.
    pub max_pending: u32,
}

impl Default for Approval {
    fn default() -> Approval {
        Approval {
            approvers: Vec::new(),
            quorum: 1,
            uses: 1,
            expires_in_s: None,
            redeem_within_s: 900,
            max_pending: 20,
        }
    }
}
