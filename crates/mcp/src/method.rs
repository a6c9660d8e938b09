//! The methods of the protocol: who sends them, since when and until when, and which members of `params` they know.

use crate::message::member::{Member, Members};
use crate::revision::Revision;

/// Who may send a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Only the agent's side.
    Client,
    /// Only the server's side.
    Server,
    /// Both sides.
    Either,
}

/// What a method is to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `initialize`
    Initialize,
    /// `server/discover`
    Discover,
    /// `ping`
    Ping,
    /// `tools/list`
    ToolsList,
    /// `tools/call`
    ToolsCall,
    /// `prompts/list`
    PromptsList,
    /// `prompts/get`
    PromptsGet,
    /// `resources/list`
    ResourcesList,
    /// `resources/templates/list`
    TemplatesList,
    /// `resources/read`
    ResourcesRead,
    /// `resources/subscribe`, `resources/unsubscribe`
    ResourcesSubscribe,
    /// `completion/complete`
    Completion,
    /// `logging/setLevel`
    LoggingSetLevel,
    /// `subscriptions/listen`
    SubscriptionsListen,
    /// `tasks/get`, `tasks/result`, `tasks/list`, `tasks/update`, `tasks/cancel`
    Tasks,
    /// `sampling/createMessage`
    Sampling,
    /// `elicitation/create`
    Elicitation,
    /// `roots/list`
    Roots,
    /// `notifications/initialized`
    Initialized,
    /// `notifications/cancelled`
    Cancelled,
    /// `notifications/progress`
    Progress,
    /// `notifications/message`, a log line of the server
    LogMessage,
    /// `notifications/tools/list_changed`
    ToolsChanged,
    /// `notifications/prompts/list_changed`
    PromptsChanged,
    /// `notifications/resources/list_changed`
    ResourcesChanged,
    /// `notifications/resources/updated`
    ResourceUpdated,
    /// `notifications/roots/list_changed`
    RootsChanged,
    /// `notifications/elicitation/complete`
    ElicitationComplete,
    /// `notifications/tasks/status`, `notifications/tasks`
    TaskStatus,
    /// `notifications/subscriptions/acknowledged`
    SubscriptionsAcknowledged,
    /// Whatever the table does not have.
    Unknown,
}

impl Kind {
    /// Whether a policy has no say in it: the handshake, probes, lists (which are filtered), progress, cancellation.
    #[must_use]
    pub fn is_housekeeping(self) -> bool {
        matches!(
            self,
            Self::Initialize
                | Self::Discover
                | Self::Ping
                | Self::ToolsList
                | Self::PromptsList
                | Self::ResourcesList
                | Self::TemplatesList
                | Self::Initialized
                | Self::Cancelled
                | Self::Progress
        )
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// What it is to a gateway.
    pub kind: Kind,
    /// Who may send it.
    pub sender: Sender,
    /// Whether it is sent without an id and never answered.
    pub notification: bool,
    /// The first revision that has it.
    pub since: Revision,
    /// The last revision that has it.
    pub until: Revision,
    /// The members of `params` it knows.
    pub(crate) known: Members,
    /// Those without which a call cannot be judged.
    pub(crate) required: Members,
}

impl Method {
    /// Whether the revision has this method, extensions of that revision included.
    #[must_use]
    pub fn exists_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }

    /// Whether the side may send it in the revision. From 2026-07-28 on servers send no requests: they ask inside of
    /// results.
    #[must_use]
    pub fn is_sent(&self, revision: Revision, by: Sender) -> bool {
        let asks = !self.notification && by == Sender::Server;
        self.exists_in(revision)
            && (self.sender == by || self.sender == Sender::Either)
            && !(asks && revision.is_modern())
    }
}

/// The method of exactly that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    TABLE.iter().find(|method| method.name == name)
}

/// What a method is to a gateway; [`Kind::Unknown`] if the table does not have it.
#[must_use]
pub fn lookup(name: &str) -> Kind {
    find(name).map_or(Kind::Unknown, |method| method.kind)
}

/// All methods, the frequent ones first.
#[must_use]
pub fn all() -> &'static [Method] {
    &TABLE
}

const FIRST: Revision = Revision::V2024_11_05;
const ELICITATION: Revision = Revision::V2025_06_18;
const TASKS: Revision = Revision::V2025_11_25;
const LAST_LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;
const NEWEST: Revision = Revision::V2026_07_28;

const NOTHING: Members = Members::of(&[Member::Meta]);
const PAGE: Members = Members::of(&[Member::Meta, Member::Cursor]);
const URI: Members = Members::of(&[Member::Meta, Member::Uri]);
const TASK: Members = Members::of(&[Member::Meta, Member::TaskId]);
const RETRY: Members = Members::of(&[Member::Meta, Member::InputResponses, Member::RequestState]);

const fn request(name: &'static str, kind: Kind, sender: Sender, known: Members, required: &[Member]) -> Method {
    let required = Members::of(required);
    Method { name, kind, sender, notification: false, since: FIRST, until: NEWEST, known, required }
}

