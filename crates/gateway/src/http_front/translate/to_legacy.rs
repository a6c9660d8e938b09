//! An agent of 2026-07-28 before a legacy server: the gateway holds the sessions that the agent has none of.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp::message::{self, IdKey, Message, Request};
use mcp::method::Kind;
use mcp::translate;

use super::exchange::{Exchange, Theirs};
use super::pieces::{self, Out, Piece};
use super::rounds::{Gone, MAX_ROUNDS, Waiting};
use super::sessions::{is_lost, legacy_caller};
use crate::body::Body;
use crate::caller::Caller;
use crate::http_front::child::incomplete;
use crate::http_front::post::declared_params;
use crate::http_front::said::Said;
use crate::http_front::{Front, empty, json, json_refusal, not_forwarded, plain};
use crate::pipeline::{self, Judged};
use crate::refusal::{self, code};
use crate::seal::SessionNumber;

/// What seals the state of a call that waits.
pub(super) const PURPOSE: &str = "round";

/// How long an agent may keep what a legacy server has listed or read: nothing there says.
pub(super) const TTL: u64 = 5_000;

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
                && caller.has_headers()
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
        if self.gateway.replica() != SessionNumber(*replica) {
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
pub(super) fn able(request: &Request<'_>) -> String {
    let declared = request.params.meta_client_capabilities.unwrap_or("{}");
    let kept = ["elicitation", "roots", "sampling"].into_iter().filter_map(|name| {
        let span = mcp::json::locate(declared, &[name]).ok()??;
        let said = match name {
            "elicitation" => mcp::elicitation::Kinds::of(span.of(declared)).declared()?.to_owned(),
            _ => mcp::canonical::text(span.of(declared)).ok()?,
        };
        Some(format!("\"{name}\":{said}"))
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
