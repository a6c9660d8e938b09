//! What a server was sent, in order: the oracle for "not forwarded".

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::Headers;

/// One HTTP request, or one line on stdin (then `method` and `path` are empty).
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// The HTTP method.
    pub method: String,
    /// The request target.
    pub path: String,
    /// The header fields.
    pub headers: Headers,
    /// The body or line, byte for byte.
    pub body: Vec<u8>,
}

impl Recorded {
    /// The body as JSON, `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The JSON-RPC method, empty for anything else.
    pub fn rpc(&self) -> String {
        self.json().get("method").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The name of the called tool, if it is a `tools/call`.
    pub fn tool(&self) -> Option<String> {
        let json = self.json();
        (json.get("method")? == "tools/call").then(|| json.pointer("/params/name")?.as_str().map(str::to_owned))?
    }
}

/// A log that several threads write and a test reads and waits for.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<(Mutex<State>, Condvar)>);

/// What the log holds.
#[derive(Debug, Default)]
pub struct State {
    /// Requests, as they were complete.
    pub requests: Vec<Recorded>,
    /// Per connection, all bytes that were received.
    pub raw: Vec<Vec<u8>>,
    /// Clients that went away while the server had not answered.
    pub gone: usize,
    /// Gates that are open.
    pub open: Vec<String>,
}

impl Log {
    /// The state, locked.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all who wait for it.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.0.1.notify_all();
        changed
    }

    /// Waits until `probe` gives something.
    ///
    /// # Errors
    /// When `patience` is over.
    pub fn until<T>(
        &self,
        what: &str,
        patience: Duration,
        mut probe: impl FnMut(&State) -> Option<T>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(found) = probe(&state) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                anyhow::bail!("waited {patience:?} in vain for {what}");
            }
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
