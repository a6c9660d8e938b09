//! What servers say unasked: the stream of a legacy session, and the subscriptions of 2026-07-28.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Response, StatusCode};
use mcp::json;
use mcp::message::{self, Message, Request};
use mcp::method::Kind;
use mcp::translate;

use super::Agent;
use super::held::Pool;
use super::pieces::{self, Out, Piece};
use super::sessions::legacy_caller;
use super::to_legacy::answer_of;
use super::watching::Watch;
use crate::admission::{Work, until_withdrawn};
use crate::body::Body;
use crate::caller::Caller;
use crate::events::encode;
use crate::http_front::post::subscription_notice;
use crate::http_front::said::Said;
use crate::http_front::stream::{Changes, event_stream, not_allowed};
use crate::http_front::{Front, empty, not_forwarded};
use crate::http_link::own_id;
use crate::pipeline::{self, Judged};
use crate::refusal::{self, code};

/// The kinds that a subscription asked for.
#[derive(Debug, Default)]
struct Wanted {
    tools: bool,
    prompts: bool,
    resources: bool,
    uris: Vec<String>,
}

impl Wanted {
    fn of(request: &Request<'_>) -> Self {
        let Some(wanted) = request.params.notifications.and_then(|wanted| json::parse(wanted).ok()) else {
            return Self::default();
        };
        let flag = |key| wanted.get(key).and_then(json::Value::as_bool).unwrap_or(false);
        let uris = wanted.get("resourceSubscriptions").and_then(json::Value::as_array).unwrap_or_default();
        Self {
            tools: flag("toolsListChanged"),
            prompts: flag("promptsListChanged"),
            resources: flag("resourcesListChanged"),
            uris: uris.iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
        }
    }

    fn has(&self, notification: &message::Notification<'_>) -> bool {
        match notification.kind {
            Kind::ToolsChanged => self.tools,
            Kind::PromptsChanged => self.prompts,
            Kind::ResourcesChanged => self.resources,
            Kind::ResourceUpdated => {
                notification.params.uri.as_deref().is_some_and(|uri| self.uris.iter().any(|known| known == uri))
            }
            _ => false,
        }
    }
}

