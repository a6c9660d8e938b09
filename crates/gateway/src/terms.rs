//! The terms on which a grant may be used: from where, until when, and whether somebody has stopped it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use policy::text::cidr::Block;
use tokio::sync::Notify;

/// The terms of a grant that a control plane has given.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The grant's id, which no other grant ever has.
    pub id: String,
    /// What it is counted as at its server, which is its id unless it is for several.
    pub counted: String,
    /// What it is counted as where a policy spans its servers.
    pub spanned: String,
    /// The id of its server: counts go on under it, whatever the server is called.
    pub server: String,
    /// The id of its agent, likewise.
    pub agent: String,
    /// The id of its policy, to which counts of its own belong.
    pub policy: Option<String>,
    /// Networks from which it may be used; none means from anywhere.
    pub networks: Vec<Block>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Whether it is stopped. Shared by all forms that a grant takes over time, so that calls under an older
    /// form are stopped too.
    pub switch: Arc<Switch>,
    /// When it was used last, in milliseconds since 1970; shared likewise.
    pub used: Arc<AtomicI64>,
}

/// Stops and lets go, while calls are under way.
#[derive(Debug, Default)]
pub struct Switch {
    stopped: ArcSwapOption<String>,
    turned: Notify,
}

/// Why a grant that is known may not be used here and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// Its time is over.
    Expired(Timestamp),
    /// Not from this address.
    Elsewhere(IpAddr),
}

impl Unusable {
    /// How it is counted.
    pub fn counted_as(&self) -> &'static str {
        match self {
            Self::Expired(_) => "expired grant",
            Self::Elsewhere(_) => "grant used from elsewhere",
        }
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired(at) => write!(f, "this grant has expired at {at}: ask its owner for a new token"),
            Self::Elsewhere(address) => {
                write!(f, "this grant may not be used from {address}: ask its owner which networks it is for")
            }
        }
    }
}

impl Terms {
    /// Whether the grant may be used from an address now; if so, it is.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn usable(&self, from: IpAddr, now: Timestamp) -> Result<(), Unusable> {
        self.permit(from, now)?;
        self.used.store(now.as_millisecond(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether the grant may be used from an address now, where looking at it is no use of it.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn permit(&self, from: IpAddr, now: Timestamp) -> Result<(), Unusable> {
        if let Some(at) = self.expires_at.filter(|at| *at <= now) {
            return Err(Unusable::Expired(at));
        }
        if !self.networks.is_empty() && !self.networks.iter().any(|network| network.covers(from.to_canonical())) {
            return Err(Unusable::Elsewhere(from));
        }
        Ok(())
    }
}

impl Switch {
    /// Why calls are stopped, if they are: a sentence for the agent.
    pub fn stopped(&self) -> Option<Arc<String>> {
        self.stopped.load_full()
    }

    /// Stops calls, those under way included.
    pub fn stop(&self, reason: &str) {
        self.stopped.store(Some(Arc::new(reason.to_owned())));
        self.turned.notify_waiters();
    }

    /// Lets calls go on.
    pub fn resume(&self) {
        self.stopped.store(None);
    }

    /// Waits until calls are stopped, and tells why.
    pub async fn wait(&self) -> Arc<String> {
        loop {
            let turned = self.turned.notified();
            tokio::pin!(turned);
            // Listening begins before one looks, or a turn in between would be missed.
            turned.as_mut().enable();
            if let Some(reason) = self.stopped() {
                return reason;
            }
            turned.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(networks: &[&str]) -> Terms {
        let networks = networks.iter().map(|network| Block::parse(network).unwrap()).collect();
        Terms { networks, ..Terms::default() }
    }

    #[test]
    fn networks_and_time() {
        let now = Timestamp::from_second(1_000).unwrap();
        let inside: IpAddr = "10.1.2.3".parse().unwrap();
        let outside: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(terms(&[]).usable(outside, now), Ok(()));
        let some = terms(&["2001:db8::/32", "10.0.0.0/8"]);
        assert_eq!(some.usable(inside, now), Ok(()));
        assert_eq!(some.usable("::ffff:10.1.2.3".parse().unwrap(), now), Ok(()));
        assert_eq!(some.usable(outside, now), Err(Unusable::Elsewhere(outside)));
        let over = Terms { expires_at: Some(now), ..some };
        assert_eq!(over.usable(inside, now), Err(Unusable::Expired(now)));
        assert_eq!(over.usable(inside, Timestamp::from_second(999).unwrap()), Ok(()));
    }

    #[tokio::test]
    async fn who_waits_is_told_why() {
        let switch = Arc::new(Switch::default());
        let waiting = {
            let switch = Arc::clone(&switch);
            tokio::spawn(async move { switch.wait().await })
        };
        assert_eq!(switch.stopped(), None);
        tokio::task::yield_now().await;
        switch.stop("it leaks");
        assert_eq!(*waiting.await.unwrap(), "it leaks");
        // Who comes later need not wait; who comes after it was resumed waits again.
        assert_eq!(*switch.wait().await, "it leaks");
        switch.resume();
        assert_eq!(switch.stopped(), None);
        assert!(futures_util::FutureExt::now_or_never(switch.wait()).is_none());
    }
}
