//! Where a server listens, and how the gateway shows that it may ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::egress::Egress;

/// Where an MCP server listens, with the credentials that it wants.
/// Cheap to copy.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(super) place: Arc<Place>,
}

/// What every copy of an endpoint shares.
#[derive(Debug, Clone)]
pub(super) struct Place {
    uri: Uri,
    /// What stands in the request line: path and query.
    pub(super) target: Uri,
    pub(super) host: HeaderValue,
    /// Marked sensitive, so that `Debug` does not print the values.
    pub(super) credentials: HeaderMap,
    /// Tells endpoints apart in pools of connections.
    pub(super) number: u64,
    /// Where it may be.
    pub(super) egress: Egress,
    /// Whether it is asked over plain `http` on the public internet too.
    pub(super) clear: bool,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadEndpoint {
    /// The text is not an absolute URL.
    #[error("`{0}` is not an absolute URL: write http://host:port/path or https://host/path")]
    NotAUrl(String),
    /// A scheme that is neither `http` nor `https`.
    #[error("the scheme of `{0}` is neither http nor https")]
    Scheme(String),
    /// No server can listen at port 0.
    #[error("`{0}` names port 0, at which nothing listens: name the port of the server, or leave it out")]
    NoPort(String),
    /// User name or password inside the URL.
    #[error("the URL of the server holds a user name or password: pass it by --header instead")]
    UserInfo,
    /// A header name or value that HTTP does not allow, or one that the gateway writes itself.
    #[error("`{0}` is not a header that can be sent to the server: {1}")]
    Header(String, &'static str),
}

impl Endpoint {
    /// Reads an absolute `http` or `https` URL.
    ///
    /// # Errors
    /// [`BadEndpoint`] when the text is no such URL, or holds user information.
    pub fn parse(url: &str) -> Result<Self, BadEndpoint> {
        let uri: Uri = url.parse().map_err(|_| BadEndpoint::NotAUrl(url.to_owned()))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadEndpoint::NotAUrl(url.to_owned()));
        };
        if scheme != "http" && scheme != "https" {
            return Err(BadEndpoint::Scheme(url.to_owned()));
        }
        if authority.as_str().contains('@') {
            return Err(BadEndpoint::UserInfo);
        }
        // A port that is none would be read as the scheme's own.
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return Err(BadEndpoint::NotAUrl(url.to_owned()));
        }
        if authority.port_u16() == Some(0) {
            return Err(BadEndpoint::NoPort(url.to_owned()));
        }
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| BadEndpoint::NotAUrl(url.to_owned()))?;
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let target = target.parse().map_err(|_| BadEndpoint::NotAUrl(url.to_owned()))?;
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            place: Arc::new(Place {
                uri,
                target,
                host,
                credentials: HeaderMap::new(),
                number,
                egress: Egress::Anywhere,
                clear: true,
            }),
        })
    }

    /// The same endpoint, which is only asked where `egress` lets it be. Without this it may be anywhere.
    #[must_use]
    pub fn within(mut self, egress: Egress) -> Self {
        Arc::make_mut(&mut self.place).egress = egress;
        self
    }

    /// The same endpoint, which is not asked over plain `http` where it leads to the public internet: a name that lay inside
    /// when it was registered may lead elsewhere today.
    #[must_use]
    pub fn never_in_clear(mut self) -> Self {
        Arc::make_mut(&mut self.place).clear = false;
        self
    }

    /// Adds a header that every request to this server carries. The value is never printed.
    ///
    /// # Errors
    /// [`BadEndpoint::Header`] for text that is no header, or a name that the gateway writes.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), BadEndpoint> {
        let header = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| BadEndpoint::Header(name.to_owned(), "the name is not an HTTP token"))?;
        let ours = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "upgrade",
            "expect",
            "content-type",
            "content-encoding",
            "accept",
            "accept-encoding",
        ];
        if ours.contains(&header.as_str()) || header.as_str().starts_with("mcp-") {
            return Err(BadEndpoint::Header(name.to_owned(), "the gateway writes it itself"));
        }
        let mut value = HeaderValue::from_str(value.trim())
            .map_err(|_| BadEndpoint::Header(name.to_owned(), "the value holds a control character"))?;
        value.set_sensitive(true);
        Arc::make_mut(&mut self.place).credentials.append(header, value);
        Ok(())
    }

    /// The same server under another path and query, with the same credentials, over the same connections.
    ///
    /// # Errors
    /// [`BadEndpoint::NotAUrl`] for what is no path.
    pub fn at(&self, target: &str) -> Result<Self, BadEndpoint> {
        let path: PathAndQuery = target.parse().map_err(|_| BadEndpoint::NotAUrl(target.to_owned()))?;
        let mut parts = self.place.uri.clone().into_parts();
        parts.path_and_query = Some(path.clone());
        let uri = Uri::from_parts(parts).map_err(|_| BadEndpoint::NotAUrl(target.to_owned()))?;
        Ok(Self { place: Arc::new(Place { uri, target: Uri::from(path), ..(*self.place).clone() }) })
    }

    /// The URL, which holds no secret.
    pub fn uri(&self) -> &Uri {
        &self.place.uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_absolute_and_hold_no_secret() {
        assert!(Endpoint::parse("http://127.0.0.1:3000/mcp").is_ok());
        assert!(Endpoint::parse("https://example.com/mcp?x=1").is_ok());
        for bad in [
            "",
            "/mcp",
            "localhost:3000",
            "ftp://example.com/",
            "http://u:p@example.com/",
            "http://example.com:99999/",
            "http://example.com:x/",
            "http://example.com:/",
            "http://example.com:0/",
            "https://[::1]:00000/mcp",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_path_of_an_endpoint_is_the_same_server() {
        let mut endpoint = Endpoint::parse("https://example.com/mcp").unwrap();
        endpoint.add_header("X-Key", "k").unwrap();
        let other = endpoint.at("/v0.1/servers?cursor=a%2Fb").unwrap();
        assert_eq!(other.uri().to_string(), "https://example.com/v0.1/servers?cursor=a%2Fb");
        assert_eq!(other.place.target.to_string(), "/v0.1/servers?cursor=a%2Fb");
        assert_eq!(
            (other.place.number, &other.place.credentials),
            (endpoint.place.number, &endpoint.place.credentials)
        );
        assert!(endpoint.at("/with space").is_err());
    }

    #[test]
    fn credentials_are_not_printed() {
        let mut endpoint = Endpoint::parse("http://h/").unwrap();
        endpoint.add_header("Authorization", "Bearer s3cr3t").unwrap();
        assert!(!format!("{endpoint:?}").contains("s3cr3t"));
        for ours in ["Host", "Mcp-Session-Id", "Content-Length", "Accept-Encoding", "bad name"] {
            assert!(endpoint.add_header(ours, "x").is_err(), "{ours}");
        }
        assert!(endpoint.add_header("X-Key", "a\r\nb").is_err());
    }
}
