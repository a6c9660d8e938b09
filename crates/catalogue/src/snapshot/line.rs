//! A line of a snapshot: a server, or a tool of the server before it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ServerRow {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) identities: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) publisher: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) package: Option<(String, String)>,
    pub(super) endpoint: Option<String>,
    pub(super) transport: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) description: Option<String>,
    pub(super) language: Option<String>,
    pub(super) from_tools: bool,
    pub(super) tombstoned: bool,
    pub(super) version: Option<String>,
    pub(super) auth: Option<String>,
    pub(super) status: Option<String>,
    /// Microseconds since 1970, as all times here.
    pub(super) status_since: Option<i64>,
    pub(super) first_seen: i64,
    pub(super) said: Vec<SaidRow>,
}

/// What a person said of the server or a tool of it; not who.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SaidRow {
    pub(super) tool: Option<String>,
    pub(super) field: String,
    pub(super) value: Option<String>,
    pub(super) reason: String,
    pub(super) at: i64,
}

/// A tool. The definition is under the names that files of tools have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ToolRow {
    pub(super) server: String,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) input_schema: Option<Value>,
    pub(super) annotations: Option<Value>,
    pub(super) past: Vec<PastRow>,
}

/// What a tool was before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PastRow {
    pub(super) digest: String,
    pub(super) class: String,
    pub(super) until: i64,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Row {
    Server(Box<ServerRow>),
    Tool(Box<ToolRow>),
}
