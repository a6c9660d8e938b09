//! Two outcomes side by side, and the list of differences that are meant.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::suite::{Checks, Outcome, Set, Status};

/// A check that ended one way directly, and another way through the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The scenario's name.
    pub scenario: String,
    /// The check's id and name.
    pub check: String,
    direct: Vec<Status>,
    through: Vec<Status>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |results: &[Status]| match results {
            [] => "nothing".to_owned(),
            results => results.iter().map(|status| word(*status)).collect::<Vec<_>>().join(" and "),
        };
        let (direct, through) = (words(&self.direct), words(&self.through));
        write!(f, "{} {}: {direct} directly, {through} through the gateway", self.scenario, self.check)
    }
}

/// Every check whose results differ.
pub fn differences(direct: &Outcome, through: &Outcome) -> Vec<Difference> {
    let none = Checks::new();
    let names: BTreeSet<&String> = direct.scenarios.keys().chain(through.scenarios.keys()).collect();
    let mut found = Vec::new();
    for scenario in names {
        let one = direct.scenarios.get(scenario).unwrap_or(&none);
        let other = through.scenarios.get(scenario).unwrap_or(&none);
        let checks: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for check in checks {
            let results = |checks: &Checks| checks.get(check).cloned().unwrap_or_default();
            let (direct, through) = (results(one), results(other));
            if direct != through {
                let (scenario, check) = (scenario.clone(), check.clone());
                found.push(Difference { scenario, check, direct, through });
            }
        }
    }
    found
}

/// A row a scenario, a column an outcome: how many checks passed and failed; and the sums.
pub fn table(columns: &[(&str, &Outcome)]) -> String {
    let scenarios: BTreeSet<&String> = columns.iter().flat_map(|(_, outcome)| outcome.scenarios.keys()).collect();
    let width = scenarios.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    row(&mut text, width, "passed/failed", columns.iter().map(|(name, _)| (*name).to_owned()), "");
    for scenario in &scenarios {
        let cells =
            columns.iter().map(|(_, outcome)| outcome.scenarios.get(*scenario).map_or_else(|| "-".to_owned(), cell));
        let unscored = columns.iter().any(|(_, outcome)| outcome.unscored.contains(scenario));
        row(&mut text, width, scenario, cells, if unscored { "not scored" } else { "" });
    }
    row(&mut text, width, "scored scenarios", columns.iter().map(|(_, outcome)| scored(outcome)), "");
    row(&mut text, width, "all checks", columns.iter().map(|(_, outcome)| all(outcome)), "");
    text
}

/// The sums of [`table`] for the documents: what they are, and their values by column.
pub fn counts(columns: &[(&str, &Outcome)]) -> impl Iterator<Item = (String, String)> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let of = |count: fn(&Outcome) -> String| {
        columns.iter().map(|(_, outcome)| count(outcome)).collect::<Vec<_>>().join(", ")
    };
    let names = names.join(", ");
    [
        (format!("scenarios that pass, of those that count ({names})"), of(scored)),
        (format!("checks that pass / fail, of all ({names})"), of(all)),
    ]
    .into_iter()
}

