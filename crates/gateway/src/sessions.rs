//! What the gateway must remember between the requests of one session.
//!
//! Three things cannot be sealed into an id: which questions the server has asked the agent (an
//! answer to anything else is dropped), which requests still wait for an answer that will
//! come on another stream (2025-11-25 lets a server close a stream and be polled), and by which
//! ids the agent knows tasks of which the server tells unasked.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mcp::message::IdKey;

use crate::expected::Expected;
use crate::seal::SessionNumber;
use crate::tasks::Named;

/// How long a session that nobody uses is remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// How long an ended session is known as such; its server knows it too.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// How long an agent may take to answer a question of a server, while the server's silence is no fault of its own.
const THINKS: Duration = Duration::from_secs(600);

/// Questions and requests that one session may leave open.
const MAX_OPEN: usize = 1024;

/// Sessions that are remembered at all.
const MAX_SESSIONS: usize = 100_000;

/// One conversation: a session, or all that a grant sends without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Conversation {
    /// A session by its number.
    Session(SessionNumber),
    /// A grant that sends without a session, by key and server.
    Grant(String, String),
}

/// A request that waits, and since when.
struct Waiting {
    expected: Expected,
    since: Instant,
    /// When nobody need wait any more, where nothing else looks after it.
    until: Option<Instant>,
}

#[derive(Default)]
struct Memory {
    /// Questions of the server that the agent has not answered, and since when.
    asked: HashMap<IdKey, Instant>,
    /// When the agent answered one last.
    said: Option<Instant>,
    waiting: HashMap<IdKey, Waiting>,
    /// Tasks that were named here, the latest last: a server tells of them by its own names, unasked.
    tasks: VecDeque<Named>,
    /// When the server was last heard.
    heard: Option<Instant>,
    touched: Option<Instant>,
    /// Servers of a stack whose part of the session was opened anew, and what that is known by.
    reopened: HashMap<Box<str>, String>,
}

impl Memory {
    fn thinks(&self, limit: Duration) -> bool {
        self.asked.values().any(|since| since.elapsed() < THINKS)
            || self.said.is_some_and(|said| said.elapsed() < limit)
    }
}

/// The memory of all conversations. It is touched only by what is rare: a server's question, an
/// agent's answer to one, and a request whose stream ended early.
#[derive(Default)]
pub struct Sessions {
    conversations: Mutex<HashMap<Conversation, Memory>>,
    /// Sessions that agents have ended: their ids open no more.
    ended: Mutex<HashMap<SessionNumber, Instant>>,
    any_ended: AtomicBool,
}

impl Sessions {
    /// The server has asked; false if it has asked too much.
    pub fn asked(&self, conversation: &Conversation, id: IdKey) -> bool {
        self.with(conversation, |memory| {
            memory.asked.len() < MAX_OPEN && memory.asked.insert(id, Instant::now()).is_none()
        })
        .unwrap_or(false)
    }

    /// Whether a server that was silent for `limit` waits, or waited until lately, for what its agent thinks of a question.
    pub fn thinks(&self, conversation: &Conversation, limit: Duration) -> bool {
        let all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(conversation).is_some_and(|memory| memory.thinks(limit))
    }

    /// The agent answers; true if the server had asked that and was not answered yet.
    pub fn answered(&self, conversation: &Conversation, id: &IdKey) -> bool {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(conversation).is_some_and(|memory| {
            let asked = memory.asked.remove(id).is_some();
            if asked {
                memory.said = Some(Instant::now());
            }
            asked
        })
    }

    /// The stream of a request ended without its answer, which may come on another one.
    /// With `limit` it waits no longer than that, and its end is unknown then.
    pub fn wait(&self, conversation: &Conversation, id: IdKey, expected: Expected, limit: Option<Duration>) {
        // What cannot be remembered is dropped, and settles itself as unknown.
        self.with(conversation, |memory| {
            if memory.waiting.len() < MAX_OPEN {
                let since = Instant::now();
                memory.waiting.insert(id, Waiting { expected, since, until: limit.map(|limit| since + limit) });
            }
        });
    }

    /// The agent names a task, or is told of a new one.
    pub(crate) fn task(&self, conversation: &Conversation, named: Named) {
        self.with(conversation, |memory| {
            memory.tasks.retain(|known| known.task.upstream != named.task.upstream);
            if memory.tasks.len() >= MAX_OPEN {
                memory.tasks.pop_front();
            }
            memory.tasks.push_back(named);
        });
    }

