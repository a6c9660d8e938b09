//! `toolgate init` without a terminal: what it says, what it starts, what it writes, and that it can be undone.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::home::{Home, ONE, said};

/// A server that never says anything.
fn silent() -> Value {
    json!({ "command": "/bin/sh", "args": ["-c", "exec sleep 300"] })
}

/// One that asks for a password before anything else, and takes our first line for it.
fn prompting() -> Value {
    json!({ "command": "/bin/sh", "args": ["-c", "printf 'Password: ' >&2; read -r word; exec sleep 300"] })
}

fn json_of(output: &std::process::Output) -> anyhow::Result<Value> {
    serde_json::from_slice(&output.stdout).with_context(|| said(output))
}

#[test]
fn servers_are_shown_wrapped_verified_and_put_back() -> anyhow::Result<()> {
    let home = Home::new()?;
    let files = home.server("files", &["read_file", "delete_file"])?;
    let pay = home.server("pay", &["charge_card", "list_invoices"])?;
    let (file, before) = home.cursor(&json!({ "files": files, "pay": pay }))?;
    // The same server in another client is the same server.
    let other = home.file(".gemini/settings.json", &before)?;
    let text = home.does(&["init", "--yes"])?;
    for part in [
        "2 servers of 2 clients (Cursor, Gemini CLI)",
        "Destructive",
        "delete_file",
        "Spends money",
        "charge_card",
        "Policies: observe",
        "~/.config/toolgate/policies/pay.json",
        "2 tools through the gateway",
        "toolgate undo",
    ] {
        ensure!(text.contains(part), "{part} is not in\n{text}");
    }
    ensure!(text.matches("2 tools through the gateway").count() == 4, "{text}");
    let now = std::fs::read_to_string(&file)?;
    ensure!(now.matches("\"run\"").count() == 2 && std::fs::read_to_string(&other)? == now, "{now}");
    // Again: nothing to do, nothing is started.
    std::fs::remove_file(home.record("files"))?;
    let again = home.does(&["init", "--yes"])?;
    ensure!(again.contains("do so already") && again.lines().count() == 1, "{again}");
    ensure!(std::fs::read_to_string(&file)? == now && !home.record("files").exists());
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before && std::fs::read(&other)? == before);
    Ok(())
}

#[test]
fn a_dry_run_changes_nothing() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    let unasked = home.does(&["init", "--dry-run"])?;
    ensure!(unasked.contains("+++ ~/.cursor/mcp.json") && unasked.contains("it was not started"), "{unasked}");
    ensure!(!home.record("files").exists(), "it was started unasked");
    let asked = home.does(&["init", "--dry-run", "--yes"])?;
    ensure!(asked.contains("1 tool") && home.record("files").exists(), "{asked}");
    ensure!(std::fs::read(&file)? == before);
    ensure!(!home.path().join(".config").exists() && !home.path().join(".local").exists());
    Ok(())
}

#[test]
fn without_a_terminal_nothing_is_started_or_changed_unasked() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    for words in [&["init"][..], &["init", "--json"]] {
        let output = home.run(words)?;
        ensure!(output.status.code() == Some(2) && said(&output).contains("--yes"), "{}", said(&output));
        ensure!(std::fs::read(&file)? == before && !home.record("files").exists());
    }
    Ok(())
}

#[test]
fn json_is_one_document_without_secrets() -> anyhow::Result<()> {
    let home = Home::new()?;
    let mut files = home.server("files", &["read_file", "delete_file"])?;
    files["env"] = json!({ "API_TOKEN": "sk-live-hidden", "LOG": "info" });
    home.cursor(&json!({ "files": files }))?;
    let output = home.run(&["init", "--yes", "--json"])?;
    let report = json_of(&output)?;
    ensure!(output.status.success() && !said(&output).contains("sk-live"), "{}", said(&output));
    let at = |pointer: &str| report.pointer(pointer).cloned().unwrap_or_default();
    ensure!(at("/servers/0/tools/destructive") == json!(["delete_file"]), "{report}");
    ensure!(at("/servers/0/plain_secrets") == json!(["API_TOKEN"]), "{report}");
    ensure!(at("/servers/0/policy/temper") == json!("observe"), "{report}");
    ensure!(at("/files/0/servers/0/verified") == json!({ "state": "verified", "tools": 2 }), "{report}");
    ensure!(at("/undo") == json!("toolgate undo"), "{report}");
    let report = json_of(&home.run(&["init", "--yes", "--json"])?)?;
    ensure!(report.get("servers") == Some(&json!([])) && report.get("wrapped_already") == Some(&json!(1)), "{report}");
    Ok(())
}

