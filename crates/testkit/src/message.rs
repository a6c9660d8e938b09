//! JSON-RPC messages as tests write them.

use serde_json::{Value, json};

/// The newest revision of the legacy era.
pub const LEGACY: &str = "2025-11-25";

/// The modern revision.
pub const MODERN: &str = "2026-07-28";

/// A request.
pub fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// A notification.
pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

/// An answer with a result.
pub fn result(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// An answer with an error.
pub fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

/// A `tools/call`.
pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    request(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// The params of an `initialize` in `revision`, of a client that can do everything.
pub fn hello(revision: &str) -> Value {
    json!({
        "protocolVersion": revision,
        "capabilities": { "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} },
        "clientInfo": { "name": "testkit", "version": "1" },
    })
}

/// `params` with the `_meta` members that each request of the modern era has.
pub fn modern(mut params: Value) -> Value {
    if let Some(members) = params.as_object_mut() {
        let meta = members.entry("_meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("io.modelcontextprotocol/protocolVersion".to_owned(), json!(MODERN));
            meta.entry("io.modelcontextprotocol/clientCapabilities")
                .or_insert_with(|| json!({ "sampling": {}, "elicitation": {} }));
            meta.insert("io.modelcontextprotocol/clientInfo".to_owned(), json!({ "name": "testkit", "version": "1" }));
        }
    }
    params
}

/// What became of a `tools/call`, as far as an agent can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server's own result; its text.
    Done(String),
    /// The server's own result with `isError`; its text.
    ToolError(String),
    /// Denied by policy: the rule, and the text for the agent.
    Denied {
        /// `deny`, `limit` or `approval`.
        effect: String,
        /// The rule.
        rule: String,
        /// The text.
        text: String,
    },
    /// A JSON-RPC error: code and message.
    Error(i64, String),
    /// No answer that a client could read.
    Nothing(String),
}

impl Outcome {
    /// Reads the answer to a call.
    pub fn of(answer: &Value) -> Self {
        if let Some(error) = answer.get("error") {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            return Self::Error(code, text_of(error.get("message")));
        }
        let Some(result) = answer.get("result") else { return Self::Nothing(answer.to_string()) };
        let text = text_of(result.pointer("/content/0/text"));
        let failed = result.get("isError").and_then(Value::as_bool).unwrap_or_default();
        match result.pointer("/_meta/toolgate~1decision") {
            Some(decision) if failed => {
                Self::Denied { effect: text_of(decision.get("effect")), rule: text_of(decision.get("rule")), text }
            }
            _ if failed => Self::ToolError(text),
            _ => Self::Done(text),
        }
    }

    /// The text that the agent reads.
    pub fn text(&self) -> &str {
        match self {
            Self::Done(text) | Self::ToolError(text) | Self::Denied { text, .. } => text,
            Self::Error(_, text) | Self::Nothing(text) => text,
        }
    }

    /// Whether the server did it.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Whether the policy denied it, by whatever rule.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Whether a limit was full.
    pub fn is_limited(&self) -> bool {
        matches!(self, Self::Denied { effect, .. } if effect == "limit")
    }

    /// Whether the tool is said not to exist.
    pub fn is_unknown_tool(&self) -> bool {
        matches!(self, Self::Error(-32602, text) if text.starts_with("Unknown tool"))
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
