//! What of a policy decides about each method, and what a refusal of it looks like.
//!
//! Requests, notifications and questions are judged by what is said here, and `docs/methods.md` is written from it: there
//! is no second list.

use std::fmt::Write as _;

use mcp::method::{Kind, Method, Sender};
use mcp::revision::Revision;

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing: it passes under every policy.
    Nothing,
    /// The handshake: it passes, with the capabilities of what the policy does not allow taken out.
    Handshake,
    /// The tools that the policy lists.
    Tools,
    /// The tool's rules.
    Tool,
    /// Whether any prompt could pass.
    AnyPrompt,
    /// Whether any resource could pass.
    AnyResource,
    /// The prompt.
    Prompt,
    /// The resource.
    Resource,
    /// The prompt or resource that is completed.
    Reference,
    /// The resources and tasks that are named.
    Subscription,
    /// `logging/setLevel`.
    Logging,
    /// The task: created by this grant, of a tool that is allowed still.
    Task,
    /// The task: created by this grant.
    OwnTask,
    /// The tasks that this grant has created.
    OwnTasks,
    /// Whether `methods.allow` names this method exactly.
    ByName,
    /// Whether `methods.allow` names another method exactly.
    ByNameOf(&'static str),
}

/// What decides about a message of an agent.
pub(crate) fn of_agent(kind: Kind, method: &str) -> Rule {
    match kind {
        // Whoever stops a task may do so whatever has become of its tool.
        Kind::Tasks if method == "tasks/cancel" => Rule::OwnTask,
        Kind::Tasks if method == "tasks/list" => Rule::OwnTasks,
        Kind::Initialize | Kind::Discover => Rule::Handshake,
        Kind::Ping | Kind::Initialized | Kind::Cancelled | Kind::Progress => Rule::Nothing,
        Kind::ToolsList => Rule::Tools,
        Kind::ToolsCall => Rule::Tool,
        Kind::PromptsList => Rule::AnyPrompt,
        Kind::ResourcesList | Kind::TemplatesList => Rule::AnyResource,
        Kind::PromptsGet => Rule::Prompt,
        Kind::ResourcesRead | Kind::ResourcesSubscribe => Rule::Resource,
        Kind::Completion => Rule::Reference,
        Kind::SubscriptionsListen => Rule::Subscription,
        Kind::LoggingSetLevel => Rule::Logging,
        Kind::Tasks => Rule::Task,
        Kind::RootsChanged => Rule::ByNameOf("roots/list"),
        // Of tasks that the agent runs for the server.
        Kind::TaskStatus => Rule::ByNameOf("tasks/get"),
        Kind::Sampling
        | Kind::Elicitation
        | Kind::Roots
        | Kind::LogMessage
        | Kind::ToolsChanged
        | Kind::PromptsChanged
        | Kind::ResourcesChanged
        | Kind::ResourceUpdated
        | Kind::ElicitationComplete
        | Kind::SubscriptionsAcknowledged
        | Kind::Unknown => Rule::ByName,
    }
}

/// What decides about a message of a server that is no answer.
pub(crate) fn of_server(kind: Kind) -> Rule {
    match kind {
        Kind::Ping
        | Kind::Cancelled
        | Kind::Progress
        | Kind::ToolsChanged
        // Tasks that the agent did not name are left out of it.
        | Kind::SubscriptionsAcknowledged => Rule::Nothing,
        Kind::LogMessage => Rule::Logging,
        Kind::PromptsChanged => Rule::AnyPrompt,
        Kind::ResourcesChanged => Rule::AnyResource,
        Kind::ResourceUpdated => Rule::Resource,
        Kind::TaskStatus => Rule::Task,
        Kind::ElicitationComplete => Rule::ByNameOf("elicitation/create"),
        Kind::Sampling
        | Kind::Elicitation
        | Kind::Roots
        | Kind::Tasks
        | Kind::Initialize
        | Kind::Discover
        | Kind::ToolsList
        | Kind::ToolsCall
        | Kind::PromptsList
        | Kind::PromptsGet
        | Kind::ResourcesList
        | Kind::TemplatesList
        | Kind::ResourcesRead
        | Kind::ResourcesSubscribe
        | Kind::Completion
        | Kind::LoggingSetLevel
        | Kind::SubscriptionsListen
        | Kind::Initialized
        | Kind::RootsChanged
        | Kind::Unknown => Rule::ByName,
    }
}

