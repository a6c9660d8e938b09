//! What can be recorded. Events borrow from the call they tell of; nothing is copied to record it.

mod words;

pub use words::{Change, Effect, Ending, Kind};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::signature::{PublicKey, Signature};
use crate::{Head, Id};

/// One event, to be written as one record.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is borrowed for one record; a box would cost every call an allocation"
)]
pub enum Event<'a> {
    /// The head of a segment file, written by the log itself.
    Segment(Segment),
    /// A process began to work.
    Start(Start<'a>),
    /// A request was decided; written before anything of it is forwarded.
    Decision(Decision<'a>),
    /// What became of a forwarded request.
    Outcome(Outcome<'a>),
    /// What has no record of its own, counted by reason: above all requests that were turned away
    /// before there was anything to decide.
    Refused(Refused<'a>),
    /// A policy came into force, or an edit of one was not taken.
    Policy(PolicyNotice<'a>),
    /// A tool's definition was accepted, or is held until somebody accepts it.
    Definition(DefinitionNotice<'a>),
    /// A child or a connection to a server came or went.
    Upstream(Upstream<'a>),
    /// Something that an earlier failure left behind was put right.
    Recovered(Recovered<'a>),
    /// The chain up to here, signed; written by the log itself.
    Checkpoint(Checkpoint),
    /// A process ended in order; nothing follows in its chain.
    Stop(Stop<'a>),
}

/// What a request was about.
#[derive(Clone, Copy, Debug, Default)]
pub enum Target<'a> {
    /// Nothing that has a name.
    #[default]
    None,
    /// A tool, by its name.
    Tool(&'a str),
    /// A resource, by its URI.
    Resource(&'a str),
    /// A prompt, by its name.
    Prompt(&'a str),
}

/// Which arguments a call had: paths of their keys, never a value.
#[derive(Clone, Copy, Debug, Default)]
pub enum ArgumentKeys<'a> {
    /// Not recorded.
    #[default]
    None,
    /// Found in this JSON text while recording, in document order: `to`, `items[*].price`,
    /// `["any key"]`. At most 64 paths of 256 bytes; a last `…` says that there are more.
    In(&'a str),
    /// As listed.
    Paths(&'a [String]),
}

/// A count that was taken (or given back), and by how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Count<'a> {
    /// The canonical text of the count's identity; counts are rebuilt by it.
    pub id: Cow<'a, str>,
    /// The counter's name.
    #[serde(default)]
    pub counter: Cow<'a, str>,
    /// The scope as the policy spells it.
    #[serde(default)]
    pub scope: Cow<'a, str>,
    /// The window as the policy spells it; empty for calls in flight.
    #[serde(default)]
    pub window: Cow<'a, str>,
    /// How much, in millionths.
    #[serde(with = "micros")]
    pub amount: u128,
    /// A lease for a call in flight, which ends with it, rather than a use that stays.
    #[serde(default)]
    pub concurrency: bool,
    /// Of a rule that is only observed.
    #[serde(default)]
    pub observed: bool,
    /// The store was down and the limit lets calls pass then: not in the counts.
    #[serde(default)]
    pub uncounted: bool,
}

/// What was done to an answer on its way back. It counts and names, and holds nothing of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edits {
    /// How often which secret was marked, by the name in its mark.
    #[serde(default)]
    pub redacted: BTreeMap<String, u64>,
    /// How many invisible characters were taken out.
    #[serde(default)]
    pub stripped: u64,
    /// The result was longer than this many bytes, and the agent got an error in its place.
    pub over: Option<u64>,
    /// Searching the answer for this pattern took too long, and the agent got an error in its place.
    pub late: Option<String>,
    /// How many messages before the answer did not go on, because they were too long or took too long.
    #[serde(default)]
    pub dropped: u64,
    /// The policy is only observed: all of this would have been done.
    #[serde(default)]
    pub observed: bool,
}

impl Edits {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.redacted.is_empty()
            && self.stripped == 0
            && self.over.is_none()
            && self.late.is_none()
            && self.dropped == 0
    }

    /// Adds what was done to another message of the same call. What was only observed is said so as long as nothing was done.
    pub fn add(&mut self, other: Edits) {
        self.observed = other.observed && (self.observed || self.is_empty());
        for (name, times) in other.redacted {
            *self.redacted.entry(name).or_default() += times;
        }
        self.stripped += other.stripped;
        self.over = other.over.or(self.over);
        self.late = other.late.or(self.late.take());
        self.dropped += other.dropped;
    }
}

/// What an observed rule would have done.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Would<'a> {
    /// The rule.
    pub rule: Cow<'a, str>,
    /// Its effect, had it been enforced.
    pub effect: Effect,
}

/// See [`Event::Segment`].
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// The chain that the segment belongs to.
    pub chain: Id,
    /// Its number, from 1.
    pub segment: u32,
    /// Head of the segment before; [`Head::EMPTY`] for the first.
    pub previous: Head,
    /// In a first segment: the youngest chain that was there already, and how far it had come.
    pub after: Option<After>,
}

/// How far another chain had come when this one began. A chain that vanishes is missed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct After {
    /// That chain.
    pub chain: Id,
    /// Its last record then.
    pub seq: u64,
    /// That record's hash.
    pub head: Head,
}

/// See [`Event::Start`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// The subcommand, without arguments (they may name secrets).
    pub command: &'a str,
    /// Its process id.
    pub pid: u32,
    /// `buffered` or `strict`.
    pub durability: &'a str,
}

/// See [`Event::Decision`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Decision<'a> {
    /// The decision's own identifier, which the agent is told too.
    pub id: Id,
    /// Label of the grant under which the request came.
    pub grant: Option<&'a str>,
    /// The grant's id, where a control plane gave it.
    pub grant_id: Option<&'a str>,
    /// The id of the organisation that the grant belongs to, where a control plane gave it.
    pub organisation: Option<&'a str>,
    /// The agent that the grant names.
    pub agent: Option<&'a str>,
    /// The server.
    pub server: Option<&'a str>,
    /// A short hash of the session id, never the id itself.
    pub session: Option<&'a str>,
    /// Address that the request came from.
    pub client: Option<IpAddr>,
    /// Protocol revision of the connection.
    pub revision: Option<&'a str>,
    /// JSON-RPC method.
    pub method: Option<&'a str>,
    /// Tool, resource or prompt.
    pub target: Target<'a>,
    /// What was decided.
    pub effect: Effect,
    /// The rule that decided, e.g. `(default deny)`.
    pub rule: Option<&'a str>,
    /// JSON pointer of that rule in the policy.
    pub pointer: Option<&'a str>,
    /// Digest of the policy in force.
    pub policy: Option<&'a str>,
    /// The reason that was given, if any. Never an argument's value.
    pub reason: Option<&'a str>,
    /// Which arguments there were.
    pub argument_keys: ArgumentKeys<'a>,
    /// The counts that were taken for it.
    pub counts: &'a [Count<'a>],
    /// What observed rules would have done.
    pub would: &'a [Would<'a>],
    /// Length of the request, in bytes.
    pub bytes: Option<u64>,
    /// The trace that the request belongs to, as 32 hexadecimal digits.
    pub trace: Option<&'a str>,
}

/// See [`Event::Outcome`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome<'a> {
    /// The decision that it belongs to.
    pub decision: Id,
    /// What became of it.
    pub ending: Ending,
    /// From the record of the decision to the end of the answer, in microseconds.
    pub duration_us: Option<u64>,
    /// Length of the answer, in bytes.
    pub bytes: Option<u64>,
    /// The counts that were given back, as they were taken.
    pub refunded: &'a [Count<'a>],
    /// More about it, in Toolgate's own words. Never text of the server's answer.
    pub reason: Option<&'a str>,
    /// What was done to the answer by `results` of the policy, or would have been.
    pub edits: Option<&'a Edits>,
}

