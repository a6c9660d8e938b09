//! The way to a child process: one stdin and stdout that requests of several kinds share. A server of HTTP+SSE stands in
//! the place of one.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp::message::IdKey;
use mcp::revision::Revision;
use tokio::sync::{mpsc, oneshot};
use upstream::child::{Child, Command, Junk, JunkSink, StderrSink};
use upstream::http::Endpoint;

use crate::gateway::Gateway;
use crate::grant::Grant;
use crate::http_link::{answer_to, list_params, own_id};
use crate::partner::Partner;
use crate::pipeline::AskForTools;
use crate::relay;
use crate::server::{Reach, Server};
use crate::sse_link::SseLink;
use crate::unreadable::{NO_ROOM, Unreadable, begun_answer, evident_id};

/// How long a child may take to answer the gateway's own questions.
const OWN_PATIENCE: Duration = Duration::from_secs(30);

/// Lines of a child that may wait to be read.
const LINES: usize = 256;

/// Who waits for the answer to each of the gateway's own questions.
type Questions = HashMap<String, oneshot::Sender<Result<String, String>>>;

/// Hears of an answer that was lost: the id of its request, if that is known.
type LossSink = Box<dyn Fn(Option<IdKey>) + Send + Sync>;

/// A running child and the gateway's own questions to it.
pub struct ChildLink {
    /// The process, or what stands in its place.
    pub child: Partner,
    /// What it said that was no message.
    unreadable: Arc<Unreadable>,
    /// Who waits for what it says.
    loss: OnceLock<LossSink>,
    /// The gateway's own questions; `None` when nobody is left to answer them.
    own: Mutex<Option<Questions>>,
    /// The modern revision, once the child is asked in it.
    modern: OnceLock<Revision>,
    /// The legacy revision that was agreed on, once it was.
    pub negotiated: OnceLock<Revision>,
}

/// Keeps a server from being restarted in a tight loop.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<Option<(u32, Instant)>>);

impl Backoff {
    /// How long to wait before the next start.
    pub fn wait(&self) -> Option<Duration> {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (failures, last) = state?;
        // 0.5 s, doubled up to a minute.
        let pause = Duration::from_millis(500).saturating_mul(1 << failures.min(7)).min(Duration::from_secs(60));
        pause.checked_sub(last.elapsed()).filter(|left| !left.is_zero())
    }

    /// The child ended without having served for a minute.
    pub fn failed(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = state.map_or(0, |(failures, _)| failures + 1);
        *state = Some((failures, Instant::now()));
    }

