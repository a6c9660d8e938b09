//! Servers and tools as JSON.

use serde_json::{Map, Value, json};
use store::catalogue::{Judgement, Server, Tool};

/// A server.
pub fn server(server: &Server) -> Map<String, Value> {
    object(json!({
        "slug": server.slug,
        "name": server.name,
        "publisher": server.publisher,
        "repository": server.repository,
        "package": server.package,
        "registry": server.registry,
        "endpoint": server.endpoint,
        "transport": server.transport,
        "version": server.version,
        "auth": server.auth,
        "registry_status": server.listed.map(|(status, _)| status.as_str()),
        "registry_status_since": server.listed.and_then(|(_, since)| since).map(|since| since.to_string()),
        "licence": server.licence,
        "description": server.description,
        "language": server.language,
        "visibility": server.visibility.as_str(),
        "from_tools": server.from_tools,
        "tombstoned": server.tombstoned,
        "verified": server.verified,
        "hidden": server.hidden,
        "first_seen": server.first_seen.to_string(),
        "last_seen": server.last_seen.to_string(),
    }))
}

/// A tool, without what is long.
pub fn tool(tool: &Tool) -> Map<String, Value> {
    let mut members = object(json!({ "name": tool.name, "title": tool.title }));
    members.extend(judged(&tool.judged));
    // What a person says holds; the program's own judgement stands beside it.
    let own = tool.own.map(
        |(class, severity)| json!({ "category": super::scan::category(class), "severity_fine": severity.as_str() }),
    );
    members.insert("program_says".to_owned(), own.unwrap_or_default());
    members.extend(object(json!({
        "digest": format!("sha256:{}", hex(&tool.digest)),
        "first_seen": tool.first_seen.to_string(),
        "changed": tool.changed.to_string(),
    })));
    members
}

/// What a tool can do, in the words of `toolgate classify`.
fn judged(judged: &Judgement) -> Map<String, Value> {
    let hundredths = |number: f64| (number * 100.0).round() / 100.0;
    let evidence: Vec<Value> = judged
        .evidence
        .iter()
        .map(|one| {
            let weight = one.weight.map(|weight| hundredths(f64::from(weight)));
            json!({ "where": one.place, "text": one.text, "weight": weight })
        })
        .collect();
    object(json!({
        "category": super::scan::category(judged.class),
        "severity": judged.severity.as_str(),
        "severity_fine": judged.severity_fine.as_str(),
        "facets": judged.facets.iter().map(|facet| facet.as_str()).collect::<Vec<_>>(),
        "confidence": hundredths(judged.confidence),
        "evidence": evidence,
    }))
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    gateway::hex::encode(bytes)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
