//! What the usual way has answered, message by message: for whoever stands before it as an agent would.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use crate::body::{Body, collect};
use crate::events::{EventReader, MAX_EVENT, streams};

/// An answer under way.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    form: Form,
}

enum Form {
    /// All of it at once, until it was read.
    Whole(Option<Body>),
    Events(EventReader<Body>),
}

/// The events of an answer that is a stream of them; any other as it came.
pub(super) fn events(answer: Response<Body>) -> Result<EventReader<Body>, Response<Body>> {
    if streams(answer.headers()) { Ok(EventReader::new(answer.into_body(), None)) } else { Err(answer) }
}

impl Said {
    pub(crate) fn of(answer: Response<Body>) -> Self {
        let (head, body) = answer.into_parts();
        let form = match streams(&head.headers) {
            true => Form::Events(EventReader::new(body, None)),
            false => Form::Whole(Some(body)),
        };
        Self { status: head.status, headers: head.headers, form }
    }

    /// Whether it comes as a stream of events.
    pub(crate) fn streams(&self) -> bool {
        matches!(self.form, Form::Events(_))
    }

    /// The next message; `None` at the end, whatever the end is.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        match &mut self.form {
            Form::Whole(body) => {
                let bytes = collect(body.take()?, MAX_EVENT, None).await.ok()?;
                (!bytes.is_empty()).then_some(bytes)
            }
            Form::Events(events) => loop {
                if let Some(message) = events.next().await.ok()??.message {
                    return Some(message);
                }
            },
        }
    }
}
