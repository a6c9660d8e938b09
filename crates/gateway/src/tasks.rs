//! Tasks: calls whose result is fetched later.
//!
//! The call that creates a task is judged, counted and recorded as every call is. Its agent gets an id of the gateway's
//! own, which holds the server's id and the tool, sealed for the grant and the server; so a task is known without a
//! table, at every replica, and one that another grant has created cannot be named. Whoever asks for a task is judged
//! afresh: what a tool that is denied by now has done is not given out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mcp::message::{Message, Request};
use mcp::method::Kind;
use mcp::task::{Naming, Place};
use policy::{Access, Policy};

use crate::caller::{Caller, Dialect};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::grant::Book;
use crate::methods;
use crate::methods::table::{self, Rule};
use crate::pipeline::{self, AskForTools, Judged};
use crate::record::Subject;
use crate::refusal;
use crate::seal::Task;

/// A task under both of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The server's name of it, and the tool whose call created it.
    pub(crate) task: Task,
    /// The agent's.
    pub(crate) id: String,
}

/// Whether a server offers tasks, as far as it has said so: in either era, because the generations differ.
#[derive(Debug, Default)]
pub struct Offered {
    legacy: AtomicU8,
    modern: AtomicU8,
}

const YES: u8 = 1;
const NO: u8 = 2;

impl Offered {
    /// Reads it off what the server says of itself to an agent.
    pub(crate) fn learn(&self, dialect: Dialect, result: &str) {
        let path: &[&str] = match dialect {
            Dialect::Legacy => &["capabilities", "tasks"],
            Dialect::Modern => &["capabilities", "extensions", mcp::task::EXTENSION],
        };
        let offers = matches!(mcp::json::locate(result, path), Ok(Some(_)));
        self.of(dialect).store(if offers { YES } else { NO }, Ordering::Relaxed);
    }

    /// Whether it has said that it does not.
    fn denied(&self, dialect: Dialect) -> bool {
        self.of(dialect).load(Ordering::Relaxed) == NO
    }

    fn of(&self, dialect: Dialect) -> &AtomicU8 {
        match dialect {
            Dialect::Legacy => &self.legacy,
            Dialect::Modern => &self.modern,
        }
    }
}

