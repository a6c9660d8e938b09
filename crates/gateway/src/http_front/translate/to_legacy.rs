//! An agent of 2026-07-28 before a legacy server: the gateway holds the sessions that the agent has none of.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp::message::{self, IdKey, Message, Outcome, Request};
use mcp::method::Kind;
use mcp::revision::Revision;
use mcp::translate::{self, Question};

use super::held::{Held, Key, Lease, Pool};
use super::pieces::{self, Out, Piece};
use super::rounds::{Gone, MAX_ROUNDS, Waiting};
use super::said::Said;
use crate::body::Body;
use crate::caller::Caller;
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::http_front::child::incomplete;
use crate::http_front::post::declared_params;
use crate::http_front::{Front, empty, json, json_refusal, not_forwarded, plain};
use crate::http_link::{HttpLink, SESSION_ID};
use crate::names;
use crate::pipeline::{self, AskForTools, Judged};
use crate::refusal::{self, code};
use crate::seal::SessionNumber;
use crate::ticket::Ended;
use crate::transport::Way;

/// What seals the state of a call that waits.
const PURPOSE: &str = "round";

/// How long an agent may keep what a legacy server has listed or read: nothing there says.
pub(super) const TTL: u64 = 5_000;

/// The levels of log messages, least first.
pub(super) const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

impl Front {
    /// One message of an agent of 2026-07-28 to a legacy server.
    pub(in crate::http_front) async fn to_legacy(
        &self,
        caller: Caller,
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        if let Some(refused) = self.refused_at_once(&caller, headers, message) {
            return refused;
        }
        let request = match message {
            Message::Request(request) => request,
            // A notification of 2026-07-28 says nothing that a legacy session needs.
            Message::Notification(_) => return empty(StatusCode::ACCEPTED),
            Message::Response(_) => {
                return plain(&json_refusal(StatusCode::BAD_REQUEST, "agents of 2026-07-28 send no responses"));
            }
        };
        if let Some(refusal) = incomplete(request) {
            return plain(&refusal);
        }
        match request.kind {
            Kind::Discover => self.discover(caller, headers, request).await,
            Kind::SubscriptionsListen => self.listen_to_legacy(caller, headers, message, request).await,
            _ if request.params.request_state.is_some() => self.go_on(caller, headers, message, request).await,
            _ => {
                let (front, headers, body) = (self.clone(), headers.clone(), body.clone());
                pieces::answer(|out| async move { front.ask_legacy(caller, headers, body, out).await }).await
            }
        }
    }

    async fn discover(&self, caller: Caller, headers: &HeaderMap, request: &Request<'_>) -> Response<Body> {
        match self.lease(&caller, headers, request, false).await {
            Ok((_, lease)) => {
                let result = translate::discover_result(&lease.held.initialized, TTL);
                json(StatusCode::OK, with_id(request.id.raw(), "result", &result))
            }
            Err((status, text)) => json(status, text),
        }
    }

    /// Asks a legacy server what an agent asks; the pieces of the answer go out.
    async fn ask_legacy(self, caller: Caller, headers: HeaderMap, body: Bytes, out: Out) {
        let Ok(message::Body::One(Message::Request(request))) = message::parse_client(&body) else { return };
        let alone = is_able(&request) || request.params.meta_log_level.is_some();
        for again in [false, true] {
            let (pool, lease) = match self.lease(&caller, &headers, &request, alone).await {
                Ok(leased) => leased,
                Err((status, text)) => {
                    let _ = out.send(Piece::Answer(status, text)).await;
                    return;
                }
            };
            let ours = pool.next_id();
            let Some(text) = translate::legacy_request(&request, &ours) else { return };
            let held = Arc::clone(&lease.held);
            let legacy = legacy_caller(&caller, &held);
            if request.kind == Kind::ToolsCall
                && let Some(upstream) = self.upstream_of(&legacy, &held)
                && let Err(refusal) = declared_params(&caller, &*upstream, &headers, &request).await
            {
                let _ = out.send(answer_of(&refusal)).await;
                return;
            }
            if let Some(level) = request.params.meta_log_level.as_deref() {
                self.set_level(&legacy, &held, &headers, &pool, level).await;
            }
            let mut exchange = Exchange {
                gateway: Arc::clone(&self.gateway),
                caller: legacy,
                cancels: self.canceller(&caller, &held),
                pool: Arc::clone(&pool),
                lease,
                said: None,
                ours,
                theirs: Theirs::of(&request),
                call: call_of(&request),
                rounds: 0,
                judged: None,
                done: false,
            };
            let answer = self.say(&exchange.caller, &held, &headers, text).await;
            if !again && is_lost(&answer, &held) {
                // The server knew the session no more, so it has done nothing.
                exchange.done = true;
                pool.forget(&held);
                continue;
            }
            exchange.said = Some(Said::of(answer));
            exchange.run(self, headers, out).await;
            return;
        }
    }

