//! The messages of an upstream's answer, one at a time and each with a time limit.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mcp::sse::Decoder;

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
}

/// The bytes of an event of the gateway's own, under the id of the one that it stands for.
pub fn encode(id: Option<&[u8]>, message: &str) -> Bytes {
    mcp::sse::write_event(id, None, message.as_bytes()).into()
}

/// Why a stream ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// Silence for longer than the server may be silent.
    #[error("the server said nothing for {0:?}")]
    Silent(Duration),
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Broken(String),
    /// An event beyond [`MAX_EVENT`], or bytes that are no event stream.
    #[error("the server's event stream cannot be read: {0}")]
    Unreadable(String),
}

/// Reads a `text/event-stream` body event by event.
pub struct EventReader {
    body: Incoming,
    decoder: Decoder,
    idle: Option<Duration>,
    ended: bool,
}

impl EventReader {
    /// Reads `body`; `idle` bounds the silence between two pieces of it.
    pub fn new(body: Incoming, idle: Option<Duration>) -> Self {
        Self { body, decoder: Decoder::new(MAX_EVENT), idle, ended: false }
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`StreamFault`] when the stream cannot go on.
    pub async fn next(&mut self) -> Result<Option<Event>, StreamFault> {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => {
                    let message = match event.data.as_deref() {
                        Some(data) if !data.is_empty() => Some(Bytes::copy_from_slice(data)),
                        _ => None,
                    };
                    let raw = Bytes::copy_from_slice(event.raw);
                    return Ok(Some(Event { raw, message, id: event.id.map(<[u8]>::to_vec) }));
                }
                Ok(None) => {}
                Err(error) => return Err(StreamFault::Unreadable(error.to_string())),
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
                Some(Err(error)) => return Err(StreamFault::Broken(error.to_string())),
                None => {
                    // What is left is an event that was cut: no client would take it for one.
                    self.ended = true;
                }
            }
        }
    }
}

/// Collects a whole body within a byte limit.
///
/// # Errors
/// [`StreamFault`] when it is longer, slower or cut.
pub async fn collect(mut body: Incoming, limit: usize, idle: Option<Duration>) -> Result<Bytes, StreamFault> {
    let mut first: Option<Bytes> = None;
    let mut whole: Vec<u8> = Vec::new();
    while let Some(frame) = within(idle, body.frame()).await? {
        let frame = frame.map_err(|error| StreamFault::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            return Err(StreamFault::Unreadable(format!("it is longer than {limit} bytes")));
        }
        // The usual body is one piece, which need not be copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(before) => {
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.into()))
}

async fn within<T>(idle: Option<Duration>, step: impl Future<Output = T>) -> Result<T, StreamFault> {
    match idle {
        None => Ok(step.await),
        Some(limit) => tokio::time::timeout(limit, step).await.map_err(|_| StreamFault::Silent(limit)),
    }
}
