//! A server that was started for a run, and ends with it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long a server may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct Running {
    /// Its endpoint.
    pub url: String,
    child: Child,
}

impl Running {
    /// The fixture, over HTTP, speaking one era alone if one is named.
    ///
    /// # Errors
    /// When it does not start.
    pub fn fixture(program: &Path, folder: &Path, era: Option<&str>) -> Result<Self> {
        let log = File::create(folder.join("fixture.log"))?;
        let mut command = Command::new(program);
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(era.iter().flat_map(|era| ["--era", era]))
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = start(&mut command)?;
        let stdout = child.stdout.take().context("the fixture has no stdout")?;
        Self::listening(child, stdout, "http://", &folder.join("fixture.out"))
    }

    /// The gateway, in front of what the last words of its command line say.
    ///
    /// # Errors
    /// When it does not start.
    pub fn gateway(program: &Path, policy: &Path, folder: &Path, upstream: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--anonymous", "--policy"]).arg(policy);
        command.arg("--data").arg(folder.join("data")).args(upstream);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = start(&mut command)?;
        let stderr = child.stderr.take().context("the gateway has no stderr")?;
        Self::listening(child, stderr, "endpoint ", &folder.join("gateway.log"))
    }

    /// The gateway, serving a configuration, and the address of all its servers together.
    ///
    /// # Errors
    /// When it does not start.
    pub fn stack(program: &Path, config: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--accept", "first", "--config"]).arg(config).arg("--data").arg(folder.join("data"));
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = start(&mut command)?;
        let stderr = child.stderr.take().context("the gateway has no stderr")?;
        Self::listening(child, stderr, "endpoint ", &folder.join("gateway.log"))
    }

    /// Waits for the line that names the endpoint; goes on reading, so that the server is never
    /// held up by a full pipe.
    fn listening(mut child: Child, output: impl Read + Send + 'static, lead: &'static str, log: &Path) -> Result<Self> {
        let mut log = File::create(log)?;
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The log is for a human who looks for a reason; a run does not fail for it.
                let _ = writeln!(log, "{line}");
                // Nobody listens after the first line that was waited for.
                let _ = sender.send(line);
            }
        });
        let mut lines = Vec::new();
        loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) if line.starts_with(lead) => {
                    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
                    let url = url.with_context(|| format!("no URL in `{line}`"))?.to_owned();
                    return Ok(Self { url, child });
                }
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    bail!("it did not say where it listens\n{}", lines.join("\n"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("it ended with {}\n{}", child.wait()?, lines.join("\n"));
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(command: &mut Command) -> Result<Child> {
    let child = command.stdin(Stdio::null()).spawn();
    child.with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}
