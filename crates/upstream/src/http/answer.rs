//! The body of an answer, and the connection that brings it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::{Line, Pool};

/// The body of an answer. The connection is used again when all of it was read, and closed when it
/// is dropped before.
pub struct Answer {
    body: Incoming,
    line: Option<Box<Line>>,
    pool: Arc<Pool>,
    endpoint: u64,
}

impl Answer {
    pub(super) fn new(body: Incoming, line: Box<Line>, pool: Arc<Pool>, endpoint: u64) -> Self {
        Self { body, line: Some(line), pool, endpoint }
    }

    /// The end was read: the connection is free for the next request, if both sides want that.
    fn release(&mut self, context: &mut Context<'_>) {
        let Some(mut line) = self.line.take() else { return };
        line.drive(context);
        if line.is_free() {
            self.pool.put(self.endpoint, line);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_pending()
            && let Some(line) = &mut self.line
        {
            line.drive(context);
            frame = Pin::new(&mut self.body).poll_frame(context);
        }
        match &frame {
            Poll::Ready(Some(Ok(_))) if self.body.is_end_stream() => self.release(context),
            Poll::Ready(None) => self.release(context),
            // A broken connection is of no more use.
            Poll::Ready(Some(Err(_))) => self.line = None,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        // Without this the connection of an answer without a body would never be free again.
        self.line.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
