//! Messages on stdin and stdout: one a line.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use mcp::line::Lines as Framing;
use mcp::message::{self, Message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::http_front::MAX_BODY;
use crate::refusal;

/// The messages of one line, or what to answer instead.
pub(super) fn read_messages<'a>(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    line: &'a Line,
) -> Result<Vec<Message<'a>>, String> {
    let Line::Whole(line) = line else {
        let text = format!("the message is longer than {MAX_BODY} bytes");
        return Err(refusal::error("null", refusal::code::INVALID_REQUEST, &text, 413).body);
    };
    match message::parse_client(line) {
        Ok(message::Body::One(message)) => Ok(vec![message]),
        Ok(message::Body::Batch(messages)) if caller.revision.is_some_and(|revision| revision.allows_batch()) => {
            Ok(messages)
        }
        Ok(message::Body::Batch(_)) => {
            let text = "batches belong to 2025-03-26, which was not agreed on; send one message a line";
            Err(refusal::error("null", refusal::code::INVALID_REQUEST, text, 400).body)
        }
        Err(malformed) => {
            gateway.count_refused("malformed message", caller);
            let id = malformed.id.as_deref().unwrap_or("null");
            Err(refusal::error(id, malformed.code, &malformed.message, 400).body)
        }
    }
}

/// Writes messages to stdout, for as long as anybody may send one and the agent reads.
pub(super) async fn write(mut output: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<String>) {
    while let Some(message) = messages.recv().await {
        let mut line = one_line(&message).into_owned().into_bytes();
        line.push(b'\n');
        if output.write_all(&line).await.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}

/// A message as one line: outside strings a line break is only white space, and inside strings
/// JSON allows none.
pub(super) fn one_line(message: &str) -> Cow<'_, str> {
    if message.contains(['\n', '\r']) { message.replace(['\n', '\r'], " ").into() } else { message.into() }
}

/// A line of the agent.
pub(super) enum Line {
    /// As it came.
    Whole(Vec<u8>),
    /// One that was too long, and is not kept.
    TooLong,
}

/// Reads stdin line by line.
pub(super) struct Lines<R> {
    input: R,
    /// Lines that were too long, and of which the agent was told.
    told: u64,
    decoder: Framing,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, told: 0, decoder: Framing::new(MAX_BODY), buffer: vec![0; 64 * 1024] }
    }

    /// The next line that is not blank; `None` at the end of the input.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            while let Some(line) = self.decoder.next_line() {
                let line = line.trim_ascii();
                if !line.is_empty() {
                    return Ok(Some(Line::Whole(line.to_vec())));
                }
            }
            if self.told < self.decoder.skipped() {
                self.told += 1;
                return Ok(Some(Line::TooLong));
            }
            let read = self.input.read(&mut self.buffer).await?;
            if read == 0 {
                return Ok(None);
            }
            self.decoder.push(self.buffer.get(..read).unwrap_or_default());
        }
    }
}
