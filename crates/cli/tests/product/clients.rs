//! `clients`, `wrap`, `unwrap` and `undo` on files of clients below a home of their own.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ::clients::{Document, Os, Places, Scope, Table};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::place;
use testkit::script::{Script, Tool};
use testkit::stdio::McpStdio;

use crate::home::{Home, ONE, mode, said};
use crate::setup::{EXE, recording, toolgate, word};

/// Every fixture with its client and the path below a home at which the client would read it.
fn fixtures() -> anyhow::Result<Vec<(String, PathBuf, String)>> {
    let table = Table::compiled()?;
    let places = Places { os: Os::Linux, home: "/".into(), variables: [].into(), project: None };
    let mut found = Vec::new();
    let root = place::repository().join("crates/clients/tests/fixtures");
    for folder in std::fs::read_dir(root)?.flatten() {
        let id = folder.file_name().to_string_lossy().into_owned();
        let client = table.client(&id).context("a client")?;
        for file in std::fs::read_dir(folder.path())?.flatten().map(|file| file.path()) {
            if file.extension().is_some_and(|end| end == "wrapped" || end == "report") {
                continue;
            }
            let bytes = std::fs::read(&file)?;
            let surface = client.surfaces.iter().find(|surface| {
                let entries =
                    Document::read(surface.format, &bytes).ok().and_then(|it| it.entries(client, surface).ok());
                surface.scope == Scope::User
                    && !surface.paths(&places).is_empty()
                    && entries.is_some_and(|entries| !entries.is_empty())
            });
            let paths = surface.map(|surface| surface.paths(&places)).unwrap_or_default();
            let path = paths.iter().find_map(|path| path.path()).map(|path| path.trim_start_matches('/').to_owned());
            found.extend(path.map(|path| (id.clone(), file.clone(), path)));
        }
    }
    Ok(found)
}

#[test]
fn every_client_is_wrapped_and_undone_byte_for_byte() -> anyhow::Result<()> {
    let fixtures = fixtures()?;
    ensure!(fixtures.len() >= 22, "{}", fixtures.len());
    for (id, fixture, path) in fixtures {
        let home = Home::new()?;
        let original = std::fs::read(&fixture)?;
        let file = home.file(&path, &original)?;
        let listed = home.does(&["clients"])?;
        ensure!(listed.contains(&id) && listed.contains("bare"), "{id}: {listed}");
        let dry = home.does(&["wrap", "--dry-run"])?;
        ensure!(dry.contains("+++ ~/"), "{id}: {dry}");
        ensure!(std::fs::read(&file)? == original && !home.path().join(".local").exists(), "{id}: a dry run changes");
        let wrapped = home.does(&["wrap", "--yes"])?;
        let now = std::fs::read(&file)?;
        ensure!(now != original && mode(&file)? == 0o640, "{id}: {wrapped}");
        ensure!(wrapped.contains("toolgate undo"), "{id}: {wrapped}");
        for text in [&listed, &dry, &wrapped] {
            ensure!(!text.contains("fake"), "{id}: a secret is shown: {text}");
        }
        let listed = home.does(&["clients"])?;
        ensure!(listed.contains("through toolgate"), "{id}: {listed}");
        home.does(&["wrap", "--yes"])?;
        ensure!(std::fs::read(&file)? == now, "{id}: wrapped twice");
        let undone = home.does(&["undo"])?;
        ensure!(undone.contains("byte for byte"), "{id}: {undone}");
        ensure!(std::fs::read(&file)? == original && mode(&file)? == 0o640, "{id}: {undone}");
        ensure!(home.does(&["undo"])?.contains("Nothing to undo"), "{id}");
        // By the other way, too.
        home.does(&["wrap", "--yes"])?;
        home.does(&["unwrap", "--yes"])?;
        ensure!(std::fs::read(&file)? == original, "{id}: unwrapped otherwise");
        home.does(&["undo", "--all"])?;
        ensure!(std::fs::read(&file)? == original, "{id}: undone otherwise");
    }
    Ok(())
}

#[test]
fn without_a_terminal_nothing_changes_unasked() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    for words in [&["wrap"][..], &["wrap", "--json"]] {
        let output = home.run(words)?;
        ensure!(output.status.code() == Some(2) && said(&output).contains("--yes"), "{}", said(&output));
        ensure!(std::fs::read_to_string(&file)? == ONE);
    }
    Ok(())
}

