//! Everything that is not a tool call: prompts, resources, the server's questions, housekeeping.

pub mod table;

use std::sync::Arc;

use audit::{Effect, Would};
use jiff::Timestamp;
use mcp::message::{Notification, Reference, Request, Response};
use mcp::method::Kind;
use policy::{Access, Policy};
use store::log::AuditDown;

use self::table::Rule;
use crate::caller::{Caller, Dialect};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::pipeline::{Judged, in_record};
use crate::policy_file::InForce;
use crate::record::{Judgement, Recorded, Subject};
use crate::refusal::{self, Refusal, Verdict};
use crate::tasks;
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
    let access = policy.method(&request.method);
    match table::of_agent(kind, &request.method) {
        Rule::Handshake if kind == Kind::Discover && caller.dialect() == Dialect::Legacy => {
            // A recognised modern error would stop a client's fall-back, so this is a plain one.
            let text = "server/discover belongs to 2026-07-28, and the request names another revision";
            Judged::Answer(refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 400))
        }
        Rule::Handshake | Rule::Nothing | Rule::Tools => {
            pass(caller, request, kind, without_denied_capabilities(policy, request))
        }
        Rule::AnyPrompt if !policy.any_prompt() => not_found(caller, request),
        Rule::AnyResource if !policy.any_resource() => not_found(caller, request),
        Rule::AnyPrompt | Rule::AnyResource => pass(caller, request, kind, None),
        // What `methods` hides or denies is so whatever it is about.
        _ if !access.is_allowed() => refused(gateway, caller, request, &in_force),
        Rule::Prompt => {
            let name = request.params.name.as_deref().unwrap_or_default();
            judged(gateway, caller, request, kind, &in_force, Subject::Prompt(name), policy.prompt(name))
        }
        Rule::Resource => {
            let uri = request.params.uri.as_deref().unwrap_or_default();
            judged(gateway, caller, request, kind, &in_force, Subject::Resource(uri), policy.resource(uri))
        }
        Rule::Reference => completion(gateway, caller, request, &in_force),
        Rule::Logging => pass(caller, request, kind, None),
        Rule::Subscription => listen(gateway, caller, request, &in_force),
        Rule::ByName if sent_by_agents(kind) => {
            judged(gateway, caller, request, kind, &in_force, Subject::Method, access)
        }
        // Calls and tasks come this way only if somebody forgot where they are judged.
        Rule::ByName | Rule::ByNameOf(_) | Rule::Tool | Rule::Task | Rule::OwnTask | Rule::OwnTasks => {
            refused(gateway, caller, request, &in_force)
        }
    }
}

/// Whether the revision that is spoken does not have a method that another one has. An agent that falls back on stdio
/// begins with `initialize` while the newest revision is still what it spoke last.
pub(crate) fn is_of_another_revision(caller: &Caller, kind: Kind, method: &str) -> bool {
    let known = || mcp::method::find(method).zip(caller.revision);
    !matches!(kind, Kind::Initialize | Kind::Discover | Kind::Unknown)
        && known().is_some_and(|(known, revision)| !known.exists_in(revision))
}

