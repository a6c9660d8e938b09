//! Records as lines for people.

use std::collections::HashMap;
use std::fmt::{self, Write};

use crate::event::{Effect, Ending, Kind, Target};
use crate::visible::word;
use crate::{Id, Record};

/// Most decisions whose names are kept for the lines of their outcomes.
const MOST_NAMES: usize = 4096;

/// One line: when, what was decided or happened, about what, and the rest as `name=value`. All of
/// it can be shown on a terminal: see [`crate::visible`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `2026-01-05T12:00:00.123Z`.
    pub time: String,
    /// `allow`, `deny`, `ok`, `timeout`, `started` … one word.
    pub verdict: String,
    /// The tool, resource, prompt, method or server.
    pub subject: String,
    /// Members worth a look, parted by spaces.
    pub details: String,
    /// Whether it asks for attention: not allowed, not answered well, refused, broken.
    pub is_bad: bool,
}

/// Makes rows of records; give it the records in their order, so that the line of an outcome can
/// name what its decision was about.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    names: HashMap<Id, String>,
}

impl Rows {
    /// The line for a record.
    pub fn row(&mut self, record: &Record) -> Row {
        let mut time = Vec::with_capacity(27);
        crate::encode::time(&mut time, record.time);
        let mut time = String::from_utf8(time).unwrap_or_default();
        // Milliseconds are enough for people.
        time.truncate(23);
        time.push('Z');
        let mut details = Details(String::new());
        let (verdict, subject) = match record.kind {
            Kind::Decision => self.decision(record, &mut details),
            Kind::Outcome => self.outcome(record, &mut details),
            _ => notice(record, &mut details),
        };
        Row { time, verdict, subject, details: details.0, is_bad: is_bad(record) }
    }

    fn decision(&mut self, record: &Record, details: &mut Details) -> (String, String) {
        let subject = match record.target() {
            Target::None => record.method.as_deref().map(word).unwrap_or_default(),
            Target::Tool(name) => word(name),
            Target::Resource(uri) => word(uri),
            Target::Prompt(name) => word(name),
        };
        if record.effect == Some(Effect::Allow) && self.names.len() < MOST_NAMES {
            self.names.insert(record.id, subject.clone());
        }
        let verdict = record.effect.unwrap_or_default().as_str().to_owned();
        details.text("server", record.server.as_deref());
        details.text("grant", record.grant.as_deref());
        details.text("organisation", record.organisation.as_deref());
        if !matches!(record.target(), Target::Tool(_) | Target::None) {
            details.text("method", record.method.as_deref());
        }
        details.text("rule", record.rule.as_deref());
        details.text("reason", record.reason.as_deref());
        for count in &record.counts {
            let mut amount = Vec::new();
            crate::encode::amount(&mut amount, count.amount);
            let amount = String::from_utf8_lossy(&amount);
            let name = if count.counter.is_empty() { &count.id } else { &count.counter };
            details.text("count", Some(&format!("{name}+{amount}")));
        }
        for would in &record.would {
            details.text("would", Some(&format!("{} {}", would.effect.as_str(), would.rule)));
        }
        if let Some(keys) = record.argument_keys.as_ref().filter(|keys| !keys.is_empty()) {
            details.text("keys", Some(&keys.join(",")));
        }
        details.text("id", Some(&record.id.to_string()));
        (verdict, subject)
    }

    fn outcome(&mut self, record: &Record, details: &mut Details) -> (String, String) {
        let decision = record.decision.unwrap_or_default();
        if let Some(micros) = record.duration_us {
            details.text("ms", Some(&format!("{}.{:03}", micros / 1000, micros % 1000)));
        }
        details.text("bytes", record.bytes.map(|bytes| bytes.to_string()).as_deref());
        for count in &record.refunded {
            details.text("refunded", Some(if count.counter.is_empty() { &count.id } else { &count.counter }));
        }
        details.text("reason", record.reason.as_deref());
        if let Some(edits) = &record.edits {
            let [redacted, stripped, over, late, dropped] = match edits.observed {
                true => ["would-redact", "would-strip", "would-cut", "would-be-late", "would-drop"],
                false => ["redacted", "stripped", "over", "late", "dropped"],
            };
            for (name, times) in &edits.redacted {
                details.text(redacted, Some(&format!("{name}:{times}")));
            }
            let count = |count: u64| (count > 0).then(|| count.to_string());
            details.text(stripped, count(edits.stripped).as_deref());
            details.text(over, edits.over.map(|over| over.to_string()).as_deref());
            details.text(late, edits.late.as_deref());
            details.text(dropped, count(edits.dropped).as_deref());
        }
        details.text("of", Some(&decision.to_string()));
        let verdict = record.outcome.unwrap_or_default().as_str().to_owned();
        (verdict, self.names.remove(&decision).unwrap_or_default())
    }
}

fn notice(record: &Record, details: &mut Details) -> (String, String) {
    let subject = record.server.as_deref().map(word).unwrap_or_default();
    let verdict = match record.kind {
        Kind::Upstream => record.change.unwrap_or_default().as_str(),
        Kind::Definition if record.accepted == Some(true) => "accepted",
        Kind::Definition => "held",
        Kind::Policy if record.accepted == Some(false) => "kept",
        kind => kind.as_str(),
    };
    details.text("version", record.version.as_deref());
    details.text("command", record.command.as_deref());
    details.text("pid", record.pid.map(|pid| pid.to_string()).as_deref());
    details.text("chain", record.chain.map(|chain| chain.to_string()).as_deref());
    details.text("segment", record.segment.map(|segment| segment.to_string()).as_deref());
    details.text("file", record.file.as_deref());
    details.text("policy", record.policy.as_deref());
    details.text("tool", record.tool.as_deref());
    details.text("class", record.class.as_deref());
    details.text("digest", record.digest.as_deref());
    details.text("key", record.key.map(|key| key.fingerprint().to_string()).as_deref());
    details.text("status", record.status.as_deref());
    details.text("times", record.times.map(|times| times.to_string()).as_deref());
    details.text("client", record.client.map(|client| client.to_string()).as_deref());
    details.text("reason", record.reason.as_deref());
    (verdict.to_owned(), subject)
}

fn is_bad(record: &Record) -> bool {
    match record.kind {
        Kind::Decision => record.effect != Some(Effect::Allow),
        Kind::Outcome => record.outcome != Some(Ending::Ok),
        Kind::Refused => true,
        Kind::Policy | Kind::Definition => record.accepted != Some(true),
        Kind::Upstream => record.change == Some(crate::Change::Failed),
        _ => false,
    }
}

struct Details(String);

impl Details {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            let gap = if self.0.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            _ = write!(self.0, "{gap}{name}={}", word(value));
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}  {:<10}  {:<24}  {}", self.time, self.verdict, self.subject, self.details);
        f.write_str(line.trim_end())
    }
}
