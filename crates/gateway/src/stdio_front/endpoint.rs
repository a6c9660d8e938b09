//! An agent on stdio in front of a Streamable HTTP endpoint: the gateway is the HTTP client.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use mcp::message::{IdKey, Message};
use mcp::revision::Revision;
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use upstream::http::{Answer, Client, Endpoint, SendError};

use super::{Line, Lines, give_up, read_messages};
use crate::body::{BodyFault, collect};
use crate::caller::Caller;
use crate::events::{EventReader, MAX_EVENT};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::http_link::{HttpLink, METHOD, NAME, SESSION_ID};
use crate::names;
use crate::pipeline::{self, Judged};
use crate::relay::{Relay, Seen};
use crate::sse_link;
use crate::ticket::Ended;
use crate::trace::Trace;

/// What the requests of one run share.
struct Run {
    gateway: Arc<Gateway>,
    to_agent: mpsc::Sender<String>,
    /// Requests whose stream is closed to cancel them (2026-07-28).
    open: Mutex<HashMap<IdKey, oneshot::Sender<()>>>,
}

/// Serves the agent until its input ends, or until its first message, which is given back, has shown that the server speaks
/// HTTP+SSE.
pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    mut caller: Caller,
    endpoint: Endpoint,
    client: Client,
    lines: &mut Lines<impl AsyncRead + Unpin + Send>,
    to_agent: mpsc::Sender<String>,
) -> io::Result<Option<Line>> {
    let run = Arc::new(Run { gateway: Arc::clone(gateway), to_agent, open: Mutex::default() });
    let server = Arc::clone(caller.grant.server());
    let mut link = HttpLink { client, server, endpoint, session: None, revision: None };
    let mut tasks = JoinSet::new();
    while let Some(line) = lines.next().await? {
        while tasks.try_join_next().is_some() {}
        let messages = match read_messages(gateway, &caller, &line) {
            Ok(messages) => messages,
            Err(answer) => {
                run.say(answer).await;
                continue;
            }
        };
        for message in messages {
            if let Some(revision) = names::revision(&message).and_then(Revision::parse) {
                // A legacy revision is what the answer to initialize says, not what was asked for.
                if revision.is_modern() {
                    caller.revision = Some(revision);
                    link.revision = Some(revision);
                }
            }
            if run.cancels(&caller, &message) {
                continue;
            }
            caller.trace = Trace::of(gateway, None, &message);
            let (edited, expected) = match pipeline::judge(gateway, &caller, &message, &link).await {
                Judged::Answer(refusal) => {
                    run.say(refusal.body).await;
                    continue;
                }
                Judged::Drop => continue,
                Judged::Forward { edited, expected } => (edited, expected),
            };
            let mut headers = headers_for(&link, &message, &caller);
            if headers.contains_key(&NAME)
                && let Some(task) = expected.as_ref().and_then(Expected::task_header)
            {
                headers.insert(NAME, task);
            }
            let bytes = edited.map_or_else(|| Bytes::copy_from_slice(message.raw().as_bytes()), Bytes::from);
            match expected {
                Some(expected) if expected.is_initialize() => {
                    let answer = link.post(headers, bytes).await;
                    if let Ok(answer) = &answer
                        && may_be_sse(answer.status())
                        && sse_link::probe(&link.client, &link.server, &link.endpoint).await
                    {
                        return Ok(Some(line));
                    }
                    let opened = run.exchange(caller.clone(), link.clone(), answer, Some(expected)).await;
                    if let Some(revision) = opened.revision {
                        caller.revision = Some(revision);
                        link.revision = Some(revision);
                    }
                    link.session = opened.session;
                }
                Some(expected) => {
                    let (run, caller, link) = (Arc::clone(&run), caller.clone(), link.clone());
                    tasks.spawn(async move { run.request(caller, link, headers, bytes, expected).await });
                }
                None => {
                    let answer = link.post(headers, bytes).await;
                    run.exchange(caller.clone(), link.clone(), answer, None).await;
                    if names::method(&message) == Some("notifications/initialized") {
                        let (run, caller, link) = (Arc::clone(&run), caller.clone(), link.clone());
                        tasks.spawn(async move { run.listen(caller, link).await });
                    }
                }
            }
        }
    }
    tasks.shutdown().await;
    if link.session.is_some() {
        // A courtesy: the server may forget the session now.
        let limit = Some(link.server.config.limits.connect);
        let _ = link.client.send(&link.endpoint, Method::DELETE, link.headers(), None, limit).await;
    }
    Ok(None)
}

