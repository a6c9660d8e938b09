//! Secrets that leave clients' files for one that only the person can read, and come back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::script::{Script, Tool};
use testkit::stdio::McpStdio;
use testkit::upstream::Upstream;

use crate::home::{Home, mode, said};

const MOVE: &[&str] = &["wrap", "--yes", "--secrets-to-file"];

/// A server that writes its variables down before it answers.
fn telling(home: &Home, name: &str, token: &str) -> anyhow::Result<Value> {
    let server = home.server(name, &["look"])?;
    let told = home.folder.path().join(format!("{name}.told"));
    let at = |pointer: &str| server.pointer(pointer).and_then(Value::as_str).context("a word");
    let words = [at("/command")?, at("/args/0")?, at("/args/1")?];
    let script = format!("env > '{}'; echo \"my token is $API_TOKEN\" >&2; exec \"$0\" \"$@\"", told.display());
    let env = json!({ "API_TOKEN": token, "LOG": "info" });
    Ok(json!({ "command": "/bin/sh", "args": ["-c", script, words[0], words[1], words[2]], "env": env }))
}

fn told(home: &Home, name: &str) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(home.folder.path().join(format!("{name}.told")))?)
}

/// Starts an entry as its client does, and lists its tools.
fn starts(home: &Home, file: &Path, key: &str) -> anyhow::Result<Vec<String>> {
    let text: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let entry = text.pointer(&format!("/mcpServers/{key}")).context("the entry")?;
    let args = entry["args"].as_array().context("arguments")?.iter().filter_map(Value::as_str);
    let mut command = Command::new(entry["command"].as_str().context("a program")?);
    command.args(args).env_clear().env("HOME", home.path());
    for (name, value) in entry["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().context("a text")?);
    }
    let mut client = McpStdio::start(&mut command)?;
    client.initialize()?;
    let tools = client.tools()?;
    client.close();
    client.wait()?;
    Ok(tools)
}

#[test]
fn secrets_move_work_and_come_back() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "CRM": telling(&home, "crm", "sk-live-\"hidden\"\n1")? }))?;
    let dry = home.does(&["wrap", "--dry-run", "--secrets-to-file"])?;
    ensure!(dry.contains("API_TOKEN would move to ~/.config/toolgate/secrets/crm.env"), "{dry}");
    ensure!(std::fs::read(&file)? == before && !home.path().join(".config").exists());
    let text = home.does(&[MOVE, &["--verify"]].concat())?;
    ensure!(text.contains("API_TOKEN moved to ~/.config/toolgate/secrets/crm.env"), "{text}");
    ensure!(text.contains("1 tool through the gateway"), "{text}");
    let now = std::fs::read_to_string(&file)?;
    ensure!(!now.contains("sk-live") && now.contains("\"LOG\": \"info\"") && now.contains("--env-file="), "{now}");
    let secrets = home.path().join(".config/toolgate/secrets");
    ensure!(mode(&secrets)? == 0o700 && mode(&secrets.join("crm.env"))? == 0o600);
    ensure!(told(&home, "crm")?.contains("API_TOKEN=sk-live-\"hidden\"\n1\n"), "{}", told(&home, "crm")?);
    ensure!(starts(&home, &file, "CRM")? == ["look"]);
    // By itself it says nothing of them, and doctor finds nothing wrong.
    for words in [&["doctor"][..], &["status"], &["clients", "--json"], &["wrap", "--dry-run"]] {
        let output = said(&home.run(words)?);
        ensure!(!output.contains("sk-live") && !text.contains("sk-live"), "{output}");
    }
    home.does(&["doctor"])?;
    let undone = home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before && !secrets.exists(), "{undone}");
    ensure!(undone.contains("secrets/crm.env: gone again") && !undone.contains("sk-live"), "{undone}");
    Ok(())
}

#[test]
fn unwrap_puts_back_what_the_file_says_now() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "crm": telling(&home, "crm", "sk-live-1")? }))?;
    home.does(MOVE)?;
    let wrapped = std::fs::read(&file)?;
    let said_then = home.does(&["unwrap", "--yes"])?;
    ensure!(said_then.contains("secrets/crm.env stays") && said_then.contains("rm "), "{said_then}");
    ensure!(std::fs::read(&file)? == before);
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == wrapped && starts(&home, &file, "crm")? == ["look"]);
    // A token that was renewed, then the journal lost.
    let secrets = home.path().join(".config/toolgate/secrets/crm.env");
    std::fs::write(&secrets, std::fs::read_to_string(&secrets)?.replace("sk-live-1", "sk-live-2"))?;
    home.does(&["unwrap", "--yes"])?;
    let renewed = String::from_utf8(before.clone())?.replace("sk-live-1", "sk-live-2");
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text);
    ensure!(value(&std::fs::read(&file)?)? == value(renewed.as_bytes())?);
    home.does(&["undo"])?;
    std::fs::remove_dir_all(home.journal().parent().context("a folder")?)?;
    home.does(&["unwrap", "--yes"])?;
    ensure!(value(&std::fs::read(&file)?)? == value(renewed.as_bytes())?);
    Ok(())
}

