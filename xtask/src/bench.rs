//! `cargo xtask bench`: what a call costs, as ratios within one run.
//!
//! One canned upstream, one load (wrk), and before the upstream in turn: nothing, nginx
//! `proxy_pass`, a bare hyper forwarder, and the gateway with policy, one limit and audit on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::system::{root, run};

/// A policy with one limit that is never reached, as the catalogue would print it.
const POLICY: &str = r#"{ "version": "1", "default": "deny", "tools": { "update_lead": {
  "limits": [ { "counter": "update_lead_rate", "window": "minute", "max": 100000000, "scope": "grant" } ] } } }"#;

const TOKEN: &str = "bench-token-0123456789-0123456789-abcdef";

/// One thing in front of the upstream, measured.
struct Measured {
    name: &'static str,
    calls: u64,
    cpu_us_a_call: f64,
    p50_us: f64,
    p99_us: f64,
    resident_kib: u64,
}

/// Where the figures stand in the documentation.
const BEGIN: &str = "<!-- figures: cargo xtask bench --write -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Runs the benchmark. `--seconds N` sets how long each load lasts (default 10); `--write` puts
/// the figures into docs/performance.md.
pub fn bench(arguments: &[String]) -> Result<()> {
    let seconds = arguments
        .iter()
        .skip_while(|argument| *argument != "--seconds")
        .nth(1)
        .map_or(Ok(10), |text| text.parse::<u32>())
        .context("--seconds takes a number")?;
    for program in ["nginx", "wrk"] {
        if which(program).is_none() {
            bail!("`{program}` is missing: apt-get install -y nginx-light wrk");
        }
    }
    run("cargo", &["build", "--release", "--locked", "-p", "toolgate", "-p", "bench"])?;
    let work = std::env::temp_dir().join(format!("toolgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let result = measure_all(&work, seconds);
    let _ = std::fs::remove_dir_all(&work);
    let table = table(&result?);
    print!("{table}");
    if arguments.iter().any(|argument| argument == "--write") {
        write(&table)?;
    }
    Ok(())
}

fn write(table: &str) -> Result<()> {
    let path = root().join("docs/performance.md");
    let text = std::fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).context("docs/performance.md has no place for figures")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md has no end of figures")?;
    std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))?;
    Ok(())
}

fn measure_all(work: &Path, seconds: u32) -> Result<Vec<Measured>> {
    let bin = |name: &str| root().join("target/release").join(name);
    let load = work.join("load.lua");
    std::fs::write(&load, load_script())?;
    let (_upstream, upstream) = started(Command::new(bin("canned-upstream")).arg("127.0.0.1:0"), Talk::Stdout)?;
    let upstream_url = format!("http://{upstream}/mcp");
    let mut all = Vec::new();

    all.push(measure("upstream alone", &load, &upstream_url, _upstream.0.id(), seconds)?);

    let port = free_port()?;
    let nginx = nginx(work, port, &upstream)?;
    all.push(measure("nginx proxy_pass", &load, &format!("http://127.0.0.1:{port}/mcp"), nginx.worker()?, seconds)?);
    drop(nginx);

    let (forwarder, address) =
        started(Command::new(bin("bare-forwarder")).args(["127.0.0.1:0", &upstream_url]), Talk::Stdout)?;
    all.push(measure("bare forwarder", &load, &format!("http://{address}/mcp"), forwarder.0.id(), seconds)?);
    drop(forwarder);

    let policy = work.join("policy.json");
    std::fs::write(&policy, POLICY)?;
    let (gateway, address) = started(
        Command::new(bin("toolgate"))
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--token", TOKEN, "--upstream", &upstream_url])
            .arg("--policy")
            .arg(&policy)
            .arg("--data")
            .arg(work.join("data")),
        Talk::Stderr,
    )?;
    all.push(measure("toolgate", &load, &address, gateway.0.id(), seconds)?);
    Ok(all)
}

fn load_script() -> String {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"update_lead","arguments":{"lead_id":4711,"email":"ann@example.com","custom_fields":{"city":"Lisbon","size":"11-50"}},"_meta":{"progressToken":1}}}"#;
    format!(
        "wrk.method = 'POST'\nwrk.body = [[{body}]]\nwrk.headers['Content-Type'] = 'application/json'\n\
         wrk.headers['Accept'] = 'application/json, text/event-stream'\nwrk.headers['MCP-Protocol-Version'] = '2025-06-18'\n\
         wrk.headers['Authorization'] = 'Bearer {TOKEN}'\n\
         done = function(summary, latency, requests)\n\
         print(string.format('RESULT %d %d %d %d', summary.requests, summary.errors.status, latency:percentile(50), latency:percentile(99)))\nend\n"
    )
}

