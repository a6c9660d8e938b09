//! Agents that speak HTTP, in front of a child process, or of a server of HTTP+SSE, whose connections are like programs.
//!
//! In the legacy era one session has one child, and requests keep their ids. A modern child is
//! shared by all requests of a grant, so ids and progress tokens are renumbered on the way in and
//! put back on the way out.

mod exchange;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::bridge::{Bridge, read};
use super::outlet::way;
use super::post::declared_params;
use super::stream::{Changes, event_stream, not_allowed};
use super::{Front, empty, json_refusal, not_forwarded, plain};
use crate::admission::{Work, has_moved, until_withdrawn};
use crate::body::Body;
use crate::caller::Caller;
use crate::child_link;
use crate::era::Era;
use crate::events::encode;
use crate::gateway::Gateway;
use crate::given_up::GivenUp;
use crate::grant::Grant;
use crate::http_link::SESSION_ID;
use crate::names;
use crate::pipeline::{self, Judged};
use crate::refusal;
use crate::relay::Relay;
use crate::seal::{Session, SessionNumber};
use crate::server::{Reach, Server};
use crate::streams::OpenStream;
use crate::transport::{held_by, is_anothers};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use mcp::message::Message;
use mcp::method::Kind;
use mcp::revision::Revision;
use tokio::sync::watch;
use upstream::child::Exit;

/// How long a session that nobody uses keeps its child.
const IDLE: Duration = Duration::from_secs(1800);

/// How long nobody has used a session at least that gives way to another one.
const YIELDS: Duration = Duration::from_secs(10);

/// Programs that may run at once, and those of them that may be of one grant.
const MAX_CHILDREN: usize = 256;
const CHILDREN_OF_A_GRANT: usize = 64;

/// Connections to servers of HTTP+SSE that may be open at once, and those of them that may be of one grant.
const MAX_CONNECTIONS: usize = 1024;
const CONNECTIONS_OF_A_GRANT: usize = 256;

/// Who shares a child.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Session(SessionNumber),
    /// A grant, by server and label: a modern child is stateless.
    Grant(String, String),
}

