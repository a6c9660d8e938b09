//! The load: wrk as fast as answers come, and `steady-load` at a fixed rate.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::processes::program;

/// A policy with one limit that is never reached, as the catalogue would print it.
pub const POLICY: &str = r#"{ "version": "1", "default": "deny", "tools": { "update_lead": {
  "limits": [ { "counter": "update_lead_rate", "window": "minute", "max": 100000000, "scope": "grant" } ] } } }"#;

/// The token that the load brings.
pub const TOKEN: &str = "bench-token-0123456789-0123456789-abcdef";

/// The call.
pub const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"update_lead","arguments":{"lead_id":4711,"email":"ann@example.com","custom_fields":{"city":"Lisbon","size":"11-50"}},"_meta":{"progressToken":1}}}"#;

/// What a load saw.
pub struct Seen {
    /// Calls that were answered.
    pub calls: u64,
    /// Half of the answers took no longer.
    pub p50_us: f64,
    /// 99 of 100 answers took no longer.
    pub p99_us: f64,
}

/// wrk, with the call in a script of its own.
pub struct Wrk(PathBuf);

impl Wrk {
    /// Writes the script into `work`.
    pub fn new(work: &Path) -> Result<Self> {
        Self::with_token(work, TOKEN)
    }

    /// The same with another token.
    pub fn with_token(work: &Path, token: &str) -> Result<Self> {
        let path = work.join("load.lua");
        let script = format!(
            "wrk.method = 'POST'\nwrk.body = [[{BODY}]]\nwrk.headers['Content-Type'] = 'application/json'\n\
             wrk.headers['Accept'] = 'application/json, text/event-stream'\nwrk.headers['MCP-Protocol-Version'] = '2025-06-18'\n\
             wrk.headers['Authorization'] = 'Bearer {token}'\n\
             done = function(summary, latency, requests)\n\
             print(string.format('RESULT %d %d %d %d', summary.requests, summary.errors.status, latency:percentile(50), latency:percentile(99)))\nend\n"
        );
        std::fs::write(&path, script)?;
        Ok(Self(path))
    }

    /// Loads one address; every call must be answered.
    pub fn load(&self, url: &str, connections: u32, seconds: u32) -> Result<Seen> {
        let mut command = Command::new("wrk");
        command.args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s"), "-s"]);
        seen(command.arg(&self.0).arg(url))
    }
}

/// Calls at a fixed rate: each is due at its time, and its latency counts from then.
pub fn steady(url: &str, calls_a_second: u64, seconds: u32) -> Result<Seen> {
    let words = [url, TOKEN, &calls_a_second.to_string(), &seconds.to_string(), "16"];
    seen(program("steady-load")?.args(words))
}

/// Runs a load that prints `RESULT calls failed p50 p99`.
fn seen(command: &mut Command) -> Result<Seen> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = || format!("{command:?} said: {text}{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find_map(|line| line.strip_prefix("RESULT ")).with_context(said)?;
    let mut words = line.split(' ');
    let mut word = || words.next().with_context(said);
    let (calls, failed): (u64, u64) = (word()?.parse()?, word()?.parse()?);
    let (p50_us, p99_us) = (word()?.parse()?, word()?.parse()?);
    if failed > 0 || calls == 0 {
        bail!("{failed} of {calls} calls failed: {command:?}");
    }
    Ok(Seen { calls, p50_us, p99_us })
}
