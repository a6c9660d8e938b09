//! An MCP client over HTTP that sends what it is told to, and shows all that comes back.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::message::{self, LEGACY, MODERN, Outcome, call, hello, notification, request};
use crate::sse;
use crate::wait::PATIENCE;
use crate::wire::{Head, Wire};

/// A client of one endpoint. Each request has a connection of its own.
#[derive(Debug)]
pub struct McpHttp {
    address: SocketAddr,
    path: String,
    /// `Authorization: Bearer …`, if any.
    pub token: Option<String>,
    /// `Mcp-Session-Id`, if one was given by `initialize`.
    pub session: Mutex<Option<String>>,
    /// `MCP-Protocol-Version`, sent once it is known.
    pub revision: Mutex<Option<String>>,
    ids: AtomicI64,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status and header fields.
    pub head: Head,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.head.status().unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// All messages, of a JSON body or of a stream of events.
    pub fn messages(&self) -> Vec<Value> {
        let kind = self.head.headers.get("content-type").unwrap_or_default();
        if kind.starts_with("text/event-stream") {
            let events = sse::Reader::default().push(&self.body);
            return events.iter().filter_map(|event| serde_json::from_str(&event.data).ok()).collect();
        }
        serde_json::from_slice(&self.body).into_iter().collect()
    }

    /// The message that answers the request: the last one that is a response.
    ///
    /// # Errors
    /// When there is none.
    pub fn message(&self) -> anyhow::Result<Value> {
        let is_response = |message: &Value| message.get("method").is_none();
        let found = self.messages().into_iter().rfind(is_response);
        found.with_context(|| format!("no message in the answer {}: {}", self.head.first, self.text()))
    }

    /// The code of its JSON-RPC error, if it is one.
    pub fn error_code(&self) -> Option<i64> {
        self.message().ok()?.pointer("/error/code")?.as_i64()
    }
}

impl McpHttp {
    /// A client of an `http://` URL.
    ///
    /// # Errors
    /// When the URL is of another shape.
    pub fn new(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url} is no http URL"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self {
            address: authority.parse().with_context(|| format!("the address {authority}"))?,
            path: format!("/{path}"),
            token: token.map(str::to_owned),
            session: Mutex::default(),
            revision: Mutex::default(),
            ids: AtomicI64::new(1),
        })
    }

    /// A client of the legacy era that has said hello.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn legacy(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let client = Self::new(url, token)?;
        client.initialize(LEGACY)?;
        Ok(client)
    }

    /// A client of the modern era, which says no hello.
    ///
    /// # Errors
    /// When the URL is of another shape.
    pub fn modern(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let client = Self::new(url, token)?;
        client.speak(MODERN);
        Ok(client)
    }

    /// Sends this revision from now on.
    pub fn speak(&self, revision: &str) {
        if let Ok(mut spoken) = self.revision.lock() {
            *spoken = Some(revision.to_owned());
        }
    }

    /// A fresh id.
    pub fn id(&self) -> i64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Where it connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The fields that go with each request, as a client's library would send them.
    pub fn usual_headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("Host".to_owned(), self.address.to_string()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ];
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                headers.push((name.to_owned(), value));
            }
        };
        add("Authorization", self.token.as_ref().map(|token| format!("Bearer {token}")));
        add("Mcp-Session-Id", self.session.lock().ok().and_then(|session| session.clone()));
        add("MCP-Protocol-Version", self.revision.lock().ok().and_then(|revision| revision.clone()));
        headers
    }

    fn is_modern(&self) -> bool {
        self.revision.lock().is_ok_and(|revision| revision.as_deref() == Some(MODERN))
    }

    /// Opens a connection and sends a request with exactly these header fields, then the length.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn send(&self, method: &str, headers: &[(String, String)], body: &[u8]) -> anyhow::Result<Open> {
        let mut head = format!("{method} {} HTTP/1.1\r\n", self.path);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_nodelay(true)?;
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        stream.write_all(&bytes)?;
        Ok(Open {
            wire: Wire::new(stream),
            head: None,
            events: sse::Reader::default(),
            ready: Vec::new(),
            ended: false,
        })
    }

    /// Posts bytes with the usual header fields and `extra`, which replace those of their name.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn post_with(&self, extra: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Answer> {
        self.open_with(extra, body)?.answer(PATIENCE)
    }

    /// [`McpHttp::post_with`] that gives the answer while it comes.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn open_with(&self, extra: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Open> {
        let mut headers = self.usual_headers();
        headers.retain(|(name, _)| !extra.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.send("POST", &headers, body)
    }

    /// Posts bytes with the usual header fields.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn post(&self, body: &[u8]) -> anyhow::Result<Answer> {
        self.post_with(&[], body)
    }

    /// Posts a message; in the modern era with the header fields that repeat its body.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn post_message(&self, message: &Value) -> anyhow::Result<Answer> {
        self.open(message)?.answer(PATIENCE)
    }

    /// [`McpHttp::post_message`] that gives the answer while it comes.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn open(&self, message: &Value) -> anyhow::Result<Open> {
        if !self.is_modern() {
            return self.open_with(&[], message.to_string().as_bytes());
        }
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        let member = ["name", "uri", "taskId"].into_iter().find_map(|name| message.get("params")?.get(name));
        let name = member.and_then(Value::as_str);
        let mut extra = vec![("Mcp-Method", method)];
        if matches!(method, "tools/call" | "prompts/get" | "resources/read") || method.starts_with("tasks/") {
            extra.extend(name.map(|name| ("Mcp-Name", name)));
        }
        self.open_with(&extra, message.to_string().as_bytes())
    }

    /// Asks, and gives the response, be it a result or an error.
    ///
    /// # Errors
    /// When no response comes.
    pub fn request(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let params = if self.is_modern() { message::modern(params) } else { params };
        self.post_message(&request(self.id(), method, params))?.message()
    }

    /// Says hello in `revision`, and that it is ready.
    ///
    /// # Errors
    /// When the server does not agree to any revision.
    pub fn initialize(&self, revision: &str) -> anyhow::Result<Value> {
        let answer = self.post_message(&request(self.id(), "initialize", hello(revision)))?;
        let message = answer.message()?;
        let Some(agreed) = message.pointer("/result/protocolVersion").and_then(Value::as_str) else {
            bail!("initialize was answered with {} {message}", answer.status());
        };
        if let Ok(mut session) = self.session.lock() {
            *session = answer.head.headers.get("mcp-session-id").map(str::to_owned);
        }
        self.speak(agreed);
        let said = self.post_message(&notification("notifications/initialized", json!({})))?;
        if said.status() != 202 {
            bail!("initialized was answered with {} {}", said.status(), said.text());
        }
        Ok(message)
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When no response comes.
    pub fn call(&self, tool: &str, arguments: Value) -> anyhow::Result<Outcome> {
        let message = call(self.id(), tool, arguments);
        let params = message.get("params").cloned().unwrap_or_default();
        Ok(Outcome::of(&self.request("tools/call", params)?))
    }

    /// The names of the tools that are listed, all pages.
    ///
    /// # Errors
    /// When the list cannot be had.
    pub fn tools(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let answer = self.request("tools/list", params)?;
            let result = answer.get("result").with_context(|| format!("tools/list was answered with {answer}"))?;
            let tools = result.get("tools").and_then(Value::as_array).context("a list without tools")?;
            names.extend(tools.iter().filter_map(|tool| tool.get("name")?.as_str().map(str::to_owned)));
            match result.get("nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(names),
            }
        }
    }

    /// Opens the stream on which a legacy server speaks unasked.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn listen(&self, last_event: Option<&str>) -> anyhow::Result<Open> {
        let mut headers = self.usual_headers();
        headers.retain(|(name, _)| name != "Content-Type");
        headers.push(("Accept".to_owned(), "text/event-stream".to_owned()));
        headers.extend(last_event.map(|id| ("Last-Event-ID".to_owned(), id.to_owned())));
        self.send("GET", &headers, b"")
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn delete(&self) -> anyhow::Result<Answer> {
        let mut headers = self.usual_headers();
        headers.retain(|(name, _)| name != "Content-Type");
        self.send("DELETE", &headers, b"")?.answer(PATIENCE)
    }
}

