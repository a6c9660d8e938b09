//! What the usual way has answered, message by message.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use mcp::sse::Decoder;

use crate::body::{Body, collect};
use crate::events::MAX_EVENT;

/// An answer under way.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Body,
    events: Option<Decoder>,
    ended: bool,
}

impl Said {
    pub(super) fn of(answer: Response<Body>) -> Self {
        let (head, body) = answer.into_parts();
        let streams =
            head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let events = streams.then(|| Decoder::new(MAX_EVENT));
        Self { status: head.status, headers: head.headers, body, events, ended: false }
    }

    /// Whether it comes as a stream of events.
    pub(super) fn streams(&self) -> bool {
        self.events.is_some()
    }

    /// The next message; `None` at the end, whatever the end is.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let Some(events) = &mut self.events else {
            if std::mem::replace(&mut self.ended, true) {
                return None;
            }
            let bytes = collect(&mut self.body, MAX_EVENT, None).await.ok()?;
            return (!bytes.is_empty()).then_some(bytes);
        };
        loop {
            match events.next_event() {
                Ok(Some(event)) => match event.data.as_deref() {
                    Some(data) if !data.is_empty() => return Some(Bytes::copy_from_slice(data)),
                    _ => continue,
                },
                Ok(None) if self.ended => return None,
                Ok(None) => {}
                Err(_) => return None,
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        events.push(&data);
                    }
                }
                Some(Err(_)) | None => self.ended = true,
            }
        }
    }
}
