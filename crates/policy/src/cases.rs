//! The tests of a policy: calls with the outcome that they must have.

mod run;

use std::net::IpAddr;
use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;

use crate::facts::{Class, GrantFacts};

pub use self::run::{Outcome, run};

/// The outcome that a test expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The call is forwarded.
    Allow,
    /// It is denied by a rule.
    Deny,
    /// The tool does not exist for the grant.
    Hide,
    /// A limit is full.
    Limit,
    /// A person must approve it.
    Approval,
}

impl Expect {
    /// Every outcome.
    pub const ALL: [Expect; 5] = [Expect::Allow, Expect::Deny, Expect::Hide, Expect::Limit, Expect::Approval];

    /// The word as tests write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Expect::Allow => "allow",
            Expect::Deny => "deny",
            Expect::Hide => "hide",
            Expect::Limit => "limit",
            Expect::Approval => "approval",
        }
    }
}

/// The circumstances of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// When; 2026-01-05T12:00:00Z unless the test says otherwise.
    pub time: Timestamp,
    /// Who calls; the grant `local` unless the test says otherwise.
    pub grant: GrantFacts,
    /// From where.
    pub client: Option<IpAddr>,
    /// The class of the tool.
    pub class: Class,
    /// Counters, or rule ids of limits, and how much of them is used before the first call.
    pub used: Vec<(String, quota::Amount)>,
}

/// 2026-01-05T12:00:00Z, a Monday.
const NOON: Timestamp = Timestamp::constant(1_767_614_400, 0);

impl Default for Given {
    fn default() -> Given {
        Given {
            time: NOON,
            grant: GrantFacts::labelled("local"),
            client: None,
            class: Class::Unclassified,
            used: Vec::new(),
        }
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name; the tool's where it has none.
    pub name: String,
    /// The tool that is called.
    pub call: String,
    /// The JSON text of the arguments; `None` for none.
    pub arguments: Option<String>,
    /// The circumstances.
    pub given: Given,
    /// How often the call is made; the last one is judged.
    pub repeat: u32,
    /// What must come out.
    pub expect: Expect,
    /// The readable id of the rule that must decide.
    pub rule: Option<String>,
    /// Where the test stands in the document.
    pub pointer: String,
    /// The bytes of the test.
    pub range: Range<usize>,
}
