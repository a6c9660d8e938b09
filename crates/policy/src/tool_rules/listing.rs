//! Whether a tool is listed: not when its verdict is a denial whatever the call.

use jiff::Timestamp;
use mcp::json::Value;

use crate::condition::{Condition, Context, Facts, Polarity, Truth, evaluate};
use crate::entry::{Clause, ClauseKind};
use crate::facts::GrantFacts;
use crate::operand::Operand;
use crate::path::{ContextKey, Path, Root};

use super::ToolRules;

/// A truth as far as it is known before there is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    True,
    False,
    Undecidable,
    /// It depends on the call.
    Open,
}

impl ToolRules {
    /// Whether the tool is listed for this grant: known, and, with arguments, time, session, address, counters and
    /// approvals unknown, not already denied or hidden. A tool denied by `action` with `visible` is listed.
    #[must_use]
    pub fn listed(&self, grant: &GrantFacts) -> bool {
        if self.hidden.is_some() || self.held.is_some() {
            return false;
        }
        let open = self.document.default_allow || self.document.observed || self.openers.any();
        if !open || self.denials.iter().any(|denial| !denial.visible) {
            return false;
        }
        // Rules that read what is unknown here are not evaluated, so these stand for nothing.
        let arguments = Value::Null;
        let context = Context {
            grant,
            server_name: &self.server,
            tool_name: &self.tool,
            tool_class: self.class,
            session_id: None,
            client_ip: None,
            now: Timestamp::UNIX_EPOCH,
            zone: &self.document.zone,
        };
        let facts = Facts { args: &arguments, context: &context, numbers: self.numbers };
        let denies = |clause: &Clause, kind| {
            let known = all(clause.conditions.iter().map(|condition| known(condition, &facts)));
            match kind {
                ClauseKind::Require => matches!(known, Known::False | Known::Undecidable),
                ClauseKind::DenyIf | ClauseKind::ApprovalIf => matches!(known, Known::True | Known::Undecidable),
            }
        };
        !self.require.iter().any(|clause| denies(clause, ClauseKind::Require))
            && !self.deny_if.iter().any(|clause| denies(clause, ClauseKind::DenyIf))
    }

    /// Whether some call of the tool could pass, arguments, time and counters unknown: it is listed, and not only for its
    /// reason to be read. By this a task is judged whose call was allowed before.
    #[must_use]
    pub fn could_pass(&self, grant: &GrantFacts) -> bool {
        self.denials.is_empty() && self.listed(grant)
    }
}

fn all(parts: impl Iterator<Item = Known>) -> Known {
    parts.fold(Known::True, |whole, part| match (whole, part) {
        (Known::False, _) | (_, Known::False) => Known::False,
        (Known::Open, _) | (_, Known::Open) => Known::Open,
        (Known::Undecidable, _) | (_, Known::Undecidable) => Known::Undecidable,
        (Known::True, Known::True) => Known::True,
    })
}

fn not(known: Known) -> Known {
    match known {
        Known::True => Known::False,
        Known::False => Known::True,
        other => other,
    }
}

fn known(condition: &Condition, facts: &Facts<'_>) -> Known {
    match condition {
        Condition::AnyOf(parts) => not(all(parts.iter().map(|part| not(known(part, facts))))),
        Condition::Not(inner) => not(known(inner, facts)),
        Condition::Each { .. } => Known::Open,
        Condition::Test(test) => {
            let operand_known = match &test.value {
                Operand::Literal(_) => true,
                Operand::Path(path) => is_known(path),
            };
            if !is_known(&test.path) || !operand_known {
                return Known::Open;
            }
            match evaluate(std::slice::from_ref(condition), facts, Polarity::Allows) {
                Truth::True => Known::True,
                Truth::False => Known::False,
                Truth::Undecidable(_) => Known::Undecidable,
            }
        }
    }
}

/// Whether a path reads only what is the same for every call of the grant.
fn is_known(path: &Path) -> bool {
    match path.root() {
        Root::Args | Root::Item => false,
        Root::Context(key) => !matches!(
            key,
            ContextKey::SessionId
                | ContextKey::ClientIp
                | ContextKey::TimeNow
                | ContextKey::TimeHour
                | ContextKey::TimeWeekday
        ),
    }
}
