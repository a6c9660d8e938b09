//! `toolgate catalogue mcp` behind the gateway, like any other server.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::message::Outcome;

use super::Place;
use crate::setup::{EXE, toolgate};

#[test]
fn an_agent_asks_the_catalogue_through_the_gateway() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let data = place.folder.path().join("data").display().to_string();
    let read_only = json!({ "version": "1", "default": "deny", "tools": {
        "check_server": {}, "check_stack": {}, "changes": { "action": "deny", "reason": "Not here." } } });
    let mut run = toolgate()?.policy(&read_only)?.program([EXE, "catalogue", "mcp", "--data", &data]).run()?;
    run.client.initialize()?;
    ensure!(run.client.tools()? == ["check_server", "check_stack"], "{:?}", run.client.tools());
    let Outcome::Done(text) = run.client.call("check_server", json!({ "server": "LEADS" }))? else {
        anyhow::bail!("not answered: {}", run.client.stderr());
    };
    ensure!(text.contains("delete_lead"), "{text}");
    let config = json!({ "mcpServers": {
        "crm": { "command": "npx", "args": ["-y", "leads-mcp"], "env": { "KEY": "sk-secret" } },
        "own": { "url": "https://own.test/mcp?key=sk-secret" } } });
    let asked =
        json!({ "name": "check_stack", "arguments": { "config": config.to_string(), "servers": ["nobody/knows"] } });
    let answer = run.client.request("tools/call", asked)?;
    ensure!(!answer.to_string().contains("sk-secret"), "{answer}");
    let data: &Value = answer.pointer("/result/structuredContent").unwrap_or(&Value::Null);
    ensure!(
        data["total"] == 5 && data["unknown"] == 1 && data["servers"].as_array().map(Vec::len) == Some(2),
        "{answer}"
    );
    ensure!(data["tools"][0]["class"] == "destructive", "the riskiest stands first: {answer}");
    ensure!(run.client.call("changes", json!({ "since": "7d" }))?.is_denied());
    Ok(())
}
