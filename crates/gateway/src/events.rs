//! The messages of an upstream's answer, one at a time and each with a time limit.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use mcp::sse::Decoder;
use upstream::http::Answer;

use crate::body::{BodyFault, within};

/// The longest event: real tool lists of one megabyte exist.
pub const MAX_EVENT: usize = 32 * 1024 * 1024;

/// One event of a server's stream, with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The bytes as they came.
    pub raw: Bytes,
    /// The message, if the event carries one.
    pub message: Option<Bytes>,
    /// The `id` field.
    pub id: Option<Vec<u8>>,
    /// The name, if it has another one than messages have.
    pub name: Option<Vec<u8>>,
}

/// The bytes of an event of the gateway's own, under the id of the one that it stands for.
pub fn encode(id: Option<&[u8]>, message: &str) -> Bytes {
    mcp::sse::write_event(id, None, message.as_bytes()).into()
}

/// Whether what these headers stand before is a stream of events.
pub(crate) fn streams(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Reads a `text/event-stream` body event by event: an upstream's, or that of an answer of the gateway's own.
pub struct EventReader<B = Answer> {
    body: B,
    decoder: Decoder,
    idle: Option<Duration>,
    ended: bool,
    named: bool,
}

impl<B> EventReader<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Reads `body`; `idle` bounds the silence between two pieces of it.
    pub fn new(body: B, idle: Option<Duration>) -> Self {
        Self { body, decoder: Decoder::new(MAX_EVENT), idle, ended: false, named: false }
    }

    /// Whether an event had an id, from which the stream can be resumed: only then may its end mean that more comes on
    /// another one.
    pub fn can_be_resumed(&self) -> bool {
        self.named
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`BodyFault`] when the stream cannot go on.
    pub async fn next(&mut self) -> Result<Option<Event>, BodyFault> {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => {
                    let message = match event.data.as_deref() {
                        Some(data) if !data.is_empty() => Some(Bytes::copy_from_slice(data)),
                        _ => None,
                    };
                    let raw = Bytes::copy_from_slice(event.raw);
                    self.named |= event.id.is_some_and(|id| !id.is_empty());
                    let name = event.event.filter(|name| !matches!(*name, b"" | b"message")).map(<[u8]>::to_vec);
                    return Ok(Some(Event { raw, message, id: event.id.map(<[u8]>::to_vec), name }));
                }
                Ok(None) => {}
                Err(error) => return Err(BodyFault::Unreadable(error.to_string())),
            }
            if self.ended {
                return Ok(None);
            }
            match within(self.idle, self.body.frame()).await? {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.push(&data);
                    }
                }
                Some(Err(error)) => return Err(BodyFault::Broken(error.to_string())),
                None => {
                    // What is left is an event that was cut: no client would take it for one.
                    self.ended = true;
                }
            }
        }
    }
}