    /// Goes on with a call that waits for its agent's answer.
    async fn go_on(
        &self,
        caller: Caller,
        headers: &HeaderMap,
        message: &Message<'_>,
        request: &Request<'_>,
    ) -> Response<Body> {
        let id = request.id.raw().to_owned();
        let gone = |why: &str| {
            let text =
                format!("The call that this requestState belongs to is not open here: {why}. Call again without it.");
            plain(&refusal::error(&id, code::INVALID_PARAMS, &text, 200))
        };
        let sealed = request.params.request_state.as_deref().unwrap_or_default();
        let (grant, server) = (caller.grant.key(), caller.grant.server().id());
        let state = self.gateway.seal().open_for(PURPOSE, sealed, grant, server);
        let Some((replica, number)) = state.as_deref().and_then(|state| state.split_first_chunk::<16>()) else {
            return gone("it was not given to this agent for this server");
        };
        let translation = self.gateway.translation();
        if translation.replica != Some(SessionNumber(*replica)) {
            return gone("another replica of this gateway holds it, or held it before it was started again");
        }
        let Ok(number) = <[u8; 16]>::try_from(number) else { return gone("it cannot be read") };
        let waiting = match translation.calls.take(number, &call_of(request)) {
            Ok(waiting) => waiting,
            Err(Gone::Yielded) => {
                return gone(
                    "so many calls of this agent waited for answers that it made room for newer ones, and was cancelled",
                );
            }
            Err(Gone::Unknown) => return gone("it has ended, has waited too long, or was another call"),
        };
        let Some(answer) = given(request, "1") else {
            let text = "inputResponses lacks the answer to `1`, so the call was ended; call again";
            return plain(&refusal::error(&id, code::INVALID_PARAMS, text, 200));
        };
        let Waiting { mut exchange, question, .. } = waiting;
        if exchange.rounds >= MAX_ROUNDS {
            let text =
                format!("The server has asked {MAX_ROUNDS} times in one call, which is the most; the call was ended.");
            return plain(&refusal::error(&id, code::DENIED, &text, 200));
        }
        let held = Arc::clone(&exchange.lease.held);
        let Some(upstream) = self.upstream_of(&exchange.caller, &held) else {
            return gone("its server has ended");
        };
        let continuing = Caller { continues: true, ..caller };
        match pipeline::judge(&self.gateway, &continuing, message, &*upstream).await {
            Judged::Answer(refusal) => return not_forwarded(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { expected, .. } => {
                exchange.settle(None, 0);
                exchange.judged = expected;
            }
        }
        exchange.rounds += 1;
        exchange.theirs = Theirs::of(request);
        let response = with_id(&question, "result", &answer);
        let (front, headers) = (self.clone(), headers.clone());
        pieces::answer(|out| async move {
            let said = front.say(&exchange.caller, &held, &headers, response).await;
            if said.status() != StatusCode::ACCEPTED && !said.status().is_success() {
                let text = "The server did not take the answer to its question, so the call was ended.";
                let _ = out.send(answer_of(&refusal::error(&id, code::INTERNAL, text, 502))).await;
                return;
            }
            exchange.run(front, headers, out).await;
        })
        .await
    }

    /// One message to the server, in a held session.
    pub(super) async fn say(&self, caller: &Caller, held: &Held, headers: &HeaderMap, text: String) -> Response<Body> {
        let body = Bytes::from(text);
        let Ok(message::Body::One(message)) = message::parse_client(&body) else {
            return plain(&json_refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the message cannot be put in the server's era",
            ));
        };
        let headers = onward(headers);
        Box::pin(self.one((caller.clone(), held.session.clone()), &headers, &body, &message)).await
    }

