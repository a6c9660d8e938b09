//! From a decision to its audit record.

use audit::{ArgumentKeys, Count, Decision, Effect, Ending, Event, Outcome, Target, Would};
use jiff::Timestamp;
use mcp::message::Request;
use policy::RuleId;
use store::log::{AuditDown, Commit};

use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::spans::OpenSpan;
use crate::ticket::Ended;

/// What a request is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A tool, by name.
    Tool(&'a str),
    /// A prompt, by name.
    Prompt(&'a str),
    /// A resource, by URI.
    Resource(&'a str),
    /// The method itself.
    Method,
}

/// A decision, to be recorded.
pub(crate) struct Judgement<'a> {
    /// What was decided.
    pub(crate) effect: Effect,
    /// By which rule.
    pub(crate) rule: &'a RuleId,
    /// What the agent was told.
    pub(crate) reason: Option<&'a str>,
    /// Digest of the policy in force.
    pub(crate) policy: &'a str,
    /// What the request is about.
    pub(crate) subject: Subject<'a>,
    /// The raw arguments, whose keys are recorded.
    pub(crate) arguments: Option<&'a str>,
    /// The counts that were taken.
    pub(crate) counts: &'a [Count<'a>],
    /// What observed rules would have done.
    pub(crate) would: &'a [Would<'a>],
}

/// A decision that was recorded.
pub(crate) struct Recorded {
    /// The end of writing it.
    pub(crate) commit: Commit,
    /// The span of the request, where one is kept: with a refusal it ends at once, when this is dropped.
    pub(crate) span: Option<Box<OpenSpan>>,
}

impl Gateway {
    /// Writes the record of a decision. With buffered durability it is in the log when this returns;
    /// with strict durability nothing may be forwarded before the [`Commit`] is there.
    ///
    /// # Errors
    /// [`AuditDown`]: nothing may be forwarded.
    pub(crate) fn record(
        &self,
        caller: &Caller,
        id: audit::Id,
        request: &Request<'_>,
        judgement: &Judgement<'_>,
    ) -> Result<Recorded, AuditDown> {
        let session = caller.session.map(|session| session.text());
        let policy = (!judgement.policy.is_empty()).then_some(judgement.policy);
        let commit = self.log().submit(&Event::Decision(Decision {
            id,
            organisation: caller.grant.terms.is_some().then_some(&*caller.grant.organisation),
            grant: Some(caller.grant.label()),
            grant_id: caller.grant.terms.as_ref().map(|terms| terms.id.as_str()),
            agent: Some(&caller.grant.facts.agent_label),
            server: Some(caller.grant.server().id()),
            session: session.as_deref().and_then(|text| text.get(..12)),
            client: caller.client_ip,
            revision: caller.revision.map(mcp::revision::Revision::as_str),
            method: Some(&request.method),
            target: match judgement.subject {
                Subject::Tool(name) => Target::Tool(name),
                Subject::Prompt(name) => Target::Prompt(name),
                Subject::Resource(uri) => Target::Resource(uri),
                Subject::Method => Target::None,
            },
            effect: judgement.effect,
            rule: Some(&judgement.rule.rule),
            pointer: (!judgement.rule.pointer.is_empty()).then_some(judgement.rule.pointer.as_str()),
            policy,
            reason: judgement.reason,
            argument_keys: judgement.arguments.map_or(ArgumentKeys::None, ArgumentKeys::In),
            counts: judgement.counts,
            would: judgement.would,
            bytes: u64::try_from(request.raw.len()).ok(),
            trace: caller.trace.as_ref().map(|trace| trace.id()),
        }));
        if let Some(Err(down)) = commit.now() {
            self.measures().unrecorded.count();
            return Err(down);
        }
        caller.grant.server().measures.decided(judgement.effect, judgement.rule);
        let span = self.spans().and_then(|spans| spans.open(caller, id, request, judgement));
        Ok(Recorded { commit, span })
    }

    /// Writes what became of a forwarded request. It joins the next write.
    pub(crate) fn record_outcome(&self, ending: &Settled<'_>) {
        let duration = ending.now.duration_since(ending.since);
        self.log().append_later(&Event::Outcome(Outcome {
            decision: ending.decision,
            ending: ending.ended.in_record(),
            duration_us: u64::try_from(duration.as_micros()).ok(),
            bytes: u64::try_from(ending.bytes).ok(),
            refunded: ending.refunded,
            reason: ending.reason,
            edits: ending.edits,
        }));
    }
}

/// The end of a forwarded request, to be recorded.
pub(crate) struct Settled<'a> {
    pub(crate) decision: audit::Id,
    pub(crate) since: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) ended: Ended,
    pub(crate) reason: Option<&'a str>,
    pub(crate) bytes: usize,
    pub(crate) refunded: &'a [Count<'a>],
    pub(crate) edits: Option<&'a audit::Edits>,
}

impl Ended {
    fn in_record(self) -> Ending {
        match self {
            Self::Ok => Ending::Ok,
            Self::ToolError => Ending::ToolError,
            Self::RpcError => Ending::RpcError,
            Self::Timeout => Ending::Timeout,
            Self::Unknown => Ending::Unknown,
            Self::Cancelled => Ending::Cancelled,
            Self::Disconnected => Ending::Disconnected,
            Self::NotSent => Ending::NotSent,
        }
    }
}