/// Judges a notification of the agent: what is refused is dropped.
pub(crate) fn notification(gateway: &Arc<Gateway>, caller: &Caller, notification: &Notification<'_>) -> Judged {
    let in_force = caller.grant.binding.policy.as_ref().map(|cell| cell.now());
    let policy = in_force.as_ref().map(|now| &now.policy);
    let passes = match table::of_agent(notification.kind, &notification.method) {
        _ if is_of_another_revision(caller, notification.kind, &notification.method) => false,
        Rule::Nothing => true,
        Rule::ByNameOf(other) => policy.is_some_and(|policy| policy.names_method(other)),
        _ => policy.is_some_and(|policy| policy.names_method(&notification.method)),
    };
    if passes {
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
    let mut denied: Vec<&[&str]> = Vec::new();
    for (method, capability) in &QUESTIONS {
        if !policy.permits_method_by_name(method) {
            denied.push(std::slice::from_ref(capability));
        }
    }
    // In 2025-11-25 it says that the agent runs tasks for the server, in 2026-07-28 that it understands those of the server.
    if !tasks::of_agents_allowed(policy) {
        denied.push(&["tasks"]);
    }
    if !policy.method("tasks/get").is_allowed() {
        denied.push(&["extensions", mcp::task::EXTENSION]);
    }
    let paths = denied;
    let kept = mcp::result::without_members(declared, &paths).ok()??;
    mcp::message::splice(request.raw, &[(span.range(), &kept)])
}

/// The capabilities of a server of which the policy allows nothing, as paths.
pub(crate) fn denied_server_capabilities(policy: &Policy) -> Vec<&'static [&'static str]> {
    let mut denied: Vec<&[&str]> = Vec::new();
    let allows = |method| policy.method(method).is_allowed();
    if !policy.any_prompt() {
        denied.push(&["prompts"]);
    }
    if !policy.any_resource() {
        denied.push(&["resources"]);
    }
    if (!policy.any_prompt() && !policy.any_resource()) || !allows("completion/complete") {
        denied.push(&["completions"]);
    }
    if !policy.logging_allowed() {
        denied.push(&["logging"]);
    }
    if !allows("tasks/get") {
        denied.push(&["tasks"]);
        denied.push(&["extensions", mcp::task::EXTENSION]);
    } else {
        for (method, path) in [("tasks/list", &["tasks", "list"]), ("tasks/cancel", &["tasks", "cancel"])] {
            if !allows(method) {
                denied.push(path);
            }
        }
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
    match table::of_server(mcp::method::lookup(method)) {
        Rule::Nothing => method == "ping",
        _ => policy.is_some_and(|policy| policy.names_method(method)),
    }
}

/// Whether a policy lets a server say something unasked. What is said of tasks is looked at elsewhere.
pub(crate) fn may_say(policy: Option<&Policy>, notification: &Notification<'_>) -> bool {
    let method = &notification.method;
    let rule = table::of_server(notification.kind);
    if rule == Rule::Nothing {
        return true;
    }
    let Some(policy) = policy else { return false };
    match rule {
        Rule::ByName => policy.names_method(method),
        Rule::ByNameOf(other) => policy.names_method(other),
        _ if !policy.method(method).is_allowed() => false,
        Rule::Logging => policy.logging_allowed(),
        Rule::AnyPrompt => policy.any_prompt(),
        Rule::AnyResource => policy.any_resource(),
        Rule::Resource => notification.params.uri.as_deref().is_some_and(|uri| policy.resource(uri).is_allowed()),
        Rule::Task => policy.method("tasks/get").is_allowed(),
        Rule::Nothing
        | Rule::Handshake
        | Rule::Tools
        | Rule::Tool
        | Rule::Prompt
        | Rule::Reference
        | Rule::OwnTask
        | Rule::OwnTasks
        | Rule::Subscription => false,
    }
}

/// What servers ask is nothing that an agent may ask, whatever the policy names.
fn sent_by_agents(kind: Kind) -> bool {
    !matches!(kind, Kind::Sampling | Kind::Elicitation | Kind::Roots)
}

pub(crate) fn pass(caller: &Caller, request: &Request<'_>, kind: Kind, edited: Option<String>) -> Judged {
    Judged::Forward { edited, expected: Some(Expected::answer(caller, request, kind)) }
}

pub(crate) fn not_found(caller: &Caller, request: &Request<'_>) -> Judged {
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
    let Some(uris) = request.params.subscribes() else {
        let text =
            "what `notifications` names cannot be told: `resourceSubscriptions` is an array of URIs, in that spelling";
        return Judged::Answer(refusal::error(request.id.raw(), refusal::code::INVALID_PARAMS, text, 200));
    };
    for uri in uris {
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

/// A method that is not offered here: recorded, and answered as one that does not exist.
pub(crate) fn refused(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, in_force: &InForce) -> Judged {
    let rule = match in_force.policy.method(&request.method) {
        Access::Deny { rule, .. } | Access::Hide { rule } => rule,
        Access::Allow { .. } => policy::rule_id::built_in("(default deny)"),
    };
    let denied = Access::Deny { rule, reason: Arc::from("") };
    match record(gateway, caller, request, &denied, in_force, Subject::Method) {
        Ok(_) => not_found(caller, request),
        Err(refusal) => Judged::Answer(refusal),
    }
}

pub(crate) fn judged(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    kind: Kind,
    in_force: &InForce,
    subject: Subject<'_>,
    access: Access,
) -> Judged {
    let id = request.id.raw();
    match &access {
        Access::Allow { .. } => {
            let Ok(permit) = Arc::clone(&caller.grant.server().calls).try_acquire_owned() else {
                let text = "too many requests to this server are under way; repeat it when one has ended";
                return Judged::Answer(refusal::error(id, refusal::code::INTERNAL, text, 200));
            };
            match record(gateway, caller, request, &access, in_force, subject) {
                Ok((decision, recorded)) => {
                    let ticket = Ticket::new(gateway, caller, decision, Timestamp::now(), Box::default(), recorded);
                    let edited = without_denied_capabilities(&in_force.policy, request);
                    let expected = Expected::recorded(caller, request, kind, ticket, permit);
                    Judged::Forward { edited, expected: Some(expected) }
                }
                Err(refusal) => Judged::Answer(refusal),
            }
        }
        Access::Hide { .. } => match record(gateway, caller, request, &access, in_force, subject) {
            Ok(_) => Judged::Answer(match subject {
                Subject::Prompt(name) => refusal::unknown_prompt(id, name),
                Subject::Resource(uri) => refusal::unknown_resource(id, uri, caller.dialect()),
                _ => refusal::method_not_found(id, &request.method, caller.dialect()),
            }),
            Err(refusal) => Judged::Answer(refusal),
        },
        Access::Deny { rule, reason } => match record(gateway, caller, request, &access, in_force, subject) {
            Ok((decision, _)) => {
                let verdict = Verdict {
                    id: &decision.to_string(),
                    effect: "deny",
                    rule: &rule.rule,
                    reason,
                    retry_after: None,
                    detail: None,
                };
                Judged::Answer(refusal::denied_request(id, &verdict))
            }
            Err(refusal) => Judged::Answer(refusal),
        },
    }
}

/// Records what became of a request, and what observed lines would have made of it.
pub(crate) fn record(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    access: &Access,
    in_force: &InForce,
    subject: Subject<'_>,
) -> Result<(audit::Id, Recorded), Refusal> {
    let id = gateway.new_id();
    let (effect, would) = match access {
        Access::Allow { would, .. } => (Effect::Allow, would.as_ref()),
        Access::Deny { .. } => (Effect::Deny, None),
        Access::Hide { .. } => (Effect::Hide, None),
    };
    let would = would.map(|would| Would { rule: would.rule.rule.as_str().into(), effect: in_record(would.effect) });
    let judgement = Judgement {
        effect,
        rule: access.rule(),
        reason: None,
        policy: &in_force.digest,
        subject,
        arguments: request.params.arguments,
        counts: &[],
        would: would.as_slice(),
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
