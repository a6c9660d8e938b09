//! What a server of a stack answers, read and put into the names of the stack.

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use mcp::json;
use mcp::message::{Body as Parsed, Id, IdKey, Message, Outcome, parse_upstream, splice};
use mcp::method::Kind as Method;
use mcp::qualified;

use super::voice::Unasked;
use crate::body::{Body, collect};
use crate::events::{Event, EventReader, MAX_EVENT, encode, streams};
use crate::stack::{Kind, Stack};

/// What stands between a server and its own id, token or event.
const BETWEEN: char = '|';

/// An answer to a question of the gateway's own.
pub(super) enum Answer {
    Result(String),
    Error { code: i64, message: String },
}

/// The answer to the gateway's own request `id`.
pub(super) async fn answer_in(response: Response<Body>, id: &str) -> Result<Answer, Unasked> {
    let status = response.status();
    if !streams(response.headers()) {
        let body = collect(response.into_body(), MAX_EVENT, None).await;
        let body = body.map_err(|fault| Unasked::because(fault.to_string()))?;
        return read(&body, id).ok_or_else(|| Unasked::because(format!("the server answered with HTTP {status}")));
    }
    let mut events = EventReader::new(response.into_body(), None);
    while let Ok(Some(event)) = events.next().await {
        if let Some(answer) = event.message.as_deref().and_then(|message| read(message, id)) {
            return Ok(answer);
        }
    }
    Err(Unasked::because("the server ended its answer before the result"))
}

fn read(message: &[u8], id: &str) -> Option<Answer> {
    let Ok(Parsed::One(Message::Response(response))) = parse_upstream(message) else { return None };
    if response.id.as_ref().is_some_and(|theirs| theirs.key() != IdKey::String(id.into())) {
        return None;
    }
    Some(match response.outcome {
        Outcome::Result(result) => Answer::Result(result.to_owned()),
        Outcome::Error(error) => Answer::Error {
            code: crate::relay::error_code(error).and_then(|code| code.parse().ok()).unwrap_or_default(),
            message: crate::relay::error_message(error)
                .unwrap_or_else(|| "the server answered with an error".to_owned()),
        },
    })
}

/// How the words of one server are put for the agent.
#[derive(Debug, Clone)]
pub(super) struct Rename {
    /// The server.
    pub(super) server: String,
    /// Whether its resources are known by names of the stack.
    pub(super) uris: bool,
    /// Whether its questions and events need the server beside them: in the era that has sessions.
    pub(super) ids: bool,
}

impl Rename {
    /// A message of the server as the agent reads it; `None` where nothing is to be changed.
    pub(super) fn message(&self, raw: &str) -> Option<String> {
        let asked = if self.ids { self.question(raw).or_else(|| self.taken_back(raw)) } else { None };
        let text = asked.as_deref().unwrap_or(raw);
        let renamed = if self.uris { qualified::qualify_uris(text, &self.server).ok().flatten() } else { None };
        renamed.or(asked)
    }

    /// A question of the server, whose id is one of many servers' now.
    fn question(&self, raw: &str) -> Option<String> {
        let Ok(Parsed::One(Message::Request(request))) = parse_upstream(raw.as_bytes()) else { return None };
        let id = qualified_id(&self.server, request.id.raw());
        let token = request.params.progress_token.map(|token| qualified_id(&self.server, token));
        let mut changes = vec![(request.id_span.range(), id.as_str())];
        if let (Some(span), Some(token)) = (request.params.spans.progress_token, &token) {
            changes.push((span.range(), token));
        }
        splice(request.raw, &changes)
    }

    /// A question that the server takes back.
    fn taken_back(&self, raw: &str) -> Option<String> {
        let Ok(Parsed::One(Message::Notification(told))) = parse_upstream(raw.as_bytes()) else { return None };
        let (id, span) = (told.params.request_id?, told.params.spans.request_id?);
        let id = (told.kind == Method::Cancelled).then(|| qualified_id(&self.server, id))?;
        splice(told.raw, &[(span.range(), &id)])
    }

    /// The id of an event.
    fn event_id(&self, id: &[u8]) -> Vec<u8> {
        if id.is_empty() || !self.ids {
            return id.to_vec();
        }
        let mut named = self.server.as_bytes().to_vec();
        named.push(b'|');
        named.extend_from_slice(id);
        named
    }

