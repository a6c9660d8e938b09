//! One server of a stack, as it is spoken to on behalf of one request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use mcp::message::{self, Message};
use mcp::revision::Revision;

use super::pieces::{Answer, answer_in};
use super::{At, Spoken};
use crate::body::Body;
use crate::caller::Caller;
use crate::http_front::admit::Sender;
use crate::http_front::{Front, plain};
use crate::http_link::{LAST_EVENT_ID, METHOD, NAME, PROTOCOL_VERSION, SESSION_ID, own_id};
use crate::names;
use crate::refusal;
use crate::seal::Session;
use crate::stack::Member;

/// How long a server may take to answer what the agent has not asked it itself, such as for its list.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long what one server's part of a session is known by may be: all parts stand in one header of the agent.
const LONGEST_SESSION: usize = 1024;

/// What stands before the revision of a session of a server that knows none.
const SESSIONLESS: char = '=';

/// One server, spoken to in one conversation.
pub(super) struct Voice<'a> {
    front: &'a Front,
    at: &'a At,
    pub(super) member: &'a Member,
    caller: Caller,
    session: Option<Session>,
}

/// Why a server could not be asked, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unasked {
    /// The code of its error, if it answered with one.
    pub(super) code: Option<i64>,
    /// What it said, or what went wrong.
    pub(super) reason: String,
    /// Whether it has taken as long as it may.
    pub(super) slow: bool,
}

impl Unasked {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self { code: None, reason: reason.into(), slow: false }
    }

    pub(super) fn answered(code: i64, reason: String) -> Self {
        Self { code: Some(code), reason, slow: false }
    }

    pub(super) fn late(reason: String) -> Self {
        Self { code: None, reason, slow: true }
    }

    /// Whether the server does not have what it was asked for.
    pub(super) fn is_unknown_method(&self) -> bool {
        self.code == Some(i64::from(refusal::code::METHOD_NOT_FOUND))
    }
}

impl Front {
    /// A server, in the conversation that the agent's request belongs to; `None` where none is open.
    pub(super) fn open_voice<'a>(&'a self, at: &'a At, member: usize) -> Option<Voice<'a>> {
        let of = at.stack.members().get(member)?;
        let session = match &at.spoken {
            Spoken::Modern(_) => return Some(self.stateless(at, of)),
            Spoken::Opening(_) => return None,
            Spoken::Legacy(session) => session,
        };
        let reopened = at.conversation().and_then(|known| self.gateway.sessions().reopened(&known, of.id()));
        let known = reopened.as_deref().or_else(|| session.of.get(of.id()).map(String::as_str))?;
        self.in_session(at, of, known)
    }

    /// All servers that a conversation is open with.
    pub(super) fn open_voices<'a>(&'a self, at: &'a At) -> Vec<(usize, Voice<'a>)> {
        let all = 0..at.stack.members().len();
        all.filter_map(|member| Some((member, self.open_voice(at, member)?))).collect()
    }

    /// A server, in a conversation that is opened if need be.
    pub(super) async fn voice<'a>(&'a self, at: &'a At, member: usize) -> Result<Voice<'a>, Unasked> {
        if let Some(voice) = self.open_voice(at, member) {
            return Ok(voice);
        }
        let of = at.stack.members().get(member).ok_or_else(|| Unasked::because("there is no such server"))?;
        let conversation = at.conversation().ok_or_else(|| Unasked::because("there is no session"))?;
        // It was away when the session began, or has ended its part of it since: opened without the abilities that the
        // agent declared then, so that it asks nothing of it.
        let revision = at.revision().unwrap_or(Revision::V2025_11_25);
        let params = format!(
            r#"{{"protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"toolgate","version":"{}"}}}}"#,
            revision.as_str(),
            env!("CARGO_PKG_VERSION")
        );
        let opened = tokio::time::timeout(PATIENCE, self.open_member(at, of, &params)).await;
        let (known, _) = opened.map_err(|_| late(of))??;
        self.gateway.sessions().reopen(&conversation, of.id(), known.clone());
        let voice = self.in_session(at, of, &known).ok_or_else(|| Unasked::because("its session cannot be read"))?;
        voice.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        Ok(voice)
    }

    /// Opens a session with a server: what it is known by from now on, and the server's `result`.
    pub(super) async fn open_member(
        &self,
        at: &At,
        member: &Member,
        params: &str,
    ) -> Result<(String, String), Unasked> {
        let voice = self.stateless(at, member);
        let id = own_id();
        let text = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"initialize","params":{params}}}"#);
        let response = voice.send(&text).await;
        let session = response.headers().get(&SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let result = match answer_in(response, &id).await? {
            Answer::Result(result) => result,
            Answer::Error { code, message } => return Err(Unasked::answered(code, message)),
        };
        let known = session.unwrap_or_else(|| {
            let revision = mcp::json::locate(&result, &["protocolVersion"]).ok().flatten();
            let revision = revision.and_then(|span| mcp::json::unquote(span.of(&result)));
            format!("{SESSIONLESS}{}", revision.unwrap_or_default())
        });
        if known.len() > LONGEST_SESSION {
            return Err(Unasked::because("the id that it gives its sessions is too long to be one part of several"));
        }
        Ok((known, result))
    }

    /// A server without any session: before one is opened, or in the era that has none.
    fn stateless<'a>(&'a self, at: &'a At, member: &'a Member) -> Voice<'a> {
        let revision = match &at.spoken {
            Spoken::Modern(revision) => *revision,
            Spoken::Opening(_) | Spoken::Legacy(_) => None,
        };
        Voice { front: self, at, member, caller: caller(at, member, revision), session: None }
    }

    fn in_session<'a>(&'a self, at: &'a At, member: &'a Member, known: &str) -> Option<Voice<'a>> {
        if let Some(revision) = known.strip_prefix(SESSIONLESS) {
            let caller = caller(at, member, Revision::parse(revision));
            return Some(Voice { front: self, at, member, caller, session: None });
        }
        let session = self.gateway.seal().open(known, member.grant.key(), member.id())?;
        if self.gateway.sessions().has_ended(session.number) {
            return None;
        }
        let caller = Caller { session: Some(session.number), ..caller(at, member, session.revision) };
        Some(Voice { front: self, at, member, caller, session: Some(session) })
    }
}

