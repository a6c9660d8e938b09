//! The host of a URL, where all readers agree on it.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::{Doubtful, host};

/// The host of a URL with the port it names or implies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port written, else that of `http` or `https`; other schemes have none.
    pub port: Option<u16>,
}

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name or an IPv4 address in its normal form.
    Name(Cow<'a, str>),
    /// An IPv6 address, which URLs write in brackets.
    V6(Ipv6Addr),
}

impl Host<'_> {
    /// The host as lists of hosts write it.
    ///
    /// # Errors
    /// When it is an IPv6 address, which they cannot hold.
    pub fn name(&self) -> Result<&str, Doubtful> {
        match self {
            Self::Name(name) => Ok(name),
            Self::V6(_) => Err(Doubtful("has an IPv6 address for a host, which no list of hosts can hold")),
        }
    }
}

/// Reads scheme and authority of a URL. `schemes` are in lower case.
///
/// # Errors
/// When the text is no URL of one of the schemes with `//`, or when readers differ on its host: backslash, white
/// space, control character, user information, or `%` in the authority.
pub fn authority<'a>(text: &'a str, schemes: &[Box<str>]) -> Result<Authority<'a>, Doubtful> {
    for c in text.chars() {
        if c == '\\' {
            return Err(Doubtful("holds a backslash"));
        }
        if c.is_whitespace() || c.is_control() {
            return Err(Doubtful("holds white space or a control character"));
        }
    }
    let (scheme, rest) = text.split_once("://").ok_or(Doubtful("is no URL with `://`"))?;
    let implied = schemes.iter().find(|known| known.eq_ignore_ascii_case(scheme)).map(|known| match known.as_ref() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    });
    let implied = implied.ok_or(Doubtful("is no URL of a scheme that the rule names"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Doubtful("holds user information before its host"));
    }
    if authority.contains('%') {
        return Err(Doubtful("holds an escape in its host"));
    }
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (address, rest) = inside.split_once(']').ok_or(Doubtful("has a bracket that nothing closes"))?;
            // `Ipv6Addr` reads RFC 4291 without zones.
            (Host::V6(address.parse().map_err(|_| Doubtful("has brackets around what is no IPv6 address"))?), rest)
        }
        None => {
            let (name, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (Host::Name(host::normal(name)?), rest)
        }
    };
    let port = match rest.strip_prefix(':') {
        Some(text) => Some(port(text).ok_or(Doubtful("has a port that is no plain number"))?),
        None if rest.is_empty() => implied,
        None => return Err(Doubtful("has something after the brackets of its host")),
    };
    Ok(Authority { host, port })
}

/// A port in plain decimal digits.
fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// A scheme in lower case, if the text is one.
#[must_use]
pub fn scheme(text: &str) -> Option<Box<str>> {
    let lower = text.to_ascii_lowercase();
    let fits = lower.starts_with(|c: char| c.is_ascii_alphabetic())
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    fits.then(|| lower.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<u16>)> {
        let schemes = ["http".into(), "https".into(), "ftp".into()];
        let found = authority(text, &schemes).ok()?;
        let host = match found.host {
            Host::Name(name) => name.into_owned(),
            Host::V6(address) => format!("[{address}]"),
        };
        Some((host, found.port))
    }

    #[test]
    fn authorities() {
        let found = |host: &str, port| Some((host.to_owned(), port));
        for (text, expected) in [
            ("https://example.com", found("example.com", Some(443))),
            ("HTTP://Example.COM/a?b#c", found("example.com", Some(80))),
            ("https://example.com:8443/", found("example.com", Some(8443))),
            ("https://example.com?x=https://evil.test", found("example.com", Some(443))),
            ("https://example.com#@evil.test", found("example.com", Some(443))),
            ("https://example.com/@evil.test/%2e", found("example.com", Some(443))),
            ("https://example.com.", found("example.com", Some(443))),
            ("ftp://example.com", found("example.com", None)),
            ("https://example.com.evil.test", found("example.com.evil.test", Some(443))),
            ("http://127.0.0.1:1/", found("127.0.0.1", Some(1))),
            ("https://example。com/", found("example.com", Some(443))),
            ("https:/example.com", None),
            ("https:example.com", None),
            ("//example.com", None),
            ("example.com", None),
            ("gopher://example.com", None),
            ("javascript://example.com/%0aalert(1)", None),
            ("https:///example.com", None),
            ("https:////example.com", None),
            ("https://", None),
            ("https://user@example.com", None),
            ("https://example.com@evil.test", None),
            ("https://example.com:x@evil.test", None),
            ("https://example.com\\@evil.test", None),
            ("https:\\\\example.com", None),
            ("https://exam%70le.com", None),
            ("https://example.com /", None),
            (" https://example.com", None),
            ("https://example.com\n", None),
            ("https://exa\tmple.com", None),
            ("https://example.com/\u{a0}", None),
            ("https://example.com:", None),
            ("https://example.com:080", None),
            ("https://example.com:65536", None),
            ("https://example.com:+80", None),
            ("https://[::1]/", found("[::1]", Some(443))),
            ("https://[2001:DB8::1]:8443/", found("[2001:db8::1]", Some(8443))),
            ("https://[::1", None),
            ("https://[::1]x/", None),
            ("https://[::1].example.com/", None),
            ("https://[::1]:/", None),
            ("https://[fe80::1%25eth0]/", None),
            ("https://[127.0.0.1]/", None),
            ("https://[v1.x]/", None),
            ("https://::1/", None),
            ("https://x[::1]/", None),
            ("http://2130706433/", None),
            ("http://0x7f000001/", None),
            ("http://127.1/", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn schemes() {
        assert_eq!(scheme("WS").as_deref(), Some("ws"));
        assert_eq!(scheme("git+ssh").as_deref(), Some("git+ssh"));
        for text in ["", "1a", "a:", "a b", "é"] {
            assert_eq!(scheme(text), None, "{text}");
        }
    }
}
