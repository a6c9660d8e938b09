//! Translation between the eras: an agent of one speaks to a server of the other.
//!
//! The translator is an agent itself. It stands before the one way on which messages are judged and forwarded,
//! [`Front::one`](super::Front::one), speaks the server's era to it, and reads what comes back. So nothing here decides,
//! records or forwards anything; what the server would see of an agent of its own era is what it sees.

mod agent;
mod ending;
mod exchange;
mod held;
mod listen;
mod pieces;
mod rounds;
mod sessions;
mod to_legacy;
mod to_modern;
mod watching;

use std::sync::Mutex;
use std::time::Duration;

pub(super) use agent::Agent;
pub(super) use to_modern::repeating;

use self::agent::Agents;
use self::held::Pools;
use self::rounds::OpenCalls;
use crate::caller::Caller;
use crate::gateway::Gateway;

/// How long an agent may take to answer what a server asks.
const PATIENCE: Duration = Duration::from_secs(600);

/// What translation has to remember: sessions that it holds at servers, calls that wait for an agent's answer, and what
/// agents of sessions have said.
#[derive(Default)]
pub(crate) struct Translation {
    pools: Pools,
    calls: OpenCalls,
    agents: Mutex<Agents>,
}

impl Translation {
    /// Ends and forgets what nobody has used for long. To be called now and then.
    pub(crate) fn sweep(&self, gateway: &Gateway) {
        for held in self.pools.sweep() {
            ending::end(gateway, &held);
        }
        self.calls.sweep();
        self.agents().sweep();
    }

    /// A session has ended.
    pub(super) fn forget(&self, caller: &Caller) {
        if let Some(number) = caller.session {
            self.agents().ended(number);
        }
    }

    fn agents(&self) -> std::sync::MutexGuard<'_, Agents> {
        self.agents.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
