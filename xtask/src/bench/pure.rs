//! The pure steps of a call, as the examples of their crates measure them.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::system::root;

/// A step.
pub struct Step {
    /// What is done.
    pub what: &'static str,
    /// How long it takes.
    pub ns: f64,
}

/// Builds the examples and takes the figures from what they print.
pub fn steps() -> Result<Vec<Step>> {
    let decide = example("policy", "decide_bench", &[])?;
    let parse = example("mcp", "parse_cost", &[])?;
    let redact = example("policy", "redact_bench", &[])?;
    let append = example("store", "log_append", &[])?;
    Ok(vec![
        Step { what: "decide a call under 20 rules", ns: figure(&decide, "20 rules:")? },
        Step { what: "parse a `tools/call` of 250 bytes", ns: figure(&parse, "parse_client")? },
        Step { what: "look for secrets in a result of 10 KiB", ns: figure(&redact, "plain result of 10 KiB:")? },
        Step { what: "encode and hash an audit record", ns: figure(&append, "encode and hash only")? },
        Step { what: "append it to the log, one thread", ns: figure(&append, "buffered, one thread")? },
    ])
}

fn example(package: &str, name: &str, arguments: &[&str]) -> Result<String> {
    eprintln!("measuring with {package}'s example {name} …");
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--locked", "-p", package, "--example", name, "--"]).args(arguments);
    let output = command.current_dir(root()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first number before `ns` on the first line that begins with `label`.
fn figure(text: &str, label: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(label));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.with_context(|| format!("no figure after `{label}` in:\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn takes_the_figure_after_its_label() {
        let text =
            "a call\n  parse_client         412 ns    1.6 ns/byte\n  parse_client  9 ns\n20 rules: 583 ns a decision\n";
        assert_eq!(figure(text, "parse_client").unwrap(), 412.0);
        assert_eq!(figure(text, "20 rules:").unwrap(), 583.0);
        assert!(figure(text, "tree").is_err());
    }
}
