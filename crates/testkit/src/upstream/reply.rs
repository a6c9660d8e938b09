//! Writing an HTTP answer, as JSON or as a stream of events that begins when it must.

use std::io::{self, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::sse;

/// One answer under way.
pub(crate) struct Reply<'a> {
    stream: &'a mut TcpStream,
    /// Header fields beside the usual ones.
    pub(crate) headers: Vec<(String, String)>,
    streaming: bool,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(stream: &'a mut TcpStream) -> Self {
        Self { stream, headers: Vec::new(), streaming: false }
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// The head went out before.
    pub(crate) fn mark_streaming(&mut self) {
        self.streaming = true;
    }

    /// A complete answer.
    pub(crate) fn whole(&mut self, status: u16, kind: &str, body: &str) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len());
        if !kind.is_empty() {
            head.push_str(&format!("content-type: {kind}\r\n"));
        }
        self.fields(&mut head);
        self.stream.write_all(format!("{head}\r\n{body}").as_bytes())
    }

    /// A complete answer with a JSON-RPC message.
    pub(crate) fn json(&mut self, status: u16, message: &Value) -> io::Result<()> {
        self.whole(status, "application/json", &message.to_string())
    }

    /// The head of a stream, unless it was sent.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.streaming, true) {
            return Ok(());
        }
        let mut head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n".to_owned();
        self.fields(&mut head);
        head.push_str("\r\n");
        self.stream.write_all(head.as_bytes())
    }

    /// One event on the stream.
    pub(crate) fn event(&mut self, id: Option<&str>, data: &str) -> io::Result<()> {
        self.begin()?;
        self.chunk(&sse::write(id, data))
    }

    /// Some text on the stream.
    pub(crate) fn chunk(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
    }

    /// The end of the stream.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.stream.write_all(b"0\r\n\r\n")
    }

    fn fields(&self, head: &mut String) {
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
}
