//! `check_stack`: what several servers add up to.

use std::fmt::Write;

use catalogue::pages::stack::{Flow, Stack, StackPage};
use risk::recommend::Temper;
use serde_json::{Map, Value, json};

use crate::chosen::Chosen;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::shown;

/// The most names that are looked up.
const NAMES: usize = 100;

/// Tools that are named; how many there are is said.
const TOOLS: usize = 40;

/// The longest configuration that is read, in bytes.
const CONFIG: usize = 256 << 10;

/// Looks at servers together. Of a configuration nothing is repeated but the servers that the catalogue knows.
pub(super) async fn check(site: &Site, arguments: &Map<String, Value>) -> Result<(String, Value), Failure> {
    let unclear = |why: &str| Failure::Unclear(why.to_owned());
    let names: Vec<&str> = match arguments.get("servers") {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(unclear("`servers` is a list of texts")),
    };
    let config = arguments.get("config").and_then(Value::as_str);
    if names.is_empty() && config.is_none() {
        return Err(unclear("name the servers in `servers`, or give a client's configuration in `config`"));
    }
    if names.len() > NAMES || config.is_some_and(|config| config.len() > CONFIG) {
        return Err(unclear("at most 100 names and 256 KB of a configuration are read"));
    }
    let mut chosen = Chosen::default();
    let mut not_found = Vec::new();
    for name in names {
        if !chosen.add_named(site, name).await? {
            not_found.push(name.to_owned());
        }
    }
    if let Some(config) = config {
        chosen.add_pasted(site, config).await?;
    }
    if chosen.servers.is_empty() {
        return Err(unclear(
            "The catalogue knows none of these servers, so nothing is said of their risk: `search` finds what it knows.",
        ));
    }
    let page = Stack::of(&site.catalogue, chosen.servers).await?.page(Temper::Balanced, 1);
    let text = told(&page, chosen.unknown, &not_found);
    Ok((text, data(&page, chosen.unknown, &not_found)))
}

fn data(page: &StackPage, unknown: usize, not_found: &[String]) -> Value {
    let servers: Vec<Value> = page
        .servers
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "slug": row.slug, "path": row.path, "publisher": row.publisher, "tools": row.tools,
                "worst": row.worst.map(risk::Severity::as_str), "tokens": row.tokens,
            })
        })
        .collect();
    let tools: Vec<&_> = page.tools.iter().take(TOOLS).map(|row| &row.tool).collect();
    json!({
        "verdict": page.verdict, "servers": servers, "unknown": unknown, "not_found": not_found,
        "left_out": { "servers": page.servers_left_out, "tools": page.tools_left_out },
        "total": page.total, "tokens": page.tokens, "classes": page.classes, "severities": page.severities,
        "facets": page.facets, "tools": tools, "flows": page.flows, "alike": page.alike,
    })
}

fn told(page: &StackPage, unknown: usize, not_found: &[String]) -> String {
    let mut text = format!("{}\n", page.verdict);
    if unknown > 0 {
        let _ = write!(text, "\n{unknown} of the servers that were named are not in the catalogue");
        let _ = if not_found.is_empty() {
            writeln!(text, ".")
        } else {
            writeln!(text, ": {}.", not_found.iter().map(|name| shown(name, 100)).collect::<Vec<_>>().join(", "))
        };
    }
    text.push_str("\n## Servers\n\n");
    for row in &page.servers {
        let worst = row.worst.map_or("nothing known", risk::Severity::as_str);
        let name = shown(&row.name, 100);
        let _ =
            writeln!(text, "- {name} ({}): {} tools, worst {worst}, about {} tokens", row.slug, row.tools, row.tokens);
    }
    let _ = write!(text, "\nAll definitions: about {} tokens.\n\n## The riskiest tools\n\n", page.tokens);
    for row in page.tools.iter().take(TOOLS) {
        let tool = &row.tool;
        let name = named(&tool.server, &tool.name);
        let _ = writeln!(text, "- {name}: {}, {}", tool.severity.as_str(), tool.class.as_str());
    }
    if page.total > TOOLS {
        let _ = writeln!(text, "- and {} more", page.total - TOOLS);
    }
    if !page.flows.is_empty() {
        text.push_str("\n## From server to server\n\n");
        page.flows.iter().for_each(|flow| flow_told(flow, &mut text));
    }
    if !page.alike.is_empty() {
        text.push_str("\n## Names and texts that get in each other's way\n\n");
        for one in &page.alike {
            let of = |server: &str, tool: &Option<catalogue::pages::stack::Named>| match tool {
                Some(tool) => named(server, &tool.name),
                None => shown(server, 100),
            };
            let (here, there) = (of(&one.server, &one.tool), of(&one.other_server, &one.other_tool));
            let _ = writeln!(text, "- {here} and {there}: {}", one.why);
        }
    }
    text
}

/// A tool and its server, in visible characters.
fn named(server: &str, tool: &str) -> String {
    format!("{}/{}", shown(server, 100), shown(tool, 100))
}

fn flow_told(flow: &Flow, text: &mut String) {
    let steps: Vec<String> = flow
        .steps
        .iter()
        .map(|step| {
            let tools =
                step.servers.iter().flat_map(|who| who.tools.iter().map(move |tool| named(&who.server, &tool.name)));
            format!("{} ({})", step.does, tools.collect::<Vec<_>>().join(", "))
        })
        .collect();
    let _ = writeln!(
        text,
        "- {} ({}): {} {}. {}",
        flow.title,
        flow.severity.as_str(),
        flow.says,
        steps.join("; "),
        flow.remedy
    );
}