/// Loads one address twice: with many connections for the CPU, with two for the latency.
fn measure(name: &'static str, load: &Path, url: &str, pid: u32, seconds: u32) -> Result<Measured> {
    eprintln!("measuring {name} …");
    wrk(load, url, 32, 2)?;
    let before = cpu_us(pid)?;
    let (calls, errors, _, _) = wrk(load, url, 32, seconds)?;
    let used = cpu_us(pid)? - before;
    if errors > 0 || calls == 0 {
        bail!("{name}: {errors} of {calls} calls failed");
    }
    let resident_kib = resident_kib(pid)?;
    let (_, _, p50, p99) = wrk(load, url, 2, seconds.div_ceil(2))?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let cpu_us_a_call = used as f64 / calls as f64;
    Ok(Measured { name, calls, cpu_us_a_call, p50_us: p50, p99_us: p99, resident_kib })
}

fn wrk(load: &Path, url: &str, connections: u32, seconds: u32) -> Result<(u64, u64, f64, f64)> {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s"), "-s"])
        .arg(load)
        .arg(url)
        .output()
        .context("wrk")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line =
        text.lines().find_map(|line| line.strip_prefix("RESULT ")).with_context(|| format!("wrk said: {text}"))?;
    let figures: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    match figures.as_slice() {
        [calls, errors, p50, p99] =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole numbers that wrk counted"
            )]
            Ok((*calls as u64, *errors as u64, *p50, *p99))
        }
        _ => bail!("wrk said: {line}"),
    }
}

fn table(all: &[Measured]) -> String {
    let floor =
        all.iter().find(|measured| measured.name == "nginx proxy_pass").map_or(1.0, |measured| measured.cpu_us_a_call);
    let direct = all.first().map_or(0.0, |measured| measured.p50_us);
    let mut table = String::from(
        "| in front of the upstream | calls | CPU a call | ratio to nginx | p50 added | p99 | resident |\n\
         | --- | --: | --: | --: | --: | --: | --: |\n",
    );
    for measured in all {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let resident = measured.resident_kib as f64 / 1024.0;
        table.push_str(&format!(
            "| {} | {} | {:.1} µs | {:.2} | {:.0} µs | {:.0} µs | {resident:.1} MiB |\n",
            measured.name,
            measured.calls,
            measured.cpu_us_a_call,
            measured.cpu_us_a_call / floor,
            measured.p50_us - direct,
            measured.p99_us,
        ));
    }
    table
}

/// A process that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a process says which address it took.
enum Talk {
    Stdout,
    Stderr,
}

fn started(command: &mut Command, talk: Talk) -> Result<(Running, String)> {
    command.stdin(Stdio::null());
    match talk {
        Talk::Stdout => command.stdout(Stdio::piped()).stderr(Stdio::inherit()),
        Talk::Stderr => command.stderr(Stdio::piped()).stdout(Stdio::null()),
    };
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let lines: Box<dyn BufRead + Send> = match talk {
        Talk::Stdout => Box::new(BufReader::new(child.stdout.take().context("no stdout")?)),
        Talk::Stderr => Box::new(BufReader::new(child.stderr.take().context("no stderr")?)),
    };
    let running = Running(child);
    let mut lines = lines.lines();
    for line in lines.by_ref() {
        let line = line?;
        let address = match talk {
            Talk::Stdout => Some(line.clone()),
            Talk::Stderr => line.strip_prefix("endpoint ").map(str::to_owned),
        };
        if let Some(address) = address {
            // Whatever else it says must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, address));
        }
    }
    bail!("{command:?} ended before it said where it listens")
}

/// nginx with one worker, as a plain proxy.
struct Nginx {
    running: Running,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A killed master leaves its worker behind; one that is told to stop does not.
        let told = Command::new("kill").args(["-TERM", &self.running.0.id().to_string()]).status();
        if told.is_ok() {
            let _ = self.running.0.wait();
        }
    }
}

impl Nginx {
    fn worker(&self) -> Result<u32> {
        let master = self.running.0.id();
        for entry in std::fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            let parent =
                stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            if parent == Some(master) {
                return Ok(pid);
            }
        }
        bail!("nginx has no worker")
    }
}

fn nginx(work: &Path, port: u16, upstream: &str) -> Result<Nginx> {
    let config = work.join("nginx.conf");
    let shown = work.display();
    std::fs::write(
        &config,
        format!(
            "worker_processes 1; daemon off; pid {shown}/nginx.pid; error_log {shown}/nginx.err;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {shown}/body; proxy_temp_path {shown}/proxy;\n\
             fastcgi_temp_path {shown}/f; uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s;\n\
             upstream up {{ server {upstream}; keepalive 64; }}\n\
             server {{ listen 127.0.0.1:{port}; keepalive_requests 100000000;\n\
             location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}\n"
        ),
    )?;
    let child = Command::new("nginx").arg("-c").arg(&config).stdin(Stdio::null()).spawn().context("nginx")?;
    let nginx = Nginx { running: Running(child) };
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(nginx);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    bail!("nginx does not listen")
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// User and system time of a process, in microseconds.
fn cpu_us(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second on every platform that is supported.
    Ok(ticks * 10_000)
}

fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0))
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}