#[test]
fn the_journal_is_nobody_elses() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".cursor/mcp.json", ONE.as_bytes())?;
    let said = home.does(&["wrap", "--yes", "--json"])?;
    ensure!(!said.contains("sk-live"), "{said}");
    let report: Value = serde_json::from_str(&said)?;
    ensure!(report.pointer("/files/0/written") == Some(&json!(true)), "{report}");
    let folder = home.journal().parent().context("a folder")?.to_path_buf();
    ensure!(mode(&folder)? == 0o700 && mode(&home.journal())? == 0o600);
    for file in std::fs::read_dir(folder.join("before"))?.flatten() {
        ensure!(mode(&file.path())? == 0o600, "{}", file.path().display());
    }
    ensure!(std::fs::read_to_string(home.journal())?.contains("\"line\":\"done\""));
    Ok(())
}

#[test]
fn an_edit_of_the_user_stays() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    let edited = std::fs::read_to_string(&file)?.replace("// mine", "// mine, and more");
    std::fs::write(&file, &edited)?;
    let said = home.does(&["undo"])?;
    ensure!(said.contains("what else changed since stays"), "{said}");
    ensure!(std::fs::read_to_string(&file)? == ONE.replace("// mine", "// mine, and more"));
    Ok(())
}

#[test]
fn an_entry_that_the_user_edited_is_left_alone() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    let edited = std::fs::read_to_string(&file)?.replace("\"files\"]", "\"files\", \"/srv\"]");
    std::fs::write(&file, &edited)?;
    let output = home.run(&["undo"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("it stands now"), "{text}");
    ensure!(!text.contains("sk-live"), "{text}");
    ensure!(std::fs::read_to_string(&file)? == edited);
    // The entry's own words take it back, with the edit.
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read_to_string(&file)? == ONE.replace("\"files\"]", "\"files\", \"/srv\"]"));
    Ok(())
}

/// A file as a client writes it anew: the same values, in its own lines.
fn anew(text: &str) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&serde_json::from_str::<Value>(&text.replace("// mine", ""))?)?)
}

#[test]
fn an_entry_that_its_client_wrote_anew_is_put_back() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    std::fs::write(&file, anew(&std::fs::read_to_string(&file)?)?)?;
    let said = home.does(&["undo"])?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(anew(&text)? == anew(ONE)?, "{said}{text}");
    ensure!(home.does(&["undo"])?.contains("Nothing to undo"));
    Ok(())
}

#[test]
fn undo_never_brings_a_gateway_back_that_was_taken_out() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    // The client writes its file anew, and a person changes the entry.
    let text = anew(&std::fs::read_to_string(&file)?)?.replace("\"files\"\n", "\"files\",\n        \"/srv\"\n");
    ensure!(text.contains("/srv"), "{text}");
    std::fs::write(&file, text)?;
    let output = home.run(&["undo"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("it stands now"), "{}", said(&output));
    home.does(&["unwrap", "--yes"])?;
    // What was taken out can be put back alone.
    let clean = std::fs::read_to_string(&file)?;
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)?.contains("--policy"));
    home.does(&["unwrap", "--yes"])?;
    ensure!(std::fs::read_to_string(&file)? == clean && !clean.contains("--policy"), "{clean}");
    // All of it: the edit of the person stays, and the gateway away.
    let undone = home.does(&["undo", "--all"])?;
    ensure!(std::fs::read_to_string(&file)? == clean && undone.contains("stays as it is"), "{undone}");
    ensure!(home.does(&["undo", "--all"])?.contains("Nothing to undo"));
    // Where nobody has edited it, the entry is as before the first run.
    home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    std::fs::write(&file, anew(&std::fs::read_to_string(&file)?)?)?;
    home.does(&["unwrap", "--yes"])?;
    let undone = home.does(&["undo", "--all"])?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(anew(&text)? == anew(ONE)? && !text.contains("--policy"), "{undone}{text}");
    Ok(())
}

#[test]
fn no_secret_of_a_file_is_shown() -> anyhow::Result<()> {
    let text = r#"{
  "primaryApiKey": "hidden-1", "oauthAccount": { "accessToken": "hidden-2" },
  "mcpServers": {
    "a": { "command": "npx", "args": ["files", "--api-key", "hidden-3", "--token=hidden-4"], "env": { "K": "hidden-5" } },
    "b": { "type": "http", "url": "https://me:hidden-6@e.test/mcp?key=hidden-7", "headers": { "X-Key": "hidden-8" } }
  }
}
"#;
    for text in [text.to_owned(), text.replace('\n', "")] {
        let home = Home::new()?;
        let file = home.file(".claude.json", text.as_bytes())?;
        let mut shown = Vec::new();
        for words in [&["wrap", "--dry-run"][..], &["wrap", "--dry-run", "--json"], &["wrap", "--yes"]] {
            shown.push(home.does(words)?);
        }
        let edited = std::fs::read_to_string(&file)?.replace("\"files\"", "\"files\", \"/srv\"");
        std::fs::write(&file, edited)?;
        shown.push(said(&home.run(&["undo"])?));
        shown.push(home.does(&["unwrap", "--yes"])?);
        for said in shown {
            ensure!(!said.contains("hidden") && said.contains("●●●"), "{said}");
        }
    }
    Ok(())
}

