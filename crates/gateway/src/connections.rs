//! Connections: how many there may be, of one address and in all, and the places that are left for the API when agents
//! have taken all others.
//!
//! Whether a connection brings an agent or somebody who governs agents is not known before its first request. So when no
//! place is left, a few more connections are accepted, on which nothing but the API and the probes of health are
//! answered, and of which each is closed with its answer. Whoever has to stop an agent that floods the gateway can.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::arriving::Arriving;
use crate::bounded::{Bounded, Place};

/// Connections at once, unless somebody says otherwise.
const IN_ALL: usize = 10_000;

/// Connections of one address, unless somebody says otherwise: no address can take all places.
const OF_AN_ADDRESS: usize = 1_000;

/// Connections beyond these, for the API and the probes alone.
const RESERVE: usize = 256;

/// Connections of one address among them.
const OF_AN_ADDRESS_IN_RESERVE: usize = 16;

/// How many connections there may be at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub in_all: usize,
    /// Of one address. `None` stands for 1,000, and as many as there are places for loopback, where everything that runs
    /// on this machine comes from one address; a number is meant for loopback too.
    pub of_an_address: Option<usize>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { in_all: IN_ALL, of_an_address: None }
    }
}

/// The places of all workers.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    all: Arc<Semaphore>,
    by_address: Arc<Bounded<IpAddr>>,
    reserve: Arc<Bounded<IpAddr>>,
    arriving: Arriving,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Its address has as many as it may have.
    OfAddress,
    /// There are as many as there may be.
    InAll,
}

impl NoPlace {
    /// What it is counted as.
    pub(crate) fn counted_as(self) -> &'static str {
        match self {
            Self::OfAddress => "too many connections of an address",
            Self::InAll => "too many connections",
        }
    }
}

/// The place of one connection, given back when the last copy is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    connections: Arc<Connections>,
    /// `None` for a connection that stands in the reserve.
    all: Option<OwnedSemaphorePermit>,
    /// Held in the reserve.
    _reserve: Option<Place<IpAddr>>,
    /// The address that the connection counts for. Behind a proxy that is the one that its last request came from.
    address: Mutex<Option<Place<IpAddr>>>,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(limits.in_all.min(Semaphore::MAX_PERMITS)));
        let by_address = Bounded::new(limits.of_an_address.unwrap_or(OF_AN_ADDRESS), usize::MAX);
        let reserve = Bounded::new(OF_AN_ADDRESS_IN_RESERVE, RESERVE);
        Arc::new(Self { limits, all, by_address, reserve, arriving: Arriving::default() })
    }

    /// A place for a connection; `proxy` where it comes from one that is believed and brings the requests of many.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub(crate) fn seat(self: &Arc<Self>, peer: IpAddr, proxy: bool) -> Result<Arc<Seat>, NoPlace> {
        let address = if proxy { None } else { self.of_address(peer)? };
        let all = Arc::clone(&self.all).try_acquire_owned().ok();
        let reserve = match &all {
            Some(_) => None,
            None => Some(self.reserve.take(whole(peer)).map_err(|_| NoPlace::InAll)?),
        };
        Ok(Arc::new(Seat { connections: Arc::clone(self), all, _reserve: reserve, address: Mutex::new(address) }))
    }

    fn of_address(self: &Arc<Self>, address: IpAddr) -> Result<Option<Place<IpAddr>>, NoPlace> {
        if self.limits.of_an_address.is_none() && address.to_canonical().is_loopback() {
            return Ok(None);
        }
        self.by_address.take(whole(address)).map(Some).map_err(|_| NoPlace::OfAddress)
    }
}

impl Seat {
    /// Whether nothing but the API and the probes is answered here.
    pub(crate) fn is_reserved(&self) -> bool {
        self.all.is_none()
    }

    /// The room for what arrives over all connections.
    pub(crate) fn arriving(&self) -> &Arriving {
        &self.connections.arriving
    }

