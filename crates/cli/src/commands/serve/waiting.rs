//! What is answered while the control plane's database or the data directory is awaited: that this is so, and nothing
//! else.

use std::collections::BTreeSet;
use std::net::TcpListener as StdListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use bytes::Bytes;
use gateway::connections::ConnectionLimits;
use gateway::listen::{self, Unread};
use gateway::tls::Tls;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::failure::{Failure, Trying};
use crate::output::tell;

/// How often what is away is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A start that takes no longer than this is answered by the gateway itself.
const AT_ONCE: Duration = Duration::from_millis(300);

/// What has not answered after so long more is told to the operator.
const SILENT: Duration = Duration::from_secs(2);

/// Where agents, people and load balancers ask, and what they are told.
pub struct Door<'a> {
    /// The socket.
    pub listener: &'a StdListener,
    /// How it is encrypted.
    pub tls: Option<&'a Arc<Tls>>,
    /// What is waited for.
    pub what: &'static str,
}

/// Tries again for as long as something is only away; whoever asks meanwhile is told so, also while it answers nothing.
///
/// # Errors
/// What is not only away, or when the socket cannot be used.
pub async fn until_there<T>(
    door: Door<'_>,
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Door { listener, tls, what } = door;
    let (listener, tls) = (listener.try_clone().trying("the listening socket")?, tls.cloned());
    let told = Arc::new(Told::default());
    // On a thread of its own: a disk that answers nothing holds up whoever uses it.
    let silence = Arc::clone(&told);
    let answering = tokio::spawn(async move {
        tokio::time::sleep(AT_ONCE).await;
        let answers = answer(listener, tls.as_ref(), what);
        let silent = async {
            tokio::time::sleep(SILENT).await;
            silence.first(&format!("still waiting for {what}"));
            std::future::pending().await
        };
        tokio::select! {
            ended = answers => ended,
            never = silent => never,
        }
    });
    let there = loop {
        match attempt().await {
            Err(Failure::Away(why)) => told.once(&why),
            done => break done,
        }
        tokio::time::sleep(AGAIN).await;
    };
    if told.anything() && there.is_ok() {
        tell!("toolgate: no longer waiting for {what}: it is there");
    }
    answering.abort();
    match answering.await {
        Ok(Err(error)) => Err(error).trying("the listening socket"),
        _ => there,
    }
}

/// Why one waits, as far as it was told: each reason once, also when it is known only later.
#[derive(Default)]
struct Told(Mutex<BTreeSet<String>>);

impl Told {
    fn once(&self, why: &str) {
        if self.reasons().insert(why.to_owned()) {
            tell!("toolgate: {why}; nothing is forwarded until it is there");
        }
    }

    /// Tells it where nothing was told yet.
    fn first(&self, why: &str) {
        if !self.anything() {
            self.once(why);
        }
    }

    fn anything(&self) -> bool {
        !self.reasons().is_empty()
    }

    fn reasons(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers for as long as it is polled.
async fn answer(listener: StdListener, tls: Option<&Arc<Tls>>, what: &'static str) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let healthy = || async { ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#) };
    let router = Router::new().route("/healthz", get(healthy));
    let router = router.route("/api/{*path}", any(move || no_api_yet(what))).fallback(move || not_yet(what));
    let ask = move |request: Result<http::Request<Bytes>, Box<Unread>>| {
        let router = router.clone();
        async move {
            let Ok(request) = request else { return not_yet(what).await.into_response() };
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

/// The same to whoever governs agents, as the API says what it cannot do (RFC 9457).
async fn no_api_yet(what: &str) -> impl IntoResponse {
    let problem = format!(
        r#"{{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"this instance waits for {what}, and goes on by itself when that is there: ask again then"}}"#
    );
    let heads =
        [(header::CONTENT_TYPE, "application/problem+json"), (header::RETRY_AFTER, "1"), (header::CONNECTION, "close")];
    (StatusCode::SERVICE_UNAVAILABLE, heads, problem)
}

async fn not_yet(what: &str) -> impl IntoResponse {
    let why = format!(
        r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32600,"message":"This gateway waits for {what}, so it forwards nothing; it goes on by itself when that is there."}}}}"#
    );
    // Whoever asks again must find the gateway itself, so no connection outlives its answer.
    let heads = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "1"), (header::CONNECTION, "close")];
    (StatusCode::SERVICE_UNAVAILABLE, heads, why)
}