#[test]
fn a_file_that_was_changed_stays_and_is_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "crm": telling(&home, "crm", "sk-live-1")? }))?;
    home.does(MOVE)?;
    let secrets = home.path().join(".config/toolgate/secrets/crm.env");
    std::fs::write(&secrets, std::fs::read_to_string(&secrets)? + "# renewed in May\n")?;
    let undone = home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before && secrets.exists(), "{undone}");
    ensure!(undone.contains("secrets/crm.env: left as it is") && undone.contains("delete it"), "{undone}");
    // As long as something may use it, it is not taken away either.
    home.does(MOVE)?;
    let edited = std::fs::read_to_string(&file)?.replace("\"LOG\"", "\"LOGS\"");
    std::fs::write(&file, &edited)?;
    let output = home.run(&["undo"])?;
    ensure!(output.status.code() == Some(1) && std::fs::read_to_string(&file)? == edited, "{}", said(&output));
    let named = edited.split("--env-file=").nth(1).and_then(|rest| rest.split('"').next()).context("a file")?;
    ensure!(Path::new(named).exists(), "{}", said(&output));
    Ok(())
}

#[test]
fn other_values_of_the_same_server_get_another_file() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "crm": telling(&home, "crm", "sk-live-1")? }))?;
    let second = String::from_utf8(before.clone())?.replace("sk-live-1", "sk-live-2");
    let other = home.file(".gemini/settings.json", second.as_bytes())?;
    home.does(MOVE)?;
    let secrets = home.path().join(".config/toolgate/secrets");
    ensure!(std::fs::read_dir(&secrets)?.count() == 2);
    for (file, token) in [(&file, "sk-live-1"), (&other, "sk-live-2")] {
        starts(&home, file, "crm")?;
        ensure!(told(&home, "crm")?.contains(&format!("API_TOKEN={token}\n")), "{token}");
    }
    // One of the two is unwrapped, and its file stays until the change that made it is undone.
    home.does(&["unwrap", "--yes", "cursor"])?;
    ensure!(std::fs::read(&file)? == before);
    home.does(&["undo", "--all"])?;
    ensure!(std::fs::read(&file)? == before && std::fs::read(&other)? == second.as_bytes() && !secrets.exists());
    Ok(())
}

#[test]
fn headers_move_too() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("look")]))?;
    let home = Home::new()?;
    let headers = json!({ "Authorization": "Bearer sk-live-1", "X-Team": "blue" });
    let (file, before) = home.cursor(&json!({ "crm": { "url": upstream.url(), "headers": headers } }))?;
    let text = home.does(&[MOVE, &["--verify"]].concat())?;
    ensure!(text.contains("1 tool through the gateway"), "{text}");
    let now = std::fs::read_to_string(&file)?;
    ensure!(!now.contains("sk-live") && now.contains("blue"), "{now}");
    ensure!(starts(&home, &file, "crm")? == ["look"]);
    let sent =
        upstream.requests().iter().any(|request| request.headers.get("authorization") == Some("Bearer sk-live-1"));
    ensure!(sent, "the header did not arrive");
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn a_file_of_others_is_refused_and_put_right() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, _) = home.cursor(&json!({ "crm": telling(&home, "crm", "sk-live-1")? }))?;
    home.does(MOVE)?;
    let secrets = home.path().join(".config/toolgate/secrets/crm.env");
    let text: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let args = text.pointer("/mcpServers/crm/args").and_then(Value::as_array).context("arguments")?;
    let words: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o640))?;
    let output = home.run(&words)?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("chmod 600"), "{}", said(&output));
    let output = home.run(&["doctor"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("others can read it"), "{}", said(&output));
    home.does(&["doctor", "--fix"])?;
    ensure!(mode(&secrets)? == 0o600);
    std::fs::write(&secrets, "# mine\nAPI_TOKEN=sk-live-1\n")?;
    let output = home.run(&words)?;
    let why = said(&output);
    ensure!(output.status.code() == Some(2) && why.contains("line 2") && !why.contains("sk-live"), "{why}");
    std::fs::remove_file(&secrets)?;
    let output = home.run(&["doctor"])?;
    ensure!(said(&output).contains("it is missing"), "{}", said(&output));
    // The journal still has the values.
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read_to_string(&file)?.contains("sk-live-1"));
    Ok(())
}

#[test]
fn what_cannot_move_is_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "crm": {
        "command": "npx", "args": ["crm", "--key=sk-live-argument"], "env": { "TOKEN": "sk-live-$x", "K_TOKEN": "${T}" },
    } }))?;
    let text = home.does(MOVE)?;
    ensure!(text.contains("TOKEN, an argument stays in the file") && !text.contains("moved"), "{text}");
    ensure!(!home.path().join(".config/toolgate/secrets").exists());
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before);
    // A file that a project shares names no file of this machine.
    let project = home.project().join(".cursor");
    std::fs::create_dir_all(&project)?;
    std::fs::write(project.join("mcp.json"), &before)?;
    let text = home.does(&[MOVE, &["--project"]].concat())?;
    ensure!(text.contains("stays in the file") && !home.path().join(".config/toolgate/secrets").exists(), "{text}");
    Ok(())
}

#[test]
fn no_link_is_followed_out_of_the_home() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "crm": telling(&home, "crm", "sk-live-1")? }))?;
    let elsewhere = home.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere)?;
    std::fs::create_dir_all(home.path().join(".config/toolgate"))?;
    std::os::unix::fs::symlink(&elsewhere, home.path().join(".config/toolgate/secrets"))?;
    let output = home.run(MOVE)?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("a link that leads out of"), "{}", said(&output));
    ensure!(std::fs::read(&file)? == before && std::fs::read_dir(&elsewhere)?.count() == 0);
    Ok(())
}
