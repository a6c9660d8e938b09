//! An MCP server over HTTP+SSE, the transport of 2024-11-05: a stream that brings everything, and an address that takes
//! everything.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::plan::{Step, plan, text};
use super::reply::Reply;
use crate::message::result;
use crate::record::{Log, Recorded};
use crate::script::Script;
use crate::sse;
use crate::wait::PATIENCE;
use crate::wire::Wire;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(600);

/// How often a waiting answer looks around.
const LOOK: Duration = Duration::from_millis(5);

/// How such a server behaves beside its script.
#[derive(Debug, Clone)]
pub struct Manners {
    /// What its stream says first, where `{session}` stands for the session: usually the event that names the address for
    /// messages.
    pub opening: String,
    /// The status of its answer to a message.
    pub receipt: u16,
    /// The status of its answer to a POST at the address of the stream.
    pub other_transport: u16,
    /// A gate at which its answers to calls of tools wait, while the stream brings what there is to say.
    pub receipt_gate: Option<String>,
    /// Answers to a GET with this instead of a stream: status and header fields.
    pub no_stream: Option<(u16, Vec<(String, String)>)>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            opening: "event: endpoint\ndata: /messages?session_id={session}\n\n".to_owned(),
            receipt: 202,
            other_transport: 405,
            receipt_gate: None,
            no_stream: None,
        }
    }
}

/// The server. It stops listening when it is dropped.
#[derive(Debug)]
pub struct Older {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    manners: Manners,
    log: Log,
    /// Where each session's stream takes its words; `None` ends it.
    streams: Mutex<HashMap<String, Sender<Option<String>>>>,
    stopped: AtomicBool,
    numbers: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl Older {
    /// Starts a server with the usual manners.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(script: Script) -> anyhow::Result<Self> {
        Self::with(script, Manners::default())
    }

    /// Starts a server.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(script: Script, manners: Manners) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listening")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script,
            manners,
            log: Log::default(),
            streams: Mutex::default(),
            stopped: AtomicBool::new(false),
            numbers: AtomicUsize::new(0),
            connections: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        std::thread::Builder::new().name("older".into()).spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if served.stopped.load(Ordering::Acquire) {
                    return;
                }
                if let (Ok(handle), Ok(mut all)) = (stream.try_clone(), served.connections.lock()) {
                    all.push(handle);
                }
                let shared = Arc::clone(&served);
                std::thread::spawn(move || connection(&shared, number, stream));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// The address of its stream.
    pub fn url(&self) -> String {
        format!("http://{}/sse", self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.log.lock().requests.clone()
    }

    /// The names of the tools that were called so far.
    pub fn called(&self) -> Vec<String> {
        self.requests().iter().filter_map(Recorded::tool).collect()
    }

    /// How many requests of an HTTP method came so far.
    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|request| request.method == method).count()
    }

    /// Waits for a request that `wanted` takes.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Recorded) -> bool) -> anyhow::Result<Recorded> {
        self.shared.log.until(what, PATIENCE, |state| state.requests.iter().find(|request| wanted(request)).cloned())
    }

    /// Waits until so many clients have left their stream.
    ///
    /// # Errors
    /// When they stay.
    pub fn wait_for_gone(&self, count: usize) -> anyhow::Result<()> {
        self.shared.log.until("a client that leaves", PATIENCE, |state| (state.gone >= count).then_some(()))
    }

    /// Opens a gate.
    pub fn release(&self, gate: &str) {
        self.shared.log.change(|state| state.open.push(gate.to_owned()));
    }

    /// Writes something on every stream: events, or parts of them.
    pub fn say(&self, text: &str) {
        for stream in self.shared.streams().values() {
            let _ = stream.send(Some(text.to_owned()));
        }
    }

    /// Ends every stream.
    pub fn hang_up(&self) {
        for (_, stream) in self.shared.streams().drain() {
            let _ = stream.send(None);
        }
    }
}

impl Drop for Older {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits in accept.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        for connection in self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn streams(&self) -> MutexGuard<'_, HashMap<String, Sender<Option<String>>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(&self, session: &str, words: Option<String>) {
        if let Some(stream) = self.streams().get(session) {
            let _ = stream.send(words);
        }
    }

    fn waits_at(&self, gate: &str) {
        let opens = || self.log.until("a gate", LOOK, |state| state.open.iter().any(|open| open == gate).then_some(()));
        loop {
            if opens().is_ok() || self.stopped.load(Ordering::Acquire) {
                return;
            }
        }
    }
}

