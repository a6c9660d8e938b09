//! A legacy agent of a server that keeps no sessions: what it said of itself is sealed in its session's id.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use mcp::message::IdKey;
use tokio::sync::{oneshot, watch};

use super::exchange::LEVELS;

use crate::seal::{Session, SessionNumber};

/// What marks a session that is the gateway's own: no upstream's id begins so, because it is visible ASCII.
const MARK: &str = "\u{1}";

/// The most of an agent's words that an id carries.
const MOST: usize = 1500;

/// How long what a session has said is remembered when nobody uses it.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Resources that one session watches, and how long the URI of one may be, in bytes.
const MOST_WATCHED: usize = 1000;
const LONGEST_WATCHED: usize = 8192;

/// Sessions whose words are remembered.
const MAX_AGENTS: usize = 100_000;

/// What an agent said of itself in `initialize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// Its capabilities, a JSON object.
    pub(crate) capabilities: String,
    /// Its name and version, a JSON object.
    pub(crate) info: Option<String>,
}

impl Agent {
    /// The agent of a session, if that is one of the gateway's own.
    pub(crate) fn of(session: &Session) -> Option<Self> {
        let said = session.upstream.strip_prefix(MARK)?;
        let (capabilities, info) = said.split_once(MARK)?;
        Some(Self { capabilities: capabilities.to_owned(), info: (!info.is_empty()).then(|| info.to_owned()) })
    }

    /// What is sealed in the id of its session. Of an agent that says a lot, what it is able to answer is kept.
    pub(super) fn sealed(&self) -> String {
        let info = self.info.as_deref().filter(|info| info.len() + self.capabilities.len() <= MOST).unwrap_or_default();
        let capabilities = if self.capabilities.len() <= MOST { self.capabilities.clone() } else { self.outline() };
        format!("{MARK}{capabilities}{MARK}{info}")
    }

    fn outline(&self) -> String {
        let kept = ["elicitation", "sampling", "roots"].into_iter().filter_map(|name| {
            let declared = mcp::json::locate(&self.capabilities, &[name]).ok()??.of(&self.capabilities);
            let said = match name {
                "elicitation" => mcp::elicitation::Kinds::of(declared).declared()?,
                _ => "{}",
            };
            Some(format!("\"{name}\":{said}"))
        });
        format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
    }
}

/// What an agent's session has said since, and what it was asked.
struct Memory {
    level: Option<String>,
    uris: BTreeSet<String>,
    /// Rises with each change of `uris`.
    changes: watch::Sender<u64>,
    questions: HashMap<IdKey, oneshot::Sender<Vec<u8>>>,
    under_way: HashMap<IdKey, oneshot::Sender<()>>,
    touched: Instant,
}

/// All of them. In memory: another replica that takes over a session does not know what it has set and asked.
#[derive(Default)]
pub(super) struct Agents(HashMap<SessionNumber, Memory>);

impl Agents {
    fn of(&mut self, number: SessionNumber) -> Option<&mut Memory> {
        if self.0.len() >= MAX_AGENTS && !self.0.contains_key(&number) {
            return None;
        }
        let memory = self.0.entry(number).or_insert_with(|| Memory {
            level: None,
            uris: BTreeSet::new(),
            changes: watch::Sender::default(),
            questions: HashMap::new(),
            under_way: HashMap::new(),
            touched: Instant::now(),
        });
        memory.touched = Instant::now();
        Some(memory)
    }

    /// Asks for log messages of a level; false if there is none of that name.
    pub(super) fn set_level(&mut self, number: SessionNumber, level: &str) -> bool {
        let known = LEVELS.contains(&level);
        if let Some(memory) = self.of(number).filter(|_| known) {
            memory.level = Some(level.to_owned());
        }
        known
    }

    pub(super) fn level(&self, number: SessionNumber) -> Option<String> {
        self.0.get(&number)?.level.clone()
    }