const fn notification(name: &'static str, kind: Kind, sender: Sender, known: Members) -> Method {
    let required = Members::of(&[]);
    Method { name, kind, sender, notification: true, since: FIRST, until: NEWEST, known, required }
}

const fn within(method: Method, since: Revision, until: Revision) -> Method {
    Method { since, until, ..method }
}

#[rustfmt::skip]
static TABLE: [Method; 36] = {
    use Kind as K;
    use Member as M;
    use Sender::{Client, Either, Server};
    [
        request("tools/call", K::ToolsCall, Client, RETRY.and(&[M::Name, M::Arguments, M::Task]), &[M::Name]),
        request("tools/list", K::ToolsList, Client, PAGE, &[]),
        request("resources/read", K::ResourcesRead, Client, RETRY.and(&[M::Uri]), &[M::Uri]),
        request("prompts/get", K::PromptsGet, Client, RETRY.and(&[M::Name, M::Arguments]), &[M::Name]),
        request("prompts/list", K::PromptsList, Client, PAGE, &[]),
        request("resources/list", K::ResourcesList, Client, PAGE, &[]),
        request("resources/templates/list", K::TemplatesList, Client, PAGE, &[]),
        request("completion/complete", K::Completion, Client, NOTHING.and(&[M::Reference, M::Argument, M::Context]), &[M::Reference]),
        within(request("initialize", K::Initialize, Client, NOTHING.and(&[M::ProtocolVersion, M::Capabilities, M::ClientInfo]), &[M::ProtocolVersion]), FIRST, LAST_LEGACY),
        within(request("ping", K::Ping, Either, NOTHING, &[]), FIRST, LAST_LEGACY),
        within(request("resources/subscribe", K::ResourcesSubscribe, Client, URI, &[M::Uri]), FIRST, LAST_LEGACY),
        within(request("resources/unsubscribe", K::ResourcesSubscribe, Client, URI, &[M::Uri]), FIRST, LAST_LEGACY),
        within(request("logging/setLevel", K::LoggingSetLevel, Client, NOTHING.and(&[M::Level]), &[M::Level]), FIRST, LAST_LEGACY),
        within(request("server/discover", K::Discover, Client, NOTHING, &[]), MODERN, NEWEST),
        within(request("subscriptions/listen", K::SubscriptionsListen, Client, NOTHING.and(&[M::Notifications]), &[M::Notifications]), MODERN, NEWEST),
        within(request("tasks/get", K::Tasks, Either, TASK, &[M::TaskId]), TASKS, NEWEST),
        within(request("tasks/cancel", K::Tasks, Either, TASK, &[M::TaskId]), TASKS, NEWEST),
        within(request("tasks/result", K::Tasks, Either, TASK, &[M::TaskId]), TASKS, LAST_LEGACY),
        within(request("tasks/list", K::Tasks, Either, PAGE, &[]), TASKS, LAST_LEGACY),
        within(request("tasks/update", K::Tasks, Client, RETRY.and(&[M::TaskId]), &[M::TaskId]), MODERN, NEWEST),
        // What servers ask of clients; in 2026-07-28 it travels inside results.
        within(request("sampling/createMessage", K::Sampling, Server, NOTHING.and(&[M::Task]), &[]), FIRST, LAST_LEGACY),
        within(request("elicitation/create", K::Elicitation, Server, NOTHING.and(&[M::Task]), &[]), ELICITATION, LAST_LEGACY),
        within(request("roots/list", K::Roots, Server, NOTHING, &[]), FIRST, LAST_LEGACY),
        within(notification("notifications/initialized", K::Initialized, Client, NOTHING), FIRST, LAST_LEGACY),
        notification("notifications/cancelled", K::Cancelled, Either, NOTHING.and(&[M::RequestId, M::Reason])),
        notification("notifications/progress", K::Progress, Either, NOTHING.and(&[M::ProgressToken, M::Progress, M::Total, M::Message])),
        within(notification("notifications/roots/list_changed", K::RootsChanged, Client, NOTHING), FIRST, LAST_LEGACY),
        notification("notifications/message", K::LogMessage, Server, NOTHING.and(&[M::Level])),
        notification("notifications/tools/list_changed", K::ToolsChanged, Server, NOTHING),
        notification("notifications/prompts/list_changed", K::PromptsChanged, Server, NOTHING),
        notification("notifications/resources/list_changed", K::ResourcesChanged, Server, NOTHING),
        notification("notifications/resources/updated", K::ResourceUpdated, Server, URI),
        within(notification("notifications/elicitation/complete", K::ElicitationComplete, Server, NOTHING), TASKS, LAST_LEGACY),
        within(notification("notifications/tasks/status", K::TaskStatus, Either, TASK.and(&[M::Status, M::StatusMessage, M::CreatedAt, M::LastUpdatedAt, M::Ttl, M::PollInterval])), TASKS, LAST_LEGACY),
        within(notification("notifications/tasks", K::TaskStatus, Server, TASK.and(&[M::Status, M::StatusMessage])), MODERN, NEWEST),
        within(notification("notifications/subscriptions/acknowledged", K::SubscriptionsAcknowledged, Server, NOTHING.and(&[M::Notifications])), MODERN, NEWEST),
    ]
};
