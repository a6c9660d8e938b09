//! A span as OTLP has it in JSON, with the names of the semantic conventions of MCP (in development, so all names stand here).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Span, Target};

/// Kinds of spans, as OTLP numbers them.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// A request to export spans.
pub(super) fn export_request(service: &str, spans: &[Box<Span>]) -> Value {
    let resource = [text("service.name", service), text("service.version", env!("CARGO_PKG_VERSION"))];
    let spans: Vec<Value> = spans.iter().flat_map(|span| both(span)).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "toolgate", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

/// The agent's request, and below it what the server was asked.
fn both(span: &Span) -> impl Iterator<Item = Value> + use<> {
    let served = served(span);
    let asked = span.outcome.map(|outcome| asked(span, outcome));
    std::iter::once(served).chain(asked)
}

fn served(span: &Span) -> Value {
    let mut attributes = common(span);
    attributes.push(text("network.transport", if span.client.is_some() { "tcp" } else { "pipe" }));
    if let Some(client) = span.client {
        attributes.push(text("client.address", &client.to_string()));
    }
    if !span.agent.is_empty() {
        attributes.push(text("gen_ai.agent.name", &span.agent));
    }
    attributes.push(text("toolgate.decision.id", &span.decision));
    attributes.push(text("toolgate.decision.effect", span.effect));
    attributes.push(text("toolgate.rule.name", &span.rule));
    attributes.push(text("toolgate.server.name", &span.server));
    let mut value = frame(span, SERVER, span.ours.span, (span.ours.began, span.ended));
    if let Some(parent) = span.ours.parent {
        value["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    with_outcome(value, attributes, span.outcome)
}

fn asked(span: &Span, outcome: &'static str) -> Value {
    let mut attributes = common(span);
    attributes.push(text("network.transport", if span.over_http { "tcp" } else { "pipe" }));
    attributes.push(text("toolgate.server.name", &span.server));
    let mut value = frame(span, CLIENT, span.ours.client, (span.decided, span.ended));
    value["parentSpanId"] = json!(format!("{:016x}", span.ours.span));
    with_outcome(value, attributes, Some(outcome))
}

/// A denial is what a gateway is for, and no error of its: only the ends of forwarded requests are.
fn with_outcome(mut value: Value, mut attributes: Vec<Value>, outcome: Option<&'static str>) -> Value {
    if let Some(outcome) = outcome.filter(|outcome| *outcome != "ok") {
        attributes.push(text("error.type", outcome));
        value["status"] = json!({ "code": ERROR });
    }
    value["attributes"] = Value::Array(attributes);
    value
}

fn common(span: &Span) -> Vec<Value> {
    let mut attributes = vec![text("mcp.method.name", &span.method), text("jsonrpc.request.id", &span.request)];
    match &span.target {
        Some(Target::Tool(name)) => {
            attributes.push(text("gen_ai.operation.name", "execute_tool"));
            attributes.push(text("gen_ai.tool.name", name));
        }
        Some(Target::Prompt(name)) => attributes.push(text("gen_ai.prompt.name", name)),
        None => {}
    }
    attributes.extend(span.revision.map(|revision| text("mcp.protocol.version", revision)));
    attributes
}

fn frame(span: &Span, kind: u8, id: u64, (began, ended): (Timestamp, Timestamp)) -> Value {
    let name = match &span.target {
        Some(Target::Tool(name) | Target::Prompt(name)) => format!("{} {name}", span.method),
        None => span.method.clone(),
    };
    json!({
        "traceId": span.trace.id(),
        "spanId": format!("{id:016x}"),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": began.as_nanosecond().to_string(),
        // A clock that was set back must not make a span end before it began.
        "endTimeUnixNano": ended.max(began).as_nanosecond().to_string(),
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
