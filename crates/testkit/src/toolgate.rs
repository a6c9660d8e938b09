//! The real binary, started as an operator would start it.

use std::net::SocketAddr;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::client::McpHttp;
use crate::stdio::{Gathered, McpStdio};
use crate::wait::{self, PATIENCE};

mod setup;

pub use setup::Setup;

/// The token that tests use unless they are about tokens.
pub const TOKEN: &str = "tg_test-token-that-is-long-enough-0123456789";

/// `toolgate run` and the agent's end of it.
#[derive(Debug)]
pub struct Run {
    /// The agent.
    pub client: McpStdio,
    /// How it was started, with its files.
    pub setup: Setup,
}

/// `toolgate serve`. It is told to stop when this is dropped, and killed if it does not.
#[derive(Debug)]
pub struct Toolgate {
    child: Child,
    stderr: Gathered,
    urls: Vec<String>,
    token: Option<String>,
    /// How it was started, with its files.
    pub setup: Setup,
}

impl Toolgate {
    /// Waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends instead, or never says so.
    pub fn listens(&mut self) -> anyhow::Result<()> {
        self.urls = self.wait_for_endpoints()?;
        Ok(())
    }

    fn wait_for_endpoints(&mut self) -> anyhow::Result<Vec<String>> {
        let expected = if self.setup.options.iter().any(|word| word == "--config") {
            let text = std::fs::read_to_string(self.setup.folder().join("toolgate.toml"))?;
            text.lines().filter(|line| line.starts_with("[servers.") && line.matches('.').count() == 1).count()
        } else {
            1
        };
        let endpoints = wait::until("its endpoint on stderr", PATIENCE, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                // What it said last may still be on its way to us.
                let _ = self.stderr.complete();
                return Some(Err(anyhow::anyhow!("it ended with {status}")));
            }
            let text = self.stderr();
            let complete = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
            let urls: Vec<String> =
                complete.lines().filter_map(|line| line.strip_prefix("endpoint ")).map(str::to_owned).collect();
            (urls.len() >= expected).then_some(Ok(urls))
        });
        endpoints.and_then(|urls| urls).with_context(|| format!("stderr has\n{}", self.stderr()))
    }

    /// The endpoint of the first server.
    pub fn url(&self) -> &str {
        self.urls.first().map(String::as_str).unwrap_or_default()
    }

    /// The endpoint of one server of a configuration.
    ///
    /// # Errors
    /// When it has none.
    pub fn url_of(&self, server: &str) -> anyhow::Result<&str> {
        let ending = format!("/mcp/{server}");
        let found = self.urls.iter().find(|url| url.trim_end_matches('/').ends_with(&ending));
        found.map(String::as_str).with_context(|| format!("no endpoint of {server} in {:?}", self.urls))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the URL has no address.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(McpHttp::new(self.url(), None)?.address())
    }

    /// A client that has said no hello.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn client(&self) -> anyhow::Result<McpHttp> {
        McpHttp::new(self.url(), self.token.as_deref())
    }

    /// A client of the legacy era that has said hello.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn legacy(&self) -> anyhow::Result<McpHttp> {
        McpHttp::legacy(self.url(), self.token.as_deref()).with_context(|| format!("stderr has\n{}", self.stderr()))
    }

    /// A client of the modern era.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn modern(&self) -> anyhow::Result<McpHttp> {
        McpHttp::modern(self.url(), self.token.as_deref())
    }

    /// What it has said on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until stderr has this text.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_stderr(&self, text: &str) -> anyhow::Result<()> {
        let said = wait::for_it(&format!("{text:?} on stderr"), || self.stderr().contains(text));
        said.with_context(|| format!("stderr has\n{}", self.stderr()))
    }

    /// Puts another text in place of the policy, in one step as editors do.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_policy(&self, text: &str) -> anyhow::Result<()> {
        let beside = self.setup.folder().join("policy.new");
        std::fs::write(&beside, text)?;
        Ok(std::fs::rename(beside, self.setup.policy_file())?)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to it alone.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        send(signal, self.child.id())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on for `patience`.
    pub fn wait(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let ended = wait::until("the end of toolgate", patience, || self.child.try_wait().ok().flatten());
        ended.with_context(|| format!("stderr has\n{}", self.stderr()))
    }

    /// Kills it as a power cut would, and gives back what it was started with.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop and waits until it has.
    ///
    /// # Errors
    /// When it fails or goes on.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait(PATIENCE)?;
        if !status.success() {
            bail!("it ended with {status}; stderr has\n{}", self.stderr());
        }
        Ok(())
    }
}

impl Drop for Toolgate {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = self.signal(Signal::TERM);
        if self.wait(Duration::from_secs(15)).is_err() {
            if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- stderr of toolgate\n{}---", self.stderr());
        }
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// When it is gone.
pub fn send(signal: Signal, pid: u32) -> anyhow::Result<()> {
    Ok(kill_process(Pid::from_raw(i32::try_from(pid)?).context("no process")?, signal)?)
}

/// Whether a process is there (a zombie is not).
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X')))
        .unwrap_or_default()
}

/// A temporary folder, for data that several processes share or that outlives one.
///
/// # Errors
/// When there is no room for one.
pub fn folder() -> anyhow::Result<TempDir> {
    Ok(tempfile::tempdir()?)
}
