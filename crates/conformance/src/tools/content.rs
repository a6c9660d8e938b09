//! Tools that return each kind of content.

use rmcp::model::{CallToolResponse, ErrorData};
use serde_json::{Value, json};

use super::{contents, done};
use crate::media;

/// A text.
pub fn simple_text() -> Result<CallToolResponse, ErrorData> {
    done("This is a simple text response for testing.")
}

/// A picture.
pub fn image() -> Result<CallToolResponse, ErrorData> {
    contents(json!([picture()]))
}

/// A sound.
pub fn audio() -> Result<CallToolResponse, ErrorData> {
    contents(json!([{ "type": "audio", "data": media::wav(), "mimeType": "audio/wav" }]))
}

/// A resource in the result.
pub fn embedded_resource() -> Result<CallToolResponse, ErrorData> {
    let text = "This is an embedded resource content.";
    contents(json!([resource("test://embedded-resource", "text/plain", text)]))
}

/// A text, a picture and a resource.
pub fn multiple() -> Result<CallToolResponse, ErrorData> {
    let data = json!({ "test": "data", "value": 123 }).to_string();
    contents(json!([
        { "type": "text", "text": "Multiple content types test:" },
        picture(),
        resource("test://mixed-content-resource", "application/json", &data),
    ]))
}

fn picture() -> Value {
    json!({ "type": "image", "data": media::png(), "mimeType": "image/png" })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}
