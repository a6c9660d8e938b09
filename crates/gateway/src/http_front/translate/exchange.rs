//! A request that is open at a legacy server on behalf of an agent of 2026-07-28.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use mcp::message::{self, Message, Outcome, Request};
use mcp::method::Kind;
use mcp::translate::{self, Question};

use super::held::{Lease, Pool};
use super::pieces::{Out, Piece};
use super::rounds::Waiting;
use super::to_legacy::{PURPOSE, TTL, able, answer_of, with_id};
use crate::caller::{Caller, Dialect};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::http_front::Front;
use crate::http_front::said::Said;
use crate::http_link::HttpLink;
use crate::names;
use crate::refusal::{self, code};
use crate::seal::SessionNumber;
use crate::ticket::Ended;

/// The levels of log messages, least first.
pub(super) const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// How a server hears that nobody waits for an answer any more.
pub(super) enum Canceller {
    Http(Box<HttpLink>),
    Child(Option<Arc<crate::child_link::ChildLink>>),
}

/// What an agent's request is known by.
pub(super) struct Theirs {
    id: String,
    token: Option<String>,
    kind: Kind,
    level: Option<usize>,
    /// What the agent declares that it can be asked.
    able: String,
}

impl Theirs {
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self {
            id: request.id.raw().to_owned(),
            token: request.params.progress_token.map(str::to_owned),
            kind: request.kind,
            level: request.params.meta_log_level.as_deref().and_then(severity),
            able: able(request),
        }
    }
}

/// A request that is open at a legacy server. Dropped before its answer, it is cancelled there.
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) caller: Caller,
    pub(super) cancels: Canceller,
    pub(super) pool: Arc<Pool>,
    pub(super) lease: Lease,
    pub(super) said: Option<Said>,
    pub(super) ours: String,
    pub(super) theirs: Theirs,
    pub(super) call: String,
    pub(super) rounds: u8,
    /// The record of the round that goes on with it.
    pub(super) judged: Option<Expected>,
    pub(super) done: bool,
}

impl Exchange {
    /// Passes on what the server says until it has answered, or asks the agent something.
    pub(super) async fn run(mut self, front: Front, headers: HeaderMap, out: Out) {
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
                    if !translate::can_be_asked(&self.theirs.able, &question) {
                        // No agent declared that it could answer, so the answer is that of one that does not know the method.
                        let refused = refusal::method_not_found(&id, &question.method, Dialect::Legacy).body;
                        front.say(&self.caller, &self.lease.held, &headers, refused).await;
                        continue;
                    }
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
    pub(super) fn settle(&mut self, outcome: Option<&Outcome<'_>>, bytes: usize) {
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
        let sealed = SessionNumber::random().and_then(|number| {
            let state = [gateway.replica().0, number.0].concat();
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

fn severity(level: &str) -> Option<usize> {
    LEVELS.iter().position(|known| *known == level)
}

/// The status that goes with an error in 2026-07-28; what stopped a message on its way keeps its own.
pub(super) fn status_of(status: StatusCode, error: &str) -> StatusCode {
    let code = mcp::json::locate(error, &["code"]).ok().flatten().map(|code| code.of(error)).unwrap_or_default();
    let known = refusal::modern_status(code).and_then(|known| StatusCode::from_u16(known).ok());
    // The older era gives its own to sessions and answers of any code; what could not be read is so in both.
    let unread = [code::PARSE, code::INVALID_REQUEST].iter().any(|unread| code == unread.to_string())
        && [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE].contains(&status);
    match known {
        Some(known) => known,
        None if unread || status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => status,
        None => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a legacy server or the way to it has answered, and what a stateless agent is told.
    #[test]
    fn statuses_of_translated_errors() {
        for (status, code, expected) in [
            (200, "-32601", 404),
            (404, "-32601", 404),
            (200, "-32020", 400),
            (200, "-32021", 400),
            (400, "-32021", 400),
            (200, "-32022", 400),
            (200, "-32602", 200),
            (400, "-32602", 200),
            (200, "-32600", 200),
            (400, "-32600", 400),
            (400, "-32700", 400),
            (413, "-32600", 413),
            (404, "-32600", 200),
            (400, "-32000", 200),
            (200, "4030", 200),
            (503, "4030", 503),
            (429, "-32603", 429),
            (502, "-32603", 502),
            (504, "-32603", 504),
            (500, "-32603", 500),
            (200, "\"no number\"", 200),
        ] {
            let error = format!(r#"{{"code":{code},"message":"m"}}"#);
            let told = status_of(StatusCode::from_u16(status).unwrap(), &error);
            assert_eq!(told.as_u16(), expected, "{status} {code}");
        }
    }
}
