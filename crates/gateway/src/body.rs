//! Bodies: how those that come are read, and those of the gateway's own answers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

/// A stream of the bytes of an answer. A stream cannot fail: what goes wrong once the head is
/// sent is said as a last event, or by ending early.
pub type ByteStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of an answer to an agent.
pub enum Body {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// Piece by piece, unbuffered.
    Stream(ByteStream),
    /// Piece by piece; where it cannot be brought to its end the connection breaks, so that a part is not taken for all.
    Breakable(Pin<Box<dyn Stream<Item = Result<Bytes, CutOff>> + Send>>),
}

/// An answer that was begun cannot be brought to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut off")]
pub struct CutOff;

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::Whole(None)
    }

    /// All of it at once.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => {
                stream.as_mut().poll_next(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Breakable(stream) => {
                stream.as_mut().poll_next(cx).map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Stream(_) | Self::Breakable(_) => SizeHint::default(),
        }
    }
}

/// Why a body ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// Silence for longer than the sender may be silent.
    #[error("the server said nothing for {0:?}")]
    Silent(Duration),
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Broken(String),
    /// More bytes than this.
    #[error("the server's answer is longer than {0} bytes")]
    TooLong(usize),
    /// An event that is too long, or bytes that are no event stream.
    #[error("the server's event stream cannot be read: {0}")]
    Unreadable(String),
    /// There is no room for more of it.
    #[error("{0}")]
    NoRoom(&'static str),
}

/// Collects a whole body within a byte limit; `idle` bounds the silence between two pieces of it.
///
/// # Errors
/// [`BodyFault`] when it is longer, slower or cut.
pub async fn collect<B>(body: B, limit: usize, idle: Option<Duration>) -> Result<Bytes, BodyFault>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    collect_into(body, limit, idle, |_| Ok(())).await
}

/// [`collect`] that asks `room` before it holds so many bytes.
///
/// # Errors
/// [`BodyFault`]; [`BodyFault::NoRoom`] with what `room` says where there is none.
pub(crate) async fn collect_into<B>(
    mut body: B,
    limit: usize,
    idle: Option<Duration>,
    mut room: impl FnMut(usize) -> Result<(), &'static str>,
) -> Result<Bytes, BodyFault>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    // A length that is too long is refused before anything of it is awaited.
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(BodyFault::TooLong(limit));
    }
    let mut first: Option<Bytes> = None;
    let mut whole: Vec<u8> = Vec::new();
    while let Some(frame) = within(idle, body.frame()).await? {
        let frame = frame.map_err(|error| BodyFault::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = whole.len() + first.as_ref().map_or(0, Bytes::len) + data.len();
        if length > limit {
            return Err(BodyFault::TooLong(limit));
        }
        room(length).map_err(BodyFault::NoRoom)?;
        // The usual body is one piece, which need not be copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(before) => {
                // All of it at once where the length is known: a buffer that doubles holds twice what has come.
                let left = usize::try_from(body.size_hint().lower()).unwrap_or(limit).min(limit);
                whole.reserve_exact(length + left);
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.into()))
}

pub(crate) async fn within<T>(idle: Option<Duration>, step: impl Future<Output = T>) -> Result<T, BodyFault> {
    match idle {
        None => Ok(step.await),
        Some(limit) => tokio::time::timeout(limit, step).await.map_err(|_| BodyFault::Silent(limit)),
    }
}
