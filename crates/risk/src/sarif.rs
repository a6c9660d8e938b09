//! Results as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::findings::Level;
use crate::severity::Severity;

/// Where this form of document is defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A document under construction: each rule stands once, results in the order in which they are added.
#[derive(Debug, Default)]
pub struct Log {
    rules: Vec<Value>,
    numbers: BTreeMap<String, usize>,
    results: Vec<Value>,
}

/// One result.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The id of its rule.
    pub rule: &'a str,
    /// How much it weighs.
    pub level: Level,
    /// The same out of ten, as code scanning sorts.
    pub weight: &'a str,
    /// What the rule is about.
    pub why: &'a str,
    /// What was found.
    pub message: String,
    /// What identifies the finding from run to run.
    pub fingerprint: String,
    /// Where it was found.
    pub locations: Vec<Value>,
}

impl Log {
    /// Adds a result, and its rule where it is the first of it.
    pub fn add(&mut self, one: Entry<'_>) {
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
            "partialFingerprints": { "toolgate/v1": one.fingerprint },
        }));
    }

    /// The document. `kind` tells its runs from those of others; `failures` is what could not be looked at.
    #[must_use]
    pub fn document(self, kind: &str, failures: &[String]) -> Value {
        let notifications: Vec<Value> =
            failures.iter().map(|text| json!({ "level": "error", "message": { "text": text } })).collect();
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "toolgate",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": self.rules,
                } },
                "automationDetails": { "id": kind },
                "columnKind": "unicodeCodePoints",
                "invocations": [{
                    "executionSuccessful": failures.is_empty(),
                    "toolExecutionNotifications": notifications,
                }],
                "results": self.results,
            }],
        })
    }
}

/// A level out of ten.
#[must_use]
pub fn weight(level: Level) -> &'static str {
    match level {
        Level::Error => "8.0",
        Level::Warning => "5.0",
        Level::Note => "2.0",
    }
}

/// The rule that a tool of this severity breaks where nothing so severe is wanted: its id, and what it is about.
#[must_use]
pub fn rule_of(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("critical-tool", "One call of this tool deletes something for good, or moves money."),
        Severity::High => {
            ("high-tool", "What one call of this tool does lies in its arguments, and can be far more than it seems.")
        }
        Severity::Medium => ("medium-tool", "This tool changes data."),
        Severity::Low => ("low-tool", "This tool reads."),
    }
}

/// The level and the weight of such a tool.
#[must_use]
pub fn weight_of(severity: Severity) -> (Level, &'static str) {
    match severity {
        Severity::Critical => (Level::Error, "9.0"),
        Severity::High => (Level::Warning, "7.0"),
        Severity::Medium => (Level::Note, "5.0"),
        Severity::Low => (Level::Note, "2.0"),
    }
}

/// The severity of a chain of tools out of ten.
#[must_use]
pub fn weight_of_chain(severity: Severity) -> &'static str {
    if severity == Severity::Critical { "9.0" } else { "7.0" }
}

/// A tool by its name; a server where the name is empty.
#[must_use]
pub fn logical(server: &str, tool: &str) -> Value {
    let name = if tool.is_empty() { server } else { tool };
    json!([{ "name": name, "fullyQualifiedName": format!("{server}/{name}"), "kind": "function" }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_stands_once() {
        let mut log = Log::default();
        for (rule, message) in [("a", "1"), ("b", "2"), ("a", "3")] {
            log.add(Entry {
                rule,
                level: Level::Note,
                weight: weight(Level::Note),
                why: "Because.",
                message: message.to_owned(),
                fingerprint: message.to_owned(),
                locations: Vec::new(),
            });
        }
        let document = log.document("test/", &[]);
        let run = &document["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(2));
        let indices: Vec<_> =
            run["results"].as_array().into_iter().flatten().map(|one| one["ruleIndex"].clone()).collect();
        assert_eq!(indices, [0, 1, 0]);
        assert_ne!(run["results"][0]["partialFingerprints"], run["results"][2]["partialFingerprints"]);
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    }
}