    /// The task that the server calls `upstream`, if the agent knows it.
    pub(crate) fn task_of(&self, conversation: &Conversation, upstream: &str) -> Option<Named> {
        let all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(conversation)?.tasks.iter().find(|named| named.task.upstream == upstream).cloned()
    }

    /// Whether a request of this id waits for its answer.
    pub fn waits(&self, conversation: &Conversation, id: &IdKey) -> bool {
        let all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(conversation).is_some_and(|memory| memory.waiting.contains_key(id))
    }

    /// The answer to an earlier request has come.
    pub fn found(&self, conversation: &Conversation, id: &IdKey) -> Option<Expected> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(conversation)?.waiting.remove(id).map(|waiting| waiting.expected)
    }

    /// The server has said something: whoever waits may wait on.
    pub fn heard(&self, conversation: &Conversation) {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = all.get_mut(conversation).filter(|memory| !memory.waiting.is_empty()) {
            memory.heard = Some(Instant::now());
        }
    }

    /// Takes what has waited for `limit`, in which the server was silent.
    pub fn overdue(&self, conversation: &Conversation, limit: Duration) -> Vec<Expected> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(memory) = all.get_mut(conversation) else { return Vec::new() };
        if memory.heard.is_some_and(|heard| heard.elapsed() < limit) || memory.thinks(limit) {
            return Vec::new();
        }
        let late = |waiting: &Waiting| waiting.since.elapsed() >= limit && !waiting.expected.may_last();
        let ids: Vec<IdKey> =
            memory.waiting.iter().filter(|(_, waiting)| late(waiting)).map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| memory.waiting.remove(id)).map(|waiting| waiting.expected).collect()
    }

    /// Takes all that still waits, to be told that no answer will come.
    pub fn all_waiting(&self, conversation: &Conversation) -> Vec<Expected> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(conversation) {
            Some(memory) => memory.waiting.drain().map(|(_, waiting)| waiting.expected).collect(),
            None => Vec::new(),
        }
    }

    /// A server's part of a session with a stack was opened anew, under another id; or, with an empty one, has ended.
    pub fn reopen(&self, conversation: &Conversation, server: &str, id: String) {
        self.with(conversation, |memory| memory.reopened.insert(server.into(), id));
    }

    /// What a server's part of a session is known by since it was opened anew.
    pub fn reopened(&self, conversation: &Conversation, server: &str) -> Option<String> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = all.get_mut(conversation)?;
        // Whoever asks is using the session: it is not forgotten meanwhile.
        memory.touched = Some(Instant::now());
        memory.reopened.get(server).cloned()
    }

    /// Whether an agent has ended the session.
    pub fn has_ended(&self, number: SessionNumber) -> bool {
        // Read without a lock, because most sessions are never ended and every call asks.
        self.any_ended.load(Ordering::Acquire)
            && self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&number)
    }

    /// The conversation has ended.
    pub fn ended(&self, conversation: &Conversation) {
        if let Conversation::Session(number) = conversation {
            self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(*number, Instant::now());
            self.any_ended.store(true, Ordering::Release);
        }
        let memory = self.conversations.lock().unwrap_or_else(PoisonError::into_inner).remove(conversation);
        // Dropped here, outside the lock: what still waits records its end.
        drop(memory);
    }

    /// Forgets what was not used for an hour. To be called now and then.
    pub fn sweep(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, since| since.elapsed() < REMEMBERED);
        self.any_ended.store(!ended.is_empty(), Ordering::Release);
        drop(ended);
        let (mut old, mut late, now) = (Vec::new(), Vec::new(), Instant::now());
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, memory| {
            late.extend(memory.waiting.extract_if(|_, waiting| waiting.until.is_some_and(|until| until <= now)));
            let keep = memory.touched.is_some_and(|touched| touched.elapsed() < FORGOTTEN_AFTER);
            if !keep {
                old.push(std::mem::take(memory));
            }
            keep
        });
        drop(all);
        drop((old, late));
    }

    fn with<T>(&self, conversation: &Conversation, act: impl FnOnce(&mut Memory) -> T) -> Option<T> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SESSIONS && !all.contains_key(conversation) {
            return None;
        }
        let memory = all.entry(conversation.clone()).or_default();
        memory.touched = Some(Instant::now());
        Some(act(memory))
    }
}
