//! The budgets that are no ratio: memory, start, latency at half load, the pure steps.

use std::path::Path;

use anyhow::{Context, Result};

use super::grants::Grants;
use super::latency::half_load;
use super::load::Wrk;
use super::long_run::long_run;
use super::modes;
use super::pure;
use super::ratios::{GATEWAY, Measured};
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
    /// A figure with a goal.
    pub fn of(what: impl Into<String>, measured: String, goal: &'static str, reached: bool) -> Self {
        Self { what: what.into(), measured, goal: Some((goal, reached)) }
    }

    /// A figure beside the goals.
    pub fn shown(what: impl Into<String>, measured: String) -> Self {
        Self { what: what.into(), measured, goal: None }
    }
}

/// Measures every budget. `ratios` says how much the gateway can take.
pub fn measure(work: &Path, upstream_url: &str, wrk: &Wrk, ratios: &[Measured], options: &Options) -> Result<Vec<Row>> {
    let mut rows = grants(work, upstream_url)?;
    let most =
        ratios.iter().find(|measured| measured.name == GATEWAY).context("the gateway was not measured")?.calls_a_second;
    eprintln!("measuring memory over {} calls …", options.calls);
    let run = long_run(work, upstream_url, wrk, options.calls)?;
    rows.extend(half_load(work, upstream_url, most / 2, options.seconds, run.log_bytes_a_call)?);
    rows.push(Row::of(
        format!("resident, before and after {} calls", run.calls),
        format!("{} → {}", mib(run.before_kib), mib(run.after_kib)),
        "flat",
        true,
    ));
    rows.extend(modes::goals(ratios));
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

fn mib(kib: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let mib = kib as f64 / 1024.0;
    format!("{mib:.1} MiB")
}

/// `10000` as `10,000`.
fn thousands(count: usize) -> String {
    format!("{},{:03}", count / 1000, count % 1000)
}
