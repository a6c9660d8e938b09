//! A span as OTLP has it in JSON, with the names of the semantic conventions of MCP (in development, so all names stand here).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Span, Target};

/// Kinds of spans, as OTLP numbers them.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// A request to export spans.
pub(super) fn export_request(service: &str, spans: &[Span]) -> Value {
    let resource = [text("service.name", service), text("service.version", env!("CARGO_PKG_VERSION"))];
    let spans: Vec<Value> = spans.iter().flat_map(both).collect();
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
    let asked = span.outcome.map(|_| asked(span));
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
    let frame = Frame { kind: SERVER, id: span.ours.span, parent: span.ours.parent, began: span.ours.began };
    frame.whole(span, attributes)
}

fn asked(span: &Span) -> Value {
    let mut attributes = common(span);
    attributes.push(text("network.transport", if span.over_http { "tcp" } else { "pipe" }));
    attributes.push(text("toolgate.server.name", &span.server));
    let frame = Frame { kind: CLIENT, id: span.ours.client, parent: Some(span.ours.span), began: span.decided };
    frame.whole(span, attributes)
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

/// What tells the two spans of a request apart.
struct Frame {
    kind: u8,
    id: u64,
    parent: Option<u64>,
    began: Timestamp,
}

impl Frame {
    fn whole(self, span: &Span, mut attributes: Vec<Value>) -> Value {
        let name = match &span.target {
            Some(Target::Tool(name) | Target::Prompt(name)) => format!("{} {name}", span.method),
            None => span.method.clone(),
        };
        // A clock that was set back must not make a span end before it began.
        let ended = span.ended.max(self.began);
        let mut members = Map::new();
        let mut member = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        member("traceId", span.trace.id().into());
        member("spanId", format!("{:016x}", self.id).into());
        if let Some(parent) = self.parent {
            member("parentSpanId", format!("{parent:016x}").into());
        }
        member("name", name.into());
        member("kind", self.kind.into());
        member("startTimeUnixNano", self.began.as_nanosecond().to_string().into());
        member("endTimeUnixNano", ended.as_nanosecond().to_string().into());
        // A denial is what a gateway is for, and no error of its: only the ends of forwarded requests are.
        if let Some(outcome) = span.outcome.filter(|outcome| *outcome != "ok") {
            attributes.push(text("error.type", outcome));
            member("status", json!({ "code": ERROR }));
        }
        member("attributes", attributes.into());
        Value::Object(members)
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