    /// A session at the server that this request can use, opened if there is none. The error is an answer.
    pub(super) async fn lease(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        request: &Request<'_>,
        alone: bool,
    ) -> Result<(Arc<Pool>, Lease), (StatusCode, String)> {
        let id = request.id.raw();
        let refuse = |text: &str| (StatusCode::TOO_MANY_REQUESTS, refusal::error(id, code::DENIED, text, 429).body);
        let capabilities = able(request);
        let server = caller.grant.server();
        let policy = caller.grant.binding.policy.as_ref().map(|cell| cell.now().digest.to_string());
        let key = Key {
            server: server.id().to_owned(),
            address: Arc::as_ptr(server).addr(),
            grant: caller.grant.key().to_owned(),
            policy: policy.unwrap_or_default(),
            capabilities: capabilities.clone(),
        };
        let Some(pool) = self.gateway.translation().pools.of(key) else {
            return Err(refuse("agents of this grant declare too many different capabilities; ask again later"));
        };
        if let Some(lease) = pool.find(alone) {
            return Ok((pool, lease));
        }
        let opening = pool.opening.lock().await;
        if let Some(lease) = pool.find(alone) {
            drop(opening);
            return Ok((pool, lease));
        }
        if !pool.has_room() {
            // The oldest call that waits for its agent makes room, and is cancelled.
            if self.gateway.translation().calls.make_room(&pool)
                && let Some(lease) = pool.find(alone)
            {
                drop(opening);
                return Ok((pool, lease));
            }
            return Err(refuse(
                "too many calls to this server may ask the agent something at once; ask again when one has ended",
            ));
        }
        let held = self.open_session(caller, headers, request, &capabilities, &pool).await?;
        let lease = pool.add(held, alone);
        drop(opening);
        match lease {
            Some(lease) => Ok((pool, lease)),
            None => Err(refuse("the server's session is busy; ask again")),
        }
    }

    async fn open_session(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        request: &Request<'_>,
        capabilities: &str,
        pool: &Pool,
    ) -> Result<Arc<Held>, (StatusCode, String)> {
        let own = format!(r#"{{"name":"toolgate","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
        let info = meta_member(request, "io.modelcontextprotocol/clientInfo").unwrap_or(own);
        let hello = format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"initialize","params":{{"protocolVersion":"{}","capabilities":{capabilities},"clientInfo":{info}}}}}"#,
            pool.next_id(),
            Revision::V2025_11_25
        );
        let nobody = Held::new(None, None, None, String::new());
        let newcomer = Caller { session: None, revision: None, trace: None, ..caller.clone() };
        let mut said = Said::of(self.say(&newcomer, &nobody, headers, hello).await);
        let sealed = said.headers.get(SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let id = request.id.raw();
        let mut initialized = None;
        while let Some(raw) = said.next().await {
            if let Ok(message::Body::One(Message::Response(response))) = message::parse_upstream(&raw) {
                match response.outcome {
                    Outcome::Result(result) => initialized = Some(result.to_owned()),
                    Outcome::Error(error) => return Err((status_of(said.status, error), with_id(id, "error", error))),
                }
                break;
            }
        }
        drop(said);
        let Some(initialized) = initialized else {
            let text = "the server did not answer initialize, so it cannot be asked anything";
            return Err((StatusCode::BAD_GATEWAY, refusal::error(id, code::INTERNAL, text, 502).body));
        };
        let (grant, server) = (caller.grant.key(), caller.grant.server().id());
        let session = sealed.and_then(|id| self.gateway.seal().open(&id, grant, server));
        let revision = crate::relay::negotiated(&format!("{{\"result\":{initialized}}}"));
        let held = Held::new(Some(newcomer), session, revision, initialized);
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned();
        self.say(&legacy_caller(caller, &held), &held, headers, ready).await;
        Ok(held)
    }

    async fn set_level(&self, caller: &Caller, held: &Held, headers: &HeaderMap, pool: &Pool, level: &str) {
        let known = held.level.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.as_deref() == Some(level) {
            return;
        }
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"logging/setLevel","params":{{"level":{}}}}}"#,
            pool.next_id(),
            mcp::json::quote(level)
        );
        let mut said = Said::of(self.say(caller, held, headers, text).await);
        // A server that does not log, or a policy that lets it not, is no reason not to call.
        while said.next().await.is_some() {}
        *held.level.lock().unwrap_or_else(PoisonError::into_inner) = Some(level.to_owned());
    }

    /// The way on which the gateway asks the server of a held session for its tools.
    pub(super) fn upstream_of(&self, caller: &Caller, held: &Held) -> Option<Box<dyn AskForTools>> {
        match caller.grant.server().way(held.session.as_ref()) {
            Way::Requests(endpoint) => Some(Box::new(self.link(caller, held.session.clone(), endpoint.clone()))),
            Way::Conversation => Some(Box::new(Arc::clone(&self.session_child(caller)?.link))),
        }
    }

    fn canceller(&self, caller: &Caller, held: &Held) -> Canceller {
        let legacy = legacy_caller(caller, held);
        match caller.grant.server().way(held.session.as_ref()) {
            Way::Requests(endpoint) => {
                Canceller::Http(Box::new(self.link(&legacy, held.session.clone(), endpoint.clone())))
            }
            Way::Conversation => Canceller::Child(self.session_child(&legacy).map(|bridge| Arc::clone(&bridge.link))),
        }
    }
}

