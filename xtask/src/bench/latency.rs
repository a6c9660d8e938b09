//! Latency at half load: the upstream alone, what others add to it, and what the gateway adds.
//!
//! Rounds alternate, and of each subject the median round counts: a virtual machine is stopped for
//! tens of milliseconds at times, which falls on whoever is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::load::{Seen, steady};
use super::processes::{Running, Talk, free_port, nginx, program, started};
use super::ratios::gateway;
use super::scale::Row;

const ROUNDS: usize = 3;

/// What half of the answers took no longer than, and 99 of 100, in microseconds.
#[derive(Clone, Copy)]
struct Latency {
    p50: f64,
    p99: f64,
}

impl Latency {
    fn median(mut rounds: Vec<Seen>) -> Result<Self> {
        let mut middle = |by: fn(&Seen) -> f64| {
            rounds.sort_by(|one, other| by(one).total_cmp(&by(other)));
            rounds.get(rounds.len() / 2).map(by).context("nothing was measured")
        };
        Ok(Self { p50: middle(|seen| seen.p50_us)?, p99: middle(|seen| seen.p99_us)? })
    }
}

/// Something between the load and the upstream.
struct Subject {
    name: &'static str,
    url: String,
    /// Whether the budget is its.
    judged: bool,
}

/// Measures all at `rate` calls a second, which is half of what the gateway takes. `log_bytes` is
/// what a call takes in the gateway's log.
pub fn half_load(work: &Path, upstream_url: &str, rate: u64, seconds: u32, log_bytes: u64) -> Result<Vec<Row>> {
    eprintln!("measuring latency at {rate} calls a second …");
    let work = work.join("half-load");
    std::fs::create_dir_all(&work)?;
    let port = free_port()?;
    let _nginx = nginx(&work, port, upstream_url.trim_start_matches("http://").trim_end_matches("/mcp"))?;
    let (_forwarder, forwarder) = logging_forwarder(&work, upstream_url, log_bytes)?;
    let (_on_disk, on_disk) = gateway(&work, upstream_url)?;
    let in_memory = Memory::new()?;
    let (_in_memory, in_memory) =
        in_memory.as_ref().map(|memory| gateway(&memory.0, upstream_url)).transpose()?.unzip();

    let subject = |name, url, judged| Subject { name, url, judged };
    let mut subjects = vec![
        subject("nginx", format!("http://127.0.0.1:{port}/mcp"), false),
        subject("a bare forwarder that logs as much", forwarder, false),
        subject("the gateway", on_disk, true),
    ];
    subjects.extend(in_memory.map(|url| subject("the gateway, data in memory", url, false)));

    let mut alone = Vec::new();
    let mut seen: Vec<Vec<Seen>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        alone.push(steady(upstream_url, rate, seconds)?);
        for (subject, seen) in subjects.iter().zip(&mut seen) {
            steady(&subject.url, rate, 2)?;
            seen.push(steady(&subject.url, rate, seconds)?);
        }
    }
    let alone = Latency::median(alone)?;
    let through = seen.into_iter().map(Latency::median).collect::<Result<Vec<_>>>()?;
    let rows = |what: &str, of: fn(Latency) -> f64, goal: &'static str, most_us: f64| {
        subjects
            .iter()
            .zip(&through)
            .map(|(subject, through)| {
                let (alone, through) = (of(alone), of(*through));
                let shown = format!("{:.2} ms ({:.2} − {:.2})", (through - alone) / 1e3, through / 1e3, alone / 1e3);
                let what = format!("{what} added by {} at half load, {rate} calls a second", subject.name);
                match subject.judged {
                    true => Row::of(what, shown, goal, through - alone <= most_us),
                    false => Row::shown(what, shown),
                }
            })
            .collect::<Vec<_>>()
    };
    let p99 = rows("p99", |latency| latency.p99, "≤ 1 ms", 1_000.0);
    Ok(rows("p50", |latency| latency.p50, "≤ 0.15 ms", 150.0).into_iter().chain(p99).collect())
}

/// The bare forwarder, which appends `bytes` to a file before each request goes on.
fn logging_forwarder(work: &Path, upstream_url: &str, bytes: u64) -> Result<(Running, String)> {
    let mut command = program("bare-forwarder")?;
    command.args(["127.0.0.1:0", upstream_url]).arg(work.join("forwarder.log")).arg(bytes.to_string());
    let (running, address) = started(&mut command, Talk::Stdout)?;
    Ok((running, format!("http://{address}/mcp")))
}

/// A folder in memory, removed at the end.
struct Memory(PathBuf);

impl Memory {
    /// `None` where the system has none.
    fn new() -> Result<Option<Self>> {
        let shared = Path::new("/dev/shm");
        if !shared.is_dir() {
            return Ok(None);
        }
        let folder = shared.join(format!("toolgate-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Some(Self(folder)))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}
