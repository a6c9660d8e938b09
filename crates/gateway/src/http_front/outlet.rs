//! Messages of a program on their way to an agent, which may read slowly or not at all. So many bytes of them may wait;
//! what is said beside an answer is lost beyond that, as it is where nobody listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::returning::Held;

/// Bytes that may wait for one reader. A message that is longer waits alone.
pub(super) const WAITING: usize = 1024 * 1024;

/// Where messages go in.
pub(super) struct Outlet<T> {
    to: mpsc::UnboundedSender<(usize, Option<Held>, T)>,
    waiting: Arc<AtomicUsize>,
}

/// Where they come out.
pub(super) struct Inlet<T> {
    from: mpsc::UnboundedReceiver<(usize, Option<Held>, T)>,
    waiting: Arc<AtomicUsize>,
}

/// A way for messages.
pub(super) fn way<T>() -> (Outlet<T>, Inlet<T>) {
    let (to, from) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (Outlet { to, waiting: Arc::clone(&waiting) }, Inlet { from, waiting })
}

impl<T> Outlet<T> {
    /// Sends a message of so many bytes, in the room that was taken for it, unless too much waits already: then it is lost.
    ///
    /// # Errors
    /// The message, when nobody reads any more.
    pub(super) fn aside(&self, bytes: usize, held: Option<Held>, message: T) -> Result<(), T> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > 0 && waiting.saturating_add(bytes) > WAITING {
            return if self.to.is_closed() { Err(message) } else { Ok(()) };
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        self.to.send((bytes, held, message)).map_err(|unsent| unsent.0.2)
    }

    /// Sends the message after which there is none, which is not lost, in the room that was taken for it.
    pub(super) fn last(&self, held: Option<Held>, message: T) {
        let _ = self.to.send((0, held, message));
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.to.is_closed()
    }
}

impl<T> Inlet<T> {
    /// The next message; `None` at the end.
    pub(super) async fn recv(&mut self) -> Option<T> {
        let (bytes, _held, message) = self.from.recv().await?;
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_reads_is_bounded_and_the_answer_comes_all_the_same() {
        let (outlet, mut inlet) = way();
        for number in 0..10_000 {
            outlet.aside(1024, None, number).unwrap();
        }
        outlet.last(None, -1);
        let mut came = Vec::new();
        while came.last() != Some(&-1) {
            came.extend(inlet.recv().await);
        }
        let expected: Vec<i32> = (0..1024).chain([-1]).collect();
        assert_eq!(came, expected);
        // There is room again, and one that is longer than all of it may wait alone.
        outlet.aside(2 * WAITING, None, 1).unwrap();
        outlet.aside(1, None, 2).unwrap();
        assert_eq!(inlet.recv().await, Some(1));
        outlet.aside(1, None, 3).unwrap();
        assert_eq!(inlet.recv().await, Some(3));
        drop(inlet);
        assert_eq!(outlet.aside(1, None, 4), Err(4));
        assert!(outlet.is_closed());
    }
}