/// How a server hears that nobody waits for an answer any more.
enum Canceller {
    Http(Box<HttpLink>),
    Child(Option<Arc<crate::child_link::ChildLink>>),
}

/// What an agent's request is known by.
pub(super) struct Theirs {
    id: String,
    token: Option<String>,
    kind: Kind,
    level: Option<usize>,
}

impl Theirs {
    fn of(request: &Request<'_>) -> Self {
        Self {
            id: request.id.raw().to_owned(),
            token: request.params.progress_token.map(str::to_owned),
            kind: request.kind,
            level: request.params.meta_log_level.as_deref().and_then(severity),
        }
    }
}

/// A request that is open at a legacy server. Dropped before its answer, it is cancelled there.
pub(super) struct Exchange {
    gateway: Arc<Gateway>,
    caller: Caller,
    cancels: Canceller,
    pool: Arc<Pool>,
    lease: Lease,
    said: Option<Said>,
    ours: String,
    theirs: Theirs,
    call: String,
    rounds: u8,
    /// The record of the round that goes on with it.
    judged: Option<Expected>,
    done: bool,
}

impl Exchange {
    /// Passes on what the server says until it has answered, or asks the agent something.
    async fn run(mut self, front: Front, headers: HeaderMap, out: Out) {
        loop {
            let raw = match &mut self.said {
                Some(said) => said.next().await,
                None => None,
            };
            let Some(raw) = raw else {
                self.done = true;
                let text =
                    "Whether the request was carried out is not known: the server ended its answer before the result.";
                let _ = out.send(answer_of(&refusal::error(&self.theirs.id, code::INTERNAL, text, 502))).await;
                return;
            };
            let Ok(message::Body::One(message)) = message::parse_upstream(&raw) else { continue };
            match message {
                Message::Response(response) => {
                    let ours = names::key(&self.ours);
                    if response.id.as_ref().is_some_and(|id| Some(id.key()) != ours) {
                        continue;
                    }
                    self.done = true;
                    let piece = self.answer(&response.outcome, raw.len());
                    // Free before the agent knows: its next request may need the session.
                    drop(self);
                    let _ = out.send(piece).await;
                    return;
                }
                Message::Request(request) if request.method == "ping" => {
                    let pong = with_id(request.id.raw(), "result", "{}");
                    front.say(&self.caller, &self.lease.held, &headers, pong).await;
                }
                Message::Request(request) => {
                    let question = Question {
                        method: request.method.clone().into_owned(),
                        params: request.params.raw.map(str::to_owned),
                    };
                    let id = request.id.raw().to_owned();
                    let piece = self.ask(id, &question);
                    let _ = out.send(piece).await;
                    return;
                }
                Message::Notification(notification) => {
                    if let Some(text) = self.aside(&notification) {
                        let _ = out.send(Piece::Aside(text)).await;
                    }
                }
            }
        }
    }