#[test]
fn a_server_that_fails_does_not_repeat_its_secrets() -> anyhow::Result<()> {
    let home = Home::new()?;
    let script = "echo \"bad token $API_TOKEN\" >&2; exit 1";
    let entry = json!({ "command": "/bin/sh", "args": ["-c", script], "env": { "API_TOKEN": "hidden-1" } });
    let (file, _) = home.cursor(&json!({ "a": entry }))?;
    let output = home.run(&["scan", "--config", &file.to_string_lossy(), "--yes"])?;
    let text = said(&output);
    ensure!(text.contains("token ●●●") && !text.contains("hidden"), "{text}");
    Ok(())
}

#[test]
fn what_a_killed_run_left_beside_a_file_goes() -> anyhow::Result<()> {
    for words in [&["wrap", "--yes"][..], &["unwrap", "--yes"], &["undo"]] {
        let home = Home::new()?;
        let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
        if words != ["wrap", "--yes"] {
            home.does(&["wrap", "--yes"])?;
        }
        let left = home.file(".cursor/.toolgate-Ab12Cd.new", ONE.as_bytes())?;
        home.does(words)?;
        ensure!(!left.exists() && file.exists(), "{words:?}");
    }
    Ok(())
}

#[test]
fn no_link_leads_out_of_the_home() -> anyhow::Result<()> {
    let home = Home::new()?;
    let outside = home.folder.path().join("outside.json");
    std::fs::write(&outside, ONE)?;
    std::fs::create_dir_all(home.path().join(".cursor"))?;
    symlink(&outside, home.path().join(".cursor/mcp.json"))?;
    let output = home.run(&["wrap", "--yes"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("leads out of"), "{}", said(&output));
    ensure!(std::fs::read_to_string(&outside)? == ONE);
    // One that stays in it is followed, and stays a link.
    let inside = home.file("dotfiles/mcp.json", ONE.as_bytes())?;
    std::fs::remove_file(home.path().join(".cursor/mcp.json"))?;
    symlink(&inside, home.path().join(".cursor/mcp.json"))?;
    home.does(&["wrap", "--yes"])?;
    ensure!(std::fs::read_to_string(&inside)?.contains("toolgate"));
    ensure!(home.path().join(".cursor/mcp.json").is_symlink());
    Ok(())
}

#[test]
fn a_broken_file_is_named_and_left_alone() -> anyhow::Result<()> {
    let home = Home::new()?;
    let broken = "{\n  \"mcpServers\": { \"a\": { \"command\": \"x\" } \n";
    let file = home.file(".gemini/settings.json", broken.as_bytes())?;
    let good = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    let listed = home.does(&["clients"])?;
    ensure!(listed.contains("line ") && listed.contains("column "), "{listed}");
    let output = home.run(&["wrap", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("~/.gemini/settings.json: line "), "{text}");
    ensure!(std::fs::read_to_string(&file)? == broken && std::fs::read_to_string(&good)?.contains("toolgate"));
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_is_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
    home.does(&["wrap", "--dry-run"])?;
    let folder = home.path().join(".cursor");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555))?;
    // Nobody is stopped by modes who may do everything: then another user tries.
    if runs_as_root()? {
        for path in [home.folder.path(), &home.path(), &home.project(), &folder, &file] {
            std::os::unix::fs::chown(path, Some(65_534), Some(65_534))?;
        }
    }
    let mut command = home.command(&["wrap", "--yes"]);
    if runs_as_root()? {
        use std::os::unix::process::CommandExt as _;
        command.uid(65_534).gid(65_534);
    }
    let output = match command.output() {
        // The program itself may lie where that user cannot read.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            eprintln!("skipped: another user cannot start {EXE}");
            return Ok(());
        }
        output => output?,
    };
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("writable for you"), "{}", said(&output));
    ensure!(std::fs::read_to_string(&file)? == ONE && std::fs::read_dir(&folder)?.count() == 1);
    Ok(())
}

pub(crate) fn runs_as_root() -> anyhow::Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

