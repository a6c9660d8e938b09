//! Agents that speak HTTP, in front of a child process.
//!
//! In the legacy era one session has one child, and requests keep their ids. A modern child is
//! shared by all requests of a grant, so ids and progress tokens are renumbered on the way in and
//! put back on the way out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp::message::{IdKey, Message};
use mcp::method::Kind;
use mcp::revision::Revision;
use tokio::sync::mpsc;

use super::bridge::{Bridge, Piece, Renumbered, Route, read};
use super::post::{declared_params, sorry, subscription_notice};
use super::stream::{Changes, event_stream, not_allowed};
use super::{Front, empty, json, json_refusal, plain};
use crate::body::Body;
use crate::caller::Caller;
use crate::child_link;
use crate::era::Era;
use crate::events::encode;
use crate::expected::Expected;
use crate::http_link::SESSION_ID;
use crate::names;
use crate::pipeline::{self, Judged};
use crate::refusal;
use crate::relay::Relay;
use crate::seal::{Session, SessionNumber};
use crate::ticket::Ended;

/// How long a session that nobody uses keeps its child.
const IDLE: Duration = Duration::from_secs(1800);

/// Children that may run at once.
const MAX_CHILDREN: usize = 256;

/// Who shares a child.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Session(SessionNumber),
    /// A grant, by server and label: a modern child is stateless.
    Grant(String, String),
}

/// All children that serve agents over HTTP.
#[derive(Default)]
pub struct Children(Mutex<HashMap<Owner, Arc<Bridge>>>);

impl Children {
    /// Ends every child and waits until they are gone.
    pub async fn stop_all(&self) {
        let all: Vec<_> = self.lock().drain().map(|(_, bridge)| bridge).collect();
        let stops: Vec<_> =
            all.into_iter().map(|bridge| tokio::spawn(async move { bridge.link.child.stop().await })).collect();
        for stop in stops {
            let _ = stop.await;
        }
    }

    /// Ends the children of sessions that nobody has used for half an hour.
    pub fn sweep(&self) {
        self.lock().retain(|_, bridge| bridge.touched.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < IDLE);
    }

    fn get(&self, owner: &Owner) -> Option<Arc<Bridge>> {
        self.lock().get(owner).filter(|bridge| bridge.link.child.exit().is_none()).cloned()
    }

