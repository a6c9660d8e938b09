//! Answers that are awaited: whose they are, and what their calls hold.

use http::HeaderValue;
use mcp::json;
use mcp::message::{IdKey, Outcome, Request};
use mcp::method::Kind;
use store::log::AuditDown;
use tokio::sync::OwnedSemaphorePermit;

use crate::caller::Caller;
use crate::refusal;
use crate::streams::OpenStream;
use crate::tasks::Named;
use crate::ticket::{Ended, Ticket};
use crate::tools::Generation;

/// An answer that is awaited.
pub struct Expected {
    pub(crate) id: IdKey,
    raw_id: Box<str>,
    pub(crate) kind: Kind,
    /// When a list was asked for, and whether a page without a next one would be all of it.
    pub(crate) asked: Option<Generation>,
    /// A subscription that asked for changed tools.
    wants_tools_changed: bool,
    pub(crate) ticket: Option<Ticket>,
    /// What it has to do with tasks: few have anything.
    about: Option<Box<About>>,
    _permit: Option<OwnedSemaphorePermit>,
    /// A subscription is a stream that is open until its answer.
    _stream: Option<Box<OpenStream>>,
}

/// What an answer may have to do with tasks.
struct About {
    /// The tool that was called, if the call may go on as a task.
    tool: Option<Box<str>>,
    /// Tasks that the request named.
    tasks: Vec<Named>,
}

impl Expected {
    /// The answer to a forwarded tool call.
    pub fn call(caller: &Caller, request: &Request<'_>, mut ticket: Ticket, permit: OwnedSemaphorePermit) -> Self {
        ticket.if_dropped(gone(caller));
        // Only who asks for tasks, or says that it knows them, is given one.
        let may_be_a_task = request.params.task.is_some() || request.params.meta_client_capabilities.is_some();
        let tool = request.params.name.as_deref().filter(|_| may_be_a_task);
        let about = tool.map(|tool| Box::new(About { tool: Some(tool.into()), tasks: Vec::new() }));
        Self { about, ..Self::new(request, Kind::ToolsCall, Some(ticket), Some(permit), None) }
    }

    /// The answer to another request that was recorded.
    pub fn recorded(
        caller: &Caller,
        request: &Request<'_>,
        kind: Kind,
        mut ticket: Ticket,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        ticket.if_dropped(gone(caller));
        Self::new(request, kind, Some(ticket), Some(permit), None)
    }

    /// The answer to housekeeping or a list.
    pub fn answer(caller: &Caller, request: &Request<'_>, kind: Kind) -> Self {
        let whole = kind == Kind::ToolsList && request.params.cursor.is_none();
        let asked = whole.then(|| caller.grant.server().tools.generation());
        Self::new(request, kind, None, None, asked)
    }

    /// The end of a subscription, for as long as which a stream is open.
    pub(crate) fn subscription(caller: &Caller, request: &Request<'_>, stream: OpenStream) -> Self {
        Self { _stream: Some(Box::new(stream)), ..Self::answer(caller, request, Kind::SubscriptionsListen) }
    }

    /// The same, about these tasks.
    pub(crate) fn knowing(self, tasks: Vec<Named>) -> Self {
        Self { about: Some(Box::new(About { tool: None, tasks })), ..self }
    }

    /// The tasks that the request named.
    pub(crate) fn tasks(&self) -> &[Named] {
        self.about.as_ref().map_or(&[], |about| &about.tasks)
    }

