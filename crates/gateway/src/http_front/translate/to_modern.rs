//! A legacy agent before a server of 2026-07-28: the gateway is the session that the server does not keep.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use mcp::message::{self, Message, Outcome, Request};
use mcp::method::Kind;
use mcp::revision::Revision;
use mcp::translate;

use super::agent::Agent;
use super::pieces::{self, Out, Piece};
use super::rounds::MAX_ROUNDS;
use super::to_legacy::{answer_of, key_of, with_id};
use crate::body::Body;
use crate::caller::{Caller, Dialect};
use crate::http_front::said::Said;
use crate::http_front::{Front, empty, json, json_refusal, not_forwarded, plain};
use crate::http_link::{SESSION_ID, own_id};
use crate::names;
use crate::pipeline::{self, AskForTools, Judged};
use crate::refusal::{self, code};
use crate::seal::{Session, SessionNumber};
use crate::server::Reach;
use crate::ticket::Ended;

/// The revision that is spoken to the server.
const MODERN: Revision = Revision::V2026_07_28;

impl Front {
    /// Opens a session that is the gateway's own, before a server that keeps none.
    pub(in crate::http_front) async fn open_on_modern(
        &self,
        caller: Caller,
        headers: &HeaderMap,
        message: &Message<'_>,
        request: &Request<'_>,
    ) -> Response<Body> {
        if let Some(refused) = self.refused_at_once(&caller, headers, message) {
            return refused;
        }
        let id = request.id.raw();
        let agent = Agent {
            capabilities: request.params.capabilities.unwrap_or("{}").to_owned(),
            info: request.params.client_info.map(str::to_owned),
        };
        let discover = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"server/discover"}}"#);
        let mut said = Said::of(self.modern_one(&caller, headers, &discover, &agent, None).await);
        let mut discovered = None;
        while let Some(raw) = said.next().await {
            if let Ok(message::Body::One(Message::Response(response))) = message::parse_upstream(&raw) {
                match response.outcome {
                    Outcome::Result(result) => discovered = Some(result.to_owned()),
                    Outcome::Error(error) => return json(legacy_status(said.status), with_id(id, "error", error)),
                }
                break;
            }
        }
        let Some(discovered) = discovered else {
            let text = "the server did not say who it is";
            return plain(&refusal::error(id, code::INTERNAL, text, 502));
        };
        let asked = request.params.protocol_version.as_deref().and_then(Revision::parse);
        let revision = asked.filter(|revision| !revision.is_modern()).unwrap_or(Revision::V2025_11_25);
        let sealed = SessionNumber::random().and_then(|number| {
            let session = Session { number, revision: Some(revision), upstream: agent.sealed() };
            self.gateway.seal().seal(&session, caller.grant.key(), caller.grant.server().id())
        });
        let Some(sealed) = sealed.and_then(|id| HeaderValue::from_str(&id).ok()) else {
            let text = "no session can be opened: the system gives no random numbers";
            return plain(&refusal::error(id, code::INTERNAL, text, 500));
        };
        let result = translate::initialize_result(&discovered, revision);
        let mut answer = json(StatusCode::OK, with_id(id, "result", &result));
        answer.headers_mut().insert(SESSION_ID, sealed);
        answer
    }

    /// One message of a legacy agent to a server of 2026-07-28.
    pub(in crate::http_front) async fn to_modern(
        &self,
        caller: Caller,
        agent: Agent,
        headers: &HeaderMap,
        message: &Message<'_>,
    ) -> Response<Body> {
        if let Some(refused) = self.refused_at_once(&caller, headers, message) {
            return refused;
        }
        let Some(number) = caller.session else {
            return plain(&json_refusal(StatusCode::BAD_REQUEST, "no session is named"));
        };
        let request = match message {
            Message::Request(request) => request,
            Message::Response(response) => return self.answered(number, response),
            Message::Notification(_) => {
                if let Some(id) = names::cancelled(message) {
                    self.gateway.translation().agents().cancelled(number, &id);
                }
                // What else a legacy agent tells belongs to a session, and the server has none.
                return empty(StatusCode::ACCEPTED);
            }
        };
        let id = request.id.raw();
        match request.kind {
            Kind::Initialize => {
                let text = "this session is open already";
                plain(&refusal::error(id, code::INVALID_REQUEST, text, 400))
            }
            Kind::Ping => json(StatusCode::OK, with_id(id, "result", "{}")),
            Kind::LoggingSetLevel | Kind::ResourcesSubscribe => self.remember(caller, number, message, request).await,
            _ if mcp::method::find(&request.method).is_some_and(|known| !known.exists_in(MODERN)) => {
                plain(&refusal::method_not_found(id, &request.method, Dialect::Legacy))
            }
            _ => {
                let cancelled = self.gateway.translation().agents().begun(number, request.id.key());
                let (front, headers, text) = (self.clone(), headers.clone(), request.raw.to_owned());
                pieces::answer(|out| async move {
                    let asking = front.ask_modern(caller, number, agent, headers, text, out);
                    match cancelled {
                        None => asking.await,
                        Some(cancelled) => tokio::select! {
                            () = asking => {}
                            // The stream to the server is closed, which is how a call is cancelled there.
                            Ok(()) = cancelled => {}
                        },
                    }
                })
                .await
            }
        }
    }

    /// Remembers what a server of 2026-07-28 is told with each request instead, if the policy allows it.
    async fn remember(
        &self,
        caller: Caller,
        number: SessionNumber,
        message: &Message<'_>,
        request: &Request<'_>,
    ) -> Response<Body> {
        let Some(upstream) = self.modern_upstream(&caller).await else {
            return plain(&refusal::error(request.id.raw(), code::INTERNAL, "the server cannot be reached", 502));
        };
        let expected = match pipeline::judge(&self.gateway, &caller, message, &*upstream).await {
            Judged::Answer(refusal) => return not_forwarded(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { expected, .. } => expected,
        };
        let mut agents = self.gateway.translation().agents();
        let kept = match (request.params.level.as_deref(), request.params.uri.as_deref()) {
            (Some(level), _) => agents.set_level(number, level),
            (None, Some(uri)) => agents.watch(number, uri, request.method == "resources/subscribe"),
            (None, None) => false,
        };
        drop(agents);
        if let Some(ticket) = expected.and_then(|mut expected| expected.ticket.take()) {
            ticket.settle(Ended::Ok, None, 0);
        }
        match kept {
            true => json(StatusCode::OK, with_id(request.id.raw(), "result", "{}")),
            false => {
                let text = match request.params.level {
                    Some(_) => {
                        "there is no such level; use debug, info, notice, warning, error, critical, alert or emergency"
                    }
                    None => "this session watches as many resources as it may (1000, each named in 8192 bytes at most)",
                };
                plain(&refusal::error(request.id.raw(), code::INVALID_PARAMS, text, 200))
            }
        }
    }

    /// An agent's answer to a question of a server, which a call is waiting for.
    fn answered(&self, number: SessionNumber, response: &message::Response<'_>) -> Response<Body> {
        let known =
            key_of(response).is_some_and(|id| self.gateway.translation().agents().answered(number, &id, response.raw));
        if known {
            return empty(StatusCode::ACCEPTED);
        }
        let text = "this answers no question that the server has asked in this session";
        plain(&refusal::error("null", code::INVALID_REQUEST, text, 400))
    }

    /// Asks a server of 2026-07-28 what a legacy agent asks, in as many rounds as it takes.
    async fn ask_modern(
        self,
        caller: Caller,
        number: SessionNumber,
        agent: Agent,
        headers: HeaderMap,
        text: String,
        out: Out,
    ) {
        let Ok(message::Body::One(Message::Request(request))) = message::parse_client(text.as_bytes()) else { return };
        let id = request.id.raw();
        let level = self.gateway.translation().agents().level(number).or_else(|| usual_level(&caller));
        let mut caller = caller;
        let mut next = text.clone();
        for rounds in 0..=MAX_ROUNDS {
            let mut said = Said::of(self.modern_one(&caller, &headers, &next, &agent, level.as_deref()).await);
            let Some(raw) = passed_on(&mut said, &out).await else {
                let text =
                    "Whether the request was carried out is not known: the server ended its answer before the result.";
                let _ = out.send(answer_of(&refusal::error(id, code::INTERNAL, text, 502))).await;
                return;
            };
            let Ok(message::Body::One(Message::Response(response))) = message::parse_upstream(&raw) else { return };
            let result = match response.outcome {
                Outcome::Result(result) => result,
                Outcome::Error(error) => {
                    let _ = out.send(Piece::Answer(legacy_status(said.status), with_id(id, "error", error))).await;
                    return;
                }
            };
            let read = mcp::result::call(result).unwrap_or_default();
            if read.result_type.as_deref() != Some("input_required") {
                let text = with_id(id, "result", &translate::legacy_result(result));
                let _ = out.send(Piece::Answer(StatusCode::OK, text)).await;
                return;
            }
            if rounds == MAX_ROUNDS {
                break;
            }
            let state = mcp::json::locate(result, &["requestState"]).ok().flatten().map(|state| state.of(result));
            let answers = match read.input_requests {
                None => None,
                Some(asked) => match self.ask_agent(number, &agent, asked, &out).await {
                    Ok(answers) => Some(answers),
                    Err(why) => {
                        let _ = out.send(answer_of(&refusal::error(id, code::INTERNAL, &why, 200))).await;
                        return;
                    }
                },
            };
            drop(said);
            let new_id = mcp::json::quote(&own_id());
            let Some(round) = translate::call_with_input(&request, &new_id, answers.as_deref(), state) else { return };
            next = round;
            caller.continues = true;
        }
        let text =
            format!("The server has asked {MAX_ROUNDS} times in one call, which is the most; the call was ended.");
        let _ = out.send(answer_of(&refusal::error(id, code::DENIED, &text, 200))).await;
    }

    /// Asks the agent what a server wants to know, and gives its answers as `inputResponses`.
    async fn ask_agent(&self, number: SessionNumber, agent: &Agent, asked: &str, out: &Out) -> Result<String, String> {
        let questions = translate::questions(asked).ok_or("The server's questions cannot be read.")?;
        if let Some((_, question)) =
            questions.iter().find(|(_, question)| !translate::can_be_asked(&agent.capabilities, question))
        {
            return Err(format!(
                "The server asked for `{}`, which this agent has not declared that it can answer; the call was ended.",
                question.method
            ));
        }
        let mut open = Vec::new();
        for (key, question) in questions {
            let id = mcp::json::quote(&own_id());
            let Some(id_key) = names::key(&id) else { continue };
            let answer = self.gateway.translation().agents().ask(number, id_key.clone());
            let answer = answer.ok_or("Too many questions are open in this session.")?;
            let params = question.params.as_ref().map(|params| format!(",\"params\":{params}")).unwrap_or_default();
            let method = mcp::json::quote(&question.method);
            let _ = out.send(Piece::Aside(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method}{params}}}"#))).await;
            open.push((key, question.method, id_key, answer));
        }
        let mut answers = Vec::new();
        for (key, method, id, answer) in open {
            let answer = tokio::time::timeout(super::PATIENCE, answer).await;
            let Ok(Ok(answer)) = answer else {
                self.gateway.translation().agents().forget_question(number, &id);
                return Err(format!(
                    "The server asked for `{method}`, and no answer came in time; the call was ended."
                ));
            };
            let Ok(message::Body::One(Message::Response(response))) = message::parse_client(&answer) else {
                return Err(format!("The answer to `{method}` cannot be read."));
            };
            let answer = translate::input_response(&method, response.outcome)
                .map_err(|why| format!("The server asked for `{method}`, which was refused: {why}"))?;
            answers.push(format!("{}:{answer}", mcp::json::quote(&key)));
        }
        Ok(format!("{{{}}}", answers.join(",")))
    }

    /// A legacy request on its way to a server of 2026-07-28, with the headers that repeat its body.
    pub(super) async fn modern_one(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        text: &str,
        agent: &Agent,
        level: Option<&str>,
    ) -> Response<Body> {
        let caller = Caller { revision: Some(MODERN), ..caller.clone() };
        let unreadable =
            || plain(&json_refusal(StatusCode::INTERNAL_SERVER_ERROR, "the message cannot be put in the server's era"));
        let Ok(message::Body::One(Message::Request(request))) = message::parse_client(text.as_bytes()) else {
            return unreadable();
        };
        let edited = translate::modern_request(&request, &agent.capabilities, agent.info.as_deref(), level);
        let Some(body) = edited.map(Bytes::from) else { return unreadable() };
        let Ok(message::Body::One(message)) = message::parse_client(&body) else { return unreadable() };
        let Message::Request(request) = &message else { return unreadable() };
        let headers = self.repeated(&caller, headers, request).await;
        Box::pin(self.one((caller, None), &headers, &body, &message)).await
    }

    /// The headers that repeat a request's body.
    pub(in crate::http_front) async fn repeated(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        request: &Request<'_>,
    ) -> HeaderMap {
        let mut repeated = super::to_legacy::onward(headers);
        repeated.extend(repeating(mcp::header::write(request)));
        if request.kind == Kind::ToolsCall
            && let Some(upstream) = self.modern_upstream(caller).await
            && let Ok(list) = caller.grant.server().tools.get(&*upstream).await
            && let Some(tool) = request.params.name.as_deref().and_then(|name| list.get(name))
        {
            let params = mcp::header::write_params(&tool.header_params, request.params.arguments).unwrap_or_default();
            repeated.extend(repeating(params));
        }
        repeated
    }

    /// The way on which the gateway asks a server of 2026-07-28 for its tools.
    async fn modern_upstream(&self, caller: &Caller) -> Option<Box<dyn AskForTools>> {
        let caller = Caller { revision: Some(MODERN), ..caller.clone() };
        match &caller.grant.server().config.reach {
            Reach::Http(endpoint) | Reach::Sse(endpoint) => Some(Box::new(self.link(&caller, None, endpoint.clone()))),
            Reach::Child(_) => {
                let bridge = Box::pin(self.modern_child(&caller)).await.ok()??;
                Some(Box::new(Arc::clone(&bridge.link)))
            }
        }
    }
}

