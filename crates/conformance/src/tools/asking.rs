//! Tools with one question: asked on the stream of the call in 2024-11-05 to 2025-11-25, and by way of the
//! result in 2026-07-28. See [`input::rounds`](crate::input::rounds) for how.

use rmcp::model::{CallToolResponse, ErrorData};
use serde_json::{Value, json};

use super::{Call, done};
use crate::input::{self, Answers};

/// The key of the only question.
const KEY: &str = "answer";

/// Asks the client's model.
pub fn sampling(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let question = input::sampling(call.text("prompt")?, 100);
    ask(call, question, |answer| {
        let text = answer.pointer("/content/text").and_then(Value::as_str).unwrap_or_default();
        format!("LLM response: {text}")
    })
}

/// Asks the user for a name and an address.
pub fn elicitation(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    });
    form(call, call.text("message")?, schema, "User response")
}

/// Asks with a default for every primitive type (SEP-1034).
pub fn defaults(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
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
    form(call, "Please review the defaults.", schema, "Elicitation completed")
}

/// Asks with every way to write a choice (SEP-1330).
pub fn enums(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
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
    form(call, "Please choose.", schema, "Elicitation completed")
}

/// Asks for the client's roots.
pub fn roots(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    ask(call, input::roots(), |answer| {
        let roots = answer.get("roots").and_then(Value::as_array).into_iter().flatten();
        let uris: Vec<&str> = roots.filter_map(|root| root.get("uri")?.as_str()).collect();
        format!("Roots: {}", uris.join(", "))
    })
}

fn form(call: &Call<'_>, message: &str, schema: Value, lead: &str) -> Result<CallToolResponse, ErrorData> {
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    ask(call, json!({ "method": "elicitation/create", "params": params }), |answer| {
        let action = answer.get("action").and_then(Value::as_str).unwrap_or_default();
        let content = answer.get("content").cloned().unwrap_or_default();
        format!("{lead}: action={action}, content={content}")
    })
}

fn ask(call: &Call<'_>, question: Value, read: impl FnOnce(&Value) -> String) -> Result<CallToolResponse, ErrorData> {
    match Answers::new(call.request.input_responses.as_ref()).get(KEY)? {
        Some(answer) => done(&read(answer)),
        None => Ok(input::required(call.context, json!({ KEY: question }), None)?.into()),
    }
}
