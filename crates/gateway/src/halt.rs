//! Nothing is forwarded: somebody has stopped the calls, or this replica has lost its control plane.

use std::sync::Arc;

use mcp::message::{Message, Request};
use mcp::method::Kind;

use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::pipeline::Judged;
use crate::record::{Judgement, Subject};
use crate::refusal::{self, Verdict};

/// What agents are told by a replica without a lease.
pub(crate) const NO_LEASE: &str = "This gateway has lost its control plane, so it forwards nothing; it goes on by itself when the control plane is back.";

/// Why nothing is forwarded.
pub(crate) struct Halt {
    rule: &'static str,
    counted_as: &'static str,
    reason: String,
}

/// Whether anything may be forwarded for a caller.
pub(crate) fn halted(gateway: &Gateway, caller: &Caller) -> Option<Halt> {
    if let Some(reason) = caller.grant.stopped() {
        return Some(Halt { rule: "(stopped)", counted_as: "stopped", reason: reason.to_string() });
    }
    if !gateway.lease().holds() {
        return Some(Halt { rule: "(no lease)", counted_as: "no lease", reason: NO_LEASE.to_owned() });
    }
    None
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
