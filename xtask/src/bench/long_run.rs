//! Many calls: memory must stay as it is.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::load::Wrk;
use super::processes::resident_kib;
use super::ratios::gateway;

/// Growth that is a leak and no noise.
const MOST_PERCENT: u64 = 120;

/// What a long run showed.
pub struct LongRun {
    /// Calls between the two readings.
    pub calls: u64,
    /// Resident memory when the first seconds of load were over.
    pub before_kib: u64,
    /// Resident memory after all calls.
    pub after_kib: u64,
    /// What the audit log took on the disk.
    pub log_bytes_a_call: u64,
}

/// Sends at least `calls` calls through a gateway of its own.
///
/// # Errors
/// When memory has grown by more than a fifth.
pub fn long_run(work: &Path, upstream_url: &str, wrk: &Wrk, calls: u64) -> Result<LongRun> {
    let work = work.join("long-run");
    std::fs::create_dir_all(&work)?;
    let (running, url) = gateway(&work, upstream_url)?;
    let audit = work.join("data/audit");
    wrk.load(&url, 32, 5)?;
    let before_kib = resident_kib(running.id())?;
    let already = log_bytes(&audit)?;
    let (mut done, mut removed) = (0, 0);
    while done < calls {
        done += wrk.load(&url, 32, if calls > 2_000_000 { 60 } else { 10 })?.calls;
        eprintln!("  {done} calls, {} KiB resident", resident_kib(running.id())?);
        removed += remove_closed(&audit)?;
    }
    let after_kib = resident_kib(running.id())?;
    let bytes = (removed + log_bytes(&audit)?).saturating_sub(already);
    if after_kib * 100 > before_kib * MOST_PERCENT {
        bail!("resident memory grew from {before_kib} KiB to {after_kib} KiB over {done} calls");
    }
    Ok(LongRun { calls: done, before_kib, after_kib, log_bytes_a_call: bytes / done.max(1) })
}

/// Segments of the log, oldest first.
fn segments(audit: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut all = Vec::new();
    for chain in std::fs::read_dir(audit)? {
        for file in std::fs::read_dir(chain?.path())? {
            let path = file?.path();
            let number = path.file_stem().and_then(|stem| stem.to_string_lossy().parse().ok());
            all.extend(number.map(|number| (number, path)));
        }
    }
    all.sort_unstable();
    Ok(all)
}

fn log_bytes(audit: &Path) -> Result<u64> {
    segments(audit)?.iter().map(|(_, path)| Ok(path.metadata()?.len())).sum()
}

/// Removes every segment but the one that is written: ten million calls would fill a small disk,
/// and the gateway does not read them again.
fn remove_closed(audit: &Path) -> Result<u64> {
    let mut all = segments(audit)?;
    all.pop();
    let mut bytes = 0;
    for (_, path) in all {
        bytes += path.metadata()?.len();
        std::fs::remove_file(path)?;
    }
    Ok(bytes)
}
