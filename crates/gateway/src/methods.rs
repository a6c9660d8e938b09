//! Everything that is not a tool call: prompts, resources, the server's questions, housekeeping.

use std::sync::Arc;

use audit::Effect;
use jiff::Timestamp;
use mcp::message::{Notification, Reference, Request, Response};
use mcp::method::{Kind, Sender};
use policy::{Access, Policy, RuleId};
use store::log::AuditDown;

use crate::caller::{Caller, Dialect};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::pipeline::Judged;
use crate::policy_file::InForce;
use crate::record::{Judgement, Recorded, Subject};
use crate::refusal::{self, Refusal, Verdict};
use crate::ticket::Ticket;

/// Questions that a server may ask an agent, if the policy names them.
const QUESTIONS: [(&str, &str); 3] =
    [("sampling/createMessage", "sampling"), ("elicitation/create", "elicitation"), ("roots/list", "roots")];

/// Judges a request that is no tool call.
pub(crate) fn request(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, kind: Kind) -> Judged {
    let Some(cell) = &caller.grant.binding.policy else {
        return match kind {
            Kind::Initialize | Kind::Discover | Kind::Ping => pass(caller, request, kind, None),
            _ => not_found(caller, request),
        };
    };
    let in_force = cell.on(caller.grant.server().id());
    let policy = &in_force.policy;
    match kind {
        Kind::Discover if caller.dialect() == Dialect::Legacy => {
            // A recognised modern error would stop a client's fall-back, so this is a plain one.
            let text = "server/discover belongs to 2026-07-28, and the request names another revision";
            Judged::Answer(refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 400))
        }
        Kind::Initialize | Kind::Discover | Kind::Ping | Kind::ToolsList => {
            pass(caller, request, kind, without_denied_capabilities(policy, request))
        }
        Kind::PromptsList if !policy.any_prompt() => not_found(caller, request),
        Kind::ResourcesList | Kind::TemplatesList if !policy.any_resource() => not_found(caller, request),
        Kind::PromptsList | Kind::ResourcesList | Kind::TemplatesList => pass(caller, request, kind, None),
        Kind::PromptsGet => {
            let name = request.params.name.as_deref().unwrap_or_default();
            judged(gateway, caller, request, kind, &in_force, Subject::Prompt(name), policy.prompt(name))
        }
        Kind::ResourcesRead | Kind::ResourcesSubscribe => {
            let uri = request.params.uri.as_deref().unwrap_or_default();
            judged(gateway, caller, request, kind, &in_force, Subject::Resource(uri), policy.resource(uri))
        }
        Kind::Completion => completion(gateway, caller, request, &in_force),
        Kind::LoggingSetLevel if policy.logging_allowed() => pass(caller, request, kind, None),
        Kind::SubscriptionsListen => listen(gateway, caller, request, &in_force),
        // Tasks come with the gateway's own sealed task ids; until then none was created here.
        Kind::Tasks | Kind::LoggingSetLevel => refused(gateway, caller, request, &in_force),
        _ => match policy.method(&request.method) {
            access @ Access::Allow { .. } if sent_by_agents(&request.method) => {
                judged(gateway, caller, request, kind, &in_force, Subject::Method, access)
            }
            _ => refused(gateway, caller, request, &in_force),
        },
    }
}

/// Judges a notification of the agent: what the revisions know passes, all else is dropped.
pub(crate) fn notification(gateway: &Arc<Gateway>, caller: &Caller, notification: &Notification<'_>) -> Judged {
    let known = mcp::method::find(&notification.method)
        .is_some_and(|known| known.notification && known.sender != Sender::Server);
    if known {
        return Judged::Forward { edited: None, expected: None };
    }
    let allowed = caller
        .grant
        .binding
        .policy
        .as_ref()
        .is_some_and(|cell| cell.now().policy.permits_method_by_name(&notification.method));
    if allowed {
        return Judged::Forward { edited: None, expected: None };
    }
    gateway.count_refused("unknown notification", caller);
    Judged::Drop
}

