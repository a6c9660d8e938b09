//! What a server does with a message, as steps that HTTP and stdio carry out alike.

use serde_json::{Value, json};

use crate::message::{MODERN, error, notification, request, result};
use crate::script::{Behaviour, Script};

mod tasks;

/// One step of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this message; more follows.
    Send(Value),
    /// Wait until the gate is open.
    Gate(String),
    /// Let so many milliseconds pass.
    Pause(u64),
    /// Send this request to the client and answer the call with what it replies.
    Ask(Value, Value),
    /// Send this answer; nothing follows.
    Answer(Value),
    /// Accept a notification or response.
    Accept,
    /// Keep a subscription open under this id, for these notifications.
    Listen(Value, Value),
    /// Say nothing until the client goes.
    Hang,
    /// End without an answer.
    Die,
    /// Answer with this HTTP status, content type and body.
    Http(u16, String, String),
    /// Answer with these bytes.
    Bytes(String),
}

/// The steps that follow from `message`. `number` is fresh for each message.
pub fn plan(script: &Script, message: &Value, number: usize) -> Vec<Step> {
    let Some(method) = message.get("method").and_then(Value::as_str) else { return vec![Step::Accept] };
    let Some(id) = message.get("id") else { return vec![Step::Accept] };
    // JavaScript and Python answer to -0 as 0.
    let zero = json!(0);
    let id = if id.as_f64() == Some(0.0) { &zero } else { id };
    let params = message.get("params").cloned().unwrap_or_else(|| json!({}));
    let modern = params.pointer("/_meta/io.modelcontextprotocol~1protocolVersion").and_then(Value::as_str);
    if modern == Some(MODERN) && !script.is_modern() {
        return vec![Step::Answer(error(id, -32601, &format!("Method not found: {method}")))];
    }
    if modern.is_some_and(|revision| revision != MODERN) {
        let data = json!({ "supported": script.revisions, "requested": modern });
        let error = json!({ "code": -32022, "message": "Unsupported protocol version", "data": data });
        return vec![Step::Answer(json!({ "jsonrpc": "2.0", "id": id, "error": error }))];
    }
    let modern = modern.is_some();
    if !modern && !script.is_legacy() {
        return vec![Step::Answer(error(id, -32602, "params._meta lacks io.modelcontextprotocol/protocolVersion"))];
    }
    match method {
        "tools/call" => call(script, id, &params, modern, number),
        "subscriptions/listen" if modern => {
            vec![Step::Listen(id.clone(), params.get("notifications").cloned().unwrap_or_default())]
        }
        _ if method.starts_with("tasks/") => vec![Step::Answer(tasks::answer(script, id, method, &params, modern))],
        _ => {
            let gate = script.list_gate.clone().filter(|_| method == "tools/list").map(Step::Gate);
            gate.into_iter().chain([Step::Answer(housekeeping(script, id, method, &params, modern))]).collect()
        }
    }
}

fn housekeeping(script: &Script, id: &Value, method: &str, params: &Value, modern: bool) -> Value {
    let listed = |kind: &str, entries: Vec<Value>, params: &Value| {
        let (page, cursor) = page(script, entries, params);
        let mut listed = json!({});
        if let Some(members) = listed.as_object_mut() {
            members.insert(kind.to_owned(), Value::Array(page));
            if let Some(cursor) = cursor {
                members.insert("nextCursor".to_owned(), json!(cursor));
            }
            if modern {
                members.extend(modern_list(script));
            }
        }
        result(id, listed)
    };
    match method {
        "initialize" if script.is_legacy() => {
            let asked = params.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
            let newest = script.revisions.iter().rfind(|revision| *revision != MODERN).map(String::as_str);
            let agreed = script.revisions.iter().find(|revision| *revision == asked && *revision != MODERN);
            let agreed = agreed.map(String::as_str).or(newest);
            let info = json!({ "name": "recording-server", "version": "1" });
            result(id, json!({ "protocolVersion": agreed, "capabilities": capabilities(script), "serverInfo": info }))
        }
        "server/discover" if modern => {
            let mut discovered = json!({
                "supportedVersions": script.revisions, "capabilities": capabilities(script), "resultType": "complete",
                "serverInfo": { "name": "recording-server", "version": "1" },
            });
            if let Some(members) = discovered.as_object_mut() {
                members.extend(modern_list(script));
            }
            result(id, discovered)
        }
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => result(id, json!({})),
        "tools/list" => match &script.list_error {
            Some(text) => error(id, -32603, text),
            None => listed("tools", script.tools.iter().map(crate::script::Tool::listed).collect(), params),
        },
        "resources/list" => listed(
            "resources",
            script.resources.iter().map(|(uri, _)| json!({ "uri": uri, "name": uri })).collect(),
            params,
        ),
        "resources/templates/list" => listed("resourceTemplates", Vec::new(), params),
        "prompts/list" => {
            listed("prompts", script.prompts.iter().map(|(name, _)| json!({ "name": name })).collect(), params)
        }
        "resources/read" => {
            let uri = params.get("uri").and_then(Value::as_str).unwrap_or_default();
            match script.resources.iter().find(|(known, _)| known == uri) {
                Some((uri, text)) => result(id, json!({ "contents": [{ "uri": uri, "text": text }] })),
                None => error(id, -32002, "Resource not found"),
            }
        }
        "prompts/get" => {
            let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
            match script.prompts.iter().find(|(known, _)| known == name) {
                Some((_, text)) => {
                    let message = json!({ "role": "user", "content": { "type": "text", "text": text } });
                    result(id, json!({ "messages": [message] }))
                }
                None => error(id, -32602, "Unknown prompt"),
            }
        }
        "completion/complete" => result(id, json!({ "completion": { "values": ["completed"] } })),
        _ => error(id, -32601, &format!("Method not found: {method}")),
    }
}

