//! A real Redis on a port of its own, that can be stopped, frozen, flushed, filled and made read-only.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use crate::slow::Slow;

/// What Debian and Valkey call the program.
const PROGRAMS: [&str; 2] = ["/usr/bin/redis-server", "/usr/bin/valkey-server"];

/// How long one command may take.
const ANSWER: Duration = Duration::from_secs(30);

/// A running server, in a folder of its own; killed when it is dropped.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
}

impl Redis {
    /// Starts a server that keeps nothing on disk.
    ///
    /// # Errors
    /// When none is installed, which names Debian's package, or it does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server that writes every change to its append-only file before it answers.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_durable() -> anyhow::Result<Self> {
        Self::start_with(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a server with options of its command line.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Another program may take the port between our look and Redis's.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut child = spawn(port, folder.path(), &options)?;
            if comes_up(&mut child, port)? {
                return Ok(Self { child, port, folder, options });
            }
        }
        bail!("redis-server found no free port")
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// When there is nothing to kill.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same port and folder, after [`stop`](Self::stop) or while it runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let _ = self.stop();
        self.child = spawn(self.port, self.folder.path(), &self.options)?;
        if !comes_up(&mut self.child, self.port)? {
            bail!("redis-server does not start again on port {}", self.port);
        }
        Ok(())
    }

    /// Freezes it (SIGSTOP): connections stay, and nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn flush(&self) -> anyhow::Result<()> {
        self.command(&["FLUSHALL"]).map(drop)
    }

    /// Makes it a replica of a server that is not there, which cannot be written, or a master again.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn read_only(&self, on: bool) -> anyhow::Result<()> {
        self.command(if on { &["REPLICAOF", "127.0.0.1", "1"] } else { &["REPLICAOF", "NO", "ONE"] }).map(drop)
    }

    /// Leaves it no memory for anything new, or as much as there is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn out_of_memory(&self, on: bool) -> anyhow::Result<()> {
        self.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])?;
        self.command(&["CONFIG", "SET", "maxmemory", if on { "1" } else { "0" }]).map(drop)
    }

    /// One command, over a connection of its own; its answer, a line each.
    ///
    /// # Errors
    /// When the server does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<Vec<String>> {
        command(self.port, words)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process")?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn spawn(port: u16, folder: &Path, options: &[String]) -> anyhow::Result<Child> {
    let program = PROGRAMS.iter().find(|program| Path::new(program).exists());
    let program = program.with_context(|| {
        format!("this test needs {}: install Debian's package redis-server (or valkey-server)", PROGRAMS.join(" or "))
    })?;
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]).arg("--dir").arg(folder).args(options);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// Waits until this very process answers; `false` when it has ended, as it does where its port is taken.
fn comes_up(child: &mut Child, port: u16) -> anyhow::Result<bool> {
    let own = format!("process_id:{}", child.id());
    crate::wait::until("redis-server to answer", crate::wait::PATIENCE, || {
        if !matches!(child.try_wait(), Ok(None)) {
            return Some(false);
        }
        let lines = command(port, &["INFO", "server"]).unwrap_or_default();
        let ready = || command(port, &["PING"]).is_ok();
        (lines.contains(&own) && ready()).then_some(true)
    })
}

fn command(port: u16, words: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes())?;
    let mut lines = Vec::new();
    answer(&mut BufReader::new(stream), &mut lines)?;
    Ok(lines)
}

/// Reads one answer of RESP2, however deep.
fn answer(reader: &mut impl BufRead, lines: &mut Vec<String>) -> anyhow::Result<()> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).context("no answer")?;
    match kind {
        "+" | ":" => lines.push(rest.to_owned()),
        "-" => bail!("{rest}"),
        "$" => {
            let Ok(length) = rest.parse::<usize>() else { return Ok(()) };
            let mut bytes = vec![0; length + 2];
            reader.read_exact(&mut bytes)?;
            lines.extend(String::from_utf8_lossy(&bytes).trim_end().lines().map(str::to_owned));
        }
        "*" => {
            for _ in 0..rest.parse::<usize>().unwrap_or(0) {
                answer(reader, lines)?;
            }
        }
        _ => bail!("no answer of Redis: {line}"),
    }
    Ok(())
}