fn connection(shared: &Arc<Shared>, number: usize, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut wire = Wire::new(stream);
    while let Ok(Some(head)) = wire.head(IDLE) {
        let Ok(body) = wire.request_body(&head, IDLE) else { break };
        let request = Recorded {
            connection: number,
            method: head.method().to_owned(),
            path: head.target().to_owned(),
            headers: head.headers,
            body,
        };
        shared.log.change(|state| state.requests.push(request.clone()));
        let (path, session) = request.path.split_once("?session_id=").unwrap_or((&request.path, ""));
        let goes_on = match (request.method.as_str(), path) {
            ("GET", "/sse") => listen(shared, &mut wire).map(|()| false),
            ("POST", "/messages") if shared.streams().contains_key(session) => {
                take(shared, &mut wire, session, &request)
            }
            ("POST", "/sse") => {
                Reply::new(wire.stream()).whole(shared.manners.other_transport, "text/plain", "no").map(|()| true)
            }
            _ => Reply::new(wire.stream()).whole(404, "text/plain", "no such session").map(|()| true),
        };
        if shared.stopped.load(Ordering::Acquire) || !goes_on.unwrap_or(false) {
            break;
        }
    }
    let _ = wire.stream().shutdown(Shutdown::Both);
}

fn listen(shared: &Shared, wire: &mut Wire) -> std::io::Result<()> {
    if let Some((status, fields)) = &shared.manners.no_stream {
        let mut reply = Reply::new(wire.stream());
        reply.headers.clone_from(fields);
        return reply.whole(*status, "text/plain", "no");
    }
    let session = format!("s{}", shared.number());
    let (sender, words) = std::sync::mpsc::channel();
    shared.streams().insert(session.clone(), sender);
    let mut reply = Reply::new(wire.stream());
    reply.begin()?;
    let opening = shared.manners.opening.replace("{session}", &session);
    if !opening.is_empty() {
        reply.chunk(&opening)?;
    }
    loop {
        match words.recv_timeout(LOOK) {
            Ok(Some(words)) => Reply::new(wire.stream()).chunk(&words)?,
            Ok(None) => return Reply::new(wire.stream()).end(),
            Err(RecvTimeoutError::Timeout) if wire.is_closed() => {
                shared.streams().remove(&session);
                shared.log.change(|state| state.gone += 1);
                return Ok(());
            }
            Err(RecvTimeoutError::Timeout) if !shared.stopped.load(Ordering::Acquire) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// Takes one message; what follows from it is said on the stream, whatever else comes meanwhile.
fn take(shared: &Arc<Shared>, wire: &mut Wire, session: &str, request: &Recorded) -> std::io::Result<bool> {
    let message = request.json();
    let steps = plan(&shared.script, &message, shared.number());
    if let Some(Step::Http(status, kind, body)) = steps.first() {
        return Reply::new(wire.stream()).whole(*status, kind, body).map(|()| true);
    }
    let carried = Arc::clone(shared);
    let of = session.to_owned();
    std::thread::spawn(move || carry_out(&carried, &of, steps));
    if let (Some(gate), Some(_)) = (&shared.manners.receipt_gate, request.tool()) {
        shared.waits_at(gate);
    }
    Reply::new(wire.stream()).whole(shared.manners.receipt, "", "").map(|()| true)
}

fn carry_out(shared: &Shared, session: &str, steps: Vec<Step>) {
    let say = |message: &Value| shared.tell(session, Some(sse::write(None, &message.to_string())));
    for step in steps {
        match step {
            Step::Send(message) | Step::Answer(message) => say(&message),
            Step::Gate(gate) => shared.waits_at(&gate),
            Step::Pause(pause) => std::thread::sleep(Duration::from_millis(pause)),
            Step::Ask(asked, call) => {
                say(&asked);
                let said = shared.log.until("a reply", PATIENCE, |state| {
                    let mut messages = state.requests.iter().map(Recorded::json);
                    messages.find(|message| message.get("id") == asked.get("id") && message.get("method").is_none())
                });
                let Ok(reply) = said else { return };
                let said = reply.get("result").or_else(|| reply.get("error")).cloned().unwrap_or_default();
                say(&result(&call, text(&said.to_string(), false)));
            }
            Step::Die => shared.tell(session, None),
            Step::Bytes(bytes) => shared.tell(session, Some(bytes)),
            Step::Accept | Step::Hang | Step::Listen(..) | Step::Http(..) => {}
        }
    }
}