#[test]
fn servers_that_list_nothing_end_with_a_sentence_and_are_wrapped() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({
        "silent": silent(), "prompting": prompting(), "missing": { "command": "/nothing/here" },
        "files": home.server("files", &["look"])?,
    }))?;
    let text = home.does(&["init", "--yes", "--wait", "8"])?;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(flat.matches("did not answer initialize within 8 s").count() == 2, "{text}");
    ensure!(flat.contains("answer that once by hand") && flat.contains("Password:"), "{text}");
    ensure!(flat.contains("/nothing/here cannot be started"), "{text}");
    ensure!(flat.matches("It can be wrapped all the same.").count() == 3, "{text}");
    ensure!(flat.matches("not verified: without the gateway it listed no tools either").count() == 3, "{text}");
    ensure!(flat.contains("1 tool through the gateway"), "{text}");
    ensure!(std::fs::read_to_string(&file)?.matches("\"run\"").count() == 4);
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn a_server_that_its_terminal_stops_is_told_apart() -> anyhow::Result<()> {
    let home = Home::new()?;
    // What a terminal does with a program in the background that reads from it.
    home.cursor(&json!({ "asks": { "command": "/bin/sh", "args": ["-c", "kill -STOP $$; exec sleep 300"] } }))?;
    let text = home.does(&["init", "--dry-run", "--yes"])?;
    ensure!(text.contains("asks something on its terminal"), "{text}");
    Ok(())
}

