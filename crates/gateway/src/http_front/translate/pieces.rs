//! An answer that is made by a task of its own, which ends when nobody reads the answer any more.

use futures_util::stream;
use http::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::body::Body;
use crate::events::encode;
use crate::http_front::json;
use crate::http_front::stream::event_stream;

/// Pieces that may wait to be written: each may be as long as a message may be.
const PENDING: usize = 1;

/// What an agent is sent.
pub(super) enum Piece {
    /// A notification or a question; more follows.
    Aside(String),
    /// The answer, and the status that goes with it; nothing follows.
    Answer(StatusCode, String),
}

/// Where the pieces of an answer go.
pub(super) type Out = mpsc::Sender<Piece>;

/// The answer that `work` makes: whole if its first piece is all of it, else as events. Dropped early, it ends the work.
pub(super) async fn answer<F>(work: impl FnOnce(Out) -> F) -> Response<Body>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (out, mut pieces) = mpsc::channel(PENDING);
    let mut working = JoinSet::new();
    working.spawn(work(out));
    let first = match pieces.recv().await {
        Some(Piece::Answer(status, text)) => return json(status, text),
        first => first,
    };
    let rest = stream::unfold((first, pieces, working), |(first, mut pieces, working)| async move {
        let piece = match first {
            Some(piece) => piece,
            None => pieces.recv().await?,
        };
        let (Piece::Aside(text) | Piece::Answer(_, text)) = piece;
        Some((encode(None, &text), (None, pieces, working)))
    });
    event_stream(Body::Stream(Box::pin(rest)))
}
