//! What a child says on its standard output, cut into lines.
//!
//! A line is held here until its end has come, so whoever begins lines and does not end them fills the memory. A long one
//! needs room that somebody else counts, from its first bytes until it was taken; one for which there is none is left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use mcp::line::Lines as Framing;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

use super::MAX_LINE;

/// Bytes that are read at once. A line that is no longer is short: it is passed on without waiting until it is taken.
const PIECE: usize = 64 * 1024;

/// The room that the lines of one child take. `()` has room for everything: one line at once, of [`MAX_LINE`] at most.
pub trait Room: Send {
    /// Holds room for so many bytes instead of what it held before; false when there is none for so many, and then it
    /// holds what it pleases. Nobody waits for room: who holds some back would keep others waiting.
    fn hold(&mut self, bytes: usize) -> bool;
}

impl Room for () {
    fn hold(&mut self, _: usize) -> bool {
        true
    }
}

/// A line of a child's standard output that is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junk<'a> {
    /// It cannot be a message.
    Words(&'a [u8]),
    /// It was longer than [`MAX_LINE`].
    TooLong,
    /// There was no room for more than this beginning of it.
    NoRoom(&'a [u8]),
}

/// Receives what is not passed on.
pub type JunkSink = Arc<dyn Fn(Junk<'_>) + Send + Sync>;

/// A long line, and word of when it was taken.
struct Watched {
    line: Bytes,
    _taken: oneshot::Sender<()>,
}

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.line
    }
}

/// Passes on every line that can be a message, and tells of the others.
pub(super) async fn read_lines(
    mut stdout: impl AsyncRead + Unpin,
    output: mpsc::Sender<Bytes>,
    junk: Arc<AtomicU64>,
    told: JunkSink,
    mut room: Box<dyn Room>,
) {
    let mut decoder = Framing::new(MAX_LINE);
    let mut buffer = vec![0_u8; PIECE];
    let mut skipped = 0;
    loop {
        let read = match stdout.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        decoder.push(buffer.get(..read).unwrap_or_default());
        while let Some(line) = decoder.next_line() {
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            // Only an object or (2025-03-26) an array can be a message.
            if !matches!(text.first(), Some(b'{' | b'[')) {
                junk.fetch_add(1, Ordering::Relaxed);
                told(Junk::Words(text));
                continue;
            }
            let text = mcp::json::mend_surrogates(text).map_or_else(|| Bytes::copy_from_slice(text), Bytes::from);
            if text.len() <= PIECE {
                if output.send(text).await.is_err() {
                    return;
                }
                continue;
            }
            // The copy is enough, and it keeps its room until it is taken: else a queue of them would be held beside it.
            decoder.compact();
            let (taken, when_taken) = oneshot::channel();
            if output.send(Bytes::from_owner(Watched { line: text, _taken: taken })).await.is_err() {
                return;
            }
            let _ = when_taken.await;
        }
        decoder.compact();
        // Those that were too long.
        let skipped_before = std::mem::replace(&mut skipped, decoder.skipped());
        junk.fetch_add(skipped - skipped_before, Ordering::Relaxed);
        (skipped_before..skipped).for_each(|_| told(Junk::TooLong));
        let begun = decoder.unfinished();
        if !room.hold(begun.len()) {
            junk.fetch_add(1, Ordering::Relaxed);
            told(Junk::NoRoom(begun));
            decoder.leave_out();
            room.hold(0);
        }
    }
}

#[cfg(test)]
mod tests;
