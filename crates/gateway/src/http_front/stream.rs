//! Streams of events to an agent, and the requests that open or end them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use mcp::revision::Revision;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admit::Admitted;
use super::answer::{failed, sorry};
use super::translate::Agent;
use super::{Front, empty, json_refusal, not_forwarded, plain};
use crate::admission::{Withdrawn, Work, until_withdrawn};
use crate::body::{Body, BodyFault};
use crate::caller::Caller;
use crate::events::{EventReader, encode, streams};
use crate::grant::Lead;
use crate::halt::halted;
use crate::http_link::{HttpLink, LAST_EVENT_ID};
use crate::refusal;
use crate::relay::{Relay, Seen};
use crate::seal::Session;
use crate::sessions::Excused;
use crate::streams::OpenStream;
use crate::ticket::Ended;
use crate::transport::Way;

/// What a server may say before its answer while that alone is waited for, in bytes.
pub(super) const BEFORE_ANSWER: usize = 1024 * 1024;

/// The server's events on their way to an agent.
pub(super) struct Events {
    reader: EventReader,
    relay: Relay,
    link: HttpLink,
    /// Whether an answer that is missing at the end may come on another stream.
    resumable: bool,
    /// Tells that the policy was replaced, on streams where the agent hears of such things.
    changes: Option<Changes>,
    /// What it is: it ends with the admission of whoever reads it.
    work: Work,
    /// For how long its silence was none of the server's.
    excused: Excused,
    /// Its place among the streams that are open, where no request of its own holds that.
    _stream: Option<OpenStream>,
    done: bool,
}

/// Announces a replaced policy as the server would announce changed tools.
pub(super) struct Changes {
    pub(super) policy: watch::Receiver<u64>,
    /// The notification to send.
    pub(super) notice: String,
}

impl Changes {
    /// The notification to send when the policy is replaced; for ever waiting where nothing announces that.
    pub(super) async fn next(known: &mut Option<Self>) -> String {
        if let Some(changes) = known
            && changes.policy.changed().await.is_ok()
        {
            return changes.notice.clone();
        }
        *known = None;
        std::future::pending().await
    }
}

impl Events {
    pub(super) fn new(reader: EventReader, relay: Relay, link: HttpLink, resumable: bool) -> Self {
        let work = match relay.expected() {
            Some(expected) if !expected.may_last() => Work::Request,
            _ => Work::Listening,
        };
        Self {
            reader,
            relay,
            link,
            resumable,
            changes: None,
            work,
            excused: Excused::default(),
            _stream: None,
            done: false,
        }
    }

    pub(super) fn announcing(mut self, changes: Option<Changes>) -> Self {
        self.changes = changes;
        self
    }

    pub(super) fn counted_as(mut self, stream: OpenStream) -> Self {
        self._stream = Some(stream);
        self
    }

    pub(super) fn negotiated(&self) -> Option<Revision> {
        self.relay.negotiated
    }

    /// Reads on until the answer has come, and gives what was read.
    pub(super) async fn until_answered(&mut self) -> Vec<Bytes> {
        let (mut ready, mut length) = (Vec::new(), 0);
        while self.relay.waits() && length <= BEFORE_ANSWER {
            match self.next().await {
                Some(bytes) => {
                    length += bytes.len();
                    ready.push(bytes);
                }
                None => break,
            }
        }
        ready
    }

    /// The answer whose body is `ready` and then the rest of the stream.
    pub(super) fn into_response(self, ready: Vec<Bytes>) -> Response<Body> {
        let rest = stream::unfold((self, ready.into_iter()), |(mut events, mut ready)| async move {
            let bytes = match ready.next() {
                Some(bytes) => Some(bytes),
                None => events.next().await,
            };
            bytes.map(|bytes| (bytes, (events, ready)))
        });
        event_stream(Body::Stream(Box::pin(rest)))
    }