#[test]
fn what_lists_nothing_through_the_gateway_is_put_back() -> anyhow::Result<()> {
    let home = Home::new()?;
    let broken = home.server("broken", &["look"])?;
    let (file, before) = home.cursor(&json!({ "broken": broken, "files": home.server("files", &["look"])? }))?;
    // A policy that is there is kept, and this one is of another server.
    let other = br#"{ "version": "1", "default": "deny", "tools": { "other": {} } }"#;
    home.file(".config/toolgate/policies/broken.json", other)?;
    let output = home.run(&["init", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("put back as it was"), "{text}");
    let now: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    ensure!(now.pointer("/mcpServers/broken") == Some(&broken), "{now}");
    ensure!(now.pointer("/mcpServers/files/args/0") == Some(&json!("run")), "{now}");
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before, "one undo takes all of it back");
    // By wrap, when it is asked to, what does not answer.
    let (file, before) = home.cursor(&json!({ "gone": { "command": "no-such-program" } }))?;
    let output = home.run(&["wrap", "--yes", "--verify"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("put back as it was"), "{}", said(&output));
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn under_a_broken_policy_nothing_is_wrapped() -> anyhow::Result<()> {
    let home = Home::new()?;
    let broken = home.server("broken", &["look"])?;
    let (file, before) = home.cursor(&json!({ "broken": broken, "files": home.server("files", &["look"])? }))?;
    let policy = home.file(".config/toolgate/policies/broken.json", b"{ \"version\": ")?;
    for command in [&["init", "--yes"][..], &["wrap", "--yes"]] {
        let text = home.does(command)?;
        ensure!(text.contains("broken.json is there and has errors"), "{text}");
        let now: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        ensure!(now.pointer("/mcpServers/broken") == Some(&broken), "{now}");
        ensure!(now.pointer("/mcpServers/files/args/0") == Some(&json!("run")), "{now}");
        home.does(&["undo"])?;
        ensure!(std::fs::read(&file)? == before);
    }
    std::fs::remove_file(&policy)?;
    std::fs::create_dir(&policy)?;
    ensure!(home.does(&["wrap", "--yes"])?.contains("cannot be read"));
    Ok(())
}

#[test]
fn what_a_kept_policy_hides_is_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.cursor(&json!({ "files": home.server("files", &["look", "delete_all"])? }))?;
    let policy = br#"{ "version": "1", "default": "deny", "tools": { "look": {} } }"#;
    let policy = home.file(".config/toolgate/policies/files.json", policy)?;
    let before = std::fs::read(&policy)?;
    let text = home.does(&["init", "--yes", "--temper", "locked-down"])?;
    ensure!(text.contains("(toolgate server held): delete_all") && text.contains("kept as it is"), "{text}");
    ensure!(std::fs::read(&policy)? == before);
    Ok(())
}

#[test]
fn a_temper_makes_the_policy_that_scan_makes() -> anyhow::Result<()> {
    let home = Home::new()?;
    let server = home.server("files", &["read_file", "delete_file"])?;
    home.cursor(&json!({ "files": server, "missing": { "command": "/nothing/here" } }))?;
    home.does(&["init", "--yes", "--temper", "balanced"])?;
    let words = server["args"].as_array().context("arguments")?;
    let mut scan =
        vec!["scan", "--no-save", "--policy", "balanced", "--", server["command"].as_str().context("a program")?];
    scan.extend(words.iter().filter_map(Value::as_str));
    let made = home.run(&scan)?;
    let policies = home.path().join(".config/toolgate/policies");
    ensure!(made.status.success() && std::fs::read(policies.join("files.json"))? == made.stdout, "{}", said(&made));
    ensure!(std::fs::read_to_string(policies.join("missing.json"))?.contains("\"observe\""));
    Ok(())
}

#[test]
fn files_of_a_project_are_untouched_unless_asked_for() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.project().join(".mcp.json");
    let text = serde_json::to_string_pretty(&json!({ "mcpServers": { "files": home.server("files", &["look"])? } }))?;
    std::fs::write(&file, &text)?;
    let said = home.does(&["init", "--yes"])?;
    ensure!(said.contains("no MCP client was found") && !home.record("files").exists(), "{said}");
    ensure!(std::fs::read_to_string(&file)? == text);
    // The program of a project's file is found on the path; here it is not.
    let output = home.run(&["init", "--yes", "--project"])?;
    ensure!(home.record("files").exists() && std::fs::read_to_string(&file)? == text, "{output:?}");
    let mut command = home.command(&["init", "--yes", "--project"]);
    let folder = std::path::Path::new(crate::setup::EXE).parent().context("a folder")?;
    let output = command.env("PATH", folder).output()?;
    ensure!(output.status.success(), "{}", crate::home::said(&output));
    ensure!(std::fs::read_to_string(&file)?.contains(".toolgate/files.json"));
    home.does(&["undo", "--all"])?;
    ensure!(std::fs::read_to_string(&file)? == text);
    Ok(())
}

#[test]
fn a_broken_file_is_named_and_the_others_are_wrapped() -> anyhow::Result<()> {
    let home = Home::new()?;
    let broken = home.file(".gemini/settings.json", b"{\n  \"mcpServers\": { \"a\": { \"command\": \"x\" } \n")?;
    let before = std::fs::read(&broken)?;
    let (file, _) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    let output = home.run(&["init", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("~/.gemini/settings.json: line "), "{text}");
    ensure!(std::fs::read(&broken)? == before && std::fs::read_to_string(&file)?.contains("toolgate"));
    Ok(())
}

#[test]
fn secrets_in_plain_text_are_named_and_never_shown() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".cursor/mcp.json", ONE.as_bytes())?;
    for words in [&["clients"][..], &["init", "--dry-run"]] {
        let text = home.does(words)?;
        ensure!(text.contains("TOKEN stands in the file in plain text") && !text.contains("sk-live"), "{text}");
    }
    Ok(())
}

#[test]
fn where_there_is_nothing_it_says_so() -> anyhow::Result<()> {
    let home = Home::new()?;
    let text = home.does(&["init", "--yes"])?;
    ensure!(text.contains("no MCP client was found") && !home.path().join(".local").exists(), "{text}");
    Ok(())
}