/// All children that are shared by exchanges: those that serve agents over HTTP, and those of the other era than their agent
/// on stdio.
#[derive(Default)]
pub struct Children {
    all: Mutex<HashMap<Owner, Arc<Bridge>>>,
    /// How the last one ended that nobody had told to.
    endings: watch::Sender<Option<Exit>>,
}

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
    pub(crate) fn sweep(&self, gateway: &Gateway) {
        let idle: Vec<_> = self.lock().extract_if(|_, bridge| bridge.is_idle(IDLE)).collect();
        for (_, bridge) in idle {
            gateway.background().spawn(async move { bridge.link.child.stop().await });
        }
    }

    /// Ends the child of a session.
    pub(crate) fn end(&self, gateway: &Gateway, number: SessionNumber) {
        if let Some(bridge) = self.remove(&Owner::Session(number)) {
            gateway.background().spawn(async move { bridge.link.child.stop().await });
        }
    }

    /// Makes room for one more of a grant: where there are as many as may be, the one that nobody has used for longest ends. Its
    /// agent is told so when it comes back, and begins another session.
    ///
    /// # Errors
    /// A sentence for its agent.
    fn room(&self, gateway: &Gateway, grant: &Grant) -> Result<(), String> {
        let programs = matches!(grant.server().config.reach, Reach::Child(_));
        let (most, of_a_grant, what) = match programs {
            true => (MAX_CHILDREN, CHILDREN_OF_A_GRANT, "server processes are running"),
            false => (MAX_CONNECTIONS, CONNECTIONS_OF_A_GRANT, "connections to servers are open"),
        };
        let mut all = self.lock();
        let alike = || all.iter().filter(|(_, bridge)| bridge.link.child.is_program() == programs);
        let of = |key: &str| alike().filter(|(_, bridge)| bridge.grant.key() == key).count();
        let own = of(grant.key());
        let (full, refusal) = if own >= of_a_grant {
            (
                true,
                format!(
                    "{of_a_grant} {what} for this grant, which is its share, and all are in use; end a session first"
                ),
            )
        } else {
            (alike().count() >= most, format!("{most} {what}, and none can give way; end a session first"))
        };
        if !full {
            return Ok(());
        }
        // Whoever has fewer takes nothing from others by coming.
        let yields = |bridge: &Bridge| {
            let key = bridge.grant.key();
            key == grant.key() || own < of_a_grant && of(key) > own
        };
        let idle = alike().filter(|(_, bridge)| bridge.is_idle(YIELDS) && yields(bridge));
        let longest = idle.min_by_key(|(_, bridge)| bridge.last_used()).map(|(owner, _)| owner.clone());
        let over = longest.and_then(|owner| all.remove(&owner)).ok_or(refusal)?;
        drop(all);
        gateway.background().spawn(async move { over.link.child.stop().await });
        Ok(())
    }

    /// How many run.
    pub fn count(&self) -> usize {
        self.lock().values().filter(|bridge| bridge.link.child.is_program() && !bridge.link.child.has_ended()).count()
    }

    /// Ends the children whose grant is over or stopped, or leads to another server now, in use or not.
    pub(crate) fn review(&self, gateway: &Gateway) {
        let over: Vec<_> = {
            let mut all = self.lock();
            if all.is_empty() {
                return;
            }
            let (grants, now) = (gateway.grants(), Timestamp::now());
            let good = |grant: &&Arc<Grant>| grant.stopped().is_none() && !grant.has_expired(now);
            let places = |grant: &Arc<Grant>| (grant.key().to_owned(), Arc::as_ptr(grant.server()));
            let kept: HashSet<_> = grants.all().filter(good).map(places).collect();
            all.extract_if(|_, bridge| !kept.contains(&places(&bridge.grant))).collect()
        };
        for (_, bridge) in over {
            gateway.background().spawn(async move { bridge.link.child.stop().await });
        }
    }

    /// The child of a session, or that of a grant at the server that it leads to now.
    fn get(&self, owner: &Owner, server: &Arc<Server>) -> Option<Arc<Bridge>> {
        let usable =
            |bridge: &&Arc<Bridge>| !bridge.link.child.has_ended() && Arc::ptr_eq(bridge.grant.server(), server);
        self.lock().get(owner).filter(usable).cloned()
    }

    /// Forgets a child that has ended, unless another one has taken its place; whether it ended by itself.
    pub(super) fn forget(&self, owner: &Owner, ended: &Weak<Bridge>) -> bool {
        let mut all = self.lock();
        let known = all.get(owner).is_some_and(|bridge| std::ptr::eq(Arc::as_ptr(bridge), ended.as_ptr()));
        if known {
            all.remove(owner);
        }
        known
    }

    /// Hears of each child that has ended by itself, and how.
    pub(crate) fn endings(&self) -> watch::Receiver<Option<Exit>> {
        self.endings.subscribe()
    }

    pub(super) fn ended_by_itself(&self, exit: Option<Exit>) {
        self.endings.send_replace(exit);
    }

    pub(super) fn remove(&self, owner: &Owner) -> Option<Arc<Bridge>> {
        self.lock().remove(owner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Owner, Arc<Bridge>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
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
            (Some(session), false) => {
                match self.gateway.children().get(&Owner::Session(session.number), caller.grant.server()) {
                    Some(bridge) => (caller, bridge, None),
                    None => {
                        let id = names::raw_id(message).unwrap_or("null");
                        let text = format!("{}; start again with initialize", self.over(&caller, session));
                        return plain(&refusal::error(id, refusal::code::INVALID_REQUEST, &text, 404));
                    }
                }
            }
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
            let session = Session { number, revision, upstream: held_by(self.gateway.replica()) };
            let sealed = self.gateway.seal().seal(&session, caller.grant.key(), caller.grant.server().id());
            if let Some(id) = sealed.and_then(|id| HeaderValue::from_str(&id).ok()) {
                answer.headers_mut().insert(SESSION_ID, id);
            }
        }
        answer
    }

    /// A modern request, to the modern child of the grant.
    async fn to_modern_child(&self, caller: Caller, headers: &HeaderMap, message: &Message<'_>) -> Response<Body> {
        let id = names::raw_id(message).unwrap_or("null");
        let bridge = match self.modern_child(&caller).await {
            Ok(Some(bridge)) => bridge,
            Ok(None) => return legacy_child(id),
            Err(reason) => return plain(&refusal::error(id, refusal::code::INTERNAL, &reason, 502)),
        };
        *bridge.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if let Message::Request(request) = message {
            if let Some(refusal) = incomplete(request) {
                return plain(&refusal);
            }
            if request.kind == Kind::ToolsCall
                && let Err(refusal) = declared_params(&caller, &*bridge.link, headers, request).await
            {
                return plain(&refusal);
            }
        }
        self.through(&caller, &bridge, message).await
    }

    /// The modern child of a caller's grant, started if there is none; `None` if the program speaks the other era only.
    pub(super) async fn modern_child(&self, caller: &Caller) -> Result<Option<Arc<Bridge>>, String> {
        let server = Arc::clone(caller.grant.server());
        let owner = Owner::Grant(server.id().to_owned(), caller.grant.key().to_owned());
        let running = || self.gateway.children().get(&owner, &server);
        if let Some(bridge) = running() {
            return Ok(Some(bridge));
        }
        // Several that start one at a time would each end the one before, with what is under way there.
        let _one_at_a_time = server.starting.lock().await;
        if let Some(bridge) = running() {
            return Ok(Some(bridge));
        }
        if server.era.speaks(Era::Modern) == Some(false) {
            return Ok(None);
        }
        let revision = caller.revision.filter(|revision| revision.is_modern()).or(Some(Revision::V2026_07_28));
        let bridge = self.start(caller, owner.clone(), revision)?;
        let params = crate::http_link::list_params(None, revision);
        let speaks = bridge.link.ask("server/discover", &params).await.is_ok();
        // One that has ended says nothing of its era.
        if speaks || !bridge.link.has_hung_up() {
            server.era.learn(Era::Modern, speaks);
        }
        if speaks {
            return Ok(Some(bridge));
        }
        self.gateway.children().remove(&owner);
        if bridge.link.has_hung_up() { Err(bridge.obituary()) } else { Ok(None) }
    }

    /// Ends the child of a session that nobody has got.
    pub(super) fn forget_child(&self, number: SessionNumber) {
        self.gateway.children().end(&self.gateway, number);
    }

    /// The child of a session, if it runs.
    pub(super) fn session_child(&self, caller: &Caller) -> Option<Arc<Bridge>> {
        self.gateway.children().get(&Owner::Session(caller.session?), caller.grant.server())
    }

    fn start(&self, caller: &Caller, owner: Owner, modern: Option<Revision>) -> Result<Arc<Bridge>, String> {
        self.gateway.children().room(&self.gateway, &caller.grant)?;
        // A request may have waited while its server was changed: it must not bring back the one before.
        if has_moved(&self.gateway, caller) {
            return Err("the server was changed at this moment; send the request again".to_owned());
        }
        let name = caller.grant.server().id().to_owned();
        let stderr = self.gateway.child_stderr(&name);
        let (link, output) = child_link::start(&self.gateway, &caller.grant, modern, stderr)?;
        let bridge = Arc::new(Bridge {
            grant: Arc::clone(&caller.grant),
            link,
            room: self.gateway.returning().clone(),
            background: self.gateway.background().clone(),
            modern: modern.is_some(),
            routes: Mutex::default(),
            listener: Mutex::default(),
            backlog: Mutex::default(),
            given_up: GivenUp::default(),
            touched: Mutex::new(Instant::now()),
            count: std::sync::atomic::AtomicU64::new(1),
        });
        let told = Arc::downgrade(&bridge);
        bridge.link.on_loss(Box::new(move |id| {
            if let Some(bridge) = told.upgrade() {
                bridge.lost(id);
            }
        }));
        let before = self.gateway.children().lock().insert(owner.clone(), Arc::clone(&bridge));
        if let Some(before) = before {
            self.gateway.background().spawn(async move { before.link.child.stop().await });
        }
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
            Judged::Answer(refusal) => return not_forwarded(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { edited, expected } => (edited, expected),
        };
        let text = match &edited {
            Some(text) => text.as_str(),
            None => message.raw(),
        };
        let Some(expected) = expected else {
            let cancelled = names::cancelled(message).map(|theirs| bridge.known_as(&theirs));
            let text = match &cancelled {
                // A shared child knows requests by other ids; one that it does not work on for this
                // agent is none that the agent could cancel.
                Some(None) if bridge.modern => return empty(StatusCode::ACCEPTED),
                Some(Some((_, ours))) if bridge.modern => names::cancel_of(ours),
                _ => text.to_owned(),
            };
            let limit = caller.grant.server().config.limits.first_byte;
            // Where the server gives a receipt, what follows must not overtake this.
            let sent = bridge.link.child.deliver(line(&text));
            let sent = tokio::time::timeout(limit, sent).await;
            if let Some(Some((key, _))) = &cancelled {
                bridge.cancelled(key);
            }
            return match sent {
                Ok(Ok(())) => empty(StatusCode::ACCEPTED),
                Ok(Err(reason)) => plain(&json_refusal(StatusCode::BAD_GATEWAY, &reason)),
                Err(_) => plain(&json_refusal(StatusCode::GATEWAY_TIMEOUT, &takes_nothing(bridge, limit))),
            };
        };
        self.exchange(caller, bridge, text, message, expected).await
    }

    /// Why this replica has nothing that a session could go on with.
    fn over(&self, caller: &Caller, session: &Session) -> String {
        let what = partner_of(caller);
        if is_anothers(session, self.gateway.replica()) {
            return format!("the {what} of this session is held by another replica, or was before a restart");
        }
        format!("the {what} of this session has ended")
    }

    /// The stream on which a session's child speaks unasked.
    pub(super) async fn child_stream(
        &self,
        caller: &Caller,
        session: Option<Session>,
        changes: Option<Changes>,
        counted: OpenStream,
    ) -> Response<Body> {
        let Some(session) = session else { return not_allowed() };
        let Some(bridge) = self.gateway.children().get(&Owner::Session(session.number), caller.grant.server()) else {
            return plain(&json_refusal(StatusCode::NOT_FOUND, &self.over(caller, &session)));
        };
        let (sender, receiver) = way();
        {
            let mut listener = bridge.listener.lock().unwrap_or_else(PoisonError::into_inner);
            if listener.as_ref().is_some_and(|listener| !listener.is_closed()) {
                return plain(&json_refusal(StatusCode::CONFLICT, "this session has a stream already"));
            }
            for text in bridge.backlog.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                let _ = sender.aside(text.len(), None, text);
            }
            *listener = Some(sender);
        }
        // The first bytes tell the agent that the stream is open.
        let opened: Bytes = Bytes::from_static(b": open\n\n");
        let rest = stream::unfold((receiver, changes, Some(opened)), |(mut receiver, mut changes, ready)| async move {
            if let Some(bytes) = ready {
                return Some((bytes, (receiver, changes, None)));
            }
            let text = tokio::select! {
                text = receiver.recv() => text?,
                notice = Changes::next(&mut changes) => notice,
            };
            Some((encode(None, &text), (receiver, changes, None)))
        });
        let (gateway, caller) = (Arc::clone(&self.gateway), caller.clone());
        let over = async move { until_withdrawn(&gateway, &caller, Work::Listening).await };
        let rest = rest.take_until(Box::pin(over)).inspect(move |_| {
            // It is counted for as long as it is there.
            let _ = &counted;
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

/// What an `initialize` answer settled, on its way to the session id.
#[derive(Clone, Copy)]
struct Negotiated(Option<Revision>);

/// Why a request of 2026-07-28 is none: it lacks what every one of them says.
pub(super) fn incomplete(request: &mcp::message::Request<'_>) -> Option<refusal::Refusal> {
    if request.params.meta_protocol_version.is_some() && request.params.meta_client_capabilities.is_some() {
        return None;
    }
    let text = "a request of 2026-07-28 names its protocolVersion and clientCapabilities in _meta";
    Some(refusal::error(request.id.raw(), refusal::code::INVALID_PARAMS, text, 400))
}

/// A plain error, outside the range that tells a client that it met a modern server.
fn legacy_child(id: &str) -> Response<Body> {
    let text = "this server speaks the legacy era only; start with initialize";
    plain(&refusal::error(id, refusal::code::INVALID_REQUEST, text, 400))
}

/// What is said of a program that does not read its stdin.
fn takes_nothing(bridge: &Bridge, limit: Duration) -> String {
    let what = if bridge.link.child.is_program() { "the server process" } else { "the server" };
    format!("{what} took no message for {limit:?}")
}

/// What serves one session.
fn partner_of(caller: &Caller) -> &'static str {
    match caller.grant.server().config.reach {
        Reach::Child(_) => "server process",
        Reach::Http(_) | Reach::Sse(_) => "connection to the server",
    }
}

fn line(text: &str) -> Bytes {
    // Outside strings a line break is only white space; inside strings JSON allows none.
    if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ").into()
    } else {
        Bytes::copy_from_slice(text.as_bytes())
    }
}
