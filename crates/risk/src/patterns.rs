//! Attacks on agents and their tools: who is exposed to one, what has happened, what breaks or
//! bounds it, and what remains.
//!
//! A pattern is matched by what a tool can do, so that a match says something about the tool it
//! stands at. What concerns any server is matched once for a stack, never for each tool.
//!
//! ```
//! use risk::patterns::of_tool;
//! use risk::{Definition, assess};
//!
//! let tool = Definition { name: "delete_database", description: "Deletes a database", ..Definition::default() };
//! let matches = of_tool(&tool, &assess(&tool));
//! assert_eq!(matches[0].pattern.id, "destructive-action-autonomy");
//! assert!(matches[0].why.starts_with("`delete_database` is Destructive"));
//! ```

mod agent;
mod arguments;
mod chains;
mod condition;
mod injection;
mod matching;
mod protocol;
mod servers;
mod spending;

pub use chains::{Chain, Link, Wide, chains, wide};
pub use condition::{Argument, Condition, Ground};
pub use matching::{Match, Member, Played, StackMatch, of_stack, of_tool};

use policy::Class;
use policy::cases::Expect;

use crate::severity::Severity;

/// A way in which agents and their tools are attacked, or fail by themselves.
#[derive(Debug)]
pub struct Pattern {
    /// Its name in addresses and reports; it stays.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// How bad it is where it succeeds.
    pub severity: Severity,
    /// What it is.
    pub summary: &'static str,
    /// How it works, a sentence a step.
    pub steps: &'static [&'static str],
    /// Who is exposed.
    pub exposure: Exposure,
    /// Why what is exposed is: the end of a sentence that begins with the tool and what it can do.
    pub because: &'static str,
    /// What has happened, the latest first.
    pub incidents: &'static [Incident],
    /// What breaks or bounds it, the best first.
    pub controls: &'static [Control],
    /// What no control here removes.
    pub remains: &'static str,
}

impl Pattern {
    /// How well it is documented: by the gravest of its incidents.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.incidents.iter().map(|incident| incident.kind).max() {
            None => Status::Partial,
            Some(Kind::Vulnerability | Kind::Research) => Status::Demonstrated,
            Some(Kind::Happened) => Status::Verified,
        }
    }
}

/// What a pattern belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What agents do by themselves.
    AgentBehaviour,
    /// What text that an agent reads makes it do.
    Injection,
    /// What a server, its definitions or its package do.
    Servers,
    /// What a tool's arguments make its server do.
    Arguments,
    /// What messages, tokens and sessions let through.
    Protocol,
}

impl Group {
    /// Every group, in the order of the page.
    pub const ALL: [Group; 5] =
        [Group::AgentBehaviour, Group::Injection, Group::Servers, Group::Arguments, Group::Protocol];

    /// The heading.
    ///
    /// ```
    /// assert_eq!(risk::patterns::Group::Protocol.title(), "Protocol and identity");
    /// ```
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Group::AgentBehaviour => "Agent behaviour",
            Group::Injection => "Text that agents read",
            Group::Servers => "Servers and their definitions",
            Group::Arguments => "Arguments",
            Group::Protocol => "Protocol and identity",
        }
    }
}

/// Who is exposed to a pattern.
#[derive(Debug)]
pub enum Exposure {
    /// A tool, by what it can do.
    Tool(Condition),
    /// The tools of a stack that play these roles together, where no tool plays them all alone.
    Together(&'static [Role]),
    /// A stack with at least so many tools of this kind.
    Many(usize, Condition),
    /// A stack of two or more servers.
    SeveralServers,
    /// Any server: who, in words. Matched once for a stack.
    Server(&'static str),
}

/// A part that a tool plays in an attack that needs several.
#[derive(Debug)]
pub struct Role {
    /// Its name in reports.
    pub name: &'static str,
    /// What plays it.
    pub condition: Condition,
}

/// How well a pattern is documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has happened to somebody, and a public source says so.
    Verified,
    /// Researchers have shown it, or a product had a hole for it.
    Demonstrated,
    /// No public and dated case is listed here.
    Partial,
}

impl Status {
    /// The name, in lower case.
    ///
    /// ```
    /// assert_eq!(risk::patterns::Status::Verified.as_str(), "verified");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Verified => "verified",
            Status::Demonstrated => "demonstrated",
            Status::Partial => "partial",
        }
    }
}

