//! `cargo xtask catalogue`: the catalogue at a scale beyond the real data: how long an import takes, how fast search
//! and pages answer, and what that holds in memory.

mod blown_up;
mod chance;
mod client;
mod measured;
mod questions;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::bench::{Row, Scratch, table};
use crate::classifier::shared;
use crate::system::run as run_program;
use blown_up::Size;

const HELP: &str = "\
cargo xtask catalogue [OPTION]...

  --servers N      lines of servers (40000)
  --tools N        lines of tools (500000)
  --queries N      questions that are asked (10000)
  --generate DIR   only write the lines, into this folder
  --hold           fail where a goal is missed
  --write          put the figures into docs/performance.md
";

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    size: Size,
    queries: usize,
    generate: Option<PathBuf>,
    hold: bool,
    write: bool,
}

/// Generates the data, imports it, asks.
///
/// # Errors
/// When the real data is missing, something fails, or a goal that is to hold is missed.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = options(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    let Some(shared) = shared() else {
        println!("skipped: the public definitions are not beside the project (../shared/data)");
        return Ok(());
    };
    if let Some(folder) = &options.generate {
        std::fs::create_dir_all(folder)?;
        blown_up::write(&shared, folder, options.size)?;
        return Ok(());
    }
    run_program("cargo", &["build", "--release", "--locked", "-p", "toolgate"])?;
    let scratch = Scratch::new()?;
    let rows = measure(&shared, &scratch.0, &options)?;
    let text = table::scale(&rows);
    print!("{text}");
    if options.write {
        table::write(&[(&table::CATALOGUE, &text)])?;
    }
    let missed: Vec<&str> =
        rows.iter().filter(|row| matches!(row.goal, Some((_, false)))).map(|row| row.what.as_str()).collect();
    if options.hold && !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

fn measure(shared: &Path, work: &Path, options: &Options) -> Result<Vec<Row>> {
    eprintln!("writing {} servers and {} tools …", options.size.servers, options.size.tools);
    let data = blown_up::write(shared, work, options.size)?;
    let home = work.join("data");
    eprintln!("importing …");
    let mut rows = measured::import(&data, &home)?;
    eprintln!("asking …");
    rows.extend(measured::asked(&data, &home, options.queries)?);
    Ok(rows)
}

/// `None` when help is asked for.
fn options(arguments: &[String]) -> Result<Option<Options>> {
    let size = Size { servers: 40_000, tools: 500_000 };
    let mut options = Options { size, queries: 10_000, generate: None, hold: false, write: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` needs a value\n\n{HELP}"));
        let number = |text: &String| text.parse::<usize>().with_context(|| format!("{word} takes a number"));
        match word.as_str() {
            "--servers" => options.size.servers = number(value()?)?,
            "--tools" => options.size.tools = number(value()?)?,
            "--queries" => options.queries = number(value()?)?,
            "--generate" => options.generate = Some(value()?.into()),
            "--hold" => options.hold = true,
            "--write" => options.write = true,
            "--help" | "-h" => return Ok(None),
            _ => bail!("`{word}` is not an option\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lines_every_time_and_as_many_as_are_asked_for() {
        let Some(shared) = shared() else {
            eprintln!("skipped: the public definitions are not beside the project");
            return;
        };
        let size = Size { servers: 38_000, tools: 44_000 };
        let written = || {
            let folder = tempfile::tempdir().unwrap();
            let data = blown_up::write(&shared, folder.path(), size).unwrap();
            let questions = questions::questions(&data, 100);
            (std::fs::read_to_string(data.servers).unwrap(), std::fs::read_to_string(data.tools).unwrap(), questions)
        };
        let (first, second) = (written(), written());
        assert!(first == second, "two runs differ");
        let (servers, tools, questions) = first;
        assert_eq!((servers.lines().count(), tools.lines().count(), questions.len()), (38_000, 44_000, 100));
        let different: std::collections::HashSet<&str> = tools.lines().collect();
        assert!(different.len() > 43_900, "{} different lines", different.len());
    }
}
