//! What is known of the protocol eras that a server speaks.
//!
//! An era is a property of the upstream. It has to be found out only where the gateway bridges
//! transports, because a client that talks HTTP to a child process cannot probe it itself.

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

/// Remembers the era of one server.
#[derive(Debug, Default)]
pub struct EraMemory(Mutex<Option<(Era, Instant)>>);

impl EraMemory {
    /// The era, if it was found out lately.
    pub fn get(&self) -> Option<Era> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(_, since)| since.elapsed() < HOLDS).map(|(era, _)| era)
    }

    /// Remembers what was found out.
    pub fn set(&self, era: Era) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((era, Instant::now()));
    }
}
