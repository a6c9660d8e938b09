//! The least that a forwarder in Rust does: the body is collected and sent on, nothing is read.
//!
//! `bare-forwarder ADDRESS UPSTREAM-URL [FILE BYTES]` is what the gateway's own work is compared
//! with. With FILE it appends BYTES to it before each request goes on, as one that logs must: what
//! the disk takes of the latency is then seen apart from what the gateway takes.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Pool = Client<HttpConnector, Full<Bytes>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let upstream: Uri = arguments.next().ok_or("name the upstream's URL")?.parse()?;
    let log = arguments.next().map(|path| File::options().append(true).create(true).open(path)).transpose()?;
    let bytes = arguments.next().map_or(Ok(0), |bytes| bytes.parse())?;
    let log = Arc::new(log.map(|file| Log { file, record: vec![b'\n'; bytes] }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
        let listener = TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (pool, upstream, log) = (pool.clone(), upstream.clone(), Arc::clone(&log));
            let service = service_fn(move |request| forward(pool.clone(), upstream.clone(), Arc::clone(&log), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

/// What is written before a request goes on.
struct Log {
    file: File,
    record: Vec<u8>,
}

async fn forward(
    pool: Pool,
    upstream: Uri,
    log: Arc<Option<Log>>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if let Some(log) = &*log
        && let Err(error) = (&log.file).write_all(&log.record)
    {
        eprintln!("the log: {error}");
    }
    let mut onward = Request::post(upstream).body(Full::new(body)).unwrap_or_default();
    onward.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(match pool.request(onward).await {
        Ok(answer) => answer.map(BodyExt::boxed),
        Err(_) => Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed()),
    })
}
