//! What grants cost: memory of an idle gateway, and the time until one that starts has answered.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::load::{BODY, POLICY, TOKEN};
use super::processes::{Talk, program, resident_kib, started};

/// How long a gateway is left alone before its memory counts: the allocator gives back what
/// reading the configuration took within ten seconds.
const SETTLE: Duration = Duration::from_secs(15);

/// A gateway with many grants, started from toolgate.toml.
pub struct Grants {
    config: PathBuf,
    data: PathBuf,
}

impl Grants {
    /// Writes a configuration of `count` grants into `work`; the last has the load's token.
    pub fn new(work: &Path, upstream_url: &str, count: usize) -> Result<Self> {
        let policy = work.join("policy.json");
        std::fs::write(policy, POLICY)?;
        std::fs::write(work.join("token"), TOKEN)?;
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\n\n[servers.crm]\nurl = \"{upstream_url}\"\npolicy = \"policy.json\"\naccept = \"first\"\n"
        );
        for number in 1..=count {
            let token = if number == count {
                "token_file = \"token\"".to_owned()
            } else {
                format!("token_digest = \"sha256:{number:064x}\"")
            };
            write!(
                text,
                "\n[[grants]]\nlabel = \"agent-{number}\"\nserver = \"crm\"\nowner = \"team-{}\"\n{token}\n",
                number % 100
            )?;
        }
        let config = work.join(format!("grants-{count}.toml"));
        std::fs::write(&config, text)?;
        Ok(Self { config, data: work.join("data-grants") })
    }

    fn command(&self) -> Result<Command> {
        let mut command = program("toolgate")?;
        command.arg("serve").arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        Ok(command)
    }

    /// Resident memory of a gateway that nobody has asked anything.
    pub fn idle_kib(&self) -> Result<u64> {
        let (gateway, _) = started(&mut self.command()?, Talk::Stderr("endpoint "))?;
        std::thread::sleep(SETTLE);
        resident_kib(gateway.id())
    }

    /// From the start of the process to the first answered `tools/call`: the median of `times`.
    pub fn first_answer(&self, times: usize) -> Result<Duration> {
        // The first start of all makes the data directory, and reads the program from the disk.
        self.answered()?;
        let mut all = (0..times).map(|_| self.answered()).collect::<Result<Vec<_>>>()?;
        all.sort_unstable();
        all.get(times / 2).copied().context("no start")
    }

    fn answered(&self) -> Result<Duration> {
        let begun = Instant::now();
        let (_gateway, url) = started(&mut self.command()?, Talk::Stderr("endpoint "))?;
        let (address, path) =
            url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).with_context(|| url.clone())?;
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n\
             Authorization: Bearer {TOKEN}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let took = begun.elapsed();
        if !(answer.starts_with("HTTP/1.1 200") && answer.contains("The lead was updated")) {
            bail!("the first call was not answered: {answer}");
        }
        Ok(took)
    }
}
