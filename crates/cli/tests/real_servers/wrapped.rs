//! Each server in the file of a client: wrapped by `toolgate init`, called by its entry, and put back.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use testkit::message::Outcome;
use testkit::peers;
use testkit::stdio::McpStdio;

use crate::catalogue::{EXE, Real, comparable};

#[test]
fn three_servers_are_wrapped_called_and_put_back() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let home = folder.path().join("home");
    std::fs::create_dir_all(home.join(".cursor"))?;
    let mut reals = Vec::new();
    for name in ["filesystem", "memory", "time"] {
        let own = folder.path().join(name);
        std::fs::create_dir(&own)?;
        reals.push(Real::prepare(&peers, name, &own)?);
    }
    let entry = |real: &Real| -> anyhow::Result<Value> {
        let (program, args) = real.words.split_first().context("a program")?;
        let env: Map<String, Value> =
            real.variables.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        Ok(json!({ "command": program, "args": args, "env": env }))
    };
    let mut servers = Map::new();
    for real in &reals {
        servers.insert(real.name.to_owned(), entry(real)?);
    }
    let file = home.join(".cursor/mcp.json");
    let before = serde_json::to_string_pretty(&json!({ "mcpServers": servers }))?;
    std::fs::write(&file, &before)?;
    let toolgate = |words: &[&str]| -> anyhow::Result<Output> {
        let mut command = Command::new(EXE);
        command.args(words).env_clear().env("HOME", &home).env("PATH", "/usr/bin:/bin").current_dir(folder.path());
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{words:?}: {output:?}");
        Ok(output)
    };
    let report: Value = serde_json::from_slice(&toolgate(&["init", "--yes", "--json"])?.stdout)?;
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    for (number, real) in reals.iter().enumerate() {
        let (tools, direct) = real.directly()?;
        let verified = report.pointer(&format!("/files/0/servers/{number}/verified")).context("verified")?;
        ensure!(verified == &json!({ "state": "verified", "tools": tools.len() }), "{}: {report}", real.name);
        let entry = written.pointer(&format!("/mcpServers/{}", real.name)).context("the entry")?;
        ensure!(entry.get("command").and_then(Value::as_str) == Some(EXE), "{entry}");
        let texts = |member: &str| entry.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut command = Command::new(EXE);
        command.args(texts("args").iter().filter_map(Value::as_str)).env_clear().env("HOME", &home);
        command.envs(real.variables.iter().map(|(name, value)| (name, value))).env("PATH", "/usr/bin:/bin");
        let mut client = McpStdio::start(&mut command)?;
        client.initialize()?;
        ensure!(client.tools()? == tools, "{}", real.name);
        let answer = client.request("tools/call", json!({ "name": real.allowed.0, "arguments": real.allowed.1 }))?;
        let result = answer.get("result").cloned().unwrap_or_default();
        ensure!(comparable(&result) == comparable(&direct), "{}: {answer}", real.name);
        ensure!(!Outcome::of(&answer).is_denied() && result.to_string().contains(real.says), "{}: {answer}", real.name);
        client.close();
        client.wait()?;
    }
    toolgate(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == before);
    Ok(())
}
