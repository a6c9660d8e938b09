//! An MCP server that answers from memory: the other end of a measurement.
//!
//! `canned-upstream ADDRESS` listens there and answers `initialize`, `tools/list` and every
//! `tools/call` with fixed JSON, always for the id 1 or the id of the gateway's own list.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"The lead was updated: 1 contact, 3 custom fields, 0 warnings. Nothing else was changed in the campaign."}],"isError":false}}"#;

const TOOLS: &str = r#"{"tools":[{"name":"update_lead","description":"Update a lead.","inputSchema":{"type":"object","properties":{"lead_id":{"type":"integer"},"email":{"type":"string"}},"required":["lead_id"]}},{"name":"delete_lead","description":"Delete a lead.","inputSchema":{"type":"object","properties":{"lead_id":{"type":"integer"}}}}]}"#;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let text = if memchr::memmem::find(&body, b"\"tools/list\"").is_some() {
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{TOOLS}}}"#, id(&body)).into()
    } else {
        Bytes::from_static(RESULT.as_bytes())
    };
    let mut response = Response::new(Full::new(text));
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The id of the gateway's own list, which is a string without escapes.
fn id(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let after = text.split_once("\"id\":").map(|(_, after)| after).unwrap_or("1");
    after.chars().take_while(|c| !matches!(c, ',' | '}')).collect()
}
