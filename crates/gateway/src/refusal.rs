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
    /// The client did not say that it understands what it asks for (2026-07-28).
    pub const MISSING_CAPABILITY: i32 = -32021;
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

/// A call whose result must not reach the agent: a result that says why, in the place of the server's.
pub fn blocked_call(id: &str, text: &str, dialect: Dialect) -> Refusal {
    let mut result = json!({ "isError": true, "content": [{ "type": "text", "text": text }] });
    if dialect == Dialect::Modern
        && let Some(result) = result.as_object_mut()
    {
        result.insert("resultType".to_owned(), json!("complete"));
    }
    Refusal { status: 200, body: with_id(id, "result", &result) }
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
    let error = json!({ "code": code, "message": format!("Resource not found: {uri}"), "data": { "uri": uri } });
    Refusal { status: 200, body: with_id(id, "error", &error) }
}

/// The one answer for a task that is not this agent's and for one that does not exist.
pub fn unknown_task(id: &str) -> Refusal {
    error(id, code::INVALID_PARAMS, "Task not found", 200)
}

/// A request for tasks of an agent that does not say that it understands them (2026-07-28).
pub fn tasks_not_declared(id: &str) -> Refusal {
    let error = json!({
        "code": code::MISSING_CAPABILITY,
        "message": "Missing required client capability",
        "data": { "requiredCapabilities": { "extensions": { mcp::task::EXTENSION: {} } } },
    });
    Refusal { status: 400, body: with_id(id, "error", &error) }
}

/// A method that is not offered here.
pub fn method_not_found(id: &str, method: &str, dialect: Dialect) -> Refusal {
    let status = match dialect {
        Dialect::Modern => 404,
        Dialect::Legacy => 200,
    };
    error(id, code::METHOD_NOT_FOUND, &format!("Method not found: {method}"), status)
}

/// The HTTP status that 2026-07-28 gives to an error of this code, a raw number; all others are 200.
pub fn modern_status(code: &str) -> Option<u16> {
    match code.parse() {
        Ok(code::METHOD_NOT_FOUND) => Some(404),
        Ok(code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_REVISION) => Some(400),
        _ => None,
    }
}

/// A JSON-RPC error for a request whose raw id is `id`.
pub fn error(id: &str, code: i32, message: &str, status: u16) -> Refusal {
    Refusal { status, body: with_id(id, "error", &json!({ "code": code, "message": message })) }
}

fn with_id(id: &str, kind: &str, value: &Value) -> String {
    // The id goes back as it came, digit for digit.
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{kind}":{value}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dialect::{Legacy, Modern};

    /// The mapping of refusals to the wire: what an agent of either era reads in each case.
    #[test]
    fn each_case_has_its_answer() {
        let verdict = Verdict {
            id: "01JD",
            effect: "limit",
            rule: "/tools/a",
            reason: "No.",
            retry_after: Some(7),
            detail: None,
        };
        let table = [
            ("a denied tool", denied_call("1", &verdict, Legacy), denied_call("1", &verdict, Modern), [200, 200], None),
            (
                "a result that is held back",
                blocked_call("1", "No.", Legacy),
                blocked_call("1", "No.", Modern),
                [200, 200],
                None,
            ),
            ("a hidden tool", unknown_tool("1", "a"), unknown_tool("1", "a"), [200, 200], Some([-32602, -32602])),
            ("a hidden prompt", unknown_prompt("1", "a"), unknown_prompt("1", "a"), [200, 200], Some([-32602, -32602])),
            (
                "a hidden resource",
                unknown_resource("1", "a", Legacy),
                unknown_resource("1", "a", Modern),
                [200, 200],
                Some([-32002, -32602]),
            ),
            ("another's task", unknown_task("1"), unknown_task("1"), [200, 200], Some([-32602, -32602])),
            (
                "a denied prompt, resource, task",
                denied_request("1", &verdict),
                denied_request("1", &verdict),
                [200, 200],
                Some([4030, 4030]),
            ),
            (
                "another method",
                method_not_found("1", "a", Legacy),
                method_not_found("1", "a", Modern),
                [200, 404],
                Some([-32601, -32601]),
            ),
            ("calls that are stopped", cut("1", "Stopped."), cut("1", "Stopped."), [503, 503], Some([4030, 4030])),
        ];
        for (case, legacy, modern, statuses, codes) in table {
            assert_eq!([legacy.status, modern.status], statuses, "{case}");
            for (dialect, refusal) in [(Legacy, legacy), (Modern, modern)] {
                let answer: Value = serde_json::from_str(&refusal.body).unwrap();
                assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)), "{case}");
                let code = answer.pointer("/error/code").and_then(Value::as_i64);
                match codes {
                    Some([legacy, modern]) => {
                        assert_eq!(code, Some(if dialect == Legacy { legacy } else { modern }), "{case}");
                        assert!(answer.get("result").is_none());
                    }
                    None => {
                        let result = &answer["result"];
                        assert_eq!((&result["isError"], code), (&json!(true), None), "{case}");
                        assert!(result.get("structuredContent").is_none(), "{case}");
                        let complete = (dialect == Modern).then(|| json!("complete"));
                        assert_eq!(result.get("resultType"), complete.as_ref(), "{case}");
                    }
                }
            }
        }
        let decision = json!({ "id": "01JD", "effect": "limit", "rule": "/tools/a", "retry_after_s": 7 });
        for body in [denied_call("1", &verdict, Legacy).body, denied_request("1", &verdict).body] {
            let answer: Value = serde_json::from_str(&body).unwrap();
            let said = answer.pointer("/result/_meta/toolgate~1decision");
            let said = said.or_else(|| answer.pointer("/error/data/toolgate~1decision"));
            assert_eq!(said, Some(&decision));
        }
    }

    #[test]
    fn codes_that_have_a_status_in_2026_07_28() {
        for (code, status) in [
            ("-32601", Some(404)),
            ("-32020", Some(400)),
            ("-32021", Some(400)),
            ("-32022", Some(400)),
            ("-32602", None),
            ("-32603", None),
            ("-32002", None),
            ("-32042", None),
            ("4030", None),
            ("-1", None),
            ("-32021.0", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(modern_status(code), status, "{code}");
        }
    }

    /// No code of ours lies where JSON-RPC or MCP has reserved codes.
    #[test]
    fn codes_are_the_protocols_own_or_positive() {
        let own = [code::DENIED];
        assert!(own.iter().all(|code| *code > 0));
        let theirs = [
            code::PARSE,
            code::INVALID_REQUEST,
            code::METHOD_NOT_FOUND,
            code::INVALID_PARAMS,
            code::INTERNAL,
            code::RESOURCE_NOT_FOUND,
            code::HEADER_MISMATCH,
            code::MISSING_CAPABILITY,
            code::UNSUPPORTED_REVISION,
        ];
        assert_eq!(theirs, [-32700, -32600, -32601, -32602, -32603, -32002, -32020, -32021, -32022]);
    }
}