    /// The tool of a call that may go on as a task.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.about.as_ref()?.tool.as_deref()
    }

    /// Whether a list of tasks was asked for.
    pub(crate) fn lists_tasks(&self) -> bool {
        self.kind == Kind::Tasks && self.tasks().is_empty()
    }

    /// The server's id of the task that the request is about: in 2026-07-28 a header repeats it.
    pub(crate) fn task_header(&self) -> Option<HeaderValue> {
        let named = self.tasks().first().filter(|_| self.kind == Kind::Tasks)?;
        HeaderValue::from_str(&mcp::header::encode(&named.task.upstream)).ok()
    }

    fn new(
        request: &Request<'_>,
        kind: Kind,
        ticket: Option<Ticket>,
        permit: Option<OwnedSemaphorePermit>,
        asked: Option<Generation>,
    ) -> Self {
        Self {
            id: request.id.key(),
            raw_id: request.id.raw().into(),
            kind,
            wants_tools_changed: kind == Kind::SubscriptionsListen && wants_tools_changed(request),
            asked,
            ticket,
            about: None,
            _permit: permit,
            _stream: None,
        }
    }

    /// Waits until the record of the request counts as written.
    ///
    /// # Errors
    /// The request must not be forwarded.
    pub(crate) async fn written(&mut self) -> Result<(), AuditDown> {
        match &mut self.ticket {
            Some(ticket) => ticket.written().await,
            None => Ok(()),
        }
    }

    /// The id of the request, as the agent wrote it.
    pub fn raw_id(&self) -> &str {
        &self.raw_id
    }

    /// The id of the request, to be compared.
    pub fn id(&self) -> &IdKey {
        &self.id
    }

    /// What is awaited, found by its id alone. An agent can use an id twice, so a list is a list
    /// whatever was asked under that id: hidden names do not come back as somebody else's answer.
    pub(crate) fn remembered(mut self, outcome: &Outcome<'_>) -> Self {
        if let Outcome::Result(result) = outcome {
            match shape(result) {
                Kind::Unknown => {}
                listed => self.kind = listed,
            }
        }
        self
    }

    /// Whether it is a subscription that asked to hear of changed tools.
    pub fn wants_tools_changed(&self) -> bool {
        self.wants_tools_changed
    }

    /// What was asked.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the answer may take for ever: a subscription is open until it is ended.
    pub fn may_last(&self) -> bool {
        self.kind == Kind::SubscriptionsListen
    }

    /// Whether the answer settles which revision is spoken.
    pub fn is_initialize(&self) -> bool {
        self.kind == Kind::Initialize
    }

    /// Records that there will be no answer, and why.
    pub fn failed(mut self, ended: Ended, reason: &str) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle(ended, Some(reason), 0);
        }
    }

    /// What the agent reads in place of an answer.
    pub fn apology(&self, ended: Ended, reason: &str) -> refusal::Refusal {
        let what = if self.kind == Kind::ToolsCall { "call" } else { "request" };
        let (what, status) = match ended {
            Ended::NotSent => (format!("The {what} was not made"), 502),
            Ended::Timeout => (format!("Whether the {what} was carried out is not known"), 504),
            _ => (format!("Whether the {what} was carried out is not known"), 502),
        };
        let decision = self.ticket.as_ref().map(|ticket| format!(" (decision {})", ticket.id()));
        let text = format!("{what}: {reason}.{}", decision.unwrap_or_default());
        refusal::error(&self.raw_id, refusal::code::INTERNAL, &text, status)
    }
}

/// What it means that an agent goes away before the answer: in 2026-07-28 that is how it cancels.
fn gone(caller: &Caller) -> Ended {
    match caller.dialect() {
        crate::caller::Dialect::Modern => Ended::Cancelled,
        crate::caller::Dialect::Legacy => Ended::Disconnected,
    }
}

fn wants_tools_changed(request: &Request<'_>) -> bool {
    let wanted = request.params.notifications.and_then(|wanted| json::parse(wanted).ok());
    wanted.and_then(|wanted| wanted.get("toolsListChanged").and_then(json::Value::as_bool)).unwrap_or(false)
}

/// What a result must be, when nothing else tells: a stream that is resumed brings answers to
/// requests that this process may never have seen.
pub(crate) fn shape(result: &str) -> Kind {
    let lists = [
        ("tools", Kind::ToolsList),
        ("prompts", Kind::PromptsList),
        ("resources", Kind::ResourcesList),
        ("resourceTemplates", Kind::TemplatesList),
    ];
    lists
        .into_iter()
        .find(|(key, _)| matches!(json::locate(result, &[key]), Ok(Some(_))))
        .map_or(Kind::Unknown, |(_, kind)| kind)
}
