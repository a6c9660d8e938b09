//! Secrets in a file of their own that somebody has changed, or still needs: the newest value is never lost, and never
//! shown.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::home::{Home, mode, said};

const MOVE: &[&str] = &["wrap", "--yes", "--secrets-to-file"];

/// A home with one server of Cursor whose token has moved to a file.
struct Moved {
    home: Home,
    file: PathBuf,
    before: String,
    secrets: PathBuf,
}

impl Moved {
    fn new() -> anyhow::Result<Self> {
        let home = Home::new()?;
        let env = json!({ "API_TOKEN": "sk-live-1", "LOG": "info" });
        let (file, before) = home.cursor(&json!({ "crm": { "command": "npx", "args": ["crm"], "env": env } }))?;
        home.does(MOVE)?;
        let secrets = home.path().join(".config/toolgate/secrets/crm.env");
        Ok(Self { home, file, before: String::from_utf8(before)?, secrets })
    }

    fn rotate(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.secrets)?.replace("sk-live-1", "sk-live-2");
        Ok(std::fs::write(&self.secrets, text)?)
    }

    fn now(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(&self.file)?)
    }
}

#[test]
fn undo_gives_back_the_newest_value() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    moved.rotate()?;
    let undone = moved.home.does(&["undo"])?;
    ensure!(moved.now()? == moved.before.replace("sk-live-1", "sk-live-2"), "{undone}");
    ensure!(undone.contains("crm: API_TOKEN as ~/.config/toolgate/secrets/crm.env says by now"), "{undone}");
    ensure!(!undone.contains("byte for byte") && !undone.contains("sk-live"), "{undone}");
    let remove = undone.lines().find(|line| line.contains("rm -r")).context("how to remove the rest")?;
    ensure!(moved.secrets.exists() && !remove.contains("secrets"), "{undone}");
    Ok(())
}

#[test]
fn nobody_is_told_to_remove_an_instance() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    let data = moved.home.path().join(".local/share/toolgate");
    std::fs::create_dir_all(data.join("keys"))?;
    std::fs::write(data.join("keys/master"), "the only one")?;
    let undone = moved.home.does(&["undo"])?;
    let remove = undone.lines().find(|line| line.contains("rm -r")).context("how to remove the rest")?;
    ensure!(!remove.contains("share/toolgate") && undone.contains("make a backup before"), "{undone}");
    Ok(())
}

#[test]
fn unwrap_gives_back_the_newest_value_in_its_place() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    moved.rotate()?;
    let text = moved.home.does(&["unwrap", "--yes"])?;
    ensure!(moved.now()? == moved.before.replace("sk-live-1", "sk-live-2"), "{text}");
    ensure!(text.contains("those that ~/.config/toolgate/secrets/crm.env holds by now"), "{text}");
    ensure!(!text.contains("sk-live"), "{text}");
    Ok(())
}

#[test]
fn undoing_all_keeps_the_newest_value_too() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    moved.rotate()?;
    moved.home.does(&["unwrap", "--yes"])?;
    let undone = moved.home.does(&["undo", "--all"])?;
    ensure!(moved.now()? == moved.before.replace("sk-live-1", "sk-live-2") && moved.secrets.exists(), "{undone}");
    ensure!(!undone.contains("sk-live"), "{undone}");
    // What a person has written into the entry since is newer still.
    let moved = Moved::new()?;
    moved.rotate()?;
    moved.home.does(&["unwrap", "--yes"])?;
    let third = moved.now()?.replace("sk-live-2", "sk-live-3");
    std::fs::write(&moved.file, &third)?;
    let undone = moved.home.does(&["undo", "--all"])?;
    ensure!(moved.now()? == third && undone.contains("it stays as it is"), "{undone}");
    Ok(())
}

#[test]
fn a_renewed_header_comes_back_as_a_header() -> anyhow::Result<()> {
    let home = Home::new()?;
    let headers = json!({ "Authorization": "Bearer sk-live-1", "X-Team": "blue" });
    let (file, before) = home.cursor(&json!({ "crm": { "url": "https://e.test/mcp", "headers": headers } }))?;
    home.does(MOVE)?;
    let secrets = home.path().join(".config/toolgate/secrets/crm.env");
    std::fs::write(&secrets, std::fs::read_to_string(&secrets)?.replace("sk-live-1", "sk-live-2"))?;
    let undone = home.does(&["undo"])?;
    ensure!(undone.contains("crm: Authorization as "), "{undone}");
    ensure!(std::fs::read_to_string(&file)? == String::from_utf8(before)?.replace("sk-live-1", "sk-live-2"));
    Ok(())
}

#[test]
fn a_damaged_file_is_named_and_nothing_is_put_back_from_memory() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    let (home, wrapped) = (&moved.home, moved.now()?);
    let good = std::fs::read_to_string(&moved.secrets)?;
    std::fs::write(&moved.secrets, good.replace("sk-live-1", "sk-live-2").replace("\"\n", "\n"))?;
    for words in [&["unwrap", "--yes"][..], &["undo"], &["undo", "--all"]] {
        let output = home.run(words)?;
        let text = said(&output);
        ensure!(output.status.code() == Some(1) && moved.now()? == wrapped, "{words:?}: {text}");
        ensure!(text.contains("secrets/crm.env") && text.contains("line 2"), "{words:?}: {text}");
        ensure!(text.contains("move that file away") && !text.contains("sk-live"), "{words:?}: {text}");
    }
    // What was said helps: the file out of the way, and the values of before come back.
    std::fs::rename(&moved.secrets, moved.secrets.with_extension("aside"))?;
    let undone = home.does(&["undo"])?;
    ensure!(moved.now()? == moved.before && undone.contains("crm.env is gone"), "{undone}");
    Ok(())
}

