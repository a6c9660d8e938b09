//! A collector of traces that keeps what it was sent by OTLP over HTTP in JSON.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Context;
use serde_json::{Map, Value};

use crate::record::{Log, Recorded};
use crate::wait::PATIENCE;
use crate::wire::Wire;

/// The collector. Its threads end with the test's process.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    log: Log,
    status: Arc<AtomicU16>,
}

/// A span as it was sent.
#[derive(Debug, Clone)]
pub struct Span {
    /// All of it.
    pub json: Value,
    /// Its attributes, by name.
    pub attributes: Map<String, Value>,
}

impl Span {
    /// A text of it, empty where it has none.
    pub fn text(&self, member: &str) -> &str {
        self.json.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// An attribute, empty where it has none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Collector {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listening")?;
        let (address, log) = (listener.local_addr()?, Log::default());
        let (record, status) = (log.clone(), Arc::new(AtomicU16::new(200)));
        let answers = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (record, answers) = (record.clone(), Arc::clone(&answers));
                // A client that breaks its connection is no matter of the collector's.
                std::thread::spawn(move || drop(serve(stream, &record, &answers)));
            }
        });
        Ok(Self { address, log, status })
    }

    /// Answers with this status from now on.
    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What a program is told of it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was sent.
    pub fn requests(&self) -> Vec<Recorded> {
        self.log.lock().requests.clone()
    }

    /// All spans that it was sent.
    pub fn spans(&self) -> Vec<Span> {
        spans(&self.log.lock().requests)
    }

    /// Waits until it has so many spans.
    ///
    /// # Errors
    /// When it does not get them.
    pub fn wait_for(&self, count: usize) -> anyhow::Result<Vec<Span>> {
        self.log.until("spans", PATIENCE, |state| {
            let spans = spans(&state.requests);
            (spans.len() >= count).then_some(spans)
        })
    }
}

fn serve(mut stream: TcpStream, log: &Log, status: &AtomicU16) -> anyhow::Result<()> {
    let mut wire = Wire::new(stream.try_clone()?);
    while let Some(head) = wire.head(PATIENCE)? {
        let body = wire.request_body(&head, PATIENCE)?;
        let (method, path) = (head.method().to_owned(), head.target().to_owned());
        log.change(|state| {
            state.requests.push(Recorded { connection: 0, method, path, headers: head.headers.clone(), body });
        });
        let status = status.load(Ordering::SeqCst);
        stream.write_all(
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}")
                .as_bytes(),
        )?;
    }
    Ok(())
}

fn spans(requests: &[Recorded]) -> Vec<Span> {
    let list = |value: &Value, member: &str| value.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    requests
        .iter()
        .flat_map(|request| list(&request.json(), "resourceSpans"))
        .flat_map(|resource| list(&resource, "scopeSpans"))
        .flat_map(|scope| list(&scope, "spans"))
        .map(|json| {
            let pair = |pair: &Value| {
                Some((pair.get("key")?.as_str()?.to_owned(), pair.pointer("/value/stringValue")?.clone()))
            };
            let attributes = list(&json, "attributes").iter().filter_map(pair).collect();
            Span { json, attributes }
        })
        .collect()
}
