//! The endpoint of a stack: several servers behind one address.
//!
//! To the agent this is a server of either era. To each server it is an agent: whatever is asked of one goes through
//! [`Front::converse`], as if the agent had asked that server itself, and is judged, limited and recorded there.

mod listening;
mod lists;
mod opening;
mod pieces;
mod route;
mod search;
mod tasks;
mod voice;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use mcp::message::{self, Message, Notification, Request};
use mcp::method::Kind;
use mcp::qualified;
use mcp::revision::Revision;

use super::admit::Sender;
use super::post::is_gone;
use super::stream::not_allowed;
use super::{Front, empty, json, json_refusal, plain};
use crate::body::Body;
use crate::caller::{Caller, Dialect};
use crate::names;
use crate::refusal::{self, Refusal};
use crate::seal::{Session, SessionNumber};
use crate::sessions::Conversation;
use crate::stack::Stack;

/// What stands in the place of a server in the seal of a stack's session: no server is called so.
const SEALED_FOR: &str = "+";

/// One request to a stack: whose it is, and in which era.
pub(super) struct At {
    pub(super) stack: Arc<Stack>,
    sender: Sender,
    headers: HeaderMap,
    spoken: Spoken,
}

/// The era in which a stack is spoken to, and with it each of its servers.
enum Spoken {
    Modern(Option<Revision>),
    /// Before there is a session.
    Opening(Option<Revision>),
    Legacy(InSession),
}

/// A session with a stack.
struct InSession {
    number: SessionNumber,
    revision: Option<Revision>,
    /// The sessions that it consists of, by server: see [`voice`].
    of: HashMap<String, String>,
}

impl At {
    fn dialect(&self) -> Dialect {
        match self.spoken {
            Spoken::Modern(_) => Dialect::Modern,
            Spoken::Opening(_) | Spoken::Legacy(_) => Dialect::Legacy,
        }
    }

    /// The revision that is spoken with the agent.
    fn revision(&self) -> Option<Revision> {
        match &self.spoken {
            Spoken::Modern(revision) | Spoken::Opening(revision) => *revision,
            Spoken::Legacy(session) => session.revision,
        }
    }

    fn conversation(&self) -> Option<Conversation> {
        match &self.spoken {
            Spoken::Legacy(session) => Some(Conversation::Session(session.number)),
            Spoken::Modern(_) | Spoken::Opening(_) => None,
        }
    }

    /// The agent as it is known at its first server that is not stopped, for what concerns no server alone.
    fn caller(&self) -> Option<Caller> {
        let members = self.stack.members();
        let going = members.iter().find(|member| member.grant.stopped().is_none());
        let grant = Arc::clone(&going.or(members.first())?.grant);
        let session = match &self.spoken {
            Spoken::Legacy(session) => Some(session.number),
            Spoken::Modern(_) | Spoken::Opening(_) => None,
        };
        let Sender { token, client_ip } = self.sender;
        Some(Caller {
            grant,
            token,
            session,
            stack: None,
            revision: self.revision(),
            client_ip: Some(client_ip),
            trace: None,
            continues: false,
        })
    }
}

impl Front {
    /// Answers a POST.
    pub(super) async fn post_to_stack(
        &self,
        stack: Arc<Stack>,
        sender: Sender,
        headers: &HeaderMap,
        body: &message::Body<'_>,
    ) -> Response<Body> {
        match body {
            message::Body::One(message) => match self.at(stack, sender, headers, Some(message)) {
                Ok(at) => self.said_to_stack(&at, message).await,
                Err(refusal) => plain(&refusal),
            },
            message::Body::Batch(messages) => match self.at(stack, sender, headers, None) {
                Ok(at) => self.batch_to_stack(&at, messages).await,
                Err(refusal) => plain(&refusal),
            },
        }
    }

    /// Ends a session with a stack, and so those with its servers.
    pub(super) async fn leave_stack(&self, stack: Arc<Stack>, sender: Sender, headers: &HeaderMap) -> Response<Body> {
        let at = match self.at(stack, sender, headers, None) {
            Ok(at) => at,
            Err(refusal) => return plain(&refusal),
        };
        let Some(conversation) = at.conversation() else {
            return match at.spoken {
                Spoken::Modern(_) => not_allowed(),
                _ => plain(&json_refusal(StatusCode::BAD_REQUEST, "DELETE ends a session, and none is named")),
            };
        };
        let voices = self.open_voices(&at);
        join_all(voices.iter().map(|(_, voice)| voice.leave())).await;
        self.gateway.sessions().ended(&conversation);
        empty(StatusCode::OK)
    }

    /// Whose request it is, and in which era.
    fn at(
        &self,
        stack: Arc<Stack>,
        sender: Sender,
        headers: &HeaderMap,
        message: Option<&Message<'_>>,
    ) -> Result<At, Refusal> {
        let spoken = self.spoken(headers, message)?;
        let at = |spoken| At { stack: Arc::clone(&stack), sender, headers: headers.clone(), spoken };
        if spoken.modern {
            return Ok(at(Spoken::Modern(spoken.named)));
        }
        if message.is_some_and(|message| names::method(message) == Some("initialize")) {
            return Ok(at(Spoken::Opening(None)));
        }
        let Some(session) = self.session(stack.key(), SEALED_FOR, headers, message)? else {
            let id = message.and_then(names::raw_id).unwrap_or("null");
            let text = "no session is named; start with initialize";
            return Err(refusal::error(id, refusal::code::INVALID_REQUEST, text, 400));
        };
        let of = serde_json::from_str(&session.upstream).unwrap_or_default();
        let Session { number, revision, .. } = session;
        Ok(at(Spoken::Legacy(InSession { number, revision, of })))
    }