impl Rule {
    /// What decides, for people.
    fn words(self) -> String {
        match self {
            Self::Nothing => "nothing: it passes".to_owned(),
            Self::Handshake => "nothing: it passes, without the capabilities of what is not allowed".to_owned(),
            Self::Tools => "nothing: it passes, and the answer holds the tools that the policy lists".to_owned(),
            Self::Tool => "`tools`, `classes`, `all_tools`, `hide`".to_owned(),
            Self::AnyPrompt => "`prompts`: whether any could pass; a list is filtered".to_owned(),
            Self::AnyResource => "`resources`: whether any could pass; a list is filtered".to_owned(),
            Self::Prompt => "`prompts`, by name".to_owned(),
            Self::Resource => "`resources`, by URI".to_owned(),
            Self::Reference => "`prompts` or `resources`, by what is completed".to_owned(),
            Self::Subscription => "`resources`, by each URI; tasks as `tasks/get`".to_owned(),
            Self::Logging => "`methods`: `logging/setLevel`, else `default`".to_owned(),
            Self::Task => "whether this grant has created the task; its tool's rules, afresh".to_owned(),
            Self::OwnTask => "whether this grant has created the task".to_owned(),
            Self::OwnTasks => "nothing: it passes, and the answer holds the tasks of this grant".to_owned(),
            Self::ByName => "`methods.allow`, by exact name".to_owned(),
            Self::ByNameOf(other) => format!("`methods.allow`, by exact name of `{other}`"),
        }
    }

    /// What the agent reads of a request that is refused, in the legacy and in the modern era.
    fn refused(self) -> [&'static str; 2] {
        const GONE: [&str; 2] = ["200, -32601", "404, -32601"];
        match self {
            Self::Nothing | Self::Handshake | Self::Tools | Self::OwnTasks => ["never refused"; 2],
            Self::OwnTask => ["200, -32602"; 2],
            Self::Tool => [
                "200, a result with `isError`; hidden: 200, -32602",
                "200, a complete result with `isError`; hidden: 200, -32602",
            ],
            Self::Prompt => ["200, 4030; hidden: 200, -32602"; 2],
            Self::Resource => ["200, 4030; hidden: 200, -32002", "200, 4030; hidden: 200, -32602"],
            Self::Reference => {
                ["200, 4030; hidden: as the prompt or resource", "200, 4030; hidden: as the prompt or resource"]
            }
            Self::Subscription => ["200, -32601", "200, 4030; hidden or another's: 200, -32602"],
            Self::Task => ["200, 4030; unknown or another's: 200, -32602"; 2],
            Self::AnyPrompt | Self::AnyResource | Self::Logging | Self::ByName | Self::ByNameOf(_) => GONE,
        }
    }
}

/// What a server reads whose question is refused.
fn question_refused(kind: Kind) -> &'static str {
    match kind {
        Kind::Ping => "never refused",
        Kind::Elicitation => "a result with `\"action\": \"decline\"`",
        Kind::Sampling => "error -1",
        _ => "error -32601",
    }
}

/// The table of all methods, as `docs/methods.md` has it: a row for each method and each of its senders.
#[must_use]
pub fn document() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| method | revisions | decided by | refused, up to 2025-11-25 | refused, 2026-07-28 |\n");
    text.push_str("| --- | --- | --- | --- | --- |\n");
    for method in mcp::method::all().iter().filter(|method| method.sender != Sender::Server) {
        let rule = of_agent(method.kind, method.name);
        let refused = match (method.notification, rule) {
            (true, Rule::Nothing) => ["never dropped"; 2],
            (true, _) => ["202, dropped"; 2],
            (false, rule) => rule.refused(),
        };
        row(&mut text, method, rule, refused, "202, dropped");
    }
    text.push_str(BETWEEN);
    text.push_str("| method | revisions | decided by | refused, up to 2025-11-25 | refused, 2026-07-28 |\n");
    text.push_str("| --- | --- | --- | --- | --- |\n");
    for method in mcp::method::all().iter().filter(|method| method.sender != Sender::Client) {
        let rule = of_server(method.kind);
        let refused = match (method.notification, rule) {
            (true, Rule::Nothing) => ["never dropped"; 2],
            (true, _) => ["dropped"; 2],
            (false, _) => {
                [question_refused(method.kind), "in a result: a call ends with `isError`, all else with 4030"]
            }
        };
        row(&mut text, method, rule, refused, "dropped");
    }
    text.push_str(TAIL);
    text
}