    /// The bytes of the next event for the agent; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.done {
            let step = tokio::select! {
                biased;
                withdrawn = self.relay.until_withdrawn(self.work) => {
                    self.done = true;
                    return self.cut(&withdrawn);
                }
                step = self.reader.next() => step,
                notice = Changes::next(&mut self.changes) => return Some(encode(None, &notice)),
            };
            match step {
                Ok(Some(event)) => {
                    self.excused = Excused::default();
                    // A priming event, a comment, a retry: the agent's to read.
                    let Some(message) = &event.message else { return Some(event.raw) };
                    match self.relay.see(message) {
                        Seen::Pass => return Some(event.raw),
                        Seen::Replace(text) => return Some(encode(event.id.as_deref(), &text)),
                        Seen::Withhold { answer } => {
                            if let Some(answer) = answer {
                                let link = self.link.clone();
                                tokio::spawn(async move { link.tell(answer).await });
                            }
                        }
                    }
                }
                Ok(None) => {
                    self.done = true;
                    return self.ended();
                }
                // It waits for its agent.
                Err(BodyFault::Silent(limit)) if self.excused.once_more(limit) && self.relay.agent_thinks(limit) => {}
                Err(fault) => {
                    self.done = true;
                    return self.broke(&fault);
                }
            }
        }
        None
    }

    fn ended(&mut self) -> Option<Bytes> {
        if self.resumable && self.reader.can_be_resumed() {
            self.relay.park();
            return None;
        }
        self.last_word(Ended::Unknown, "the server ended its answer before the result")
    }

    fn broke(&mut self, fault: &BodyFault) -> Option<Bytes> {
        let ended = match fault {
            BodyFault::Silent(_) | BodyFault::Endless(_) => Ended::Timeout,
            _ => Ended::Unknown,
        };
        self.last_word(ended, &fault.to_string())
    }

    /// A legacy server works on after its stream was closed, so it is told.
    fn cut(&mut self, withdrawn: &Withdrawn) -> Option<Bytes> {
        if let (Some(expected), true) = (self.relay.expected(), self.link.session.is_some()) {
            self.link.clone().cancel_later(self.relay.gateway(), expected.raw_id(), &withdrawn.to_string());
        }
        self.last_word(Ended::Unknown, withdrawn.to_string().trim_end_matches('.'))
    }

    /// The head is sent, so an error can only be said as a last event.
    fn last_word(&mut self, ended: Ended, reason: &str) -> Option<Bytes> {
        let expected = self.relay.take_expected()?;
        let apology = expected.apology(ended, reason);
        expected.failed(ended, reason);
        Some(encode(None, &apology.body))
    }
}

/// An answer that streams events.
pub(super) fn event_stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// How long an agent that is let in no more may take to read that.
const LAST_READ: Duration = Duration::from_millis(500);

/// What a legacy agent hears when its policy was replaced.
pub(crate) const TOOLS_CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

