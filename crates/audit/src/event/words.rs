//! The words that records use where there is a choice of a few.

use serde::{Deserialize, Serialize};

/// The kinds of records, as `kind` spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// See [`crate::Event::Segment`].
    Segment,
    /// See [`crate::Event::Start`].
    Start,
    /// See [`crate::Event::Decision`].
    Decision,
    /// See [`crate::Event::Outcome`].
    Outcome,
    /// See [`crate::Event::Refused`].
    Refused,
    /// See [`crate::Event::Policy`].
    Policy,
    /// See [`crate::Event::Definition`].
    Definition,
    /// See [`crate::Event::Upstream`].
    Upstream,
    /// See [`crate::Event::Recovered`].
    Recovered,
    /// See [`crate::Event::Checkpoint`].
    Checkpoint,
    /// See [`crate::Event::Stop`].
    Stop,
    /// A kind that a later version writes.
    #[serde(other)]
    Other,
}

/// What was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Forwarded.
    Allow,
    /// Not forwarded, and said so.
    #[default]
    Deny,
    /// Not forwarded, as if there were no such thing.
    Hide,
    /// Not forwarded: somebody has to approve first.
    Ask,
}

/// What became of a forwarded request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Answered with a result.
    Ok,
    /// Answered with a result that says `isError`.
    ToolError,
    /// Answered with a JSON-RPC error.
    RpcError,
    /// No answer in time; whether it took effect is not known.
    Timeout,
    /// Cancelled by the agent; whether it took effect is not known.
    Cancelled,
    /// The connection broke before an answer; whether it took effect is not known.
    Disconnected,
    /// Nothing of it reached the server, provably.
    NotSent,
    /// Anything else; whether it took effect is not known.
    #[default]
    Unknown,
}

/// What happened to an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A child was started or a connection made.
    #[default]
    Started,
    /// A child ended.
    Exited,
    /// It could not be started or reached.
    Failed,
}

impl Kind {
    /// As `kind` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Segment => "segment",
            Kind::Start => "start",
            Kind::Decision => "decision",
            Kind::Outcome => "outcome",
            Kind::Refused => "refused",
            Kind::Policy => "policy",
            Kind::Definition => "definition",
            Kind::Upstream => "upstream",
            Kind::Recovered => "recovered",
            Kind::Checkpoint => "checkpoint",
            Kind::Stop => "stop",
            Kind::Other => "other",
        }
    }
}

impl Effect {
    /// As `effect` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
            Effect::Hide => "hide",
            Effect::Ask => "ask",
        }
    }
}

impl Ending {
    /// As `outcome` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Ok => "ok",
            Ending::ToolError => "tool_error",
            Ending::RpcError => "rpc_error",
            Ending::Timeout => "timeout",
            Ending::Cancelled => "cancelled",
            Ending::Disconnected => "disconnected",
            Ending::NotSent => "not_sent",
            Ending::Unknown => "unknown",
        }
    }
}

impl Change {
    /// As `change` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Started => "started",
            Change::Exited => "exited",
            Change::Failed => "failed",
        }
    }
}
