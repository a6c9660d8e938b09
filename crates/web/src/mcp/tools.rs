//! The tools as they are listed: all of them read, none of them reaches beyond the catalogue.

use policy::Class;
use risk::Facet;
use serde_json::{Value, json};

/// Every tool.
pub(super) fn all() -> Value {
    let server = text("The server: its name, repository, package or endpoint");
    json!([
        tool(
            "search",
            "Search the catalogue",
            "Search the catalogue of MCP servers and tools by names, publishers and what they do.",
            &object(
                json!({
                    "query": text("Words; parts of names and small misspellings are found"),
                    "kind": { "enum": ["server", "tool"] },
                    "class": class(),
                    "severity": severity(),
                }),
                &["query"]
            ),
            &answer(json!({ "total": count(), "found": list(line()) }), &["total", "found"]),
        ),
        tool(
            "check_server",
            "Check a server",
            "Show what is known of an MCP server: its tools by risk, what they can do together, whether it is a copy of another server.",
            &object(json!({ "server": server }), &["server"]),
            &answer(
                json!({
                    "name": word(), "verdict": word(), "classes": counts(), "tools": list(line()),
                    "chains": list(json!({ "type": "object" })), "kin": { "type": ["object", "null"] },
                }),
                &["name", "verdict", "classes", "tools", "chains", "kin"],
            ),
        ),
        tool(
            "check_tool",
            "Check a tool",
            "Show what a tool of an MCP server does, how risky it is and on what evidence, and the policy that controls it.",
            &object(json!({ "server": server, "tool": text("The tool's name") }), &["server", "tool"]),
            &answer(
                json!({
                    "name": word(), "server": word(), "class": class(), "severity": severity(), "facets": list(facet()),
                    "confidence": { "type": "number", "minimum": 0, "maximum": 1 }, "digest": word(), "effect": word(),
                    "why": word(),
                }),
                &["name", "server", "class", "severity", "facets", "confidence", "digest"],
            ),
        ),
        tool(
            "check_stack",
            "Check servers together",
            "Show what agents could do with several MCP servers at once: their tools with the riskiest first, attacks that lead from \
             server to server, names that are taken for each other, and what the definitions cost in tokens. Give names, or a client's \
             configuration; take keys and passwords out of it first. Only which servers it names is used, and nothing of it is kept or repeated.",
            &stack_input(),
            &answer(
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
                    "alike"
                ],
            ),
        ),
        tool(
            "changes",
            "What changed",
            "List servers that are new, and tools whose definitions changed with their classes before and after, the latest first.",
            &object(
                json!({
                    "since": text("A day (2026-11-01), a time (2026-11-01T12:00:00Z) or a number of days (7d)"),
                    "server": server,
                }),
                &["since"]
            ),
            &answer(
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
        ),
    ])
}

fn tool(name: &str, title: &str, says: &str, input: &Value, output: &Value) -> Value {
    json!({
        "name": name, "title": title, "description": says, "inputSchema": input, "outputSchema": output,
        "annotations": { "title": title, "readOnlyHint": true, "idempotentHint": true, "openWorldHint": false },
    })
}

/// What a tool takes, and nothing else.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// What a tool answers; later versions may say more.
fn answer(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn stack_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "servers": {
                "type": "array", "maxItems": 100, "description": "Names, repositories, packages or endpoints",
                "items": { "type": "string", "minLength": 1, "maxLength": 400 },
            },
            "config": {
                "type": "string", "maxLength": 262_144,
                "description": "The file in which a client keeps its servers, as JSON, YAML or TOML",
            },
        },
        "additionalProperties": false,
    })
}

fn text(says: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 400, "description": says })
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
    json!({ "enum": ["low", "medium", "high", "critical"] })
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
