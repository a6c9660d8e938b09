//! Which hosts are out on the internet, by what they are called alone. No name is resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::url::Host;
use super::{Doubtful, cidr};

/// Names below which nothing is of the public internet: the special-use registry of IANA, what ICANN reserved or
/// keeps away because networks use it inside, and what orchestrators and clouds answer within.
const INSIDE: [&str; 24] = [
    "alt",
    "arpa",
    "corp",
    "domain",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "svc",
    // What the API server of Kubernetes is called inside; no public domain.
    "kubernetes.default",
    "test",
    "workgroup",
    "consul",
    "metadata.goog",
    "metadata.tencentyun.com",
    "fritz.box",
];

/// Names whose owner lets them lead to any address, or to this machine: `10.0.0.1.nip.io`.
const ANYWHERE: [&str; 19] = [
    "nip.io",
    "sslip.io",
    "xip.io",
    "xip.name",
    "traefik.me",
    "backname.io",
    "local-ip.co",
    "local-ip.sh",
    "1u.ms",
    "rbndr.us",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    "localho.st",
    "local.gd",
    "localhost.direct",
    "lndo.site",
    "sslip.sh",
];

/// Whether the host is on the public internet.
///
/// # Errors
/// When its name or address stands for another one, so that it could be either.
pub fn host(host: &Host<'_>) -> Result<bool, Doubtful> {
    match host {
        Host::V6(address) if cidr::stands_for_another(*address) => {
            Err(Doubtful("has an IPv6 address that stands for an IPv4 address"))
        }
        Host::V6(address) => Ok(v6(*address)),
        Host::Name(name) => match cidr::v4(name) {
            Some(address) => Ok(v4(address)),
            None if ANYWHERE.iter().any(|suffix| is_under(name, suffix)) => {
                Err(Doubtful("has a host of a service whose names lead to any address"))
            }
            None => Ok(name.contains('.') && !INSIDE.iter().any(|suffix| is_under(name, suffix))),
        },
    }
}

/// Whether an address is on the public internet; one that stands for another is not.
#[must_use]
pub fn address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => !cidr::stands_for_another(address) && v6(address),
    }
}

fn is_under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether the special-purpose registry of IANA leaves the address to the internet.
fn v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private, shared (carrier-grade NAT), loopback, link-local.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..]
        // Protocol assignments, 6to4 relays, benchmarking.
        | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..]
        // Documentation.
        | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
        // Public by the registry; what answers there is the host under a machine of Azure.
        | [168, 63, 129, 16]
    )
}

/// Whether the address is global unicast and of no special purpose.
fn v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments, documentation (of both registrations).
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => matches!(first, 0x2000..=0x3fff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::url::authority;

    fn judged(host: &str) -> Option<bool> {
        let url = format!("http://{host}/");
        self::host(&authority(&url, &["http".into()]).ok()?.host).ok()
    }

    #[test]
    fn names() {
        for name in [
            "example.com",
            "EXAMPLE.com.",
            "a.b.c.example.org",
            "bücher.de",
            "ｅｘａｍｐｌｅ.com",
            "localhost.example.com",
            "notlocal.com",
            "mylocalhost.dev",
            "xlan.io",
            "snip.io",
            "10.0.0.1.example.com",
            "home.cern",
        ] {
            assert_eq!(judged(name), Some(true), "{name}");
        }
        for name in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "ｌｏｃａｌｈｏｓｔ",
            "a.localhost",
            "printer",
            "printer.local",
            "printer。local",
            "db.internal",
            "metadata",
            "metadata.google.internal",
            "metadata.goog",
            "host.docker.internal",
            "instance-data.ec2.internal",
            "wiki.intranet",
            "nas.lan",
            "nas.home",
            "nas.home.arpa",
            "1.0.0.127.in-addr.arpa",
            "mail.corp",
            "x.private",
            "x.localdomain",
            "x.test",
            "x.invalid",
            "x.example",
            "x.onion",
            "api.default.svc.cluster.local",
            "api.default.svc",
            "db.service.consul",
            "kubernetes.default",
            "KUBERNETES.default.",
        ] {
            assert_eq!(judged(name), Some(false), "{name}");
        }
        for name in [
            "127.0.0.1.nip.io",
            "nip.io",
            "10-0-0-1.sslip.io",
            "app.LocalTest.me.",
            "lvh.me",
            "local.gd",
            "x.localhost.direct",
            "app.lndo.site",
            "10.0.0.1.sslip.sh",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "a@example.com",
            "example.com\\@localhost",
            "exam%70le.com",
            "exa mple.com",
            "",
            ".",
            "a..com",
            "::1",
        ] {
            assert_eq!(judged(name), None, "{name}");
        }
    }

    #[test]
    fn addresses() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("1.1.1.1.", true),
            ("9.255.255.255", true),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("198.17.0.1", true),
            ("198.20.0.1", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.100.100.200", false),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("168.63.129.16", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("[2606:4700:4700::1111]", true),
            ("[2001:4860:4860::8888]", true),
            ("[2001:200::1]", true),
            ("[::]", false),
            ("[::1]", false),
            ("[0:0:0:0:0:0:0:1]", false),
            ("[100::1]", false),
            ("[2001:2::1]", false),
            ("[2001:20::1]", false),
            ("[2001:db8::1]", false),
            ("[3fff::1]", false),
            ("[4000::1]", false),
            ("[5f00::1]", false),
            ("[fc00::1]", false),
            ("[fd00:ec2::254]", false),
            ("[fe80::1]", false),
            ("[fec0::1]", false),
            ("[ff02::1]", false),
        ] {
            assert_eq!(judged(address), Some(expected), "{address}");
        }
        for address in [
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[::ffff:0:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:1::1]",
            "[2606::5efe:7f00:1]",
            "[fe80::1%25eth0]",
            "[::1",
            "[127.0.0.1]",
        ] {
            assert_eq!(judged(address), None, "{address}");
        }
    }
}
