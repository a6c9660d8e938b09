//! Large stacks: three tools by which all others are found, so that a model reads what it looks for and no more.
//!
//! What is called by way of them is called as it would be by its own name: judged, limited and recorded as that.

use http::{Response, StatusCode};
use mcp::json::{self, Value, quote};
use mcp::message::{MAX_NAME, Request, splice};
use serde_json::json;

use super::At;
use crate::body::Body;
use crate::caller::Dialect;
use crate::http_front::{Front, json as json_answer, plain};
use crate::refusal;
use crate::stack::{Kind, MOST_FOUND, Merged, SEARCH};

/// Tools that one search tells of, unless it asks for another number.
const FOUND: usize = 10;

/// Whether a name is one of the three.
pub(super) fn is_own(name: &str) -> bool {
    SEARCH.contains(&name)
}

/// The definitions of the three.
pub(super) fn definitions(merged: &Merged) -> String {
    let count = merged.entries.len();
    let [search, describe, call] = SEARCH;
    let tools = [
        json!({
            "name": search, "title": "Search tools",
            "description": format!("Finds tools among the {count} that are available here, by words of what they do. Describe one with {describe}, then call it with {call}."),
            "inputSchema": { "type": "object", "properties": {
                "query": { "type": "string", "description": "Words of what the tool should do, such as `send message`." },
                "limit": { "type": "integer", "minimum": 1, "maximum": MOST_FOUND, "description": "How many to tell of; 10 if left out." }
            }, "required": ["query"], "additionalProperties": false },
            "annotations": { "readOnlyHint": true, "openWorldHint": false }
        }),
        json!({
            "name": describe, "title": "Describe a tool",
            "description": format!("Gives the whole definition of a tool that {search} has found: what it does and which arguments it takes."),
            "inputSchema": { "type": "object", "properties": {
                "name": { "type": "string", "description": "The tool's name, as it was found." }
            }, "required": ["name"], "additionalProperties": false },
            "annotations": { "readOnlyHint": true, "openWorldHint": false }
        }),
        json!({
            "name": call, "title": "Call a tool",
            "description": format!("Calls a tool by its name, with the arguments that {describe} says it takes."),
            "inputSchema": { "type": "object", "properties": {
                "name": { "type": "string", "description": "The tool's name, as it was found." },
                "arguments": { "type": "object", "description": "The arguments of that tool." }
            }, "required": ["name"], "additionalProperties": false }
        }),
    ];
    tools.map(|tool| tool.to_string()).join(",")
}

/// What one of the three is asked.
struct Asked<'a> {
    arguments: Option<Value<'a>>,
}

impl Asked<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.arguments.as_ref()?.get(key)?.as_str()
    }
}

impl Front {
    pub(super) async fn search_stack(&self, at: &At, request: &Request<'_>, tool: &str) -> Response<Body> {
        let id = request.id.raw();
        let merged = match self.merged(at, Kind::Tools).await {
            Ok(merged) => merged,
            Err(reason) => return plain(&refusal::error(id, refusal::code::INTERNAL, &reason, 200)),
        };
        let asked = Asked { arguments: request.params.arguments.and_then(|raw| json::parse(raw).ok()) };
        let [search, describe, _] = SEARCH;
        if tool == search {
            let Some(query) = asked.text("query") else { return wrong(at, id, "give `query`: words to look for") };
            let limit = asked.arguments.as_ref().and_then(|all| all.get("limit")?.as_number()?.text().parse().ok());
            let found = merged.find(query, limit.unwrap_or(FOUND));
            return told(at, id, &found);
        }
        let fits = |name: &&str| !name.is_empty() && name.chars().count() <= MAX_NAME;
        let Some(name) = asked.text("name").filter(fits) else { return wrong(at, id, "give `name`: the tool's name") };
        if tool == describe {
            let Some(entry) = merged.get(name) else {
                return plain(&refusal::unknown_tool(id, name));
            };
            let definition = serde_json::from_str(&entry.definition).unwrap_or_default();
            return told(at, id, &definition);
        }
        self.call_found(at, request, &merged, name).await
    }

    /// The call that was meant, put as it would have come by itself.
    async fn call_found(&self, at: &At, request: &Request<'_>, merged: &Merged, name: &str) -> Response<Body> {
        let id = request.id.raw();
        let spans = request.params.spans;
        let raw = request.params.arguments.unwrap_or("{}");
        let arguments = json::locate(raw, &["arguments"]).ok().flatten().map_or("{}", |span| span.of(raw));
        let quoted = quote(name);
        let text = spans.name.zip(spans.arguments).and_then(|(own, given)| {
            splice(request.raw, &[(own.range(), quoted.as_str()), (given.range(), arguments)])
        });
        let parsed = text.as_deref().map(|text| mcp::message::parse_client(text.as_bytes()));
        let Some(Ok(mcp::message::Body::One(mcp::message::Message::Request(call)))) = parsed else {
            return wrong(at, id, "`arguments` must be an object");
        };
        // The agent cannot know which arguments the server wants to see in headers too.
        let member = merged.get(name).and_then(|entry| Some((at.stack.members().get(entry.member)?, entry)));
        let declared = member.and_then(|(member, entry)| member.server().tools.current()?.get(&entry.own).cloned());
        let mirrored = declared.and_then(|tool| mcp::header::write_params(&tool.header_params, Some(arguments)).ok());
        self.to_member(at, &call, Kind::Tools, name, mirrored.unwrap_or_default()).await
    }
}

/// A result that is told both as text and as data.
fn told(at: &At, id: &str, data: &serde_json::Value) -> Response<Body> {
    let text = serde_json::to_string_pretty(data).unwrap_or_default();
    result(at, id, json!({ "content": [{ "type": "text", "text": text }], "structuredContent": data }))
}

fn wrong(at: &At, id: &str, text: &str) -> Response<Body> {
    result(at, id, json!({ "isError": true, "content": [{ "type": "text", "text": text }] }))
}

fn result(at: &At, id: &str, mut result: serde_json::Value) -> Response<Body> {
    if at.dialect() == Dialect::Modern
        && let Some(members) = result.as_object_mut()
    {
        members.insert("resultType".to_owned(), "complete".into());
    }
    json_answer(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
}
