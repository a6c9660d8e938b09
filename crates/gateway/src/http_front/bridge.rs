//! One child process, or the connection to a server that stands in its place, and the requests that wait for its words.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp::message::IdKey;
use tokio::sync::mpsc;

use super::child::Owner;
use super::outlet::{Outlet, WAITING, way};
use crate::child_link::ChildLink;
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::given_up::GivenUp;
use crate::grant::Grant;
use crate::names;
use crate::partner::Partner;
use crate::relay::{Relay, Seen, quoted};
use crate::returning::{Held, Returning};
use crate::sse_link::Undelivered;
use crate::ticket::Ended;
use crate::unreadable::NO_ROOM;

/// Messages of a child that wait for an agent to listen; as many bytes of them as may wait for one that does.
const BACKLOG: usize = 256;

/// What a request's stream is given.
pub(super) enum Piece {
    /// A notification or a question.
    Aside(String),
    /// The answer: nothing follows.
    Answer(String),
}

/// A request that a child works on.
pub(super) struct Route {
    pub(super) raw_key: String,
    pub(super) relay: Relay,
    pub(super) to_agent: Outlet<Piece>,
    /// The agent's own id and progress token, where they were renumbered.
    pub(super) theirs: Option<Renumbered>,
    pub(super) began: u64,
}

impl Route {
    /// Tells whoever waits that there will be no answer. That is short, and needs no room.
    fn end(&mut self, ended: Ended, reason: &str) {
        let Some(expected) = self.relay.take_expected() else { return };
        let apology = expected.apology(ended, reason);
        expected.failed(ended, reason);
        self.to_agent.last(None, Piece::Answer(apology.body));
    }
}

/// What a request's names were before they were renumbered.
#[derive(Clone)]
pub(super) struct Renumbered {
    pub(super) id: String,
    pub(super) token: Option<String>,
}

/// One child and those who wait for its words.
pub(super) struct Bridge {
    /// The grant that it was started under: it ends when that leads elsewhere.
    pub(super) grant: Arc<Grant>,
    pub(super) link: Arc<ChildLink>,
    /// The room for what it says.
    pub(super) room: Returning,
    pub(super) background: tokio::runtime::Handle,
    pub(super) modern: bool,
    pub(super) routes: Mutex<HashMap<IdKey, Route>>,
    pub(super) listener: Mutex<Option<Outlet<String>>>,
    pub(super) backlog: Mutex<VecDeque<String>>,
    /// Requests of agents that were given up, by the ids that the child knows.
    pub(super) given_up: GivenUp,
    pub(super) touched: Mutex<Instant>,
    pub(super) count: std::sync::atomic::AtomicU64,
}

impl Bridge {
    /// What to say when the child ended: its last words are often the reason.
    pub(super) fn obituary(&self) -> String {
        let child = match &self.link.child {
            Partner::Program(child) => child,
            gone @ Partner::Sse(_) => return gone.why_ended(),
        };
        match child.last_stderr().pop() {
            Some(last) if !last.trim().is_empty() => {
                let last: String = quoted(&self.grant, last).chars().take(300).collect();
                format!("the server process ended; its last line on stderr was `{last}`")
            }
            _ => "the server process ended before it answered".to_owned(),
        }
    }

    /// When somebody has used it last.
    pub(super) fn last_used(&self) -> Instant {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has used it for so long, and nobody waits for a word of it.
    pub(super) fn is_idle(&self, limit: Duration) -> bool {
        let listened = |listener: &Option<Outlet<String>>| listener.as_ref().is_some_and(|one| !one.is_closed());
        self.last_used().elapsed() >= limit
            && self.routes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
            && !listened(&self.listener.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The id by which the child knows a request that an agent knows by `theirs`, and how it is written.
    pub(super) fn known_as(&self, theirs: &IdKey) -> Option<(IdKey, String)> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = routes.iter().find(|(key, route)| match &route.theirs {
            Some(names) => names::key(&names.id).as_ref() == Some(theirs),
            None => *key == theirs,
        });
        found.map(|(key, route)| (key.clone(), route.raw_key.clone()))
    }

    /// The only request that is under way, if there is one.
    fn only_request(&self) -> Option<IdKey> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = routes.keys();
        keys.next().filter(|_| routes.len() == 1).cloned()
    }

    /// Takes what a request awaits, if it is still the one that began so: its child need not answer any more, and if it
    /// does that is nobody's answer.
    pub(super) fn take(&self, key: &IdKey, began: u64) -> Option<Expected> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.get(key)?.began != began {
            return None;
        }
        let mut route = routes.remove(key)?;
        drop(routes);
        self.gave_up(key);
        route.relay.take_expected()
    }

