//! The real binary, started as an operator would start it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::McpHttp;
use crate::stdio::{Gathered, McpStdio};
use crate::wait::{self, PATIENCE};

/// The token that tests use unless they are about tokens.
pub const TOKEN: &str = "tg_test-token-that-is-long-enough-0123456789";

/// What is to be started.
#[derive(Debug)]
pub struct Setup {
    exe: PathBuf,
    folder: Arc<TempDir>,
    data: PathBuf,
    options: Vec<OsString>,
    token: Option<String>,
    anonymous: bool,
    program: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// Nothing yet: give it a policy and a server. `exe` is the binary.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn new(exe: impl AsRef<Path>) -> anyhow::Result<Self> {
        let folder = Arc::new(tempfile::tempdir()?);
        let data = folder.path().join("data");
        Ok(Self {
            exe: exe.as_ref().to_path_buf(),
            folder,
            data,
            options: Vec::new(),
            token: Some(TOKEN.to_owned()),
            anonymous: false,
            program: Vec::new(),
            environment: Vec::new(),
        })
    }

    /// A folder that lives as long as this.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the policy lies.
    pub fn policy_file(&self) -> PathBuf {
        self.folder.path().join("policy.json")
    }

    /// Writes the policy and names it on the command line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn policy(mut self, policy: &Value) -> anyhow::Result<Self> {
        let file = self.policy_file();
        std::fs::write(&file, serde_json::to_vec_pretty(policy)?)?;
        self.options.extend(["--policy".into(), file.into()]);
        Ok(self)
    }

    /// Writes a file beside the policy and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// The server is an endpoint.
    #[must_use]
    pub fn upstream(mut self, url: &str) -> Self {
        self.options.extend(["--upstream".into(), url.into()]);
        self
    }

    /// The server is a program.
    #[must_use]
    pub fn program<S: Into<OsString>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.program = words.into_iter().map(Into::into).collect();
        self
    }

    /// Everything is said by a configuration; the token is not given on the command line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn config(mut self, text: &str) -> anyhow::Result<Self> {
        let file = self.file("toolgate.toml", text)?;
        self.options.extend(["--config".into(), file.into()]);
        self.token = None;
        Ok(self)
    }

    /// More options.
    #[must_use]
    pub fn options<S: Into<OsString>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.options.extend(words.into_iter().map(Into::into));
        self
    }

    /// Another token, or none on the command line.
    #[must_use]
    pub fn token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// Requests without a token are served.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self.token = None;
        self
    }

    /// Another data directory, to be shared or kept.
    #[must_use]
    pub fn data(mut self, data: &Path) -> Self {
        self.data = data.to_path_buf();
        self
    }

    /// Where the data will lie.
    pub fn data_folder(&self) -> &Path {
        &self.data
    }

    /// A variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.exe);
        command.arg(verb).args(&self.options).arg("--data").arg(&self.data);
        if verb == "serve" {
            command.args(["--listen", "127.0.0.1:0"]);
            if let Some(token) = &self.token {
                command.args(["--token", token]);
            }
            if self.anonymous {
                command.arg("--anonymous");
            }
        }
        if !self.program.is_empty() {
            command.arg("--").args(&self.program);
        }
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TOOLGATE_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.process_group(0);
        command
    }

    /// Starts `toolgate serve` and waits until it listens.
    ///
    /// # Errors
    /// When it ends instead, or never says where it listens.
    pub fn serve(self) -> anyhow::Result<Toolgate> {
        let mut command = self.command("serve");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = Gathered::from(child.stderr.take().context("no stderr")?);
        let mut toolgate = Toolgate { child, stderr, urls: Vec::new(), token: self.token.clone(), setup: self };
        toolgate.urls = toolgate.wait_for_endpoints()?;
        Ok(toolgate)
    }

    /// Starts `toolgate serve` and waits for its end, for command lines that are refused.
    ///
    /// # Errors
    /// When it goes on.
    pub fn refused(self) -> anyhow::Result<(ExitStatus, String)> {
        let mut command = self.command("serve");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = Gathered::from(child.stderr.take().context("no stderr")?);
        let ended = wait::until("the refusal", PATIENCE, || child.try_wait().ok().flatten());
        if ended.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        Ok((ended.with_context(|| stderr.text())?, stderr.complete()?))
    }

    /// Starts `toolgate run` as an agent does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(self) -> anyhow::Result<Run> {
        let client = McpStdio::start(&mut self.command("run"))?;
        Ok(Run { client, setup: self })
    }

    /// Runs another of its commands (`audit verify`, `limits show`, …) on this data directory.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ask(&self, words: &[&str]) -> anyhow::Result<Output> {
        Ok(Command::new(&self.exe).args(words).arg("--data").arg(&self.data).stdin(Stdio::null()).output()?)
    }

    /// Every record of the audit log, chain by chain.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn audit(&self) -> anyhow::Result<Vec<Value>> {
        let mut records = Vec::new();
        let mut folders = vec![self.data.join("audit")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "log") {
                    files.push(path);
                }
            }
        }
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file)?;
            records.extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
        }
        Ok(records)
    }

    /// The decisions among [`Setup::audit`] on `tools/call`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn decisions(&self) -> anyhow::Result<Vec<Value>> {
        let mut records = self.audit()?;
        records.retain(|record| record.get("kind").is_some_and(|kind| kind == "decision"));
        records.retain(|record| record.get("method").is_some_and(|method| method == "tools/call"));
        Ok(records)
    }
}

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
    fn wait_for_endpoints(&mut self) -> anyhow::Result<Vec<String>> {
        let expected = if self.setup.options.iter().any(|word| word == "--config") {
            let text = std::fs::read_to_string(self.setup.folder().join("toolgate.toml"))?;
            text.lines().filter(|line| line.starts_with("[servers.") && line.matches('.').count() == 1).count()
        } else {
            1
        };
        let endpoints = wait::until("its endpoint on stderr", PATIENCE, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(Err(anyhow::anyhow!("it ended with {status}")));
            }
            let text = self.stderr();
            let complete = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
            let urls: Vec<String> = complete.lines().filter_map(|line| line.strip_prefix("endpoint ")).map(str::to_owned).collect();
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
        let pid = i32::try_from(self.child.id())?;
        Ok(kill_process(Pid::from_raw(pid).context("no process")?, signal)?)
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