/// An answer that may still be coming. Dropping it closes the connection.
#[derive(Debug)]
pub struct Open {
    wire: Wire,
    head: Option<Head>,
    events: sse::Reader,
    ready: Vec<sse::Event>,
    ended: bool,
}

impl Open {
    /// Status and header fields, once they are there.
    ///
    /// # Errors
    /// When they do not come within `patience`.
    pub fn head(&mut self, patience: Duration) -> anyhow::Result<Head> {
        if let Some(head) = &self.head {
            return Ok(head.clone());
        }
        let head = self.wire.head(patience)?.context("the connection was closed without an answer")?;
        self.head = Some(head.clone());
        Ok(head)
    }

    /// The whole answer.
    ///
    /// # Errors
    /// When it is not complete within `patience`.
    pub fn answer(mut self, patience: Duration) -> anyhow::Result<Answer> {
        let head = self.head(patience)?;
        let body = self.wire.answer_body(&head, patience)?;
        Ok(Answer { head, body })
    }

    /// The next event of a stream, or `None` at its end.
    ///
    /// # Errors
    /// When none comes within `patience`.
    pub fn event(&mut self, patience: Duration) -> anyhow::Result<Option<sse::Event>> {
        let head = self.head(patience)?;
        while self.ready.is_empty() && !self.ended {
            match self.wire.more(&head, patience)? {
                Some(bytes) => self.ready = self.events.push(&bytes),
                None => self.ended = true,
            }
        }
        Ok((!self.ready.is_empty()).then(|| self.ready.remove(0)))
    }

    /// The next message of a stream, past events without one.
    ///
    /// # Errors
    /// When none comes within `patience`, or the stream ends.
    pub fn next(&mut self, patience: Duration) -> anyhow::Result<Value> {
        loop {
            let event = self.event(patience)?.context("the stream has ended")?;
            if !event.data.is_empty() {
                return serde_json::from_str(&event.data).with_context(|| format!("the event {event:?}"));
            }
        }
    }
}

/// Sends bytes as they are and gives what comes back until the peer closes. The writing side is
/// closed once the peer has been silent for `quiet`, so that one that waits for more gives up.
///
/// # Errors
/// When the connection cannot be made, or is still open after the usual patience.
pub fn raw(address: SocketAddr, bytes: &[u8], quiet: Duration) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    // A peer may answer and close before it has read everything: that is an answer too.
    let _ = stream.write_all(bytes);
    let mut wire = Wire::new(stream);
    if !wire.drain(quiet)? {
        let _ = wire.stream().shutdown(Shutdown::Write);
        if !wire.drain(PATIENCE)? {
            bail!("the connection is still open");
        }
    }
    Ok(wire.seen)
}

/// The statuses of all answers in what [`raw`] gave.
pub fn statuses(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices("HTTP/1.").filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect()
}