    /// The agent has cancelled a request: a server that obeys will not answer it.
    pub(super) fn cancelled(&self, key: &IdKey) {
        let route = self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        let Some(mut route) = route else { return };
        self.gave_up(key);
        route.end(Ended::Cancelled, "the agent cancelled it");
    }

    /// Ends a request, if it is still the one that began so, when its server turns out not to have taken it.
    pub(super) fn ends_undelivered(
        self: &Arc<Self>,
        key: IdKey,
        began: u64,
        undelivered: tokio::sync::oneshot::Receiver<Undelivered>,
    ) {
        let bridge = Arc::downgrade(self);
        self.background.spawn(async move {
            let Ok(Undelivered { ended, reason }) = undelivered.await else { return };
            let Some(bridge) = bridge.upgrade() else { return };
            let mut routes = bridge.routes.lock().unwrap_or_else(PoisonError::into_inner);
            if routes.get(&key).is_none_or(|route| route.began != began) {
                return;
            }
            let route = routes.remove(&key);
            drop(routes);
            bridge.gave_up(&key);
            if let Some(mut route) = route {
                route.end(ended, &reason);
            }
        });
    }

    /// A request whose agent went away without cancelling it may be worked on for as long as its server may be silent.
    pub(super) fn outlive(self: &Arc<Self>, key: IdKey, began: u64, limit: Duration) {
        let bridge = Arc::downgrade(self);
        self.background.spawn(async move {
            tokio::time::sleep(limit).await;
            if let Some(expected) = bridge.upgrade().and_then(|bridge| bridge.take(&key, began)) {
                expected.failed(Ended::Disconnected, &format!("the server did not answer within {limit:?}"));
            }
        });
    }

    fn gave_up(&self, key: &IdKey) {
        // Ids of the gateway's own are never used again.
        if self.modern {
            return;
        }
        self.given_up.note(key.clone());
    }

