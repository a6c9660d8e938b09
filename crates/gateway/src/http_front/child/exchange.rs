//! A request to a child and its answer, whole or piece by piece.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode};
use mcp::message::{IdKey, Message};

use super::{Negotiated, line, takes_nothing};
use crate::admission::{Withdrawn, Work, until_withdrawn, withdrawn};
use crate::body::{Body, BodyFault, within};
use crate::caller::Caller;
use crate::events::encode;
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::given_up::USED_AGAIN;
use crate::http_front::answer::sorry;
use crate::http_front::bridge::{Bridge, Piece, Renumbered, Route};
use crate::http_front::outlet::{Inlet, way};
use crate::http_front::post::subscription_notice;
use crate::http_front::stream::{Changes, event_stream};
use crate::http_front::{Front, json, plain};
use crate::names;
use crate::refusal;
use crate::relay::Relay;
use crate::sessions::Excused;
use crate::ticket::Ended;

impl Front {
    pub(super) async fn exchange(
        &self,
        caller: &Caller,
        bridge: &Arc<Bridge>,
        text: &str,
        message: &Message<'_>,
        expected: Expected,
    ) -> Response<Body> {
        let began = bridge.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let initialize = expected.is_initialize();
        let raw_id = expected.raw_id().to_owned();
        let (key, raw_key, text, theirs) = if bridge.modern {
            let ours = format!("\"tg-{began}\"");
            let Some((text, token)) = names::renumber(text, &ours) else {
                return sorry(Some(expected), Ended::NotSent, "the request cannot be renumbered");
            };
            (names::key(&ours), ours, text, Some(Renumbered { id: raw_id.clone(), token }))
        } else {
            (Some(expected.id().clone()), raw_id.clone(), text.to_owned(), None)
        };
        let Some(key) = key else {
            return sorry(Some(expected), Ended::NotSent, "the request's id cannot be used");
        };
        let (to_agent, mut pieces) = way();
        let changes = subscription_notice(caller, &expected);
        let relay = Relay::new(&self.gateway, caller.clone(), Some(expected));
        {
            let mut routes = bridge.routes.lock().unwrap_or_else(PoisonError::into_inner);
            if routes.contains_key(&key) {
                drop(routes);
                let text = "a request of this id is under way in this session";
                return plain(&refusal::error(&raw_id, refusal::code::INVALID_REQUEST, text, 400));
            }
            if bridge.given_up.may_be_answered(&key) {
                drop(routes);
                return plain(&refusal::error(&raw_id, refusal::code::INVALID_REQUEST, USED_AGAIN, 400));
            }
            routes.insert(key.clone(), Route { raw_key: raw_key.clone(), relay, to_agent, theirs, began });
        }
        let listens = names::method(message) == Some("subscriptions/listen");
        let mut guard = InFlight {
            gateway: Arc::clone(&self.gateway),
            caller: caller.clone(),
            work: if listens { Work::Listening } else { Work::Request },
            bridge: Arc::clone(bridge),
            key,
            began,
            raw_key,
            done: false,
        };
        // Whoever reads from the child has told all who waited before that it ended.
        if bridge.link.has_hung_up() {
            return sorry(guard.take(), Ended::NotSent, &bridge.obituary());
        }
        let limits = caller.grant.server().config.limits;
        let until = tokio::time::Instant::now() + limits.first_byte;
        match tokio::time::timeout_at(until, bridge.link.child.post(line(&text))).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(undelivered))) => bridge.ends_undelivered(guard.key.clone(), began, undelivered),
            Ok(Err(ended)) => return sorry(guard.take(), Ended::NotSent, &ended),
            Err(_) => return sorry(guard.take(), Ended::NotSent, &takes_nothing(bridge, limits.first_byte)),
        }
        let first = match tokio::time::timeout_at(until, pieces.recv()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => return sorry(guard.take(), Ended::Unknown, &bridge.obituary()),
            Err(_) => {
                let reason = format!("the server did not begin to answer within {:?}", limits.first_byte);
                return sorry(guard.take(), Ended::Timeout, &reason);
            }
        };
        if let Piece::Answer(text) = first {
            guard.done = true;
            let status = if bridge.modern { modern_status(&text) } else { StatusCode::OK };
            let negotiated = initialize.then(|| Negotiated(crate::relay::negotiated(&text)));
            let mut answer = json(status, text);
            if let Some(negotiated) = negotiated {
                answer.extensions_mut().insert(negotiated);
            }
            return answer;
        }
        let idle = (!listens).then_some(limits.idle);
        let answer = Pieces { pieces, guard, first: Some(first), idle, changes, excused: Excused::default() };
        let rest = stream::unfold(answer, |mut answer| async move {
            let bytes = answer.next().await?;
            Some((bytes, answer))
        });
        event_stream(Body::Stream(Box::pin(rest)))
    }
}

