//! `check_stack`: what several servers add up to.

use std::fmt::Write;

use catalogue::pages::stack::{Flow, Stack, StackPage};
use risk::recommend::Temper;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::chosen::Chosen;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::{many, shown};

/// Tools that are named; how many there are is said.
const TOOLS: usize = 40;

/// Looks at servers together. Of a configuration nothing is repeated but the servers that the catalogue knows.
pub(super) async fn check(site: &Site, asked: Arguments<'_>) -> Result<(String, Value), Failure> {
    let unclear = |why: &str| Failure::Unclear(why.to_owned());
    if asked.texts("servers").is_empty() && asked.text("config").is_none() {
        return Err(unclear("Name the servers in `servers`, or give a client's configuration in `config`."));
    }
    let mut chosen = Chosen::default();
    let not_found = chosen.add_sent(site, asked).await?;
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
        let who = many(unknown, "server that was named is", "servers that were named are");
        let _ = write!(text, "\n{who} not in the catalogue");
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
        let (tools, tokens) = (many(row.tools, "tool", "tools"), many(row.tokens, "token", "tokens"));
        let _ = writeln!(text, "- {name} ({}): {tools}, worst {worst}, about {tokens}", row.slug);
    }
    let _ =
        write!(text, "\nAll definitions: about {}.\n\n## The riskiest tools\n\n", many(page.tokens, "token", "tokens"));
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
