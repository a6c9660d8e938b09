//! One POST: read, parsed strictly, judged, forwarded, relayed.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use mcp::message::{self, Message, Request};
use mcp::method::Kind;
use mcp::revision::Revision;

use super::admit::{Admitted, Sender};
use super::answer::failed;
use super::converse::{explained, may_be_sse};
use super::stream::Changes;
use super::{Front, MAX_BODY, closing, empty, json_refusal, not_forwarded, plain, unreadable_kind};
use crate::admission::{Work, until_withdrawn};
use crate::body::{Body, BodyFault, collect_into};
use crate::caller::Caller;
use crate::expected::Expected;
use crate::grant::{Grant, Lead};
use crate::http_link::{HttpLink, METHOD, NAME, PROTOCOL_VERSION, SESSION_ID};
use crate::listen::BODY_TIME;
use crate::names;
use crate::pipeline::{self, AskForTools, Judged};
use crate::refusal::{self, Refusal};
use crate::seal::Session;
use crate::trace::Trace;
use crate::transport::Way;

impl Front {
    pub(super) async fn post(&self, admitted: Admitted, headers: HeaderMap, body: Incoming) -> Response<Body> {
        let client_ip = admitted.sender.client_ip;
        if let Some(refusal) = unreadable_kind(&headers) {
            return closing(plain(&refusal));
        }
        // Held until the answer is there: so long the message is too.
        let mut held = self.seat.arriving().body_of(admitted.sender.token);
        let read = collect_into(body, MAX_BODY, None, |bytes| held.grow_to(bytes));
        let body = match tokio::time::timeout(BODY_TIME, read).await {
            Ok(Ok(body)) => body,
            Ok(Err(BodyFault::TooLong(limit))) => {
                let text = format!("the message is longer than {limit} bytes");
                return closing(plain(&json_refusal(StatusCode::PAYLOAD_TOO_LARGE, &text)));
            }
            Ok(Err(BodyFault::NoRoom(why))) => {
                self.gateway.refused().count("too many long messages", Some(client_ip));
                return closing(not_forwarded(&json_refusal(StatusCode::SERVICE_UNAVAILABLE, why)));
            }
            Ok(Err(_)) => return closing(plain(&json_refusal(StatusCode::BAD_REQUEST, "the body ended early"))),
            Err(_) => {
                return closing(plain(&json_refusal(
                    StatusCode::REQUEST_TIMEOUT,
                    "a body has 60 s, and this one took longer",
                )));
            }
        };
        let admitted = match admitted.again(&self.gateway) {
            Ok(admitted) => admitted,
            Err(why) => return Box::pin(self.turn_away(why, client_ip)).await,
        };
        let parsed = match message::parse_client(&body) {
            Ok(parsed) => parsed,
            Err(malformed) => {
                Box::pin(self.gateway.refused().slow_down("malformed body", client_ip)).await;
                let id = malformed.id.as_deref().unwrap_or("null");
                if let Some(method) = gone_method(&headers) {
                    return closing(plain(&refusal::method_not_found(id, method, crate::caller::Dialect::Modern)));
                }
                return closing(plain(&refusal::error(id, malformed.code, &malformed.message, 400)));
            }
        };
        let Admitted { lead, sender } = admitted;
        let grant = match lead {
            Lead::Server(grant) => grant,
            Lead::Stack(stack) => return self.post_to_stack(stack, sender, &headers, &parsed).boxed().await,
        };
        match parsed {
            message::Body::One(message) => {
                let caller = match self.caller(grant, sender, &headers, Some(&message)) {
                    Ok(caller) => caller,
                    Err(refusal) => return plain(&refusal),
                };
                self.either_way(caller, &headers, &body, &message).await
            }
            message::Body::Batch(messages) => {
                let caller = match self.caller(grant, sender, &headers, None) {
                    Ok(caller) => caller,
                    Err(refusal) => return plain(&refusal),
                };
                Box::pin(self.batch(caller, &headers, messages)).await
            }
        }
    }

