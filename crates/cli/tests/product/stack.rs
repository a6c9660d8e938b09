//! The files of a stack, downloaded from the catalogue's pages and served as they are.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::pages::Pages;
use crate::setup::{EXE, toolgate};

#[test]
fn what_is_downloaded_is_served_as_it_is() -> anyhow::Result<()> {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    let tools =
        [("read_note", "Read a note"), ("list_notes", "List the notes"), ("delete_note", "Permanently delete a note")];
    let listed = tools.map(|(name, says)| Tool::named(name).schema(schema.clone()).member("description", json!(says)));
    let upstream = Upstream::start(Script::with(listed.into_iter().chain([Tool::named("not_in_the_catalogue")])))?;

    // A catalogue that knows this server by its endpoint, and another that nobody knows how to start.
    let setup = toolgate()?;
    let servers = [
        json!({ "name": "Notes", "url": upstream.url(), "repository": "https://github.com/acme/notes" }),
        json!({ "name": "Elsewhere", "repository": "https://github.com/acme/elsewhere" }),
    ];
    let tool = |server: &str, (name, says): (&str, &str)| json!({ "server": server, "name": name, "description": says, "input_schema": schema });
    let tools: Vec<Value> = tools
        .iter()
        .map(|one| tool("acme/notes", *one))
        .chain([tool("acme/elsewhere", ("send_text", "Send a text"))])
        .collect();
    let lines = |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
    let servers = setup.file("servers.jsonl", &lines(&servers))?;
    let tools = setup.file("tools.jsonl", &lines(&tools))?;
    let data = setup.folder().join("catalogue");
    let imported = Command::new(EXE)
        .args(["catalogue", "import", "--servers"])
        .arg(servers)
        .arg("--tools")
        .arg(tools)
        .arg("--data")
        .arg(&data)
        .output()?;
    ensure!(imported.status.success(), "{imported:?}");

    // Every file of the page, under its own name.
    let pages = Pages::start(&data)?;
    let page: Value = serde_json::from_str(&pages.get("/stack/index.json?s=elsewhere,notes")?)?;
    for row in page.get("servers").and_then(Value::as_array).context("no servers")? {
        let name = format!("{}.json", row.get("id").and_then(Value::as_str).context("no id")?);
        let policy = setup.file(&name, &pages.get(&format!("/stack/balanced/{name}?s=elsewhere,notes"))?)?;
        let checked = Command::new(EXE).args(["policy", "check"]).arg(policy).output()?;
        ensure!(checked.status.success(), "{name}: {checked:?}");
    }
    let config = pages.get("/stack/balanced/toolgate.toml?s=elsewhere,notes")?;
    let file = setup.file("toolgate.toml", &config)?;

    // And the two commands that the page names.
    let accepted = setup.ask(&["server", "accept", "--all", "--config", file.to_str().context("text")?])?;
    ensure!(accepted.status.success(), "{accepted:?}");
    let toolgate = setup.config_alone(&config)?.serve()?;
    let client = testkit::client::McpHttp::legacy(toolgate.url_of("notes")?, None)?;
    let read = client.call("read_note", json!({ "id": "1" }))?;
    assert!(read.is_done(), "{read:?}");
    for denied in ["delete_note", "not_in_the_catalogue"] {
        let outcome = client.call(denied, json!({ "id": "1" }))?;
        assert!(outcome.is_denied(), "{denied}: {outcome:?}");
    }
    assert_eq!(upstream.called(), ["read_note"]);
    Ok(())
}
