//! A listener for pages alone, under the bounds of the gateway's own: whoever is slow, or comes with many connections,
//! takes nothing from others there either.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{BODY_TIME, DRAIN, HEAD_TIME, bounded_http};
use crate::body::{BodyFault, collect};
use crate::connections::{ConnectionLimits, Connections};
use crate::tls::Tls;

/// The longest body that is sent to a page, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// For the head of a request.
    head: Duration,
    /// For its body.
    body: Duration,
}

/// As long as agents may take.
const PATIENCE: Patience = Patience { head: HEAD_TIME, body: BODY_TIME };

/// A request whose body was not read.
#[derive(Debug)]
pub struct Unread {
    /// Its head.
    pub head: Parts,
    /// What is answered.
    pub status: StatusCode,
    /// Why, as a sentence.
    pub why: &'static str,
}

/// Reads the body of a request to a page, within bounds of its size and time.
///
/// # Errors
/// [`Unread`], after which the connection should end: what stands behind it is nobody's request.
pub async fn read_whole(request: Request<Incoming>) -> Result<Request<Bytes>, Box<Unread>> {
    read_within(request, BODY_TIME).await
}

async fn read_within(request: Request<Incoming>, time: Duration) -> Result<Request<Bytes>, Box<Unread>> {
    let (head, body) = request.into_parts();
    let (status, why) = match tokio::time::timeout(time, collect(body, MAX_BODY, None)).await {
        Ok(Ok(bytes)) => return Ok(Request::from_parts(head, bytes)),
        Ok(Err(BodyFault::TooLong(_))) => (StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MiB is read here"),
        Ok(Err(_)) => (StatusCode::BAD_REQUEST, "the body broke off"),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    };
    Err(Box::new(Unread { head, status, why }))
}

/// Answers requests for pages until `stop` is over, and then what is under way, within [`DRAIN`].
pub async fn pages<Ask, Answering, Page>(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: ConnectionLimits,
    ask: Ask,
    stop: impl Future<Output = ()>,
) where
    Ask: Fn(Result<Request<Bytes>, Box<Unread>>) -> Answering + Clone + Send + Sync + 'static,
    Answering: Future<Output = Response<Page>> + Send,
    Page: http_body::Body + Send + 'static,
    Page::Data: Send,
    Page::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connections = Connections::new(limits);
    let (leaving, _) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        while tasks.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.as_mut() => break,
        };
        let Ok((stream, from)) = accepted else {
            // Out of file descriptors, most often: give connections time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let peer = from.ip().to_canonical();
        // Nobody governs anything here, so nothing is kept in reserve.
        let Some(seat) = connections.seat(peer, false).ok().filter(|seat| !seat.is_reserved()) else { continue };
        let (ask, tls, mut leaving) = (ask.clone(), tls.clone(), leaving.subscribe());
        tasks.spawn(async move {
            let _ = stream.set_nodelay(true);
            match tls {
                None => serve(stream, PATIENCE, ask, leaving).await,
                Some(tls) => {
                    let encrypted = tokio::select! {
                        encrypted = tls.handshake(stream, peer) => encrypted,
                        _ = leaving.wait_for(|leaving| *leaving) => None,
                    };
                    if let Some(stream) = encrypted {
                        Box::pin(serve(stream, PATIENCE, ask, leaving)).await;
                    }
                }
            }
            drop(seat);
        });
    }
    drop(listener);
    leaving.send_replace(true);
    // Whoever does not read an answer to its end is left behind.
    let _ = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn serve<Ask, Answering, Page>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    patience: Patience,
    ask: Ask,
    mut leaving: watch::Receiver<bool>,
) where
    Ask: Fn(Result<Request<Bytes>, Box<Unread>>) -> Answering,
    Answering: Future<Output = Response<Page>>,
    Page: http_body::Body + 'static,
    Page::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = service_fn(|request| {
        let ask = &ask;
        async move { Ok::<_, Infallible>(ask(read_within(request, patience.body).await).await) }
    });
    let connection = bounded_http(patience.head).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = leaving.wait_for(|leaving| *leaving) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A tenth of the time that whoever waits has.
    const SHORT: Duration = Duration::from_millis(200);

    async fn answer(request: Result<Request<Bytes>, Box<Unread>>) -> Response<Full<Bytes>> {
        let (status, text) = match request {
            Ok(request) => (StatusCode::OK, format!("{} bytes", request.body().len())),
            Err(unread) => (unread.status, unread.why.to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response
    }

    /// What is answered on a connection that sends this and then nothing more, until it is ended from the other side.
    async fn said_to(sent: &str, patience: Patience) -> String {
        let (mut client, server) = tokio::io::duplex(4096);
        let (_stay, leaving) = watch::channel(false);
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut said = String::new();
        let both = async { tokio::join!(serve(server, patience, answer, leaving), client.read_to_string(&mut said)) };
        tokio::time::timeout(10 * SHORT, both).await.unwrap().1.unwrap();
        said
    }

    #[tokio::test]
    async fn whoever_is_slow_loses_the_connection() {
        let for_head = Patience { head: SHORT, ..PATIENCE };
        let for_body = Patience { body: SHORT, head: SHORT };
        for head in ["", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
            let said = said_to(head, for_head).await;
            assert!(!said.contains(" 200 "), "{said}");
        }
        let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length:";
        let said = said_to(&format!("{post} 10\r\n\r\nhalf"), for_body).await;
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("took too long"), "{said}");
        let said = said_to(&format!("{post} 4\r\n\r\nfull"), for_body).await;
        assert!(said.starts_with("HTTP/1.1 200") && said.contains("4 bytes"), "{said}");
        let said = said_to(&format!("{post} {}\r\n\r\n", MAX_BODY + 1), PATIENCE).await;
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    }
}