    /// The room that a message of so many bytes takes, if it takes any.
    ///
    /// # Errors
    /// What is full.
    pub(super) fn room_for(&self, bytes: usize) -> Result<Option<Held>, &'static str> {
        self.room.room_for(&self.grant, bytes)
    }

    /// An answer was left out while it came: that of this request, or of the only one that there is.
    pub(super) fn lost(&self, id: Option<IdKey>) {
        let nothing_else_is_due = || !self.modern && self.given_up.is_empty();
        let only = || nothing_else_is_due().then(|| self.only_request()).flatten();
        let Some(key) = id.or_else(only) else { return };
        self.given_up.was_answered(&key);
        let route = self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        if let Some(mut route) = route {
            route.end(Ended::Unknown, NO_ROOM);
        }
    }

    fn answered(&self, key: &IdKey, raw: &[u8]) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let Some(mut route) = self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(key) else {
            // It comes too late, or nobody has asked: whoever else waits must not take it for an answer.
            self.given_up.was_answered(key);
            return;
        };
        // It is there, and cannot be left at the server until somebody reads: what has no room is lost, and said to be.
        let held = match self.room_for(raw.len()) {
            Ok(held) => held,
            Err(full) => return route.end(Ended::Unknown, full),
        };
        let raw = match &route.theirs {
            Some(names) => {
                match std::str::from_utf8(raw).ok().and_then(|raw| names::with_names(raw, &names.id, None)) {
                    Some(raw) => raw.into_bytes(),
                    None => raw.to_vec(),
                }
            }
            None => raw.to_vec(),
        };
        let text = match route.relay.see(&raw) {
            Seen::Pass => String::from_utf8_lossy(&raw).into_owned(),
            Seen::Replace(text) => text,
            Seen::Withhold { .. } => return,
        };
        route.to_agent.last(held, Piece::Answer(text));
    }

    /// The request on whose stream a notification or question goes.
    fn owner<'a>(&self, routes: &'a mut HashMap<IdKey, Route>, message: &str) -> Option<&'a mut Route> {
        let named = names::named(message);
        if self.modern {
            return match named {
                Some(name) => routes.get_mut(&name),
                None if routes.len() == 1 => routes.values_mut().next(),
                None => None,
            };
        }
        // Where the gateway itself shares a session among requests, tokens are ids.
        match named.filter(|name| routes.contains_key(name)) {
            Some(name) => routes.get_mut(&name),
            None => routes.values_mut().max_by_key(|route| route.began),
        }
    }

    /// Lets the record of the request on whose stream a message goes tell what was done to it. False where there is none.
    fn tell(&self, message: &str, done: &audit::Edits) -> bool {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let route = self.owner(&mut routes, message);
        route.map(|route| route.relay.tell_untied(done.clone())).is_some()
    }

    /// Gives a notification or question to exactly one stream: the one whose progress token or
    /// subscription it names, else the youngest request's, else the listener's.
    pub(super) fn aside(&self, text: String) {
        // For what is said beside an answer, and has no room, nobody waits.
        let Ok(held) = self.room_for(text.len()) else { return };
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let route = self.owner(&mut routes, &text);
        if self.modern {
            if let Some(route) = route
                && let Some(names) = &route.theirs
            {
                let text = names::with_names(&text, &names.id, names.token.as_deref()).unwrap_or(text);
                let _ = route.to_agent.aside(text.len(), held, Piece::Aside(text));
            }
            return;
        }
        if let Some(route) = route {
            let _ = route.to_agent.aside(text.len(), held, Piece::Aside(text));
            return;
        }
        drop(routes);
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match listener.as_ref() {
            Some(listener) => match listener.aside(text.len(), held, text) {
                Ok(()) => return,
                Err(unsent) => unsent,
            },
            None => text,
        };
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        backlog.push_back(text);
        let mut bytes: usize = backlog.iter().map(String::len).sum();
        while backlog.len() > BACKLOG || bytes > WAITING {
            let Some(lost) = backlog.pop_front() else { break };
            bytes -= lost.len();
        }
    }
}

/// Reads a child's messages for as long as it speaks.
pub(super) async fn read(
    gateway: Arc<Gateway>,
    owner: Owner,
    bridge: std::sync::Weak<Bridge>,
    link: Arc<ChildLink>,
    mut output: mpsc::Receiver<Bytes>,
    mut relay: Relay,
) {
    // The grants by which it judges, and whether its own is still among them.
    let (mut known, mut leads) = (gateway.grants(), true);
    while let Some(raw) = output.recv().await {
        if link.takes(&raw) {
            continue;
        }
        let Some(bridge) = bridge.upgrade() else { break };
        let answered = names::answered(&raw);
        if let Some(key) = answered.or_else(|| link.unreadable(&gateway, bridge.grant.server(), &raw)) {
            bridge.answered(&key, &raw);
            continue;
        }
        let now = gateway.grants();
        if !Arc::ptr_eq(&known, &now) {
            leads = relay.follow(&now);
            known = now;
        }
        if !leads {
            continue;
        }
        relay.concerns(bridge.only_request());
        let (seen, done) = relay.see_untied(&raw);
        if !done.is_empty() && !std::str::from_utf8(&raw).is_ok_and(|message| bridge.tell(message, &done)) {
            relay.tell_untied(done);
        }
        match seen {
            Seen::Pass => bridge.aside(String::from_utf8_lossy(&raw).into_owned()),
            Seen::Replace(text) => bridge.aside(text),
            Seen::Withhold { answer: Some(answer) } => {
                // It was taken: a program that writes on before it reads must not wait for itself.
                drop(raw);
                let _ = link.child.send(answer.into()).await;
            }
            Seen::Withhold { answer: None } => {}
        }
    }
    link.hang_up();
    let by_itself = gateway.children().forget(&owner, &bridge);
    if let Some(bridge) = bridge.upgrade() {
        // Dropping the senders tells every waiting request; each says why itself.
        bridge.routes.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|route| {
            route.to_agent = way().0;
        });
        bridge.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
    if by_itself && link.child.is_program() {
        gateway.children().ended_by_itself(link.child.ended().await);
    }
}
