//! The host of a URL, where all readers agree on it.

use std::borrow::Cow;

use super::{Doubtful, host};

/// The host of a URL with the port it names or implies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host in its normal form.
    pub host: Cow<'a, str>,
    /// The port written, else that of `http` or `https`; other schemes have none.
    pub port: Option<u16>,
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
    let (name, port) = match authority.split_once(':') {
        None => (authority, implied),
        Some((name, port)) => (name, Some(self::port(port).ok_or(Doubtful("has a port that is no plain number"))?)),
    };
    Ok(Authority { host: host::normal(name)?, port })
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
        authority(text, &schemes).ok().map(|found| (found.host.into_owned(), found.port))
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
            ("https://[::1]/", None),
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
