//! Connections whose other side may read slowly, and must read something now and then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The least that is taken in the time that somebody has, in bytes, where more than that waits: a byte now and then would keep
/// for ever what is held.
const LEAST: usize = 16 * 1024;

/// A connection that breaks when too little of what is to be written is taken for too long. Whatever is held for it is free
/// then: the answer, and the connection to the server that brings it. A connection on which nothing is to be written may
/// be silent for as long as it likes.
pub(super) struct Patient<S> {
    stream: S,
    limit: Duration,
    /// Runs while something waits to be taken.
    over: Option<Pin<Box<Sleep>>>,
    /// What was taken meanwhile.
    taken: usize,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, over: None, taken: 0 }
    }

    /// What came of an attempt to write.
    fn wrote(&mut self, context: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Poll::Ready(Ok(bytes)), Some(_)) = (&done, &self.over) {
            self.taken = self.taken.saturating_add(*bytes);
            if self.taken >= LEAST {
                self.has_taken();
            }
        }
        if done.is_ready() { done } else { self.waits(context) }
    }

    /// What came of an attempt to have all taken.
    fn flushed(&mut self, context: &mut Context<'_>, done: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if done.is_ready() {
            self.has_taken();
            return done;
        }
        self.waits(context)
    }

    fn has_taken(&mut self) {
        self.over = None;
        self.taken = 0;
    }

    fn waits<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let until = Instant::now() + self.limit;
        let over = self.over.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        over.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Patient<S> {
    /// Takes what is still sent until the other side has closed. Whoever is still sending would not read why it is refused:
    /// what is left unread resets the connection, and an answer with it that is on its way.
    pub(super) async fn linger(&mut self, time: Duration, bytes: usize) {
        let mut buffer = vec![0; 16 * 1024];
        let taking = async {
            let mut left = bytes;
            while left > 0
                && let Ok(taken @ 1..) = self.stream.read(&mut buffer).await
            {
                left = left.saturating_sub(taken);
            }
        };
        let _ = tokio::time::timeout(time, taking).await;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wrote(context, done)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.wrote(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_flush(context);
        this.flushed(context, done)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_shutdown(context);
        this.flushed(context, done)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn whoever_takes_nothing_is_left() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut ours = Patient::new(ours, Duration::from_millis(10));
        ours.write_all(&[0; 16]).await.unwrap();
        assert!(ours.over.is_none(), "what is taken at once takes no time");
        assert_eq!(ours.write_all(&[0; 16]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn whoever_takes_something_has_the_whole_time_again() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut ours = Patient::new(ours, Duration::from_secs(3600));
        let mut taken = [1; 64];
        let (written, read) = tokio::join!(ours.write_all(&[0; 64]), theirs.read_exact(&mut taken));
        written.unwrap();
        read.unwrap();
        assert_eq!(taken, [0; 64]);
        ours.flush().await.unwrap();
        assert!(ours.over.is_none());
    }

    #[tokio::test]
    async fn a_byte_now_and_then_gives_no_more_time() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut ours = Patient::new(ours, Duration::from_secs(3600));
        let written = tokio::time::timeout(Duration::ZERO, ours.write_all(&[0; 17])).await;
        assert!(written.is_err() && ours.over.is_some(), "16 bytes fit");
        theirs.read_u8().await.unwrap();
        ours.write_all(&[0]).await.unwrap();
        assert!(ours.over.is_some(), "the time of before goes on");
        let mut rest = vec![0; LEAST + 16];
        let long = vec![0; LEAST];
        let (written, read) = tokio::join!(ours.write_all(&long), theirs.read_exact(&mut rest));
        written.unwrap();
        read.unwrap();
        assert!(ours.taken < LEAST, "it begins anew");
    }
}
