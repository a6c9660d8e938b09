//! The address of an instance.

use http::Uri;
use upstream::http::Endpoint;

use crate::failure::{Failure, Trying};

/// Where an instance is asked.
#[derive(Debug, Clone)]
pub struct Place {
    endpoint: Endpoint,
    url: String,
    path: String,
}

impl Place {
    /// Reads an address: https, or http to this machine itself, since a token goes there.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let what = "the address of the instance";
        let endpoint = Endpoint::parse(text.trim()).trying(what)?;
        let uri = endpoint.uri();
        if uri.query().is_some() || text.contains('#') {
            return Err(Failure::Usage(format!("{what} has no `?` and no `#`: write https://toolgate.example.com")));
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "https" && !is_loopback(uri) {
            let only = "http is for this machine itself (127.0.0.1, ::1, localhost) alone, since tokens go there";
            return Err(Failure::Usage(format!("{what} begins with https://; {only}")));
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()).unwrap_or_default();
        let url = format!("{scheme}://{authority}{path}");
        Ok(Self { endpoint, url, path })
    }

    /// Its one spelling.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands at a path of its API.
    pub(super) fn at(&self, path: &str) -> Result<Endpoint, Failure> {
        self.endpoint.at(&format!("{}{path}", self.path)).trying("the address of the instance")
    }
}

/// Whether an address is one of this machine itself.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host.eq_ignore_ascii_case("localhost") || address
}

/// A value as it stands in a path or a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_https_or_stays_on_this_machine() {
        let table = [
            ("https://Toolgate.example.com/", Some("https://toolgate.example.com")),
            ("https://example.com/gate/", Some("https://example.com/gate")),
            ("http://127.0.0.1:8040", Some("http://127.0.0.1:8040")),
            ("http://[::1]:8040/", Some("http://[::1]:8040")),
            ("http://localhost", Some("http://localhost")),
            ("http://toolgate.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("https://u:p@example.com", None),
            ("https://example.com/?x=1", None),
            ("https://example.com/#x", None),
            ("example.com", None),
            ("ftp://localhost", None),
        ];
        for (text, url) in table {
            assert_eq!(Place::parse(text).ok().as_ref().map(Place::url), url, "{text}");
        }
    }

    #[test]
    fn the_api_lies_below_the_address() {
        let place = Place::parse("https://example.com/gate/").unwrap();
        let at = |path: &str| place.at(path).unwrap().uri().to_string();
        assert_eq!(at("/api/v1/me"), "https://example.com/gate/api/v1/me");
        assert_eq!(
            at(&format!("/api/v1/agents/{}", encoded("a/ü?"))),
            "https://example.com/gate/api/v1/agents/a%2F%C3%BC%3F"
        );
    }
}
