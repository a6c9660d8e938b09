//! `cargo xtask robustness`: the long proofs of what is lost when either side is slow, hostile or dies, the attack inputs, the
//! official suite, and the fuzz targets, each for a stated time. What they saw is written to docs/reliability.md.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::system::{root, run_with};
use crate::{conformance, fuzz};

/// A part: what it is called, and what it does with the options. It gives rows of the table.
struct Part {
    name: &'static str,
    run: fn(&Options) -> Result<Vec<Row>>,
}

/// What it is, and what was seen.
type Row = (String, String);

const PARTS: [Part; 8] = [
    Part { name: "conformance", run: |options| conformance::figures(options.debug) },
    Part { name: "attacks", run: attacks },
    // Rounds of different tests mean different things, and are multiplied so that they take minutes with a hundred.
    Part { name: "once", run: |options| tests(options, "robust", &["once::"], options.rounds) },
    Part {
        name: "crossed",
        run: |options| tests(options, "robust", &["crossed::"], options.rounds.saturating_mul(10)),
    },
    Part {
        name: "decoded",
        run: |options| tests(options, "robust", &["decoded::"], options.rounds.saturating_mul(20)),
    },
    Part {
        name: "cancelled",
        run: |options| tests(options, "robust", &["cancelled::"], options.rounds.saturating_mul(1_140)),
    },
    Part { name: "slow", run: slow },
    Part { name: "fuzz", run: fuzzed },
];

/// What slow clients may make of the slowest of good calls.
const MOST_SLOWER: f64 = 1.5;

/// How the row begins that says it.
const SLOWER: &str = "p99 of good calls";

/// Where the figures stand in the documentation.
const BEGIN: &str = "<!-- figures: cargo xtask robustness --write -->\n";
const END: &str = "<!-- end of figures -->\n";

const HELP: &str = "\
cargo xtask robustness [OPTION]... [PART]...

  conformance    the official suite, directly and through the gateway: what each revision requires, and all of it
  attacks        the attack inputs, each against its verdict
  once, crossed, decoded, cancelled
                 calls that fail, that use the same ids, that other languages read, that are given up
  slow           a thousand slow clients: what they take, and what they do to others
  fuzz           the fuzz targets

  --rounds N     rounds of the proofs (100: a hundred thousand answers of a hundred agents, a million cancelled calls)
  --fuzz N       seconds of each fuzz target (0: none), which takes a C++ compiler
  --write        put what was seen into docs/reliability.md; takes all parts
  --debug        without optimisation: to try a part. Nothing of it is written

Without a part: all of them, in this order. On two quiet cores `--fuzz 60` takes about 40 minutes, building not counted.
";

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    parts: Vec<String>,
    rounds: u64,
    fuzz: u64,
    write: bool,
    debug: bool,
}

/// Runs the parts that are named, or all.
///
/// # Errors
/// The first that fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = options(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    let mut rows = Vec::new();
    for part in &PARTS {
        if options.parts.is_empty() || options.parts.iter().any(|name| name == part.name) {
            eprintln!("\n== {}", part.name);
            let begun = Instant::now();
            rows.extend((part.run)(&options).with_context(|| format!("robustness: {}", part.name))?);
            eprintln!("{} took {} s", part.name, begun.elapsed().as_secs());
        }
    }
    let table = table(&rows);
    print!("{table}");
    if options.write {
        let path = root().join("docs/reliability.md");
        let text = fs::read_to_string(&path)?;
        fs::write(&path, fill(&text, &table)?)?;
    }
    Ok(())
}

/// `None` when help is asked for.
fn options(arguments: &[String]) -> Result<Option<Options>> {
    let mut options = Options { parts: Vec::new(), rounds: 100, fuzz: 0, write: false, debug: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let value = words.next().with_context(|| format!("`{word}` needs a number\n\n{HELP}"))?;
            value.parse().with_context(|| format!("{word} takes a number"))
        };
        match word.as_str() {
            "--rounds" => options.rounds = number()?,
            "--fuzz" => options.fuzz = number()?,
            "--write" => options.write = true,
            "--debug" => options.debug = true,
            "--help" | "-h" => return Ok(None),
            name if PARTS.iter().any(|part| part.name == name) => options.parts.push(name.to_owned()),
            _ => bail!("`{word}` is neither an option nor a part\n\n{HELP}"),
        }
    }
    if options.write && (options.debug || !options.parts.is_empty()) {
        bail!("`--write` takes all parts, with optimisation: the table is of one run\n\n{HELP}");
    }
    Ok(Some(options))
}