    /// Says for whom a proxy has sent a request over this connection, which counts for that address from now on: over
    /// one connection there is one request at a time.
    ///
    /// # Errors
    /// [`NoPlace`]: as many requests of that address are under way as it may have.
    pub(crate) fn stands_for(&self, client: IpAddr) -> Result<(), NoPlace> {
        let mut address = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        // Given back first: it may be the same one.
        *address = None;
        *address = self.connections.of_address(client)?;
        Ok(())
    }
}

/// What counts as one address: with IPv6 a host has a whole network of them.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(in_all: usize, of_an_address: Option<usize>) -> Arc<Connections> {
        Connections::new(ConnectionLimits { in_all, of_an_address })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn no_address_takes_all_places_and_loopback_only_where_nobody_says_otherwise() {
        let connections = limits(10_000, None);
        let seats: Vec<_> = (0..OF_AN_ADDRESS).map(|_| connections.seat(ip("192.0.2.1"), false).unwrap()).collect();
        for same in ["192.0.2.1", "::ffff:192.0.2.1"] {
            assert_eq!(connections.seat(ip(same), false).unwrap_err(), NoPlace::OfAddress);
        }
        let local: Vec<_> = (0..=OF_AN_ADDRESS).map(|_| connections.seat(ip("127.0.0.1"), false).unwrap()).collect();
        let other = connections.seat(ip("192.0.2.2"), false).unwrap();
        assert!(!other.is_reserved());
        drop((seats, local));
        assert!(connections.seat(ip("192.0.2.1"), false).is_ok());

        let connections = limits(10, Some(1));
        let _one = connections.seat(ip("127.0.0.1"), false).unwrap();
        assert_eq!(connections.seat(ip("127.0.0.1"), false).unwrap_err(), NoPlace::OfAddress);
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let connections = limits(10, Some(1));
        let _one = connections.seat(ip("2001:db8:0:1::1"), false).unwrap();
        assert_eq!(connections.seat(ip("2001:db8:0:1:ffff::"), false).unwrap_err(), NoPlace::OfAddress);
        assert!(connections.seat(ip("2001:db8:0:2::1"), false).is_ok());
    }

    #[test]
    fn when_all_places_are_taken_the_reserve_is_left_and_no_address_takes_it() {
        let connections = limits(1, None);
        let agent = connections.seat(ip("192.0.2.1"), false).unwrap();
        let reserved: Vec<_> =
            (0..OF_AN_ADDRESS_IN_RESERVE).map(|_| connections.seat(ip("127.0.0.1"), false).unwrap()).collect();
        assert!(reserved.iter().all(|seat| seat.is_reserved()));
        assert_eq!(connections.seat(ip("127.0.0.1"), false).unwrap_err(), NoPlace::InAll);
        assert!(connections.seat(ip("192.0.2.3"), false).unwrap().is_reserved());
        drop(agent);
        assert!(!connections.seat(ip("192.0.2.1"), false).unwrap().is_reserved());
    }

    #[test]
    fn behind_a_proxy_requests_count_for_whom_they_come_from() {
        let connections = limits(10, Some(1));
        let [one, two] = [(); 2].map(|()| connections.seat(ip("10.0.0.1"), true).unwrap());
        assert_eq!(one.stands_for(ip("192.0.2.1")), Ok(()));
        assert_eq!(one.stands_for(ip("192.0.2.1")), Ok(()), "the next request over the same connection");
        assert_eq!(two.stands_for(ip("192.0.2.1")), Err(NoPlace::OfAddress));
        assert_eq!(two.stands_for(ip("192.0.2.2")), Ok(()));
        assert_eq!(one.stands_for(ip("192.0.2.3")), Ok(()));
        assert_eq!(two.stands_for(ip("192.0.2.1")), Ok(()));
        drop((one, two));
        assert_eq!(connections.by_address.taken(), 0);
    }
}
