//! What `wrap` and `unwrap` say where there is nothing to do, where something stays, and under which names toolgate is
//! known.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::home::{Home, said};
use crate::setup::EXE;

#[test]
fn where_no_client_is_it_says_where_it_looked() -> anyhow::Result<()> {
    let home = Home::new()?;
    for words in [&["wrap"][..], &["unwrap"], &["init"], &["wrap", "--yes", "--project"]] {
        let text = home.does(words)?.replace('\n', " ");
        ensure!(text.contains("no MCP client was found"), "{words:?}: {text}");
        ensure!(text.contains(&*home.path().to_string_lossy()) && text.contains("toolgate connect"), "{text}");
    }
    let text = home.does(&["wrap", "cursor"])?;
    ensure!(text.contains("Cursor was not found"), "{text}");
    // One that names no server is found.
    home.cursor(&json!({}))?;
    let text = home.does(&["wrap"])?;
    ensure!(text.contains("no server stands in the files of Cursor") && text.contains("toolgate connect"), "{text}");
    Ok(())
}

#[test]
fn what_unwrap_leaves_behind_the_gateway_is_said_and_told_by_the_exit_code() -> anyhow::Result<()> {
    let home = Home::new()?;
    let own = json!({ "command": "toolgate", "args": ["run", "--upstream", "https://e.test/mcp", "--name", "own"] });
    let good = json!({ "command": "npx", "args": ["good"] });
    let (file, before) = home.cursor(&json!({ "good": good, "own": own }))?;
    home.does(&["wrap", "--yes"])?;
    let output = home.run(&["unwrap", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && std::fs::read(&file)? == before, "{text}");
    ensure!(text.contains("good without toolgate again") && text.contains("left as it is: Cursor"), "{text}");
    ensure!(text.contains("own: it starts the gateway in words of its own"), "{text}");
    ensure!(text.contains("toolgate: 1 server was left as before"), "{text}");
    let output = home.run(&["unwrap", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("Nothing was unwrapped"), "{text}");
    ensure!(!text.contains("no server"), "{text}");
    // Another command of toolgate is a server of its own, and no gateway.
    home.cursor(&json!({ "catalogue": { "command": "toolgate", "args": ["catalogue", "mcp"] } }))?;
    let text = home.does(&["unwrap", "--yes"])?;
    ensure!(text.contains("no server that can be read here goes through toolgate"), "{text}");
    Ok(())
}

#[test]
fn a_server_that_was_named_and_stays_bare_ends_with_no() -> anyhow::Result<()> {
    let home = Home::new()?;
    let old = json!({ "command": "npx", "args": ["x"], "url": "https://e.test/mcp" });
    let good = json!({ "command": "npx", "args": ["good"] });
    home.cursor(&json!({ "old": old, "good": good }))?;
    let output = home.run(&["wrap", "--yes", "--server", "old"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("not covered: Cursor"), "{text}");
    ensure!(text.contains("nothing was found that the gateway can stand before"), "{text}");
    // What nobody named may stay bare.
    let text = home.does(&["wrap", "--yes"])?;
    ensure!(text.contains("good now through toolgate") && text.contains("not covered: Cursor"), "{text}");
    Ok(())
}

#[test]
fn toolgate_is_known_under_other_names_and_in_other_places() -> anyhow::Result<()> {
    let home = Home::new()?;
    let server = json!({ "command": "npx", "args": ["-y", "files"] });
    let (file, before) = home.cursor(&json!({ "files": server }))?;
    // A link of another name, as the entry then has it.
    let link = home.folder.path().join("tg");
    std::os::unix::fs::symlink(EXE, &link)?;
    let mut command = Command::new(&link);
    command.args(["wrap", "--yes"]).env_clear().env("HOME", home.path());
    let output = command.current_dir(home.project()).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{}", said(&output));
    let named = |path: &str| -> anyhow::Result<bool> {
        let text: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        Ok(text.pointer("/mcpServers/files/command").and_then(Value::as_str).context("a command")? == path)
    };
    ensure!(named(&link.to_string_lossy())? && home.does(&["clients"])?.contains("through toolgate"));
    ensure!(home.does(&["wrap", "--yes"])?.contains("Nothing to wrap"));
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read(&file)? == before);
    // One that was moved away with its version in its name, put right by doctor, and taken out all the same.
    home.does(&["wrap", "--yes"])?;
    let moved = std::fs::read_to_string(&file)?.replace(EXE, "/gone/toolgate-0.1.0");
    std::fs::write(&file, &moved)?;
    ensure!(home.does(&["wrap", "--yes"])?.contains("Nothing to wrap") && named("/gone/toolgate-0.1.0")?);
    let output = home.run(&["doctor", "--fix"])?;
    ensure!(named(EXE)?, "{}", said(&output));
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}
