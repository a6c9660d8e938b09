//! Quotas: what a call uses up, of which count.

use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use smallvec::SmallVec;

use crate::path::Path;
use crate::rule_id::RuleId;

/// Whose use is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Each grant on its own.
    Grant,
    /// All grants of one agent.
    Agent,
    /// Each session; a call without one counts for its grant.
    Session,
    /// All use of the server, by every policy.
    Server,
    /// All use of the organisation, by every policy.
    Organisation,
    /// Each tool on its own.
    Tool,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 6] =
        [Scope::Grant, Scope::Agent, Scope::Session, Scope::Server, Scope::Organisation, Scope::Tool];

    /// The name as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Grant => "grant",
            Scope::Agent => "agent",
            Scope::Session => "session",
            Scope::Server => "server",
            Scope::Organisation => "organisation",
            Scope::Tool => "tool",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which calls a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Those that go to the server.
    Forwarded,
    /// Also those that are denied or asked.
    Attempts,
}

/// When a use is given back, to the bucket that it came from, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refund {
    /// Provably nothing reached the upstream.
    NotSent,
    /// Never.
    Never,
    /// Also after a complete JSON-RPC error or an `isError` answer.
    OnError,
}

/// What happens while the counts cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStoreDown {
    /// The call is denied.
    Deny,
    /// This limit has no objection; the call passes if every unreachable limit says so.
    Allow,
}

/// One compiled limit.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The name of the count. Of a `rate_limit` it is the rule id of its entry, and `private_to_entry` is set.
    pub counter: String,
    /// The window; `None` for calls in flight.
    pub window: Option<quota::Window>,
    /// The zone of calendar windows.
    pub zone: TimeZone,
    /// A quota, or calls in flight.
    pub kind: quota::Kind,
    /// What fits, inclusive.
    pub max: quota::Amount,
    /// Whose use is counted together, sorted, without repetition, never empty.
    pub scope: Vec<Scope>,
    /// Which calls count.
    pub count: Count,
    /// When a use is given back.
    pub refund: Refund,
    /// What happens while the counts cannot be reached.
    pub on_store_down: OnStoreDown,
    /// The text for the agent when the limit is full.
    pub on_deny: Option<Arc<str>>,
    /// The name of this limit.
    pub rule: Arc<RuleId>,
    /// A limit of an observed entry: count it apart (a shadow count) and never stop a call for it.
    pub observed: bool,
    /// The count belongs to this entry alone and is not shared by name (`rate_limit`).
    pub private_to_entry: bool,
    /// The policy spans several servers, and so do its counts: a grant, an agent or a session has one for all of them.
    pub spans: bool,
    /// The argument whose value is added; `None` adds one.
    pub(crate) amount: Option<Path>,
}

impl Limit {
    /// The path of the argument that says how much a call uses; `None` where every call uses one.
    #[must_use]
    pub fn amount_path(&self) -> Option<&Path> {
        self.amount.as_ref()
    }
}

/// How much one call uses of one limit.
#[derive(Debug, Clone)]
pub struct LimitUse {
    /// The limit.
    pub limit: Arc<Limit>,
    /// By how much.
    pub amount: quota::Amount,
}

/// The limits of one call.
pub type LimitUses = SmallVec<[LimitUse; 2]>;
