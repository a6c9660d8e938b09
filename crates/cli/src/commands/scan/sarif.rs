//! Findings as SARIF 2.1.0, for code scanning.

use std::path::Path;

use risk::findings::Level;
use risk::sarif::{Entry, Log, logical, weight, weight_of_chain};
use serde_json::{Value, json};

use super::report::{Report, involved};
use super::source::Source;
use super::tools::digest;

/// The document. `current` is the directory that paths are told relative to.
pub fn document(report: &Report, current: &Path) -> Value {
    let mut log = Log::default();
    for (server, judged, found) in report.findings() {
        let tool = &judged.tool.name;
        log.add(Entry {
            rule: found.rule,
            level: found.level,
            weight: weight(found.level),
            why: found.why,
            message: message(&format!("{}/{tool}, {}", server.name, found.place.path()), found.why, &found.text),
            // Not the place: its numbers move with every word before it, and a rule is found once a tool.
            fingerprint: digest(format!("{}\0{}\0{tool}", found.rule, server.source.digest).as_bytes()),
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
        log.add(Entry {
            rule: found.rule,
            level: found.level,
            weight: weight(found.level),
            why: found.why,
            message: message(&names(&tools), found.why, &found.text),
            fingerprint: digest(format!("{}\0{}", found.rule, names(&tools)).as_bytes()),
            locations: locations_of(&tools),
        });
    }
    for chain in report.chains() {
        let roles: Vec<String> =
            chain.links.iter().map(|link| format!("{}: {}", link.role, names(&link.tools))).collect();
        let first: Vec<(&str, &str)> = chain.links.iter().filter_map(|link| link.tools.first().copied()).collect();
        let servers: Vec<&str> = report.servers.iter().map(|server| server.source.digest.as_str()).collect();
        log.add(Entry {
            rule: chain.rule,
            level: Level::Warning,
            weight: weight_of_chain(chain.severity),
            why: chain.says,
            message: format!("{} {} {}", chain.says, roles.join("; "), chain.remedy),
            fingerprint: digest(format!("{}\0{}", chain.rule, servers.join("\0")).as_bytes()),
            locations: locations_of(&first),
        });
    }
    let failures: Vec<String> = report.failed.iter().map(|failed| format!("{}: {}", failed.name, failed.why)).collect();
    log.document("toolgate-scan/", &failures)
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
    let logical = logical(server, name);
    let Some((path, text)) = &source.file else { return json!({ "logicalLocations": logical }) };
    // A list has a line for each tool; a configuration has one for its server.
    let wanted = Value::from(if source.kind == "file" { name } else { server }).to_string();
    json!({ "physicalLocation": line(Path::new(path), text, &[&wanted], current), "logicalLocations": logical })
}

/// The line of a file in which the first of these stands that is in it.
pub fn line(path: &Path, text: &str, wanted: &[&str], current: &Path) -> Value {
    let of = |wanted: &str| (1_usize..).zip(text.lines()).find(|(_, line)| line.contains(wanted));
    let line = wanted.iter().find_map(|wanted| of(wanted)).map_or(1, |(number, _)| number);
    json!({ "artifactLocation": { "uri": uri(path, current) }, "region": { "startLine": line } })
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
}
