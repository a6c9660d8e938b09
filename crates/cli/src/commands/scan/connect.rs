//! Asking a server for its tools, in whichever protocol era it speaks.
//!
//! Nothing but the list is asked for, and no tool is called.

mod child;
mod http;
mod sse;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::upstream::child::Child;
use ::upstream::http::Client;
use gateway::server::{Reach, Server};
use mcp::json::Value;
use mcp::revision::Revision;

use super::tools::{Collector, Tool};

/// How long one server may take in all. A program that is fetched from a registry first takes most of it.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// So that a server's own time limits, which say more, are over first, and its program is ended.
const SLACK: Duration = Duration::from_secs(10);

/// The newest revision of the older era, which is offered first.
const LEGACY: Revision = Revision::V2025_11_25;

/// The revision of the stateless era.
const MODERN: Revision = Revision::V2026_07_28;

/// What a server answered.
#[derive(Debug)]
pub struct Listed {
    /// The tools in the server's order.
    pub tools: Vec<Tool>,
    /// Entries of the list that are no readable definition.
    pub unreadable: usize,
    /// The revision that the list was asked for in.
    pub revision: Revision,
    /// What the server calls itself, with its version.
    pub server: Option<String>,
}

/// The programs that were started, so that whoever is interrupted ends them.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<Vec<Arc<Child>>>>);

impl Running {
    fn started(&self, child: &Arc<Child>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(child));
    }

    /// Ends every program with all that it has started.
    pub async fn stop(&self) {
        let children = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let stops: Vec<_> = children.into_iter().map(|child| tokio::spawn(async move { child.stop().await })).collect();
        for stop in stops {
            let _ = stop.await;
        }
    }
}

/// Lists the tools of a server.
///
/// # Errors
/// A sentence: what was tried, and what came instead of a list.
pub async fn list(server: Arc<Server>, client: Client, running: Running, patience: Duration) -> Result<Listed, String> {
    let asked = async {
        match server.config.reach.clone() {
            Reach::Http(endpoint) => http::list(Arc::clone(&server), endpoint, client).await,
            Reach::Sse(endpoint) => sse::list(server, endpoint, client).await,
            Reach::Child(command) => child::list(&command, &running, patience).await,
        }
    };
    match tokio::time::timeout(patience + SLACK, asked).await {
        Ok(listed) => listed,
        Err(_) => Err(format!("the server did not list its tools within {} s", patience.as_secs())),
    }
}

/// The `params` of `initialize`. No capability is declared, so that the server has nothing to ask.
fn hello() -> String {
    serde_json::json!({
        "protocolVersion": LEGACY.as_str(),
        "capabilities": {},
        "clientInfo": { "name": "toolgate", "version": env!("CARGO_PKG_VERSION") },
    })
    .to_string()
}

/// The revision that an `initialize` result agrees to, and the server's name.
fn agreed(result: &str) -> Result<(Revision, Option<String>), String> {
    let value =
        mcp::json::parse(result).map_err(|error| format!("the answer to initialize cannot be read: {error}"))?;
    let version = value.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
    match Revision::parse(version).filter(|revision| !revision.is_modern()) {
        Some(revision) => Ok((revision, value.get("serverInfo").and_then(named))),
        None => {
            Err(format!("the server wants protocol revision {}, which is not known", audit::visible::word(version)))
        }
    }
}

/// What a `server/discover` result says of the server, if it speaks the stateless revision.
fn discovered(result: &str) -> Option<Option<String>> {
    let value = mcp::json::parse(result).ok()?;
    let versions = value.get("supportedVersions").and_then(Value::as_array)?;
    versions.iter().find(|version| version.as_str() == Some(MODERN.as_str()))?;
    let info = value
        .get("_meta")
        .and_then(|meta| meta.get("io.modelcontextprotocol/serverInfo"))
        .or_else(|| value.get("serverInfo"));
    Some(info.and_then(named))
}

/// `name version` of a `serverInfo`.
fn named(info: &Value<'_>) -> Option<String> {
    let name = info.get("name").and_then(Value::as_str)?;
    Some(match info.get("version").and_then(Value::as_str) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// A list that is complete.
fn complete(collector: Collector, revision: Revision, server: Option<String>) -> Listed {
    let (tools, unreadable) = collector.finish();
    Listed { tools, unreadable, revision, server }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_are_told_apart() {
        let modern = r#"{"supportedVersions":["2026-07-28"],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"a","version":"1"}}}"#;
        assert_eq!(discovered(modern), Some(Some("a 1".into())));
        assert_eq!(discovered(r#"{"supportedVersions":["2027-01-01"]}"#), None);
        assert_eq!(discovered("{}"), None);
        let old = r#"{"protocolVersion":"2024-11-05","serverInfo":{"name":"b"}}"#;
        assert_eq!(agreed(old), Ok((Revision::V2024_11_05, Some("b".into()))));
        for strange in ["{}", r#"{"protocolVersion":"1.0"}"#, r#"{"protocolVersion":"2026-07-28"}"#] {
            assert!(agreed(strange).is_err(), "{strange}");
        }
    }
}
