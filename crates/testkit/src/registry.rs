//! A registry of servers, as the official one answers: pages with cursors, what changed since a time,
//! entries that were withdrawn; and the ways in which a registry fails.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::record::{Log, Recorded};
use crate::wait::PATIENCE;
use crate::wire::Wire;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(600);

/// What a version of a server is listed with.
const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

/// A version of a server, as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The `server.json`.
    pub server: Value,
    /// `active`, `deprecated` or `deleted`.
    pub status: &'static str,
    /// When it last changed; times of one form are in the order of their letters.
    pub updated: String,
    /// Whether it is the latest version.
    pub latest: bool,
}

impl Listed {
    /// The latest version of an active server.
    pub fn new(name: &str, version: &str, updated: &str) -> Self {
        let server = json!({ "name": name, "description": format!("The server {name}"), "version": version });
        Self { server, status: "active", updated: updated.to_owned(), latest: true }
    }

    /// With other members of its `server.json`.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        if let Some(members) = self.server.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
        self
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    /// Not the latest version.
    #[must_use]
    pub fn older(mut self) -> Self {
        self.latest = false;
        self
    }

    fn text(&self, member: &str) -> &str {
        self.server.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// What a cursor of the real registry looks like.
    fn key(&self) -> String {
        format!("{}:{}", self.text("name"), self.text("version"))
    }

    fn document(&self) -> Value {
        json!({ "server": self.server, "_meta": { OFFICIAL: {
            "status": self.status, "statusChangedAt": self.updated, "publishedAt": "2025-01-01T00:00:00Z",
            "updatedAt": self.updated, "isLatest": self.latest } } })
    }
}

/// What is answered instead of a page.
#[derive(Debug, Clone)]
pub enum Instead {
    /// A status, with header fields.
    Status(u16, Vec<(&'static str, String)>),
    /// This body, with status 200.
    Body(String),
    /// The head of an answer and the beginning of its body; then the connection is closed.
    Cut,
}

#[derive(Debug, Default)]
struct Offer {
    entries: Vec<Listed>,
    /// What the next requests get instead; `None` is a page.
    instead: VecDeque<Option<Instead>>,
    /// Entries of a page, at most.
    page: usize,
}

#[derive(Debug)]
struct Shared {
    offer: Mutex<Offer>,
    log: Log,
    stopped: AtomicBool,
}

impl Shared {
    fn offer(&self) -> MutexGuard<'_, Offer> {
        self.offer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The registry. It stops listening when it is dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Registry {
    /// Starts a registry on a free port of loopback.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(entries: Vec<Listed>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listening on loopback")?;
        let address = listener.local_addr()?;
        let offer = Mutex::new(Offer { entries, instead: VecDeque::new(), page: 100 });
        let shared = Arc::new(Shared { offer, log: Log::default(), stopped: AtomicBool::new(false) });
        let served = Arc::clone(&shared);
        std::thread::Builder::new().name("registry".into()).spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if served.stopped.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&served);
                std::thread::spawn(move || connection(&shared, number, stream));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// Its address, for `--registry`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lists other entries from now on.
    pub fn set(&self, entries: Vec<Listed>) {
        self.shared.offer().entries = entries;
    }

    /// Gives so many entries at once, at most.
    pub fn page(&self, entries: usize) {
        self.shared.offer().page = entries;
    }

    /// Answers the next requests otherwise; `None` is a page.
    pub fn instead(&self, answers: impl IntoIterator<Item = Option<Instead>>) {
        self.shared.offer().instead.extend(answers);
    }

    /// Every request target so far.
    pub fn asked(&self) -> Vec<String> {
        self.shared.log.lock().requests.iter().map(|request| request.path.clone()).collect()
    }

    /// On how many connections the requests came.
    pub fn connections(&self) -> usize {
        let mut numbers: Vec<usize> =
            self.shared.log.lock().requests.iter().map(|request| request.connection).collect();
        numbers.dedup();
        numbers.len()
    }

    /// Waits until so many requests came.
    ///
    /// # Errors
    /// When they do not.
    pub fn wait_for(&self, count: usize) -> anyhow::Result<()> {
        self.shared.log.until("requests", PATIENCE, |state| (state.requests.len() >= count).then_some(()))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits in accept.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn connection(shared: &Shared, number: usize, stream: TcpStream) {
    let mut wire = Wire::new(stream);
    while let Ok(Some(head)) = wire.head(IDLE) {
        let Ok(body) = wire.request_body(&head, IDLE) else { break };
        let recorded = Recorded {
            connection: number,
            method: head.method().to_owned(),
            path: head.target().to_owned(),
            headers: head.headers.clone(),
            body,
        };
        let instead = shared.offer().instead.pop_front().flatten();
        let answered = match instead {
            Some(Instead::Cut) => {
                let _ = wire.stream().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"servers\":[");
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }
            Some(Instead::Status(status, fields)) => reply(&mut wire, status, &fields, "{\"error\":\"not now\"}"),
            Some(Instead::Body(body)) => reply(&mut wire, 200, &[], &body),
            None => {
                let (status, body) = listing(&shared.offer(), head.target());
                reply(&mut wire, status, &[], &body.to_string())
            }
        };
        shared.log.change(|state| state.requests.push(recorded));
        if answered.is_err() {
            break;
        }
    }
    let _ = wire.stream().shutdown(Shutdown::Both);
}

fn reply(wire: &mut Wire, status: u16, fields: &[(&'static str, String)], body: &str) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    wire.stream().write_all(head.as_bytes())
}

/// What the registry answers: a status and a document.
fn listing(offer: &Offer, target: &str) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/v0.1/servers" {
        return (404, json!({ "error": "Not Found" }));
    }
    let asked = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| decoded(value))
    };
    let since = asked("updated_since");
    let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(30_usize);
    if limit > 100 {
        return (422, json!({ "error": "limit must be at most 100" }));
    }
    let latest = asked("version").is_some_and(|version| version == "latest");
    let mut entries: Vec<&Listed> = offer
        .entries
        .iter()
        .filter(|entry| !latest || entry.latest)
        // What was withdrawn is told to whoever asks for changes, and to nobody else.
        .filter(|entry| since.as_ref().map_or(entry.status != "deleted", |since| entry.updated >= *since))
        .collect();
    entries.sort_by_key(|entry| entry.key());
    let cursor = asked("cursor");
    if cursor.as_deref() == Some("") {
        return (400, json!({ "error": "Invalid cursor parameter" }));
    }
    let after: Vec<&Listed> =
        entries.into_iter().filter(|entry| cursor.as_ref().is_none_or(|cursor| entry.key() > *cursor)).collect();
    let page: Vec<&Listed> = after.iter().copied().take(limit.min(offer.page)).collect();
    let next = page.last().filter(|_| after.len() > page.len()).map(|last| last.key());
    let documents: Vec<Value> = page.iter().map(|entry| entry.document()).collect();
    (200, json!({ "servers": documents, "metadata": { "nextCursor": next, "count": page.len() } }))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits: String = if byte == b'%' { rest.by_ref().take(2).map(char::from).collect() } else { String::new() };
        bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
