//! What travels readable: over plain http to the public internet, where everybody on the way reads the credentials.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use policy::text::{host, public, url};

use crate::egress::translated;
use crate::resolve::Resolve;

/// How long a name may take to be looked up.
const LOOK_UP: Duration = Duration::from_secs(3);

/// What is said of a URL that would be asked so.
pub const WHY: &str = "over http at a public address everybody on the way reads what is sent, credentials included: write https://, or set plain_http where that is meant";

/// Whether a URL leads to the public internet over `http`, by its host alone.
///
/// ```
/// let clear = |url: &str| upstream::clear::by_name(&url.parse().unwrap());
/// assert!(clear("http://mail.acme.com/mcp") && clear("http://8.8.8.8/"));
/// assert!(!clear("https://mail.acme.com/mcp") && !clear("http://127.0.0.1:8080/") && !clear("http://mail:8080/"));
/// ```
pub fn by_name(uri: &Uri) -> bool {
    let text = uri.host().unwrap_or_default();
    let public = match address(text) {
        Some(address) => public::address(address),
        // What could lead anywhere may lead there.
        None => host::normal(text).map_or(true, |name| public::host(&url::Host::Name(name)).unwrap_or(true)),
    };
    uri.scheme_str() == Some("http") && public
}

/// The same by the addresses that its name has now; one that leads nowhere is judged by its name.
pub async fn now(uri: &Uri, resolver: &dyn Resolve) -> bool {
    if uri.scheme_str() != Some("http") {
        return false;
    }
    let text = uri.host().unwrap_or_default();
    if address(text).is_some() {
        return by_name(uri);
    }
    match tokio::time::timeout(LOOK_UP, resolver.addresses(text)).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => any_public(&addresses),
        _ => by_name(uri),
    }
}

/// Whether any of the addresses is one of the public internet.
pub(crate) fn any_public(addresses: &[IpAddr]) -> bool {
    addresses.iter().copied().map(reached).any(public::address)
}

/// What is reached by an address of IPv6 that holds one of IPv4, mapped (RFC 4291, section 2.5.5.2) or translated.
fn reached(address: IpAddr) -> IpAddr {
    translated(address.to_canonical())
}

/// The address in the text of a host.
fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().map(|inner| reached(IpAddr::V6(inner))),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Addresses;

    /// Leads every name to one address, or to none.
    struct To(Option<&'static str>);

    impl Resolve for To {
        fn addresses<'a>(&'a self, _: &'a str) -> Addresses<'a> {
            Box::pin(async move { Ok(self.0.iter().map(|text| text.parse().unwrap()).collect()) })
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        for (url, to, clear) in [
            ("http://crm.acme.com/mcp", Some("10.0.0.7"), false),
            ("http://crm.acme.com/mcp", Some("8.8.8.8"), true),
            ("http://crm.acme.com/mcp", None, true),
            ("https://crm.acme.com/mcp", Some("8.8.8.8"), false),
            ("http://crm/mcp", None, false),
            ("http://crm/mcp", Some("8.8.8.8"), true),
            ("http://[64:ff9b::808:808]/", None, true),
            ("http://[::ffff:8.8.8.8]/", None, true),
            ("http://[::ffff:10.0.0.7]/", None, false),
            ("http://[64:ff9b::a00:7]/", None, false),
            ("http://[2606:4700::1111]/", Some("10.0.0.7"), true),
            ("http://[::1]:8080/", Some("8.8.8.8"), false),
        ] {
            assert_eq!(now(&url.parse().unwrap(), &To(to)).await, clear, "{url} {to:?}");
        }
    }
}
