//! One message of an agent, whichever era its server speaks.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Response, StatusCode};
use mcp::message::{self, Message, Request};
use mcp::method::Kind;
use mcp::revision::Revision;
use mcp::sse::Decoder;
use upstream::http::Endpoint;

use super::Front;
use super::stream::BEFORE_ANSWER;
use super::translate::{Agent, repeating};
use crate::admission::{Work, until_withdrawn};
use crate::body::Body;
use crate::caller::{Caller, Dialect};
use crate::era::Era;
use crate::events::MAX_EVENT;
use crate::http_link::SESSION_ID;
use crate::refusal::code;
use crate::seal::Session;
use crate::server::{Reach, Server};
use crate::transport::Way;

impl Front {
    /// One message on its way. Before an endpoint, agent and server agree on an era between themselves: what they say to
    /// find out is passed on. A child process cannot be found out about over HTTP.
    pub(super) async fn either_way(
        &self,
        (caller, session): (Caller, Option<Session>),
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        let server = Arc::clone(caller.grant.server());
        let Way::Requests(endpoint) = server.way(session.as_ref()) else {
            return Box::pin(self.converse((caller, session), headers, body, message)).await;
        };
        let stateless = caller.dialect() == Dialect::Modern && matches!(message, Message::Request(_));
        let again = looks_around(&caller, message).then(|| (caller.clone(), session.clone()));
        if stateless && again.is_none() && server.transport.is_unknown() {
            if let Some(refused) = self.refused_at_once(&caller, headers, message) {
                return refused;
            }
            self.unless_withdrawn(&caller, self.ask_first(&caller, endpoint, message)).await;
            if server.transport.is_sse() {
                return Box::pin(self.converse((caller, session), headers, body, message)).await;
            }
        }
        let answer = self.one((caller, session), headers, body, message).await;
        if !stateless || !may_be_sse(&answer) {
            return answer;
        }
        match again {
            // What a stateless agent asks to find out what there is can be asked twice.
            Some(again) => {
                self.unless_withdrawn(&again.0, async {
                    self.is_sse(&server, endpoint).await;
                })
                .await;
                if server.transport.is_sse() {
                    return Box::pin(self.converse(again, headers, body, message)).await;
                }
            }
            // Anything else is never sent again.
            None if answer.status() != StatusCode::BAD_REQUEST => server.transport.doubt(),
            None => {}
        }
        explained(answer, &server)
    }

    /// Finds something out, which is given up when nothing may be done for the caller any more: what is done next says why.
    async fn unless_withdrawn(&self, caller: &Caller, finding_out: impl Future<Output = ()>) {
        let withdrawn = until_withdrawn(&self.gateway, caller, Work::Request);
        Box::pin(async {
            tokio::select! {
                biased;
                _ = withdrawn => {}
                () = finding_out => {}
            }
        })
        .await;
    }

    /// Whether an endpoint speaks HTTP+SSE: it is asked for a stream, as the specification's section on backwards
    /// compatibility says.
    pub(super) async fn is_sse(&self, server: &Server, endpoint: &Endpoint) -> bool {
        // Somebody else may have found out meanwhile.
        if !server.transport.is_sse() && server.transport.is_open() {
            crate::sse_link::find_out(&self.client, server, endpoint).await;
            if let Some(why) = server.transport.unusable() {
                self.gateway.tell(server.id(), &why);
            }
        }
        server.transport.is_sse()
    }

    /// Asks an endpoint of which nothing is known what a stateless agent that knows it already did not ask: a call is sent
    /// once only, and so cannot show that it went the wrong way. A list of tools is needed before a call anyway.
    async fn ask_first(&self, caller: &Caller, endpoint: &Endpoint, message: &Message<'_>) {
        let server = caller.grant.server();
        let _one_asks = server.transport.asking().await;
        if !server.transport.is_unknown() {
            return;
        }
        let link = self.link(caller, None, endpoint.clone());
        let calls = matches!(message, Message::Request(Request { kind: Kind::ToolsCall, .. }));
        // What fails here fails again where the call is judged, which says why.
        let refused = calls && server.tools.get(&link).await.is_err();
        // A list that was known before says nothing of how the server is spoken to today.
        if !refused
            && server.transport.is_unknown()
            && let Ok(true) = link.speaks_modern().await
        {
            server.era.learn(Era::Modern, true);
        }
        if server.transport.is_unknown() {
            self.is_sse(server, endpoint).await;
        }
    }