/// See [`Event::Refused`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Refused<'a> {
    /// Why, e.g. `wrong token`.
    pub reason: &'a str,
    /// How often since the last such record.
    pub times: u64,
    /// The server that was asked for, or that brought it.
    pub server: Option<&'a str>,
    /// Where they came from, if all came from one address.
    pub client: Option<IpAddr>,
}

/// See [`Event::Policy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyNotice<'a> {
    /// The server that it governs.
    pub server: Option<&'a str>,
    /// The file it was read from.
    pub file: Option<&'a str>,
    /// Digest of the policy in force after this event.
    pub policy: Option<&'a str>,
    /// Whether the file's content is now in force. `false`: the one before stays.
    pub accepted: bool,
    /// Why it was not accepted.
    pub reason: Option<&'a str>,
}

/// See [`Event::Definition`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DefinitionNotice<'a> {
    /// The server.
    pub server: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// Digest of the definition.
    pub digest: &'a str,
    /// The class that it has, a person's word included.
    pub class: &'a str,
    /// Whether calls are judged by it from now on. `false`: it is held.
    pub accepted: bool,
    /// Who accepted it, or why it is held.
    pub reason: Option<&'a str>,
}

/// See [`Event::Upstream`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Upstream<'a> {
    /// The server.
    pub server: &'a str,
    /// What happened.
    pub change: Change,
    /// The child's process id.
    pub pid: Option<u32>,
    /// How it ended, e.g. `exit status: 1`.
    pub status: Option<&'a str>,
    /// More about it.
    pub reason: Option<&'a str>,
}

