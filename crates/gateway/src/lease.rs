//! The lease under which a replica serves: when it has run out, nothing is forwarded until it was renewed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Until when calls may be forwarded without asking the control plane again.
#[derive(Debug)]
pub struct Lease {
    begun: Instant,
    /// Milliseconds after `begun`; the greatest number: for ever.
    until: AtomicU64,
}

impl Lease {
    /// One that never ends: for a gateway that follows nobody.
    pub fn unlimited() -> Self {
        Self { begun: Instant::now(), until: AtomicU64::new(u64::MAX) }
    }

    /// One that has ended, until it is renewed.
    pub fn ended() -> Self {
        Self { begun: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Holds it until a moment; a moment before the present one ends it. The moment counts from when the control
    /// plane was asked, not from when it has answered: so it never ends later here than there.
    pub fn hold_until(&self, moment: Instant) {
        let after = moment.saturating_duration_since(self.begun);
        self.until.store(u64::try_from(after.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.left().is_some()
    }

    /// For how long it holds if it is not renewed; [`Duration::MAX`] where it never ends, `None` once it has ended.
    pub fn left(&self) -> Option<Duration> {
        match self.until.load(Ordering::Acquire) {
            u64::MAX => Some(Duration::MAX),
            until => Duration::from_millis(until).checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_until_its_moment() {
        assert_eq!(Lease::unlimited().left(), Some(Duration::MAX));
        let lease = Lease::ended();
        assert!(!lease.holds());
        lease.hold_until(Instant::now() + Duration::from_secs(3600));
        assert!(lease.left().is_some_and(|left| left <= Duration::from_secs(3600)));
        assert!(lease.holds());
        lease.hold_until(Instant::now());
        assert!(!lease.holds());
    }
}
