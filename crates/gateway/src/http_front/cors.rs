//! Pages of named origins may use the gateway from a browser: inspectors, mostly. All others may not, and nothing is said
//! with `*`. Browsers send no credentials of their own here: a page must bring its grant's token.

use std::collections::HashSet;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::empty;
use crate::body::Body;
use crate::listen::MAX_HEADERS;

/// What a page may send, beside the parameters that 2026-07-28 repeats in headers of their own names.
const SENT: [&str; 11] = [
    "accept",
    "authorization",
    "baggage",
    "content-type",
    "last-event-id",
    "mcp-session-id",
    mcp::header::PROTOCOL_VERSION,
    mcp::header::METHOD,
    mcp::header::NAME,
    "traceparent",
    "tracestate",
];

/// What a page may read.
const READ: HeaderValue = HeaderValue::from_static("mcp-session-id, retry-after, www-authenticate");

/// The methods of MCP's transport.
const METHODS: HeaderValue = HeaderValue::from_static("POST, GET, DELETE");

/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// An origin as browsers write it: scheme, host and, unless it is the scheme's own, port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin: write scheme, host and port as browsers do, such as https://inspector.example or http://localhost:6274"
)]
pub struct BadOrigin(String);

impl WebOrigin {
    /// Reads an origin.
    ///
    /// # Errors
    /// [`BadOrigin`] for `*`, `null`, and whatever has a path or a user.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        let origin = text.to_ascii_lowercase();
        let bad = || BadOrigin(text.to_owned());
        let (scheme, authority) = origin.split_once("://").ok_or_else(bad)?;
        let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let in_authority = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if scheme.is_empty()
            || authority.is_empty()
            || !scheme.bytes().all(in_scheme)
            || !authority.bytes().all(in_authority)
        {
            return Err(bad());
        }
        let own_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let authority = authority.strip_suffix(own_port).unwrap_or(authority);
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// The origins that an operator has named.
#[derive(Debug, Clone, Default)]
pub struct Origins(HashSet<String>);

impl FromIterator<WebOrigin> for Origins {
    fn from_iter<I: IntoIterator<Item = WebOrigin>>(origins: I) -> Self {
        Self(origins.into_iter().map(|origin| origin.0).collect())
    }
}

impl Origins {
    /// Whether none is named.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of a request, if it is one of them.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut given = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (given.next(), given.next()) else { return None };
        origin.to_str().is_ok_and(|origin| self.0.contains(origin)).then(|| origin.clone())
    }
}

/// Whether a browser asks if a page may send a request.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that, for a page of a named origin.
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|value| value.to_str().ok());
    let asked = asked.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let allowed: Vec<String> = asked
        .filter(|name| SENT.contains(&name.as_str()) || name.starts_with(mcp::header::PARAM_PREFIX))
        .take(MAX_HEADERS)
        .collect();
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    // A name that is none is allowed to nobody.
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers.append(VARY, HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"));
    answer
}

/// Lets a page of a named origin read an answer. That it may is no answer for others, so caches must tell them apart.
pub(super) fn mark(mut answer: Response<Body>, origin: Option<HeaderValue>) -> Response<Body> {
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, origin) in [
            ("https://Inspector.example", "https://inspector.example"),
            ("https://inspector.example:443", "https://inspector.example"),
            ("http://inspector.example:80", "http://inspector.example"),
            ("http://inspector.example:443", "http://inspector.example:443"),
            ("http://localhost:6274", "http://localhost:6274"),
            ("http://[::1]:6274", "http://[::1]:6274"),
            ("vscode-webview://0a1b", "vscode-webview://0a1b"),
        ] {
            assert_eq!(WebOrigin::parse(text), Ok(WebOrigin(origin.to_owned())), "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "inspector.example",
            "https://",
            "://inspector.example",
            "https://*.example",
            "https://inspector.example/",
            "https://inspector.example/page",
            "https://ann@inspector.example",
            "https://inspector.example, https://other.example",
            "https://größe.example",
        ] {
            assert_eq!(WebOrigin::parse(text), Err(BadOrigin(text.to_owned())), "{text}");
        }
    }
}