    /// Who sends this, in which session and revision.
    pub(super) fn caller(
        &self,
        grant: Arc<Grant>,
        sender: Sender,
        headers: &HeaderMap,
        message: Option<&Message<'_>>,
    ) -> Result<(Caller, Option<Session>), Refusal> {
        let Sender { token, client_ip } = sender;
        let Spoken { named, modern } = self.spoken(headers, message)?;
        if modern {
            let caller = Caller {
                grant,
                token,
                session: None,
                stack: None,
                revision: named,
                client_ip: Some(client_ip),
                trace: None,
                continues: false,
            };
            return Ok((caller, None));
        }
        let session = self.session(grant.key(), grant.server().id(), headers, message)?;
        // What was agreed on holds; a header could claim what it likes.
        let revision = session.as_ref().and_then(|session| session.revision).or(named);
        let number = session.as_ref().map(|session| session.number);
        Ok((
            Caller {
                grant,
                token,
                session: number,
                stack: None,
                revision,
                client_ip: Some(client_ip),
                trace: None,
                continues: false,
            },
            session,
        ))
    }

    /// Which revision a request is written in.
    pub(super) fn spoken(&self, headers: &HeaderMap, message: Option<&Message<'_>>) -> Result<Spoken, Refusal> {
        let named = match one(headers, &PROTOCOL_VERSION).map_err(bad)? {
            None => None,
            Some(text) => match Revision::parse(text) {
                Some(revision) => Some(revision),
                None => return Err(self.unsupported(text, message)),
            },
        };
        let in_body = message.and_then(names::revision);
        let modern_body = in_body.and_then(Revision::parse).is_some_and(Revision::is_modern);
        Ok(Spoken { named, modern: named.is_some_and(Revision::is_modern) || modern_body })
    }

    /// The session that a legacy request names, which must be one of this grant's.
    pub(super) fn session(
        &self,
        grant: &str,
        server: &str,
        headers: &HeaderMap,
        message: Option<&Message<'_>>,
    ) -> Result<Option<Session>, Refusal> {
        let Some(id) = one(headers, &SESSION_ID).map_err(bad)? else { return Ok(None) };
        match self.gateway.seal().open(id, grant, server) {
            Some(session) if !self.gateway.sessions().has_ended(session.number) => Ok(Some(session)),
            _ => {
                let id = message.and_then(names::raw_id).unwrap_or("null");
                let text = "this session is not known here; start again with initialize";
                Err(refusal::error(id, refusal::code::INVALID_REQUEST, text, 404))
            }
        }
    }