    pub(super) fn remove(&self, owner: &Owner) -> Option<Arc<Bridge>> {
        self.lock().remove(owner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Owner, Arc<Bridge>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Front {
    pub(super) async fn to_child(
        &self,
        caller: Caller,
        session: Option<Session>,
        headers: &HeaderMap,
        message: &Message<'_>,
    ) -> Response<Body> {
        if caller.revision.is_some_and(Revision::is_modern) {
            return self.to_modern_child(caller, headers, message).await;
        }
        let opens = matches!(message, Message::Request(request) if request.method == "initialize");
        let (caller, bridge, fresh) = match (&session, opens) {
            (Some(session), false) => match self.gateway.children().get(&Owner::Session(session.number)) {
                Some(bridge) => (caller, bridge, None),
                None => {
                    let id = names::raw_id(message).unwrap_or("null");
                    let text = "the server process of this session has ended; start again with initialize";
                    return plain(&refusal::error(id, refusal::code::INVALID_REQUEST, text, 404));
                }
            },
            (_, true) => {
                let Some(number) = SessionNumber::random() else {
                    return plain(&json_refusal(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "the system gives no random numbers",
                    ));
                };
                let caller = Caller { session: Some(number), ..caller };
                match self.start(&caller, Owner::Session(number), None) {
                    Ok(bridge) => (caller, bridge, Some(number)),
                    Err(reason) => {
                        let id = names::raw_id(message).unwrap_or("null");
                        return plain(&refusal::error(id, refusal::code::INTERNAL, &reason, 502));
                    }
                }
            }
            (None, false) => {
                let id = names::raw_id(message).unwrap_or("null");
                let text =
                    "this server keeps sessions: send initialize first, then every message with its Mcp-Session-Id";
                return plain(&refusal::error(id, refusal::code::INVALID_REQUEST, text, 400));
            }
        };
        *bridge.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let mut answer = self.through(&caller, &bridge, message).await;
        if let Some(number) = fresh {
            let revision = answer.extensions().get::<Negotiated>().and_then(|negotiated| negotiated.0);
            let session = Session { number, revision, upstream: String::new() };
            let sealed = self.gateway.seal().seal(&session, caller.grant.label(), caller.grant.server().id());
            if let Some(id) = sealed.and_then(|id| HeaderValue::from_str(&id).ok()) {
                answer.headers_mut().insert(SESSION_ID, id);
            }
        }
        answer
    }

    /// A modern request: to a modern child of the grant, or 400 if the child is legacy, so that a
    /// client that knows both eras falls back.
    async fn to_modern_child(&self, caller: Caller, headers: &HeaderMap, message: &Message<'_>) -> Response<Body> {
        let server = Arc::clone(caller.grant.server());
        let id = names::raw_id(message).unwrap_or("null").to_owned();
        let owner = Owner::Grant(server.id().to_owned(), caller.grant.label().to_owned());
        let bridge = match self.gateway.children().get(&owner) {
            Some(bridge) => bridge,
            None if server.era.get() == Some(Era::Legacy) => return legacy_child(&id),
            None => {
                let bridge = match self.start(&caller, owner.clone(), caller.revision) {
                    Ok(bridge) => bridge,
                    Err(reason) => return plain(&refusal::error(&id, refusal::code::INTERNAL, &reason, 502)),
                };
                let params = crate::http_link::list_params(None, caller.revision);
                let era = match bridge.link.ask("server/discover", &params).await {
                    Ok(_) => Era::Modern,
                    Err(_) => Era::Legacy,
                };
                server.era.set(era);
                if era == Era::Legacy {
                    self.gateway.children().remove(&owner);
                    return legacy_child(&id);
                }
                bridge
            }
        };
        *bridge.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if let Message::Request(request) = message {
            if request.params.meta_protocol_version.is_none() || request.params.meta_client_capabilities.is_none() {
                let text = "a request of 2026-07-28 names its protocolVersion and clientCapabilities in _meta";
                return plain(&refusal::error(&id, refusal::code::INVALID_PARAMS, text, 400));
            }
            if request.kind == Kind::ToolsCall
                && let Err(refusal) = declared_params(&caller, &*bridge.link, headers, request).await
            {
                return plain(&refusal);
            }
        }
        self.through(&caller, &bridge, message).await
    }

    fn start(&self, caller: &Caller, owner: Owner, modern: Option<Revision>) -> Result<Arc<Bridge>, String> {
        if self.gateway.children().lock().len() >= MAX_CHILDREN {
            return Err(format!("{MAX_CHILDREN} server processes are running; end a session first"));
        }
        let name = caller.grant.server().id().to_owned();
        let stderr = self.gateway.child_stderr(&name);
        let (link, output) = child_link::start(&self.gateway, caller.grant.server(), modern, stderr)?;
        let bridge = Arc::new(Bridge {
            link,
            background: self.gateway.background().clone(),
            modern: modern.is_some(),
            routes: Mutex::default(),
            listener: Mutex::default(),
            backlog: Mutex::default(),
            touched: Mutex::new(Instant::now()),
            count: std::sync::atomic::AtomicU64::new(1),
        });
        self.gateway.children().lock().insert(owner.clone(), Arc::clone(&bridge));
        let relay = Relay::new(&self.gateway, caller.clone(), None);
        self.gateway.background().spawn(read(
            Arc::clone(&self.gateway),
            owner,
            Arc::downgrade(&bridge),
            Arc::clone(&bridge.link),
            output,
            relay,
        ));
        Ok(bridge)
    }

    /// One message to the child, and its answer.
    async fn through(&self, caller: &Caller, bridge: &Arc<Bridge>, message: &Message<'_>) -> Response<Body> {
        let judged = pipeline::judge(&self.gateway, caller, message, &*bridge.link).await;
        let (edited, expected) = match judged {
            Judged::Answer(refusal) => return plain(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { edited, expected } => (edited, expected),
        };
        let text = match &edited {
            Some(text) => text.as_str(),
            None => message.raw(),
        };
        let Some(expected) = expected else {
            let text = match names::cancelled(message) {
                // A shared child knows requests by other ids; one that it does not work on for this
                // agent is none that the agent could cancel.
                Some(_) if bridge.modern => match bridge.renumber_cancel(message) {
                    Some(text) => text,
                    None => return empty(StatusCode::ACCEPTED),
                },
                _ => text.to_owned(),
            };
            return match bridge.link.child.send(line(&text)).await {
                Ok(()) => empty(StatusCode::ACCEPTED),
                Err(ended) => plain(&json_refusal(StatusCode::BAD_GATEWAY, &ended.to_string())),
            };
        };
        self.exchange(caller, bridge, text, message, expected).await
    }

    async fn exchange(
        &self,
        caller: &Caller,
        bridge: &Arc<Bridge>,
        text: &str,
        message: &Message<'_>,
        expected: Expected,
    ) -> Response<Body> {
        let began = bridge.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let initialize = expected.is_initialize();
        let raw_id = expected.raw_id().to_owned();
        let (key, raw_key, text, theirs) = if bridge.modern {
            let ours = format!("\"tg-{began}\"");
            let Some((text, token)) = names::renumber(text, &ours) else {
                return sorry(Some(expected), Ended::NotSent, "the request cannot be renumbered");
            };
            (names::key(&ours), ours, text, Some(Renumbered { id: raw_id.clone(), token }))
        } else {
            (Some(expected.id().clone()), raw_id.clone(), text.to_owned(), None)
        };
        let Some(key) = key else {
            return sorry(Some(expected), Ended::NotSent, "the request's id cannot be used");
        };
        let (to_agent, mut pieces) = mpsc::unbounded_channel();
        let changes = subscription_notice(caller, &expected);
        let relay = Relay::new(&self.gateway, caller.clone(), Some(expected));
        {
            let mut routes = bridge.routes.lock().unwrap_or_else(PoisonError::into_inner);
            if routes.contains_key(&key) {
                drop(routes);
                let text = "a request of this id is under way in this session";
                return plain(&refusal::error(&raw_id, refusal::code::INVALID_REQUEST, text, 400));
            }
            routes.insert(key.clone(), Route { raw_key: raw_key.clone(), relay, to_agent, theirs, began });
        }
        let mut guard = InFlight { bridge: Arc::clone(bridge), key, raw_key, done: false };
        if let Err(ended) = bridge.link.child.send(line(&text)).await {
            return sorry(guard.take(), Ended::NotSent, &ended.to_string());
        }
        let limits = caller.grant.server().config.limits;
        let listens = names::method(message) == Some("subscriptions/listen");
        let first = match tokio::time::timeout(limits.first_byte, pieces.recv()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => return sorry(guard.take(), Ended::Unknown, &bridge.obituary()),
            Err(_) => {
                let reason = format!("the server did not begin to answer within {:?}", limits.first_byte);
                return sorry(guard.take(), Ended::Timeout, &reason);
            }
        };
        if let Piece::Answer(text) = first {
            guard.done = true;
            let status = if bridge.modern { modern_status(&text) } else { StatusCode::OK };
            let mut answer = json(status, text.clone());
            if initialize {
                let revision = crate::relay::negotiated(&text);
                answer.extensions_mut().insert(Negotiated(revision));
            }
            return answer;
        }
        let idle = (!listens).then_some(limits.idle);
        let rest = stream::unfold(
            (pieces, guard, Some(first), idle, changes),
            |(mut pieces, mut guard, ready, idle, mut changes)| async move {
                if guard.done {
                    return None;
                }
                let piece = match ready {
                    Some(piece) => Some(piece),
                    None => match idle {
                        None => next_or_change(&mut pieces, &mut changes).await,
                        Some(limit) => match tokio::time::timeout(limit, pieces.recv()).await {
                            Ok(piece) => piece,
                            Err(_) => {
                                let reason = format!("the server said nothing for {limit:?}");
                                return Some((
                                    guard.last_word(Ended::Timeout, &reason),
                                    (pieces, guard, None, idle, changes),
                                ));
                            }
                        },
                    },
                };
                let bytes = match piece {
                    Some(Piece::Aside(text)) => encode(None, &text),
                    Some(Piece::Answer(text)) => {
                        guard.done = true;
                        encode(None, &text)
                    }
                    None => {
                        let reason = guard.bridge.obituary();
                        guard.last_word(Ended::Unknown, &reason)
                    }
                };
                Some((bytes, (pieces, guard, None, idle, changes)))
            },
        );
        event_stream(Body::Stream(Box::pin(rest)))
    }

    /// The stream on which a session's child speaks unasked.
    pub(super) async fn child_stream(
        &self,
        caller: &Caller,
        session: Option<Session>,
        changes: Option<Changes>,
    ) -> Response<Body> {
        let Some(session) = session else { return not_allowed() };
        let Some(bridge) = self.gateway.children().get(&Owner::Session(session.number)) else {
            return plain(&json_refusal(StatusCode::NOT_FOUND, "the server process of this session has ended"));
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        {
            let mut listener = bridge.listener.lock().unwrap_or_else(PoisonError::into_inner);
            if listener.as_ref().is_some_and(|listener| !listener.is_closed()) {
                return plain(&json_refusal(StatusCode::CONFLICT, "this session has a stream already"));
            }
            for text in bridge.backlog.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                let _ = sender.send(text);
            }
            *listener = Some(sender);
        }
        let _ = caller;
        // The first bytes tell the agent that the stream is open.
        let opened: Bytes = Bytes::from_static(b": open\n\n");
        let rest = stream::unfold((receiver, changes, Some(opened)), |(mut receiver, mut changes, ready)| async move {
            if let Some(bytes) = ready {
                return Some((bytes, (receiver, changes, None)));
            }
            let text = match &mut changes {
                None => receiver.recv().await?,
                Some(known) => tokio::select! {
                    text = receiver.recv() => text?,
                    changed = known.policy.changed() => {
                        let notice = known.notice.clone();
                        if changed.is_err() {
                            changes = None;
                        }
                        notice
                    }
                },
            };
            Some((encode(None, &text), (receiver, changes, None)))
        });
        event_stream(Body::Stream(Box::pin(rest)))
    }

    /// Ends a session's child.
    pub(super) async fn end_child(&self, caller: &Caller) -> Response<Body> {
        let Some(number) = caller.session else { return not_allowed() };
        match self.gateway.children().remove(&Owner::Session(number)) {
            Some(bridge) => {
                bridge.link.child.stop().await;
                empty(StatusCode::NO_CONTENT)
            }
            None => plain(&json_refusal(StatusCode::NOT_FOUND, "this session has ended already")),
        }
    }
}

/// The status that goes with an answer in 2026-07-28, where a child gives none.
fn modern_status(answer: &str) -> StatusCode {
    match crate::relay::answered_code(answer).as_deref() {
        Some("-32601") => StatusCode::NOT_FOUND,
        Some("-32020" | "-32021" | "-32022") => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// The next piece of a subscription, or the news that the policy was replaced.
async fn next_or_change(pieces: &mut mpsc::UnboundedReceiver<Piece>, changes: &mut Option<Changes>) -> Option<Piece> {
    let Some(known) = changes else { return pieces.recv().await };
    tokio::select! {
        piece = pieces.recv() => piece,
        changed = known.policy.changed() => {
            let notice = known.notice.clone();
            if changed.is_err() {
                *changes = None;
            }
            Some(Piece::Aside(notice))
        }
    }
}

/// What an `initialize` answer settled, on its way to the session id.
#[derive(Clone, Copy)]
struct Negotiated(Option<Revision>);

/// A plain error, outside the range that tells a client that it met a modern server.
fn legacy_child(id: &str) -> Response<Body> {
    let text = "this server speaks the legacy era only; start with initialize";
    plain(&refusal::error(id, refusal::code::INVALID_REQUEST, text, 400))
}

fn line(text: &str) -> Bytes {
    // Outside strings a line break is only white space; inside strings JSON allows none.
    if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ").into()
    } else {
        Bytes::copy_from_slice(text.as_bytes())
    }
}

/// A request under way. Dropped early, its agent went away: a modern child is told so, a legacy
/// one works on, because there a lost connection cancels nothing.
struct InFlight {
    bridge: Arc<Bridge>,
    key: IdKey,
    /// The id by which the child knows the request.
    raw_key: String,
    done: bool,
}

impl InFlight {
    fn take(&mut self) -> Option<Expected> {
        self.done = true;
        let route = self.bridge.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        route.and_then(|mut route| route.relay.take_expected())
    }

    fn last_word(&mut self, ended: Ended, reason: &str) -> Bytes {
        match self.take() {
            Some(expected) => {
                let apology = expected.apology(ended, reason);
                expected.failed(ended, reason);
                encode(None, &apology.body)
            }
            None => Bytes::new(),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.done || !self.bridge.modern {
            return;
        }
        if let Some(expected) = self.take() {
            expected.failed(Ended::Cancelled, "the agent closed its stream");
            let bridge = Arc::clone(&self.bridge);
            let cancel = format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{},"reason":"the agent closed its stream"}}}}"#,
                self.raw_key
            );
            self.bridge.background.spawn(async move { bridge.link.child.send(cancel.into()).await });
        }
    }
}
