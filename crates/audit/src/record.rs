//! A record as it is read back.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;

use crate::event::{
    After, ArgumentKeys, Change, Checkpoint, Count, Decision, DefinitionNotice, Edits, Effect, Ending, Event, Kind,
    Outcome, PolicyNotice, Recovered, Refused, Segment, Start, Stop, Target, Upstream, Would,
};
use crate::signature::{PublicKey, Signature};
use crate::{Head, Id, Stamp, chain};

/// One record. Which members are there depends on its [`Kind`]; those that a later version adds
/// are passed over when reading (they are hashed all the same).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "each member is documented at the event that it comes from")]
pub struct Record {
    pub seq: u64,
    pub id: Id,
    pub time: Timestamp,
    pub kind: Kind,

    pub format: Option<u32>,
    pub chain: Option<Id>,
    pub segment: Option<u32>,
    pub previous: Option<Head>,
    pub after: Option<After>,

    pub version: Option<String>,
    pub command: Option<String>,
    pub pid: Option<u32>,
    pub durability: Option<String>,

    pub organisation: Option<String>,
    pub grant: Option<String>,
    pub grant_id: Option<String>,
    pub agent: Option<String>,
    pub server: Option<String>,
    pub session: Option<String>,
    pub client: Option<IpAddr>,
    pub revision: Option<String>,
    pub method: Option<String>,
    pub tool: Option<String>,
    pub uri: Option<String>,
    pub prompt: Option<String>,
    pub effect: Option<Effect>,
    pub rule: Option<String>,
    pub pointer: Option<String>,
    pub policy: Option<String>,
    pub argument_keys: Option<Vec<String>>,
    #[serde(default)]
    pub counts: Vec<Count<'static>>,
    #[serde(default)]
    pub would: Vec<Would<'static>>,
    pub trace: Option<String>,

    pub decision: Option<Id>,
    pub outcome: Option<Ending>,
    pub duration_us: Option<u64>,
    pub bytes: Option<u64>,
    #[serde(default)]
    pub refunded: Vec<Count<'static>>,
    pub edits: Option<Edits>,

    pub times: Option<u64>,
    pub file: Option<String>,
    pub accepted: Option<bool>,
    pub digest: Option<String>,
    pub class: Option<String>,
    pub change: Option<Change>,
    pub status: Option<String>,
    pub reason: Option<String>,

    pub head: Option<Head>,
    pub key: Option<PublicKey>,
    pub signature: Option<Signature>,

    pub hash: Head,
}

/// A line that is not a record.
#[derive(Debug, thiserror::Error)]
#[error("not an audit record: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

impl Record {
    /// Reads one line (with or without its line feed). The hash is read, not checked: that takes
    /// the record before it, see [`crate::Verifier`].
    ///
    /// # Errors
    /// When the line is not a JSON object with the members that every record has.
    pub fn decode(line: &[u8]) -> Result<Record, DecodeError> {
        Ok(serde_json::from_slice(line)?)
    }

    /// Whether the record carries the hash that follows from `prev` and its line.
    pub fn follows(line: &[u8], prev: &Head) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        chain::split(line).is_some_and(|(body, hash)| prev.then(&[body, b"}"]) == hash)
    }

    /// What the log added to the event.
    pub fn stamp(&self) -> Stamp {
        Stamp { seq: self.seq, id: self.id, time: self.time }
    }

    /// The name of the tool, resource or prompt.
    pub fn target(&self) -> Target<'_> {
        match (&self.tool, &self.uri, &self.prompt) {
            (Some(tool), _, _) => Target::Tool(tool),
            (_, Some(uri), _) => Target::Resource(uri),
            (_, _, Some(prompt)) => Target::Prompt(prompt),
            _ => Target::None,
        }
    }

    /// The event that it tells of: encoded again with the same [`Stamp`] and head it gives the
    /// same bytes. `None` for a kind that a later version writes, or a checkpoint without its signature.
    pub fn event(&self) -> Option<Event<'_>> {
        Some(match self.kind {
            Kind::Segment => Event::Segment(Segment {
                chain: self.chain.unwrap_or_default(),
                segment: self.segment.unwrap_or_default(),
                previous: self.previous.unwrap_or_default(),
                after: self.after,
            }),
            Kind::Start => Event::Start(Start {
                version: self.version.as_deref().unwrap_or_default(),
                command: self.command.as_deref().unwrap_or_default(),
                pid: self.pid.unwrap_or_default(),
                durability: self.durability.as_deref().unwrap_or_default(),
            }),
            Kind::Decision => Event::Decision(self.decided()),
            Kind::Outcome => Event::Outcome(Outcome {
                decision: self.decision.unwrap_or_default(),
                ending: self.outcome.unwrap_or_default(),
                duration_us: self.duration_us,
                bytes: self.bytes,
                refunded: &self.refunded,
                reason: self.reason.as_deref(),
                edits: self.edits.as_ref(),
            }),
            Kind::Refused => Event::Refused(Refused {
                reason: self.reason.as_deref().unwrap_or_default(),
                times: self.times.unwrap_or_default(),
                server: self.server.as_deref(),
                client: self.client,
            }),
            Kind::Policy => Event::Policy(PolicyNotice {
                server: self.server.as_deref(),
                file: self.file.as_deref(),
                policy: self.policy.as_deref(),
                accepted: self.accepted.unwrap_or_default(),
                reason: self.reason.as_deref(),
            }),
            Kind::Definition => Event::Definition(DefinitionNotice {
                server: self.server.as_deref().unwrap_or_default(),
                tool: self.tool.as_deref().unwrap_or_default(),
                digest: self.digest.as_deref().unwrap_or_default(),
                class: self.class.as_deref().unwrap_or_default(),
                accepted: self.accepted.unwrap_or_default(),
                reason: self.reason.as_deref(),
            }),
            Kind::Upstream => Event::Upstream(Upstream {
                server: self.server.as_deref().unwrap_or_default(),
                change: self.change.unwrap_or_default(),
                pid: self.pid,
                status: self.status.as_deref(),
                reason: self.reason.as_deref(),
            }),
            Kind::Recovered => {
                Event::Recovered(Recovered { reason: self.reason.as_deref().unwrap_or_default(), times: self.times })
            }
            Kind::Checkpoint => Event::Checkpoint(Checkpoint {
                chain: self.chain.unwrap_or_default(),
                head: self.head.unwrap_or_default(),
                key: self.key?,
                signature: self.signature?,
            }),
            Kind::Stop => Event::Stop(Stop { reason: self.reason.as_deref() }),
            Kind::Other => return None,
        })
    }

    fn decided(&self) -> Decision<'_> {
        Decision {
            id: self.id,
            organisation: self.organisation.as_deref(),
            grant: self.grant.as_deref(),
            grant_id: self.grant_id.as_deref(),
            agent: self.agent.as_deref(),
            server: self.server.as_deref(),
            session: self.session.as_deref(),
            client: self.client,
            revision: self.revision.as_deref(),
            method: self.method.as_deref(),
            target: self.target(),
            effect: self.effect.unwrap_or_default(),
            rule: self.rule.as_deref(),
            pointer: self.pointer.as_deref(),
            policy: self.policy.as_deref(),
            reason: self.reason.as_deref(),
            argument_keys: self.argument_keys.as_deref().map_or(ArgumentKeys::None, ArgumentKeys::Paths),
            counts: &self.counts,
            would: &self.would,
            bytes: self.bytes,
            trace: self.trace.as_deref(),
        }
    }
}
