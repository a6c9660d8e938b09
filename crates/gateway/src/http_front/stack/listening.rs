//! Streams on which the servers of a stack speak unasked, as one.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Response};
use mcp::json::{Value, quote};
use mcp::message::{Body as Parsed, Message, Request, parse_upstream, splice};

use super::pieces::{Pieces, Rename, notice, streams, unqualified_event};
use super::voice::Voice;
use super::{At, SEALED_FOR, Spoken};
use crate::body::Body;
use crate::events::encode;
use crate::http_front::admit::Sender;
use crate::http_front::stream::{event_stream, not_allowed};
use crate::http_front::{Front, json_refusal, not_forwarded, plain};
use crate::http_link::LAST_EVENT_ID;
use crate::stack::{Kind, Stack};

type Events = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl Front {
    /// Opens (or resumes) the stream of a session.
    pub(in crate::http_front) async fn listen_to_stack(
        &self,
        stack: Arc<Stack>,
        sender: Sender,
        headers: &HeaderMap,
    ) -> Response<Body> {
        let at = match self.at(stack, sender, headers, None) {
            Ok(at) => at,
            Err(refusal) => return plain(&refusal),
        };
        if at.conversation().is_none() {
            return not_allowed();
        }
        if let Some(last) = headers.get(&LAST_EVENT_ID).and_then(|last| last.to_str().ok()) {
            return self.resume(&at, last).await;
        }
        let place = match self.gateway.streams().open_at(SEALED_FOR, at.stack.key(), "null") {
            Ok(place) => place,
            Err(refusal) => return not_forwarded(&refusal),
        };
        let voices = self.open_voices(&at);
        let opened = join_all(voices.iter().map(|(_, voice)| async {
            let answer = voice.listen(None).await;
            streams(&answer).then(|| events(&at, voice, answer, None))
        }))
        .await;
        // The first bytes tell the agent that the stream is open, whoever of the servers has one.
        let opened: Vec<Events> = opened.into_iter().flatten().collect();
        let first: Events = Box::pin(stream::iter([Bytes::from_static(b": open\n\n")]));
        let rest = first.chain(stream::select_all(opened)).chain(stream::pending());
        let (gateway, caller) = (Arc::clone(&self.gateway), at.caller());
        let over = async move {
            match caller {
                Some(caller) => {
                    crate::admission::until_withdrawn(&gateway, &caller, crate::admission::Work::Listening).await;
                }
                None => std::future::pending().await,
            }
        };
        event_stream(Body::Stream(Box::pin(rest.take_until(Box::pin(over)).inspect(move |_| {
            // It is counted for as long as it is there.
            let _ = &place;
        }))))
    }

    /// Goes on with the stream of one server, which the last event names.
    async fn resume(&self, at: &At, last: &str) -> Response<Body> {
        let resumed = unqualified_event(last).and_then(|(server, id)| {
            Some((self.open_voice(at, at.stack.place(server)?)?, HeaderValue::from_str(id).ok()?))
        });
        let Some((voice, id)) = resumed else {
            let text = "the last event that is named came from no server of this session";
            return plain(&json_refusal(http::StatusCode::BAD_REQUEST, text));
        };
        let answer = voice.listen(Some(&id)).await;
        rename(at, &voice).answer(Arc::clone(&at.stack), answer).await
    }

    /// A subscription: each server is asked for its part of it.
    pub(super) async fn subscribe_to_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let voices = self.open_voices(at);
        let opened = join_all(voices.iter().map(|(place, voice)| async move {
            let text = part_of(at, request, *place)?;
            let answer = voice.send(&text).await;
            streams(&answer).then(|| events(at, voice, answer, Some(request.id.raw())))
        }))
        .await;
        let opened: Vec<Events> = opened.into_iter().flatten().collect();
        let wanted = request.params.notifications.unwrap_or("{}");
        let acknowledged = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"notifications":{wanted},"_meta":{{"io.modelcontextprotocol/subscriptionId":{}}}}}}}"#,
            request.id.raw()
        );
        let first: Events = Box::pin(stream::iter([encode(None, &acknowledged)]));
        event_stream(Body::Stream(Box::pin(first.chain(stream::select_all(opened)))))
    }
}

fn rename(at: &At, voice: &Voice<'_>) -> Rename {
    Rename {
        server: voice.member.id().to_owned(),
        uris: !voice.member.unprefixed,
        ids: !matches!(at.spoken, Spoken::Modern(_)),
    }
}

/// What a server says on a stream. Of a subscription, which is one for all servers, what only begins or ends a server's
/// part is left out.
fn events(at: &At, voice: &Voice<'_>, answer: Response<Body>, subscription: Option<&str>) -> Events {
    let (rename, stack, part) = (rename(at, voice), Arc::clone(&at.stack), subscription.is_some());
    let state = (Pieces::new(answer.into_body()), rename, stack);
    Box::pin(stream::unfold(state, move |(mut pieces, rename, stack)| async move {
        loop {
            let piece = pieces.next().await?;
            notice(&stack, &piece);
            if part && piece.message.as_deref().is_some_and(only_begins_or_ends) {
                continue;
            }
            let bytes = rename.event(piece);
            return Some((bytes, (pieces, rename, stack)));
        }
    }))
}

fn only_begins_or_ends(message: &[u8]) -> bool {
    match parse_upstream(message) {
        Ok(Parsed::One(Message::Response(_))) => true,
        Ok(Parsed::One(Message::Notification(told))) => told.kind == mcp::method::Kind::SubscriptionsAcknowledged,
        _ => false,
    }
}

/// A subscription as one server is to read it: of the resources, its own.
fn part_of(at: &At, request: &Request<'_>, place: usize) -> Option<String> {
    let wanted = request.params.notifications?;
    let parsed = mcp::json::parse(wanted).ok()?;
    let Some(uris) = parsed.get("resourceSubscriptions").and_then(Value::as_array) else {
        return Some(request.raw.to_owned());
    };
    let own = uris.iter().filter_map(|uri| {
        let meant = at.stack.meant(Kind::Resources, uri.as_str()?)?;
        (meant.member == place).then(|| quote(&meant.own))
    });
    let own = format!("[{}]", own.collect::<Vec<_>>().join(","));
    let path = ["params", "notifications", "resourceSubscriptions"];
    let span = mcp::json::locate(request.raw, &path).ok()??;
    splice(request.raw, &[(span.range(), &own)])
}