    /// An event as the agent reads it.
    pub(super) fn event(&self, event: Event) -> Bytes {
        let text = event.message.as_deref().and_then(|message| std::str::from_utf8(message).ok());
        let renamed = text.and_then(|text| self.message(text));
        let id = event.id.as_deref().map(|id| self.event_id(id));
        match (renamed, id) {
            (Some(text), id) => encode(id.as_deref(), &text),
            (None, Some(id)) if self.ids => mcp::sse::with_id(&event.raw, &id).into(),
            (None, _) => event.raw,
        }
    }

    /// A whole answer as the agent reads it.
    pub(super) async fn answer(self, stack: std::sync::Arc<Stack>, response: Response<Body>) -> Response<Body> {
        if !self.uris && !self.ids {
            return response;
        }
        let streamed = streams(response.headers());
        let (mut head, body) = response.into_parts();
        if streamed {
            let state = (EventReader::new(body, None), self, stack);
            let renamed = stream::unfold(state, |(mut events, rename, stack)| async move {
                let event = events.next().await.ok()??;
                notice(&stack, &event);
                let bytes = rename.event(event);
                Some((bytes, (events, rename, stack)))
            });
            return Response::from_parts(head, Body::Stream(Box::pin(renamed)));
        }
        let Ok(bytes) = collect(body, MAX_EVENT, None).await else { return Response::from_parts(head, Body::empty()) };
        let renamed = std::str::from_utf8(&bytes).ok().and_then(|text| self.message(text));
        head.headers.remove(http::header::CONTENT_LENGTH);
        let body = renamed.map_or_else(|| Body::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())), Body::whole);
        Response::from_parts(head, body)
    }
}

/// A list that has changed is put together anew.
pub(super) fn notice(stack: &Stack, event: &Event) {
    let Some(message) = &event.message else { return };
    let Ok(Parsed::One(Message::Notification(told))) = parse_upstream(message) else { return };
    match &*told.method {
        "notifications/tools/list_changed" => stack.forget(Kind::Tools),
        "notifications/prompts/list_changed" => stack.forget(Kind::Prompts),
        "notifications/resources/list_changed" => {
            stack.forget(Kind::Resources);
            stack.forget(Kind::Templates);
        }
        _ => {}
    }
}

/// An id or token of one server as it is among those of several: a JSON string.
fn qualified_id(server: &str, raw: &str) -> String {
    json::quote(&format!("{server}{BETWEEN}{raw}"))
}

/// The server that an id or token of a stack belongs to, and the raw one that it has there.
pub(super) fn unqualified(id: &IdKey) -> Option<(String, String)> {
    let IdKey::String(text) = id else { return None };
    let (server, raw) = text.split_once(BETWEEN)?;
    // The agent could write anything there: it must be an id as the server has sent it.
    Id::parse(raw)?;
    Some((server.to_owned(), raw.to_owned()))
}

/// The server that an event of a stack came from, and the id that it had there.
pub(super) fn unqualified_event(id: &str) -> Option<(&str, &str)> {
    id.split_once(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename() -> Rename {
        Rename { server: "files".to_owned(), uris: true, ids: true }
    }

    #[test]
    fn questions_go_and_their_answers_come_back() {
        let asked = r#"{"jsonrpc":"2.0","id":5,"method":"roots/list","params":{"_meta":{"progressToken":"p"}}}"#;
        let shown = rename().message(asked).unwrap();
        assert_eq!(
            shown,
            r#"{"jsonrpc":"2.0","id":"files|5","method":"roots/list","params":{"_meta":{"progressToken":"files|\"p\""}}}"#
        );
        let key = |text: &str| IdKey::String(text.into());
        assert_eq!(unqualified(&key("files|5")), Some(("files".to_owned(), "5".to_owned())));
        assert_eq!(unqualified(&key("files|\"p\"")), Some(("files".to_owned(), "\"p\"".to_owned())));
        for forged in ["files|{}", "files|5,\"x\":1", "files|", "files", "5", "files|null"] {
            assert_eq!(unqualified(&key(forged)), None, "{forged}");
        }
    }

    #[test]
    fn events_keep_their_fields() {
        let event = |raw: &str, message: Option<&str>, id: &str| Event {
            raw: Bytes::copy_from_slice(raw.as_bytes()),
            message: message.map(|text| Bytes::copy_from_slice(text.as_bytes())),
            id: Some(id.as_bytes().to_vec()),
            name: None,
        };
        let primed = rename().event(event("id: e1\nretry: 500\ndata:\n\n", None, "e1"));
        assert_eq!(primed, "id: files|e1\nretry: 500\ndata:\n\n");
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let raw = format!("event: message\nid: e2\ndata: {answer}\n\n");
        let passed = rename().event(event(&raw, Some(answer), "e2"));
        assert_eq!(passed, raw.replace("id: e2", "id: files|e2"));
    }
}
