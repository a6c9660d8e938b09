//! What an agent reads when a message is not forwarded.
//!
//! A denied `tools/call` is an ordinary result, so that the agent can read it and adapt; all
//! else is a JSON-RPC error. No code lies in a range that the protocol reserves.

use mcp::method::Kind;
use policy::results::Cap;
use serde_json::{Value, json};

use crate::caller::Dialect;

/// The protocol's own codes, and the one of ours.
pub mod code {
    /// Not JSON.
    pub const PARSE: i32 = -32700;
    /// Not a message of the revision.
    pub const INVALID_REQUEST: i32 = -32600;
    /// A method that is not offered.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// An unknown tool, prompt or resource.
    pub const INVALID_PARAMS: i32 = -32602;
    /// Something broke on the way.
    pub const INTERNAL: i32 = -32603;
    /// An unknown resource, up to 2025-11-25.
    pub const RESOURCE_NOT_FOUND: i32 = -32002;
    /// Header and body disagree (2026-07-28).
    pub const HEADER_MISMATCH: i32 = -32020;
    /// The revision is not spoken here (2026-07-28).
    pub const UNSUPPORTED_REVISION: i32 = -32022;
    /// Denied by policy: positive, and so outside every reserved range.
    pub const DENIED: i32 = 4030;
}

/// A message for the agent in place of the server's, with the HTTP status that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, where the agent speaks HTTP.
    pub status: u16,
    /// The JSON-RPC message.
    pub body: String,
}

/// What a decision tells the agent of itself.
#[derive(Debug, Clone)]
pub struct Verdict<'a> {
    /// The decision's id in the audit log.
    pub id: &'a str,
    /// `deny`, `limit` or `approval`; `withheld` of a call that was made.
    pub effect: &'a str,
    /// The rule, readable.
    pub rule: &'a str,
    /// The sentence for the agent.
    pub reason: &'a str,
    /// Seconds until a retry can succeed, where that is known.
    pub retry_after: Option<u64>,
    /// Operands, where the server is registered as `denials = "full"`.
    pub detail: Option<&'a str>,
}

impl Verdict<'_> {
    fn text(&self) -> String {
        let Verdict { id, rule, reason, retry_after, detail, .. } = *self;
        policy::refusal::Refusal { reason, detail, retry_after, rule, id }.text()
    }

    fn data(&self) -> Value {
        json!({ "id": self.id, "effect": self.effect, "rule": self.rule, "retry_after_s": self.retry_after })
    }
}

/// A denied `tools/call`: a result that says so.
pub fn denied_call(id: &str, verdict: &Verdict<'_>, dialect: Dialect) -> Refusal {
    failed_call(id, &verdict.text(), verdict, dialect)
}

fn failed_call(id: &str, text: &str, verdict: &Verdict<'_>, dialect: Dialect) -> Refusal {
    let mut result = json!({
        "isError": true,
        "content": [{ "type": "text", "text": text }],
        "_meta": { "toolgate/decision": verdict.data() },
    });
    if dialect == Dialect::Modern
        && let Some(result) = result.as_object_mut()
    {
        result.insert("resultType".to_owned(), json!("complete"));
    }
    Refusal { status: 200, body: with_id(id, "result", &result) }
}

/// A denied prompt, resource or method.
pub fn denied_request(id: &str, verdict: &Verdict<'_>) -> Refusal {
    failed_request(id, &verdict.text(), verdict)
}

fn failed_request(id: &str, text: &str, verdict: &Verdict<'_>) -> Refusal {
    let error = json!({
        "code": code::DENIED,
        "message": text,
        "data": { "toolgate/decision": verdict.data() },
    });
    Refusal { status: 200, body: with_id(id, "error", &error) }
}

/// A result that is longer than the policy lets pass.
#[derive(Debug, Clone, Copy)]
pub struct Withheld<'a> {
    /// How long it is, in bytes.
    pub bytes: usize,
    /// What passes.
    pub cap: &'a Cap,
    /// The decision's id in the audit log.
    pub decision: &'a str,
}

impl Withheld<'_> {
    /// What the agent reads in its place: of a tool a result that says so, else an error.
    pub fn answer(&self, id: &str, kind: Kind, dialect: Dialect) -> Refusal {
        let rule = &self.cap.rule.rule;
        let verdict =
            Verdict { id: self.decision, effect: "withheld", rule, reason: "", retry_after: None, detail: None };
        let text = policy::refusal::withheld(self.bytes, self.cap.bytes, rule, self.decision);
        match kind {
            Kind::ToolsCall => failed_call(id, &text, &verdict, dialect),
            _ => failed_request(id, &text, &verdict),
        }
    }
}

/// The answer to a request that was under way when calls were stopped.
pub fn cut(id: &str, reason: &str) -> Refusal {
    let text = format!("{reason} Whether the request was carried out is not known.");
    error(id, code::DENIED, &text, 503)
}

/// The one answer for a tool that is hidden and for one that does not exist.
pub fn unknown_tool(id: &str, name: &str) -> Refusal {
    error(id, code::INVALID_PARAMS, &policy::refusal::unknown_tool(name), 200)
}

/// The one answer for a prompt that is hidden and for one that does not exist.
pub fn unknown_prompt(id: &str, name: &str) -> Refusal {
    error(id, code::INVALID_PARAMS, &format!("Unknown prompt: {name}"), 200)
}

/// The one answer for a resource that is hidden and for one that does not exist.
pub fn unknown_resource(id: &str, uri: &str, dialect: Dialect) -> Refusal {
    let code = match dialect {
        Dialect::Modern => code::INVALID_PARAMS,
        Dialect::Legacy => code::RESOURCE_NOT_FOUND,
    };
    error(id, code, &format!("Resource not found: {uri}"), 200)
}

/// A method that is not offered here.
pub fn method_not_found(id: &str, method: &str, dialect: Dialect) -> Refusal {
    let status = match dialect {
        Dialect::Modern => 404,
        Dialect::Legacy => 200,
    };
    error(id, code::METHOD_NOT_FOUND, &format!("Method not found: {method}"), status)
}

/// A JSON-RPC error for a request whose raw id is `id`.
pub fn error(id: &str, code: i32, message: &str, status: u16) -> Refusal {
    Refusal { status, body: with_id(id, "error", &json!({ "code": code, "message": message })) }
}

fn with_id(id: &str, kind: &str, value: &Value) -> String {
    // The id goes back as it came, digit for digit.
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{kind}":{value}}}"#)
}
