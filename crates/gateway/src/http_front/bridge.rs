//! One child process and the requests that wait for its words.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use mcp::message::{IdKey, Message};
use tokio::sync::mpsc;

use super::child::Owner;
use crate::child_link::ChildLink;
use crate::gateway::Gateway;
use crate::grant::Grant;
use crate::names;
use crate::relay::{Relay, Seen, quoted};

/// Messages of a child that wait for an agent to listen.
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
    pub(super) to_agent: mpsc::UnboundedSender<Piece>,
    /// The agent's own id and progress token, where they were renumbered.
    pub(super) theirs: Option<Renumbered>,
    pub(super) began: u64,
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
    pub(super) background: tokio::runtime::Handle,
    pub(super) modern: bool,
    pub(super) routes: Mutex<HashMap<IdKey, Route>>,
    pub(super) listener: Mutex<Option<mpsc::UnboundedSender<String>>>,
    pub(super) backlog: Mutex<VecDeque<String>>,
    pub(super) touched: Mutex<Instant>,
    pub(super) count: std::sync::atomic::AtomicU64,
}

impl Bridge {
    /// What to say when the child ended: its last words are often the reason.
    pub(super) fn obituary(&self) -> String {
        match self.link.child.last_stderr().pop() {
            Some(last) if !last.trim().is_empty() => {
                let last: String = quoted(&self.grant, last).chars().take(300).collect();
                format!("the server process ended; its last line on stderr was `{last}`")
            }
            _ => "the server process ended before it answered".to_owned(),
        }
    }

    /// A cancellation names a request by the agent's id; a shared child knows it by another.
    pub(super) fn renumber_cancel(&self, message: &Message<'_>) -> Option<String> {
        let theirs = names::cancelled(message)?;
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = routes.iter().find(|(_, route)| {
            route.theirs.as_ref().is_some_and(|names| names::key(&names.id).as_ref() == Some(&theirs))
        })?;
        Some(format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{}}}}}"#,
            ours.1.raw_key
        ))
    }

    pub(super) fn answered(&self, key: &IdKey, raw: &[u8]) -> bool {
        let Some(mut route) = self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(key) else {
            return false;
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
            Seen::Withhold { .. } => return true,
        };
        let _ = route.to_agent.send(Piece::Answer(text));
        true
    }

    /// Gives a notification or question to exactly one stream: the one whose progress token or
    /// subscription it names, else the youngest request's, else the listener's.
    pub(super) fn aside(&self, text: String) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let named = names::named(&text);
        if self.modern {
            let owner = match &named {
                Some(name) => routes.get(name),
                None if routes.len() == 1 => routes.values().next(),
                None => None,
            };
            if let Some(route) = owner
                && let Some(names) = &route.theirs
            {
                let text = names::with_names(&text, &names.id, names.token.as_deref()).unwrap_or(text);
                let _ = route.to_agent.send(Piece::Aside(text));
            }
            return;
        }
        // Where the gateway itself shares a session among requests, tokens are ids.
        let named = named.and_then(|name| routes.get(&name));
        let owner = named.or_else(|| routes.values().max_by_key(|route| route.began));
        if let Some(route) = owner {
            let _ = route.to_agent.send(Piece::Aside(text));
            return;
        }
        drop(routes);
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match listener.as_ref() {
            Some(listener) => match listener.send(text) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => text,
        };
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        if backlog.len() == BACKLOG {
            backlog.pop_front();
        }
        backlog.push_back(text);
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
    while let Some(raw) = output.recv().await {
        if link.takes(&raw) {
            continue;
        }
        let Some(bridge) = bridge.upgrade() else { break };
        if let Some(key) = names::answered(&raw)
            && bridge.answered(&key, &raw)
        {
            continue;
        }
        match relay.see(&raw) {
            Seen::Pass => bridge.aside(String::from_utf8_lossy(&raw).into_owned()),
            Seen::Replace(text) => bridge.aside(text),
            Seen::Withhold { answer: Some(answer) } => {
                let _ = link.child.send(answer.into()).await;
            }
            Seen::Withhold { answer: None } => {}
        }
    }
    link.hang_up();
    gateway.children().forget(&owner, &bridge);
    if let Some(bridge) = bridge.upgrade() {
        // Dropping the senders tells every waiting request; each says why itself.
        bridge.routes.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|route| {
            route.to_agent = mpsc::unbounded_channel().0;
        });
        bridge.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
