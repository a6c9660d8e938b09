//! How the binary is to be started, and what it leaves behind.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use super::{Run, TOKEN, Toolgate};
use crate::place;
use crate::script::Script;
use crate::stdio::{Gathered, McpStdio};
use crate::wait::{self, PATIENCE};

/// What is to be started.
#[derive(Debug)]
pub struct Setup {
    exe: PathBuf,
    most_blocks: Option<u32>,
    under: Vec<OsString>,
    folder: Arc<TempDir>,
    data: PathBuf,
    pub(super) options: Vec<OsString>,
    token: Option<String>,
    listen: String,
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
            most_blocks: None,
            under: Vec::new(),
            folder,
            data,
            options: Vec::new(),
            token: Some(TOKEN.to_owned()),
            listen: "127.0.0.1:0".to_owned(),
            anonymous: false,
            program: Vec::new(),
            environment: Vec::new(),
        })
    }

    /// The recording server on stdio, which serves a script: the words of its command line, and its record.
    ///
    /// # Errors
    /// When it cannot be built, or its script not be written.
    pub fn recording(&self, script: &Script) -> anyhow::Result<(Vec<PathBuf>, PathBuf)> {
        let server = place::program("recording-server", &self.exe)?;
        let script = self.file("script.json", &serde_json::to_string(script)?)?;
        let record = self.folder().join("record");
        Ok((vec![server, script, record.clone()], record))
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

    /// Everything but one thing is said by a configuration: that first lists are accepted. The token
    /// is not given on the command line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn config(self, text: &str) -> anyhow::Result<Self> {
        Ok(self.config_alone(text)?.options(["--accept", "first"]))
    }

    /// Everything is said by a configuration: nothing is callable before somebody has accepted it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn config_alone(mut self, text: &str) -> anyhow::Result<Self> {
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

    /// Where it listens; else at a free port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address.to_string();
        self
    }

    /// Requests without a token are served.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self.token = None;
        self
    }

    /// No file of it may have more blocks of 512 bytes than this: what a full disk does to one file.
    #[must_use]
    pub fn most_blocks(mut self, blocks: u32) -> Self {
        self.most_blocks = Some(blocks);
        self
    }

    /// Another program that starts it, by these words and those that start it.
    #[must_use]
    pub fn under<S: Into<OsString>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.under = words.into_iter().map(Into::into).collect();
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
        let mut command = match (self.most_blocks, self.under.split_first()) {
            (None, None) => Command::new(&self.exe),
            (None, Some((program, words))) => {
                let mut command = Command::new(program);
                command.args(words).arg(&self.exe);
                command
            }
            (Some(blocks), _) => {
                let mut shell = Command::new("sh");
                let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
                shell.arg("-c").arg(script).arg(&self.exe);
                shell
            }
        };
        command.arg(verb).args(&self.options).arg("--data").arg(&self.data);
        if verb == "serve" {
            command.args(["--listen", &self.listen]);
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
        let mut toolgate = self.begin()?;
        toolgate.listens()?;
        Ok(toolgate)
    }

    /// Starts `toolgate serve`, which may have to wait before it serves.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(self) -> anyhow::Result<Toolgate> {
        let mut command = self.command("serve");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = Gathered::from(child.stderr.take().context("no stderr")?);
        Ok(Toolgate { child, stderr, urls: Vec::new(), token: self.token.clone(), setup: self })
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