impl Front {
    /// A stream ends by itself when its agent is let in no more, but only where the agent reads it. One that does not loses
    /// its connection.
    pub(super) fn guarded(&self, answer: Response<Body>, caller: &Caller, work: Work) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let stream = match body {
            Body::Stream(stream) if caller.grant.terms.is_some() => stream,
            body => return Response::from_parts(head, body),
        };
        let (gateway, caller, hang_up) = (Arc::clone(&self.gateway), caller.clone(), Arc::clone(&self.hang_up));
        let mut watch = JoinSet::new();
        watch.spawn(async move {
            until_withdrawn(&gateway, &caller, work).await;
            tokio::time::sleep(LAST_READ).await;
            hang_up.notify_one();
        });
        let watched = stream.inspect(move |_| {
            // Dropped with the stream, it watches no more.
            let _ = &watch;
        });
        Response::from_parts(head, Body::Stream(Box::pin(watched)))
    }

    /// Opens (or resumes) a legacy stream.
    pub(super) async fn get(&self, admitted: Admitted, headers: &HeaderMap) -> Response<Body> {
        let Admitted { lead, sender } = admitted;
        let grant = match lead {
            Lead::Server(grant) => grant,
            Lead::Stack(stack) => return self.listen_to_stack(stack, sender, headers).boxed().await,
        };
        let (caller, session) = match self.caller(grant, sender, headers, None) {
            Ok(known) => known,
            Err(refusal) => return plain(&refusal),
        };
        if caller.revision.is_some_and(Revision::is_modern) {
            return not_allowed();
        }
        self.listen(caller, session, headers.get(&LAST_EVENT_ID)).await
    }

    /// The stream on which one server speaks unasked.
    pub(crate) async fn listen(
        &self,
        caller: Caller,
        session: Option<Session>,
        last: Option<&HeaderValue>,
    ) -> Response<Body> {
        if let Some(halt) = halted(&self.gateway, &caller) {
            return not_forwarded(&halt.of_stream(&self.gateway, &caller));
        }
        if let Some(agent) = session.as_ref().and_then(Agent::of) {
            return Box::pin(self.listen_to_modern(caller, agent)).await;
        }
        let stream = match self.gateway.streams().open(&caller, "null") {
            Ok(stream) => stream,
            Err(refusal) => {
                self.gateway.count_refused("too many streams", &caller);
                return not_forwarded(&refusal);
            }
        };
        let changes = caller
            .grant
            .binding
            .policy
            .as_ref()
            .map(|cell| Changes { policy: cell.changes(), notice: TOOLS_CHANGED.to_owned() });
        let server = Arc::clone(caller.grant.server());
        let endpoint = match server.way(session.as_ref()) {
            Way::Conversation => {
                let answer = self.child_stream(&caller, session, changes, stream).await;
                return self.guarded(answer, &caller, Work::Listening);
            }
            Way::Requests(endpoint) => endpoint.clone(),
        };
        let link = self.link(&caller, session, endpoint);
        let mut onward = link.headers();
        onward.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = last {
            onward.insert(LAST_EVENT_ID, last.clone());
        }
        let first_byte = Some(link.server.config.limits.first_byte);
        let sent = tokio::select! {
            biased;
            sent = self.client.send(&link.endpoint, Method::GET, onward, None, first_byte) => sent,
            withdrawn = until_withdrawn(&self.gateway, &caller, Work::Listening) => {
                return plain(&refusal::error("null", refusal::code::DENIED, &withdrawn.to_string(), 503));
            }
        };
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return failed(None, &error),
        };
        let (head, body) = answer.into_parts();
        if head.status.is_success() && streams(&head.headers) {
            // Such a stream is silent for as long as the server has nothing to say.
            let relay = Relay::new(&self.gateway, caller.clone(), None);
            let held = self.gateway.returning().answer_to(&caller.grant);
            let reader = EventReader::new(body, None).counting(held, link.server.config.limits.idle);
            let events = Events::new(reader, relay, link, true);
            let answer = events.announcing(changes).counted_as(stream).into_response(Vec::new());
            return self.guarded(answer, &caller, Work::Listening);
        }
        match head.status {
            StatusCode::METHOD_NOT_ALLOWED => not_allowed(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => sorry(
                None,
                Ended::Unknown,
                &format!("the server does not accept the gateway's credentials (HTTP {})", head.status),
            ),
            status if status.is_success() => {
                plain(&json_refusal(StatusCode::BAD_GATEWAY, "the server did not open a stream"))
            }
            status => plain(&json_refusal(status, &format!("the server answered with HTTP {status}"))),
        }
    }

    /// Ends a legacy session.
    pub(super) async fn delete(&self, admitted: Admitted, headers: &HeaderMap) -> Response<Body> {
        let Admitted { lead, sender } = admitted;
        let grant = match lead {
            Lead::Server(grant) => grant,
            Lead::Stack(stack) => return self.leave_stack(stack, sender, headers).boxed().await,
        };
        let (caller, session) = match self.caller(grant, sender, headers, None) {
            Ok(known) => known,
            Err(refusal) => return plain(&refusal),
        };
        if caller.revision.is_some_and(Revision::is_modern) {
            return not_allowed();
        }
        if session.is_none() {
            return plain(&json_refusal(StatusCode::BAD_REQUEST, "DELETE ends a session, and none is named"));
        }
        self.leave(caller, session).await
    }

    /// Ends the session of one server.
    pub(crate) async fn leave(&self, caller: Caller, session: Option<Session>) -> Response<Body> {
        if let Some(halt) = halted(&self.gateway, &caller) {
            return not_forwarded(&halt.of_stream(&self.gateway, &caller));
        }
        self.gateway.sessions().ended(&caller.conversation());
        if session.as_ref().and_then(Agent::of).is_some() {
            self.gateway.translation().forget(&caller);
            return empty(StatusCode::NO_CONTENT);
        }
        let server = Arc::clone(caller.grant.server());
        let endpoint = match server.way(session.as_ref()) {
            Way::Conversation => return self.end_child(&caller).await,
            Way::Requests(endpoint) => endpoint.clone(),
        };
        let link = self.link(&caller, session, endpoint);
        let limit = Some(link.server.config.limits.first_byte);
        match self.client.send(&link.endpoint, Method::DELETE, link.headers(), None, limit).await {
            Ok(answer) => empty(answer.status()),
            Err(error) => failed(None, &error),
        }
    }

    pub(super) fn link(
        &self,
        caller: &Caller,
        session: Option<Session>,
        endpoint: upstream::http::Endpoint,
    ) -> HttpLink {
        HttpLink {
            client: self.client.clone(),
            server: Arc::clone(caller.grant.server()),
            endpoint,
            session: session.map(|session| session.upstream).filter(|id| !id.is_empty()),
            revision: caller.revision,
        }
    }
}

pub(super) fn not_allowed() -> Response<Body> {
    let mut answer = plain(&json_refusal(StatusCode::METHOD_NOT_ALLOWED, "this server opens no stream; use POST"));
    answer.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("POST"));
    answer
}