fn row(text: &mut String, width: usize, name: &str, cells: impl Iterator<Item = String>, note: &str) {
    let mut line = format!("  {name:<width$}");
    for cell in cells {
        // Writing to a string does not fail.
        let _ = write!(line, "  {cell:>10}");
    }
    if !note.is_empty() {
        let _ = write!(line, "  {note}");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn cell(checks: &Checks) -> String {
    let (passed, failed) = counted(checks);
    format!("{passed}/{failed}")
}

fn all(outcome: &Outcome) -> String {
    let sums = outcome.scenarios.values().map(counted);
    let (passed, failed) = sums.fold((0, 0), |sum, (passed, failed)| (sum.0 + passed, sum.1 + failed));
    format!("{passed}/{failed}")
}

/// Scenarios that pass, of those that count.
fn scored(outcome: &Outcome) -> String {
    let counting = outcome.scenarios.iter().filter(|(name, _)| !outcome.unscored.contains(name));
    let (mut passing, mut of) = (0, 0);
    for (_, checks) in counting {
        of += 1;
        passing += usize::from(counted(checks).1 == 0);
    }
    format!("{passing}/{of}")
}

fn counted(checks: &Checks) -> (usize, usize) {
    let count = |wanted| checks.values().flatten().filter(|status| **status == wanted).count();
    (count(Status::Success), count(Status::Failure))
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Success => "passed",
        Status::Skipped => "skipped",
        Status::Warning => "warned",
        Status::Failure => "failed",
    }
}

/// The differences that are meant, a line each: `SET SCENARIO CHECK reason`, where CHECK is the
/// check's id and name with a slash between. A line that no difference answers to is an error
/// too, so that the list stays true. `#` begins a comment.
#[derive(Debug, Default)]
pub struct Expected {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    set: String,
    scenario: String,
    check: String,
    reason: String,
    seen: bool,
}

impl Expected {
    /// Reads the list.
    ///
    /// # Errors
    /// When a line gives no reason.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.splitn(4, char::is_whitespace).map(|word| word.trim().to_owned());
            let (Some(set), Some(scenario), Some(check), Some(reason)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                bail!("expected-differences.txt, line {}: a line is `SET SCENARIO CHECK reason`", number + 1);
            };
            lines.push(Line { set, scenario, check, reason, seen: false });
        }
        Ok(Self { lines })
    }

    /// The reason for a difference, if it is listed.
    pub fn take(&mut self, set: Set, difference: &Difference) -> Option<String> {
        let line = self.lines.iter_mut().find(|line| {
            line.set == set.word() && line.scenario == difference.scenario && line.check == difference.check
        })?;
        line.seen = true;
        Some(line.reason.clone())
    }

    /// Lines of a set that nothing answered to.
    pub fn left_over(&self, set: Set) -> Vec<String> {
        let left = self.lines.iter().filter(|line| line.set == set.word() && !line.seen);
        left.map(|line| format!("{set}: {} {} is listed as different, and is not", line.scenario, line.check)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SET: Set = Set::Requirements("2026-07-28");

    fn outcome(checks: &[(&str, &str, Status)]) -> Outcome {
        let mut scenarios: BTreeMap<String, Checks> = BTreeMap::new();
        for (scenario, check, status) in checks {
            let results = scenarios.entry((*scenario).to_owned()).or_default();
            results.entry((*check).to_owned()).or_default().push(*status);
        }
        Outcome { scenarios, unscored: vec!["extra".to_owned()], met: true }
    }

    #[test]
    fn a_check_that_changed_or_is_gone_is_a_difference() {
        let direct = outcome(&[
            ("ping", "a/A", Status::Success),
            ("ping", "b/B", Status::Success),
            ("extra", "c/C", Status::Failure),
        ]);
        assert_eq!(differences(&direct, &direct), []);
        let through = outcome(&[("ping", "a/A", Status::Failure), ("extra", "c/C", Status::Failure)]);
        let found: Vec<String> = differences(&direct, &through).iter().map(ToString::to_string).collect();
        let wanted = [
            "ping a/A: passed directly, failed through the gateway",
            "ping b/B: passed directly, nothing through the gateway",
        ];
        assert_eq!(found, wanted);
        assert_eq!(scored(&direct), "1/1");
        assert_eq!(all(&direct), "2/1");
        let counts: Vec<_> = counts(&[("direct", &direct), ("gateway", &through)]).collect();
        assert_eq!(counts[0], ("scenarios that pass, of those that count (direct, gateway)".into(), "1/1, 0/1".into()));
        assert!(table(&[("direct", &direct), ("gateway", &through)]).contains("not scored"));
    }

    #[test]
    fn a_listed_difference_needs_a_reason_and_must_be_seen() {
        let direct = outcome(&[("ping", "a/A", Status::Success)]);
        let through = outcome(&[("ping", "a/A", Status::Failure)]);
        let found = differences(&direct, &through);
        let mut expected = Expected::parse("# why\n\n2026-07-28 ping a/A it is meant so\n").unwrap();
        assert_eq!(expected.left_over(SET).len(), 1);
        assert_eq!(expected.left_over(Set::All).len(), 0);
        assert_eq!(expected.take(SET, &found[0]).as_deref(), Some("it is meant so"));
        assert_eq!(expected.left_over(SET).len(), 0);
        assert!(Expected::parse("2026-07-28 ping a/A").is_err());
    }
}
