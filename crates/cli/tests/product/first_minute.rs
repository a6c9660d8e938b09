//! What a person sees around wrapping: names that stay the same, what is left from before, what stays behind, and faults.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::clients::runs_as_root;
use crate::home::{Home, ONE, said};
use crate::setup::EXE;

#[test]
fn undo_names_what_stays_and_what_can_still_be_undone() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.file(".gemini/settings.json", ONE.replace("// mine", "").as_bytes())?;
    home.does(&["wrap", "--yes", "cursor"])?;
    home.does(&["wrap", "--yes", "gemini-cli"])?;
    let first = home.does(&["undo"])?;
    ensure!(first.contains("1 change of earlier runs") && first.contains("toolgate undo --all"), "{first}");
    let last = home.does(&["undo", "--all"])?;
    ensure!(last.contains("What stays is yours:") && last.contains("~/.config/toolgate/policies: policies"), "{last}");
    // The command that it names does that.
    let line = last.lines().find_map(|line| line.strip_prefix("To remove that too: ")).context("a command")?;
    ensure!(Command::new("/bin/sh").args(["-c", line]).status()?.success(), "{line}");
    ensure!(
        !home.path().join(".config/toolgate/policies").exists() && !home.path().join(".local/share/toolgate").exists()
    );
    Ok(())
}

#[test]
fn a_program_is_started_where_its_entry_says() -> anyhow::Result<()> {
    let home = Home::new()?;
    let server = home.server("files", &["look"])?;
    let words: Vec<&str> = server["args"].as_array().context("arguments")?.iter().filter_map(Value::as_str).collect();
    let work = home.path().join("my work");
    std::fs::create_dir_all(&work)?;
    std::fs::write(work.join("here"), "")?;
    let args = ["-c", "test -e here && exec \"$0\" \"$@\"", server["command"].as_str().context("a program")?];
    let args: Vec<&str> = args.into_iter().chain(words).collect();
    let entry = |cwd: &str| json!({ "files": { "command": "/bin/sh", "args": args, "cwd": cwd } });
    for cwd in ["~/my work", "${userHome}/my work", &work.to_string_lossy()] {
        let (file, before) = home.cursor(&entry(cwd))?;
        let text = home.does(&["init", "--yes"])?;
        ensure!(text.contains("1 tool through the gateway") && text.contains("my work"), "{text}");
        home.does(&["undo"])?;
        ensure!(std::fs::read(&file)? == before);
    }
    home.cursor(&entry("~/elsewhere"))?;
    let text = home.does(&["init", "--yes", "--dry-run"])?;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(flat.contains("the folder in which it is to be started is not there"), "{text}");
    Ok(())
}

#[test]
fn a_policy_of_an_earlier_server_is_named_and_can_be_left() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, _) = home.cursor(&json!({ "files": { "command": "npx", "args": ["one"] } }))?;
    let text = home.does(&["wrap", "--yes"])?;
    ensure!(!text.contains("earlier server"), "{text}");
    home.does(&["undo"])?;
    let (_, before) = home.cursor(&json!({ "files": { "command": "npx", "args": ["two"] } }))?;
    let text = home.does(&["wrap", "--dry-run"])?;
    ensure!(text.contains("policies/files.json is there already, from an earlier server"), "{text}");
    ensure!(text.contains("--new-policy"), "{text}");
    home.does(&["wrap", "--yes", "--new-policy"])?;
    let now = std::fs::read_to_string(&file)?;
    ensure!(
        now.contains("--name=files-2") && home.path().join(".config/toolgate/policies/files-2.json").exists(),
        "{now}"
    );
    home.does(&["undo"])?;
    ensure!(std::fs::read(&file)? == before);
    for (more, name) in [(&[][..], "files"), (&["--new-policy"], "files-3")] {
        home.cursor(&json!({}))?;
        let words = [&["connect", "cursor", "--yes", "--name", "files"], more, &["--", "npx", "three"]].concat();
        let text = home.does(&words)?;
        ensure!(text.contains("from an earlier server") == more.is_empty(), "{text}");
        ensure!(std::fs::read_to_string(&file)?.contains(&format!("--name={name}\"")), "{text}");
    }
    Ok(())
}