    /// The child served well.
    pub fn served(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Begins a conversation for a grant: starts its server's program, or opens a connection to its HTTP+SSE endpoint. Gives the link and
/// the server's messages.
///
/// # Errors
/// A sentence for the agent.
pub fn start(
    gateway: &Arc<Gateway>,
    grant: &Arc<Grant>,
    modern: Option<Revision>,
    stderr: StderrSink,
) -> Result<(Arc<ChildLink>, mpsc::Receiver<Bytes>), String> {
    let server = grant.server();
    match &server.config.reach {
        Reach::Child(command) => start_program(gateway, grant, command, modern, stderr),
        Reach::Http(endpoint) | Reach::Sse(endpoint) => connect(gateway, grant, endpoint),
    }
}

fn connect(
    gateway: &Arc<Gateway>,
    grant: &Arc<Grant>,
    endpoint: &Endpoint,
) -> Result<(Arc<ChildLink>, mpsc::Receiver<Bytes>), String> {
    // It outlives the worker on which its first message came, and so that one's connections.
    let client = gateway.client_beside().ok_or("the system's certificate authorities cannot be used")?;
    let (messages, output) = mpsc::channel(LINES);
    let server = grant.server();
    let words = gateway.returning().words(server, grant.key());
    let link = SseLink::open_within(words, gateway.background(), client, server, endpoint.clone(), messages);
    Ok((Arc::new(ChildLink::new(Partner::Sse(link), None, Arc::default())), output))
}

/// Starts the server's program and registers its process group, so that whoever comes after a
/// killed gateway can end it.
fn start_program(
    gateway: &Arc<Gateway>,
    grant: &Arc<Grant>,
    command: &Command,
    modern: Option<Revision>,
    stderr: StderrSink,
) -> Result<(Arc<ChildLink>, mpsc::Receiver<Bytes>), String> {
    let server = grant.server();
    if let Some(wait) = server.backoff.wait() {
        return Err(format!(
            "the server has ended early several times; it is started again in {} s",
            wait.as_secs() + 1
        ));
    }
    let (lines, output) = mpsc::channel(LINES);
    let _background = gateway.background().enter();
    let unreadable = Arc::new(Unreadable::default());
    let (counted, told, of) = (Arc::clone(&unreadable), Arc::downgrade(gateway), Arc::downgrade(server));
    let running = Arc::new(OnceLock::<Weak<ChildLink>>::new());
    let speaker = Arc::clone(&running);
    let junk: JunkSink = Arc::new(move |junk| {
        let (Some(gateway), Some(server)) = (told.upgrade(), of.upgrade()) else { return };
        if let Some(said) = counted.note(junk, |text| relay::quoted_to_all(&gateway, &server, text)) {
            gateway.tell(server.id(), &said);
        }
        if let Junk::NoRoom(begun) = junk
            && let Some(link) = speaker.get().and_then(Weak::upgrade)
        {
            link.lost(begun);
        }
    });
    let room = Box::new(gateway.unfinished().answer_to(grant));
    let child = Child::spawn(command, lines, stderr, junk, room).map_err(|error| cannot_start(command, &error))?;
    gateway.child_started(server, child.group());
    let link = Arc::new(ChildLink::new(Partner::Program(child), modern, unreadable));
    let _ = running.set(Arc::downgrade(&link));
    let watched = Arc::clone(&link);
    let (gateway, server) = (Arc::clone(gateway), Arc::clone(server));
    let since = Instant::now();
    tokio::spawn(async move {
        let Partner::Program(child) = &watched.child else { return };
        let exit = child.ended().await;
        if since.elapsed() > Duration::from_secs(60) {
            server.backoff.served();
        } else if exit.is_some_and(|exit| !exit.status.success()) && !child.is_told_to_stop() {
            server.backoff.failed();
        }
        gateway.child_ended(&server, child.group(), exit, child.junk_lines());
    });
    Ok((link, output))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("the server's program `{}` cannot be started: {error}", command.program.to_string_lossy())
}

impl ChildLink {
    fn new(child: Partner, modern: Option<Revision>, unreadable: Arc<Unreadable>) -> Self {
        Self {
            child,
            unreadable,
            loss: OnceLock::new(),
            own: Mutex::new(Some(Questions::new())),
            modern: modern.map(OnceLock::from).unwrap_or_default(),
            negotiated: OnceLock::new(),
        }
    }

    /// The agent speaks a modern revision, so the gateway asks in it too.
    pub fn speaks(&self, revision: Revision) {
        let _ = self.modern.set(revision);
    }

    /// Takes an answer to a question of the gateway's own; false if the message is none.
    pub fn takes(&self, message: &[u8]) -> bool {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = own.as_mut().filter(|own| !own.is_empty()) else { return false };
        let found = own.keys().find_map(|id| match answer_to(id, message) {
            Some(answer) if names(message, id) => Some((id.clone(), answer)),
            _ => None,
        });
        let Some((id, answer)) = found else { return false };
        if let Some(waiting) = own.remove(&id) {
            let _ = waiting.send(answer);
        }
        true
    }

    /// Looks at a message that answers nothing: whoever runs the gateway is told if it is none. Gives the id of the request
    /// that it evidently answers all the same.
    pub(crate) fn unreadable(&self, gateway: &Gateway, server: &Arc<Server>, message: &[u8]) -> Option<IdKey> {
        if mcp::message::parse_upstream(message).is_ok() {
            return None;
        }
        if let Some(said) =
            self.unreadable.note(Junk::Words(message), |text| relay::quoted_to_all(gateway, server, text))
        {
            gateway.tell(server.id(), &said);
        }
        evident_id(message)
    }

    /// Says who is to hear of answers that are lost.
    pub(crate) fn on_loss(&self, sink: LossSink) {
        let _ = self.loss.set(sink);
    }

    /// A line was left out of which this had come: whoever waits for it need not wait for longer.
    fn lost(&self, begun: &[u8]) {
        let Some(id) = begun_answer(begun) else { return };
        if let Some(own) = &mut *self.own.lock().unwrap_or_else(PoisonError::into_inner) {
            let asked = own.keys().find(|own| id.is_some() && crate::names::key(&format!("\"{own}\"")) == id).cloned();
            if let Some(waiting) = asked.and_then(|asked| own.remove(&asked)) {
                let _ = waiting.send(Err(format!("its answer was left out, because {NO_ROOM}")));
                return;
            }
            // It may be the answer to one of these.
            if id.is_none() && !own.is_empty() {
                return;
            }
        }
        if let Some(sink) = self.loss.get() {
            sink(id);
        }
    }

    /// Asks something of the gateway's own.
    ///
    /// # Errors
    /// Why there is no result.
    pub async fn ask(&self, method: &str, params: &str) -> Result<String, String> {
        let id = own_id();
        let message = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#);
        let (answer, answered) = oneshot::channel();
        match &mut *self.own.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(own) => drop(own.insert(id.clone(), answer)),
            None => return Err(self.child.why_ended()),
        }
        let exchanged = async {
            let undelivered = self.child.post(message.into()).await?;
            let answer = async { answered.await.unwrap_or_else(|_| Err(self.child.why_ended())) };
            match undelivered {
                None => answer.await,
                Some(undelivered) => tokio::select! {
                    Ok(why) = undelivered => Err(why.reason),
                    answer = answer => answer,
                },
            }
        };
        // A child that does not read its stdin may not even take the question.
        let result = tokio::time::timeout(OWN_PATIENCE, exchanged).await;
        let result =
            result.unwrap_or_else(|_| Err(format!("the server did not answer {method} within {OWN_PATIENCE:?}")));
        if let Some(own) = &mut *self.own.lock().unwrap_or_else(PoisonError::into_inner) {
            own.remove(&id);
        }
        result
    }

    /// Whether the child is gone.
    pub fn has_hung_up(&self) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The child is gone: nobody will answer.
    pub fn hang_up(&self) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Whether a message can be the answer to `id`: own ids are too long to stand there by chance.
fn names(message: &[u8], id: &str) -> bool {
    memchr::memmem::find(message, id.as_bytes()).is_some()
}

impl AskForTools for ChildLink {
    fn page(&self, cursor: Option<String>) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        // An agent may have tried the stateless era first and then agreed on an older revision.
        let modern = self.modern.get().copied().filter(|_| self.negotiated.get().is_none());
        let params = list_params(cursor.as_deref(), modern);
        Box::pin(async move { self.ask("tools/list", &params).await })
    }
}

impl AskForTools for Arc<ChildLink> {
    fn page(&self, cursor: Option<String>) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        ChildLink::page(self, cursor)
    }
}
