//! What a check says: a table, JSON, or SARIF.

use std::collections::BTreeMap;
use std::path::Path;

use risk::Severity;
use risk::findings::Level;
use risk::sarif::{Entry, Log, logical, rule_of, weight, weight_of};
use serde_json::{Map, Value, json};

use super::super::{class, footnote, gist, json as as_json, table};
use super::{Finding, Named, Place};
use crate::args::CheckOptions;
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::commands::scan::sarif::line;
use crate::commands::scan::tools::digest;
use crate::failure::{Failure, Trying};
use crate::output::{say, text};

/// The rule about servers that could be taken for others.
const IMPOSTOR: &str = "This server could be taken for another publisher's well-known one.";

/// What was found out.
pub(super) struct Report {
    /// The severity from which the answer is no.
    pub(super) from: Severity,
    /// What is as severe as that.
    pub(super) findings: Vec<Finding>,
    /// Servers that could be taken for others, and why.
    pub(super) impostors: BTreeMap<String, String>,
    /// How many tools were looked at.
    pub(super) checked: usize,
    /// What could not be checked.
    pub(super) failures: Vec<String>,
}

impl Report {
    /// Prints it in the form that was asked for.
    pub(super) fn print(&self, options: &CheckOptions, files: &[Named]) -> Result<(), Failure> {
        if options.json {
            return text(&(printed(&self.json()).trying("the answer")? + "\n"));
        }
        if options.sarif {
            let current = std::env::current_dir().unwrap_or_default();
            let current = current.canonicalize().unwrap_or(current);
            return text(&(printed(&self.sarif(files, &current)).trying("the answer")? + "\n"));
        }
        self.table()
    }

    fn json(&self) -> Value {
        let found: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                let mut members = Map::new();
                members.insert("server".to_owned(), finding.server.slug.clone().into());
                members.extend(as_json::tool(&finding.tool));
                members.into()
            })
            .collect();
        let impostors: Vec<Value> =
            self.impostors.iter().map(|(server, why)| json!({ "server": server, "why": why })).collect();
        json!({
            "version": 1, "fail_on": self.from.as_str(), "checked": self.checked,
            "passed": found.is_empty() && self.failures.is_empty(),
            "found": found, "impostors": impostors, "failures": self.failures,
        })
    }

    fn sarif(&self, files: &[Named], current: &Path) -> Value {
        let mut log = Log::default();
        for Finding { server, tool, place } in &self.findings {
            let severity = tool.judged.severity_fine;
            let ((rule, why), (level, weight)) = (rule_of(severity), weight_of(severity));
            let (slug, name, class) = (&server.slug, &tool.name, tool.judged.class);
            log.add(Entry {
                rule,
                level,
                weight,
                why,
                message: format!("{slug}/{name} is {class}, {}: {why}", severity.as_str()),
                fingerprint: digest(format!("{rule}\0{slug}\0{name}").as_bytes()),
                locations: vec![located(slug, name, place.as_ref(), files, current)],
            });
        }
        for (slug, why) in &self.impostors {
            log.add(Entry {
                rule: "impostor",
                level: Level::Warning,
                weight: weight(Level::Warning),
                why: IMPOSTOR,
                message: format!("{slug}: {why}"),
                fingerprint: digest(format!("impostor\0{slug}").as_bytes()),
                locations: vec![located(slug, "", None, files, current)],
            });
        }
        log.document("toolgate-catalogue-check/", &self.failures)
    }

    fn table(&self) -> Result<(), Failure> {
        for (server, why) in &self.impostors {
            say!("{}: careful: {}", audit::visible::word(server), audit::visible::shown(why))?;
        }
        let (from, tools) = (self.from.as_str(), counted(self.checked, "tool"));
        if self.findings.is_empty() {
            return if self.checked > 0 { say!("{tools} checked: none is {from} or above.") } else { Ok(()) };
        }
        let rows: Vec<[String; 4]> = self.findings.iter().map(Finding::cells).collect();
        text(&table(["SEVERITY", "CLASS", "TOOL", "DESCRIPTION"], &rows))?;
        text(footnote(self.findings.iter().map(|finding| &finding.tool)))?;
        let are = if self.findings.len() == 1 { "is" } else { "are" };
        say!("\n{} of {tools} {are} {from} or above.", self.findings.len())
    }
}

impl Finding {
    fn cells(&self) -> [String; 4] {
        [
            self.tool.judged.severity_fine.as_str().to_owned(),
            class(&self.tool),
            format!("{}/{}", audit::visible::word(&self.server.slug), audit::visible::word(&self.tool.name)),
            gist(&self.tool.description, 120),
        ]
    }
}

/// A tool by its name, and by the line that names its server where that stands in a file.
fn located(server: &str, tool: &str, place: Option<&Place>, files: &[Named], current: &Path) -> Value {
    let logical = logical(server, tool);
    let Some((Place { key, .. }, file)) = place.and_then(|place| Some((place, files.get(place.file)?))) else {
        return json!({ "logicalLocations": logical });
    };
    // A key is quoted in JSON, and stands behind a dot or alone in a table's head in TOML.
    let wanted = [Value::from(key.as_str()).to_string(), format!(".{key}]"), key.clone()];
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    json!({ "physicalLocation": line(&file.path, &file.text, &wanted, current), "logicalLocations": logical })
}