/// Runs tests of a file of tests, one after the other, and gives what they saw.
fn tests(options: &Options, file: &str, names: &[&str], rounds: u64) -> Result<Vec<Row>> {
    let seen = root().join("target/robustness.tsv");
    if seen.exists() {
        fs::remove_file(&seen)?;
    }
    let rounds = rounds.to_string();
    let variables = [("TOOLGATE_ROUNDS", rounds.as_str()), ("TOOLGATE_FIGURES", seen.to_str().context("a path")?)];
    let mut words = vec!["test", "--workspace", "--locked", "--test", file];
    if !options.debug {
        words.push("--release");
    }
    words.extend(["--", "--test-threads=1"]);
    run_with("cargo", &[&words, names].concat(), &variables)?;
    Ok(figures(&fs::read_to_string(&seen).context("the figures of the tests: none of them has any")?))
}

/// The attack inputs, wherever they are tried. Where ../shared is absent there are none, and that is said.
fn attacks(options: &Options) -> Result<Vec<Row>> {
    let mut rows = tests(options, "product", &["attacks::", "rules::", "audit::nothing_that", "pins::the_drift"], 1)?;
    rows.extend(tests(options, "egress", &["attacks"], 1)?);
    Ok(rows)
}

/// The clients that are slow. That others wait no longer for them is a promise.
fn slow(options: &Options) -> Result<Vec<Row>> {
    let rows = tests(options, "robust", &["slow::a_thousand"], (options.rounds / 5).max(1))?;
    let slower = rows.iter().find(|(what, _)| what.starts_with(SLOWER)).context("no figure of the slowest calls")?;
    let ratio: f64 = slower.1.parse().with_context(|| slower.1.clone())?;
    if ratio > MOST_SLOWER && !options.debug {
        bail!("{}: {ratio}, and may be {MOST_SLOWER}", slower.0);
    }
    Ok(rows)
}

/// The fuzz targets, each for so long. A failure ends the run.
fn fuzzed(options: &Options) -> Result<Vec<Row>> {
    let seconds = options.fuzz;
    if seconds == 0 {
        return Ok(Vec::new());
    }
    let time = match seconds {
        3600.. => format!("{:.1} h", Duration::from_secs(seconds).as_secs_f64() / 3600.0),
        _ => format!("{seconds} s"),
    };
    let ran = fuzz::each(&fuzz::targets()?, seconds)?;
    let row = |ran: fuzz::Ran| {
        let what = format!("executions of the fuzz target `{}` in {time}, without a crash", ran.target);
        (what, ran.executions.to_string())
    };
    Ok(ran.into_iter().map(row).collect())
}

/// What was seen, a line each: what it is, a tab, and the figure.
fn figures(text: &str) -> Vec<Row> {
    text.lines().filter_map(|line| line.split_once('\t')).map(|(what, seen)| (what.into(), seen.into())).collect()
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from("| what | seen |\n| --- | --- |\n");
    for (what, seen) in rows {
        // Writing into a `String` cannot fail.
        let _ = writeln!(table, "| {what} | {seen} |");
    }
    table
}

fn fill(text: &str, table: &str) -> Result<String> {
    let missing = || format!("docs/reliability.md has no place between {} and {}", BEGIN.trim(), END.trim());
    let (before, rest) = text.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_stands_between_its_marks() {
        let rows = figures("calls that arrived twice\t0\nno figure\n");
        let text = format!("before\n{BEGIN}old\n{END}after\n");
        let expected =
            format!("before\n{BEGIN}| what | seen |\n| --- | --- |\n| calls that arrived twice | 0 |\n{END}after\n");
        assert_eq!(fill(&text, &table(&rows)).unwrap(), expected);
        assert_eq!(fill("", "").unwrap_err().to_string().matches("robustness").count(), 1);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(options(&words(&["slow", "--rounds", "5"])).unwrap().unwrap().parts, ["slow"]);
        assert!(options(&words(&["slow", "--write"])).unwrap_err().to_string().contains("takes all parts"));
        assert!(options(&words(&["sloow"])).is_err());
    }
}
