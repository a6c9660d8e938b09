//! Where connections may lead whose URLs somebody else has chosen.
//!
//! A URL is judged by the host that will be dialled: its name when it is registered, and the very addresses that its
//! name leads to each time before one of them is dialled. So a name that leads elsewhere later leads nowhere.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use policy::text::cidr::Block;
use policy::text::{host, public};

use crate::resolve::Resolve;

/// Names at which clouds tell a machine its own secrets. No MCP server has one of them.
const METADATA: [&str; 6] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
];

/// How long a name may take to be looked up when its URL is judged.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Which addresses connections may lead to.
#[derive(Debug, Clone, Default)]
pub enum Egress {
    /// Any: for URLs that the operator of this program has written.
    #[default]
    Anywhere,
    /// Those of the public internet, and those of networks that the operator has allowed.
    Public {
        /// The allowed networks.
        allowed: Arc<[Block]>,
    },
}

/// Where a connection may not lead. It names no address: whoever reads it may not know the network inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not a name and no address, or one that is read differently by different programs: `127.1`, `0x7f.0.0.1`.
    #[error("its host {0}: write the name, or the address as four numbers or in [brackets]")]
    Odd(&'static str),
    /// The name of a cloud's metadata service.
    #[error("its host is the metadata service of a cloud, which is no MCP server")]
    Metadata,
    /// An address that is not of the public internet.
    #[error("it leads to {0}, and servers may only be there if the operator allows it: `--allow-upstream NETWORK`")]
    Inside(Inside),
}

/// What an address that is not of the public internet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// The machine itself.
    Loopback,
    /// A private network.
    Private,
    /// The link, where clouds keep the metadata of machines.
    LinkLocal,
    /// The inside of a provider (carrier-grade NAT).
    Shared,
    /// A group.
    Multicast,
    /// An IPv4 address in the clothes of an IPv6 address.
    Embedded,
    /// Any other special purpose.
    Reserved,
}

impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Loopback => "this machine itself (loopback)",
            Self::Private => "a private network",
            Self::LinkLocal => "the link-local network, where clouds keep their metadata",
            Self::Shared => "the inside of a provider (carrier-grade NAT)",
            Self::Multicast => "a multicast group",
            Self::Embedded => "an IPv4 address embedded in an IPv6 address",
            Self::Reserved => "an address of a special purpose",
        })
    }
}

/// The host of a URL, as it will be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// An address.
    Address(IpAddr),
    /// A name, to be resolved.
    Name(&'a str),
}

impl Egress {
    /// The public internet, and the networks that the operator has allowed.
    pub fn public(allowed: impl IntoIterator<Item = Block>) -> Self {
        Self::Public { allowed: allowed.into_iter().collect() }
    }

    /// Whether an address may be dialled.
    ///
    /// # Errors
    /// [`Forbidden::Inside`].
    pub fn address(&self, address: IpAddr) -> Result<(), Forbidden> {
        let Self::Public { allowed } = self else { return Ok(()) };
        let inner = translated(address);
        let allows = |address: IpAddr| allowed.iter().any(|network| network.covers(address));
        if public::address(inner) || allows(inner) || allows(address) {
            return Ok(());
        }
        Err(Forbidden::Inside(inside(inner)))
    }

    /// The host of a URL, if it is one that may be asked for.
    ///
    /// # Errors
    /// [`Forbidden`] for what can be said without looking the name up.
    pub fn host<'a>(&self, uri: &'a Uri) -> Result<Host<'a>, Forbidden> {
        let text = uri.host().unwrap_or_default();
        let Self::Public { .. } = self else { return Ok(literal(text).map_or(Host::Name(text), Host::Address)) };
        if text.starts_with('[') {
            let address = literal(text).ok_or(Forbidden::Odd("is no IPv6 address"))?;
            return self.address(address).map(|()| Host::Address(address));
        }
        let name = host::normal(text).map_err(|doubt| Forbidden::Odd(shorten(doubt.0)))?;
        // One dot at the end is nothing to an address, and everything to a resolver.
        if let Some(address) = literal(&name) {
            return self.address(address).map(|()| Host::Address(address));
        }
        if METADATA.contains(&&*name) {
            return Err(Forbidden::Metadata);
        }
        Ok(Host::Name(text))
    }

    /// Judges a URL that somebody wants to register. A name that leads nowhere now is no reason against it: where it
    /// leads is judged again whenever it is dialled.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub async fn judge(&self, uri: &Uri, resolver: &dyn Resolve) -> Result<(), Forbidden> {
        let Self::Public { .. } = self else { return Ok(()) };
        let Host::Name(name) = self.host(uri)? else { return Ok(()) };
        let Ok(Ok(addresses)) = tokio::time::timeout(LOOK_UP, resolver.addresses(name)).await else { return Ok(()) };
        self.all(&addresses)
    }

    /// Whether each address that a name leads to may be dialled. One that may not spoils the name: whoever mixes them
    /// hopes that the right one is tried.
    ///
    /// # Errors
    /// [`Forbidden::Inside`].
    pub fn all(&self, addresses: &[IpAddr]) -> Result<(), Forbidden> {
        addresses.iter().try_for_each(|address| self.address(*address))
    }
}

/// The address in the text of a host.
fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// What a network without IPv4 reaches by a translated address (RFC 6052): every IPv4 host has one there.
pub(crate) fn translated(address: IpAddr) -> IpAddr {
    let IpAddr::V6(long) = address else { return address };
    match long.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let [.., a, b, c, d] = long.octets();
            IpAddr::from([a, b, c, d])
        }
        _ => address,
    }
}

/// What an address that is not public belongs to.
fn inside(address: IpAddr) -> Inside {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [127, ..] => Inside::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Inside::Private,
            [169, 254, ..] => Inside::LinkLocal,
            [100, 64..=127, ..] => Inside::Shared,
            [224..=239, ..] => Inside::Multicast,
            _ => Inside::Reserved,
        },
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Inside::Loopback,
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Inside::Private,
            [0xfe80..=0xfebf, ..] => Inside::LinkLocal,
            [0xff00..=0xffff, ..] => Inside::Multicast,
            [0, 0, 0, 0, 0, 0, 0, 0] => Inside::Reserved,
            [0, ..] | [0x64, ..] | [0x2002, ..] => Inside::Embedded,
            _ => Inside::Reserved,
        },
    }
}

/// The end of a sentence that begins with a host rather than with a URL.
fn shorten(doubt: &'static str) -> &'static str {
    doubt.strip_prefix("has a host that ").unwrap_or(doubt)
}

#[cfg(test)]
mod tests;