    /// One message of an agent that speaks no HTTP. What would repeat it in headers in 2026-07-28 is written here.
    pub(crate) async fn hear(&self, caller: Caller, session: Option<Session>, message: &Message<'_>) -> Response<Body> {
        let headers = match message {
            _ if caller.dialect() == Dialect::Legacy => HeaderMap::new(),
            Message::Request(request) => match self.speaks_modern(&caller).await {
                Ok(true) => self.repeated(&caller, &HeaderMap::new(), request).await,
                Ok(false) | Err(_) => repeating(mcp::header::write(request)),
            },
            Message::Notification(notification) => repeating([(mcp::header::METHOD, &*notification.method)]),
            Message::Response(_) => HeaderMap::new(),
        };
        let body = Bytes::copy_from_slice(message.raw().as_bytes());
        Box::pin(self.converse((caller, session), &headers, &body, message)).await
    }

    /// One message on its way, in the agent's own era, to a server of either: translated where the server does not
    /// speak the agent's. One that speaks both is spoken to as the agent speaks.
    pub(super) async fn converse(
        &self,
        (caller, session): (Caller, Option<Session>),
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        if let Some(agent) = session.as_ref().and_then(Agent::of) {
            return Box::pin(self.to_modern(caller, agent, headers, message)).await;
        }
        if caller.dialect() == Dialect::Modern {
            return match self.speaks_modern(&caller).await {
                Ok(false) => Box::pin(self.to_legacy(caller, headers, body, message)).await,
                // What cannot be reached to be asked cannot be reached to be called: the usual way says why.
                Ok(true) | Err(_) => self.one((caller, session), headers, body, message).await,
            };
        }
        let Message::Request(request @ Request { kind: Kind::Initialize, .. }) = message else {
            return self.one((caller, session), headers, body, message).await;
        };
        let server = Arc::clone(caller.grant.server());
        if server.era.speaks(Era::Legacy) == Some(false) {
            return Box::pin(self.open_on_modern(caller, headers, message, request)).await;
        }
        let answer = self.one((caller.clone(), session), headers, body, message).await;
        let (answer, refused) = refuses(answer).await;
        if !refused {
            return answer;
        }
        // A server of the other era does not know `initialize`.
        match self.speaks_modern(&caller).await {
            Ok(true) => {
                if !is_sound(request) {
                    return answer;
                }
                server.era.learn(Era::Legacy, false);
                self.end_opened(&caller, &answer);
                Box::pin(self.open_on_modern(caller, headers, message, request)).await
            }
            Ok(false) | Err(_) => answer,
        }
    }

    /// Whether the server speaks 2026-07-28: known, or found out.
    ///
    /// # Errors
    /// Why that is not known.
    async fn speaks_modern(&self, caller: &Caller) -> Result<bool, String> {
        let server = caller.grant.server();
        // The older transport is of the older era.
        if matches!(server.config.reach, Reach::Sse(_)) || server.transport.is_sse() {
            return Ok(false);
        }
        if let Some(speaks) = server.era.speaks(Era::Modern) {
            return Ok(speaks);
        }
        match &server.config.reach {
            Reach::Child(_) => Ok(Box::pin(self.modern_child(caller)).await?.is_some()),
            Reach::Sse(_) => Ok(false),
            Reach::Http(endpoint) => {
                let speaks = Box::pin(self.link(caller, None, endpoint.clone()).speaks_modern()).await?;
                server.era.learn(Era::Modern, speaks);
                Ok(speaks)
            }
        }
    }