fn capabilities(script: &Script) -> Value {
    let mut capabilities = json!({ "tools": { "listChanged": true }, "logging": {}, "completions": {} });
    if let Some(members) = capabilities.as_object_mut() {
        if !script.resources.is_empty() {
            members.insert("resources".to_owned(), json!({ "subscribe": true, "listChanged": true }));
        }
        if script.tools.iter().any(tasks::runs_as_task) {
            let requests = json!({ "tools": { "call": {} } });
            members.insert("tasks".to_owned(), json!({ "list": {}, "cancel": {}, "requests": requests }));
            members.insert("extensions".to_owned(), json!({ "io.modelcontextprotocol/tasks": {}, "vendor/thing": {} }));
        }
        if !script.prompts.is_empty() {
            members.insert("prompts".to_owned(), json!({ "listChanged": true }));
        }
    }
    capabilities
}

fn modern_list(script: &Script) -> serde_json::Map<String, Value> {
    let hints = json!({ "resultType": "complete", "ttlMs": script.ttl_ms, "cacheScope": "public" });
    hints.as_object().cloned().unwrap_or_default()
}

fn page(script: &Script, entries: Vec<Value>, params: &Value) -> (Vec<Value>, Option<String>) {
    if script.page == 0 {
        return (entries, None);
    }
    let cursor = params.get("cursor").and_then(Value::as_str).unwrap_or_default();
    let begin: usize = cursor.strip_prefix("page-").and_then(|number| number.parse().ok()).unwrap_or_default();
    let end = begin + script.page;
    let more = (end < entries.len()).then(|| format!("page-{end}"));
    (entries.into_iter().skip(begin).take(script.page).collect(), more)
}

/// A result with one text.
pub(super) fn text(text: &str, modern: bool) -> Value {
    let mut result = json!({ "content": [{ "type": "text", "text": text }] });
    if let (true, Some(result)) = (modern, result.as_object_mut()) {
        result.insert("resultType".to_owned(), json!("complete"));
    }
    result
}

fn call(script: &Script, id: &Value, params: &Value, modern: bool, number: usize) -> Vec<Step> {
    let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
    // A tool that the server knows and does not list still does something: only the gateway
    // stands between it and the agent.
    let behaviour = script.tool(name).map_or(Behaviour::Echo, |tool| tool.behaviour.clone());
    let answer = |words: &str| Step::Answer(result(id, text(words, modern)));
    let done = || answer(&format!("did {name}"));
    match behaviour {
        Behaviour::Echo => {
            let echoed = json!({ "name": name, "arguments": params.get("arguments") });
            vec![answer(&echoed.to_string())]
        }
        Behaviour::Text(words) => vec![answer(&words)],
        Behaviour::ToolError(words) => {
            let mut failed = text(&words, modern);
            if let Some(members) = failed.as_object_mut() {
                members.insert("isError".to_owned(), json!(true));
            }
            vec![Step::Answer(result(id, failed))]
        }
        Behaviour::RpcError(code, words) => vec![Step::Answer(error(id, code, &words))],
        Behaviour::Result(given) => vec![Step::Answer(result(id, given))],
        Behaviour::Gate(gate) => vec![Step::Gate(gate), done()],
        Behaviour::Hang => vec![Step::Hang],
        Behaviour::Progress(times, gate) => {
            let token = params.pointer("/_meta/progressToken").cloned().unwrap_or_default();
            let said = |step: u32| {
                let params = json!({ "progressToken": token, "progress": step, "total": times });
                Step::Send(notification("notifications/progress", params))
            };
            (1..=times).map(said).chain(gate.map(Step::Gate)).chain([done()]).collect()
        }
        Behaviour::Paced(times, pause) => {
            let said = |step: u32| {
                let params = json!({ "progressToken": "paced", "progress": step, "total": times });
                [Step::Send(notification("notifications/progress", params)), Step::Pause(pause)]
            };
            (1..=times).flat_map(said).chain([done()]).collect()
        }
        Behaviour::Ask(method, asked) => {
            vec![Step::Ask(request(format!("ask-{number}"), &method, asked), id.clone())]
        }
        Behaviour::InputRequired(requests, state) => match params.get("inputResponses") {
            Some(responses) => vec![answer(&responses.to_string())],
            None => {
                let wanted =
                    json!({ "resultType": "input_required", "inputRequests": requests, "requestState": state });
                vec![Step::Answer(result(id, wanted))]
            }
        },
        Behaviour::Task(_) | Behaviour::WaitingTask(_) => vec![Step::Answer(tasks::created(id, name, params, modern))],
        Behaviour::Say(message) => vec![Step::Send(message), done()],
        Behaviour::Die => vec![Step::Die],
        Behaviour::Http(status, kind, body) => vec![Step::Http(status, kind, body)],
        Behaviour::Bytes(bytes) => vec![Step::Bytes(bytes)],
    }
}