/// How long a child may take to read that a request is cancelled: nothing depends on it.
const CANCEL_TIME: Duration = Duration::from_secs(10);

/// An answer that comes piece by piece.
struct Pieces {
    pieces: Inlet<Piece>,
    guard: InFlight,
    /// What has come already.
    first: Option<Piece>,
    /// How long the server may be silent.
    idle: Option<Duration>,
    changes: Option<Changes>,
    excused: Excused,
}

impl Pieces {
    /// The bytes of the next piece; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.guard.done {
            return None;
        }
        let piece = match self.first.take() {
            Some(piece) => Ok(Some(piece)),
            None => loop {
                let piece = tokio::select! {
                    biased;
                    withdrawn = self.guard.until_withdrawn() => return Some(self.guard.cut(&withdrawn)),
                    piece = within(self.idle, next_or_change(&mut self.pieces, &mut self.changes)) => piece,
                };
                match piece {
                    // It waits for its agent.
                    Err(BodyFault::Silent(limit)) if self.excused.once_more(limit) && self.guard.thinks(limit) => {}
                    piece => break piece,
                }
            },
        };
        self.excused = Excused::default();
        Some(match piece {
            Ok(Some(Piece::Aside(text))) => encode(None, &text),
            Ok(Some(Piece::Answer(text))) => {
                self.guard.done = true;
                encode(None, &text)
            }
            Ok(None) => {
                let reason = self.guard.bridge.obituary();
                self.guard.last_word(Ended::Unknown, &reason)
            }
            Err(silent) => self.guard.last_word(Ended::Timeout, &silent.to_string()),
        })
    }
}

/// The status that goes with an answer in 2026-07-28, where a child gives none.
fn modern_status(answer: &str) -> StatusCode {
    let code = crate::relay::answered_code(answer);
    let status = code.as_deref().and_then(refusal::modern_status).and_then(|status| StatusCode::from_u16(status).ok());
    status.unwrap_or(StatusCode::OK)
}

/// The next piece of a subscription, or the news that the policy was replaced.
async fn next_or_change(pieces: &mut Inlet<Piece>, changes: &mut Option<Changes>) -> Option<Piece> {
    let Some(known) = changes else { return pieces.recv().await };
    tokio::select! {
        piece = pieces.recv() => piece,
        changed = known.policy.changed() => {
            let notice = known.notice.clone();
            if changed.is_err() {
                *changes = None;
            }
            Some(Piece::Aside(notice))
        }
    }
}

/// A request under way. Dropped early, its agent went away or is let in no more. A modern child is told so; a legacy one
/// works on when its agent went away, because there a lost connection cancels nothing.
struct InFlight {
    gateway: Arc<Gateway>,
    caller: Caller,
    work: Work,
    bridge: Arc<Bridge>,
    key: IdKey,
    began: u64,
    /// The id by which the child knows the request.
    raw_key: String,
    done: bool,
}

impl InFlight {
    async fn until_withdrawn(&self) -> Withdrawn {
        until_withdrawn(&self.gateway, &self.caller, self.work).await
    }

    fn thinks(&self, limit: Duration) -> bool {
        self.gateway.sessions().thinks(&self.caller.conversation(), limit, &self.key)
    }

    fn cut(&mut self, withdrawn: &Withdrawn) -> Bytes {
        let reason = withdrawn.to_string();
        self.cancel(&reason);
        self.last_word(Ended::Unknown, reason.trim_end_matches('.'))
    }

    /// Tells the child that nobody waits for the answer.
    fn cancel(&self, reason: &str) {
        let (bridge, cancel) = (Arc::clone(&self.bridge), names::cancel(&self.raw_key, reason));
        let sent = async move { bridge.link.child.send(cancel.into()).await };
        self.bridge.background.spawn(tokio::time::timeout(CANCEL_TIME, sent));
    }

    fn take(&mut self) -> Option<Expected> {
        self.done = true;
        self.bridge.take(&self.key, self.began)
    }

    fn last_word(&mut self, ended: Ended, reason: &str) -> Bytes {
        match self.take() {
            Some(expected) => {
                let apology = expected.apology(ended, reason);
                expected.failed(ended, reason);
                encode(None, &apology.body)
            }
            None => Bytes::new(),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let reason = match withdrawn(&self.gateway, &self.caller) {
            Some(withdrawn) => withdrawn.to_string(),
            None if self.bridge.modern => "the agent closed its stream".to_owned(),
            None => {
                let limit = self.caller.grant.server().config.limits.idle;
                return self.bridge.outlive(self.key.clone(), self.began, limit);
            }
        };
        if let Some(expected) = self.take() {
            expected.failed(Ended::Cancelled, &reason);
            self.cancel(&reason);
        }
    }
}
