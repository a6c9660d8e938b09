//! What is seen of an instance whose stores are in trouble.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::Outcome;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::endpoint;

/// Ten times what is promised: whoever asks is told within a second.
const WATCHDOG: Duration = Duration::from_secs(10);

/// What somebody is told who calls, in time.
pub(crate) fn told(agent: &McpHttp) -> anyhow::Result<Outcome> {
    let asked = Instant::now();
    let outcome = agent.call("read", json!({}))?;
    ensure!(asked.elapsed() < WATCHDOG, "{:?} for {outcome:?}", asked.elapsed());
    Ok(outcome)
}

/// Every call is denied, in time and with the reason, and nothing is forwarded.
pub(crate) fn denies(agent: &McpHttp, upstream: &Upstream, why: &str) -> anyhow::Result<()> {
    let before = upstream.called().len();
    for _ in 0..5 {
        let outcome = told(agent)?;
        ensure!(!outcome.is_done() && format!("{outcome:?}").contains(why), "{outcome:?}");
    }
    ensure!(upstream.called().len() == before, "something was forwarded");
    Ok(())
}

/// Calls go on until the lease ends; from then on nothing is forwarded, and the replica is not ready.
pub(crate) fn loses_its_lease(toolgate: &Toolgate, agent: &McpHttp, upstream: &Upstream) -> anyhow::Result<()> {
    wait::for_it("a denial", || told(agent).is_ok_and(|outcome| outcome.is_denied()))?;
    denies(agent, upstream, "lost its control plane")?;
    ensure!(ready(toolgate)? == 503, "it says that it is ready");
    Ok(())
}

/// It forwards again, by itself, and says so.
pub(crate) fn goes_on(toolgate: &Toolgate, agent: &McpHttp) -> anyhow::Result<()> {
    let again = wait::for_it("a call that is forwarded", || told(agent).is_ok_and(|outcome| outcome.is_done()));
    again.with_context(|| format!("{:?}\n{}", told(agent), toolgate.stderr()))?;
    wait::for_it("a replica that is ready", || ready(toolgate).is_ok_and(|status| status == 200))
}

/// What is answered to whoever balances calls between replicas.
pub(crate) fn ready(toolgate: &Toolgate) -> anyhow::Result<u16> {
    let url = endpoint(toolgate, "files").replace("/mcp/files/", "/readyz");
    let client = McpHttp::new(&url, None)?;
    let host = ("host".to_owned(), client.address().to_string());
    Ok(client.send("GET", &[host], b"")?.answer(wait::PATIENCE)?.status())
}

/// A port for a replica that is asked before it says where it listens.
pub(crate) fn free() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A replica that has begun tells agents what it waits for, in time, and forwards nothing.
pub(crate) fn waits(
    toolgate: &Toolgate,
    listen: SocketAddr,
    token: &str,
    upstream: &Upstream,
    what: &str,
) -> anyhow::Result<()> {
    let before = upstream.requests().len();
    let agent = McpHttp::new(&format!("http://{listen}/mcp/files/"), Some(token))?;
    // The time counts from when somebody is there to be asked.
    let ask = || -> Option<(u16, String, Duration)> {
        let asked = Instant::now();
        let answer = agent.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).ok()?;
        Some((answer.status(), answer.text(), asked.elapsed()))
    };
    let reason = format!("waits for {what}");
    let told = |(status, text, took): (u16, String, Duration)| {
        ensure!(status == 503 && took < WATCHDOG, "{status} {took:?} {text}");
        Ok(text.contains(&reason))
    };
    let first = wait::until(&reason, wait::PATIENCE, || ask().map(told).filter(|told| !matches!(told, Ok(false))));
    first.and_then(|told| told).with_context(|| toolgate.stderr())?;
    for _ in 0..5 {
        ensure!(told(ask().context("no answer")?)?, "it waits for something else: {}", toolgate.stderr());
    }
    ensure!(upstream.requests().len() == before, "something was forwarded");
    Ok(())
}
