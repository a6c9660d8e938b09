//! What is answered while the control plane's database is awaited: that this is so, and nothing else.

use std::net::TcpListener as StdListener;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use gateway::connections::ConnectionLimits;
use gateway::listen::{self, Unread};
use gateway::tls::Tls;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// What agents, people and load balancers are told.
const WHY: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"This gateway waits for its control plane's database, so it forwards nothing; it goes on by itself when the database is there."}}"#;

/// Answers for as long as it is polled.
///
/// # Errors
/// When the socket cannot be used.
pub async fn answer(listener: &StdListener, tls: Option<&Arc<Tls>>) -> std::io::Result<()> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let healthy = || async { ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#) };
    let router = Router::new().route("/healthz", get(healthy)).fallback(not_yet);
    let ask = move |request: Result<http::Request<Bytes>, Box<Unread>>| {
        let router = router.clone();
        async move {
            let Ok(request) = request else { return not_yet().await.into_response() };
            match router.oneshot(request.map(Body::from)).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    };
    let listener = TcpListener::from_std(listener)?;
    listen::pages(listener, tls.cloned(), ConnectionLimits::default(), ask, std::future::pending()).await;
    Ok(())
}

async fn not_yet() -> impl IntoResponse {
    // Whoever asks again must find the gateway itself, so no connection outlives its answer.
    let heads = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "1"), (header::CONNECTION, "close")];
    (StatusCode::SERVICE_UNAVAILABLE, heads, WHY)
}
