//! What a client sends: one JSON object a message.

use serde_json::{Map, Value, json};

/// A request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Request<'a> {
    /// Its number.
    pub(super) id: &'a Value,
    /// What it asks for.
    pub(super) method: &'a str,
    /// What it says beside that.
    pub(super) params: Option<&'a Map<String, Value>>,
}

/// Why a message has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    code: i32,
    says: String,
}

impl Wrong {
    /// The message is no request.
    fn message(says: &str) -> Self {
        Self { code: -32600, says: format!("Invalid Request: {says}") }
    }

    /// There is no such method.
    pub(super) fn method(name: &str) -> Self {
        Self { code: -32601, says: format!("Method not found: {}", crate::text::shown(name, 100)) }
    }

    /// What the method is given is not what it takes.
    pub(super) fn params(says: &str) -> Self {
        Self { code: -32602, says: format!("Invalid params: {says}") }
    }

    /// The answer to a message.
    pub(super) fn answer(&self, id: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "error": { "code": self.code, "message": self.says } })
    }
}

/// Reads a message; nothing where it wants no answer. What cannot be read has an answer too, with its number where it
/// has one.
pub(super) fn read(message: &Value) -> Result<Option<Request<'_>>, Value> {
    let nobody = &Value::Null;
    let Some(members) = message.as_object() else {
        let says = match message {
            Value::Array(_) => "a message is one JSON object; batches are not read here",
            _ => "a message is one JSON object",
        };
        return Err(Wrong::message(says).answer(nobody));
    };
    let named = members.get("id");
    let id = named.filter(|id| id.is_string() || id.is_i64() || id.is_u64());
    let wrong = |says: &str| Err(Wrong::message(says).answer(id.unwrap_or(nobody)));
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return wrong("`jsonrpc` must be \"2.0\"");
    }
    let method = match members.get("method") {
        Some(Value::String(method)) => method,
        // Nothing is asked of clients here, so what answers is nobody's answer.
        None if members.contains_key("result") || members.contains_key("error") => return Ok(None),
        None => return wrong("`method` is missing"),
        Some(_) => return wrong("`method` must be a text"),
    };
    let id = match (named, id) {
        (None, _) => return Ok(None),
        (Some(_), None) => return wrong("`id` must be a text or a whole number"),
        (Some(_), Some(id)) => id,
    };
    match members.get("params") {
        None => Ok(Some(Request { id, method, params: None })),
        Some(Value::Object(params)) => Ok(Some(Request { id, method, params: Some(params) })),
        Some(_) => Err(Wrong::params("`params` must be an object").answer(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_answered_too() {
        let table = [
            (json!([]), -32600, json!(null)),
            (json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]), -32600, json!(null)),
            (json!(null), -32600, json!(null)),
            (json!("ping"), -32600, json!(null)),
            (json!({}), -32600, json!(null)),
            (json!({ "id": 1, "method": "ping" }), -32600, json!(1)),
            (json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }), -32600, json!(1)),
            (json!({ "jsonrpc": "2.0", "id": 1 }), -32600, json!(1)),
            (json!({ "jsonrpc": "2.0", "id": "a", "method": 7 }), -32600, json!("a")),
            (json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }), -32600, json!(null)),
            (json!({ "jsonrpc": "2.0", "id": {}, "method": "ping" }), -32600, json!(null)),
            (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }), -32600, json!(null)),
            (json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": [] }), -32602, json!(1)),
        ];
        for (message, code, id) in table {
            let wrong = read(&message).unwrap_err();
            assert_eq!((&wrong["error"]["code"], &wrong["id"]), (&json!(code), &id), "{message}");
        }
        for silent in [
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
            json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": "" } }),
        ] {
            assert_eq!(read(&silent), Ok(None), "{silent}");
        }
        let asked = json!({ "jsonrpc": "2.0", "id": "x", "method": "ping" });
        assert_eq!(read(&asked).unwrap().map(|request| request.method), Some("ping"));
    }
}
