//! The list of tools.

use rmcp::model::{ErrorData, Tool};
use serde_json::{Value, json};

use crate::server::build;

/// Tools without arguments: name and description, in the order of the list.
const PLAIN: [(&str, &str); 30] = [
    ("test_simple_text", "Returns a text"),
    ("test_image_content", "Returns a picture"),
    ("test_audio_content", "Returns a sound"),
    ("test_embedded_resource", "Returns a resource"),
    ("test_multiple_content_types", "Returns a text, a picture and a resource"),
    ("test_error_handling", "Always fails"),
    ("test_tool_with_logging", "Sends three log messages while it works"),
    ("test_logging_tool", "Sends log messages if the request asks for them"),
    ("test_tool_with_progress", "Reports progress in three steps"),
    ("test_reconnection", "Ends its own stream before its result is there"),
    ("test_trigger_tool_change", "Tells listeners that the tools changed"),
    ("test_trigger_prompt_change", "Tells listeners that the prompts changed"),
    ("test_trigger_resource_change", "Tells listeners that the watched resource changed"),
    ("test_elicitation_sep1034_defaults", "Asks the user, with defaults"),
    ("test_elicitation_sep1330_enums", "Asks the user to choose"),
    ("test_roots", "Asks the client for its roots"),
    ("test_missing_capability", "Needs a client with sampling"),
    ("test_streaming_elicitation", "Asks the user by way of its result"),
    ("test_input_required_result_elicitation", "Asks for a name, then greets"),
    ("test_input_required_result_sampling", "Asks the client's model, then answers"),
    ("test_input_required_result_list_roots", "Asks for the roots, then lists them"),
    ("test_input_required_result_request_state", "Asks, and checks that its state came back"),
    ("test_input_required_result_tampered_state", "Asks, and notices a state that was changed"),
    ("test_input_required_result_multiple_inputs", "Asks three things at once"),
    ("test_input_required_result_multi_round", "Asks twice"),
    ("test_input_required_result_capabilities", "Asks what the client can answer"),
    ("failing_job", "A task that fails as tools fail"),
    ("protocol_error_job", "A task that ends with an error of the protocol"),
    ("multi_input", "A task that asks two things at once"),
    ("test_tool_with_task", "Asks for a name, then is a task"),
];

/// Every tool, always in the same order.
pub fn list() -> Result<Vec<Tool>, ErrorData> {
    let plain =
        PLAIN.iter().map(|(name, description)| tool(name, description, json!({ "type": "object", "properties": {} })));
    let with_arguments = [
        tool("test_sampling", "Asks the client's model", text_schema("prompt", "What to ask the model")),
        tool("test_elicitation", "Asks the user", text_schema("message", "What to show the user")),
        tool(
            "test_custom_header",
            "Has an argument that also travels as a header",
            json!({
                "type": "object",
                "properties": {
                    "region": { "type": "string", "description": "Where", "x-mcp-header": "Region" },
                    "note": { "type": "string", "description": "Travels in the body only" },
                },
                "required": ["region"],
            }),
        ),
        tool("greet", "Greets", text_schema("name", "Whom to greet")),
        tool(
            "slow_compute",
            "Takes its time",
            json!({
                "type": "object",
                "properties": { "seconds": { "type": "number" }, "label": { "type": "string" } },
            }),
        ),
        tool("confirm_delete", "Asks the user, then pretends", text_schema("filename", "What not to delete")),
        tool("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", rich_schema()),
    ];
    build(Value::Array(plain.chain(with_arguments).collect()))
}

fn tool(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "description": description, "inputSchema": schema })
}

fn text_schema(name: &str, description: &str) -> Value {
    json!({
        "type": "object",
        "properties": { name: { "type": "string", "description": description } },
        "required": [name],
    })
}

/// A schema with the keywords that servers and gateways tend to lose (SEP-1613, SEP-2106).
fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
