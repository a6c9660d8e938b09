//! Spans of calls, for OpenTelemetry: written down beside the way of a call, sent by a task of their own.
//!
//! A call that nobody exports costs nothing here. Where spans are exported, a queue stands between calls and the task: what does not
//! fit is dropped and counted, and no call waits. Values of arguments and results are in no span.

mod attributes;
mod export;

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use mcp::message::Request;
use tokio::sync::mpsc;

use crate::caller::Caller;
use crate::measures::{self, Counter};
use crate::record::{Judgement, Subject};
use crate::server::Reach;
use crate::ticket::Ended;
use crate::trace::{Ours, Trace};

pub use export::Exporter;

/// Spans that may wait to be sent.
const QUEUE: usize = 4096;

/// Takes finished spans.
#[derive(Debug, Clone)]
pub struct Spans {
    queue: mpsc::Sender<Span>,
    /// Spans that found no room.
    pub(crate) dropped: Arc<Counter>,
}

/// One request, from its arrival to its end.
#[derive(Debug)]
pub(crate) struct Span {
    trace: Arc<Trace>,
    ours: Ours,
    method: String,
    /// The tool or prompt. A resource's URI may hold what is nobody's business.
    target: Option<Target>,
    request: String,
    revision: Option<&'static str>,
    server: String,
    agent: String,
    client: Option<IpAddr>,
    over_http: bool,
    decision: String,
    effect: &'static str,
    rule: String,
    decided: Timestamp,
    ended: Timestamp,
    /// How it ended, if it was forwarded.
    outcome: Option<&'static str>,
}

#[derive(Debug)]
enum Target {
    Tool(String),
    Prompt(String),
}

/// A span that is not finished. It is when this is dropped.
pub(crate) struct OpenSpan {
    span: Option<Span>,
    spans: Spans,
}

impl Spans {
    /// A queue, and its other end.
    pub(crate) fn queue() -> (Self, mpsc::Receiver<Span>) {
        let (queue, spans) = mpsc::channel(QUEUE);
        (Self { queue, dropped: Arc::default() }, spans)
    }

    /// The span of a request that was just decided, if spans of its trace are kept.
    pub(crate) fn open(
        &self,
        caller: &Caller,
        decision: audit::Id,
        request: &Request<'_>,
        judgement: &Judgement<'_>,
    ) -> Option<Box<OpenSpan>> {
        let trace = caller.trace.as_ref()?;
        let ours = trace.ours?;
        let server = caller.grant.server();
        let now = Timestamp::now();
        let span = Span {
            trace: Arc::clone(trace),
            ours,
            method: request.method.to_string(),
            target: match judgement.subject {
                Subject::Tool(name) => Some(Target::Tool(name.to_owned())),
                Subject::Prompt(name) => Some(Target::Prompt(name.to_owned())),
                Subject::Resource(_) | Subject::Method => None,
            },
            request: request.id.raw().trim_matches('"').to_owned(),
            revision: caller.revision.map(mcp::revision::Revision::as_str),
            server: server.id().to_owned(),
            agent: caller.grant.facts.agent_label.clone(),
            client: caller.client_ip,
            over_http: matches!(server.config.reach, Reach::Http(_) | Reach::Sse(_)),
            decision: decision.to_string(),
            effect: judgement.effect.as_str(),
            rule: judgement.rule.rule.clone(),
            decided: now,
            ended: now,
            outcome: None,
        };
        Some(Box::new(OpenSpan { span: Some(span), spans: self.clone() }))
    }
}

impl OpenSpan {
    /// The request was forwarded, and this is its end.
    pub(crate) fn ended(mut self, ended: Ended) {
        if let Some(span) = &mut self.span {
            span.outcome = Some(measures::outcome(ended));
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let Some(mut span) = self.span.take() else { return };
        span.ended = Timestamp::now();
        if self.spans.queue.try_send(span).is_err() {
            self.spans.dropped.count();
        }
    }
}
