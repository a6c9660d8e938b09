//! A forwarded call on its way back: what it holds, and how its end is recorded.

use std::sync::Arc;

use audit::Count;
use jiff::Timestamp;

use crate::gateway::Gateway;
use crate::limits::{self, Ending, Held};
use crate::record::Settled;

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

/// Held by whoever awaits the answer. A ticket that is dropped records that the end is unknown.
pub struct Ticket {
    gateway: Arc<Gateway>,
    id: audit::Id,
    since: Timestamp,
    held: Vec<Held>,
    counts: Vec<Count<'static>>,
    settled: bool,
    unsettled_means: Ended,
}

impl Ticket {
    /// A ticket for a call that was recorded as `id`.
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        id: audit::Id,
        since: Timestamp,
        held: Vec<Held>,
        counts: Vec<Count<'static>>,
    ) -> Self {
        let gateway = Arc::clone(gateway);
        Self { gateway, id, since, held, counts, settled: false, unsettled_means: Ended::Unknown }
    }

    /// The decision's id.
    pub fn id(&self) -> audit::Id {
        self.id
    }

    /// What it will mean that the ticket is dropped without an end: `Disconnected` while an
    /// agent is being written to.
    pub fn if_dropped(&mut self, meaning: Ended) {
        self.unsettled_means = meaning;
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
        let refunded = limits::settle(self.gateway.counters(), std::mem::take(&mut self.held), ended.ending(), now);
        let refunded: Vec<Count<'static>> =
            refunded.into_iter().filter_map(|index| self.counts.get(index).cloned()).collect();
        self.gateway.record_outcome(&Settled {
            decision: self.id,
            since: self.since,
            now,
            ended,
            reason,
            bytes,
            refunded: &refunded,
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let meaning = self.unsettled_means;
        self.finish(meaning, None, 0);
    }
}
