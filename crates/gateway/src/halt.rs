//! Nothing is forwarded: somebody has stopped the calls, the caller's grant is over, or this replica has lost its control
//! plane.

use std::sync::Arc;

use mcp::message::{Message, Request};
use mcp::method::Kind;

use crate::admission::{Withdrawn, withdrawn};
use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::pipeline::Judged;
use crate::record::{Judgement, Subject};
use crate::refusal::{self, Refusal, Verdict};

/// Why nothing is forwarded.
pub(crate) struct Halt {
    rule: &'static str,
    counted_as: &'static str,
    reason: String,
}

/// Whether anything may be forwarded for a caller.
pub(crate) fn halted(gateway: &Gateway, caller: &Caller) -> Option<Halt> {
    let withdrawn = withdrawn(gateway, caller)?;
    let (rule, counted_as) = match &withdrawn {
        Withdrawn::Stopped(_) => ("(stopped)", "stopped"),
        Withdrawn::NoLease => ("(no lease)", "no lease"),
        Withdrawn::Token => ("(grant ended)", "wrong token"),
        Withdrawn::Unusable(why) => ("(grant ended)", why.counted_as()),
        Withdrawn::Moved | Withdrawn::Ending => ("(gateway stopped)", "gateway stopped"),
    };
    Some(Halt { rule, counted_as, reason: withdrawn.to_string() })
}

impl Halt {
    /// What the agent reads. A call is recorded as every decision is; all else is counted.
    pub(crate) fn answer(&self, gateway: &Arc<Gateway>, caller: &Caller, message: &Message<'_>) -> Judged {
        match message {
            Message::Request(request) if request.kind == Kind::ToolsCall => self.call(gateway, caller, request),
            Message::Request(request) => {
                gateway.count_refused(self.counted_as, caller);
                Judged::Answer(refusal::error(request.id.raw(), refusal::code::DENIED, &self.reason, 503))
            }
            Message::Notification(_) | Message::Response(_) => {
                gateway.count_refused(self.counted_as, caller);
                Judged::Drop
            }
        }
    }

    /// What is said to whoever opens a stream or ends a session.
    pub(crate) fn of_stream(&self, gateway: &Gateway, caller: &Caller) -> Refusal {
        gateway.count_refused(self.counted_as, caller);
        refusal::error("null", refusal::code::DENIED, &self.reason, 503)
    }

    /// A call that is refused, and recorded as such.
    pub(crate) fn call(&self, gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>) -> Judged {
        let (id, rule) = (gateway.new_id(), policy::rule_id::built_in(self.rule));
        let judgement = Judgement {
            effect: audit::Effect::Deny,
            rule: &rule,
            reason: Some(&self.reason),
            policy: "",
            subject: Subject::Tool(request.params.name.as_deref().unwrap_or_default()),
            arguments: request.params.arguments,
            counts: &[],
            would: &[],
        };
        // It is refused whether or not that can be written.
        let id = match gateway.record(caller, id, request, &judgement) {
            Ok(_) => id.to_string(),
            Err(_) => "unrecorded".to_owned(),
        };
        let verdict = Verdict {
            id: &id,
            effect: "deny",
            rule: &rule.rule,
            reason: &self.reason,
            retry_after: None,
            detail: None,
        };
        Judged::Answer(refusal::denied_call(request.id.raw(), &verdict, caller.dialect()))
    }
}