#[test]
fn names_and_numbers_are_the_same_from_beginning_to_end() -> anyhow::Result<()> {
    let home = Home::new()?;
    let mut server = home.server("crm", &["look"])?;
    server["env"] = json!({ "API_TOKEN": "sk-live-1" });
    let (_, text) = home.cursor(&json!({ "CRM": server, "Only One": home.server("only", &["look"])? }))?;
    home.file(".gemini/settings.json", String::from_utf8(text)?.replace("sk-live-1", "sk-live-2").as_bytes())?;
    let text = home.does(&["init", "--yes"])?;
    ensure!(text.contains("3 servers of 2 clients"), "{text}");
    let last = text.split("+++ ~/.gemini").nth(1).context("the end")?;
    for name in ["crm@cursor", "crm@gemini-cli", "only-one"] {
        ensure!(text.contains(name) && last.contains(&format!("  {name}")), "{name} is not in\n{text}");
    }
    ensure!(!text.contains("(2)"), "{text}");
    let again = home.does(&["init", "--yes"])?;
    ensure!(again.contains("All 3 servers"), "{again}");
    let status: Value = serde_json::from_str(&home.does(&["status", "--json"])?)?;
    let ids: Vec<&str> =
        status["servers"].as_array().context("servers")?.iter().filter_map(|one| one["server"].as_str()).collect();
    ensure!(ids == ["crm", "only-one"], "{status}");
    Ok(())
}

#[test]
fn a_project_in_the_home_has_a_status() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".mcp.json", ONE.as_bytes())?;
    let there = |words: &[&str]| -> anyhow::Result<String> {
        let output = home.command(words).current_dir(home.path()).output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok(String::from_utf8(output.stdout)?)
    };
    there(&["wrap", "--yes", "--project"])?;
    let status: Value = serde_json::from_str(&there(&["status", "--json"])?)?;
    ensure!(status.pointer("/servers/0/server") == Some(&json!("files")), "{status}");
    ensure!(status.pointer("/servers/0/mode") == Some(&json!("observing")), "{status}");
    ensure!(
        status.pointer("/servers/0/entries").and_then(Value::as_array).is_some_and(|all| all.len() == 1),
        "{status}"
    );
    Ok(())
}

#[test]
fn a_server_that_is_named_like_an_option_can_be_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    let one = json!({ "command": "npx", "args": ["one"] });
    home.cursor(&json!({ "files": one, "--yes": one }))?;
    home.does(&["wrap", "--yes", "--server", "files"])?;
    let text = said(&home.run(&["doctor"])?);
    let command = text.lines().find_map(|line| line.trim().strip_prefix("→ toolgate wrap ")).context(text.clone())?;
    ensure!(command == "cursor --server=--yes", "{text}");
    let words: Vec<&str> = ["wrap"].into_iter().chain(command.split(' ')).chain(["--dry-run"]).collect();
    ensure!(home.does(&words)?.contains("--name=yes"), "{words:?}");
    Ok(())
}

