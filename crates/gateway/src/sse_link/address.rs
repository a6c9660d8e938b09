//! The address for messages that an HTTP+SSE server names. It may be relative, and is always at the server itself: whatever
//! else it says, the gateway's messages and credentials go nowhere else.

use upstream::http::Endpoint;

/// The longest address, in bytes.
const LONGEST: usize = 8192;

/// Where messages go, as `said` by the server that listens at `endpoint`.
///
/// # Errors
/// A sentence, which does not repeat the address: that holds what lets one speak in the session.
pub(super) fn of(endpoint: &Endpoint, said: &[u8]) -> Result<Endpoint, String> {
    let unreadable = || "the address for messages that the server names cannot be read".to_owned();
    // Browsers take `\` for `/` and leave out line breaks; what two readers could read differently is refused.
    let plain = |byte: &u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'\\' | b'#');
    if said.is_empty() || said.len() > LONGEST || !said.iter().all(plain) {
        return Err(unreadable());
    }
    let said = std::str::from_utf8(said).map_err(|_| unreadable())?;
    let target = match scheme(said) {
        Some(_) => same_origin(endpoint, said)?,
        None if said.starts_with("//") => {
            let scheme = endpoint.uri().scheme_str().unwrap_or_default();
            same_origin(endpoint, &format!("{scheme}:{said}"))?
        }
        None => relative(endpoint, said),
    };
    endpoint.at(&target).map_err(|_| unreadable())
}

/// The path and query of an absolute address at the same server.
fn same_origin(endpoint: &Endpoint, said: &str) -> Result<String, String> {
    let elsewhere = || {
        "the server names an address for messages at another server (scheme, host and port must be those of its URL), \
         and nothing is sent there"
            .to_owned()
    };
    let there = Endpoint::parse(said).map_err(|_| elsewhere())?;
    let (here, there) = (endpoint.uri(), there.uri());
    let port = |uri: &http::Uri| uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let host = |uri: &http::Uri| uri.host().map(str::to_ascii_lowercase);
    if here.scheme_str() != there.scheme_str() || host(here) != host(there) || port(here) != port(there) {
        return Err(elsewhere());
    }
    Ok(there.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned())
}

/// The scheme that an address begins with (RFC 3986, 3.1).
fn scheme(said: &str) -> Option<&str> {
    let (scheme, _) = said.split_once(':')?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(letter)).then_some(scheme)
}

/// A relative address, resolved against the URL of the stream (RFC 3986, 5.2).
fn relative(endpoint: &Endpoint, said: &str) -> String {
    let base = endpoint.uri().path();
    let (path, query) = match said.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (said, None),
    };
    let path = match path {
        "" => base.to_owned(),
        path if path.starts_with('/') => without_dots(path),
        path => {
            let folder = base.rfind('/').and_then(|end| base.get(..=end)).unwrap_or("/");
            without_dots(&format!("{folder}{path}"))
        }
    };
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

/// An absolute path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(said: &str) -> Result<String, String> {
        let endpoint = Endpoint::parse("https://Mail.example.com/a/b/sse?key=1").unwrap();
        of(&endpoint, said.as_bytes()).map(|found| found.uri().to_string())
    }

    #[test]
    fn an_address_is_resolved_against_the_url_of_the_stream() {
        for (said, path) in [
            ("/messages?sessionId=1", "/messages?sessionId=1"),
            ("messages/?session_id=a%2Fb", "/a/b/messages/?session_id=a%2Fb"),
            ("?sessionId=1", "/a/b/sse?sessionId=1"),
            ("../messages", "/a/messages"),
            ("../../../../messages", "/messages"),
            ("./m/./n/..", "/a/b/m/"),
            ("/x/../y", "/y"),
            ("/m?next=/../x", "/m?next=/../x"),
            ("m:1", "m:1"),
            ("./m:1", "/a/b/m:1"),
            ("https://mail.example.com/messages?s=1", "/messages?s=1"),
            ("https://MAIL.example.com:443/m", "/m"),
            ("//mail.example.com/m", "/m"),
            ("https://mail.example.com", "/"),
        ] {
            match path.strip_prefix('/') {
                Some(path) => {
                    assert_eq!(named(said).unwrap().split_once("example.com/").unwrap().1, path, "{said}");
                }
                None => assert!(named(said).is_err(), "{said}"),
            }
        }
    }

    #[test]
    fn an_address_elsewhere_is_refused() {
        for said in [
            "http://mail.example.com/m",
            "https://mail.example.com:8443/m",
            "https://other.example.com/m",
            "https://mail.example.com.evil.example/m",
            "https://u:p@mail.example.com/m",
            "https://mail.example.com@evil.example/m",
            "//evil.example/m",
            "ftp://mail.example.com/m",
            "javascript:alert(1)",
        ] {
            assert!(named(said).unwrap_err().contains("at another server"), "{said}");
        }
        for said in ["", "/a b", "/a\n", "\\\\evil.example/m", "/\\evil.example", "/a#b", "/ü", &"/a".repeat(5000)] {
            assert!(named(said).unwrap_err().contains("cannot be read"), "{said}");
        }
    }

    #[test]
    fn an_address_carries_the_credentials_of_its_server() {
        let mut endpoint = Endpoint::parse("http://h:1/sse").unwrap();
        endpoint.add_header("Authorization", "Bearer s3cr3t").unwrap();
        let found = of(&endpoint, b"/m").unwrap();
        assert_eq!(found.uri().to_string(), "http://h:1/m");
        assert!(format!("{found:?}").contains("authorization"));
    }
}
