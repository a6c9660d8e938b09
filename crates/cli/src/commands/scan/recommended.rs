//! The policy that follows from what the tools can do.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use audit::visible::word;
use policy::{Load, load};
use risk::findings::Level;
use risk::recommend::{Bounds, Recommendation, Temper, recommend};

use super::report::{Judged, Report};
use crate::args::TemperWord;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The policy as a file holds it. Why its clauses are there is said on stderr to a person who looks.
pub fn policy(bounds: &Bounds, report: &Report, temper: TemperWord) -> Result<String, Failure> {
    let made = made(bounds, report.judged().map(|(_, one)| one), temper);
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
    // As many hosts or folders can be named as a policy has room for.
    text(&made)?
        .ok_or_else(|| Failure::Usage("these options make a policy larger than one may be: name less".to_owned()))
}

/// What follows for these tools.
pub fn made<'a>(bounds: &Bounds, tools: impl Iterator<Item = &'a Judged>, temper: TemperWord) -> Recommendation {
    let temper = match temper {
        TemperWord::Observe => Temper::Observe,
        TemperWord::Balanced => Temper::Balanced,
        TemperWord::LockedDown => Temper::LockedDown,
    };
    let tools: Vec<_> =
        one_of_each_name(tools).into_iter().map(|one| (one.tool.definition(), one.can.clone())).collect();
    recommend(&tools, temper, bounds)
}

/// The text of a file with it; none, where it is larger than a policy may be.
///
/// # Errors
/// None that a test would let pass.
pub fn text(made: &Recommendation) -> Result<Option<String>, Failure> {
    let text = super::json::printed(&made.document).trying("the policy")? + "\n";
    Ok(load(&text, Load::default()).policy.is_some().then_some(text))
}

/// The tools, the riskiest first. A policy knows tools by name alone: of several that have one name,
/// the riskiest speaks for all.
fn one_of_each_name<'a>(tools: impl Iterator<Item = &'a Judged>) -> Vec<&'a Judged> {
    let mut all: Vec<&Judged> = tools.collect();
    all.sort_by_key(|one| std::cmp::Reverse((one.can.severity_fine, one.can.facets.len())));
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.tool.name.as_str()));
    all
}