/// Something that happened or was shown.
#[derive(Debug)]
pub struct Incident {
    /// The day or the month, as ISO 8601 writes it.
    pub date: &'static str,
    /// What it was.
    pub kind: Kind,
    /// What happened.
    pub what: &'static str,
    /// Where it is described.
    pub source_url: &'static str,
}

/// What an incident was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A hole in a product, found and fixed.
    Vulnerability,
    /// A demonstration or a study.
    Research,
    /// It happened to somebody.
    Happened,
}

impl Kind {
    /// The word for it.
    ///
    /// ```
    /// assert_eq!(risk::patterns::Kind::Research.as_str(), "research");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Vulnerability => "vulnerability",
            Kind::Research => "research",
            Kind::Happened => "incident",
        }
    }
}

/// What breaks or bounds a pattern.
#[derive(Debug)]
pub enum Control {
    /// A rule of a policy.
    Rule(Rule),
    /// Pinned definitions: what is new or changed waits until it is accepted.
    Pin(Shown),
    /// A grant of its own, with a policy of its own.
    Grant(Shown),
    /// A check of who calls, and for whom.
    Identity(Shown),
    /// What the gateway does without being told.
    Always(Shown),
}

impl Control {
    /// What it does, in a sentence.
    #[must_use]
    pub fn says(&self) -> &'static str {
        match self {
            Control::Rule(rule) => rule.says,
            Control::Pin(shown) | Control::Grant(shown) | Control::Identity(shown) | Control::Always(shown) => {
                shown.says
            }
        }
    }

    /// The word for it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Control::Rule(_) => "rule",
            Control::Pin(_) => "pin",
            Control::Grant(_) => "grant",
            Control::Identity(_) => "identity",
            Control::Always(_) => "always",
        }
    }
}

/// A rule, with a call that it stops and one that still works. Both are tested.
#[derive(Debug)]
pub struct Rule {
    /// What it does, in a sentence.
    pub says: &'static str,
    /// The policy.
    pub policy: &'static str,
    /// A call of the attack.
    pub stops: Call,
    /// A call of honest work.
    pub allows: Call,
}

/// A call, and what must come of it.
#[derive(Debug)]
pub struct Call {
    /// The tool.
    pub tool: &'static str,
    /// Its class.
    pub class: Class,
    /// The arguments, as JSON.
    pub arguments: &'static str,
    /// How often it is made; the last one is judged.
    pub repeat: u32,
    /// What must come of it.
    pub expect: Expect,
}

/// A control that a test of the whole product shows.
#[derive(Debug)]
pub struct Shown {
    /// What it does, in a sentence.
    pub says: &'static str,
    /// The test: suite, file and function.
    pub shown_by: &'static str,
}

/// Every pattern, by group.
///
/// ```
/// assert!(risk::patterns::patterns().any(|pattern| pattern.id == "mcp-rug-pull"));
/// ```
pub fn patterns() -> impl Iterator<Item = &'static Pattern> {
    [
        agent::PATTERNS,
        spending::PATTERNS,
        injection::PATTERNS,
        servers::PATTERNS,
        arguments::PATTERNS,
        protocol::PATTERNS,
    ]
    .into_iter()
    .flatten()
}

/// A call that a rule stops.
const fn stopped(tool: &'static str, class: Class, arguments: &'static str, expect: Expect) -> Call {
    Call { tool, class, arguments, repeat: 1, expect }
}

/// A call that a rule lets pass.
const fn allowed(tool: &'static str, class: Class, arguments: &'static str) -> Call {
    Call { tool, class, arguments, repeat: 1, expect: Expect::Allow }
}