/// See [`Event::Recovered`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Recovered<'a> {
    /// What was put right, e.g. `2 outcomes were not recorded while the disk was full`.
    pub reason: &'a str,
    /// How many, where that can be counted.
    pub times: Option<u64>,
}

/// See [`Event::Checkpoint`]. It stands by itself: a copy of its line kept elsewhere says what the chain was.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    /// The chain.
    pub chain: Id,
    /// The hash of the record before this one, which stands for all before it.
    pub head: Head,
    /// The key that signed.
    pub key: PublicKey,
    /// The signature: see [`crate::checkpoint`].
    pub signature: Signature,
}

/// See [`Event::Stop`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Stop<'a> {
    /// Why it ended, e.g. `SIGTERM`.
    pub reason: Option<&'a str>,
}

impl Event<'_> {
    /// The kind of record that it makes.
    pub fn kind(&self) -> Kind {
        match self {
            Event::Segment(_) => Kind::Segment,
            Event::Start(_) => Kind::Start,
            Event::Decision(_) => Kind::Decision,
            Event::Outcome(_) => Kind::Outcome,
            Event::Refused(_) => Kind::Refused,
            Event::Policy(_) => Kind::Policy,
            Event::Definition(_) => Kind::Definition,
            Event::Upstream(_) => Kind::Upstream,
            Event::Recovered(_) => Kind::Recovered,
            Event::Checkpoint(_) => Kind::Checkpoint,
            Event::Stop(_) => Kind::Stop,
        }
    }

    /// The identifier that it brings; all but decisions are given one when they are recorded.
    pub fn id(&self) -> Option<Id> {
        match self {
            Event::Decision(decision) => Some(decision.id),
            _ => None,
        }
    }
}

/// Amounts stand in a record as decimal text (`"12.5"`), so that no reader rounds them.
mod micros {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Vec::new();
        crate::encode::amount(&mut text, *amount);
        serializer.serialize_str(&String::from_utf8_lossy(&text))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| serde::de::Error::custom("an amount has digits and at most 6 decimals"))
    }

    fn parse(text: &str) -> Option<u128> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 6 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let whole: u128 = whole.parse().ok()?;
        let decimals: u128 = format!("{decimals:0<6}").parse().ok()?;
        whole.checked_mul(1_000_000)?.checked_add(decimals)
    }
}
