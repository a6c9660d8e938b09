//! `toolgate connect`: a server added to a client's file, behind the gateway, and taken out again.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::stdio::McpStdio;

use crate::home::{Home, ONE, mode, said};

#[test]
fn a_server_is_added_works_and_is_taken_out_again() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    let server = home.server("notes", &["look"])?;
    let words: Vec<&str> = std::iter::once(&server["command"])
        .chain(server["args"].as_array().context("arguments")?)
        .filter_map(Value::as_str)
        .collect();
    let asked = |more: &[&'static str]| -> Vec<String> {
        let first = ["connect", "cursor", "--name", "My Notes"].iter().chain(more).map(|word| (*word).to_owned());
        first.chain(["--".to_owned()]).chain(words.iter().map(|word| (*word).to_owned())).collect()
    };
    let run = |more: &[&'static str]| {
        let words = asked(more);
        home.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let output = run(&[])?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("--yes"), "{}", said(&output));
    let output = run(&["--dry-run"])?;
    ensure!(output.status.success() && said(&output).contains("+++ ~/.cursor/mcp.json"), "{}", said(&output));
    ensure!(std::fs::read_to_string(&file)? == ONE && !home.path().join(".local").exists());
    let output = run(&["--yes"])?;
    ensure!(output.status.success() && said(&output).contains("toolgate undo"), "{}", said(&output));
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.contains("// mine") && text.contains("--name=my-notes"), "{text}");
    let listed = home.does(&["clients", "--json"])?;
    let listed: Value = serde_json::from_str(&listed)?;
    let servers = listed.pointer("/clients/0/files/0/servers").and_then(Value::as_array).context("servers")?;
    ensure!(servers.iter().any(|one| one["server"] == "My Notes" && one["state"] == "wrapped"), "{listed}");
    let policy = home.path().join(".config/toolgate/policies/my-notes.json");
    ensure!(std::fs::read_to_string(policy)?.contains("\"observe\""));
    // As the client starts it.
    let entry = text.lines().filter(|line| !line.contains("// mine")).collect::<String>();
    let entry: Value = serde_json::from_str(&entry)?;
    let entry = entry.pointer("/mcpServers/My Notes").context("the entry")?;
    let args = entry["args"].as_array().context("arguments")?.iter().filter_map(Value::as_str);
    let mut command = Command::new(entry["command"].as_str().context("a program")?);
    let mut client = McpStdio::start(command.args(args).env_clear().env("HOME", home.path()))?;
    client.initialize()?;
    ensure!(client.tools()? == ["look"]);
    client.close();
    client.wait()?;
    // A name is there once.
    let output = run(&["--yes"])?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("--name"), "{}", said(&output));
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == ONE);
    Ok(())
}

#[test]
fn an_entry_goes_out_of_a_file_that_was_edited_since() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["connect", "cursor", "--yes", "--server", "https://mcp.example.com/mcp"])?;
    let edited = std::fs::read_to_string(&file)?.replace("// mine", "// mine, and more");
    ensure!(edited.contains("\"example\"") && edited.contains("--upstream"), "{edited}");
    std::fs::write(&file, &edited)?;
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == ONE.replace("// mine", "// mine, and more"));
    Ok(())
}

#[test]
fn a_file_that_was_made_is_taken_away_with_its_folders() -> anyhow::Result<()> {
    for client in ["cursor", "codex", "goose", "zed", "vscode", "gemini-cli"] {
        let home = Home::new()?;
        let words = ["connect", client, "--server", "https://mcp.example.com/mcp"];
        let output = home.run(&words)?;
        ensure!(output.status.code() == Some(2) && said(&output).contains("not found"), "{}", said(&output));
        ensure!(std::fs::read_dir(home.path())?.count() == 0, "{client}");
        let report = home.does(&[&words[..], &["--yes", "--json"]].concat())?;
        let report: Value = serde_json::from_str(&report).with_context(|| report.clone())?;
        ensure!(report["written"] == json!(true) && report["created"] == json!(true), "{report}");
        let file = std::path::PathBuf::from(report["file"].as_str().context("a file")?);
        ensure!(mode(&file)? == 0o600, "{client}");
        ensure!(home.does(&["clients"])?.contains("through toolgate"), "{client}");
        let undone = home.does(&["undo"])?;
        ensure!(!file.exists() && undone.contains("gone again"), "{client}: {undone}");
        // Policies stay, in the folder of the configuration; nothing else does but data.
        let left: Vec<_> = std::fs::read_dir(home.path())?.flatten().map(|one| one.file_name()).collect();
        ensure!(left.iter().all(|name| name == ".config" || name == ".local"), "{client}: {left:?}");
        let config = std::fs::read_dir(home.path().join(".config"))?.flatten().map(|one| one.file_name());
        let config: Vec<_> = config.collect();
        ensure!(config == ["toolgate"], "{client}: {config:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_added_is_refused_with_what_to_do() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    let url = "https://mcp.example.com/mcp";
    for (words, says) in [
        (&["nobody", "--server", url][..], "toolgate clients"),
        (&["cursor", "--server", "ftp://x"], "--server"),
        (&["cursor", "--server", url, "--policy", "none.json"], "none.json"),
        (&["cursor", "--server", url, "--name", "files"], "toolgate wrap cursor --server files"),
        (&["cursor", "--server", url, "--header-from", "Authorization=Bearer sk-live-1"], "NAME=VARIABLE"),
        (&["cursor"], "--server"),
    ] {
        let output = home.run(&[&["connect"], words, &["--yes"]].concat())?;
        ensure!(!said(&output).contains("sk-live-1"), "{}", said(&output));
        ensure!(output.status.code() == Some(2) && said(&output).contains(says), "{words:?}: {}", said(&output));
        ensure!(std::fs::read_to_string(&file)? == ONE, "{words:?}");
    }
    Ok(())
}

#[test]
fn no_folder_leads_out_of_the_home() -> anyhow::Result<()> {
    let home = Home::new()?;
    let outside = home.folder.path().join("outside");
    std::fs::create_dir(&outside)?;
    std::os::unix::fs::symlink(&outside, home.path().join(".cursor"))?;
    let output = home.run(&["connect", "cursor", "--yes", "--server", "https://mcp.example.com/mcp"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("leads out of"), "{}", said(&output));
    ensure!(std::fs::read_dir(&outside)?.count() == 0);
    Ok(())
}