    async fn batch_to_stack(&self, at: &At, messages: &[Message<'_>]) -> Response<Body> {
        let agreed =
            matches!(&at.spoken, Spoken::Legacy(session) if session.revision.is_some_and(Revision::allows_batch));
        let one_by_one = |message| self.said_to_stack(at, message);
        self.each_of_batch(agreed, messages, one_by_one).await
    }

    /// Answers one message.
    async fn said_to_stack(&self, at: &At, message: &Message<'_>) -> Response<Body> {
        match message {
            Message::Request(request) => self.asked_of_stack(at, request).await,
            Message::Notification(notification) => self.told_to_stack(at, notification).await,
            Message::Response(response) => {
                let theirs = response.id.as_ref().and_then(|id| pieces::unqualified(&id.key()));
                let place = theirs.as_ref().and_then(|(server, _)| at.stack.place(server));
                let (Some((_, raw)), Some(member), Some(span)) = (&theirs, place, response.id_span) else {
                    let text = "this answers no question that a server has asked in this session";
                    return plain(&refusal::error("null", refusal::code::INVALID_REQUEST, text, 400));
                };
                let Some(text) = message::splice(response.raw, &[(span.range(), raw)]) else {
                    return plain(&json_refusal(StatusCode::BAD_REQUEST, "the answer's id cannot be read"));
                };
                match self.open_voice(at, member) {
                    Some(voice) => voice.send(&text).await,
                    None => empty(StatusCode::ACCEPTED),
                }
            }
        }
    }

    async fn asked_of_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        if let Some(revision) = at.revision()
            && is_gone(&request.method, revision)
        {
            return plain(&refusal::method_not_found(id, &request.method, at.dialect()));
        }
        let given = at.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        if let Err(mismatch) = mcp::header::check(request, given) {
            return plain(&refusal::error(id, refusal::code::HEADER_MISMATCH, &mismatch.message, 400));
        }
        let params = &request.params;
        if matches!(at.spoken, Spoken::Modern(_))
            && (params.meta_protocol_version.is_none() || params.meta_client_capabilities.is_none())
        {
            let text = "a request of 2026-07-28 names its protocolVersion and clientCapabilities in _meta";
            return plain(&refusal::error(id, refusal::code::INVALID_PARAMS, text, 400));
        }
        match request.kind {
            Kind::Initialize => self.open_stack(at, request).await,
            Kind::Discover => self.discover_stack(at, request).await,
            Kind::Ping => json(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)),
            Kind::ToolsList | Kind::PromptsList | Kind::ResourcesList | Kind::TemplatesList => {
                self.list_of_stack(at, request).await
            }
            Kind::ToolsCall | Kind::PromptsGet | Kind::ResourcesRead | Kind::ResourcesSubscribe | Kind::Completion => {
                self.to_one_of(at, request).await
            }
            Kind::Tasks => self.task_of_stack(at, request).await,
            Kind::LoggingSetLevel => self.everywhere(at, request).await,
            Kind::SubscriptionsListen => self.subscribe_to_stack(at, request).await,
            _ => {
                if let Some(caller) = at.caller() {
                    self.gateway.count_refused("method that no stack has", &caller);
                }
                plain(&refusal::method_not_found(id, &request.method, at.dialect()))
            }
        }
    }

    /// A notification: to the server that it means, or to all.
    async fn told_to_stack(&self, at: &At, notification: &Notification<'_>) -> Response<Body> {
        let given = at.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        if let Err(mismatch) = mcp::header::check_notification(notification, given) {
            return plain(&refusal::error("null", refusal::code::HEADER_MISMATCH, &mismatch.message, 400));
        }
        if at.conversation().is_none() {
            // Without a session there is nothing that a notification could be about.
            return empty(StatusCode::ACCEPTED);
        }
        let token = notification.params.progress_token.and_then(names::key);
        if notification.kind == Kind::Progress {
            // It tells of the agent's work at a question, under a token that one server has given.
            let theirs = token.as_ref().and_then(pieces::unqualified);
            if let Some((server, raw)) = theirs
                && let Some(voice) = at.stack.place(&server).and_then(|member| self.open_voice(at, member))
                && let Some(span) = notification.params.spans.progress_token
                && let Some(text) = message::splice(notification.raw, &[(span.range(), &raw)])
            {
                voice.send(&text).await;
            }
            return empty(StatusCode::ACCEPTED);
        }
        let voices = self.open_voices(at);
        join_all(voices.iter().map(|(_, voice)| voice.send(notification.raw))).await;
        empty(StatusCode::ACCEPTED)
    }

    /// What is said to every server, such as the level of logging. The agent hears of success if any server has any.
    async fn everywhere(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let voices = self.open_voices(at);
        let answers = join_all(voices.iter().map(|(_, voice)| voice.ask(&request.method, request.params.raw))).await;
        let id = request.id.raw();
        match answers.into_iter().find_map(Result::ok) {
            Some(result) => json(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)),
            None => plain(&refusal::method_not_found(id, &request.method, at.dialect())),
        }
    }
}

/// The name that a server of a stack has for something, as it is shown: for messages.
fn of_server(server: &str, own: &str) -> String {
    qualified::name(server, own)
}
