//! The answer of an endpoint: relayed as a stream or whole, with the session that it opened; and what
//! the agent reads where there is none.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp::message;
use mcp::method::Kind;
use mcp::revision::Revision;
use upstream::http::{Answer, SendError};

use super::post::subscription_notice;
use super::stream::Events;
use super::{Front, empty, json, json_refusal, plain};
use crate::body::{Body, BodyFault, Counted, collect_held};
use crate::caller::Caller;
use crate::events::{EventReader, MAX_EVENT};
use crate::expected::Expected;
use crate::http_link::{HttpLink, SESSION_ID};
use crate::refusal;
use crate::relay::{Relay, Seen};
use crate::seal::{Session, SessionNumber};
use crate::ticket::Ended;

impl Front {
    pub(super) async fn relay(
        &self,
        caller: Caller,
        session: Option<Session>,
        link: HttpLink,
        answer: Response<Answer>,
        expected: Option<Expected>,
    ) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let status = head.status;
        if matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        ) {
            let reason = format!("the server does not accept the gateway's credentials (HTTP {status})");
            return sorry(expected, Ended::RpcError, &reason);
        }
        let initialize = expected.as_ref().is_some_and(Expected::is_initialize);
        let kind = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let idle = link.server.config.limits.idle;
        let mut relay = Relay::new(&self.gateway, caller.clone(), expected);

        let mut response = if status.is_success() && kind.starts_with(b"text/event-stream") {
            let listens = relay.expected().is_some_and(|expected| expected.kind() == Kind::SubscriptionsListen);
            let idle = (!listens).then_some(idle);
            let resumable = session.is_some();
            let changes = relay.expected().and_then(|expected| subscription_notice(&caller, expected));
            let held = self.gateway.returning().answer_to(&caller.grant);
            let reader = EventReader::new(body, idle).counting(held, link.server.config.limits.idle);
            let mut events = Events::new(reader, relay, link, resumable).announcing(changes);
            let ready = if initialize { Box::pin(events.until_answered()).await } else { Vec::new() };
            let negotiated = events.negotiated();
            let response = events.into_response(ready);
            self.with_session(response, &caller, session, &head.headers, negotiated)
        } else {
            let mut claim = self.gateway.returning().claim(&caller.grant);
            let bytes = match collect_held(body, MAX_EVENT, idle, &mut claim).await {
                Ok(bytes) => bytes,
                Err(fault) => {
                    let ended = match fault {
                        BodyFault::Silent(_) | BodyFault::Endless(_) => Ended::Timeout,
                        _ => Ended::Unknown,
                    };
                    return sorry(relay.take_expected(), ended, &fault.to_string());
                }
            };
            let mut response = whole(status, bytes, &mut relay, &link).await;
            // What is long stays counted for as long as anybody writes it.
            if let (Some(held), Body::Whole(Some(bytes))) = (claim.taken(), response.body_mut()) {
                *bytes = held.keep(std::mem::take(bytes));
                let counted = Counted::new(bytes);
                response.extensions_mut().insert(counted);
            }
            let negotiated = relay.negotiated;
            self.with_session(response, &caller, session, &head.headers, negotiated)
        };
        for name in [RETRY_AFTER, CACHE_CONTROL] {
            if let Some(value) = head.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }

    /// Seals the id of a session that the server has opened.
    fn with_session(
        &self,
        mut response: Response<Body>,
        caller: &Caller,
        session: Option<Session>,
        upstream: &HeaderMap,
        negotiated: Option<Revision>,
    ) -> Response<Body> {
        let Some(id) = upstream.get(SESSION_ID).and_then(|id| id.to_str().ok()) else { return response };
        let sealed = match &session {
            // A server that repeats its session id must not be told apart by the repetition.
            Some(session) if session.upstream == id => Some(session.clone()),
            _ => {
                SessionNumber::random().map(|number| Session { number, revision: negotiated, upstream: id.to_owned() })
            }
        };
        let id = sealed
            .and_then(|session| self.gateway.seal().seal(&session, caller.grant.key(), caller.grant.server().id()));
        match id.and_then(|id| HeaderValue::from_str(&id).ok()) {
            Some(id) => {
                response.headers_mut().insert(SESSION_ID, id);
                response
            }
            None => plain(&refusal::error(
                "null",
                refusal::code::INTERNAL,
                "no session can be opened: the system gives no random numbers",
                500,
            )),
        }
    }
}

/// Whether a server says that it knows the session of a request no more, and so has done nothing of it.
pub(super) fn session_is_lost(status: StatusCode, body: &[u8]) -> bool {
    if status != StatusCode::NOT_FOUND {
        return false;
    }
    // Some servers answer so to a method that they do not have.
    let code = std::str::from_utf8(body).ok().and_then(crate::relay::answered_code);
    code.is_none_or(|code| code != refusal::code::METHOD_NOT_FOUND.to_string())
}

/// A complete answer.
async fn whole(status: StatusCode, bytes: Bytes, relay: &mut Relay, link: &HttpLink) -> Response<Body> {
    let lost = link.session.is_some() && session_is_lost(status, &bytes);
    if lost {
        relay.not_carried_out("the server knows the session no more");
    }
    let ended = if lost { Ended::NotSent } else { Ended::Unknown };
    if bytes.is_empty() {
        return match relay.take_expected() {
            None => empty(status),
            Some(expected) => {
                let reason = format!("the server answered with HTTP {status} and nothing else");
                let mut answer = sorry(Some(expected), ended, &reason);
                // A session that is lost is told by its status alone, and so is the other transport.
                if status.is_client_error() {
                    *answer.status_mut() = status;
                }
                answer
            }
        };
    }
    if !status.is_success() && message::parse_upstream(&bytes).is_err() {
        // An error page: its status says something, its text is not for a protocol client.
        let reason = format!("the server answered with HTTP {status}");
        return match relay.take_expected() {
            Some(expected) => {
                let mut apology = expected.apology(ended, &reason);
                expected.failed(Ended::RpcError, &reason);
                apology.status = status.as_u16();
                plain(&apology)
            }
            None => plain(&json_refusal(status, &reason)),
        };
    }
    match relay.see(&bytes) {
        Seen::Pass => json(status, bytes),
        Seen::Replace(text) => json(status, text),
        Seen::Withhold { answer } => {
            if let Some(answer) = answer {
                Box::pin(link.tell(answer)).await;
            }
            sorry(relay.take_expected(), Ended::Unknown, "the server did not answer the request")
        }
    }
}

/// The agent's answer when the request failed on its way.
pub(super) fn failed(expected: Option<Expected>, error: &SendError) -> Response<Body> {
    let ended = match error {
        SendError::NotSent(_) | SendError::Certificate(_) => Ended::NotSent,
        SendError::Timeout(_) => Ended::Timeout,
        SendError::Broken(_) => Ended::Unknown,
    };
    sorry(expected, ended, &error.to_string())
}

/// The agent's answer when there is none from the server.
pub(super) fn sorry(expected: Option<Expected>, ended: Ended, reason: &str) -> Response<Body> {
    match expected {
        Some(expected) => {
            let apology = expected.apology(ended, reason);
            expected.failed(ended, reason);
            plain(&apology)
        }
        None => plain(&json_refusal(StatusCode::BAD_GATEWAY, reason)),
    }
}
