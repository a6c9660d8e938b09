//! Real servers and clients that `cargo xtask peers` has installed.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::place;
use crate::stdio::Gathered;
use crate::wait;

/// What is installed, and how each is started.
#[derive(Debug, Clone)]
pub struct Peers(HashMap<String, Vec<String>>);

/// What is installed, or `None` (after saying so) where nothing is.
pub fn find() -> Option<Peers> {
    let file = place::repository().join(".cache/peers/commands");
    let Ok(text) = std::fs::read_to_string(file) else {
        eprintln!("skipped: no real servers; run `cargo xtask test`, which installs them");
        return None;
    };
    let words = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        Some((words.next()?, words.collect()))
    };
    Some(Peers(text.lines().filter_map(words).collect()))
}

impl Peers {
    /// The words that start a peer, with more of them at the end.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn command(&self, name: &str, more: &[&str]) -> anyhow::Result<Vec<String>> {
        let words = self.0.get(name).with_context(|| format!("{name} is not installed; run `cargo xtask peers`"))?;
        Ok(words.iter().cloned().chain(more.iter().map(|word| (*word).to_owned())).collect())
    }
}

/// A real server that listens. It is killed when this is dropped.
#[derive(Debug)]
pub struct Listening {
    child: Child,
    stderr: Gathered,
    /// Its port.
    pub port: u16,
}

impl Listening {
    /// Starts a server; `describe` gets a free port and gives its words and variables.
    ///
    /// # Errors
    /// When it ends, or does not listen.
    pub fn start(
        folder: &Path,
        describe: impl Fn(u16) -> anyhow::Result<(Vec<String>, Vec<(String, String)>)>,
    ) -> anyhow::Result<Self> {
        // A port that was free a moment ago: real servers cannot be told to take any.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (words, variables) = describe(port)?;
        let (program, arguments) = words.split_first().context("no command")?;
        let mut command = Command::new(PathBuf::from(program));
        command.args(arguments).envs(variables).current_dir(folder);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = Gathered::from(child.stderr.take().context("no stderr")?);
        let mut listening = Self { child, stderr, port };
        let listens =
            || ["127.0.0.1", "[::1]"].iter().any(|host| std::net::TcpStream::connect(format!("{host}:{port}")).is_ok());
        wait::until("the server to listen", wait::PATIENCE, || {
            let ended = matches!(listening.child.try_wait(), Ok(Some(_)));
            (ended || listens()).then_some(())
        })?;
        anyhow::ensure!(!matches!(listening.child.try_wait(), Ok(Some(_))), "it ended:\n{}", listening.stderr.text());
        Ok(listening)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