/// Headers of these names and values, save those that none can be.
pub(in crate::http_front) fn repeating<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> HeaderMap
where
    N: AsRef<[u8]>,
    V: AsRef<str>,
{
    let header = |(name, value): (N, V)| {
        Some((HeaderName::from_bytes(name.as_ref()).ok()?, HeaderValue::from_str(value.as_ref()).ok()?))
    };
    pairs.into_iter().filter_map(header).collect()
}

/// Passes on what comes before the answer, and gives the answer.
async fn passed_on(said: &mut Said, out: &Out) -> Option<Bytes> {
    loop {
        let raw = said.next().await?;
        match message::parse_upstream(&raw) {
            Ok(message::Body::One(Message::Response(_))) => return Some(raw),
            Ok(message::Body::One(Message::Notification(notification))) => {
                let _ = out.send(Piece::Aside(translate::legacy_notification(notification.raw))).await;
            }
            // A server of 2026-07-28 asks nothing on the wire.
            _ => {}
        }
    }
}

/// Servers of the older eras send log messages unless they are told not to; those of 2026-07-28 only if they are told to.
fn usual_level(caller: &Caller) -> Option<String> {
    let policy = caller.grant.binding.policy.as_ref()?.now();
    policy.policy.logging_allowed().then(|| "info".to_owned())
}

/// The status of an answer in the older era, where errors are answers like others.
fn legacy_status(status: StatusCode) -> StatusCode {
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS { status } else { StatusCode::OK }
}