    /// Ends the child that was started for a session which came to nothing.
    fn end_opened(&self, caller: &Caller, answer: &Response<Body>) {
        let id = answer.headers().get(SESSION_ID).and_then(|id| id.to_str().ok());
        let session = id.and_then(|id| self.gateway.seal().open(id, caller.grant.key(), caller.grant.server().id()));
        if let Some(session) = session {
            self.forget_child(session.number);
        }
    }
}

/// Whether a message is a stateless agent's question for what there is.
fn looks_around(caller: &Caller, message: &Message<'_>) -> bool {
    let lists = [Kind::Discover, Kind::ToolsList, Kind::PromptsList, Kind::ResourcesList, Kind::TemplatesList];
    caller.dialect() == Dialect::Modern && matches!(message, Message::Request(request) if lists.contains(&request.kind))
}

/// Whether an endpoint of HTTP+SSE may have answered so. It has no error of its own to give, and the specification names
/// these.
pub(super) fn may_be_sse(answer: &Response<Body>) -> bool {
    let statuses = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    let Body::Whole(Some(bytes)) = answer.body() else { return false };
    let code = std::str::from_utf8(bytes).ok().and_then(crate::relay::answered_code);
    statuses.contains(&answer.status()) && code.is_none_or(|code| code == code::INTERNAL.to_string())
}

/// An answer of an endpoint which has an HTTP+SSE stream too, one that cannot be used: that is the reason worth knowing.
pub(super) fn explained(answer: Response<Body>, server: &Server) -> Response<Body> {
    let Some(why) = server.transport.unusable() else { return answer };
    let (head, body) = answer.into_parts();
    let said = match &body {
        Body::Whole(Some(bytes)) => serde_json::from_slice(bytes).ok(),
        _ => None,
    };
    let Some(mut said) = said else { return Response::from_parts(head, body) };
    if let Some(serde_json::Value::String(text)) = serde_json::Value::pointer_mut(&mut said, "/error/message") {
        text.push_str("; ");
        text.push_str(&why);
    }
    Response::from_parts(head, Body::whole(said.to_string()))
}

/// Whether an `initialize` says what it must. A broken one is refused by servers of both eras, and nobody learns an era from
/// that.
pub(crate) fn is_sound(request: &Request<'_>) -> bool {
    let params = &request.params;
    params.protocol_version.as_deref().and_then(Revision::parse).is_some()
        && params.capabilities.is_some()
        && params.client_info.is_some()
}

/// Whether the server itself has refused a request, and its answer, of which nothing is lost by looking.
async fn refuses(answer: Response<Body>) -> (Response<Body>, bool) {
    let (head, body) = answer.into_parts();
    let Body::Stream(mut events) = body else {
        let refused = matches!(&body, Body::Whole(Some(bytes)) if is_refusal(bytes));
        return (Response::from_parts(head, body), refused);
    };
    let (mut read, mut decoder, mut refused) = (Vec::new(), Decoder::new(MAX_EVENT), None);
    let mut length = 0;
    while refused.is_none()
        && length <= BEFORE_ANSWER
        && let Some(bytes) = events.next().await
    {
        length += bytes.len();
        decoder.push(&bytes);
        read.push(bytes);
        while let Ok(Some(event)) = decoder.next_event() {
            let data = event.data.as_deref().unwrap_or_default();
            if matches!(message::parse_upstream(data), Ok(message::Body::One(Message::Response(_)))) {
                refused = Some(is_refusal(data));
            }
        }
    }
    let body = Body::Stream(Box::pin(stream::iter(read).chain(events)));
    (Response::from_parts(head, body), refused.unwrap_or(false))
}

/// Whether a message is an error of the server's own.
fn is_refusal(message: &[u8]) -> bool {
    let Some(code) = std::str::from_utf8(message).ok().and_then(crate::relay::answered_code) else { return false };
    ![code::INTERNAL, code::DENIED].iter().any(|ours| *code == ours.to_string())
}