#[test]
fn a_newer_value_that_a_client_would_fill_in_is_not_put_into_its_file() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    let (wrapped, good) = (moved.now()?, std::fs::read_to_string(&moved.secrets)?);
    std::fs::write(&moved.secrets, good.replace("sk-live-1", "sk-${env:HOME}-2"))?;
    for words in [&["unwrap", "--yes"][..], &["undo"]] {
        let output = moved.home.run(words)?;
        let text = said(&output);
        ensure!(output.status.code() == Some(1) && moved.now()? == wrapped, "{words:?}: {text}");
        ensure!(text.contains("API_TOKEN") && text.contains("move that file away"), "{words:?}: {text}");
        ensure!(!text.contains("env:HOME"), "{words:?}: {text}");
    }
    Ok(())
}

#[test]
fn what_a_copied_entry_needs_stays() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    let mut text: Value = serde_json::from_str(&moved.now()?)?;
    text["mcpServers"]["copy"] = text["mcpServers"]["crm"].clone();
    std::fs::write(&moved.file, serde_json::to_string_pretty(&text)?)?;
    let output = moved.home.run(&["undo"])?;
    let undone = said(&output);
    ensure!(output.status.code() == Some(1) && moved.secrets.exists(), "{undone}");
    ensure!(undone.contains("copy in Cursor, ~/.cursor/mcp.json takes its secrets from it"), "{undone}");
    let out = moved.home.does(&["unwrap", "--yes"])?;
    ensure!(out.contains("copy without toolgate again") && out.contains("rm "), "{out}");
    let now: Value = serde_json::from_str(&moved.now()?)?;
    let before: Value = serde_json::from_str(&moved.before)?;
    ensure!(now["mcpServers"]["copy"] == before["mcpServers"]["crm"], "{now}");
    ensure!(now["mcpServers"]["crm"] == before["mcpServers"]["crm"], "{now}");
    Ok(())
}

#[test]
fn secrets_of_entries_that_were_wrapped_before_move_too() -> anyhow::Result<()> {
    let home = Home::new()?;
    let mut server = home.server("crm", &["look"])?;
    server["env"] = json!({ "API_TOKEN": "sk-live-1", "LOG": "info" });
    let (file, before) = home.cursor(&json!({ "crm": server }))?;
    home.does(&["wrap", "--yes"])?;
    let wrapped = std::fs::read(&file)?;
    let secrets = home.path().join(".config/toolgate/secrets/crm.env");
    let text = home.does(&[MOVE, &["--verify"]].concat())?;
    ensure!(text.contains("API_TOKEN moved to ~/.config/toolgate/secrets/crm.env"), "{text}");
    ensure!(text.contains("1 tool through the gateway") && !text.contains("sk-live"), "{text}");
    let now = std::fs::read_to_string(&file)?;
    ensure!(!now.contains("sk-live") && now.contains("--env-file=") && now.contains("\"LOG\": \"info\""), "{now}");
    ensure!(mode(&secrets)? == 0o600 && home.does(MOVE)?.contains("Nothing to wrap"));
    // Each step goes back by itself, both at once, and unwrap goes all the way.
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == wrapped && !secrets.exists());
    home.does(MOVE)?;
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read(&file)? == before);
    home.does(&["undo", "--all"])?;
    ensure!(std::fs::read(&file)? == before && !secrets.exists());
    Ok(())
}

#[test]
fn what_cannot_start_without_its_secrets_keeps_them() -> anyhow::Result<()> {
    let home = Home::new()?;
    let env = json!({ "API_TOKEN": "sk-live-1" });
    let (file, _) = home.cursor(&json!({ "crm": { "command": "/nothing/here", "args": ["a"], "env": env } }))?;
    home.does(&["wrap", "--yes"])?;
    let wrapped = std::fs::read(&file)?;
    let output = home.run(&[MOVE, &["--verify"]].concat())?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("put back as it was"), "{}", said(&output));
    ensure!(std::fs::read(&file)? == wrapped && !home.path().join(".config/toolgate/secrets").exists());
    Ok(())
}

#[test]
fn a_secret_that_came_later_is_named() -> anyhow::Result<()> {
    let moved = Moved::new()?;
    let later = moved.now()?.replace("\"LOG\"", "\"NEW_TOKEN\": \"sk-live-3\", \"LOG\"");
    std::fs::write(&moved.file, &later)?;
    let text = moved.home.does(MOVE)?;
    ensure!(text.contains("not moved: Cursor, ~/.cursor/mcp.json: crm: NEW_TOKEN stays"), "{text}");
    ensure!(moved.now()? == later && !text.contains("sk-live"), "{text}");
    Ok(())
}
