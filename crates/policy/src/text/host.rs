//! Names of hosts, by UTS 46.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{Doubtful, cidr};

/// The host as the network sees it: UTS 46 ASCII in lower case without a trailing dot, or four plain decimal octets.
///
/// # Errors
/// When it is no host, or is read differently by different systems (`0x7f.1`, `127.1`, `１２７.0.0.1`).
pub fn normal(text: &str) -> Result<Cow<'_, str>, Doubtful> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let host = Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Verify)
        .map_err(|_| Doubtful("has a host that is no host name"))?;
    if !host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')) {
        return Err(Doubtful("has a host with signs that no host name has"));
    }
    // Octets are plain only as they were written, not as what they map to.
    if ends_in_number(&host) && cidr::v4(text).is_none() {
        return Err(Doubtful("has a host that some systems read as an IP address"));
    }
    Ok(host)
}

/// Whether readers of URLs take the host for an IPv4 address: its last label is a number, decimal or `0x`.
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// A list of hosts, of which `*.example.com` is any host below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    // Sorted.
    exact: Box<[Box<str>]>,
    // With the dot that they begin with.
    below: Box<[Box<str>]>,
}

impl Hosts {
    /// Reads a list.
    ///
    /// # Errors
    /// A message that names the entry that is no host.
    pub fn new<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let (mut exact, mut below) = (Vec::new(), Vec::new());
        for text in hosts {
            let (name, wildcard) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
            let host = match normal(name) {
                Ok(host) if !(wildcard && cidr::v4(&host).is_some()) => host,
                _ => return Err(entry_error(text)),
            };
            if wildcard {
                below.push(format!(".{host}").into_boxed_str());
            } else {
                exact.push(host.into());
            }
        }
        exact.sort_unstable();
        Ok(Self { exact: exact.into(), below: below.into() })
    }

    /// Whether the list has the host, which must be [`normal`].
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.exact.binary_search_by(|exact| exact.as_ref().cmp(host)).is_ok()
            || self.below.iter().any(|suffix| host.len() > suffix.len() && host.ends_with(suffix.as_ref()))
    }
}

fn entry_error(text: &str) -> String {
    let hint = if text.contains("://") || text.contains('/') {
        ": write the host alone, without scheme and path"
    } else if text.contains('[') || text.parse::<std::net::Ipv6Addr>().is_ok() {
        ": IPv6 addresses cannot be listed"
    } else if text.contains(':') {
        ": write the host alone and the port in `ports`"
    } else if text.contains('*') {
        ": `*` stands only for all hosts below one, as `*.example.com`"
    } else if text.contains('@') {
        ": write the part after `@`"
    } else {
        ""
    };
    format!("`{text}` is no host{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_hosts() {
        for (text, expected) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.Com", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("localhost", Some("localhost")),
            ("a_b.example.com", Some("a_b.example.com")),
            ("r3---sn.example.com", Some("r3---sn.example.com")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("BÜCHER.example", Some("xn--bcher-kva.example")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("faß.example", Some("xn--fa-hia.example")),
            ("ｅｘａｍｐｌｅ.com", Some("example.com")),
            ("example。com", Some("example.com")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("127.0.0.1.", Some("127.0.0.1")),
            ("example.com..", None),
            (".example.com", None),
            ("a..b", None),
            ("", None),
            (".", None),
            ("127.1", None),
            ("2130706433", None),
            ("0x7f.0.0.1", None),
            ("127.0.0.0x1", None),
            ("0177.0.0.1", None),
            ("127.0.0.01", None),
            ("256.0.0.1", None),
            ("１２７.0.0.1", None),
            ("127.0.0.①", None),
            ("a.0x", None),
            ("xn--a", None),
            ("xn--example-.com", None),
            ("exa mple.com", None),
            ("a*b.com", None),
            ("a%62.com", None),
            ("[::1]", None),
            ("a:b", None),
            ("a\u{0}b", None),
        ] {
            assert_eq!(normal(text).ok().as_deref(), expected, "{text:?}");
        }
        assert!(normal(&"a".repeat(64)).is_err());
    }

    #[test]
    fn lists() {
        let hosts = Hosts::new(["example.com", "*.Example.NET.", "10.0.0.1", "bücher.example"]).unwrap();
        for (host, expected) in [
            ("example.com", true),
            ("www.example.com", false),
            ("a.example.net", true),
            ("a.b.example.net", true),
            ("example.net", false),
            ("badexample.net", false),
            ("10.0.0.1", true),
            ("xn--bcher-kva.example", true),
        ] {
            assert_eq!(hosts.covers(host), expected, "{host}");
        }
        for bad in [
            "*",
            "*.",
            "a.*",
            "*.*.com",
            "*a.com",
            "https://example.com",
            "example.com:80",
            "::1",
            "[::1]",
            "a@b.c",
            "",
            "*.10.0.0.1",
            "127.1",
        ] {
            assert!(Hosts::new([bad]).is_err(), "{bad}");
        }
    }
}