    /// Watches a resource, or no longer; false if that are too many.
    pub(super) fn watch(&mut self, number: SessionNumber, uri: &str, wanted: bool) -> bool {
        let Some(memory) = self.of(number) else { return false };
        if wanted && (memory.uris.len() >= MOST_WATCHED || uri.len() > LONGEST_WATCHED) {
            return false;
        }
        let changed = if wanted { memory.uris.insert(uri.to_owned()) } else { memory.uris.remove(uri) };
        if changed {
            memory.changes.send_modify(|count| *count += 1);
        }
        true
    }

    /// The resources that a session watches, and news of changes.
    pub(super) fn watched(&mut self, number: SessionNumber) -> Option<(Vec<String>, watch::Receiver<u64>)> {
        let memory = self.of(number)?;
        let mut changes = memory.changes.subscribe();
        changes.mark_unchanged();
        Some((memory.uris.iter().cloned().collect(), changes))
    }

    /// Waits for the agent's answer to a question of this id.
    pub(super) fn ask(&mut self, number: SessionNumber, id: IdKey) -> Option<oneshot::Receiver<Vec<u8>>> {
        let memory = self.of(number)?;
        // Who waited may have gone.
        memory.questions.retain(|_, answer| !answer.is_closed());
        if memory.questions.len() >= 1024 {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        memory.questions.insert(id, answer);
        Some(answered)
    }

    /// An agent's answer has come; false if nobody had asked that.
    pub(super) fn answered(&mut self, number: SessionNumber, id: &IdKey, answer: &str) -> bool {
        let question = self.0.get_mut(&number).and_then(|memory| memory.questions.remove(id));
        question.is_some_and(|question| question.send(answer.as_bytes().to_vec()).is_ok())
    }

    pub(super) fn forget_question(&mut self, number: SessionNumber, id: &IdKey) {
        if let Some(memory) = self.0.get_mut(&number) {
            memory.questions.remove(id);
        }
    }

    /// A request is under way; the receiver hears when the agent cancels it.
    pub(super) fn begun(&mut self, number: SessionNumber, id: IdKey) -> Option<oneshot::Receiver<()>> {
        let memory = self.of(number)?;
        let (cancel, cancelled) = oneshot::channel();
        memory.under_way.retain(|_, cancel| !cancel.is_closed());
        memory.under_way.insert(id, cancel);
        Some(cancelled)
    }

    pub(super) fn cancelled(&mut self, number: SessionNumber, id: &IdKey) {
        if let Some(cancel) = self.0.get_mut(&number).and_then(|memory| memory.under_way.remove(id)) {
            let _ = cancel.send(());
        }
    }

    pub(super) fn ended(&mut self, number: SessionNumber) {
        self.0.remove(&number);
    }

    pub(super) fn sweep(&mut self) {
        self.0.retain(|_, memory| memory.touched.elapsed() < REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_said_comes_back_from_its_session() {
        let session = |upstream: String| Session { number: SessionNumber([1; 16]), revision: None, upstream };
        let agent = Agent { capabilities: r#"{"roots":{}}"#.to_owned(), info: Some(r#"{"name":"n"}"#.to_owned()) };
        assert_eq!(Agent::of(&session(agent.sealed())), Some(agent.clone()));
        let wordy = Agent { info: Some("x".repeat(MOST)), ..agent.clone() };
        assert_eq!(Agent::of(&session(wordy.sealed())), Some(Agent { info: None, ..agent }));
        let able = Agent { capabilities: format!(r#"{{"sampling":{{"x":"{}"}}}}"#, "x".repeat(MOST)), info: None };
        let kept = Agent { capabilities: r#"{"sampling":{}}"#.to_owned(), info: None };
        assert_eq!(Agent::of(&session(able.sealed())), Some(kept));
        assert_eq!(Agent::of(&session("upstream-session-1".to_owned())), None);
        assert_eq!(Agent::of(&session(String::new())), None);
    }
}
