//! What is known of the protocol eras that a server speaks.
//!
//! An era is a property of the upstream. It has to be found out only where the gateway translates: before a child
//! process, which a client that talks HTTP cannot probe itself, and where several servers are offered as one.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long a verdict holds: a server that is updated must not stay legacy for ever.
const HOLDS: Duration = Duration::from_secs(3600);

/// One of the two protocols that go by the name of MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2024-11-05 to 2025-11-25: `initialize`, sessions.
    Legacy,
    /// 2026-07-28: stateless.
    Modern,
}

/// Remembers which eras one server speaks; it may be both.
#[derive(Debug, Default)]
pub struct EraMemory(Mutex<Known>);

#[derive(Debug, Default, Clone, Copy)]
struct Known {
    legacy: Option<(bool, Instant)>,
    modern: Option<(bool, Instant)>,
}

impl EraMemory {
    /// Whether it speaks an era, if that was found out lately.
    pub fn speaks(&self, era: Era) -> Option<bool> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match era {
            Era::Legacy => known.legacy,
            Era::Modern => known.modern,
        };
        known.filter(|(_, since)| since.elapsed() < HOLDS).map(|(speaks, _)| speaks)
    }

    /// Remembers what was found out.
    pub fn learn(&self, era: Era, speaks: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match era {
            Era::Legacy => &mut known.legacy,
            Era::Modern => &mut known.modern,
        };
        *place = Some((speaks, Instant::now()));
    }
}
