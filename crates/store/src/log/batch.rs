//! What appenders wait for when durability is strict: one commit for all whose records came
//! together.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::AuditDown;

/// The end of an append. As a future it is ready when the record counts as written;
/// [`wait`](Commit::wait) blocks until then.
#[derive(Debug)]
pub struct Commit(Kind);

#[derive(Debug)]
enum Kind {
    Done(Result<(), AuditDown>),
    Waiting(Arc<Batch>),
}

/// Records that are written and brought to disk together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    result: Option<Result<(), AuditDown>>,
    wakers: Vec<Waker>,
}

impl Commit {
    pub(super) fn done(result: Result<(), AuditDown>) -> Commit {
        Commit(Kind::Done(result))
    }

    pub(super) fn waiting(batch: Arc<Batch>) -> Commit {
        Commit(Kind::Waiting(batch))
    }

    /// What is known already: with buffered durability everything.
    pub fn now(&self) -> Option<Result<(), AuditDown>> {
        match &self.0 {
            Kind::Done(result) => Some(result.clone()),
            Kind::Waiting(batch) => batch.lock().result.clone(),
        }
    }

    /// Blocks until the record counts as written.
    ///
    /// # Errors
    /// [`AuditDown`] when it could not be written.
    pub fn wait(self) -> Result<(), AuditDown> {
        match self.0 {
            Kind::Done(result) => result,
            Kind::Waiting(batch) => {
                let mut state = batch.lock();
                loop {
                    if let Some(result) = &state.result {
                        return result.clone();
                    }
                    state = batch.done.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Future for Commit {
    type Output = Result<(), AuditDown>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            Kind::Done(result) => Poll::Ready(result.clone()),
            Kind::Waiting(batch) => {
                let mut state = batch.lock();
                if let Some(result) = &state.result {
                    return Poll::Ready(result.clone());
                }
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl Batch {
    pub(super) fn finish(&self, result: &Result<(), AuditDown>) {
        let wakers = {
            let mut state = self.lock();
            state.result = Some(result.clone());
            std::mem::take(&mut state.wakers)
        };
        self.done.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