#[test]
fn bounds_are_for_rules_that_are_made() -> anyhow::Result<()> {
    let home = Home::new()?;
    for words in [
        &["promote", "files", "--back", "--root", "/srv"][..],
        &["scan", "--root", "/srv", "--", "/bin/true"],
        &["scan", "--policy", "balanced", "--root", "srv", "--", "/bin/true"],
    ] {
        let output = home.run(words)?;
        ensure!(output.status.code() == Some(2) && said(&output).contains("--root"), "{words:?}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn a_configuration_of_five_megabytes_comes_back() -> anyhow::Result<()> {
    let home = Home::new()?;
    let history: Vec<String> =
        (0..50_000).map(|number| format!("a line of a history, number {number}, {}", "x".repeat(70))).collect();
    let text = json!({ "history": history, "mcpServers": { "files": { "command": "npx", "args": ["files"] } } });
    let text = serde_json::to_string_pretty(&text)?;
    ensure!(text.len() > 5_000_000, "{}", text.len());
    let file = home.file(".cursor/mcp.json", text.as_bytes())?;
    let shown = home.does(&["wrap", "--yes"])?;
    ensure!(shown.len() < 5_000 && std::fs::read_to_string(&file)?.contains("--name=files"), "{}", shown.len());
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == text);
    Ok(())
}

/// Runs a command on a disk on which no file has room for more than 4 KiB.
fn short_of_room(home: &Home, words: &[&str]) -> anyhow::Result<Output> {
    let script = "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" \"$@\"";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, EXE]).args(words).env_clear().env("HOME", home.path());
    Ok(command.current_dir(home.project()).stdin(Stdio::null()).output()?)
}

#[test]
fn no_room_for_secrets_leaves_all_as_it_was() -> anyhow::Result<()> {
    let home = Home::new()?;
    let token = "sk-live-".repeat(1_000);
    let (file, before) = home.cursor(&json!({ "crm": { "command": "npx", "env": { "TOKEN": token } } }))?;
    let output = short_of_room(&home, &["wrap", "--yes", "--secrets-to-file"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("free some space"), "{}", said(&output));
    ensure!(std::fs::read(&file)? == before && !home.path().join(".config/toolgate/secrets").exists());
    ensure!(!said(&output).contains("sk-live"));
    home.does(&["wrap", "--yes", "--secrets-to-file"])?;
    home.does(&["undo", "--all"])?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn no_room_for_the_journal_leaves_all_as_it_was() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    std::fs::create_dir_all(home.journal().parent().context("a folder")?)?;
    std::fs::write(home.journal(), "\n".repeat(6_000))?;
    let output = short_of_room(&home, &["wrap", "--yes"])?;
    ensure!(
        output.status.code() == Some(1) && said(&output).contains("it was not changed: the journal"),
        "{}",
        said(&output)
    );
    ensure!(std::fs::read_to_string(&file)? == ONE && std::fs::read_dir(home.path().join(".cursor"))?.count() == 1);
    home.does(&["wrap", "--yes"])?;
    // Nor does an undo that cannot be noted lose anything.
    let output = short_of_room(&home, &["undo"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("could not be noted"), "{}", said(&output));
    ensure!(std::fs::read_to_string(&file)? == ONE, "{}", said(&output));
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == ONE);
    Ok(())
}

#[test]
fn a_home_that_cannot_be_written_ends_with_a_sentence() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    let folders = [home.path().join(".cursor"), home.path()];
    let modes = |mode: u32| -> anyhow::Result<()> {
        for folder in &folders {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    };
    for words in [
        &["wrap", "--yes", "--secrets-to-file"][..],
        &["init", "--yes"],
        &["connect", "cursor", "--yes", "--", "npx", "x"],
    ] {
        modes(0o555)?;
        let mut command = home.command(words);
        // Nobody is stopped by modes who may do everything: then another user tries.
        if runs_as_root()? {
            use std::os::unix::process::CommandExt as _;
            for path in [home.folder.path(), &home.project()] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
            }
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))?;
            command.uid(65_534).gid(65_534);
        }
        let output = match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                eprintln!("skipped: another user cannot start {EXE}");
                return modes(0o755);
            }
            output => output?,
        };
        modes(0o755)?;
        let text = said(&output);
        ensure!(
            matches!(output.status.code(), Some(1 | 2)) && text.contains("nothing was changed"),
            "{words:?}: {text}"
        );
        ensure!(std::fs::read(&file)? == before && std::fs::read_dir(home.path())?.count() == 1, "{text}");
    }
    Ok(())
}
