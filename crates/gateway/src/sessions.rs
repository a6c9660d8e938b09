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

/// How long an agent may take to answer a question of a server, while the server's silence is no fault of its own; and how
/// long no call is excused for questions at most, however many there are, while nothing is said about it.
pub(crate) const THINKS: Duration = Duration::from_secs(600);

/// Questions whose answers are remembered, so that what was asked about goes on in time.
const LATELY: usize = 64;

/// Questions and requests that one session may leave open.
const MAX_OPEN: usize = 1024;

/// Sessions that are remembered at all.
const MAX_SESSIONS: usize = 100_000;

/// For how long the silence about a request was that of an agent who thinks.
#[derive(Debug, Default)]
pub(crate) struct Excused(Duration);

impl Excused {
    /// Whether it may be so for once more, after a silence of so long.
    pub(crate) fn once_more(&mut self, silence: Duration) -> bool {
        self.0 = self.0.saturating_add(silence);
        self.0 < THINKS.max(silence.saturating_mul(2))
    }
}

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

/// A question of the server: since when it is open or was answered, and which request it was asked about, where that can be
/// told.
struct Question {
    since: Instant,
    about: Option<IdKey>,
}

impl Question {
    /// Whether it may be what a request of this id waits for.
    fn may_concern(&self, request: &IdKey) -> bool {
        self.about.as_ref().is_none_or(|about| about == request)
    }
}

#[derive(Default)]
struct Memory {
    /// Questions of the server that the agent has not answered.
    asked: HashMap<IdKey, Question>,
    /// Those that it answered last, the latest last.
    said: VecDeque<Question>,
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
    fn thinks(&self, limit: Duration, request: &IdKey) -> bool {
        let within = |question: &Question, time| question.may_concern(request) && question.since.elapsed() < time;
        self.asked.values().any(|asked| within(asked, THINKS)) || self.said.iter().any(|said| within(said, limit))
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
    /// The server has asked, about a request where that can be told; false if it has asked too much.
    pub fn asked(&self, conversation: &Conversation, id: IdKey, about: Option<IdKey>) -> bool {
        self.with(conversation, |memory| {
            let question = Question { since: Instant::now(), about };
            memory.asked.len() < MAX_OPEN && memory.asked.insert(id, question).is_none()
        })
        .unwrap_or(false)
    }

    /// Whether a server that was silent about a request for `limit` waits, or waited until lately, for what its agent thinks of
    /// a question.
    pub fn thinks(&self, conversation: &Conversation, limit: Duration, request: &IdKey) -> bool {
        let all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(conversation).is_some_and(|memory| memory.thinks(limit, request))
    }

    /// The agent answers; true if the server had asked that and was not answered yet.
    pub fn answered(&self, conversation: &Conversation, id: &IdKey) -> bool {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(conversation).is_some_and(|memory| {
            let Some(question) = memory.asked.remove(id) else { return false };
            if memory.said.len() == LATELY {
                memory.said.pop_front();
            }
            memory.said.push_back(Question { since: Instant::now(), ..question });
            true
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

    /// What is awaited there, where that is one request alone: what a server says unasked is about that one.
    pub(crate) fn with_the_only<T>(
        &self,
        conversation: &Conversation,
        act: impl FnOnce(&mut Expected) -> T,
    ) -> Option<T> {
        let mut all = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = all.get_mut(conversation).filter(|memory| memory.waiting.len() == 1)?;
        memory.waiting.values_mut().next().map(|waiting| act(&mut waiting.expected))
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
        if memory.heard.is_some_and(|heard| heard.elapsed() < limit) {
            return Vec::new();
        }
        let late = |(id, waiting): &(&IdKey, &Waiting)| {
            waiting.since.elapsed() >= limit && !waiting.expected.may_last() && !memory.thinks(limit, id)
        };
        let ids: Vec<IdKey> = memory.waiting.iter().filter(late).map(|(id, _)| id.clone()).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn id(number: i64) -> IdKey {
        mcp::message::parse_client(format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"ping"}}"#).as_bytes())
            .ok()
            .and_then(|body| match body {
                mcp::message::Body::One(mcp::message::Message::Request(request)) => Some(request.id.key()),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn a_question_excuses_the_silence_about_what_it_is_about() {
        let sessions = Sessions::default();
        let conversation = Conversation::Grant("g".to_owned(), "s".to_owned());
        let thinks = |request| sessions.thinks(&conversation, LIMIT, &id(request));
        assert!(sessions.asked(&conversation, id(100), Some(id(1))));
        assert!(thinks(1) && !thinks(2), "it is known what is waited for");
        assert!(sessions.answered(&conversation, &id(100)));
        assert!(thinks(1) && !thinks(2), "the server has as long as ever to go on");
        assert!(!sessions.thinks(&conversation, Duration::ZERO, &id(1)));
        assert!(sessions.asked(&conversation, id(101), None));
        assert!(thinks(1) && thinks(2), "it may be about either");
        assert!(!sessions.answered(&conversation, &id(100)), "that was answered");
    }

    #[test]
    fn no_silence_is_excused_for_ever() {
        let mut excused = Excused::default();
        let times = (0..100).take_while(|_| excused.once_more(LIMIT)).count();
        assert_eq!(times, 9, "ten minutes are over with the tenth");
        assert!(Excused::default().once_more(2 * THINKS), "a server that may be silent for longer is waited for once");
    }
}
