//! One connection of the recording HTTP server.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use super::plan::{Step, plan, text};
use super::reply::Reply;
use crate::message::{MODERN, error, notification, result};
use crate::record::Recorded;
use crate::script::Script;
use crate::wire::Wire;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(600);

/// How often a waiting answer looks whether its client is still there.
const LOOK: Duration = Duration::from_millis(5);

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Keep,
    Close,
}

pub(super) fn connection(shared: &Shared, number: usize, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let slot = shared.log.change(|state| {
        state.raw.push(Vec::new());
        state.raw.len() - 1
    });
    let mut wire = Wire::new(stream);
    loop {
        let head = wire.head(IDLE);
        keep_raw(shared, slot, &wire);
        let Ok(Some(head)) = head else { break };
        let body = wire.request_body(&head, IDLE);
        keep_raw(shared, slot, &wire);
        let Ok(body) = body else { break };
        let recorded = Recorded {
            connection: number,
            method: head.method().to_owned(),
            path: head.target().to_owned(),
            headers: head.headers,
            body,
        };
        shared.log.change(|state| state.requests.push(recorded.clone()));
        if shared.stopped.load(Ordering::Acquire) || answer(shared, &mut wire, &recorded).ok() != Some(Next::Keep) {
            break;
        }
    }
    let _ = wire.stream().shutdown(Shutdown::Both);
}

fn keep_raw(shared: &Shared, slot: usize, wire: &Wire) {
    shared.log.change(|state| {
        if let Some(raw) = state.raw.get_mut(slot) {
            wire.seen.clone_into(raw);
        }
    });
}

fn answer(shared: &Shared, wire: &mut Wire, request: &Recorded) -> std::io::Result<Next> {
    let script = shared.script();
    let modern = request.headers.get("mcp-protocol-version") == Some(MODERN) && script.is_modern();
    let message = request.json();
    let opens = message.get("method").is_some_and(|method| method == "initialize");
    if !modern && script.sessions && !opens {
        let known =
            request.headers.get("mcp-session-id").map(|id| shared.streams().sessions.iter().any(|open| open == id));
        let id = message.get("id").cloned().unwrap_or_default();
        let mut reply = Reply::new(wire.stream());
        match known {
            Some(true) => {}
            Some(false) => return reply.json(404, &error(&id, -32001, "Session not found")).map(|()| Next::Keep),
            None => return reply.json(400, &error(&id, -32000, "Bad Request: no session id")).map(|()| Next::Keep),
        }
    }
    match request.method.as_str() {
        "POST" if message.is_array() => batch(&script, wire, shared, &message),
        "POST" => post(&script, wire, shared, &message),
        "GET" if !modern && script.is_legacy() => listen(&script, wire, shared, request),
        "DELETE" if !modern && script.sessions => {
            let id = request.headers.get("mcp-session-id").unwrap_or_default();
            shared.streams().sessions.retain(|open| open != id);
            Reply::new(wire.stream()).whole(200, "", "").map(|()| Next::Keep)
        }
        _ => Reply::new(wire.stream()).whole(405, "", "").map(|()| Next::Keep),
    }
}

fn batch(script: &Script, wire: &mut Wire, shared: &Shared, messages: &Value) -> std::io::Result<Next> {
    let mut answers = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        for step in plan(script, message, shared.number()) {
            if let Step::Answer(answer) = step {
                answers.push(answer);
            }
        }
    }
    Reply::new(wire.stream()).json(200, &Value::Array(answers)).map(|()| Next::Keep)
}

fn post(script: &Script, wire: &mut Wire, shared: &Shared, message: &Value) -> std::io::Result<Next> {
    let mut headers = Vec::new();
    let opens = message.get("method").is_some_and(|method| method == "initialize");
    if script.sessions && opens {
        let id = format!("upstream-session-{}", shared.number());
        shared.streams().sessions.push(id.clone());
        headers.push(("mcp-session-id".to_owned(), id));
    }
    let mut streaming = false;
    for step in plan(script, message, shared.number()) {
        // `Reply` borrows the socket; the waits in between need the whole wire.
        let mut reply = Reply::new(wire.stream());
        reply.headers.clone_from(&headers);
        if streaming {
            reply = resumed(reply);
        }
        match step {
            Step::Accept => return reply.whole(202, "", "").map(|()| Next::Keep),
            Step::Send(sent) => send(script, &mut reply, shared, &sent)?,
            Step::Pause(pause) => std::thread::sleep(Duration::from_millis(pause)),
            Step::Answer(answer) => {
                if reply.is_streaming() || script.sse {
                    send(script, &mut reply, shared, &answer)?;
                    return reply.end().map(|()| Next::Keep);
                }
                return reply.json(status_of(&answer), &answer).map(|()| Next::Keep);
            }
            Step::Ask(asked, call) => {
                send(script, &mut reply, shared, &asked)?;
                let Some(said) = await_reply(wire, shared, &asked) else { return Ok(Next::Close) };
                let mut reply = resumed(Reply::new(wire.stream()));
                send(script, &mut reply, shared, &result(&call, text(&said.to_string(), false)))?;
                return reply.end().map(|()| Next::Keep);
            }
            Step::Gate(gate) => {
                if script.sse && !reply.is_streaming() {
                    reply.begin()?;
                }
                streaming |= reply.is_streaming();
                if !await_gate(wire, shared, &gate) {
                    return Ok(Next::Close);
                }
                continue;
            }
            Step::Listen(id, wanted) => {
                let meta = json!({ "io.modelcontextprotocol/subscriptionId": id });
                let tag = json!({ "_meta": meta, "notifications": wanted });
                let acknowledged = notification("notifications/subscriptions/acknowledged", tag);
                reply.event(None, &acknowledged.to_string())?;
                return tell(wire, shared, &script.clone(), Some(&id));
            }
            Step::Hang => {
                await_gate(wire, shared, "never");
                return Ok(Next::Close);
            }
            Step::Die => return Ok(Next::Close),
            Step::Http(status, kind, body) => return reply.whole(status, &kind, &body).map(|()| Next::Keep),
            Step::Bytes(bytes) => {
                wire.stream().write_all(bytes.as_bytes())?;
                return Ok(Next::Close);
            }
        }
        streaming |= reply.is_streaming();
    }
    Ok(Next::Close)
}

