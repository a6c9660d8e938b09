//! Tasks of both generations, without memory: a task is known by its tool.

use serde_json::{Value, json};

use crate::message::{error, result};
use crate::script::{Behaviour, Script, Tool, task_of};

const TIME: &str = "2026-01-05T12:00:00Z";

pub(super) fn runs_as_task(tool: &Tool) -> bool {
    matches!(tool.behaviour, Behaviour::Task(_) | Behaviour::WaitingTask(_))
}

/// A task as it is described in either generation.
fn described(tool: &str, status: &str, modern: bool) -> Value {
    let (ttl, poll) = if modern { ("ttlMs", "pollIntervalMs") } else { ("ttl", "pollInterval") };
    json!({
        "taskId": task_of(tool), "status": status, "createdAt": TIME, "lastUpdatedAt": TIME, ttl: 60_000, poll: 5,
    })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
    value
}

fn related(value: Value, tool: &str) -> Value {
    with(value, "_meta", json!({ "io.modelcontextprotocol/related-task": { "taskId": task_of(tool) } }))
}

/// The answer to a call whose tool goes on as a task.
pub(super) fn created(id: &Value, tool: &str, params: &Value, modern: bool) -> Value {
    let understands = params
        .pointer("/_meta/io.modelcontextprotocol~1clientCapabilities/extensions/io.modelcontextprotocol~1tasks")
        .is_some();
    match (modern, understands) {
        (true, true) => result(id, with(described(tool, "working", true), "resultType", json!("task"))),
        (true, false) => {
            let data = json!({ "requiredCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } } });
            let error = json!({ "code": -32021, "message": "Missing required client capability", "data": data });
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
        (false, _) => result(id, json!({ "task": described(tool, "working", false) })),
    }
}

pub(super) fn answer(script: &Script, id: &Value, method: &str, params: &Value, modern: bool) -> Value {
    if method == "tasks/list" && !modern {
        let tools = script.tools.iter().filter(|tool| runs_as_task(tool)).map(|tool| tool.name.as_str());
        let tasks: Vec<Value> = tools.chain(["another"]).map(|tool| described(tool, "working", false)).collect();
        let (tasks, cursor) = super::page(script, tasks, params);
        let listed = json!({ "tasks": tasks });
        return result(id, cursor.map_or(listed.clone(), |cursor| with(listed, "nextCursor", json!(cursor))));
    }
    let wanted = params.get("taskId").and_then(Value::as_str).unwrap_or_default();
    let Some(tool) = script.tools.iter().find(|tool| runs_as_task(tool) && task_of(&tool.name) == wanted) else {
        return error(id, -32602, "the server knows no such task");
    };
    let complete = |value: Value| if modern { with(value, "resultType", json!("complete")) } else { value };
    let name = &tool.name;
    match (method, &tool.behaviour) {
        ("tasks/get", Behaviour::Task(done)) if modern => {
            result(id, complete(with(described(name, "completed", true), "result", done.clone())))
        }
        ("tasks/get", Behaviour::WaitingTask(asks)) if modern => {
            result(id, complete(with(described(name, "input_required", true), "inputRequests", asks.clone())))
        }
        ("tasks/get", _) => result(id, complete(related(described(name, "completed", modern), name))),
        ("tasks/result", Behaviour::Task(done)) if !modern => result(id, related(done.clone(), name)),
        ("tasks/cancel", _) if !modern => result(id, described(name, "cancelled", false)),
        ("tasks/cancel" | "tasks/update", _) if modern => result(id, complete(json!({}))),
        _ => error(id, -32601, &format!("Method not found: {method}")),
    }
}