#[test]
fn no_room_leaves_the_file_as_it_was() -> anyhow::Result<()> {
    let home = Home::new()?;
    let long = ONE.replace("// mine", &format!("// {}", "mine ".repeat(4_000)));
    let file = home.file(".cursor/mcp.json", long.as_bytes())?;
    let script = "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" \"$@\"";
    let output = Command::new("/bin/sh")
        .args(["-c", script, EXE, "wrap", "--yes"])
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.project())
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("free some space"), "{}", said(&output));
    ensure!(std::fs::read_to_string(&file)? == long && std::fs::read_dir(home.path().join(".cursor"))?.count() == 1);
    Ok(())
}

#[test]
fn without_a_home_it_says_so() -> anyhow::Result<()> {
    let home = Home::new()?;
    let connect = &["connect", "cursor", "--yes", "--", "npx", "x"][..];
    for words in [&["clients"][..], &["init", "--yes"], connect, &["wrap", "--yes"], &["status"], &["undo"]] {
        let output = home.command(words).env_remove("HOME").output()?;
        ensure!(output.status.code() == Some(2) && said(&output).contains("home directory"), "{}", said(&output));
    }
    Ok(())
}

#[test]
fn two_at_once_wrap_once() -> anyhow::Result<()> {
    for _ in 0..5 {
        let home = Home::new()?;
        let file = home.file(".cursor/mcp.json", ONE.as_bytes())?;
        let start = || home.command(&["wrap", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let both = [start()?, start()?];
        for one in both {
            let output = one.wait_with_output()?;
            ensure!(output.status.success(), "{}", said(&output));
        }
        let text = std::fs::read_to_string(&file)?;
        ensure!(text.matches("\"run\"").count() == 1, "{text}");
        home.does(&["undo", "--all"])?;
        ensure!(std::fs::read_to_string(&file)? == ONE);
    }
    Ok(())
}

#[test]
fn files_of_a_project_are_changed_when_asked_and_for_everybody() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file = home.project().join(".mcp.json");
    std::fs::write(&file, ONE)?;
    ensure!(home.does(&["wrap", "--yes"])?.contains("Nothing to wrap"));
    home.does(&["wrap", "--yes", "--project"])?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(
        text.contains("\".toolgate/files.json\"") && !text.contains(&*home.folder.path().to_string_lossy()),
        "{text}"
    );
    ensure!(home.project().join(".toolgate/files.json").is_file());
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&file)? == ONE);
    Ok(())
}

#[test]
fn only_what_was_named_is_wrapped() -> anyhow::Result<()> {
    let home = Home::new()?;
    let two = ONE.replace("\"files\": {", "\"other\": { \"command\": \"uvx\", \"args\": [\"x\"] },\n    \"files\": {");
    let file = home.file(".cursor/mcp.json", two.as_bytes())?;
    let output = home.run(&["wrap", "--yes", "--server", "nobody"])?;
    ensure!(output.status.code() == Some(2), "{}", said(&output));
    let output = home.run(&["wrap", "--yes", "no-client"])?;
    ensure!(output.status.code() == Some(2), "{}", said(&output));
    home.does(&["wrap", "--yes", "gemini-cli"])?;
    ensure!(std::fs::read_to_string(&file)? == two);
    home.does(&["wrap", "--yes", "cursor", "--server", "other"])?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.matches("\"run\"").count() == 1 && text.contains("--name=other"), "{text}");
    Ok(())
}

#[test]
fn in_the_home_a_file_of_user_and_project_is_listed_once() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".cursor/mcp.json", ONE.as_bytes())?;
    let output = home.command(&["clients"]).current_dir(home.path()).output()?;
    ensure!(said(&output).matches("files ").count() == 1, "{}", said(&output));
    Ok(())
}

#[test]
fn a_wrapped_server_lists_its_tools() -> anyhow::Result<()> {
    let home = Home::new()?;
    let setup = toolgate()?;
    let (words, _) = recording(&setup, &Script::with([Tool::named("look"), Tool::named("delete_all")]))?;
    let (program, args) = words.split_first().context("a program")?;
    let text =
        serde_json::to_string_pretty(&json!({ "mcpServers": { "My Server": { "command": program, "args": args } } }))?;
    let file = home.file(".cursor/mcp.json", text.as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    let wrapped: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let entry = wrapped.pointer("/mcpServers/My Server").context("the entry")?;
    let args = entry.get("args").and_then(Value::as_array).context("arguments")?;
    ensure!(args.contains(&json!("--name=my-server")), "{entry}");
    let mut command = Command::new(word(entry, "command"));
    command.args(args.iter().filter_map(Value::as_str)).env_clear().env("HOME", home.path());
    let mut client = McpStdio::start(&mut command)?;
    client.initialize()?;
    ensure!(client.tools()? == ["look", "delete_all"]);
    client.close();
    client.wait()?;
    Ok(())
}
