//! Tools that send the client a request of their own (2024-11-05 to 2025-11-25).
//!
//! In 2026-07-28 a server may not; there these tools fail and say so.

use rmcp::model::{CallToolResponse, ClientResult, ErrorData, ServerRequest};
use serde_json::{Value, json};

use super::{Call, done, error};
use crate::input;
use crate::server::{build, is_modern};

/// Asks the client's model.
pub async fn sampling(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let request = input::sampling(call.text("prompt")?, 100);
    let request = ServerRequest::CreateMessageRequest(build(request)?);
    ask(call, "sampling/createMessage", request, |result| match result {
        ClientResult::CreateMessageResult(result) => {
            let message = serde_json::to_value(result).unwrap_or_default();
            let text = message.pointer("/content/text").and_then(Value::as_str).unwrap_or_default();
            Some(format!("LLM response: {text}"))
        }
        _ => None,
    })
    .await
}

/// Asks the user for a name and an address.
pub async fn elicitation(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    });
    form(call, call.text("message")?, schema, "User response").await
}

/// Asks with a default for every primitive type (SEP-1034).
pub async fn defaults(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "User name", "default": "John Doe" },
            "age": { "type": "integer", "description": "User age", "default": 30 },
            "score": { "type": "number", "description": "User score", "default": 95.5 },
            "status": {
                "type": "string",
                "description": "User status",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": { "type": "boolean", "description": "Verification status", "default": true },
        },
        "required": [],
    });
    form(call, "Please review the defaults.", schema, "Elicitation completed").await
}

/// Asks with every way to write a choice (SEP-1330).
pub async fn enums(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let titled = |word: &str| {
        json!([
            { "const": "value1", "title": format!("First {word}") },
            { "const": "value2", "title": format!("Second {word}") },
            { "const": "value3", "title": format!("Third {word}") },
        ])
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
            "titledSingle": { "type": "string", "oneOf": titled("Option") },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
        },
        "required": [],
    });
    form(call, "Please choose.", schema, "Elicitation completed").await
}

/// Asks for the client's roots.
pub async fn roots(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let request = ServerRequest::ListRootsRequest(build(input::roots())?);
    ask(call, "roots/list", request, |result| match result {
        ClientResult::ListRootsResult(result) => {
            let uris: Vec<&str> = result.roots.iter().map(|root| root.uri.as_str()).collect();
            Some(format!("Roots: {}", uris.join(", ")))
        }
        _ => None,
    })
    .await
}

async fn form(call: &Call<'_>, message: &str, schema: Value, lead: &str) -> Result<CallToolResponse, ErrorData> {
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    let request = json!({ "method": "elicitation/create", "params": params });
    let request = ServerRequest::ElicitRequest(build(request)?);
    ask(call, "elicitation/create", request, |result| match result {
        ClientResult::ElicitResult(result) => {
            let answer = serde_json::to_value(result).unwrap_or_default();
            let action = answer.get("action").and_then(Value::as_str).unwrap_or_default();
            let content = answer.get("content").cloned().unwrap_or_default();
            Some(format!("{lead}: action={action}, content={content}"))
        }
        _ => None,
    })
    .await
}

async fn ask(
    call: &Call<'_>,
    method: &str,
    request: ServerRequest,
    read: impl FnOnce(ClientResult) -> Option<String>,
) -> Result<CallToolResponse, ErrorData> {
    if is_modern(call.context) {
        return error(&format!("`{method}` is not sent to clients in this revision."));
    }
    if !input::can(&call.context.client_capabilities().unwrap_or_default(), method) {
        return error(&format!("The client did not declare what `{method}` needs."));
    }
    match call.context.peer.send_request(request).await {
        Ok(result) => match read(result) {
            Some(text) => done(&text),
            None => error(&format!("The client answered `{method}` with something else.")),
        },
        Err(failure) => error(&format!("The client refused `{method}`: {failure}")),
    }
}
