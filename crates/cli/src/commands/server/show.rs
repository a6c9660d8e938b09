//! Held definitions, for people and for programs.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use gateway::pins::PinFiles;
use risk::findings::{Finding, findings};
use risk::pins::differences;
use serde_json::{Value, json};

use super::Waiting;
use super::calls::{Calls, meanwhile};
use crate::args::PinPlace;
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::commands::scan::layout::wrap;
use crate::failure::{Failure, Trying};
use crate::output::{self, say};

/// The columns that texts are wrapped to.
const COLUMNS: usize = 100;

/// Shows all that waits by lock files.
pub fn all(waiting: &[Waiting], files: &PinFiles, place: &PinPlace) -> Result<(), Failure> {
    let calls = meanwhile(waiting, &place.data);
    if waiting.is_empty() && !place.json && !files.exist() {
        let places = files.places();
        return say!("nothing is held, and nothing was accepted yet; what is accepted will stand in {places}");
    }
    each(waiting, &calls, &files.places(), place.json)
}

/// Shows all that waits, by whom it was called meanwhile, and where accepted definitions stand.
pub fn each(waiting: &[Waiting], calls: &[BTreeMap<String, Calls>], places: &str, json: bool) -> Result<(), Failure> {
    if json {
        let all: Vec<Value> = waiting.iter().zip(calls).map(|(one, calls)| as_json(one, calls)).collect();
        say!("{}", printed(&Value::Array(all)).trying("JSON")?)?;
        return Ok(());
    }
    if waiting.is_empty() {
        say!("nothing is held; accepted definitions stand in {places}")?;
        return Ok(());
    }
    let look = Look { colour: std::io::stdout().is_terminal() };
    let mut out = String::new();
    for (one, calls) in waiting.iter().zip(calls) {
        look.one(one, calls, &mut out);
    }
    output::text(&out)?;
    say!("{} shown; accepted ones stand in {places}", counted(waiting.len(), "definition"))?;
    Ok(())
}

/// As much of a digest as tells two definitions of one tool apart.
fn short(digest: &str) -> &str {
    digest.strip_prefix("sha256:").and_then(|digits| digits.get(..12)).unwrap_or(digest)
}

fn flagged(one: &Waiting) -> Vec<Finding> {
    let definition: Value = serde_json::from_str(&one.now.definition).unwrap_or_default();
    findings(&risk::Definition::of(&definition))
}

fn as_json(one: &Waiting, calls: &BTreeMap<String, Calls>) -> Value {
    let differences: Vec<Value> = one
        .before
        .iter()
        .flat_map(|before| differences(&before.definition, &one.now.definition))
        .map(|found| json!({ "place": found.place, "before": found.before, "after": found.after }))
        .collect();
    let findings: Vec<Value> = flagged(one)
        .into_iter()
        .map(|found| json!({ "rule": found.rule, "level": found.level.as_str(), "place": found.place.path(), "text": found.text }))
        .collect();
    let calls: Vec<Value> = calls
        .iter()
        .map(|(grant, calls)| json!({ "grant": grant, "times": calls.times, "last": calls.last.to_string() }))
        .collect();
    json!({
        "server": one.server,
        "tool": one.tool,
        "kind": if one.before.is_some() { "changed" } else { "new" },
        "why": one.now.by,
        "since": one.now.accepted,
        "digest": one.now.digest,
        "class": one.now.class.as_str(),
        "class_before": one.before.as_ref().map(|before| before.class_in_force().as_str()),
        "differences": differences,
        "definition": serde_json::from_str::<Value>(&one.now.definition).unwrap_or_default(),
        "findings": findings,
        "calls": calls,
    })
}

struct Look {
    colour: bool,
}

impl Look {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn one(&self, one: &Waiting, calls: &BTreeMap<String, Calls>, out: &mut String) {
        let class = match &one.before {
            Some(before) if before.class_in_force() != one.now.class => {
                format!("{} → {}", before.class_in_force(), one.now.class)
            }
            _ => one.now.class.to_string(),
        };
        let name =
            format!("{}  {}", audit::visible::word(&one.server), self.paint("1", &audit::visible::word(&one.tool)));
        out.push_str(&format!(
            "{name}@{}  {class}  since {}: {}\n",
            short(&one.now.digest),
            one.now.accepted,
            one.now.by
        ));
        // Of a tool that nobody has accepted every field is news, and is shown whole.
        let before = one.before.as_ref().map_or("{}", |before| &before.definition);
        for found in differences(before, &one.now.definition) {
            out.push_str(&format!("  {}\n", audit::visible::shown(&found.place)));
            for (sign, code, text) in [("-", "31", &found.before), ("+", "32", &found.after)] {
                if let Some(text) = text {
                    self.lines(sign, code, text, out);
                }
            }
        }
        for found in flagged(one) {
            let text = format!("{} {}: “{}”", found.level.as_str(), found.rule, found.text);
            out.push_str(&format!("  {}\n", self.paint("31", &text)));
        }
        for (grant, calls) in calls {
            let grant = audit::visible::word(grant);
            let times = counted(calls.times, "time");
            out.push_str(&format!("  called meanwhile by {grant}: {times}, last at {:.0}\n", calls.last));
        }
        out.push('\n');
    }

    fn lines(&self, sign: &str, code: &str, text: &str, out: &mut String) {
        for part in text.lines().flat_map(|line| wrap(&audit::visible::shown(line), COLUMNS)) {
            out.push_str(&format!("    {}\n", self.paint(code, &format!("{sign} {part}"))));
        }
    }
}
