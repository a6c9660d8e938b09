//! Sessions at legacy servers for agents that have none: opened, leased, spoken in.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use mcp::message::{self, Message, Outcome, Request};
use mcp::revision::Revision;

use super::exchange::{Canceller, status_of};
use super::held::{Held, Key, Lease, Pool};
use super::to_legacy::{able, onward, with_id};
use crate::body::Body;
use crate::caller::Caller;
use crate::http_front::answer::session_is_lost;
use crate::http_front::said::Said;
use crate::http_front::{Front, json_refusal, plain};
use crate::http_link::SESSION_ID;
use crate::pipeline::AskForTools;
use crate::refusal::{self, code};
use crate::transport::Way;

impl Front {
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
        let named = mcp::json::locate(&initialized, &["protocolVersion"]).ok().flatten();
        let named = named.and_then(|span| mcp::json::unquote(span.of(&initialized)));
        if named.and_then(|named| Revision::parse(&named)).is_some_and(Revision::is_modern) {
            let text = "the server answers initialize with 2026-07-28, which has no initialize, and does not answer \
                        server/discover, so it can be spoken to in no revision";
            return Err((StatusCode::BAD_GATEWAY, refusal::error(id, code::INTERNAL, text, 502).body));
        }
        let (grant, server) = (caller.grant.key(), caller.grant.server().id());
        let session = sealed.and_then(|id| self.gateway.seal().open(&id, grant, server));
        let revision = crate::relay::negotiated(&format!("{{\"result\":{initialized}}}"));
        let held = Held::new(Some(newcomer), session, revision, initialized);
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned();
        self.say(&legacy_caller(caller, &held), &held, headers, ready).await;
        Ok(held)
    }

    pub(super) async fn set_level(&self, caller: &Caller, held: &Held, headers: &HeaderMap, pool: &Pool, level: &str) {
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

    pub(super) fn canceller(&self, caller: &Caller, held: &Held) -> Canceller {
        let legacy = legacy_caller(caller, held);
        match caller.grant.server().way(held.session.as_ref()) {
            Way::Requests(endpoint) => {
                Canceller::Http(Box::new(self.link(&legacy, held.session.clone(), endpoint.clone())))
            }
            Way::Conversation => Canceller::Child(self.session_child(&legacy).map(|bridge| Arc::clone(&bridge.link))),
        }
    }
}

/// The gateway as an agent of the older era: in the session that it holds.
pub(super) fn legacy_caller(caller: &Caller, held: &Held) -> Caller {
    let session = held.session.as_ref().map(|session| session.number);
    Caller { session, revision: held.revision, ..caller.clone() }
}

/// Whether the server says that it knows the session no more.
pub(super) fn is_lost(answer: &Response<Body>, held: &Held) -> bool {
    let body = match answer.body() {
        Body::Whole(Some(body)) => body.as_ref(),
        _ => &[],
    };
    held.session.is_some() && session_is_lost(answer.status(), body)
}

fn meta_member(request: &Request<'_>, key: &str) -> Option<String> {
    let meta = request.params.meta?;
    let value = mcp::json::locate(meta, &[key]).ok()??.of(meta);
    value.starts_with('{').then(|| value.to_owned())
}
