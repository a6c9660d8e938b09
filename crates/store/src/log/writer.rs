//! The writer thread of strict durability: takes what was drafted, writes it, brings it to disk,
//! and answers all who wait for it. What comes meanwhile makes the next batch.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::draft::Handed;
use super::sink::Sink;
use super::{AuditDown, Shared};

/// The running thread.
pub(super) struct Writer(JoinHandle<()>);

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, sink: Sink) -> io::Result<Writer> {
        let thread = std::thread::Builder::new().name("audit".to_owned());
        Ok(Writer(thread.spawn(move || write_all(&shared, sink))?))
    }

    /// Writes what is left and ends the thread.
    pub(super) fn end(self, shared: &Shared) {
        shared.lock().closing = true;
        shared.wake.notify_one();
        if self.0.join().is_err() {
            // It panicked: its batch stays unanswered, and nobody is left to wait for it.
        }
    }
}

fn write_all(shared: &Shared, mut sink: Sink) {
    let mut before = Handed::nothing();
    let mut spare = Vec::new();
    let mut state = shared.lock();
    loop {
        if !state.wanted || state.draft.is_empty() {
            if state.closing && state.draft.is_empty() {
                return;
            }
            if !state.closing {
                state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
        }
        state.wanted = false;
        let mut handed = state.draft.hand_over(std::mem::take(&mut spare));
        let batch = std::mem::take(&mut state.batch);
        state.writing = Some(Instant::now());
        drop(state);
        let written = sink.write(&handed.bytes, handed.opens, true).map_err(AuditDown::from);
        state = shared.lock();
        state.writing = None;
        if written.is_ok() {
            spare = std::mem::take(&mut handed.bytes);
            spare.clear();
            before = handed;
            state.draft.succeeded();
        } else {
            // Records drafted meanwhile follow on ones that are not there: they fail with them.
            state.draft.failed(&handed, &before);
            let dragged = std::mem::take(&mut state.batch);
            dragged.finish(&written);
        }
        batch.finish(&written);
    }
}
