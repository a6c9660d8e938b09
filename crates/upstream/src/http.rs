//! One Streamable HTTP endpoint, asked over pooled HTTP/1.1 connections.
//!
//! Requests are built from nothing: no header of the agent is copied here. Redirects are not
//! followed and bodies are not decoded, so that what the server sent is what the caller sees.

use std::time::Duration;

use ::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long an idle connection is kept: below the keep-alive of common servers (Node: 5 s), so
/// that a request is rarely written into a connection which the peer is closing.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Where an MCP server listens, with the credentials that it wants.
#[derive(Debug, Clone)]
pub struct Endpoint {
    uri: Uri,
    host: HeaderValue,
    /// Marked sensitive, so that `Debug` does not print the values.
    credentials: HeaderMap,
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
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| BadEndpoint::NotAUrl(url.to_owned()))?;
        Ok(Self { uri, host, credentials: HeaderMap::new() })
    }

    /// Adds a header that every request to this server carries. The value is never printed.
    ///
    /// # Errors
    /// [`BadEndpoint::Header`] for text that is no header, or a name that the gateway writes.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), BadEndpoint> {
        let header = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| BadEndpoint::Header(name.to_owned(), "the name is not an HTTP token"))?;
        let ours = ["host", "content-length", "transfer-encoding", "connection", "content-type", "accept"];
        if ours.contains(&header.as_str()) || header.as_str().starts_with("mcp-") {
            return Err(BadEndpoint::Header(name.to_owned(), "the gateway writes it itself"));
        }
        let mut value = HeaderValue::from_str(value.trim())
            .map_err(|_| BadEndpoint::Header(name.to_owned(), "the value holds a control character"))?;
        value.set_sensitive(true);
        self.credentials.append(header, value);
        Ok(())
    }

    /// The URL, which holds no secret.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// A failed request, told apart by what may have reached the server.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection: provably nothing reached the server.
    #[error("the server cannot be reached: {0}")]
    NotSent(String),
    /// No answer in time. The server may have acted.
    #[error("the server did not begin to answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke after the request was written. The server may have acted.
    #[error("the connection to the server broke: {0}")]
    Broken(String),
}

/// A pool of connections, to be used within one runtime.
#[derive(Debug, Clone)]
pub struct Client {
    pool: PooledClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("the system's certificate authorities cannot be used: {0}")]
pub struct NoTrust(String);

impl Client {
    /// Makes a pool whose connections must stand within `connect`.
    ///
    /// # Errors
    /// [`NoTrust`] when the platform's certificate verifier cannot be built.
    pub fn new(connect: Duration) -> Result<Self, NoTrust> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(connect));
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)
            .map_err(|error| NoTrust(error.to_string()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let pool = PooledClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .build(tls);
        Ok(Self { pool })
    }

    /// Sends one request and waits for the head of the answer.
    ///
    /// `headers` are the caller's own; the endpoint's credentials, `Host` and (with a body)
    /// `Content-Type` are added. `first_byte` bounds the wait for the head; `None` waits for ever.
    ///
    /// # Errors
    /// [`SendError`], which says whether the server can have seen the request.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        method: Method,
        headers: HeaderMap,
        body: Option<Bytes>,
        first_byte: Option<Duration>,
    ) -> Result<Response<Incoming>, SendError> {
        let has_body = body.is_some();
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = endpoint.uri.clone();
        *request.headers_mut() = headers;
        let all = request.headers_mut();
        all.insert(HOST, endpoint.host.clone());
        all.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        all.insert(USER_AGENT, HeaderValue::from_static(concat!("toolgate/", env!("CARGO_PKG_VERSION"))));
        if has_body {
            all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &endpoint.credentials {
            all.append(name, value.clone());
        }
        let answer = self.pool.request(request);
        let answer = match first_byte {
            None => answer.await,
            Some(limit) => match tokio::time::timeout(limit, answer).await {
                Ok(answer) => answer,
                Err(_) => return Err(SendError::Timeout(limit)),
            },
        };
        answer.map_err(|error| {
            let text = chain(&error);
            if error.is_connect() { SendError::NotSent(text) } else { SendError::Broken(text) }
        })
    }
}

/// The message of an error and of its causes, as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.ends_with(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_absolute_and_hold_no_secret() {
        assert!(Endpoint::parse("http://127.0.0.1:3000/mcp").is_ok());
        assert!(Endpoint::parse("https://example.com/mcp?x=1").is_ok());
        for bad in ["", "/mcp", "localhost:3000", "ftp://example.com/", "http://u:p@example.com/"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn credentials_are_not_printed() {
        let mut endpoint = Endpoint::parse("http://h/").unwrap();
        endpoint.add_header("Authorization", "Bearer s3cr3t").unwrap();
        assert!(!format!("{endpoint:?}").contains("s3cr3t"));
        for ours in ["Host", "Mcp-Session-Id", "Content-Length", "bad name"] {
            assert!(endpoint.add_header(ours, "x").is_err(), "{ours}");
        }
        assert!(endpoint.add_header("X-Key", "a\r\nb").is_err());
    }
}