/// Whether an endpoint of HTTP+SSE may have answered so: the specification names these.
fn may_be_sse(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// What an exchange told of the session.
#[derive(Default)]
struct Opened {
    session: Option<String>,
    revision: Option<Revision>,
}

impl Run {
    async fn say(&self, message: String) {
        let _ = self.to_agent.send(message).await;
    }

    /// Closing its stream cancels a modern request; the server needs no message.
    fn cancels(&self, caller: &Caller, message: &Message<'_>) -> bool {
        if !caller.revision.is_some_and(Revision::is_modern) {
            return false;
        }
        let Some(id) = names::cancelled(message) else { return false };
        let stop = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        stop.is_some_and(|stop| stop.send(()).is_ok())
    }

    async fn request(&self, caller: Caller, link: HttpLink, headers: HeaderMap, bytes: Bytes, expected: Expected) {
        let id = expected.id().clone();
        let (stop, stopped) = oneshot::channel();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), stop);
        let exchange = async {
            let answer = link.post(headers, bytes).await;
            self.exchange(caller, link, answer, Some(expected)).await
        };
        tokio::select! {
            _ = exchange => {}
            Ok(()) = stopped => {}
        }
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Relays one answer, whatever its form.
    async fn exchange(
        &self,
        caller: Caller,
        link: HttpLink,
        answer: Result<Response<Answer>, SendError>,
        expected: Option<Expected>,
    ) -> Opened {
        self.gateway.tell_trust(&link.server);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let ended = match error {
                    SendError::NotSent(_) | SendError::Certificate(_) => Ended::NotSent,
                    SendError::Timeout(_) => Ended::Timeout,
                    SendError::Broken(_) => Ended::Unknown,
                };
                self.give_up(expected, ended, &error.to_string()).await;
                return Opened::default();
            }
        };
        let (head, body) = answer.into_parts();
        let session = head.headers.get(SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let idle = Some(link.server.config.limits.idle);
        let mut relay = Relay::new(&self.gateway, caller, expected);
        let streams =
            head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if streams && head.status.is_success() {
            let mut reader = EventReader::new(body, idle);
            let fault = self.relay_events(&mut reader, &mut relay, &link).await;
            let (ended, reason) = match &fault {
                Some(fault @ BodyFault::Silent(_)) => (Ended::Timeout, fault.to_string()),
                Some(fault) => (Ended::Unknown, fault.to_string()),
                None => (Ended::Unknown, "the server ended its answer before the result".to_owned()),
            };
            if fault.is_none() && link.session.is_some() && reader.can_be_resumed() && relay.waits() {
                // The listening stream, which is resumed, may bring it.
                relay.park();
            }
            self.give_up(relay.take_expected(), ended, &reason).await;
        } else {
            match collect(body, MAX_EVENT, idle).await {
                Ok(bytes) if bytes.is_empty() => {
                    let reason = format!("the server answered with HTTP {} and nothing else", head.status);
                    self.give_up(relay.take_expected(), Ended::Unknown, &reason).await;
                }
                Ok(bytes) => self.whole(&bytes, head.status, &mut relay, &link).await,
                Err(fault) => self.give_up(relay.take_expected(), Ended::Unknown, &fault.to_string()).await,
            }
        }
        Opened { session, revision: relay.negotiated }
    }

    async fn whole(&self, bytes: &Bytes, status: StatusCode, relay: &mut Relay, link: &HttpLink) {
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if refused || (!status.is_success() && mcp::message::parse_upstream(bytes).is_err()) {
            let reason = if refused {
                format!("the server does not accept the gateway's credentials (HTTP {status})")
            } else {
                format!("the server answered with HTTP {status}")
            };
            return self.give_up(relay.take_expected(), Ended::RpcError, &reason).await;
        }
        self.pass(relay, bytes, link).await;
        // An error without an id was passed in place of the answer; nothing else is awaited.
        self.give_up(relay.take_expected(), Ended::Unknown, "the server did not answer the request").await;
    }

    async fn relay_events(&self, reader: &mut EventReader, relay: &mut Relay, link: &HttpLink) -> Option<BodyFault> {
        loop {
            match reader.next().await {
                Ok(Some(event)) => {
                    if let Some(message) = &event.message {
                        self.pass(relay, message, link).await;
                    }
                }
                Ok(None) => return None,
                Err(fault) => return Some(fault),
            }
        }
    }

    async fn pass(&self, relay: &mut Relay, raw: &[u8], link: &HttpLink) {
        let raw_id = relay.expected().map(|expected| expected.raw_id().to_owned());
        match relay.see(raw) {
            Seen::Pass => {
                let text = String::from_utf8_lossy(raw).into_owned();
                // An error to nobody in particular means this request: stdio has no other tie.
                self.say(raw_id.as_deref().and_then(|id| names::with_id(&text, id)).unwrap_or(text)).await;
            }
            Seen::Replace(text) => self.say(text).await,
            Seen::Withhold { answer: Some(answer) } => link.tell(answer).await,
            Seen::Withhold { answer: None } => {}
        }
    }

    async fn give_up(&self, expected: Option<Expected>, ended: Ended, reason: &str) {
        if let Some(expected) = expected {
            self.say(give_up(expected, ended, reason)).await;
        }
    }

    /// The stream on which a legacy server speaks unasked. Servers may not offer one.
    async fn listen(&self, caller: Caller, link: HttpLink) {
        let mut headers = link.headers();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        let limit = Some(link.server.config.limits.first_byte);
        let Ok(answer) = link.client.send(&link.endpoint, Method::GET, headers, None, limit).await else { return };
        if !answer.status().is_success() {
            return;
        }
        let mut relay = Relay::new(&self.gateway, caller, None);
        let _ = self.relay_events(&mut EventReader::new(answer.into_body(), None), &mut relay, &link).await;
    }
}

/// The headers of one message: in 2026-07-28 they repeat what the body says.
fn headers_for(link: &HttpLink, message: &Message<'_>, caller: &Caller) -> HeaderMap {
    let mut headers = link.headers();
    if let Some(trace) = &caller.trace {
        trace.write(&mut headers);
    }
    if !caller.revision.is_some_and(Revision::is_modern) {
        return headers;
    }
    let Message::Request(request) = message else {
        if let Some(method) = names::method(message).and_then(|method| HeaderValue::from_str(method).ok()) {
            headers.insert(METHOD, method);
        }
        return headers;
    };
    let tool = link.server.tools.current().and_then(|list| list.get(request.params.name.as_deref()?).cloned());
    let params = tool.and_then(|tool| mcp::header::write_params(&tool.header_params, request.params.arguments).ok());
    let standard = mcp::header::write(request).into_iter().map(|(name, value)| (name.to_owned(), value));
    for (name, value) in standard.chain(params.unwrap_or_default()) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    headers
}
