//! `toolgate catalogue mcp` behind the gateway, like any other server.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, ensure};
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

#[test]
fn a_line_that_is_no_request_is_answered_and_is_not_the_end() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let mut child = place.command(&["mcp"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(b"\xff\xfe\n{ not json\n\n[{}]\n7\n{}\n")?;
    stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")?;
    stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n")?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let answers: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()?;
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["code"]).collect();
    let expected = [-32700, -32700, -32600, -32600, -32600].map(Value::from);
    ensure!(codes.iter().take(5).copied().eq(&expected) && answers.len() == 6, "{answers:?}");
    ensure!(answers.iter().take(5).all(|answer| answer["id"].is_null()), "{answers:?}");
    ensure!(answers[5] == json!({ "jsonrpc": "2.0", "id": 1, "result": {} }), "{answers:?}");
    Ok(())
}