/// An answer of the agent: it passes only if the server had asked that, in this conversation.
pub(crate) fn response(gateway: &Arc<Gateway>, caller: &Caller, response: &Response<'_>) -> Judged {
    let asked = response.id.as_ref().is_some_and(|id| gateway.sessions().answered(&caller.conversation(), &id.key()));
    if asked {
        Judged::Forward { edited: None, expected: None }
    } else {
        gateway.count_refused("answer to no question", caller);
        let text = "this answers no question that the server has asked in this session";
        Judged::Answer(refusal::error("null", refusal::code::INVALID_REQUEST, text, 400))
    }
}

/// The request without the capabilities to answer questions that the policy does not let the
/// server ask, so that it need not ask in vain; `None` if nothing is to be taken away.
pub(crate) fn without_denied_capabilities(policy: &Policy, request: &Request<'_>) -> Option<String> {
    // Few requests declare any, and what is denied takes a while to find out.
    let (span, declared) = match request.kind {
        Kind::Initialize => (request.params.spans.capabilities?, request.params.capabilities?),
        _ => (request.params.spans.meta_client_capabilities?, request.params.meta_client_capabilities?),
    };
    let denied: Vec<&str> = QUESTIONS
        .iter()
        .filter(|(method, _)| !policy.permits_method_by_name(method))
        .map(|(_, capability)| *capability)
        .chain(["tasks"])
        .collect();
    let paths: Vec<&[&str]> = denied.iter().map(std::slice::from_ref).collect();
    let kept = mcp::result::without_members(declared, &paths).ok()??;
    mcp::message::splice(request.raw, &[(span.range(), &kept)])
}

/// The capabilities of a server of which the policy allows nothing.
pub(crate) fn denied_server_capabilities(policy: &Policy) -> Vec<&'static str> {
    let mut denied = vec!["tasks"];
    if !policy.any_prompt() {
        denied.push("prompts");
    }
    if !policy.any_resource() {
        denied.push("resources");
    }
    if !policy.any_prompt() && !policy.any_resource() {
        denied.push("completions");
    }
    if !policy.logging_allowed() {
        denied.push("logging");
    }
    denied
}

/// What a server is told whose question the policy forbids.
pub(crate) fn refused_question(id: &str, method: &str) -> String {
    match method {
        // The protocol's own way of saying no.
        "elicitation/create" => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"action":"decline"}}}}"#),
        "sampling/createMessage" => {
            refusal::error(id, -1, "Sampling was refused: the policy of this grant does not allow it", 200).body
        }
        _ => refusal::method_not_found(id, method, Dialect::Legacy).body,
    }
}

/// Whether a policy lets a server ask `method`.
pub(crate) fn may_ask(policy: Option<&Policy>, method: &str) -> bool {
    method == "ping" || policy.is_some_and(|policy| policy.permits_method_by_name(method))
}

fn sent_by_agents(method: &str) -> bool {
    !QUESTIONS.iter().any(|(question, _)| *question == method)
}

fn pass(caller: &Caller, request: &Request<'_>, kind: Kind, edited: Option<String>) -> Judged {
    Judged::Forward { edited, expected: Some(Expected::answer(caller, request, kind)) }
}

fn not_found(caller: &Caller, request: &Request<'_>) -> Judged {
    Judged::Answer(refusal::method_not_found(request.id.raw(), &request.method, caller.dialect()))
}

fn completion(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, in_force: &InForce) -> Judged {
    let policy = &in_force.policy;
    match request.params.completes() {
        Some(Reference::Prompt(name)) => {
            judged(gateway, caller, request, Kind::Completion, in_force, Subject::Prompt(&name), policy.prompt(&name))
        }
        Some(Reference::Resource(uri)) => {
            judged(gateway, caller, request, Kind::Completion, in_force, Subject::Resource(&uri), policy.resource(&uri))
        }
        None => {
            let text = "completion/complete needs a `ref` to a prompt or a resource";
            Judged::Answer(refusal::error(request.id.raw(), refusal::code::INVALID_PARAMS, text, 200))
        }
    }
}

/// A subscription follows the resources it names; the kinds of list_changed say nothing of what
/// is hidden.
fn listen(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, in_force: &InForce) -> Judged {
    for uri in subscribed_resources(request) {
        let access = in_force.policy.resource(&uri);
        if !matches!(access, Access::Allow { .. }) {
            return judged(
                gateway,
                caller,
                request,
                Kind::SubscriptionsListen,
                in_force,
                Subject::Resource(&uri),
                access,
            );
        }
    }
    match gateway.streams().open(caller, request.id.raw()) {
        Ok(stream) => Judged::Forward {
            edited: without_denied_capabilities(&in_force.policy, request),
            expected: Some(Expected::subscription(caller, request, stream)),
        },
        Err(refusal) => {
            gateway.count_refused("too many streams", caller);
            Judged::Answer(refusal)
        }
    }
}

