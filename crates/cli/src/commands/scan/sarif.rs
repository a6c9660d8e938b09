//! Findings as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;
use std::path::Path;

use risk::Severity;
use risk::findings::Level;
use serde_json::{Value, json};

use super::report::{Report, involved};
use super::source::Source;
use super::tools::digest;

/// Where this form of document is defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The rules and results under construction.
#[derive(Default)]
struct Run {
    rules: Vec<Value>,
    numbers: BTreeMap<String, usize>,
    results: Vec<Value>,
}

/// One result.
struct One<'a> {
    rule: &'a str,
    level: Level,
    /// Out of ten, as code scanning sorts.
    weight: &'a str,
    /// What the rule is about.
    why: &'a str,
    message: String,
    /// What identifies the finding from run to run.
    identity: String,
    locations: Vec<Value>,
}

/// The document. `current` is the directory that paths are told relative to.
pub fn document(report: &Report, current: &Path) -> Value {
    let mut run = Run::default();
    for (server, judged, found) in report.findings() {
        let tool = &judged.tool.name;
        run.add(One {
            rule: found.rule,
            level: found.level,
            weight: weight(found.level),
            why: found.why,
            message: message(&format!("{}/{tool}, {}", server.name, found.place.path()), found.why, &found.text),
            // Not the place: its numbers move with every word before it, and a rule is found once a tool.
            identity: format!("{}\0{}\0{tool}", found.rule, server.source.digest),
            locations: vec![location(&server.source, &server.name, Some(tool), current)],
        });
    }
    let locations_of = |tools: &[(&str, &str)]| -> Vec<Value> {
        let place = |(name, tool): &(&str, &str)| {
            let server = report.servers.iter().find(|server| server.name == *name)?;
            Some(location(&server.source, name, Some(tool), current))
        };
        tools.iter().filter_map(place).collect()
    };
    for found in &report.stack {
        let tools = involved(found);
        run.add(One {
            rule: found.rule,
            level: found.level,
            weight: weight(found.level),
            why: found.why,
            message: message(&names(&tools), found.why, &found.text),
            identity: format!("{}\0{}", found.rule, names(&tools)),
            locations: locations_of(&tools),
        });
    }
    for chain in report.chains() {
        let roles: Vec<String> =
            chain.links.iter().map(|link| format!("{}: {}", link.role, names(&link.tools))).collect();
        let first: Vec<(&str, &str)> = chain.links.iter().filter_map(|link| link.tools.first().copied()).collect();
        let servers: Vec<&str> = report.servers.iter().map(|server| server.source.digest.as_str()).collect();
        run.add(One {
            rule: chain.rule,
            level: Level::Warning,
            weight: if chain.severity == Severity::Critical { "9.0" } else { "7.0" },
            why: chain.says,
            message: format!("{} {} {}", chain.says, roles.join("; "), chain.remedy),
            identity: format!("{}\0{}", chain.rule, servers.join("\0")),
            locations: locations_of(&first),
        });
    }
    let notifications: Vec<Value> = report
        .failed
        .iter()
        .map(|failed| json!({ "level": "error", "message": { "text": format!("{}: {}", failed.name, failed.why) } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "toolgate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": run.rules,
            } },
            "automationDetails": { "id": "toolgate-scan/" },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.failed.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": run.results,
        }],
    })
}

impl Run {
    fn add(&mut self, one: One<'_>) {
        let next = self.rules.len();
        let index = *self.numbers.entry(one.rule.to_owned()).or_insert(next);
        if index == next {
            self.rules.push(json!({
                "id": one.rule,
                "shortDescription": { "text": one.why },
                "help": { "text": one.why },
                "defaultConfiguration": { "level": one.level.as_str() },
                "properties": { "security-severity": one.weight, "tags": ["security", "mcp"] },
            }));
        }
        self.results.push(json!({
            "ruleId": one.rule,
            "ruleIndex": index,
            "level": one.level.as_str(),
            "message": { "text": one.message },
            "locations": one.locations,
            "partialFingerprints": { "toolgate/v1": digest(one.identity.as_bytes()) },
        }));
    }
}

fn weight(level: Level) -> &'static str {
    match level {
        Level::Error => "8.0",
        Level::Warning => "5.0",
        Level::Note => "2.0",
    }
}

fn message(place: &str, why: &str, text: &str) -> String {
    let text = if text.is_empty() { String::new() } else { format!(" Words: “{text}”.") };
    format!("{place}: {why}{text}")
}

fn names(tools: &[(&str, &str)]) -> String {
    tools.iter().map(|(server, tool)| format!("{server}/{tool}")).collect::<Vec<_>>().join(", ")
}

/// A tool: by its name, and by the line that names it where the source is a file.
fn location(source: &Source, server: &str, tool: Option<&str>, current: &Path) -> Value {
    let name = tool.filter(|tool| !tool.is_empty()).unwrap_or(server);
    let logical = json!([{
        "name": name, "fullyQualifiedName": format!("{server}/{name}"), "kind": "function",
    }]);
    let Some((path, text)) = &source.file else { return json!({ "logicalLocations": logical }) };
    // A list has a line for each tool; a configuration has one for its server.
    let wanted = if source.kind == "file" { name } else { server };
    let quoted = Value::from(wanted).to_string();
    let line = (1_usize..).zip(text.lines()).find(|(_, line)| line.contains(&quoted)).map_or(1, |(number, _)| number);
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(Path::new(path), current) },
            "region": { "startLine": line },
        },
        "logicalLocations": logical,
    })
}

/// A path as a URI reference: relative to the current directory where it lies below it.
fn uri(path: &Path, current: &Path) -> String {
    let (start, path) = match path.strip_prefix(current) {
        Ok(below) => ("", below),
        Err(_) => ("file://", path),
    };
    let mut uri = start.to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        let current = Path::new("/home/ann/work");
        assert_eq!(uri(Path::new("/home/ann/work/a b/.mcp.json"), current), "a%20b/.mcp.json");
        assert_eq!(uri(Path::new("/etc/ü.json"), current), "file:///etc/%C3%BC.json");
    }

    #[test]
    fn a_rule_stands_once() {
        let mut run = Run::default();
        for (rule, message) in [("a", "1"), ("b", "2"), ("a", "3")] {
            run.add(One {
                rule,
                level: Level::Note,
                weight: "2.0",
                why: "Because.",
                message: message.to_owned(),
                identity: message.to_owned(),
                locations: Vec::new(),
            });
        }
        assert_eq!(run.rules.len(), 2);
        let indices: Vec<_> = run.results.iter().map(|result| result["ruleIndex"].clone()).collect();
        assert_eq!(indices, [0, 1, 0]);
        assert_ne!(run.results[0]["partialFingerprints"], run.results[2]["partialFingerprints"]);
    }
}
