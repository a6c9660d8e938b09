//! Looking whether other definitions are accepted than a moment ago.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;

use super::{Accepted, BadPins, Kept, Pinning};
use crate::gateway::Gateway;

impl Pinning {
    /// Reads the files again if somebody has changed them, and records what was accepted; true if agents
    /// are to be told that other definitions are accepted now. It touches files, so it is for threads
    /// on which no call waits.
    pub fn look(&self, gateway: &Gateway) -> bool {
        let Some(kept) = &self.kept else { return false };
        let settled = kept.changed.swap(false, Ordering::AcqRel);
        kept.read_again(&self.now, gateway) || settled
    }
}

impl Kept {
    fn read_again(&self, now: &ArcSwap<Accepted>, gateway: &Gateway) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let trace = self.files.trace();
        if trace == seen.trace {
            return false;
        }
        let section = match self.files.section(&self.server) {
            Ok(section) => section,
            Err(error) => {
                // A text that cannot be read is read again when it is another one; a file that the system
                // does not give may be had the next time. Editors and merges write in steps: it is said once.
                if matches!(error, BadPins::Text { .. }) {
                    seen.trace = trace;
                }
                if !std::mem::replace(&mut seen.broken, true) {
                    (self.tell)(&format!("{error}; what was accepted before stays in force"));
                }
                return false;
            }
        };
        seen.trace = trace;
        self.files.tidy(&self.server);
        let before = now.load_full();
        // A lock file that is away for a moment, as while branches are changed, accepts nothing.
        if section.is_none() && matches!(before.section, Some(Some(_))) {
            if !std::mem::replace(&mut seen.broken, true) {
                (self.tell)(&format!(
                    "server {}: its pins are gone from {}; what was accepted stays in force until this gateway ends",
                    self.server,
                    self.files.lock().display()
                ));
            }
            return false;
        }
        seen.broken = false;
        if before.section.as_ref() == Some(&section) {
            return false;
        }
        let before = before.section.iter().flatten().next();
        for (name, pin) in section.iter().flatten() {
            if before.and_then(|before| before.get(name)) != Some(pin) {
                self.record(gateway, name, pin, true);
            }
        }
        now.store(Arc::new(Accepted { section: Some(section) }));
        self.settled.store(None);
        (self.tell)(&format!("server {}: other definitions are accepted now", self.server));
        true
    }
}
