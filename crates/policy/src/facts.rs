//! What a decision is made on: the tool, the grant and the call.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;

use crate::operand::Numbers;

/// The risk class of a pinned tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Reads and changes nothing.
    Read,
    /// Creates or changes data.
    Write,
    /// Triggers something whose effect depends on the arguments.
    Execute,
    /// Deletes, or changes what cannot be changed back.
    Destructive,
    /// Moves money.
    Financial,
    /// Nothing said what the tool does. Such a tool is under every entry of `classes`, unless there is one for it.
    Unclassified,
}

impl Class {
    /// Every class, in the order of the documentation.
    pub const ALL: [Class; 6] =
        [Class::Read, Class::Write, Class::Execute, Class::Destructive, Class::Financial, Class::Unclassified];

    /// The name as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Read => "read",
            Class::Write => "write",
            Class::Execute => "execute",
            Class::Destructive => "destructive",
            Class::Financial => "financial",
            Class::Unclassified => "unclassified",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no class; one of read, write, execute, destructive, financial and unclassified is")]
pub struct NoSuchClass(pub String);

impl FromStr for Class {
    type Err = NoSuchClass;

    fn from_str(text: &str) -> Result<Class, NoSuchClass> {
        Class::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| NoSuchClass(text.to_owned()))
    }
}

/// A tool as it was accepted: what rules are chosen by.
#[derive(Debug, Clone, Copy)]
pub struct ToolFacts<'a> {
    /// The id of the server that has the tool.
    pub server: &'a str,
    /// The tool's own name on that server.
    pub name: &'a str,
    /// Its risk class.
    pub class: Class,
    /// Whether a person accepted or set the class.
    pub class_accepted: bool,
    /// The JSON text of the accepted `inputSchema`; `None` where the tool has none.
    pub input_schema: Option<&'a str>,
    /// How the server reads numbers.
    pub numbers: Numbers,
}

/// A grant, as rules may read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFacts {
    /// The label of the grant (`grant.label`).
    pub label: String,
    /// Who answers for it (`grant.owner`).
    pub owner: Option<String>,
    /// Free tags (`grant.tags.<key>`).
    pub tags: BTreeMap<String, String>,
    /// The label of the agent that holds it (`agent.label`).
    pub agent_label: String,
}

impl GrantFacts {
    /// A grant with a label and nothing else, which is its own agent.
    #[must_use]
    pub fn labelled(label: &str) -> GrantFacts {
        GrantFacts { label: label.to_owned(), owner: None, tags: BTreeMap::new(), agent_label: label.to_owned() }
    }
}

/// One `tools/call`, after strict parsing.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The JSON text of `params.arguments`, already strictly parsed once; `None` is judged as `{}`.
    pub arguments: Option<&'a str>,
    /// Who calls.
    pub grant: &'a GrantFacts,
    /// The session, where the protocol revision has them.
    pub session: Option<&'a str>,
    /// Where the call came from, where it came over a network.
    pub client_ip: Option<IpAddr>,
    /// When; read once for the whole decision.
    pub now: Timestamp,
}
