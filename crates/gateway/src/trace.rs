//! The trace that a message belongs to: taken from `_meta` or the headers, passed on, and continued where spans are kept.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use mcp::message::{Message, Params};
use mcp::trace::{TraceContext, is_state};

use crate::gateway::Gateway;

/// The header that says where a request stands in a trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which tracing systems keep their own.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The trace of one message.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What the server is told.
    onward: TraceContext,
    state: Option<String>,
    id: String,
    /// The gateway's own part, where it keeps spans of this trace.
    pub(crate) ours: Option<Ours>,
}

/// The gateway's own part of a trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours {
    /// From the arrival of the message to its end.
    pub(crate) span: u64,
    /// From its decision to the server's answer; the server's spans are below it.
    pub(crate) client: u64,
    /// What the agent says has caused it.
    pub(crate) parent: Option<u64>,
    pub(crate) began: Timestamp,
}

impl Trace {
    /// The trace of a message: as its `_meta` says, else as the headers of its request say; else a new one, where spans
    /// are kept; else none.
    pub(crate) fn of(gateway: &Gateway, headers: Option<&HeaderMap>, message: &Message<'_>) -> Option<Arc<Self>> {
        let given = match message {
            Message::Request(request) => in_meta(&request.params),
            Message::Notification(notification) => in_meta(&notification.params),
            Message::Response(_) => None,
        };
        let given = given.or_else(|| in_headers(headers?));
        let kept = gateway.keeps_spans() && matches!(message, Message::Request(_));
        let (given, state) = match given {
            None if !kept => return None,
            None => (None, None),
            Some((context, state)) => (Some(context), state),
        };
        let Some((ours, trace)) = (kept && given.is_none_or(TraceContext::is_sampled)).then(|| begin(given)).flatten()
        else {
            let onward = given?;
            return Some(Arc::new(Self { onward, state, id: format!("{:032x}", onward.trace), ours: None }));
        };
        let onward = TraceContext { trace, span: ours.client, flags: given.map_or(1, |given| given.flags) };
        Some(Arc::new(Self { onward, state, id: format!("{trace:032x}"), ours: Some(ours) }))
    }

    /// The trace's id: 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells a server of it, in the headers of a request.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Ok(parent) = HeaderValue::from_str(&self.onward.to_string()) else { return };
        headers.insert(TRACEPARENT, parent);
        if let Some(state) = self.state.as_deref().and_then(|state| HeaderValue::from_str(state).ok()) {
            headers.insert(TRACESTATE, state);
        }
    }
}

/// Ids for spans of ours; `None` if the system gives no random numbers.
fn begin(given: Option<TraceContext>) -> Option<(Ours, u128)> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    let (trace, spans) = bytes.split_first_chunk::<16>()?;
    let (span, client) = spans.split_first_chunk::<8>()?;
    let client = client.first_chunk::<8>()?;
    // Zero is no id.
    let (span, client) = (u64::from_le_bytes(*span).max(1), u64::from_le_bytes(*client).max(1));
    let ours = Ours { span, client, parent: given.map(|given| given.span), began: Timestamp::now() };
    Some((ours, given.map_or(u128::from_le_bytes(*trace).max(1), |given| given.trace)))
}

type Given = (TraceContext, Option<String>);

fn in_meta(params: &Params<'_>) -> Option<Given> {
    let context = TraceContext::parse(params.trace_parent.as_deref()?)?;
    let state = params.trace_state.as_deref().filter(|state| is_state(state));
    Some((context, state.map(str::to_owned)))
}

fn in_headers(headers: &HeaderMap) -> Option<Given> {
    let mut parents = headers.get_all(TRACEPARENT).iter();
    // Two of them contradict each other.
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    let context = TraceContext::parse(parent.to_str().ok()?)?;
    let states: Vec<&str> = headers.get_all(TRACESTATE).iter().filter_map(|state| state.to_str().ok()).collect();
    Some((context, Some(states.join(",")).filter(|state| is_state(state))))
}
