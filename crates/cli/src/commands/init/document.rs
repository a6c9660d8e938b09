//! The report of the wizard as JSON.

use clap::ValueEnum as _;
use policy::Class;
use risk::Facet;
use serde_json::{Map, Value, json};

use super::servers::Server;
use super::verify::Checks;
use crate::client_files::outcome::{self, Outcome};
use crate::client_files::survey::Survey;
use crate::commands::scan::report::{Report, Scanned, category};

/// Everything, as one document. Texts of servers stand in it as they came.
pub fn document(
    survey: &Survey,
    servers: &[Server],
    report: &Report,
    outcomes: &[Outcome<'_>],
    checks: &Checks,
) -> Value {
    let (left, broken) = outcome::left_json(survey);
    let mut files: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    checks.add_to(&mut files);
    let chains: Vec<Value> = report
        .chains()
        .iter()
        .map(|chain| {
            let tool = |(server, tool): &(&str, &str)| json!({ "server": server, "tool": tool });
            let links = chain.links.iter().map(|link| {
                let tools: Vec<Value> = link.tools.iter().map(tool).collect();
                json!({ "role": link.role, "tools": tools })
            });
            let links: Vec<Value> = links.collect();
            json!({ "rule": chain.rule, "severity": chain.severity.as_str(), "title": chain.title, "links": links })
        })
        .collect();
    json!({
        "version": 1,
        "servers": servers.iter().map(|one| server(one, report)).collect::<Vec<_>>(),
        "chains": chains,
        "files": files,
        "not_covered": left,
        "broken": broken,
        "wrapped_already": survey.wrapped.len(),
        "undo": outcomes.iter().any(Outcome::is_written).then_some("toolgate undo"),
    })
}

fn server(server: &Server, report: &Report) -> Value {
    let scanned = server.scanned(report);
    let temper = server.policy.temper.and_then(|temper| Some(temper.to_possible_value()?.get_name().to_owned()));
    json!({
        "server": server.name,
        "id": server.id,
        "clients": server.clients,
        "enabled": server.enabled,
        "tools": scanned.map(classes),
        "irreversible": scanned.map(|scanned| with(scanned, Facet::Irreversible)),
        "spends_money": scanned.map(|scanned| with(scanned, Facet::SpendsMoney)),
        "error": scanned.is_none().then(|| server.why_not(report)),
        "plain_secrets": server.launch.plain_secrets(),
        "policy": { "file": server.policy.path, "temper": temper, "kept": server.policy.temper.is_none() },
    })
}

/// The names of tools by class.
fn classes(scanned: &Scanned) -> Map<String, Value> {
    let mut classes: Map<String, Value> = Map::new();
    for one in &scanned.tools {
        let class = classes.entry(category(one.can.class).to_lowercase()).or_insert_with(|| json!([]));
        if let Value::Array(names) = class {
            names.push(one.tool.name.as_str().into());
        }
    }
    classes
}

/// The classes, the riskiest first.
pub const CLASSES: [Class; 6] =
    [Class::Financial, Class::Destructive, Class::Execute, Class::Unclassified, Class::Write, Class::Read];

/// The names of the tools with a facet.
fn with(scanned: &Scanned, facet: Facet) -> Vec<&str> {
    let has = scanned.tools.iter().filter(|one| one.can.facets.contains(&facet));
    has.map(|one| one.tool.name.as_str()).collect()
}
