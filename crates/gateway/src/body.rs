//! Bodies: how those that come are read, and those of the gateway's own answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::grant::Grant;
use crate::returning::{Claim, PIECE, ROOM_TIME, Returning};

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

/// Which bytes take room already: where they begin, and how many. An extension of the answer that they are the body of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted(usize, usize);

impl Counted {
    pub(crate) fn new(bytes: &Bytes) -> Self {
        Self(bytes.as_ptr().addr(), bytes.len())
    }

    fn is(self, bytes: &Bytes) -> bool {
        bytes.as_ptr().addr() == self.0 && bytes.len() == self.1
    }
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

    /// The same, of which what is long takes room until it is written. What `counted` says is counted already.
    pub(crate) fn counting(self, room: &Returning, grant: &Arc<Grant>, counted: Option<Counted>) -> Self {
        match self {
            Self::Whole(Some(bytes)) if bytes.len() > PIECE && !counted.is_some_and(|counted| counted.is(&bytes)) => {
                Self::Whole(Some(room.answer_to(grant).keep(bytes)))
            }
            Self::Stream(stream) => {
                let (room, grant) = (room.clone(), Arc::clone(grant));
                Self::Stream(Box::pin(stream.map(move |bytes| match bytes.len() > PIECE {
                    true => room.answer_to(&grant).keep(bytes),
                    false => bytes,
                })))
            }
            other => other,
        }
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
    /// An event goes on and does not end.
    #[error("an event of the server did not end within {0:?}")]
    Endless(Duration),
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
    let mut read = Read::default();
    while let Some(data) = next_data(&mut body, idle).await? {
        let length = read.length() + data.len();
        if length > limit {
            return Err(BodyFault::TooLong(limit));
        }
        room(length).map_err(BodyFault::NoRoom)?;
        read.add(data, left(&body, limit));
    }
    Ok(read.whole())
}

/// [`collect`] of what is on its way back from a server, which waits for the room that it takes. That is in `claim` then.
///
/// # Errors
/// [`BodyFault`]; [`BodyFault::NoRoom`] where there was none for long.
pub(crate) async fn collect_held<B>(
    mut body: B,
    limit: usize,
    idle: Duration,
    claim: &mut Claim<'_>,
) -> Result<Bytes, BodyFault>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let patience = idle.min(ROOM_TIME);
    let said = left(&body, usize::MAX);
    if said > limit {
        return Err(BodyFault::TooLong(limit));
    }
    // All of it where the length is known: two that have half of what they need would wait for each other.
    claim.grow_to(said, patience).await.map_err(BodyFault::NoRoom)?;
    let mut read = Read::default();
    while let Some(data) = next_data(&mut body, Some(idle)).await? {
        let length = read.length() + data.len();
        if length > limit {
            return Err(BodyFault::TooLong(limit));
        }
        claim.grow_to(length, patience).await.map_err(BodyFault::NoRoom)?;
        read.add(data, left(&body, limit));
    }
    Ok(read.whole())
}

/// How many bytes are still to come at least.
fn left<B: http_body::Body>(body: &B, most: usize) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(most).min(most)
}

/// The next bytes of a body; `None` at its end.
async fn next_data<B>(body: &mut B, idle: Option<Duration>) -> Result<Option<Bytes>, BodyFault>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    while let Some(frame) = within(idle, body.frame()).await? {
        let frame = frame.map_err(|error| BodyFault::Broken(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// What was read of a body.
#[derive(Default)]
struct Read {
    /// The only piece, which need not be copied: the usual body is one.
    only: Option<Bytes>,
    pieces: Vec<u8>,
}

impl Read {
    fn length(&self) -> usize {
        self.pieces.len() + self.only.as_ref().map_or(0, Bytes::len)
    }

    /// Takes a piece, behind which so many bytes are still to come.
    fn add(&mut self, data: Bytes, left: usize) {
        match self.only.take() {
            None if self.pieces.is_empty() => self.only = Some(data),
            None => self.pieces.extend_from_slice(&data),
            Some(before) => {
                // All of it at once where the length is known: a buffer that doubles holds twice what has come.
                self.pieces.reserve_exact(before.len() + data.len() + left);
                self.pieces.extend_from_slice(&before);
                self.pieces.extend_from_slice(&data);
            }
        }
    }

    fn whole(self) -> Bytes {
        self.only.unwrap_or_else(|| self.pieces.into())
    }
}

pub(crate) async fn within<T>(idle: Option<Duration>, step: impl Future<Output = T>) -> Result<T, BodyFault> {
    match idle {
        None => Ok(step.await),
        Some(limit) => tokio::time::timeout(limit, step).await.map_err(|_| BodyFault::Silent(limit)),
    }
}
