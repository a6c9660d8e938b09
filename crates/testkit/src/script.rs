//! What a recording server is like: its tools, its era, and how it behaves.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::message::{LEGACY, MODERN};

/// A server's manners. The same script serves over HTTP and over stdio.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// The tools, in order.
    pub tools: Vec<Tool>,
    /// The revisions it speaks, newest last.
    pub revisions: Vec<String>,
    /// Entries a page of any list; 0 is all in one page.
    pub page: usize,
    /// Resources by URI and text.
    pub resources: Vec<(String, String)>,
    /// Prompts by name and text.
    pub prompts: Vec<(String, String)>,
    /// HTTP: whether `initialize` opens a session that each request then has to name.
    pub sessions: bool,
    /// HTTP: whether answers come as server-sent events.
    pub sse: bool,
    /// HTTP: whether events have ids, so that streams can be resumed.
    pub event_ids: bool,
    /// `ttlMs` of lists in the modern era.
    pub ttl_ms: u64,
    /// stdio: lines of junk on stdout, before and between messages.
    pub junk: Vec<String>,
    /// stdio: goes on when stdin is closed, and ignores SIGTERM's absence.
    pub ignore_close: bool,
    /// stdio: starts a process of its own that does nothing and never ends.
    pub grandchild: bool,
    /// stdio: ends with this status before it answers anything.
    pub crash_at_start: Option<i32>,
    /// `tools/list` fails with this error.
    pub list_error: Option<String>,
    /// `tools/list` is answered when this gate is open.
    pub list_gate: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            tools: ["read_file", "delete_file", "charge", "r", "echo"].map(Tool::named).to_vec(),
            revisions: ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY].map(str::to_owned).to_vec(),
            page: 0,
            resources: Vec::new(),
            prompts: Vec::new(),
            sessions: true,
            sse: false,
            event_ids: false,
            ttl_ms: 60_000,
            junk: Vec::new(),
            ignore_close: false,
            grandchild: false,
            crash_at_start: None,
            list_error: None,
            list_gate: None,
        }
    }
}

impl Script {
    /// The usual server with these tools.
    pub fn with(tools: impl IntoIterator<Item = Tool>) -> Self {
        Self { tools: tools.into_iter().collect(), ..Self::default() }
    }

    /// Speaks the modern era only.
    #[must_use]
    pub fn modern(mut self) -> Self {
        self.revisions = vec![MODERN.to_owned()];
        self.sessions = false;
        self
    }

    /// Speaks both eras.
    #[must_use]
    pub fn both_eras(mut self) -> Self {
        self.revisions.push(MODERN.to_owned());
        self
    }

    /// Answers as server-sent events.
    #[must_use]
    pub fn sse(mut self) -> Self {
        self.sse = true;
        self
    }

    /// Opens no sessions.
    #[must_use]
    pub fn sessionless(mut self) -> Self {
        self.sessions = false;
        self
    }

    /// Lists so many entries a page.
    #[must_use]
    pub fn paged(mut self, page: usize) -> Self {
        self.page = page;
        self
    }

    /// The tool of that name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Whether it speaks the modern era.
    pub fn is_modern(&self) -> bool {
        self.revisions.iter().any(|revision| revision == MODERN)
    }

    /// Whether it speaks the legacy era.
    pub fn is_legacy(&self) -> bool {
        self.revisions.iter().any(|revision| revision != MODERN)
    }
}

/// A tool and what happens when it is called.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its definition, without the name.
    pub definition: Value,
    /// What a call does.
    pub behaviour: Behaviour,
}

impl Tool {
    /// A tool that takes any arguments and echoes them.
    pub fn named(name: &str) -> Self {
        let definition = json!({ "description": format!("The tool {name}."), "inputSchema": { "type": "object" } });
        Self { name: name.to_owned(), definition, behaviour: Behaviour::Echo }
    }

    /// With this input schema.
    #[must_use]
    pub fn schema(mut self, schema: Value) -> Self {
        if let Some(definition) = self.definition.as_object_mut() {
            definition.insert("inputSchema".to_owned(), schema);
        }
        self
    }

    /// With another member of the definition.
    #[must_use]
    pub fn member(mut self, name: &str, value: Value) -> Self {
        if let Some(definition) = self.definition.as_object_mut() {
            definition.insert(name.to_owned(), value);
        }
        self
    }

    /// With this behaviour.
    #[must_use]
    pub fn does(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// With a description of so many bytes.
    #[must_use]
    pub fn padded(self, bytes: usize) -> Self {
        self.member("description", json!("x".repeat(bytes)))
    }

    /// As it is listed.
    pub fn listed(&self) -> Value {
        let mut tool = json!({ "name": self.name });
        if let (Some(tool), Some(definition)) = (tool.as_object_mut(), self.definition.as_object()) {
            tool.extend(definition.clone());
        }
        tool
    }
}

/// What a call of a tool does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Behaviour {
    /// Answers with the call's own name and arguments as JSON text.
    Echo,
    /// Answers with this text.
    Text(String),
    /// Answers with this text and `isError`.
    ToolError(String),
    /// Answers with a JSON-RPC error.
    RpcError(i64, String),
    /// Answers with exactly this result.
    Result(Value),
    /// Answers when [`release`](crate::upstream::Upstream::release) was called (HTTP), or the
    /// gate's file exists (stdio).
    Gate(String),
    /// Never answers. The log says when the client goes.
    Hang,
    /// Sends progress on the request's own token so many times, waits for the gate if one is
    /// named, then answers.
    Progress(u32, Option<String>),
    /// Sends progress so many times, so many milliseconds apart, then answers.
    Paced(u32, u64),
    /// Asks the client (`method`, `params`) and answers with what the client said, as JSON text.
    Ask(String, Value),
    /// Modern: the first call gets `input_required` with these requests and state; one that
    /// brings `inputResponses` is answered with them as JSON text.
    InputRequired(Value, String),
    /// Sends the message and then answers with a text.
    Say(Value),
    /// Goes on as a task, where the client asks for one (2025-11-25) or understands them (2026-07-28). The task is named
    /// by the server's own [`task_of`]; it is done at once, with this result.
    Task(Value),
    /// The same; the task waits for answers to these requests for ever.
    WaitingTask(Value),
    /// Closes the connection (HTTP) or ends (stdio) without an answer.
    Die,
    /// HTTP: this status, content type and body.
    Http(u16, String, String),
    /// Exactly these bytes in place of an answer; HTTP: of a head and a body, then a close.
    Bytes(String),
}

/// What a server calls the task of a tool. All who call the tool share it: what is whose is not the server's to say.
pub fn task_of(tool: &str) -> String {
    format!("task-of-{tool}")
}