/// `dropped` is what becomes of a notification that the revision does not have.
fn row(text: &mut String, method: &Method, rule: Rule, [legacy, modern]: [&str; 2], dropped: &str) {
    let revisions = match (method.since, method.until) {
        (since, until) if since == until => since.as_str().to_owned(),
        (since, until) => format!("{} to {}", since.as_str(), until.as_str()),
    };
    let modern = if modern.starts_with("in a result") {
        // A question is no message of its own there, whichever revision had it last.
        if matches!(method.kind, Kind::Sampling | Kind::Elicitation | Kind::Roots) {
            modern
        } else {
            "no such question"
        }
    } else if method.exists_in(Revision::V2026_07_28) {
        modern
    } else if method.notification {
        dropped
    } else {
        "404, -32601"
    };
    let legacy = match method.since.is_modern() {
        false => legacy,
        true if method.kind == Kind::Discover => "400, -32600",
        true if method.notification => dropped,
        true => "200, -32601",
    };
    let _ = writeln!(text, "| `{}` | {revisions} | {} | {legacy} | {modern} |", method.name, rule.words());
}

const HEAD: &str = "\
# Methods

<!-- Written from the table by which messages are judged: UPDATE_SNAPSHOTS=1 cargo test -p gateway --test methods -->

Every message that MCP knows, in every revision and with the tasks extension, and what of a [policy](policy.md) decides
whether it passes. A message that is not in these tables is denied unless `methods.allow` has its exact name: a request
is answered with -32601, a notification is dropped. Whatever `methods` hides or denies is refused in the same way, save
what passes under every policy, and `tools/call`, which has rules of its own.

## What agents send

";

const BETWEEN: &str = "
## What servers send

In 2026-07-28 a server asks inside of results (`inputRequests`, of calls and of tasks), by the same methods and under the
same rules. A page that a person is to open (`url` of an elicitation, also in the error -32042) is at an https address, or
at an http address of the person's own machine, without a user name; any other is refused as if elicitation were.

";

const TAIL: &str = "
## Refusals

A status of the list is that of HTTP; over stdio there is none. 4030 is the code of what a policy denies: it is positive,
and so outside of every range that JSON-RPC or MCP has reserved. Its `data` has the decision, under `toolgate/decision`.
What cannot be read as one message of its revision is 400 and -32700, -32600 or -32602, with -32020 where header fields
differ from the body; a body that is too long 413; no token or a wrong one 401. A server that cannot be reached is 502,
one that does not answer in time 504, with -32603. While the audit log cannot be written, calls are answered with
`isError`, all else with -32603.

## Tasks

A call that goes on as a task is judged, counted and recorded once, as every call is. The agent gets an id for the task
that only this grant can use, at every replica: it holds the server's id and the tool, encrypted. So `tasks/get`,
`tasks/result`, `tasks/update`, `tasks/cancel` and `subscriptions/listen` work for tasks that the same grant has created,
and all others do not exist. `tasks/get`, `tasks/result` and `tasks/update` are judged afresh by the tool's rules: when no
call of the tool could pass any more, its result is not given out (`(task of a denied tool)`). `tasks/cancel` needs no
more than the task. Each of these requests is recorded with the tool, and none is counted by limits. A limit with `\"refund\": \"on_error\"` counts the
call: whether the task fails is not known when it is created.

What a server tells of tasks unasked (`notifications/tasks/status`) and what `tasks/list` shows are the tasks that were
created or named in the same conversation at the same replica; all else is left out. Tasks that an agent runs for the
server (sampling and elicitation with `task`, 2025-11-25) need `tasks/get` and `tasks/result` in `methods.allow`.

## Resources and prompts

Lists and templates are filtered by name or URI, and what is hidden or denied is not completed, read, subscribed to or told
of as updated. What a tool's result carries is the tool's: resources that are embedded in it reach the agent under the
tool's rules, and a `resource_link` is text, which may name what the agent cannot read.

## Capabilities and extensions

A capability of which the policy allows nothing is taken out of `initialize`, `server/discover` and, for the client's,
of `_meta` of every request: `prompts`, `resources`, `completions`, `logging`, `tasks` and the tasks extension of the
server; `sampling`, `elicitation`, `roots`, `tasks` and the tasks extension of the client. Extensions that Toolgate does
not know pass: a capability carries nothing by itself, and the methods of an extension are judged by name like every
unknown method.
";
