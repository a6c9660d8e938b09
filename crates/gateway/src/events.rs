//! The messages of an upstream's answer, one at a time and each with a time limit.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use mcp::sse::Decoder;
use tokio::time::Instant;
use upstream::http::Answer;

use crate::body::{BodyFault, within};
use crate::returning::{Held, PIECE, ROOM_TIME};

/// The longest event: real tool lists of one megabyte exist.
pub const MAX_EVENT: usize = 32 * 1024 * 1024;

/// How long a long event may take from its beginning to its end, where servers may not be silent for longer.
const EVENT_TIME: Duration = Duration::from_secs(300);

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
    counted: Option<Counted>,
}

/// What a long event costs while it comes.
struct Counted {
    held: Held,
    /// The longest silence in the middle of it.
    pause: Duration,
    /// Since when it comes.
    since: Option<Instant>,
}

impl<B> EventReader<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Reads `body`; `idle` bounds the silence between two pieces of it.
    pub fn new(body: B, idle: Option<Duration>) -> Self {
        Self { body, decoder: Decoder::new(MAX_EVENT), idle, ended: false, named: false, counted: None }
    }

    /// The same for a server's stream: what has come of a long event is held in room that is waited for, and however long the
    /// stream may be silent, in the middle of such an event it may be so for `pause` only.
    pub(crate) fn counting(mut self, held: Held, pause: Duration) -> Self {
        self.counted = Some(Counted { held, pause, since: None });
        self
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
                    let raw = Bytes::copy_from_slice(event.raw);
                    let message = match &event.data {
                        Some(data) if !data.is_empty() => Some(part(&raw, event.raw, data)),
                        _ => None,
                    };
                    self.named |= event.id.is_some_and(|id| !id.is_empty());
                    let name = event.event.filter(|name| !matches!(*name, b"" | b"message")).map(<[u8]>::to_vec);
                    let id = event.id.map(<[u8]>::to_vec);
                    if raw.len() > PIECE {
                        self.decoder.compact();
                        if let Some(counted) = &mut self.counted {
                            counted.since = None;
                            counted.held.shrink_to(self.decoder.pending().len());
                        }
                    }
                    return Ok(Some(Event { raw, message, id, name }));
                }
                Ok(None) => {}
                Err(error) => return Err(BodyFault::Unreadable(error.to_string())),
            }
            if self.ended {
                return Ok(None);
            }
            let frame = match &mut self.counted {
                Some(counted) if self.decoder.pending().len() > PIECE => {
                    counted.go_on(self.decoder.pending().len(), self.body.frame()).await?
                }
                _ => within(self.idle, self.body.frame()).await?,
            };
            match frame {
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

impl Counted {
    /// Reads on in an event of which so much is there, when there is room for that.
    async fn go_on<T>(&mut self, bytes: usize, next: impl Future<Output = T>) -> Result<T, BodyFault> {
        let most = self.pause.max(EVENT_TIME);
        let left = most.saturating_sub(self.since.get_or_insert_with(Instant::now).elapsed());
        self.held.grow_to(bytes, self.pause.min(ROOM_TIME)).await.map_err(BodyFault::NoRoom)?;
        match tokio::time::timeout(left.min(self.pause), next).await {
            Ok(next) => Ok(next),
            Err(_) if left <= self.pause => Err(BodyFault::Endless(most)),
            Err(_) => Err(BodyFault::Silent(self.pause)),
        }
    }
}

/// The data of an event that `came` so, and of which `raw` is a copy: a part of that, where it stands there in one piece.
fn part(raw: &Bytes, came: &[u8], data: &[u8]) -> Bytes {
    let begin = data.as_ptr().addr().wrapping_sub(came.as_ptr().addr());
    match begin.checked_add(data.len()) {
        Some(end) if end <= raw.len() => raw.slice(begin..end),
        _ => Bytes::copy_from_slice(data),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::body::Body;
    use crate::returning::Returning;
    use crate::returning::tests::server;

    const PAUSE: Duration = Duration::from_millis(10);

    /// A stream that says this and then nothing, and does not end.
    fn saying(text: &str, room: &Returning) -> EventReader<Body> {
        let said = stream::iter([Bytes::copy_from_slice(text.as_bytes())]).chain(stream::pending());
        EventReader::new(Body::Stream(Box::pin(said)), None).counting(room.words(&server("s"), "a").hold(), PAUSE)
    }

    fn long() -> String {
        format!("data: {}", "x".repeat(1024 * 1024))
    }

    #[tokio::test]
    async fn a_long_event_takes_room_until_it_is_there() {
        let room = Returning::default();
        let mut events = saying(&format!("{}\n\ndata: x", long()), &room);
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.message.unwrap().len(), 1024 * 1024);
        assert_eq!(room.taken(), 0);
        // What is short may wait for its end.
        assert!(tokio::time::timeout(Duration::ZERO, events.next()).await.is_err());

        let mut half = saying(&long(), &room);
        assert!(tokio::time::timeout(Duration::ZERO, half.next()).await.is_err());
        assert!(room.taken() >= 1024 * 1024);
        drop(half);
        assert_eq!(room.taken(), 0);
    }

    #[tokio::test]
    async fn a_long_event_goes_on_or_is_given_up() {
        let room = Returning::default();
        assert_eq!(saying(&long(), &room).next().await, Err(BodyFault::Silent(PAUSE)));
        let mut all = room.words(&server("s"), "a").hold();
        all.try_grow_to(64 * 1024 * 1024).unwrap();
        let full = saying(&long(), &room).next().await.unwrap_err();
        assert!(matches!(full, BodyFault::NoRoom(why) if why.starts_with("64 MiB")), "{full}");
    }

    #[tokio::test]
    async fn an_event_that_goes_on_and_on_is_given_up() {
        let room = Returning::default();
        let piece = Bytes::from(long());
        let mut events = saying("", &room);
        events.decoder.push(&piece);
        if let Some(counted) = &mut events.counted {
            counted.since = Instant::now().checked_sub(EVENT_TIME);
        }
        assert_eq!(events.next().await, Err(BodyFault::Endless(EVENT_TIME)));
    }

    #[tokio::test]
    async fn data_of_one_line_is_not_copied() {
        let room = Returning::default();
        let mut events = saying("id: 1\ndata: abc\n\ndata: a\ndata: b\n\n", &room);
        let event = events.next().await.unwrap().unwrap();
        let message = event.message.unwrap();
        assert_eq!(message, "abc");
        assert!(event.raw.as_ptr_range().contains(&message.as_ptr()));
        assert_eq!(events.next().await.unwrap().unwrap().message.unwrap(), "a\nb");
    }
}