impl Front {
    /// A subscription of an agent of 2026-07-28 at a legacy server.
    pub(super) async fn listen_to_legacy(
        &self,
        caller: Caller,
        headers: &HeaderMap,
        message: &Message<'_>,
        request: &Request<'_>,
    ) -> Response<Body> {
        let (pool, lease) = match self.lease(&caller, headers, request, false).await {
            Ok(leased) => leased,
            Err((status, text)) => return crate::http_front::json(status, text),
        };
        let held = Arc::clone(&lease.held);
        let legacy = legacy_caller(&caller, &held);
        let Some(upstream) = self.upstream_of(&legacy, &held) else {
            pool.forget(&held);
            let text = "the server has ended; ask again";
            return not_forwarded(&refusal::error(request.id.raw(), code::INTERNAL, text, 502));
        };
        let expected = match pipeline::judge(&self.gateway, &caller, message, &*upstream).await {
            Judged::Answer(refusal) => return not_forwarded(&refusal),
            Judged::Drop => return empty(StatusCode::ACCEPTED),
            Judged::Forward { expected, .. } => expected,
        };
        let (front, headers, wanted) = (self.clone(), headers.clone(), Wanted::of(request));
        let (id, asked) = (request.id.raw().to_owned(), request.params.notifications.unwrap_or("{}").to_owned());
        let mut changes = expected.as_ref().and_then(|expected| subscription_notice(&caller, expected));
        let guarded = caller.clone();
        let answer = pieces::answer(|out| async move {
            // Listening begins before anything is promised.
            let mut news = pool.hub.subscribe();
            let mut watch = Watch::new(&front, &caller, &pool, lease, &headers);
            for uri in &wanted.uris {
                watch.add(uri).await;
            }
            let acknowledged = format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}},"notifications":{asked}}}}}"#
            );
            let _ = out.send(Piece::Aside(acknowledged)).await;
            let mut pump = Box::pin(front.pump(&pool, &legacy, &held));
            let mut pumps = true;
            loop {
                let heard = tokio::select! {
                    withdrawn = until_withdrawn(&front.gateway, &caller, Work::Listening) => {
                        let text = withdrawn.to_string();
                        let _ = out.send(answer_of(&refusal::error(&id, code::DENIED, &text, 503))).await;
                        break;
                    }
                    notice = Changes::next(&mut changes) => {
                        let _ = out.send(Piece::Aside(notice)).await;
                        continue;
                    }
                    () = &mut pump, if pumps => {
                        pumps = false;
                        continue;
                    }
                    heard = news.recv() => heard,
                };
                match heard {
                    Ok(text) => tell(&out, &wanted, &id, &text).await,
                    // It has missed some: what it hears next makes it look again.
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                }
            }
            // Held for as long as it is listened to.
            drop((expected, watch));
        })
        .await;
        self.guarded(answer, &guarded, Work::Listening)
    }

    /// Reads what the server says on its session's own stream, for all who listen; others wait to take over.
    async fn pump(&self, pool: &Pool, caller: &Caller, held: &super::held::Held) {
        let _alone = pool.pump.lock().await;
        let answer = Box::pin(self.listen(caller.clone(), held.session.clone(), None)).await;
        if !answer.status().is_success() {
            return;
        }
        let mut said = Said::of(answer);
        while let Some(raw) = said.next().await {
            if let Ok(message::Body::One(Message::Notification(notification))) = message::parse_upstream(&raw) {
                let _ = pool.hub.send(notification.raw.into());
            }
        }
    }

    /// The stream of a legacy session whose server is of 2026-07-28: subscriptions to all there is.
    pub(in crate::http_front) async fn listen_to_modern(&self, caller: Caller, agent: Agent) -> Response<Body> {
        let Some(first) = self.subscribe(&caller, &agent).await else { return not_allowed() };
        // The first bytes tell the agent that the stream is open.
        let opened: Bytes = Bytes::from_static(b": open\n\n");
        let state = (first, self.clone(), caller, agent);
        let rest = stream::unfold(state, |(mut now, front, caller, agent)| async move {
            loop {
                let (said, changes) = &mut now;
                let raw = tokio::select! {
                    raw = said.next() => raw?,
                    changed = changes.changed() => {
                        changed.ok()?;
                        // Another set of resources is another subscription.
                        now = front.subscribe(&caller, &agent).await?;
                        continue;
                    }
                };
                let Ok(message::Body::One(Message::Notification(notification))) = message::parse_upstream(&raw) else {
                    continue;
                };
                if notification.kind != Kind::SubscriptionsAcknowledged {
                    let text = translate::legacy_notification(notification.raw);
                    return Some((encode(None, &text), (now, front, caller, agent)));
                }
            }
        });
        event_stream(Body::Stream(Box::pin(stream::iter([opened]).chain(rest))))
    }

    async fn subscribe(&self, caller: &Caller, agent: &Agent) -> Option<(Said, tokio::sync::watch::Receiver<u64>)> {
        let (uris, changes) = self.gateway.translation().agents().watched(caller.session?)?;
        let uris: Vec<String> = uris.iter().map(|uri| json::quote(uri)).collect();
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"subscriptions/listen","params":{{"notifications":{{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":[{}]}}}}}}"#,
            json::quote(&own_id()),
            uris.join(",")
        );
        let said = Said::of(self.modern_one(caller, &HeaderMap::new(), &text, agent, None).await);
        (said.status.is_success() && said.streams()).then_some((said, changes))
    }
}

/// Tells a listener of what it asked for, under its subscription.
async fn tell(out: &Out, wanted: &Wanted, id: &str, text: &str) {
    let Ok(message::Body::One(Message::Notification(notification))) = message::parse_upstream(text.as_bytes()) else {
        return;
    };
    if !wanted.has(&notification) {
        return;
    }
    if let Some(tagged) = translate::tagged_notification(notification.raw, id) {
        let _ = out.send(Piece::Aside(tagged)).await;
    }
}