/// The resources that a subscription names; what cannot be read is a name that nothing allows.
fn subscribed_resources(request: &Request<'_>) -> Vec<String> {
    let Some(wanted) = request.params.notifications.and_then(|wanted| mcp::json::parse(wanted).ok()) else {
        return Vec::new();
    };
    let uris = wanted.get("resourceSubscriptions").and_then(mcp::json::Value::as_array).unwrap_or_default();
    uris.iter().map(|uri| uri.as_str().unwrap_or_default().to_owned()).collect()
}

/// A method that is not offered here: recorded, and answered as one that does not exist.
fn refused(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, in_force: &InForce) -> Judged {
    let rule = match in_force.policy.method(&request.method) {
        Access::Deny { rule, .. } | Access::Hide { rule } => rule,
        Access::Allow { .. } => policy::rule_id::built_in("(default deny)"),
    };
    match record(gateway, caller, request, Effect::Deny, &rule, in_force, Subject::Method) {
        Ok(_) => not_found(caller, request),
        Err(refusal) => Judged::Answer(refusal),
    }
}

fn judged(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    kind: Kind,
    in_force: &InForce,
    subject: Subject<'_>,
    access: Access,
) -> Judged {
    let id = request.id.raw();
    match access {
        Access::Allow { rule, .. } => {
            let Ok(permit) = Arc::clone(&caller.grant.server().calls).try_acquire_owned() else {
                let text = "too many requests to this server are under way; repeat it when one has ended";
                return Judged::Answer(refusal::error(id, refusal::code::INTERNAL, text, 200));
            };
            match record(gateway, caller, request, Effect::Allow, &rule, in_force, subject) {
                Ok((decision, recorded)) => {
                    let ticket = Ticket::new(gateway, caller, decision, Timestamp::now(), Box::default(), recorded);
                    let edited = without_denied_capabilities(&in_force.policy, request);
                    let expected = Expected::recorded(caller, request, kind, ticket, permit);
                    Judged::Forward { edited, expected: Some(expected) }
                }
                Err(refusal) => Judged::Answer(refusal),
            }
        }
        Access::Hide { rule } => match record(gateway, caller, request, Effect::Hide, &rule, in_force, subject) {
            Ok(_) => Judged::Answer(match subject {
                Subject::Prompt(name) => refusal::unknown_prompt(id, name),
                Subject::Resource(uri) => refusal::unknown_resource(id, uri, caller.dialect()),
                _ => refusal::method_not_found(id, &request.method, caller.dialect()),
            }),
            Err(refusal) => Judged::Answer(refusal),
        },
        Access::Deny { rule, reason } => match record(gateway, caller, request, Effect::Deny, &rule, in_force, subject)
        {
            Ok((decision, _)) => {
                let verdict = Verdict {
                    id: &decision.to_string(),
                    effect: "deny",
                    rule: &rule.rule,
                    reason: &reason,
                    retry_after: None,
                    detail: None,
                };
                Judged::Answer(refusal::denied_request(id, &verdict))
            }
            Err(refusal) => Judged::Answer(refusal),
        },
    }
}

fn record(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    effect: Effect,
    rule: &RuleId,
    in_force: &InForce,
    subject: Subject<'_>,
) -> Result<(audit::Id, Recorded), Refusal> {
    let id = gateway.new_id();
    let judgement = Judgement {
        effect,
        rule,
        reason: None,
        policy: &in_force.digest,
        subject,
        arguments: request.params.arguments,
        counts: &[],
        would: &[],
    };
    match gateway.record(caller, id, request, &judgement) {
        Ok(recorded) => Ok((id, recorded)),
        Err(down) => Err(unrecorded(request, &down)),
    }
}

/// What the agent reads of a request that cannot be recorded.
pub(crate) fn unrecorded(request: &Request<'_>, down: &AuditDown) -> Refusal {
    let text = format!("the request cannot be recorded ({down}), so it was not made");
    refusal::error(request.id.raw(), refusal::code::INTERNAL, &text, 200)
}
