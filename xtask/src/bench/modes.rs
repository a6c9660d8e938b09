//! What an instance costs beside a gateway of one policy file: its tables in SQLite with many servers and grants, and
//! its limits in Redis.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::load::{POLICY, Wrk};
use super::processes::{Running, Talk, free_port, program, started};
use super::ratios::{Measured, load};
use super::scale::Row;

const SERVERS: &str = "100";
const GRANTS: &str = "1000";

/// An instance over SQLite.
pub const SQLITE: &str = "toolgate, 1,000 grants on 100 servers";

/// The same with its limits in Redis.
pub const REDIS: &str = "the same, limits in Redis";

/// Measures both, each with an instance of its own: what has counted in a file does not begin at zero in Redis.
pub fn measure(work: &Path, upstream_url: &str, seconds: u32) -> Result<Vec<Measured>> {
    let sqlite = instance(&work.join("sqlite"), SQLITE, upstream_url, None, seconds)?;
    let redis = Redis::start(work)?;
    let shared = instance(&work.join("redis"), REDIS, upstream_url, Some(&redis.url), seconds)?;
    Ok(vec![sqlite, shared])
}

/// The goals that they have.
pub fn goals(all: &[Measured]) -> Vec<Row> {
    let find = |name: &str| all.iter().find(|measured| measured.name == name);
    let mut rows = Vec::new();
    if let (Some(floor), Some(sqlite)) = (find("nginx proxy_pass"), find(SQLITE)) {
        // What is brought into the tables follows a call and holds up none: it has a row of its own.
        let ratio = sqlite.workers_us_a_call / floor.cpu_us_a_call;
        let what = format!("CPU on the way of a call to nginx, {SQLITE}");
        rows.push(Row::of(what, format!("{ratio:.2}"), "≤ 2.5", ratio <= 2.5));
        let behind = sqlite.cpu_us_a_call - sqlite.workers_us_a_call;
        rows.push(Row::shown("CPU behind a call, for its row among the decisions", format!("{behind:.1} µs")));
    }
    if let (Some(sqlite), Some(redis)) = (find(SQLITE), find(REDIS)) {
        let (added, cpu) = (redis.p50_us - sqlite.p50_us, redis.cpu_us_a_call - sqlite.cpu_us_a_call);
        rows.push(Row::of("p50 added by limits in Redis", format!("{added:.0} µs"), "≤ 1 ms", added <= 1000.0));
        rows.push(Row::shown("CPU a call added by limits in Redis", format!("{cpu:.1} µs")));
    }
    rows
}

fn instance(
    folder: &Path,
    name: &'static str,
    upstream_url: &str,
    redis: Option<&str>,
    seconds: u32,
) -> Result<Measured> {
    eprintln!("making {name} …");
    std::fs::create_dir_all(folder)?;
    let policy = folder.join("policy.json");
    std::fs::write(&policy, POLICY)?;
    let output = program("seed-instance")?.arg(folder).arg(&policy).args([upstream_url, SERVERS, GRANTS]).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some((server, token)) = said.trim().split_once(' ').filter(|_| output.status.success()) else {
        bail!("seed-instance: {}", String::from_utf8_lossy(&output.stderr));
    };
    let mut command = program("toolgate")?;
    command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--allow-upstream", "127.0.0.0/8"]);
    command.arg("--data").arg(folder.join("data")).arg("--keys").arg(folder.join("master"));
    if let Some(url) = redis {
        command.args(["--redis", url]);
    }
    let (gateway, url) = started(&mut command, Talk::Stderr("endpoint "))?;
    let url = url.replace("SERVER", server);
    load(name, &Wrk::with_token(folder, token)?, &url, gateway.id(), seconds)
}

/// A Redis that keeps nothing.
struct Redis {
    _running: Running,
    url: String,
}

impl Redis {
    fn start(work: &Path) -> Result<Self> {
        let port = free_port()?.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no", "--dir"]).arg(work);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("redis-server")?;
        let running = Running::of(child);
        for _ in 0..200 {
            if std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
                return Ok(Self { _running: running, url: format!("redis://127.0.0.1:{port}") });
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        bail!("redis-server does not listen")
    }
}
