//! `cargo xtask full`: every test, every proof with many rounds, every figure. It takes hours and
//! a quiet machine, stops at the first failure, and says how long each part took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::system::run_with;
use crate::{bench, catalogue, classifier, conformance, robustness, test};

/// Rounds of each property; in a test run it has 256 to 1000.
const ROUNDS: &str = "100000";

/// Rounds in which many take from one limit at once; in a test run there is one, or two.
const TIMES: &str = "20";

/// How often an instance is killed under load.
const KILLED: &str = "50";

/// Calls over which memory must be flat.
const CALLS: &str = "10000000";

const HELP: &str = "\
cargo xtask full [PART]...

  tests          what CI runs, with the real servers and clients
  conformance    the whole official suite, also with the fixture as a child
  proofs         the properties of the pure crates, and limits that many take from, with many rounds; an instance
                 killed under load, 50 times
  robustness     calls that are cut, cancelled, crossed and sent once, with many rounds, and an hour of each fuzz target;
                 its figures
  classifier     trains it anew, which must give the weights of the tree, and writes its figures
  catalogue      import, search, pages and memory at 40,000 servers and 500,000 tools: a goal that is missed fails
  bench          every figure of docs/performance.md, over ten million calls

Without a part: all of them, in this order.
";

/// A part of the run.
struct Part {
    name: &'static str,
    run: fn() -> Result<()>,
}

const PARTS: [Part; 7] = [
    Part { name: "tests", run: || test::run(&[]) },
    Part { name: "conformance", run: || conformance::run(&words(&["--all", "--child"])) },
    Part { name: "proofs", run: proofs },
    Part { name: "robustness", run: || robustness::run(&words(&["--rounds", "100", "--fuzz", "3600", "--write"])) },
    Part { name: "classifier", run: judge },
    Part { name: "catalogue", run: || catalogue::run(&words(&["--hold", "--write"])) },
    Part { name: "bench", run: || bench::bench(&words(&["--seconds", "20", "--calls", CALLS, "--write"])) },
];

/// Runs the parts that are named, or all.
///
/// # Errors
/// The first failure, with the name of its part.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    if let Some(unknown) = arguments.iter().find(|name| PARTS.iter().all(|part| part.name != name.as_str())) {
        bail!("`{unknown}` is no part\n\n{HELP}");
    }
    let wanted = |part: &&Part| arguments.is_empty() || arguments.iter().any(|name| name == part.name);
    let mut took = Vec::new();
    for part in PARTS.iter().filter(wanted) {
        eprintln!("\n== {}", part.name);
        let begun = Instant::now();
        let done = (part.run)();
        took.push((part.name, begun.elapsed()));
        if let Err(error) = done {
            eprint!("{}", summary(&took, true));
            return Err(error).with_context(|| format!("full: `{}` failed, the parts after it did not run", part.name));
        }
    }
    println!("{}", summary(&took, false));
    Ok(())
}

/// The properties, with many rounds. They are built with optimisation, and the overflow checks
/// of the release profile.
fn proofs() -> Result<()> {
    // Unit tests and test files alone: examples in the documentation have no rounds. A property that
    // turns some inputs away turns more away in more rounds.
    let words = ["test", "--release", "--locked", "--lib", "--tests", "-p", "mcp", "-p", "policy", "-p", "audit"];
    run_with("cargo", &words, &[("PROPTEST_CASES", ROUNDS), ("PROPTEST_MAX_GLOBAL_REJECTS", "10000000")])?;
    // Never one more, never one less: on Redis and in a file.
    let words = ["-p", "shared", "-p", "control", "--test", "redis", "--test", "live", "exactly"];
    run_with("cargo", &[&["test", "--release", "--locked"], words.as_slice()].concat(), &[("TOOLGATE_ROUNDS", TIMES)])?;
    let words = ["test", "--release", "--workspace", "--locked", "--test", "instance", "clocks::"];
    run_with("cargo", &words, &[("TOOLGATE_ROUNDS", TIMES)])?;
    // One that is alone, and one of three.
    let words = ["test", "--release", "--workspace", "--locked", "--test", "instance", "killed::"];
    run_with("cargo", &words, &[("TOOLGATE_ROUNDS", KILLED)])
}

/// The weights come from the features in the tree and nothing else, and reach what they should.
fn judge() -> Result<()> {
    classifier::train(&words(&["--check"]))?;
    classifier::eval(&words(&["--write"]))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// How long each part took.
fn summary(took: &[(&str, Duration)], failed: bool) -> String {
    let mut text = String::from("\n");
    for (index, (name, time)) in took.iter().enumerate() {
        let seconds = time.as_secs();
        let end = if failed && index + 1 == took.len() { "  FAILED" } else { "" };
        text.push_str(&format!("{name:12} {:>4} min {:02} s{end}\n", seconds / 60, seconds % 60));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_long_each_part_took_and_which_failed() {
        let took = [("tests", Duration::from_secs(61)), ("bench", Duration::from_secs(7200))];
        assert_eq!(summary(&took, true), "\ntests           1 min 01 s\nbench         120 min 00 s  FAILED\n");
    }

    #[test]
    fn an_unknown_part_is_refused_before_anything_runs() {
        let error = run(&words(&["proofs", "bensch"])).unwrap_err().to_string();
        assert!(error.starts_with("`bensch` is no part"), "{error}");
    }
}