    fn unsupported(&self, named: &str, message: Option<&Message<'_>>) -> Refusal {
        let id = message.and_then(names::raw_id).unwrap_or("null");
        let modern = message.is_some_and(|message| names::revision(message).is_some());
        if !modern {
            let text = format!("the protocol version `{named}` is not supported");
            return refusal::error(id, refusal::code::INVALID_REQUEST, &text, 400);
        }
        let data = serde_json::json!({ "supported": Revision::ALL.map(Revision::as_str), "requested": named });
        let error = serde_json::json!({
            "code": refusal::code::UNSUPPORTED_REVISION, "message": "Unsupported protocol version", "data": data,
        });
        Refusal { status: 400, body: format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#) }
    }

    pub(super) async fn one(
        &self,
        (mut caller, session): (Caller, Option<Session>),
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        caller.trace = Trace::of(&self.gateway, Some(headers), message);
        if let Some(refused) = self.refused_at_once(&caller, headers, message) {
            return refused;
        }
        let asking = caller.clone();
        let asked_in = session.clone();
        let forwarded = self.forward(caller, session, headers, body, message);
        let withdrawn = tokio::select! {
            biased;
            answer = forwarded => return self.guarded(answer, &asking, work_of(message)),
            // What was under way is dropped, and recorded as such by what it held.
            withdrawn = until_withdrawn(&self.gateway, &asking, Work::Request) => withdrawn.to_string(),
        };
        let Some(id) = names::raw_id(message) else { return plain(&refusal::cut("null", &withdrawn)) };
        if let Some(link) = self.link_to_cancel(&asking, asked_in) {
            link.cancel_later(&self.gateway, id, &withdrawn);
        }
        plain(&refusal::cut(id, &withdrawn))
    }

    /// What is refused whatever the server is: a method that its revision has left behind, headers that contradict the
    /// body, and everything while nothing may be forwarded.
    pub(super) fn refused_at_once(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        message: &Message<'_>,
    ) -> Option<Response<Body>> {
        if let (Message::Request(request), Some(revision)) = (message, caller.revision)
            && is_gone(&request.method, revision)
        {
            return Some(plain(&refusal::method_not_found(request.id.raw(), &request.method, caller.dialect())));
        }
        let given = || headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let checked = match message {
            Message::Request(request) => mcp::header::check(request, given()),
            Message::Notification(notification) => mcp::header::check_notification(notification, given()),
            Message::Response(_) => Ok(()),
        };
        if let Err(mismatch) = checked {
            let id = names::raw_id(message).unwrap_or("null");
            return Some(plain(&refusal::error(id, refusal::code::HEADER_MISMATCH, &mismatch.message, 400)));
        }
        pipeline::halt(&self.gateway, caller, message).map(|halted| match halted {
            Judged::Answer(refusal) => not_forwarded(&refusal),
            Judged::Drop | Judged::Forward { .. } => empty(StatusCode::ACCEPTED),
        })
    }

    /// The way on which a legacy endpoint is told that a request is cancelled: there, a connection that is closed says
    /// nothing. Without a session, a server could not tell whose request it is.
    fn link_to_cancel(&self, caller: &Caller, session: Option<Session>) -> Option<HttpLink> {
        let Way::Requests(endpoint) = caller.grant.server().way(session.as_ref()) else { return None };
        let endpoint = endpoint.clone();
        let session = session.filter(|session| !session.upstream.is_empty())?;
        Some(self.link(caller, Some(session), endpoint))
    }

    async fn forward(
        &self,
        caller: Caller,
        session: Option<Session>,
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        let server = Arc::clone(caller.grant.server());
        match server.way(session.as_ref()) {
            Way::Conversation => Box::pin(self.to_child(caller, session, headers, message)).await,
            Way::Requests(endpoint) => {
                let opens = matches!(message, Message::Request(Request { kind: Kind::Initialize, .. }));
                let again = opens.then(|| caller.clone());
                let link = HttpLink {
                    client: self.client.clone(),
                    server: Arc::clone(caller.grant.server()),
                    endpoint: endpoint.clone(),
                    session: session.as_ref().map(|session| session.upstream.clone()).filter(|id| !id.is_empty()),
                    revision: caller.revision,
                };
                let answer = self.to_endpoint(caller, session, link, headers, body, message).await;
                match again.filter(|_| may_be_sse(&answer)) {
                    None => answer,
                    // Nothing has happened there, and nothing happens by asking again.
                    Some(caller) if Box::pin(self.is_sse(&server, endpoint)).await => {
                        Box::pin(self.to_child(caller, None, headers, message)).await
                    }
                    Some(_) => explained(answer, &server),
                }
            }
        }
    }

    async fn to_endpoint(
        &self,
        caller: Caller,
        session: Option<Session>,
        link: HttpLink,
        headers: &HeaderMap,
        body: &Bytes,
        message: &Message<'_>,
    ) -> Response<Body> {
        let mut onward = match self.onward_headers(&caller, &link, headers, message).await {
            Ok(onward) => onward,
            Err(refusal) => return plain(&refusal),
        };
        let judged = pipeline::judge(&self.gateway, &caller, message, &link).await;
        let (edited, expected) = match judged {
            Judged::Answer(refusal) => return not_forwarded(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { edited, expected } => (edited, expected),
        };
        if onward.contains_key(&NAME)
            && let Some(task) = expected.as_ref().and_then(Expected::task_header)
        {
            onward.insert(NAME, task);
        }
        let bytes = edited.map_or_else(|| body.clone(), Bytes::from);
        match link.post(onward, bytes).await {
            Ok(answer) => {
                let answer = self.relay(caller, session, link, answer, expected).await;
                // Answers that came together go out together: see `Line::ask`.
                tokio::task::yield_now().await;
                answer
            }
            Err(error) => failed(expected, &error),
        }
    }

    /// The headers for the server, built from nothing: what the gateway read and checked itself.
    async fn onward_headers(
        &self,
        caller: &Caller,
        link: &HttpLink,
        headers: &HeaderMap,
        message: &Message<'_>,
    ) -> Result<HeaderMap, Refusal> {
        let mut onward = link.headers();
        if let Some(accept) = headers.get(ACCEPT) {
            onward.insert(ACCEPT, accept.clone());
        }
        if let Some(trace) = &caller.trace {
            trace.write(&mut onward);
        }
        if !caller.revision.is_some_and(Revision::is_modern) {
            return Ok(onward);
        }
        for name in [METHOD, NAME] {
            // They were compared with the body: passing them on passes the body's own words.
            if let Some(value) = headers.get(&name) {
                onward.insert(name, value.clone());
            }
        }
        if let Message::Request(request) = message
            && request.kind == Kind::ToolsCall
        {
            for (name, value) in Box::pin(declared_params(caller, link, headers, request)).await? {
                onward.append(name.clone(), value.clone());
            }
        }
        Ok(onward)
    }
}

fn bad(text: &str) -> Refusal {
    json_refusal(StatusCode::BAD_REQUEST, text)
}

/// The revision of a request.
pub(super) struct Spoken {
    /// As its header names it.
    pub(super) named: Option<Revision>,
    /// Whether header or body name one that is stateless.
    pub(super) modern: bool,
}

/// The `Mcp-Param-*` headers that the tool's schema declares, compared with the arguments that they
/// repeat. One that nothing declares is dropped, whatever its value: what no policy can see goes
/// nowhere.
pub(super) async fn declared_params<'h>(
    caller: &Caller,
    upstream: &dyn AskForTools,
    headers: &'h HeaderMap,
    request: &Request<'_>,
) -> Result<Vec<(&'h HeaderName, &'h HeaderValue)>, Refusal> {
    let given = || headers.iter().filter(|(name, _)| name.as_str().starts_with(mcp::header::PARAM_PREFIX));
    let Ok(list) = caller.grant.server().tools.get(upstream).await else { return Ok(Vec::new()) };
    let Some(tool) = request.params.name.as_deref().and_then(|name| list.get(name)) else { return Ok(Vec::new()) };
    let pairs: Vec<(&str, &[u8])> = given().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if let Err(mismatch) =
        mcp::header::check_params(&tool.header_params, request.params.arguments, pairs.iter().copied())
    {
        return Err(refusal::error(request.id.raw(), refusal::code::HEADER_MISMATCH, &mismatch.message, 400));
    }
    let declared = |name: &HeaderName| {
        let suffix = name.as_str().get(mcp::header::PARAM_PREFIX.len()..).unwrap_or_default();
        tool.header_params.iter().any(|declared| declared.header.eq_ignore_ascii_case(suffix))
    };
    Ok(given().filter(|(name, _)| declared(name)).collect())
}

fn work_of(message: &Message<'_>) -> Work {
    match message {
        Message::Request(request) if request.kind == Kind::SubscriptionsListen => Work::Listening,
        _ => Work::Request,
    }
}

/// Whether a revision has left a method behind: there it is a method that does not exist, whatever
/// else may be wrong with the request.
pub(super) fn is_gone(method: &str, revision: Revision) -> bool {
    revision.is_modern() && mcp::method::find(method).is_some_and(|known| !known.exists_in(revision))
}

/// The method that the headers of an unreadable request name, if the revision they name does not
/// have it. It decides between two refusals only.
fn gone_method(headers: &HeaderMap) -> Option<&str> {
    let revision = Revision::parse(headers.get(PROTOCOL_VERSION)?.to_str().ok()?)?;
    headers.get(METHOD)?.to_str().ok().filter(|method| is_gone(method, revision))
}

/// How a subscription to changed tools hears of a replaced policy.
pub(super) fn subscription_notice(caller: &Caller, expected: &Expected) -> Option<Changes> {
    if !expected.wants_tools_changed() {
        return None;
    }
    let notice = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{}}}}}}}"#,
        expected.raw_id()
    );
    let cell = caller.grant.binding.policy.as_ref()?;
    Some(Changes { policy: cell.changes(), notice })
}

/// A header that may stand once at most.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| "a protocol header is not plain text"),
        (Some(_), Some(_)) => Err("a protocol header stands twice"),
    }
}
