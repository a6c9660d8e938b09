//! Waiting for a condition, with a deadline in place of a sleep.

use std::time::{Duration, Instant};

/// How long a test waits for what should happen at once. Ten times what a slow machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at that nothing announces (files, processes, sockets).
const LOOK: Duration = Duration::from_millis(4);

/// Asks `probe` until it gives something.
///
/// # Errors
/// When `patience` is over first; the error says what was waited for.
pub fn until<T>(what: &str, patience: Duration, mut probe: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = probe() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            anyhow::bail!("waited {patience:?} in vain for {what}");
        }
        std::thread::park_timeout(LOOK);
    }
}

/// [`until`] for a condition without a value, with the usual [`PATIENCE`].
///
/// # Errors
/// When the patience is over.
pub fn for_it(what: &str, mut probe: impl FnMut() -> bool) -> anyhow::Result<()> {
    until(what, PATIENCE, || probe().then_some(()))
}
