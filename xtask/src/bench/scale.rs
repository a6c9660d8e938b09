//! The budgets that are no ratio: memory, start, latency at half load, the pure steps.

use std::path::Path;

use anyhow::{Context, Result};

use super::grants::Grants;
use super::load::{Wrk, steady};
use super::long_run::long_run;
use super::processes::{free_port, nginx};
use super::pure;
use super::ratios::{Measured, gateway};
use crate::bench::Options;

/// One budget.
pub struct Row {
    /// What is measured.
    pub what: String,
    /// The figure, as it is shown.
    pub measured: String,
    /// What was to be reached, and whether it was.
    pub goal: Option<(&'static str, bool)>,
}

impl Row {
    fn of(what: impl Into<String>, measured: String, goal: &'static str, reached: bool) -> Self {
        Self { what: what.into(), measured, goal: Some((goal, reached)) }
    }

    fn shown(what: impl Into<String>, measured: String) -> Self {
        Self { what: what.into(), measured, goal: None }
    }
}

/// Measures every budget. `ratios` says how much the gateway can take.
pub fn measure(work: &Path, upstream_url: &str, wrk: &Wrk, ratios: &[Measured], options: &Options) -> Result<Vec<Row>> {
    let mut rows = grants(work, upstream_url)?;
    let most = ratios.last().context("the gateway was not measured")?.calls_a_second;
    rows.extend(half_load(work, upstream_url, most / 2, options.seconds)?);
    eprintln!("measuring memory over {} calls …", options.calls);
    let run = long_run(work, upstream_url, wrk, options.calls)?;
    rows.push(Row::of(
        format!("resident, before and after {} calls", run.calls),
        format!("{} → {}", mib(run.before_kib), mib(run.after_kib)),
        "flat",
        true,
    ));
    rows.push(Row::shown("audit log, a call with its outcome", format!("{} bytes", run.log_bytes_a_call)));
    for (index, step) in pure::steps()?.into_iter().enumerate() {
        let measured = format!("{:.0} ns", step.ns);
        rows.push(match index {
            0 => Row::of(step.what, measured, "≤ 1 µs", step.ns <= 1000.0),
            _ => Row::shown(step.what, measured),
        });
    }
    Ok(rows)
}

fn grants(work: &Path, upstream_url: &str) -> Result<Vec<Row>> {
    let (mut rows, mut idle) = (Vec::new(), Vec::new());
    for count in [1_000, 10_000, 20_000] {
        eprintln!("measuring memory with {count} grants …");
        let kib = Grants::new(work, upstream_url, count)?.idle_kib()?;
        idle.push((count, kib));
        let what = format!("resident, idle, {} grants", thousands(count));
        rows.push(match count {
            1_000 => Row::of(what, mib(kib), "≤ 30 MiB", kib <= 30 * 1024),
            _ => Row::shown(what, mib(kib)),
        });
    }
    if let (Some((few, least)), Some((many, most))) = (idle.first(), idle.last()) {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let a_grant = most.saturating_sub(*least) as f64 / (many - few) as f64;
        rows.push(Row::of("a further grant", format!("{a_grant:.2} KiB"), "≤ 1 KiB", a_grant <= 1.0));
    }
    eprintln!("measuring the start with 10,000 grants …");
    let start = Grants::new(work, upstream_url, 10_000)?.first_answer(5)?.as_secs_f64() * 1e3;
    rows.push(Row::of("start to first answer, 10,000 grants", format!("{start:.0} ms"), "≤ 100 ms", start <= 100.0));
    Ok(rows)
}

/// The upstream alone, nginx and the gateway, each at the rate that is half of what the gateway takes.
fn half_load(work: &Path, upstream_url: &str, rate: u64, seconds: u32) -> Result<Vec<Row>> {
    eprintln!("measuring latency at {rate} calls a second …");
    let work = work.join("half-load");
    std::fs::create_dir_all(&work)?;
    let upstream = upstream_url.trim_start_matches("http://").trim_end_matches("/mcp");
    let measured = |url: &str| {
        steady(url, rate, 2)?;
        steady(url, rate, seconds)
    };
    let alone = measured(upstream_url)?;
    let port = free_port()?;
    let proxy = nginx(&work, port, upstream)?;
    let floor = measured(&format!("http://127.0.0.1:{port}/mcp"))?;
    drop(proxy);
    let (_running, url) = gateway(&work, upstream_url)?;
    let through = measured(&url)?;
    let rows = |name: &str, alone: f64, floor: f64, through: f64, goal, most: f64| {
        let shown = |by: f64| format!("{:.2} ms ({:.2} − {:.2})", (by - alone) / 1e3, by / 1e3, alone / 1e3);
        let what = |by: &str| format!("{name} added by {by} at half load, {rate} calls a second");
        [
            Row::shown(what("nginx"), shown(floor)),
            Row::of(what("the gateway"), shown(through), goal, through - alone <= most * 1e3),
        ]
    };
    let p50 = rows("p50", alone.p50_us, floor.p50_us, through.p50_us, "≤ 0.15 ms", 0.15);
    let p99 = rows("p99", alone.p99_us, floor.p99_us, through.p99_us, "≤ 1 ms", 1.0);
    Ok(p50.into_iter().chain(p99).collect())
}

fn mib(kib: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let mib = kib as f64 / 1024.0;
    format!("{mib:.1} MiB")
}

/// `10000` as `10,000`.
fn thousands(count: usize) -> String {
    format!("{},{:03}", count / 1000, count % 1000)
}
