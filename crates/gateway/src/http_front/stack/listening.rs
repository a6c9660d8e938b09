//! Streams on which the servers of a stack speak unasked, as one.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, select_all};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Response};
use jiff::Timestamp;
use mcp::json::{Value, quote};
use mcp::message::{Body as Parsed, Message, Request, parse_upstream, splice};

use super::pieces::{Rename, notice, unqualified_event};
use super::voice::Voice;
use super::{At, SEALED_FOR, Spoken};
use crate::admission::{Work, until_withdrawn};
use crate::body::Body;
use crate::caller::Caller;
use crate::events::{Event, EventReader, encode};
use crate::gateway::Gateway;
use crate::grant::Lead;
use crate::http_front::admit::Sender;
use crate::http_front::said;
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
            Some(events(&at, voice, said::events(answer).ok()?, false))
        }))
        .await;
        // The first bytes tell the agent that the stream is open, whoever of the servers has one.
        let opened: Vec<Events> = opened.into_iter().flatten().collect();
        let first: Events = Box::pin(stream::iter([Bytes::from_static(b": open\n\n")]));
        let rest = first.chain(stream::select_all(opened)).chain(stream::pending());
        let over = until_over(Arc::clone(&self.gateway), at.caller(), Arc::clone(&at.stack));
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
        let opened_parts = join_all(voices.iter().map(|(place, voice)| async move {
            let text = part_of(self, at, request, *place)?;
            let answer = voice.send(&text).await;
            let mut part = match said::events(answer) {
                Ok(part) => part,
                Err(answer) => return Some(Err(answer)),
            };
            // What it begins with says what it takes on.
            let taken = taken_on(&rename(at, voice), &part.next().await.ok()??)?;
            Some(Ok((taken, events(at, voice, part, true))))
        }))
        .await;
        let mut wanted = serde_json::Map::new();
        let (mut opened, mut refused) = (Vec::new(), None);
        for part in opened_parts.into_iter().flatten() {
            match part {
                Ok((taken, events)) => {
                    unite(&mut wanted, taken);
                    opened.push(events);
                }
                Err(answer) => refused = Some(answer),
            }
        }
        if let (true, Some(refused)) = (opened.is_empty(), refused) {
            return refused;
        }
        let wanted = serde_json::Value::Object(wanted);
        let acknowledged = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"notifications":{wanted},"_meta":{{"io.modelcontextprotocol/subscriptionId":{}}}}}}}"#,
            request.id.raw()
        );
        let first: Events = Box::pin(stream::iter([encode(None, &acknowledged)]));
        let over = until_over(Arc::clone(&self.gateway), at.caller(), Arc::clone(&at.stack));
        event_stream(Body::Stream(Box::pin(first.chain(stream::select_all(opened)).take_until(Box::pin(over)))))
    }
}

/// Waits until a stream of a stack is to be opened anew: its grant is withdrawn, or leads elsewhere at any of its servers, or
/// one of them is stopped. A part of it that had ended would else stay silent beside the others.
async fn until_over(gateway: Arc<Gateway>, caller: Option<Caller>, stack: Arc<Stack>) {
    let Some(caller) = caller else { return std::future::pending().await };
    let token = caller.token;
    let moved = async {
        let mut changes = gateway.changes();
        loop {
            let now = token.and_then(|token| gateway.grants().of_digest(&token, Timestamp::now()));
            // Without a token nothing is ever taken back.
            if now.is_some_and(|(lead, _)| !matches!(&lead, Lead::Stack(now) if Arc::ptr_eq(now, &stack))) {
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    let going = stack.members().iter().filter(|member| member.grant.stopped().is_none());
    let stops: Vec<_> = going.map(|member| Box::pin(member.grant.until_stopped())).collect();
    let stopped = async {
        match stops.is_empty() {
            true => std::future::pending().await,
            false => drop(select_all(stops).await),
        }
    };
    tokio::select! {
        _ = until_withdrawn(&gateway, &caller, Work::Listening) => {}
        () = moved => {}
        () = stopped => {}
    }
}

/// How the words of a server are put for the agent.
pub(super) fn rename(at: &At, voice: &Voice<'_>) -> Rename {
    Rename {
        server: voice.member.id().to_owned(),
        uris: !voice.member.unprefixed,
        ids: !matches!(at.spoken, Spoken::Modern(_)),
    }
}

/// What a server says on a stream. Of a subscription, which is one for all servers, what only begins or ends a server's
/// part is left out.
fn events(at: &At, voice: &Voice<'_>, said: EventReader<Body>, part: bool) -> Events {
    let state = (said, rename(at, voice), Arc::clone(&at.stack));
    Box::pin(stream::unfold(state, move |(mut said, rename, stack)| async move {
        loop {
            let event = said.next().await.ok()??;
            notice(&stack, &event);
            if part && event.message.as_deref().is_some_and(only_begins_or_ends) {
                continue;
            }
            let bytes = rename.event(event);
            return Some((bytes, (said, rename, stack)));
        }
    }))
}

/// What a server says that it will tell of, in the names of the stack.
fn taken_on(rename: &Rename, event: &Event) -> Option<serde_json::Map<String, serde_json::Value>> {
    let text = std::str::from_utf8(event.message.as_deref()?).ok()?;
    let renamed = rename.message(text);
    let told: serde_json::Value = serde_json::from_str(renamed.as_deref().unwrap_or(text)).ok()?;
    told.pointer("/params/notifications")?.as_object().cloned()
}

/// Whatever any server tells of.
fn unite(all: &mut serde_json::Map<String, serde_json::Value>, part: serde_json::Map<String, serde_json::Value>) {
    use serde_json::Value;
    for (key, value) in part {
        match (all.get_mut(&key), value) {
            (Some(Value::Bool(known)), Value::Bool(also)) => *known |= also,
            (Some(Value::Array(known)), Value::Array(also)) => known.extend(also),
            (Some(_), _) => {}
            (None, value) => drop(all.insert(key, value)),
        }
    }
}

fn only_begins_or_ends(message: &[u8]) -> bool {
    match parse_upstream(message) {
        Ok(Parsed::One(Message::Response(_))) => true,
        Ok(Parsed::One(Message::Notification(told))) => told.kind == mcp::method::Kind::SubscriptionsAcknowledged,
        _ => false,
    }
}

/// A subscription as one server is to read it: of resources and tasks, its own.
fn part_of(front: &Front, at: &At, request: &Request<'_>, place: usize) -> Option<String> {
    let wanted = mcp::json::parse(request.params.notifications?).ok()?;
    let resource = |uri: &str| {
        let meant = at.stack.meant(Kind::Resources, uri)?;
        (meant.member == place).then(|| quote(&meant.own))
    };
    let task = |id: &str| (front.owner_of_task(at, id) == Some(place)).then(|| quote(id));
    let mut text = request.raw.to_owned();
    for (key, own) in [("resourceSubscriptions", &resource as &dyn Fn(&str) -> Option<String>), ("taskIds", &task)] {
        let Some(names) = wanted.get(key).and_then(Value::as_array) else { continue };
        let own: Vec<String> = names.iter().filter_map(|name| own(name.as_str()?)).collect();
        let span = mcp::json::locate(&text, &["params", "notifications", key]).ok()??;
        text = splice(&text, &[(span.range(), &format!("[{}]", own.join(",")))])?;
    }
    Some(text)
}
