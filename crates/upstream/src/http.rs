//! One Streamable HTTP endpoint, asked over pooled HTTP/1.1 connections.
//!
//! Requests are built from nothing: no header of the agent is copied here. Redirects are not
//! followed and bodies are not decoded, so that what the server sent is what the caller sees.
//!
//! A connection is driven by whoever waits for its answer, not by a task of its own: dropping an
//! answer ends its connection, which is how a call is cancelled, and nothing is handed from task to
//! task on the way of a call.

mod answer;
mod certificate;
mod dial;
mod endpoint;
mod pool;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response};
use bytes::Bytes;
use http_body_util::Full;

pub use self::answer::Answer;
pub use self::certificate::BadCertificate;
use self::dial::Dialler;
pub use self::endpoint::{BadEndpoint, Endpoint};
use self::pool::{Line, NoAnswer, Pool};
use crate::resolve::{Resolve, System};

/// A failed request, told apart by what may have reached the server.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection, or one that was closed before the request was written: provably nothing
    /// reached the server.
    #[error("the server cannot be reached: {0}")]
    NotSent(String),
    /// The server's certificate is none that can be trusted: nothing but a greeting reached the server.
    #[error("the server's certificate cannot be trusted: {0}")]
    Certificate(BadCertificate),
    /// No answer in time. The server may have acted.
    #[error("the server did not begin to answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke after the request was written. The server may have acted.
    #[error("the connection to the server broke: {0}")]
    Broken(String),
}

impl SendError {
    /// The same, and for whoever runs this what can be done about it.
    pub fn advised(&self) -> String {
        match self {
            Self::Certificate(bad) => {
                format!("the server's certificate cannot be trusted: {bad} ({}); {}", bad.detail(), bad.remedy())
            }
            other => other.to_string(),
        }
    }
}

/// Asks servers, over connections that are used again. To be used within one runtime.
#[derive(Clone)]
pub struct Client {
    dialler: Dialler,
    pool: Arc<Pool>,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("the system's certificate authorities cannot be used: {0}")]
pub struct NoTrust(String);

impl Client {
    /// Makes a client whose connections must stand within `connect`.
    ///
    /// # Errors
    /// [`NoTrust`] when the platform's certificate verifier cannot be built.
    pub fn new(connect: Duration) -> Result<Self, NoTrust> {
        Self::resolving(connect, Arc::new(System))
    }

    /// Makes a client that looks names up in its own way.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn resolving(connect: Duration, resolver: Arc<dyn Resolve>) -> Result<Self, NoTrust> {
        Ok(Self { dialler: Dialler::new(connect, resolver)?, pool: Arc::default() })
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
    ) -> Result<Response<Answer>, SendError> {
        let answer = self.ask(endpoint, request(endpoint, method, headers, body));
        match first_byte {
            None => answer.await,
            Some(limit) => tokio::time::timeout(limit, answer).await.unwrap_or(Err(SendError::Timeout(limit))),
        }
    }

    async fn ask(&self, endpoint: &Endpoint, request: Request<Full<Bytes>>) -> Result<Response<Answer>, SendError> {
        let mut request = request;
        // A connection that the server has closed meanwhile gives the request back unwritten.
        while let Some(line) = self.pool.take(endpoint.place.number) {
            match line.ask(request).await {
                Ok((head, line)) => return Ok(self.answer(endpoint, head, line)),
                Err(NoAnswer::Unwritten(unwritten, _)) => request = *unwritten,
                Err(NoAnswer::Broken(error)) => return Err(SendError::Broken(chain(&error))),
            }
        }
        match Box::pin(self.connect(endpoint)).await?.ask(request).await {
            Ok((head, line)) => Ok(self.answer(endpoint, head, line)),
            Err(NoAnswer::Unwritten(_, error)) => Err(SendError::NotSent(chain(&error))),
            Err(NoAnswer::Broken(error)) => Err(SendError::Broken(chain(&error))),
        }
    }

    fn answer(&self, endpoint: &Endpoint, head: pool::Head, line: Box<Line>) -> Response<Answer> {
        let (parts, body) = head.into_parts();
        Response::from_parts(parts, Answer::new(body, line, Arc::clone(&self.pool), endpoint.place.number))
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Box<Line>, SendError> {
        let stream = self.dialler.dial(endpoint).await?;
        Line::open(stream).await.map_err(|error| SendError::NotSent(chain(&error)))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

fn request(endpoint: &Endpoint, method: Method, headers: HeaderMap, body: Option<Bytes>) -> Request<Full<Bytes>> {
    let has_body = body.is_some();
    let mut request = Request::new(Full::new(body.unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = endpoint.place.target.clone();
    *request.headers_mut() = headers;
    let all = request.headers_mut();
    all.insert(HOST, endpoint.place.host.clone());
    all.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    all.insert(USER_AGENT, HeaderValue::from_static(concat!("toolgate/", env!("CARGO_PKG_VERSION"))));
    if has_body {
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // An operator may name the client otherwise; all else of ours cannot be given.
    if endpoint.place.credentials.contains_key(USER_AGENT) {
        all.remove(USER_AGENT);
    }
    for (name, value) in &endpoint.place.credentials {
        all.append(name, value.clone());
    }
    request
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
