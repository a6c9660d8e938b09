//! Servers that could be taken for another: said by import, `show` and `check`, and taken back by a person.

use anyhow::ensure;
use serde_json::{Value, json};

use super::Place;

fn server(name: &str, package: &str, repository: &str, source: &str) -> String {
    json!({ "name": name, "package": package, "registry": "npm", "repository": repository, "sources": [source] })
        .to_string()
}

fn tool(server: &str) -> String {
    json!({ "server": server, "name": "list_tables", "description": "List all tables" }).to_string()
}

#[test]
fn a_package_named_almost_like_a_known_one_is_flagged_until_a_person_clears_it() -> anyhow::Result<()> {
    let place = Place::new()?;
    let known = "official registry";
    let of = |owner: &str| format!("https://github.com/{owner}/clickhouse-mcp");
    let servers = place.file(
        "s.jsonl",
        &[
            server("io.github.clickhouse/mcp", "clickhouse-mcp", &of("clickhouse"), known),
            server("Lookalike", "cl1ckhouse-mcp", &of("somebody"), "a list"),
            // Siblings, and what is called otherwise.
            server("Sibling", "clickhouse-mcp2", "https://github.com/clickhouse/mcp2", "a list"),
            server("Other", "greenhouse-mcp", "https://github.com/else/greenhouse-mcp", "a list"),
        ],
    )?;
    let tools = place.file("t.jsonl", &[tool("somebody/clickhouse-mcp"), tool("clickhouse/clickhouse-mcp")])?;
    let (servers, tools) = (servers.display().to_string(), tools.display().to_string());
    let import = ["import", "--servers", servers.as_str(), "--tools", tools.as_str()];
    let report = place.json(&import)?;
    ensure!(report["impostors"] == 1, "{report}");
    let shown = place.json(&["show", "lookalike"])?;
    ensure!(shown["impostor"]["of"] == "io-github-clickhouse-mcp", "{shown}");
    let text = place.say(&["show", "lookalike"])?.out;
    ensure!(text.contains("Careful: its package cl1ckhouse-mcp is named almost like clickhouse-mcp"), "{text}");
    for innocent in ["io-github-clickhouse-mcp", "sibling", "other"] {
        ensure!(place.json(&["show", innocent])?["impostor"].is_null(), "{innocent}");
    }
    let checked = place.json(&["check", "lookalike"])?;
    ensure!(checked["impostors"][0]["server"] == "lookalike", "{checked}");
    ensure!(place.say(&["check", "lookalike"])?.out.contains("careful: its package"));

    let cleared = place.say(&["override", "lookalike", "not-impostor", "--reason", "the same people"])?;
    ensure!(cleared.code == Some(0), "{cleared:?}");
    let impostor =
        |place: &Place| -> anyhow::Result<Value> { Ok(place.json(&["show", "lookalike"])?["impostor"].clone()) };
    ensure!(impostor(&place)?.is_null());
    place.file("s.jsonl", &[server("New", "new-mcp", "https://github.com/new/new", "a list")])?;
    ensure!(place.json(&import)?["impostors"] == 0, "an import does not bring it back");
    let log = place.json(&["overrides", "lookalike"])?;
    ensure!(log["overrides"][0]["reason"] == "the same people", "{log}");
    Ok(())
}
