//! `cargo xtask bench`: what a call costs, as ratios within one run, and the budgets that are no
//! ratio.
//!
//! One canned upstream, one load (wrk), and before the upstream in turn: nothing, nginx
//! `proxy_pass`, a bare hyper forwarder, and the gateway with policy, one limit and audit on: from a policy file, as an
//! instance with many grants, and with its limits in Redis.

mod grants;
mod latency;
mod load;
mod long_run;
mod modes;
mod processes;
pub use processes::{Running, Talk, program, release, started};
mod pure;
mod ratios;
mod scale;
pub mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::load::Wrk;
use self::ratios::{Measured, Upstream};
pub use self::scale::Row;
use crate::system::run;

const HELP: &str = "\
cargo xtask bench [OPTION]...

  --seconds N    how long each load lasts (10)
  --calls N      calls of the long run, over which memory must be flat (500000)
  --write        put the figures into docs/performance.md
";

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    seconds: u32,
    calls: u64,
    write: bool,
}

/// Runs the benchmark.
///
/// # Errors
/// When something is missing, a call fails, or memory grows.
pub fn bench(arguments: &[String]) -> Result<()> {
    let Some(options) = options(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    for program in ["nginx", "wrk", "redis-server"] {
        if !processes::is_installed(program) {
            bail!("`{program}` is missing: apt-get install -y nginx-light wrk redis-server");
        }
    }
    run("cargo", &["build", "--release", "--locked", "-p", "toolgate", "-p", "bench"])?;
    let scratch = Scratch::new()?;
    let (ratios, rows) = measure(&scratch.0, &options)?;
    let (ratios, scale) = (table::ratios(&ratios), table::scale(&rows));
    print!("{ratios}\n{scale}");
    if options.write {
        table::write(&[(&table::RATIOS, &ratios), (&table::SCALE, &scale)])?;
    }
    Ok(())
}

fn measure(work: &Path, options: &Options) -> Result<(Vec<Measured>, Vec<Row>)> {
    let wrk = Wrk::new(work)?;
    let upstream = Upstream::start()?;
    let mut ratios = ratios::measure_all(work, &upstream, &wrk, options.seconds)?;
    ratios.extend(modes::measure(work, &upstream.url(), options.seconds)?);
    let rows = scale::measure(work, &upstream.url(), &wrk, &ratios, options)?;
    Ok((ratios, rows))
}

/// `None` when help is asked for.
fn options(arguments: &[String]) -> Result<Option<Options>> {
    let mut options = Options { seconds: 10, calls: 500_000, write: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` needs a value\n\n{HELP}"));
        match word.as_str() {
            "--seconds" => options.seconds = value()?.parse().context("--seconds takes a number")?,
            "--calls" => options.calls = value()?.parse().context("--calls takes a number")?,
            "--write" => options.write = true,
            "--help" | "-h" => return Ok(None),
            _ => bail!("`{word}` is not an option\n\n{HELP}"),
        }
    }
    if options.seconds == 0 {
        bail!("--seconds 0 measures nothing");
    }
    Ok(Some(options))
}

/// A folder of this run, removed at its end. It lies where builds go: a temporary folder may be
/// memory, which would be no fair place for the audit log.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new one.
    pub fn new() -> Result<Self> {
        let folder = processes::release()?.with_file_name(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}
