//! A forwarded call on its way back: what it holds, and how its end is recorded.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use quota::{Receipt, Taken};
use smallvec::SmallVec;
use store::log::{AuditDown, Commit, PATIENCE};

use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::limits::{Beside, Ending, Outcome, Uses};
use crate::record::{Recorded, Settled};
use crate::server::Server;
use crate::spans::OpenSpan;

/// How a forwarded call ended, as the record says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// An answer without error.
    Ok,
    /// A result with `isError`.
    ToolError,
    /// A JSON-RPC error.
    RpcError,
    /// The server did not answer in time: it may have acted.
    Timeout,
    /// The agent cancelled.
    Cancelled,
    /// The agent went away.
    Disconnected,
    /// Provably nothing reached the server.
    NotSent,
    /// The connection broke, or nobody learned of the end.
    Unknown,
}

impl Ended {
    fn ending(self) -> Ending {
        match self {
            Self::NotSent => Ending::NotSent,
            Self::ToolError | Self::RpcError => Ending::Error,
            _ => Ending::Counted,
        }
    }
}

/// What a call has taken of its limits.
#[derive(Debug, Default)]
pub struct Held {
    /// The limits.
    pub uses: Uses,
    /// Proof of what was taken.
    pub receipt: Receipt,
    /// Whether the gateway's own memory counted, because the counts were down.
    pub uncounted: bool,
}

impl Held {
    /// Takes what the limits ask: from the gateway's own memory where the counts are down and every limit lets calls
    /// pass then.
    pub(crate) async fn take(&mut self, gateway: &Gateway, beside: &Beside<'_>, now: Timestamp) -> Outcome {
        let mut taken = self.uses.take(gateway.counting(), beside, now).await;
        if taken.is_err() {
            gateway.measures().counts_down.count();
            if self.uses.pass_while_down() {
                gateway.measures().uncounted.count();
                self.uncounted = true;
                taken = self.uses.take_instead(gateway.stand_in(), now);
            }
        }
        match taken {
            Ok((Taken::Granted(receipt), full)) => {
                self.receipt = receipt;
                Outcome::Taken(full)
            }
            Ok((Taken::Full(full), _)) => Outcome::Full(full),
            Err(down) => Outcome::Down(down),
        }
    }

    /// Gives back what the ending says, and tells which limits' uses went back.
    pub(crate) fn settle(&mut self, gateway: &Gateway, ending: Ending, now: Timestamp) -> Vec<usize> {
        let uncounted = self.uncounted;
        self.uses.settle(std::mem::take(&mut self.receipt), ending, |receipt| match uncounted {
            true => gateway.stand_in().give_back(receipt, now).is_ok(),
            false => gateway.counting().give_back(receipt, now),
        })
    }
}

/// Held by whoever awaits the answer. A ticket that is dropped records that the end is unknown.
pub struct Ticket {
    gateway: Arc<Gateway>,
    server: Arc<Server>,
    id: audit::Id,
    since: Timestamp,
    held: Box<Held>,
    /// The end of writing the record, until it was awaited.
    commit: Option<Commit>,
    span: Option<Box<OpenSpan>>,
    /// What was done to the answer, and to what came before it.
    edits: Option<Box<audit::Edits>>,
    settled: bool,
    unsettled_means: Ended,
}

impl Ticket {
    /// A ticket for a call that was recorded as `id`.
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        caller: &Caller,
        id: audit::Id,
        since: Timestamp,
        held: Box<Held>,
        recorded: Recorded,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            server: Arc::clone(caller.grant.server()),
            id,
            since,
            held,
            commit: Some(recorded.commit),
            span: recorded.span,
            edits: None,
            settled: false,
            unsettled_means: Ended::Unknown,
        }
    }

    /// The decision's id.
    pub fn id(&self) -> audit::Id {
        self.id
    }

    /// Waits until the record counts as written.
    ///
    /// # Errors
    /// The call must not be forwarded. What it had taken is given back, and no end is recorded of
    /// what is not in the log.
    pub(crate) async fn written(&mut self) -> Result<(), AuditDown> {
        let Some(commit) = self.commit.take() else { return Ok(()) };
        let written = match commit.now() {
            Some(written) => written,
            None => match tokio::time::timeout(PATIENCE, commit).await {
                Ok(written) => written,
                // It may be in the log one day, and then it says as well that nothing was sent.
                Err(_) => {
                    self.finish(Ended::NotSent, Some("the record was not written in time"), 0);
                    return Err(AuditDown::silent());
                }
            },
        };
        if written.is_err() {
            self.settled = true;
            self.held.settle(&self.gateway, Ending::NotSent, Timestamp::now());
        }
        written
    }

    /// What it will mean that the ticket is dropped without an end: `Disconnected` while an
    /// agent is being written to.
    pub fn if_dropped(&mut self, meaning: Ended) {
        self.unsettled_means = meaning;
    }

    /// Records with the end, whatever it is, what was done to a message of the call.
    pub(crate) fn note(&mut self, edits: audit::Edits) {
        if !edits.is_empty() {
            self.edits.get_or_insert_default().add(edits);
        }
    }

    /// Records the end, and gives back what the limits say.
    pub fn settle(mut self, ended: Ended, reason: Option<&str>, bytes: usize) {
        self.finish(ended, reason, bytes);
    }

    fn finish(&mut self, ended: Ended, reason: Option<&str>, bytes: usize) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let now = Timestamp::now();
        let took = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        self.server.measures.ended(ended, took);
        let indices = self.held.settle(&self.gateway, ended.ending(), now);
        let mut refunded: SmallVec<[audit::Count<'_>; 2]> = SmallVec::new();
        if !indices.is_empty() {
            let counts = self.held.uses.counts(self.held.uncounted).into_iter().enumerate();
            refunded.extend(counts.filter(|(index, _)| indices.contains(index)).map(|(_, count)| count));
        }
        self.gateway.record_outcome(&Settled {
            decision: self.id,
            since: self.since,
            now,
            ended,
            reason,
            bytes,
            refunded: &refunded,
            edits: self.edits.as_deref(),
        });
        if let Some(span) = self.span.take() {
            span.ended(ended);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let meaning = self.unsettled_means;
        self.finish(meaning, None, 0);
    }
}
