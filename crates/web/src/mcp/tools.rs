//! The tools: each is declared once, and what is listed of it is what is read. All of them read, none of them reaches
//! beyond the catalogue.

use policy::Class;
use risk::Facet;
use serde_json::{Value, json};

use crate::arguments::{Argument, schema};
use crate::chosen;
use crate::parameter::Takes;
use crate::question::WORDS;

/// What is done when a tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Searches.
    Search,
    /// Shows a server.
    CheckServer,
    /// Shows a tool.
    CheckTool,
    /// Looks at servers together.
    CheckStack,
    /// Says what changed.
    Changes,
}

/// A tool.
#[derive(Debug)]
pub(super) struct Tool {
    /// Its name.
    pub(super) name: &'static str,
    /// What is done.
    pub(super) does: Does,
    /// What it takes.
    pub(super) arguments: Vec<Argument>,
    title: &'static str,
    says: &'static str,
    answers: Value,
}

impl Tool {
    /// What clients read of it.
    pub(super) fn listed(&self) -> Value {
        json!({
            "name": self.name, "title": self.title, "description": self.says,
            "inputSchema": schema(&self.arguments), "outputSchema": self.answers,
            "annotations": { "title": self.title, "readOnlyHint": true, "idempotentHint": true, "openWorldHint": false },
        })
    }
}

/// Every tool.
pub(super) fn all() -> [Tool; 5] {
    let server = Argument::new("server", Takes::Text(400), "The server: its name, repository, package or endpoint");
    let narrowing = [
        Argument::known("kind", ""),
        Argument::known("class", ""),
        Argument::known("severity", ""),
        Argument::known(
            "copies",
            "Whether copies are counted with what they are copies of (folded), or stand apart; folded unless said",
        ),
    ];
    let query = Argument::new("query", Takes::Text(WORDS), "Words; parts of names and small misspellings are found");
    let since = Argument::new("since", Takes::Since, "").required();
    [
        Tool {
            name: "search",
            does: Does::Search,
            title: "Search the catalogue",
            says: "Search the catalogue of MCP servers and tools by names, publishers and what they do. At most 20 entries are given; \
                   what copies of a server have is counted with the original.",
            arguments: [query.required()].into_iter().chain(narrowing.into_iter().flatten()).collect(),
            answers: answer(json!({ "total": count(), "found": list(found()) }), &["total", "found"]),
        },
        Tool {
            name: "check_server",
            does: Does::CheckServer,
            title: "Check a server",
            says: "Show what is known of an MCP server: its tools by risk, what they can do together, whether it is a copy of another server.",
            arguments: vec![server.clone().required()],
            answers: answer(
                json!({
                    "name": word(), "verdict": word(), "classes": counts(), "tools": list(line()),
                    "chains": list(json!({ "type": "object" })), "kin": { "type": ["object", "null"] },
                }),
                &["name", "verdict", "classes", "tools", "chains", "kin"],
            ),
        },
        Tool {
            name: "check_tool",
            does: Does::CheckTool,
            title: "Check a tool",
            says: "Show what a tool of an MCP server does, how risky it is and on what evidence, and the policy that controls it.",
            arguments: vec![
                server.clone().required(),
                Argument::new("tool", Takes::Text(400), "The tool's name").required(),
            ],
            answers: answer(
                json!({
                    "name": word(), "server": word(), "class": class(), "severity": severity(), "facets": list(facet()),
                    "confidence": { "type": "number", "minimum": 0, "maximum": 1 }, "digest": word(), "effect": word(),
                    "why": word(),
                }),
                &["name", "server", "class", "severity", "facets", "confidence", "digest"],
            ),
        },
        Tool {
            name: "check_stack",
            does: Does::CheckStack,
            title: "Check servers together",
            says: "Show what agents could do with several MCP servers at once: their tools with the riskiest first, attacks that lead from \
                   server to server, names that are taken for each other, and what the definitions cost in tokens. Give names, or a client's \
                   configuration; take keys and passwords out of it first. Only which servers it names is used, and nothing of it is kept or repeated.",
            arguments: chosen::arguments().to_vec(),
            answers: answer(
                json!({
                    "verdict": word(), "servers": list(json!({ "type": "object", "required": ["name", "slug", "tools", "tokens"] })),
                    "unknown": count(), "not_found": list(word()), "total": count(), "tokens": count(), "classes": counts(),
                    "severities": counts(), "tools": list(line()),
                    "flows": list(json!({ "type": "object", "required": ["pattern", "severity", "says", "steps", "remedy"] })),
                    "alike": list(json!({ "type": "object", "required": ["rule", "level", "why", "server", "other_server"] })),
                }),
                &[
                    "verdict",
                    "servers",
                    "unknown",
                    "not_found",
                    "total",
                    "tokens",
                    "classes",
                    "severities",
                    "tools",
                    "flows",
                    "alike",
                ],
            ),
        },
        Tool {
            name: "changes",
            does: Does::Changes,
            title: "What changed",
            says: "List servers that are new, and tools whose definitions changed with their classes before and after, the latest first.",
            arguments: vec![since, server],
            answers: answer(
                json!({
                    "since": word(), "new_servers": count(), "more": { "type": "boolean" },
                    "servers": list(json!({ "type": "object", "required": ["name", "path"] })),
                    "definitions": list(json!({
                        "type": "object", "required": ["tool", "server", "path", "at", "before", "after"],
                        "properties": { "before": class(), "after": class() },
                    })),
                }),
                &["since", "new_servers", "more", "servers", "definitions"],
            ),
        },
    ]
}

/// What a tool answers; later versions may say more.
fn answer(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn word() -> Value {
    json!({ "type": "string" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn counts() -> Value {
    json!({ "type": "object", "additionalProperties": count() })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn class() -> Value {
    json!({ "enum": Class::ALL.map(Class::as_str) })
}

fn severity() -> Value {
    Takes::of("severity").map(|takes| takes.schema()).unwrap_or_default()
}

fn facet() -> Value {
    json!({ "enum": Facet::ALL.map(Facet::as_str) })
}

/// A server or a tool in a line.
fn line() -> Value {
    json!({
        "type": "object", "required": ["name", "path"],
        "properties": { "class": class(), "severity": severity(), "facets": list(facet()) },
    })
}

/// What was found, and how many copies of it stand behind it.
fn found() -> Value {
    json!({ "allOf": [line(), { "required": ["kind", "copies"], "properties": { "kind": { "enum": ["server", "tool"] }, "copies": count() } }] })
}
