//! Load at a fixed rate: calls are due at even intervals, whether or not earlier ones were answered.
//!
//! `steady-load URL TOKEN RATE SECONDS CONNECTIONS` sends RATE calls a second, each on whichever
//! connection is free, and prints how long answers took **from the moment a call was due**. A
//! server that stalls so delays every call that falls into the stall, as it would in life; a load
//! that waits for answers before it asks again would count one slow call.
//!
//! A thread a connection, each with a runtime of its own: timers of a shared runtime tick in
//! milliseconds, which is more than what is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The call that `cargo xtask bench` has wrk send.
const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"update_lead","arguments":{"lead_id":4711,"email":"ann@example.com","custom_fields":{"city":"Lisbon","size":"11-50"}},"_meta":{"progressToken":1}}}"#;

/// The calls of a run, and who takes the next.
struct Schedule {
    begin: Instant,
    interval: f64,
    calls: u64,
    next: AtomicU64,
}

impl Schedule {
    /// When the next call is due; `None` after the last.
    fn take(&self) -> Option<Instant> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a run has far fewer calls than 2^52")]
        let after = Duration::from_secs_f64(index as f64 * self.interval);
        (index < self.calls).then(|| self.begin + after)
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, rate, seconds, connections] = arguments.as_slice() else {
        return Err("steady-load URL TOKEN RATE SECONDS CONNECTIONS".into());
    };
    let (uri, rate, connections): (Uri, u64, u64) = (url.parse()?, rate.parse()?, connections.parse()?);
    let (calls, rate) = (rate * seconds.parse::<u64>()?, u32::try_from(rate)?.max(1));
    // Every connection stands before the first call is due.
    let begin = Instant::now() + Duration::from_millis(500);
    let schedule = Arc::new(Schedule { begin, interval: 1.0 / f64::from(rate), calls, next: AtomicU64::new(0) });
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let (schedule, uri, token) = (Arc::clone(&schedule), uri.clone(), token.clone());
            std::thread::spawn(move || connection(&schedule, &uri, &token))
        })
        .collect();
    let (mut took, mut failed) = (Vec::new(), 0_u64);
    for thread in threads {
        let (all, errors) = thread.join().map_err(|_| "a connection's thread panicked")??;
        took.extend(all);
        failed += errors;
    }
    took.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the length"
        )]
        let index = (took.len() as f64 * share) as usize;
        took.get(index.min(took.len().saturating_sub(1))).map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    println!("RESULT {} {failed} {:.1} {:.1} {:.1}", took.len(), at(0.5), at(0.99), at(1.0));
    Ok(())
}

/// Sends what falls to one connection: how long each answer took, and how many were no answers.
fn connection(schedule: &Schedule, uri: &Uri, token: &str) -> Result<(Vec<Duration>, u64), Failure> {
    // Sleep ends when it should, not up to 50 µs later.
    #[cfg(target_os = "linux")]
    rustix::thread::set_current_timer_slack(std::num::NonZero::new(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut sender = runtime.block_on(connect(uri))?;
    let (mut took, mut failed) = (Vec::new(), 0);
    while let Some(due) = schedule.take() {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let request = Request::post(uri.path())
            .header("host", uri.authority().map_or("", |authority| authority.as_str()))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(Bytes::from_static(BODY.as_bytes())))?;
        let status = runtime.block_on(async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            answer.into_body().collect().await?;
            sender.ready().await?;
            Ok::<_, hyper::Error>(status)
        })?;
        took.push(due.elapsed());
        failed += u64::from(status != StatusCode::OK);
    }
    Ok((took, failed))
}

async fn connect(uri: &Uri) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect((uri.host().ok_or("no host")?, uri.port_u16().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
