//! `cargo xtask fuzz`: the fuzz targets, each for a stated time, built by the compiler that builds everything else.
//!
//! libFuzzer needs a program whose branches count how often they are taken. LLVM puts that in wherever `INSTRUMENTS` say so, which
//! takes neither a nightly compiler nor a program beside cargo; libFuzzer itself comes with the crate `libfuzzer-sys` and is built by
//! the machine's C++ compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::system::root;

/// What makes a program one that libFuzzer can steer.
const INSTRUMENTS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions=on",
];

/// Inputs are no longer than this, in bytes: what goes wrong in longer ones does so in short ones, sooner.
const LONGEST: &str = "-max_len=8192";

const HELP: &str = "\
cargo xtask fuzz [OPTION]... [TARGET]...

  --seconds N    how long each target runs (60)

Without a target: all of them, one after the other. What is found is kept in fuzz/corpus; an input that fails a target is named, and
stays in fuzz/artifacts. It takes a C++ compiler (Debian: g++).
";

/// A target that ran without a failure.
#[derive(Debug)]
pub struct Ran {
    /// Which.
    pub target: String,
    /// How often.
    pub executions: u64,
}

/// Runs the targets that are named, or all.
///
/// # Errors
/// The first that fails, with what it says.
pub fn run(arguments: &[String]) -> Result<()> {
    let (mut seconds, mut wanted) = (60, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(());
            }
            "--seconds" => {
                let number = words.next().and_then(|number| number.parse().ok());
                seconds = number.with_context(|| format!("--seconds takes a number\n\n{HELP}"))?;
            }
            option if option.starts_with('-') => bail!("`{option}` is not an option\n\n{HELP}"),
            target => wanted.push(target.to_owned()),
        }
    }
    let all = targets()?;
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", all.join(", "));
    }
    for ran in each(if wanted.is_empty() { &all } else { &wanted }, seconds)? {
        println!("{:16} {:>12} executions in {seconds} s", ran.target, ran.executions);
    }
    Ok(())
}

/// Builds all targets, and runs these for so many seconds each.
///
/// # Errors
/// The first that fails, with what it says.
pub fn each(targets: &[String], seconds: u64) -> Result<Vec<Ran>> {
    let built = build()?;
    targets
        .iter()
        .map(|target| Ok(Ran { target: target.clone(), executions: fuzzed(&built, target, seconds)? }))
        .collect()
}

/// All targets of `fuzz/`, by name.
///
/// # Errors
/// A folder that cannot be read.
pub fn targets() -> Result<Vec<String>> {
    let files = fs::read_dir(root().join("fuzz/fuzz_targets"))?;
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Builds them; where they stand then.
fn build() -> Result<PathBuf> {
    let host = host()?;
    // With a target named, what runs while building is not instrumented.
    let words = ["build", "--release", "--locked", "--bins", "--target", &host];
    let folder = root().join("fuzz");
    eprintln!("$ cargo {} (in fuzz, with coverage)", words.join(" "));
    let status = Command::new("cargo")
        .args(words)
        .current_dir(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTS.join("\u{1f}"))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .status()
        .context("cargo")?;
    if !status.success() {
        bail!("the fuzz targets do not build; they take a C++ compiler (Debian: g++)");
    }
    Ok(folder.join("target").join(host).join("release"))
}

/// The machine's own target, as the compiler calls it.
fn host() -> Result<String> {
    let said = Command::new("rustc").arg("-vV").output().context("rustc")?;
    let said = String::from_utf8(said.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which machine it builds")
}

/// Runs one target for so long, and gives how often it ran. What fails is an error.
fn fuzzed(built: &Path, target: &str, seconds: u64) -> Result<u64> {
    let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
    let folder = root().join("fuzz");
    fs::create_dir_all(folder.join(&corpus))?;
    fs::create_dir_all(folder.join("artifacts"))?;
    let mut words = vec![corpus];
    if folder.join(&seeds).is_dir() {
        words.push(seeds);
    }
    words
        .extend(["-dict=json.dict", LONGEST, "-print_final_stats=1", "-artifact_prefix=artifacts/"].map(str::to_owned));
    words.push(format!("-max_total_time={seconds}"));
    eprintln!("$ {target} {}", words.join(" "));
    let output = Command::new(built.join(target))
        .args(&words)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .with_context(|| format!("the fuzz target {target}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the fuzz target {target} failed:\n{said}");
    }
    executions(&said).with_context(|| format!("{target} does not say how often it ran:\n{said}"))
}

/// How often a target ran, as libFuzzer says it at its end.
fn executions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_declared_and_told_of() {
        let read = |file: &str| fs::read_to_string(root().join("fuzz").join(file)).unwrap();
        let (declared, told) = (read("Cargo.toml"), read("README.md"));
        let targets = targets().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(declared.contains(&format!("name = \"{target}\"")), "{target} in fuzz/Cargo.toml");
            assert!(told.contains(&format!("`{target}`")), "{target} in fuzz/README.md");
        }
    }

    #[test]
    fn executions_are_read_from_what_libfuzzer_says() {
        assert_eq!(executions("Done\nstat::number_of_executed_units: 1234\nstat::x: 1\n"), Some(1234));
        assert_eq!(executions("Done"), None);
    }

    #[test]
    fn what_does_not_exist_is_refused_before_anything_is_built() {
        let error = run(&["nothing".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("there is no target `nothing`; there are canonical"), "{error}");
    }
}