fn caller(at: &At, member: &Member, revision: Option<Revision>) -> Caller {
    let Sender { token, client_ip } = at.sender;
    let grant = Arc::clone(&member.grant);
    let stack = match &at.spoken {
        Spoken::Legacy(session) => Some(session.number),
        Spoken::Modern(_) | Spoken::Opening(_) => None,
    };
    Caller { grant, token, session: None, stack, revision, client_ip: Some(client_ip), trace: None, continues: false }
}

fn late(member: &Member) -> Unasked {
    Unasked::late(format!("server {} did not answer within {} s", member.id(), PATIENCE.as_secs()))
}

impl Voice<'_> {
    /// Says one message to the server, as if the agent had said it there, and gives the answer as it comes.
    pub(super) async fn send(&self, text: &str) -> Response<Body> {
        self.send_with(text, Vec::new()).await
    }

    /// The same, with headers that mirror arguments.
    pub(super) async fn send_with(&self, text: &str, params: Vec<(String, String)>) -> Response<Body> {
        let body = Bytes::copy_from_slice(text.as_bytes());
        let message = match message::parse_client(&body) {
            Ok(message::Body::One(message)) => message,
            _ => {
                let text = "the message cannot be put as this server needs it";
                return plain(&refusal::error("null", refusal::code::INTERNAL, text, 500));
            }
        };
        let headers = self.headers(&message, params);
        let asked = self.front.converse((self.caller.clone(), self.session.clone()), &headers, &body, &message);
        let answer = asked.boxed().await;
        if answer.status() == StatusCode::NOT_FOUND && self.session.is_some() {
            return self.session_lost(&message);
        }
        answer
    }

    /// Its part of the session is over; that of the other servers is not.
    fn session_lost(&self, message: &Message<'_>) -> Response<Body> {
        if let Some(conversation) = self.at.conversation() {
            self.front.gateway.sessions().reopen(&conversation, self.member.id(), String::new());
        }
        let text = format!(
            "server {} has ended its part of this session, so this was not done; send it again, and a new one is opened",
            self.member.id()
        );
        let id = names::raw_id(message).unwrap_or("null");
        plain(&refusal::error(id, refusal::code::INTERNAL, &text, 200))
    }

    /// Asks something of the gateway's own and gives the raw `result`.
    pub(super) async fn ask(&self, method: &str, params: Option<&str>) -> Result<String, Unasked> {
        let id = own_id();
        let params = params.unwrap_or("{}");
        let text = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#);
        let answered = async {
            match answer_in(self.send(&text).await, &id).await? {
                Answer::Result(result) => Ok(result),
                Answer::Error { code, message } => Err(Unasked::answered(code, message)),
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| late(self.member))?
    }

    /// The revision that is spoken with it, if it is stateless.
    pub(super) fn modern(&self) -> Option<Revision> {
        self.caller.revision.filter(|revision| revision.is_modern())
    }

    /// The stream on which it speaks unasked.
    pub(super) async fn listen(&self, last: Option<&HeaderValue>) -> Response<Body> {
        self.front.listen(self.caller.clone(), self.session.clone(), last).boxed().await
    }

    /// Ends the session with it.
    pub(super) async fn leave(&self) {
        if self.session.is_some() {
            self.front.leave(self.caller.clone(), self.session.clone()).boxed().await;
        }
    }

    /// The headers of a message: the agent's, and what repeats the body as it is now.
    fn headers(&self, message: &Message<'_>, params: Vec<(String, String)>) -> HeaderMap {
        let mut headers = self.at.headers.clone();
        for name in [SESSION_ID, PROTOCOL_VERSION, METHOD, NAME, LAST_EVENT_ID, CONTENT_LENGTH] {
            headers.remove(name);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if self.modern().is_none() {
            return headers;
        }
        let standard = match message {
            Message::Request(request) => mcp::header::write(request),
            Message::Notification(_) | Message::Response(_) => Vec::new(),
        };
        let standard = standard.into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in standard.chain(params) {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
                headers.insert(name, value);
            }
        }
        headers
    }
}
