//! Batches, which only 2025-03-26 knows: each element is judged on its own.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use mcp::message::Message;

use super::stream::event_stream;
use super::{Front, empty, json, json_refusal, plain};
use crate::body::Body;
use crate::caller::Caller;
use crate::events::streams;
use crate::names;
use crate::seal::Session;

/// Messages of one batch.
const MAX_BATCH: usize = 100;

impl Front {
    /// Judges and forwards the elements one by one and joins the answers.
    pub(super) async fn batch(
        &self,
        (caller, session): (Caller, Option<Session>),
        headers: &HeaderMap,
        messages: Vec<Message<'_>>,
    ) -> Response<Body> {
        let agreed = session.is_some() && caller.revision.is_some_and(|revision| revision.allows_batch());
        self.each_of_batch(agreed, &messages, |message| {
            let (caller, session) = (caller.clone(), session.clone());
            async move {
                let body = Bytes::copy_from_slice(message.raw().as_bytes());
                Box::pin(self.either_way((caller, session), headers, &body, message)).await
            }
        })
        .await
    }

    /// Answers the elements of a batch one by one, where batches were agreed on, and joins the answers.
    pub(super) async fn each_of_batch<'m, F>(
        &self,
        agreed: bool,
        messages: &'m [Message<'m>],
        mut answer: impl FnMut(&'m Message<'m>) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        if !agreed {
            let text =
                "batches belong to 2025-03-26, and this is no session that agreed on it; send one message a request";
            return plain(&json_refusal(StatusCode::BAD_REQUEST, text));
        }
        if messages.is_empty() || messages.len() > MAX_BATCH {
            let text = format!("a batch has 1 to {MAX_BATCH} messages");
            return plain(&json_refusal(StatusCode::BAD_REQUEST, &text));
        }
        if messages.iter().any(|message| names::method(message) == Some("initialize")) {
            return plain(&json_refusal(StatusCode::BAD_REQUEST, "initialize must not be part of a batch"));
        }
        let mut answers = Vec::new();
        let mut events = Vec::new();
        for message in messages {
            let answer = answer(message).await;
            let streamed = streams(answer.headers());
            // One that was cut off is none: the agent sees that it is missing.
            let Ok(bytes) = answer.into_body().collect().await else { continue };
            let bytes = bytes.to_bytes();
            if streamed {
                events.push(bytes);
            } else if !bytes.is_empty() {
                answers.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        match (answers.is_empty(), events.is_empty()) {
            (true, true) => empty(StatusCode::ACCEPTED),
            (_, true) => json(StatusCode::OK, format!("[{}]", answers.join(","))),
            _ => {
                // What came as events goes as events, and so does the rest.
                events.extend(answers.iter().map(|answer| crate::events::encode(None, answer)));
                event_stream(Body::Stream(Box::pin(futures_util::stream::iter(events))))
            }
        }
    }
}
