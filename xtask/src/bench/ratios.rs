//! What a call costs, as ratios to the least that a proxy can do.

use std::path::Path;

use anyhow::Result;

use super::load::{POLICY, TOKEN, Wrk};
use super::processes::{Running, Talk, cpu_us, free_port, nginx, program, resident_kib, started, workers_cpu_us};

/// The canned upstream.
pub struct Upstream {
    running: Running,
    address: String,
}

impl Upstream {
    /// Starts it.
    pub fn start() -> Result<Self> {
        let (running, address) = started(program("canned-upstream")?.arg("127.0.0.1:0"), Talk::Stdout)?;
        Ok(Self { running, address })
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }
}

/// One thing in front of the upstream, measured.
pub struct Measured {
    /// What it is.
    pub name: &'static str,
    /// Calls that it answered.
    pub calls: u64,
    /// User and system time.
    pub cpu_us_a_call: f64,
    /// What of it the threads took that serve calls.
    pub workers_us_a_call: f64,
    /// Half of the answers took no longer, with two connections.
    pub p50_us: f64,
    /// 99 of 100 answers took no longer, with two connections.
    pub p99_us: f64,
    /// Memory at the end of the load.
    pub resident_kib: u64,
    /// With as many connections as it takes to be busy.
    pub calls_a_second: u64,
}

/// The gateway of one policy file.
pub const GATEWAY: &str = "toolgate";

/// Measures each in turn.
pub fn measure_all(work: &Path, upstream: &Upstream, wrk: &Wrk, seconds: u32) -> Result<Vec<Measured>> {
    let mut all = vec![load("upstream alone", wrk, &upstream.url(), upstream.running.id(), seconds)?];

    let port = free_port()?;
    let proxy = nginx(work, port, &upstream.address)?;
    all.push(load("nginx proxy_pass", wrk, &format!("http://127.0.0.1:{port}/mcp"), proxy.worker()?, seconds)?);
    drop(proxy);

    let mut command = program("bare-forwarder")?;
    let (forwarder, address) = started(command.args(["127.0.0.1:0", &upstream.url()]), Talk::Stdout)?;
    all.push(load("bare forwarder", wrk, &format!("http://{address}/mcp"), forwarder.id(), seconds)?);
    drop(forwarder);

    let (gateway, url) = gateway(work, &upstream.url())?;
    all.push(load(GATEWAY, wrk, &url, gateway.id(), seconds)?);
    Ok(all)
}

/// The gateway with one worker, one grant, a policy with one limit, and the audit log on.
pub fn gateway(work: &Path, upstream_url: &str) -> Result<(Running, String)> {
    let policy = work.join("policy.json");
    std::fs::write(&policy, POLICY)?;
    let mut command = program("toolgate")?;
    command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--token", TOKEN, "--upstream", upstream_url]);
    started(command.arg("--policy").arg(&policy).arg("--data").arg(work.join("data")), Talk::Stderr("endpoint "))
}

/// Loads one address twice: with many connections for the CPU, with two for the latency.
pub fn load(name: &'static str, wrk: &Wrk, url: &str, pid: u32, seconds: u32) -> Result<Measured> {
    eprintln!("measuring {name} …");
    wrk.load(url, 32, 2)?;
    let (before, workers_before) = (cpu_us(pid)?, workers_cpu_us(pid)?);
    let calls = wrk.load(url, 32, seconds)?.calls;
    let (used, workers_used) = (cpu_us(pid)? - before, workers_cpu_us(pid)? - workers_before);
    let resident_kib = resident_kib(pid)?;
    let few = wrk.load(url, 2, seconds.div_ceil(2))?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (cpu_us_a_call, workers_us_a_call) = (used as f64 / calls as f64, workers_used as f64 / calls as f64);
    let calls_a_second = calls / u64::from(seconds.max(1));
    let (p50_us, p99_us) = (few.p50_us, few.p99_us);
    Ok(Measured { name, calls, cpu_us_a_call, workers_us_a_call, p50_us, p99_us, resident_kib, calls_a_second })
}
