//! The resources the suite reads: a text, a picture, one to watch, and one by template.

use rmcp::model::{ErrorData, ReadResourceResult, Resource, ResourceTemplate};
use serde_json::{Value, json};

use crate::media;
use crate::server::build;

/// The resource that clients subscribe to.
pub const WATCHED: &str = "test://watched-resource";

/// The resources with fixed URIs.
pub fn list() -> Result<Vec<Resource>, ErrorData> {
    build(json!([
        {
            "uri": "test://static-text",
            "name": "static-text",
            "description": "A text that stays the same",
            "mimeType": "text/plain",
        },
        {
            "uri": "test://static-binary",
            "name": "static-binary",
            "description": "A picture that stays the same",
            "mimeType": "image/png",
        },
        {
            "uri": WATCHED,
            "name": "watched-resource",
            "description": "A resource to subscribe to",
            "mimeType": "text/plain",
        },
    ]))
}

/// The templates.
pub fn templates() -> Result<Vec<ResourceTemplate>, ErrorData> {
    build(json!([{
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "description": "Data of the id in the URI",
        "mimeType": "application/json",
    }]))
}

/// What a resource holds.
///
/// # Errors
/// When there is none with that URI; the URI is in the error's data.
pub fn read(uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let content = match uri {
        "test://static-text" => text(uri, "text/plain", "This is the content of the static text resource."),
        "test://static-binary" => {
            json!({ "uri": uri, "mimeType": "image/png", "blob": media::png() })
        }
        WATCHED => text(uri, "text/plain", "Somebody watches this resource."),
        _ => match uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data")) {
            Some(id) if !id.is_empty() && !id.contains('/') => {
                let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                text(uri, "application/json", &data.to_string())
            }
            _ => {
                return Err(ErrorData::resource_not_found("Resource not found", Some(json!({ "uri": uri }))));
            }
        },
    };
    build(json!({ "contents": [content], "resultType": "complete" }))
}

fn text(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "uri": uri, "mimeType": mime_type, "text": text })
}
