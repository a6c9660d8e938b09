//! The HTTP side: one endpoint, `/mcp`, on loopback or wherever it is told to listen.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use crate::server::Fixture;
use crate::sessions::Sessions;

/// How long a client waits before it resumes a stream that was closed; short, since tests wait for it.
const RETRY: Duration = Duration::from_millis(100);

/// Origins a browser on this machine may have. Hosts are limited to loopback by the library.
const ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

type Service = StreamableHttpService<Fixture, Sessions>;

/// Listens, prints the endpoint's URL on stdout, and serves until the process is ended.
///
/// # Errors
/// When the address cannot be listened on, or stdout is closed.
pub async fn serve(address: &str, fixture: Fixture) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}`"))?;
    let config = StreamableHttpServerConfig::default().with_sse_retry(Some(RETRY)).with_allowed_origins(ORIGINS);
    let sessions = Arc::new(Sessions::new(RETRY));
    let service = StreamableHttpService::new(move || Ok(fixture.session()), sessions, config);
    println!("http://{}/mcp", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(service.clone(), request));
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
            // A client that leaves in the middle of a stream is what some tests are about.
            drop(connection.await);
        });
    }
}

async fn answer(
    service: Service,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    if request.uri().path() == "/mcp" {
        return Ok(service.handle(request).await);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(b"the endpoint is /mcp\n")).boxed());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}
