//! The policy that follows from what the tools can do.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use audit::visible::word;
use risk::findings::Level;
use risk::recommend::{Bounds, Temper, recommend};

use super::report::{Judged, Report};
use crate::args::{ScanOptions, TemperWord};
use crate::output::tell;

/// The policy as a file holds it. Why its clauses are there is said on stderr to a person who looks.
pub fn policy(options: &ScanOptions, report: &Report, temper: TemperWord) -> Result<String, serde_json::Error> {
    let temper = match temper {
        TemperWord::Observe => Temper::Observe,
        TemperWord::Balanced => Temper::Balanced,
        TemperWord::LockedDown => Temper::LockedDown,
    };
    let bounds = Bounds {
        domains: options.domain.clone(),
        roots: options.root.clone(),
        hosts: options.host.clone(),
        cap: options.cap,
    };
    let tools: Vec<_> =
        one_of_each_name(report).into_iter().map(|one| (one.tool.definition(), one.can.clone())).collect();
    let made = recommend(&tools, temper, &bounds);
    for name in &made.unnamed {
        tell!("toolgate: no policy can name the tool {}, so it stays denied", word(name));
    }
    if report.count(Level::Error) > 0 {
        let number = crate::commands::counted(report.count(Level::Error), "finding");
        tell!(
            "toolgate: {number} at error level: read them before you allow anything (the same command without --policy)"
        );
    }
    if std::io::stderr().is_terminal() {
        for reason in &made.reasons {
            tell!("{}: {}", audit::visible::shown(&reason.pointer), audit::visible::shown(&reason.why));
        }
    }
    super::json::printed(&made.document).map(|text| text + "\n")
}

/// The tools, the riskiest first. A policy knows tools by name alone: of several that have one name,
/// the riskiest speaks for all.
fn one_of_each_name(report: &Report) -> Vec<&Judged> {
    let mut all: Vec<&Judged> = report.judged().map(|(_, one)| one).collect();
    all.sort_by_key(|one| std::cmp::Reverse((one.can.severity_fine, one.can.facets.len())));
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.tool.name.as_str()));
    all
}