/// What a task may do for its agent now.
enum Standing {
    Open,
    /// The tool is not there for this agent.
    Hidden,
    Denied(&'static str, String),
}

/// The task that an agent names, if this grant has created it.
pub(crate) fn open(gateway: &Gateway, caller: &Caller, id: &str) -> Option<Named> {
    let task = gateway.seal().open_task(id, caller.grant.key(), caller.grant.server().id())?;
    Some(Named { task, id: id.to_owned() })
}

/// A task that a call of `tool` has created, as its agent is to know it.
pub(crate) fn created(gateway: &Gateway, caller: &Caller, tool: &str, upstream: &str) -> Option<Named> {
    let task = Task { tool: tool.to_owned(), upstream: upstream.to_owned() };
    let id = gateway.seal().seal_task(&task, caller.grant.key(), caller.grant.server().id())?;
    let named = Named { task, id };
    gateway.sessions().task(&caller.conversation(), named.clone());
    Some(named)
}

/// Whether a policy lets the server ask for tasks of the agent's own (2025-11-25): sampling and elicitation that run as
/// tasks there.
pub(crate) fn of_agents_allowed(policy: &Policy) -> bool {
    policy.names_method("tasks/get") && policy.names_method("tasks/result")
}

/// What to answer a message that names a task which its sender has not created; before anything is decided on it.
pub(crate) fn unknown(gateway: &Arc<Gateway>, caller: &Caller, message: &Message<'_>) -> Option<Judged> {
    let mut stranger = false;
    let asks = asks_for_tasks(message);
    if !asks && !may_be_related(message) {
        return None;
    }
    let foreign_may_pass = caller
        .grant
        .binding
        .policy
        .as_ref()
        .is_some_and(|cell| of_agents_allowed(&cell.on(caller.grant.server().id()).policy));
    let read = mcp::task::rename(message.raw(), |place, id| {
        let wanted = match place {
            Place::Subject => asks && is_request(message),
            Place::Wanted => true,
            Place::Related => !foreign_may_pass,
            Place::Created | Place::Listed => false,
        };
        stranger |= wanted && id.and_then(|id| open(gateway, caller, id)).is_none();
        Naming::Keep
    });
    if read.is_ok() && !stranger {
        return None;
    }
    gateway.count_refused("unknown task", caller);
    Some(match message {
        // As the server itself would answer.
        Message::Request(request)
            if request.kind == Kind::Tasks && caller.grant.server().tasks.denied(caller.dialect()) =>
        {
            methods::not_found(caller, request)
        }
        Message::Request(request) if !declares_tasks(caller, request) => {
            Judged::Answer(refusal::tasks_not_declared(request.id.raw()))
        }
        Message::Request(request) => Judged::Answer(refusal::unknown_task(request.id.raw())),
        Message::Notification(_) => Judged::Drop,
        Message::Response(_) => {
            let text = "this answer names a task that was not created here";
            Judged::Answer(refusal::error("null", refusal::code::INVALID_REQUEST, text, 400))
        }
    })
}

/// Puts the server's names of tasks into what is forwarded.
pub(crate) fn forwarded(gateway: &Gateway, caller: &Caller, message: &Message<'_>, judged: Judged) -> Judged {
    let Judged::Forward { edited, expected } = judged else { return judged };
    if !asks_for_tasks(message) && !may_be_related(message) {
        return Judged::Forward { edited, expected };
    }
    let about_a_task = asks_for_tasks(message) && is_request(message);
    let text = edited.as_deref().unwrap_or_else(|| message.raw());
    let renamed = mcp::task::rename(text, |place, id| match place {
        Place::Subject if !about_a_task => Naming::Keep,
        Place::Subject | Place::Wanted | Place::Related => {
            let named = id.and_then(|id| open(gateway, caller, id));
            named.map_or(Naming::Keep, |named| Naming::As(named.task.upstream))
        }
        Place::Created | Place::Listed => Naming::Keep,
    });
    let edited = renamed.ok().flatten().or(edited);
    Judged::Forward { edited, expected }
}

/// Judges a request of the `tasks` family.
pub(crate) async fn request(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    upstream: &dyn AskForTools,
) -> Judged {
    let Some(cell) = &caller.grant.binding.policy else { return methods::not_found(caller, request) };
    let in_force = cell.on(caller.grant.server().id());
    let access = in_force.policy.method(&request.method);
    if !access.is_allowed() {
        return methods::refused(gateway, caller, request, &in_force);
    }
    let Some(id) = request.params.task_id.as_deref() else {
        // A list: what comes back is filtered, as every list is.
        return methods::pass(caller, request, Kind::Tasks, None);
    };
    let Some(named) = open(gateway, caller, id) else {
        return Judged::Answer(refusal::unknown_task(request.id.raw()));
    };
    gateway.sessions().task(&caller.conversation(), named.clone());
    let standing = match table::of_agent(request.kind, &request.method) {
        Rule::OwnTask => Standing::Open,
        _ => match pipeline::known_list(gateway, caller, upstream).await {
            Ok(list) => {
                let now = cell.on(caller.grant.server().id());
                standing(caller, &caller.grant.binding.book(&now, &list), &named.task.tool)
            }
            Err(reason) => Standing::Denied("(evaluation error)", format!("The task cannot be judged: {reason}.")),
        },
    };
    // The server may have taken its time to list its tools.
    if let Some(halt) = pipeline::halt(gateway, caller, &Message::Request(request.clone())) {
        return halt;
    }
    let in_force = cell.on(caller.grant.server().id());
    let subject = Subject::Tool(&named.task.tool);
    let access = match standing {
        Standing::Open => access,
        Standing::Hidden => Access::Hide { rule: policy::rule_id::built_in("(hidden)") },
        Standing::Denied(rule, reason) => {
            Access::Deny { rule: policy::rule_id::built_in(rule), reason: Arc::from(reason) }
        }
    };
    if let Access::Hide { .. } = &access {
        let recorded = methods::record(gateway, caller, request, &access, &in_force, subject);
        return Judged::Answer(match recorded {
            Ok(_) => refusal::unknown_task(request.id.raw()),
            Err(refusal) => refusal,
        });
    }
    let judged = methods::judged(gateway, caller, request, Kind::Tasks, &in_force, subject, access);
    knowing(judged, vec![named])
}

/// Judges a subscription that is to tell of tasks: each of them as if its result were asked for.
pub(crate) async fn subscription(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    request: &Request<'_>,
    upstream: &dyn AskForTools,
) -> Judged {
    let wanted = wanted(gateway, caller, request);
    if wanted.is_empty() {
        return methods::request(gateway, caller, request, request.kind);
    }
    let Some(cell) = &caller.grant.binding.policy else { return methods::not_found(caller, request) };
    let list = match pipeline::known_list(gateway, caller, upstream).await {
        Ok(list) => list,
        Err(reason) => {
            let text = format!("The tasks cannot be judged: {reason}.");
            return Judged::Answer(refusal::error(request.id.raw(), refusal::code::INTERNAL, &text, 200));
        }
    };
    let in_force = cell.on(caller.grant.server().id());
    if !in_force.policy.method("tasks/get").is_allowed() {
        return methods::refused(gateway, caller, request, &in_force);
    }
    let book = caller.grant.binding.book(&in_force, &list);
    for named in &wanted {
        if !matches!(standing(caller, &book, &named.task.tool), Standing::Open) {
            gateway.count_refused("unknown task", caller);
            return Judged::Answer(refusal::unknown_task(request.id.raw()));
        }
        gateway.sessions().task(&caller.conversation(), named.clone());
    }
    knowing(methods::request(gateway, caller, request, request.kind), wanted)
}

/// What a server's message is to call a task. `None` for one that this stream and this conversation know nothing of.
pub(crate) fn known(gateway: &Gateway, caller: &Caller, expected: Option<&Expected>, upstream: &str) -> Option<Named> {
    let here = expected.and_then(|expected| expected.tasks().iter().find(|named| named.task.upstream == upstream));
    here.cloned().or_else(|| gateway.sessions().task_of(&caller.conversation(), upstream))
}

/// Whether an agent may still hear of a task, as far as is known without asking the server.
pub(crate) fn may_be_told(caller: &Caller, named: &Named) -> bool {
    let Some(cell) = &caller.grant.binding.policy else { return false };
    let in_force = cell.on(caller.grant.server().id());
    let Some(list) = caller.grant.binding.last_list() else { return false };
    in_force.policy.method("tasks/get").is_allowed()
        && matches!(standing(caller, &caller.grant.binding.book(&in_force, &list), &named.task.tool), Standing::Open)
}

/// Whether the result that a task's answer carries says that the tool has failed.
pub(crate) fn has_failed(result: &str) -> bool {
    let said =
        |path: &[&str]| mcp::json::locate(result, path).ok().flatten().is_some_and(|span| span.of(result) == "true");
    said(&["isError"]) || said(&["result", "isError"])
}

fn standing(caller: &Caller, book: &Book, tool: &str) -> Standing {
    let Some((listed, rules)) = book.get(tool) else { return Standing::Hidden };
    let held = listed.held().or_else(|| rules.held()).map(str::to_owned);
    if let Some(why) = held.or_else(|| book.accepted.held(listed)) {
        return Standing::Denied(
            policy::rule_id::DEFINITION_CHANGED,
            format!("The task's tool cannot be judged: {why}."),
        );
    }
    if rules.could_pass(&caller.grant.facts) {
        return Standing::Open;
    }
    if rules.hidden() {
        return Standing::Hidden;
    }
    Standing::Denied(
        "(task of a denied tool)",
        "The policy does not allow the tool of this task any more, so its result is not given out.".to_owned(),
    )
}

fn knowing(judged: Judged, tasks: Vec<Named>) -> Judged {
    match judged {
        Judged::Forward { edited, expected: Some(expected) } => {
            Judged::Forward { edited, expected: Some(expected.knowing(tasks)) }
        }
        other => other,
    }
}

/// The tasks that a subscription names. All of them open: see [`unknown`].
fn wanted(gateway: &Gateway, caller: &Caller, request: &Request<'_>) -> Vec<Named> {
    let mut wanted = Vec::new();
    let _ = mcp::task::rename(request.raw, |place, id| {
        if place == Place::Wanted {
            wanted.extend(id.and_then(|id| open(gateway, caller, id)));
        }
        Naming::Keep
    });
    wanted
}

/// Whether an agent says that it understands tasks, where each of its requests has to.
fn declares_tasks(caller: &Caller, request: &Request<'_>) -> bool {
    let declared = request.params.meta_client_capabilities.unwrap_or_default();
    caller.dialect() == Dialect::Legacy
        || !matches!(request.kind, Kind::Tasks | Kind::SubscriptionsListen)
        || matches!(mcp::json::locate(declared, &["extensions", mcp::task::EXTENSION]), Ok(Some(_)))
}

fn is_request(message: &Message<'_>) -> bool {
    matches!(message, Message::Request(_))
}

/// Whether it is about tasks by its method.
fn asks_for_tasks(message: &Message<'_>) -> bool {
    matches!(message, Message::Request(request) if matches!(request.kind, Kind::Tasks | Kind::SubscriptionsListen))
}

/// Whether its `_meta` may tie it to a task. Few have any, and those are short.
fn may_be_related(message: &Message<'_>) -> bool {
    let meta = match message {
        Message::Request(request) => request.params.meta,
        Message::Notification(notification) => notification.params.meta,
        Message::Response(response) => Some(response.raw),
    };
    meta.is_some_and(|meta| {
        !meta.is_ascii()
            || meta.contains("\\u")
            || meta.as_bytes().windows(7).any(|word| word.eq_ignore_ascii_case(b"related"))
    })
}
