//! `cargo xtask robustness`: the long proofs of what is lost when either side is slow, hostile or dies, and the fuzz targets,
//! each for a stated time. What they saw is written to docs/reliability.md.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::system::{root, run_with};

/// Tests, and what their rounds are multiplied with: rounds of different tests mean different things.
const PROOFS: [(&str, u64); 4] = [("once::", 1), ("crossed::", 10), ("decoded::", 20), ("cancelled::", 1_140)];

/// Where the figures stand in the documentation.
const BEGIN: &str = "<!-- figures: cargo xtask robustness --write -->\n";
const END: &str = "<!-- end of figures -->\n";

const HELP: &str = "\
cargo xtask robustness [OPTION]...

  --rounds N     rounds of the proofs (100: a hundred thousand answers of a hundred agents, a million cancelled calls)
  --fuzz N       seconds of each fuzz target (0: none); takes a nightly compiler and `cargo install cargo-fuzz`
  --write        put what was seen into docs/reliability.md
";

/// What the command line asks for.
struct Options {
    rounds: u64,
    fuzz: u64,
    write: bool,
}

/// Runs the proofs and the targets.
///
/// # Errors
/// The first that fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = options(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    let file = root().join("target/robustness.tsv");
    if file.exists() {
        std::fs::remove_file(&file)?;
    }
    for (tests, times) in PROOFS {
        let rounds = options.rounds.saturating_mul(times).to_string();
        let variables = [("TOOLGATE_ROUNDS", rounds.as_str()), ("TOOLGATE_FIGURES", file.to_str().context("a path")?)];
        let words =
            ["test", "--release", "--workspace", "--locked", "--test", "robust", "--", "--test-threads=1", tests];
        run_with("cargo", &words, &variables)?;
    }
    let mut rows = figures(&std::fs::read_to_string(&file).context("the figures of the proofs")?);
    if options.fuzz > 0 {
        for target in targets()? {
            rows.push(fuzzed(&target, options.fuzz)?);
        }
    }
    let table = table(&rows);
    print!("{table}");
    if options.write {
        let path = root().join("docs/reliability.md");
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&path, fill(&text, &table)?)?;
    }
    Ok(())
}

/// `None` when help is asked for.
fn options(arguments: &[String]) -> Result<Option<Options>> {
    let mut options = Options { rounds: 100, fuzz: 0, write: false };
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
            "--help" | "-h" => return Ok(None),
            _ => bail!("`{word}` is not an option\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}

/// What was seen, a line each: what it is, a tab, and the figure.
fn figures(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(|line| line.split_once('\t')).map(|(what, seen)| (what.into(), seen.into())).collect()
}

/// All targets of `fuzz/`.
fn targets() -> Result<Vec<String>> {
    let files = std::fs::read_dir(root().join("fuzz/fuzz_targets"))?;
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Runs one target for so long. A crash is a failure.
fn fuzzed(target: &str, seconds: u64) -> Result<(String, String)> {
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    std::fs::create_dir_all(root().join(&corpus))?;
    let time = format!("-max_total_time={seconds}");
    let mut words = vec!["+nightly", "fuzz", "run", target, corpus.as_str()];
    if Path::new(&root().join(&seeds)).is_dir() {
        words.push(&seeds);
    }
    words.extend(["--", "-dict=fuzz/json.dict", "-max_len=8192", "-print_final_stats=1", time.as_str()]);
    eprintln!("$ cargo {}", words.join(" "));
    let output = Command::new("cargo")
        .args(&words)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .context("cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the fuzz target {target} failed:\n{said}");
    }
    let executions = executions(&said).with_context(|| format!("{target} does not say how often it ran:\n{said}"))?;
    Ok((format!("executions of the fuzz target `{target}` in {seconds} s, without a crash"), executions.to_string()))
}

/// How often a target ran, as libFuzzer says it at its end.
fn executions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

fn table(rows: &[(String, String)]) -> String {
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
        assert_eq!(executions("Done\nstat::number_of_executed_units: 1234\nstat::x: 1\n"), Some(1234));
    }
}
