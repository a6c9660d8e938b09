//! The report as JSON, and JSON that may be shown in a terminal.

use std::fmt::Write;

use risk::Assessment;
use risk::findings::{Finding, Level};
use serde_json::{Map, Value, json};

use super::report::{Judged, Report, Scanned, category, involved};

/// The report. Texts of servers stand in it as they came.
pub fn document(report: &Report) -> Value {
    let servers: Vec<Value> = report.servers.iter().map(server).collect();
    let failed: Vec<Value> = report
        .failed
        .iter()
        .map(|failed| json!({ "name": failed.name, "source": source(&failed.source), "error": failed.why }))
        .collect();
    let stack: Vec<Value> = report
        .stack
        .iter()
        .map(|found| {
            let tools: Vec<Value> = involved(found).iter().map(|(server, tool)| tool_of(server, tool)).collect();
            json!({
                "rule": found.rule, "level": found.level.as_str(), "tools": tools, "text": found.text, "why": found.why,
            })
        })
        .collect();
    let chains: Vec<Value> = report
        .chains()
        .iter()
        .map(|chain| {
            let links: Vec<Value> = chain
                .links
                .iter()
                .map(|link| {
                    let tools: Vec<Value> = link.tools.iter().map(|(server, tool)| tool_of(server, tool)).collect();
                    json!({ "role": link.role, "tools": tools })
                })
                .collect();
            json!({
                "rule": chain.rule, "severity": chain.severity.as_str(), "across_servers": chain.across,
                "text": chain.says, "why": chain.why, "remedy": chain.remedy, "links": links,
            })
        })
        .collect();
    let wide: Vec<Value> = report
        .wide()
        .iter()
        .map(|found| {
            json!({
                "pattern": found.pattern, "title": found.title, "severity": found.severity.as_str(),
                "why": found.why, "remedy": found.remedy,
            })
        })
        .collect();
    json!({
        "version": 1,
        "toolgate": env!("CARGO_PKG_VERSION"),
        "summary": {
            "tools": report.judged().count(),
            "errors": report.count(Level::Error),
            "warnings": report.count(Level::Warning),
            "notes": report.count(Level::Note),
        },
        "servers": servers,
        "failed": failed,
        "across": stack,
        "chains": chains,
        "attacks": wide,
    })
}

fn tool_of(server: &str, tool: &str) -> Value {
    json!({ "server": server, "tool": tool })
}

fn source(source: &super::source::Source) -> Value {
    json!({ "kind": source.kind, "text": source.text, "identity": source.identity })
}

fn server(server: &Scanned) -> Value {
    json!({
        "name": server.name,
        "source": source(&server.source),
        "protocol": server.revision.map(|revision| revision.as_str()),
        "server": server.server,
        "unreadable": server.unreadable,
        "tools": server.tools.iter().map(tool).collect::<Vec<_>>(),
        "changes": server.changes,
    })
}

fn tool(judged: &Judged) -> Value {
    let mut members = Map::new();
    members.insert("name".to_owned(), judged.tool.name.clone().into());
    members.extend(assessed(&judged.can));
    members.insert("findings".to_owned(), judged.findings.iter().map(finding).collect());
    let attacks = judged.attacks.iter().map(|found| json!({ "pattern": found.pattern.id, "why": found.why }));
    members.insert("attacks".to_owned(), attacks.collect());
    members.insert("digest".to_owned(), format!("sha256:{}", judged.tool.digest).into());
    // As the server sent it: `toolgate catalogue import --scan` judges it anew.
    members.insert("definition".to_owned(), serde_json::from_str(&judged.tool.canonical).unwrap_or_default());
    Value::Object(members)
}

/// What was found out, in the words of `toolgate classify`.
fn assessed(can: &Assessment) -> Map<String, Value> {
    let hundredths = |number: f32| (f64::from(number) * 100.0).round() / 100.0;
    let evidence: Vec<Value> = can
        .evidence
        .iter()
        .map(|one| json!({ "where": one.place.path(), "text": one.text, "weight": one.weight.map(hundredths) }))
        .collect();
    let facets: Vec<&str> = can.facets.iter().map(|facet| facet.as_str()).collect();
    let fields = json!({
        "category": category(can.class),
        "severity": can.severity.as_str(),
        "severity_fine": can.severity_fine.as_str(),
        "facets": facets,
        "confidence": hundredths(can.confidence),
        "evidence": evidence,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn finding(found: &Finding) -> Value {
    json!({
        "rule": found.rule, "level": found.level.as_str(), "where": found.place.path(), "text": found.text, "why": found.why,
    })
}

/// JSON for people and programs, in which every character that a reader cannot see is written as an
/// escape: the same document, and nothing that a terminal obeys.
pub fn printed(document: &Value) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(document)?;
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        // Outside strings JSON has none of them but the line breaks of the layout.
        if character == '\n' || audit::visible::is_plain(character) {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_the_same_document_in_visible_characters() {
        let document = json!({ "a\u{202e}": ["\u{1b}[31m", "\u{9b}", "\u{e0041}", "漢字 é \" \\ \n", { "b": 1.5 }] });
        let text = printed(&document).unwrap();
        assert!(text.chars().all(|c| c == '\n' || audit::visible::is_plain(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
