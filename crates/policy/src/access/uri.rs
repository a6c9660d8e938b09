//! URIs that two readers could read differently.

use std::fmt;

/// Why a URI is denied before any pattern is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriFault {
    /// A segment is `.` or `..`, as sent or once decoded.
    DotSegment,
    /// A backslash, as sent or once decoded.
    Backslash,
    /// A control character, as sent or once decoded.
    ControlCharacter,
    /// A user name before the host.
    UserInfo,
    /// A `%` that two hexadecimal digits do not follow, or one that decodes to no UTF-8.
    InvalidEscape,
}

impl fmt::Display for UriFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriFault::DotSegment => "a `.` or `..` segment",
            UriFault::Backslash => "a backslash",
            UriFault::ControlCharacter => "a control character",
            UriFault::UserInfo => "a user name before the host",
            UriFault::InvalidEscape => "an invalid escape",
        })
    }
}

/// Checks a URI as it was sent.
///
/// # Errors
/// What makes its readers differ.
pub fn check_uri(uri: &str) -> Result<(), UriFault> {
    text(uri)?;
    if uri.contains('%') {
        let decoded = decode(uri).ok_or(UriFault::InvalidEscape)?;
        text(&decoded)?;
    }
    let authority = uri.split_once("://").map(|(_, rest)| rest).and_then(|rest| rest.split(['/', '?', '#']).next());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(UriFault::UserInfo);
    }
    Ok(())
}

fn text(uri: &str) -> Result<(), UriFault> {
    if uri.contains('\\') {
        return Err(UriFault::Backslash);
    }
    if uri.chars().any(char::is_control) {
        return Err(UriFault::ControlCharacter);
    }
    // Segments of every part: a server may take `?` and `#` for characters of a file name, and `:` ends a scheme.
    if uri.split(['/', '?', '#']).any(|segment| matches!(segment, "." | "..")) {
        return Err(UriFault::DotSegment);
    }
    let after_scheme = uri.split_once(':').map(|(_, rest)| rest.split('/').next());
    if matches!(after_scheme, Some(Some("." | ".."))) {
        return Err(UriFault::DotSegment);
    }
    Ok(())
}

/// The text with its escapes decoded once.
fn decode(uri: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(uri.len());
    let mut bytes = uri.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        decoded.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_read_differently_is_refused() {
        for (uri, expected) in [
            ("file:///home/a.txt", Ok(())),
            ("demo://resource/static/1", Ok(())),
            ("file:///a/..b/c...d", Ok(())),
            ("file:///a%20b", Ok(())),
            ("note://a@b", Err(UriFault::UserInfo)),
            ("note://host/a@b", Ok(())),
            ("mailto:a@example.com", Ok(())),
            ("file:///a/../b", Err(UriFault::DotSegment)),
            ("file:///a/..", Err(UriFault::DotSegment)),
            ("file:///a/./b", Err(UriFault::DotSegment)),
            ("file:///a/%2e%2e/b", Err(UriFault::DotSegment)),
            ("file:///a/.%2E/b", Err(UriFault::DotSegment)),
            ("file:///a/%2e%2e%2fb", Err(UriFault::DotSegment)),
            ("file:../b", Err(UriFault::DotSegment)),
            ("../b", Err(UriFault::DotSegment)),
            ("file:///a?../b", Err(UriFault::DotSegment)),
            ("file:///a\\b", Err(UriFault::Backslash)),
            ("file:///a%5Cb", Err(UriFault::Backslash)),
            ("file:///a\nb", Err(UriFault::ControlCharacter)),
            ("file:///a%00b", Err(UriFault::ControlCharacter)),
            ("file:///a\u{85}b", Err(UriFault::ControlCharacter)),
            ("http://user:pw@host/", Err(UriFault::UserInfo)),
            ("file:///a%", Err(UriFault::InvalidEscape)),
            ("file:///a%2", Err(UriFault::InvalidEscape)),
            ("file:///a%zz", Err(UriFault::InvalidEscape)),
            ("file:///a%ff", Err(UriFault::InvalidEscape)),
            ("file:///a%+1", Err(UriFault::InvalidEscape)),
        ] {
            assert_eq!(check_uri(uri), expected, "{uri:?}");
        }
    }
}