    /// Whether its session is one of this pool.
    pub(super) fn is_at(&self, pool: &Arc<Pool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    fn answer(&mut self, outcome: &Outcome<'_>, bytes: usize) -> Piece {
        self.settle(Some(outcome), bytes);
        let status = self.said.as_ref().map_or(StatusCode::OK, |said| said.status);
        match outcome {
            Outcome::Result(result) => match translate::modern_result(self.theirs.kind, result, TTL) {
                Some(result) => Piece::Answer(StatusCode::OK, with_id(&self.theirs.id, "result", &result)),
                None => {
                    let text = "the server's result is no object";
                    answer_of(&refusal::error(&self.theirs.id, code::INTERNAL, text, 502))
                }
            },
            Outcome::Error(error) => {
                let edited = translate::modern_error(error);
                let text = with_id(&self.theirs.id, "error", edited.as_deref().unwrap_or(error));
                Piece::Answer(status_of(status, error), text)
            }
        }
    }

    /// Records how a round ended that went on with a call: the call's own record is the usual way's.
    fn settle(&mut self, outcome: Option<&Outcome<'_>>, bytes: usize) {
        let Some(ticket) = self.judged.take().and_then(|mut judged| judged.ticket.take()) else { return };
        let ended = match outcome {
            Some(Outcome::Error(_)) => Ended::RpcError,
            Some(Outcome::Result(result)) if mcp::result::call(result).is_ok_and(|call| call.is_error) => {
                Ended::ToolError
            }
            _ => Ended::Ok,
        };
        ticket.settle(ended, None, bytes);
    }

    /// Asks the agent what the server asks; the call waits.
    fn ask(mut self, question_id: String, question: &Question) -> Piece {
        self.settle(None, 0);
        let gateway = Arc::clone(&self.gateway);
        let (translation, grant) = (gateway.translation(), self.caller.grant.key().to_owned());
        let server = self.caller.grant.server().id().to_owned();
        let (id, call) = (self.theirs.id.clone(), self.call.clone());
        let sealed = translation.replica.zip(SessionNumber::random()).and_then(|(replica, number)| {
            let state = [replica.0, number.0].concat();
            Some((number, gateway.seal().seal_for(PURPOSE, &state, &grant, &server)?))
        });
        let Some((number, state)) = sealed else {
            let text = "the system gives no random numbers, so the server's question cannot be asked";
            return answer_of(&refusal::error(&id, code::INTERNAL, text, 500));
        };
        translation.calls.wait(number, Waiting::new(self, question_id, call, grant));
        Piece::Answer(StatusCode::OK, with_id(&id, "result", &translate::input_required("1", question, &state)))
    }

    /// What the agent hears of a notification on its request's stream. What belongs to no request goes to listeners.
    fn aside(&self, notification: &message::Notification<'_>) -> Option<String> {
        match notification.kind {
            Kind::Progress => {
                let token = notification.params.progress_token.and_then(names::key);
                let theirs = self.theirs.token.as_deref().filter(|_| token == names::key(&self.ours))?;
                names::with_names(notification.raw, &self.theirs.id, Some(theirs))
            }
            Kind::LogMessage => {
                let least = self.theirs.level?;
                let level = notification.params.level.as_deref().and_then(severity)?;
                (level >= least).then(|| notification.raw.to_owned())
            }
            Kind::ToolsChanged | Kind::PromptsChanged | Kind::ResourcesChanged | Kind::ResourceUpdated => {
                let _ = self.pool.hub.send(notification.raw.into());
                None
            }
            _ => None,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let reason = "the agent no longer waits";
        match &self.cancels {
            Canceller::Http(link) => link.as_ref().clone().cancel_later(&self.gateway, &self.ours, reason),
            Canceller::Child(Some(link)) => {
                let (link, cancel) = (Arc::clone(link), names::cancel(&self.ours, reason));
                self.gateway.background().spawn(async move { link.child.send(cancel.into()).await });
            }
            Canceller::Child(None) => {}
        }
    }
}

/// The gateway as an agent of the older era: in the session that it holds.
pub(super) fn legacy_caller(caller: &Caller, held: &Held) -> Caller {
    let session = held.session.as_ref().map(|session| session.number);
    Caller { session, revision: held.revision, ..caller.clone() }
}

/// The headers of a legacy request: those that say which trace it belongs to.
pub(super) fn onward(headers: &HeaderMap) -> HeaderMap {
    let mut onward = HeaderMap::new();
    for name in ["traceparent", "tracestate"] {
        if let Some(value) = headers.get(name) {
            onward.insert(name, value.clone());
        }
    }
    onward.insert(http::header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    onward
}

/// What a legacy server is told of the agent's abilities: those that it can make use of.
fn able(request: &Request<'_>) -> String {
    let declared = request.params.meta_client_capabilities.unwrap_or("{}");
    let kept = ["elicitation", "roots", "sampling"].into_iter().filter_map(|name| {
        let span = mcp::json::locate(declared, &[name]).ok()??;
        Some(format!("\"{name}\":{}", mcp::canonical::text(span.of(declared)).ok()?))
    });
    format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
}

fn is_able(request: &Request<'_>) -> bool {
    able(request) != "{}"
}

/// What a request asks, whoever asks it in whichever round.
fn call_of(request: &Request<'_>) -> String {
    let params = &request.params;
    let arguments = params.arguments.and_then(|arguments| mcp::canonical::text(arguments).ok());
    let named = params.name.as_deref().or(params.uri.as_deref()).unwrap_or_default();
    format!("{}\0{named}\0{}", request.method, arguments.unwrap_or_default())
}

/// The agent's answer to the question under `key`.
fn given(request: &Request<'_>, key: &str) -> Option<String> {
    let responses = request.params.input_responses?;
    let span = mcp::json::locate(responses, &[key]).ok()??;
    let answer = span.of(responses);
    answer.starts_with('{').then(|| answer.to_owned())
}

fn meta_member(request: &Request<'_>, key: &str) -> Option<String> {
    let meta = request.params.meta?;
    let value = mcp::json::locate(meta, &[key]).ok()??.of(meta);
    value.starts_with('{').then(|| value.to_owned())
}

fn severity(level: &str) -> Option<usize> {
    LEVELS.iter().position(|known| *known == level)
}

/// Whether the server says that it knows the session no more.
fn is_lost(answer: &Response<Body>, held: &Held) -> bool {
    if held.session.is_none() || answer.status() != StatusCode::NOT_FOUND {
        return false;
    }
    // Some servers answer so to a method that they do not have.
    let Body::Whole(Some(body)) = answer.body() else { return true };
    let code = std::str::from_utf8(body).ok().and_then(crate::relay::answered_code);
    code.is_none_or(|code| code != code::METHOD_NOT_FOUND.to_string())
}

/// The status that goes with an error in 2026-07-28; what stopped a message on its way keeps its own.
fn status_of(status: StatusCode, error: &str) -> StatusCode {
    let code = mcp::json::locate(error, &["code"]).ok().flatten().map(|code| code.of(error));
    match code {
        Some("-32601") => StatusCode::NOT_FOUND,
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => status,
        _ => StatusCode::OK,
    }
}

pub(super) fn with_id(id: &str, kind: &str, value: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{kind}":{value}}}"#)
}

pub(super) fn answer_of(refusal: &refusal::Refusal) -> Piece {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Piece::Answer(status, refusal.body.clone())
}

/// The id that a message answers, to be compared.
pub(super) fn key_of(response: &message::Response<'_>) -> Option<IdKey> {
    response.id.as_ref().map(message::Id::key)
}