/// A reply whose head went out before.
fn resumed(mut reply: Reply<'_>) -> Reply<'_> {
    reply.mark_streaming();
    reply
}

/// The modern era has statuses for some errors.
fn status_of(answer: &Value) -> u16 {
    match answer.pointer("/error/code").and_then(Value::as_i64) {
        Some(-32022..=-32020) => 400,
        _ => 200,
    }
}

fn send(script: &Script, reply: &mut Reply<'_>, shared: &Shared, message: &Value) -> std::io::Result<()> {
    let id = script.event_ids.then(|| format!("event-{}", shared.number()));
    if let Some(id) = &id {
        shared.streams().history.push((id.clone(), message.clone()));
    }
    reply.event(id.as_deref(), &message.to_string())
}

/// Waits until the gate is open; `false` when the client went before.
fn await_gate(wire: &Wire, shared: &Shared, gate: &str) -> bool {
    loop {
        if shared.log.until("a gate", LOOK, |state| state.open.iter().any(|open| open == gate).then_some(())).is_ok() {
            return true;
        }
        if wire.is_closed() {
            shared.log.change(|state| state.gone += 1);
            return false;
        }
        if shared.stopped.load(Ordering::Acquire) {
            return false;
        }
    }
}

/// The client's response to a request of the server, which comes as a POST of its own.
fn await_reply(wire: &Wire, shared: &Shared, asked: &Value) -> Option<Value> {
    let id = asked.get("id")?;
    loop {
        let found = shared.log.until("a reply", LOOK, |state| {
            state
                .requests
                .iter()
                .map(Recorded::json)
                .find(|message| message.get("id") == Some(id) && message.get("method").is_none())
        });
        if let Ok(reply) = found {
            return Some(reply.get("result").or_else(|| reply.get("error")).cloned().unwrap_or_default());
        }
        if wire.is_closed() || shared.stopped.load(Ordering::Acquire) {
            shared.log.change(|state| state.gone += 1);
            return None;
        }
    }
}

fn listen(script: &Script, wire: &mut Wire, shared: &Shared, request: &Recorded) -> std::io::Result<Next> {
    let mut reply = Reply::new(wire.stream());
    reply.begin()?;
    reply.chunk(": hello\n\n")?;
    if let Some(last) = request.headers.get("last-event-id") {
        let history = shared.streams().history.clone();
        let missed = history.iter().skip_while(|(id, _)| id != last).skip(1);
        for (id, message) in missed {
            reply.event(Some(id), &message.to_string())?;
        }
    }
    tell(wire, shared, script, None)
}

/// Sends what [`super::Upstream::say`] says until the client goes.
fn tell(wire: &mut Wire, shared: &Shared, script: &Script, subscription: Option<&Value>) -> std::io::Result<Next> {
    let (sender, messages) = std::sync::mpsc::channel::<Value>();
    shared.streams().listeners.push(sender);
    loop {
        match messages.recv_timeout(LOOK) {
            Ok(mut message) => {
                if let (Some(id), Some(params)) =
                    (subscription, message.pointer_mut("/params").and_then(Value::as_object_mut))
                {
                    let meta = params.entry("_meta").or_insert_with(|| json!({}));
                    if let Some(meta) = meta.as_object_mut() {
                        meta.insert("io.modelcontextprotocol/subscriptionId".to_owned(), id.clone());
                    }
                }
                send(script, &mut resumed(Reply::new(wire.stream())), shared, &message)?;
            }
            Err(RecvTimeoutError::Timeout) if wire.is_closed() => {
                if subscription.is_some() {
                    shared.log.change(|state| state.gone += 1);
                }
                return Ok(Next::Close);
            }
            Err(RecvTimeoutError::Timeout) if shared.stopped.load(Ordering::Acquire) => return Ok(Next::Close),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Next::Close),
        }
    }
}
