//! A take that is under way to a shared store.

use std::pin::Pin;
use std::task::{Context, Poll};

use quota::{StoreDown, Take, Taken};
use shared::Counts;

use crate::limits::Beside;

type Answer = Result<(Taken, Vec<usize>), StoreDown>;

/// Dropped before it was answered, because the agent goes away or somebody has stopped its calls, it goes on by itself,
/// and what it has taken goes back. In a box, so that calls that are counted elsewhere do not carry its size with them.
pub(super) struct Taking {
    counts: Counts,
    asking: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
}

impl Taking {
    pub(super) fn new(counts: &Counts, takes: &[Take], beside: &Beside<'_>) -> Self {
        let (takes, observed, attempts) = (takes.to_vec(), beside.observed(), beside.attempts());
        let asked = counts.clone();
        let asking = Box::pin(async move {
            asked.take_with(&takes, shared::Beside { observed: &observed, attempts: &attempts }).await
        });
        Self { counts: counts.clone(), asking: Some(asking) }
    }
}

impl Future for Taking {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        let answer = asking.as_mut().poll(context);
        if answer.is_ready() {
            self.asking = None;
        }
        answer
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Some(asking) = self.asking.take() {
            self.counts.give_back_when_taken(async move { asking.await.map(|(taken, _)| taken) });
        }
    }
}
