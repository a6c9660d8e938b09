//! `status`, `promote`, `policy edit` and `doctor` on servers that clients start through the gateway.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::script::{Script, Tool};
use testkit::stdio::McpStdio;
use testkit::tee;
use testkit::toolgate::Setup;

use crate::home::{Home, ONE, mode, said};
use crate::setup::{recording, toolgate, word};

/// A policy that observes a rule.
const OBSERVED: &str = "{\n  \"version\": \"1\",\n  \"mode\": \"observe\",\n  \"default\": \"allow\",\n  \"tools\": { \"delete_file\": { \"action\": \"deny\" } }\n}\n";

/// A home with a client whose server `files` is wrapped and records what reaches it.
struct Wrapped {
    home: Home,
    _setup: Setup,
    file: PathBuf,
    record: PathBuf,
}

impl Wrapped {
    fn new() -> anyhow::Result<Self> {
        let (home, setup) = (Home::new()?, toolgate()?);
        let (words, record) = recording(&setup, &Script::with(["read_file", "delete_file"].map(Tool::named)))?;
        let (program, args) = words.split_first().context("a program")?;
        let entry = json!({ "command": program, "args": args });
        let text = serde_json::to_string_pretty(&json!({ "mcpServers": { "files": entry } }))?;
        let file = home.file(".cursor/mcp.json", text.as_bytes())?;
        home.does(&["wrap", "--yes"])?;
        Ok(Self { home, _setup: setup, file, record })
    }

    /// The server, started as its client would.
    fn start(&self) -> anyhow::Result<McpStdio> {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&self.file)?)?;
        let entry = document.pointer("/mcpServers/files").context("the entry")?;
        let args = entry.get("args").and_then(Value::as_array).context("arguments")?;
        let mut command = Command::new(word(entry, "command"));
        command.args(args.iter().filter_map(Value::as_str)).env_clear().env("HOME", self.home.path());
        let mut client = McpStdio::start(&mut command)?;
        client.initialize()?;
        Ok(client)
    }

    fn call(&self, tools: &[&str]) -> anyhow::Result<()> {
        let mut client = self.start()?;
        client.tools()?;
        for tool in tools {
            client.call(tool, json!({ "path": "hidden-value" }))?;
        }
        client.close();
        client.wait()?;
        Ok(())
    }

    fn policy(&self) -> PathBuf {
        self.home.path().join(".config/toolgate/policies/files.json")
    }

    fn status(&self) -> anyhow::Result<Value> {
        let status = json_of(&self.home, &["status", "--json"])?;
        Ok(status.pointer("/servers/0").cloned().unwrap_or_default())
    }

    fn edit(&self, script: &str) -> anyhow::Result<Output> {
        let editor = self.home.file("editor.sh", format!("#!/bin/sh\n{script}\n").as_bytes())?;
        std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755))?;
        let mut command = self.home.command(&["policy", "edit", "files"]);
        Ok(command.env("PATH", "/usr/bin:/bin").env("EDITOR", format!("{} --wait", editor.display())).output()?)
    }
}

fn json_of(home: &Home, words: &[&str]) -> anyhow::Result<Value> {
    let output = home.run(words)?;
    serde_json::from_slice(&output.stdout).with_context(|| said(&output))
}

/// The checks of `doctor` with a word.
fn checks(home: &Home, words: &[&str], what: &str) -> anyhow::Result<(Option<i32>, Vec<Value>)> {
    let output = home.run(words)?;
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
    let checks = report.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok((output.status.code(), checks.into_iter().filter(|check| word(check, "check") == what).collect()))
}

#[test]
fn calls_are_counted_and_promoted_to_denials() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let home = &wrapped.home;
    wrapped.call(&["read_file", "delete_file", "delete_file"])?;
    ensure!(
        tee::called(&wrapped.record) == ["read_file", "delete_file", "delete_file"],
        "observed, nothing is stopped"
    );
    let server = wrapped.status()?;
    ensure!(word(&server, "mode") == "observing" && server["calls"] == 3 && server["stopped"] == 0, "{server}");
    ensure!(server["would_stop"] == 0, "a policy without rules would stop nothing: {server}");
    let text = home.does(&["status"])?;
    ensure!(text.contains("files.json") && text.contains("toolgate promote files --dry-run"), "{text}");

    let before = std::fs::read_to_string(wrapped.policy())?;
    let dry = home.does(&["promote", "--dry-run"])?;
    ensure!(dry.contains("would stop nothing") && dry.contains("balanced") && dry.contains("needs approval"), "{dry}");
    ensure!(dry.contains("Of 3 calls in the last 30d, 2 would have been stopped"), "{dry}");
    ensure!(!dry.contains("hidden-value"), "{dry}");
    let output = home.run(&["promote"])?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("--yes"), "{}", said(&output));
    ensure!(std::fs::read_to_string(wrapped.policy())? == before);

    // A gateway that runs takes it up.
    let mut client = wrapped.start()?;
    let report = json_of(home, &["promote", "files", "--yes", "--json"])?;
    ensure!(report.pointer("/policies/0/written") == Some(&json!(true)), "{report}");
    ensure!(report.pointer("/policies/0/would_have_been_stopped/0/times") == Some(&json!(2)), "{report}");
    client.wait_stderr("is in force")?;
    client.tools()?;
    ensure!(client.call("read_file", json!({ "path": "x" }))?.is_done());
    ensure!(client.call("delete_file", json!({}))?.is_denied());
    client.close();
    client.wait()?;
    ensure!(tee::called(&wrapped.record).len() == 4, "what is denied does not reach the server");
    let server = wrapped.status()?;
    ensure!(word(&server, "mode") == "enforcing" && server["calls"] == 5 && server["stopped"] == 1, "{server}");
    ensure!(home.does(&["promote", "files"])?.contains("stops calls already"));

    // And back, and forth again.
    let text = home.does(&["promote", "files", "--back", "--yes"])?;
    ensure!(text.contains("now observing"), "{text}");
    ensure!(std::fs::read_to_string(wrapped.policy())? == before);
    home.does(&["promote", "files", "--back", "--yes"])?;
    ensure!(word(&wrapped.status()?, "mode") == "enforcing");
    Ok(())
}

#[test]
fn observed_rules_say_what_they_would_have_stopped() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let home = &wrapped.home;
    let text = "{\n  // ours\n  \"version\": \"1\", \"mode\": \"observe\", \"default\": \"allow\",\n  \"tools\": { \"delete_file\": { \"action\": \"deny\" } }\n}\n";
    std::fs::write(wrapped.policy(), text)?;
    wrapped.call(&["delete_file", "read_file"])?;
    let server = wrapped.status()?;
    ensure!(server["would_stop"] == 1 && server["calls"] == 2 && server["stopped"] == 0, "{server}");
    let report = json_of(home, &["promote", "--dry-run", "--json"])?;
    let stop = report.pointer("/policies/0/would_have_been_stopped/0").context("a call")?;
    ensure!(word(stop, "name") == "delete_file" && word(stop, "effect") == "deny", "{report}");
    ensure!(word(stop, "rule").contains("/tools/delete_file"), "{report}");
    home.does(&["promote", "--yes"])?;
    ensure!(std::fs::read_to_string(wrapped.policy())? == text.replace("\"observe\"", "\"enforce\""));
    wrapped.call(&["delete_file", "read_file"])?;
    ensure!(tee::called(&wrapped.record) == ["delete_file", "read_file", "read_file"]);

    // It stays so: promote never ends enforcement.
    let output = home.run(&["promote", "files", "--temper", "observe", "--yes"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("--back"), "{}", said(&output));
    ensure!(std::fs::read_to_string(wrapped.policy())? == text.replace("\"observe\"", "\"enforce\""));
    Ok(())
}

#[test]
fn the_id_of_a_server_goes_before_a_name_in_a_client() -> anyhow::Result<()> {
    let home = Home::new()?;
    let file =
        |package: &str| json!({ "mcpServers": { "notes": { "command": "npx", "args": [package] } } }).to_string();
    home.file(".cursor/mcp.json", file("one").as_bytes())?;
    home.file(".gemini/settings.json", file("two").as_bytes())?;
    home.does(&["wrap", "--yes"])?;
    let policy = |name: &str| home.path().join(format!(".config/toolgate/policies/{name}.json"));
    for name in ["notes", "notes-2"] {
        ensure!(policy(name).is_file(), "{name}");
        std::fs::write(policy(name), OBSERVED)?;
    }
    home.does(&["promote", "notes", "--yes"])?;
    ensure!(std::fs::read_to_string(policy("notes"))? != OBSERVED);
    ensure!(std::fs::read_to_string(policy("notes-2"))? == OBSERVED, "another server");
    home.does(&["promote", "notes-2", "--yes"])?;
    ensure!(std::fs::read_to_string(policy("notes-2"))? != OBSERVED);
    Ok(())
}

#[test]
fn what_is_gone_back_to_must_be_a_policy() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let policy = std::fs::read_to_string(wrapped.policy())?;
    let before = wrapped.policy().with_file_name("files.json.before");
    std::fs::write(&before, "{ \"version\": \"1\", \"tolls\": {} }")?;
    let output = wrapped.home.run(&["promote", "files", "--back", "--yes"])?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("tolls") && text.contains("files.json.before"), "{text}");
    ensure!(std::fs::read_to_string(wrapped.policy())? == policy);
    Ok(())
}

#[test]
fn looking_writes_nothing_in_the_data_directory() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let format = wrapped.home.path().join(".local/share/toolgate/format");
    ensure!(format.parent().is_some_and(Path::is_dir) && !format.exists(), "no gateway ran yet");
    for words in [&["status"][..], &["logs"], &["audit", "verify"], &["promote", "--dry-run"]] {
        let output = wrapped.home.run(words)?;
        ensure!(output.status.code() != Some(2) && !format.exists(), "{words:?}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn without_definitions_there_is_nothing_to_propose() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let output = wrapped.home.run(&["promote", "--yes"])?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("use it once"), "{}", said(&output));
    let output = wrapped.home.run(&["promote", "nobody"])?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("there are files"), "{}", said(&output));
    Ok(())
}

#[test]
fn an_edit_is_taken_only_when_it_is_valid() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let before = std::fs::read_to_string(wrapped.policy())?;
    let draft = wrapped.policy().with_file_name("files.draft.json");
    let output = wrapped.edit("exit 0")?;
    ensure!(output.status.success() && said(&output).contains("nothing was changed") && !draft.exists());

    let output = wrapped.edit("sed 's/\"default\"/\"defualt\"/' \"$2\" > \"$2.x\" && mv \"$2.x\" \"$2\"")?;
    let text = said(&output);
    ensure!(output.status.code() == Some(1) && text.contains("defualt") && text.contains("files.draft.json"), "{text}");
    ensure!(std::fs::read_to_string(wrapped.policy())? == before && draft.exists());
    let output = wrapped.edit("exit 3")?;
    ensure!(output.status.code() == Some(2) && draft.exists(), "{}", said(&output));

    // The draft goes on, and a gateway that runs takes up what became of it.
    let client = wrapped.start()?;
    let output = wrapped
        .edit("sed 's/\"defualt\"/\"default\"/; s/: \"allow\"/: \"deny\"/' \"$2\" > \"$2.x\" && mv \"$2.x\" \"$2\"")?;
    let text = said(&output);
    ensure!(
        output.status.success() && text.contains("going on with") && text.contains("+  \"default\": \"deny\""),
        "{text}"
    );
    ensure!(
        std::fs::read_to_string(wrapped.policy())? == before.replace(": \"allow\"", ": \"deny\"") && !draft.exists()
    );
    client.wait_stderr("is in force")?;
    wrapped.home.does(&["promote", "files", "--back", "--yes"])?;
    ensure!(std::fs::read_to_string(wrapped.policy())? == before);

    // A policy that is missing begins as a new one does.
    std::fs::remove_file(wrapped.policy())?;
    let output = wrapped.edit("sed 's/observes/watches/' \"$2\" > \"$2.x\" && mv \"$2.x\" \"$2\"")?;
    ensure!(output.status.success() && wrapped.policy().is_file(), "{}", said(&output));
    Ok(())
}

#[test]
fn a_draft_undoes_nothing_that_came_after_it() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let home = &wrapped.home;
    std::fs::write(wrapped.policy(), OBSERVED)?;
    let (draft, base) =
        (wrapped.policy().with_file_name("files.draft.json"), wrapped.policy().with_file_name("files.draft.base"));
    let output = wrapped.edit("exit 127")?;
    ensure!(output.status.code() == Some(2) && !said(&output).contains("kept"), "{}", said(&output));
    ensure!(!draft.exists() && !base.exists(), "nothing was edited");

    let add = "sed 's/\"delete_file\"/\"write_file\": {}, \"delete_file\"/' \"$2\" > \"$2.x\" && mv \"$2.x\" \"$2\"";
    let output = wrapped.edit(&format!("{add}; exit 1"))?;
    ensure!(output.status.code() == Some(2) && draft.exists() && base.exists(), "{}", said(&output));
    home.does(&["promote", "files", "--yes"])?;
    let promoted = std::fs::read_to_string(wrapped.policy())?;
    for with_base in [true, false] {
        if !with_base {
            std::fs::remove_file(&base)?;
        }
        let output = wrapped.edit("exit 0")?;
        let text = said(&output);
        ensure!(output.status.code() == Some(1) && text.contains("-  \"mode\": \"enforce\""), "{text}");
        ensure!(text.contains("+  \"mode\": \"observe\"") && text.contains("files.draft.json"), "{text}");
        ensure!(std::fs::read_to_string(wrapped.policy())? == promoted && draft.exists());
    }

    // One that nobody edited, as an editor that was killed leaves it, is begun anew.
    std::fs::write(&draft, OBSERVED)?;
    std::fs::write(&base, OBSERVED)?;
    let output = wrapped.edit(add)?;
    ensure!(output.status.success() && !draft.exists() && !base.exists(), "{}", said(&output));
    let now = std::fs::read_to_string(wrapped.policy())?;
    ensure!(now.contains("write_file") && now.contains("\"enforce\""), "{now}");
    Ok(())
}

#[test]
fn an_editor_that_is_closed_changes_nothing() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let draft = wrapped.policy().with_file_name("files.draft.json");
    let broken = "{ \"version\": \"1\", \"tolls\": {} }";
    std::fs::write(wrapped.policy(), broken)?;
    let output = wrapped.edit("exit 0")?;
    ensure!(output.status.code() == Some(1) && said(&output).contains("tolls"), "{}", said(&output));
    ensure!(std::fs::read_to_string(wrapped.policy())? == broken && !draft.exists());
    std::fs::remove_file(wrapped.policy())?;
    let output = wrapped.edit("exit 0")?;
    ensure!(output.status.success() && said(&output).contains("missing as before"), "{}", said(&output));
    ensure!(!wrapped.policy().exists() && !draft.exists());
    Ok(())
}

#[test]
fn doctor_finds_what_was_planted() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let home = &wrapped.home;
    let doctor = &["doctor", "--json"][..];
    let (_, all) = checks(home, doctor, "policy")?;
    ensure!(all.len() == 1 && word(&all[0], "level") == "ok", "{all:?}");

    std::fs::write(wrapped.policy(), "{ \"version\": \"1\", \"default\": \"deny\", \"tolls\": {} }")?;
    let (code, all) = checks(home, doctor, "policy")?;
    ensure!(code == Some(1) && word(&all[0], "text").contains("tolls"), "{all:?}");
    ensure!(word(&all[0], "remedy") == "toolgate policy edit files", "{all:?}");
    std::fs::remove_file(wrapped.policy())?;
    let (code, all) = checks(home, doctor, "policy")?;
    ensure!(code == Some(1) && word(&all[0], "text").contains("missing"), "{all:?}");
    ensure!(home.does(&["status"])?.contains("toolgate doctor"), "status says where to look");

    // A server beside it, a program that is not there, a client that took the gateway out.
    let now: Value = serde_json::from_str(&std::fs::read_to_string(&wrapped.file)?)?;
    let mut more = now.clone();
    more["mcpServers"]["new"] = json!({ "command": "npx", "args": ["new"] });
    std::fs::write(&wrapped.file, more.to_string())?;
    let (_, all) = checks(home, doctor, "bare")?;
    ensure!(all.len() == 1 && word(&all[0], "remedy") == "toolgate wrap cursor --server new", "{all:?}");
    let args = more["mcpServers"]["files"]["args"].as_array_mut().context("arguments")?;
    let at = args.iter().position(|word| word == "--").context("--")? + 1;
    args[at] = json!("/no/such/server");
    std::fs::write(&wrapped.file, more.to_string())?;
    let (code, all) = checks(home, doctor, "command")?;
    ensure!(code == Some(1) && word(&all[0], "text").contains("/no/such/server"), "{all:?}");
    let (_, all) = checks(home, doctor, "drift")?;
    ensure!(all.len() == 1 && word(&all[0], "level") == "note", "{all:?}");
    more["mcpServers"]["files"] = json!({ "command": "npx", "args": ["files"] });
    std::fs::write(&wrapped.file, more.to_string())?;
    let (code, all) = checks(home, doctor, "drift")?;
    ensure!(code == Some(1) && word(&all[0], "remedy") == "toolgate wrap cursor --server files", "{all:?}");
    std::fs::write(&wrapped.file, "{ \"mcpServers\": ")?;
    let (code, all) = checks(home, doctor, "file")?;
    ensure!(code == Some(1) && word(&all[0], "text").contains("line 1"), "{all:?}");

    // A data directory that is none of ours.
    let data = home.path().join(".local/share/toolgate");
    std::fs::write(data.join("format"), "?")?;
    let (code, all) = checks(home, doctor, "data directory")?;
    ensure!(code == Some(1) && word(&all[0], "ok").is_empty() && all[0]["ok"] == false, "{all:?}");
    Ok(())
}

#[test]
fn what_doctor_puts_right_can_be_undone() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    let home = &wrapped.home;
    let program = |document: &Value| document.pointer("/mcpServers/files/command").cloned().unwrap_or_default();
    let read = |file: &Path| anyhow::Ok(serde_json::from_str::<Value>(&std::fs::read_to_string(file)?)?);
    let good = read(&wrapped.file)?;
    let own = word(&json!({ "program": program(&good) }), "program").to_owned();

    // An old path of toolgate, and the gateway before itself.
    let mut bad = good.clone();
    let inner = good.pointer("/mcpServers/files/args").and_then(Value::as_array).context("arguments")?;
    let outer = ["run", "--policy", "/p.json", "--name=files", "--"].map(|word| json!(word)).into_iter();
    bad["mcpServers"]["files"] = json!({ "command": "/old/toolgate", "args": outer.chain([json!("/old/toolgate")]).chain(inner.iter().cloned()).collect::<Vec<_>>() });
    let planted = serde_json::to_string_pretty(&bad)?;
    std::fs::write(&wrapped.file, &planted)?;
    let data = home.path().join(".local/share/toolgate");
    for (path, open) in [("clients", 0o755), ("clients/journal.ndjson", 0o644)] {
        std::fs::set_permissions(data.join(path), std::fs::Permissions::from_mode(open))?;
    }
    let (code, all) = checks(home, &["doctor", "--json"], "permissions")?;
    ensure!(code == Some(1) && all.len() == 2, "{all:?}");
    ensure!(checks(home, &["doctor", "--json"], "two wraps")?.1.len() == 1);
    ensure!(std::fs::read_to_string(&wrapped.file)? == planted, "looking changes nothing");

    let output = home.run(&["doctor", "--fix"])?;
    let text = said(&output);
    ensure!(text.contains("put right: ") && text.contains("toolgate undo"), "{text}");
    ensure!(mode(&data.join("clients"))? == 0o700 && mode(&data.join("clients/journal.ndjson"))? == 0o600);
    ensure!(read(&wrapped.file)? == good && !own.is_empty(), "{}", std::fs::read_to_string(&wrapped.file)?);
    ensure!(checks(home, &["doctor", "--json"], "two wraps")?.1.is_empty());
    ensure!(checks(home, &["doctor", "--json"], "toolgate")?.1.is_empty());
    wrapped.call(&["read_file"])?;
    ensure!(tee::called(&wrapped.record) == ["read_file"], "it works again");
    home.does(&["undo"])?;
    home.does(&["undo"])?;
    ensure!(std::fs::read_to_string(&wrapped.file)? == planted);
    Ok(())
}

#[test]
fn a_secret_in_a_shared_file_is_named() -> anyhow::Result<()> {
    let home = Home::new()?;
    std::fs::write(home.project().join(".mcp.json"), ONE)?;
    std::fs::create_dir(home.project().join(".git"))?;
    ensure!(checks(&home, &["doctor", "--json"], "secret")?.1.is_empty(), "nobody tracks it");
    std::fs::write(home.project().join(".git/index"), b"DIRC\0\0\0\x02.mcp.json\0")?;
    let (code, all) = checks(&home, &["doctor", "--json"], "secret")?;
    ensure!(code == Some(0) && all.len() == 1 && word(&all[0], "text").contains("TOKEN"), "{all:?}");
    ensure!(!said(&home.run(&["doctor"])?).contains("sk-live"));
    // A key among arguments is one; a folder in a variable is none.
    let entry = json!({ "command": "npx", "args": ["files", "--api-key", "sk-live-hidden"], "env": { "LOG_DIR": "/var/log/x" } });
    std::fs::write(home.project().join(".mcp.json"), json!({ "mcpServers": { "files": entry } }).to_string())?;
    let (_, all) = checks(&home, &["doctor", "--json"], "secret")?;
    let text = all.first().map(|check| word(check, "text")).unwrap_or_default();
    ensure!(all.len() == 1 && text.contains("an argument") && !text.contains("LOG_DIR"), "{all:?}");
    ensure!(!text.contains("sk-live"), "{text}");
    Ok(())
}

#[test]
fn a_table_of_ones_own_is_laid_over() -> anyhow::Result<()> {
    let home = Home::new()?;
    home.file(".mine.json", b"{ \"servers\": { \"a\": { \"command\": \"npx\", \"args\": [\"a\"] } } }")?;
    let table = "version = 1\n[[client]]\nid = \"mine\"\nname = \"Mine\"\nstatus = \"active\"\nentry.stdio = { command = \"command\", args = \"args\", env = \"env\" }\nreload = \"restart\"\nlist_changed = \"no\"\napprovals = { form = \"no\", url = \"no\" }\nchecked = \"2026-11-21\"\n[[client.surface]]\nscope = \"user\"\npath = [\"{home}/.mine.json\"]\nformat = \"json\"\npointer = [\"servers\"]\n";
    let file = home.file(".config/toolgate/clients.d/mine.toml", table.as_bytes())?;
    let listed = home.does(&["clients"])?;
    ensure!(listed.contains("Mine (mine)") && listed.contains("bare"), "{listed}");
    home.does(&["wrap", "--yes", "mine"])?;
    ensure!(home.does(&["status"])?.contains("Mine, ~/.mine.json"));
    ensure!(said(&home.run(&["doctor"])?).contains("does not ask for tools again"));
    home.does(&["undo"])?;

    std::fs::write(file, table.replace("reload", "relaod"))?;
    for words in [&["clients"][..], &["wrap", "--yes"], &["unwrap", "--yes"], &["undo"], &["status"], &["promote"]] {
        let output = home.run(words)?;
        let text = said(&output);
        ensure!(output.status.code() == Some(2) && text.contains("clients.d/mine.toml: line 7, "), "{words:?}: {text}");
    }
    let (code, all) = checks(&home, &["doctor", "--json"], "table")?;
    ensure!(code == Some(1) && word(&all[0], "text").contains("line 7"), "{all:?}");
    Ok(())
}

#[test]
fn logs_show_what_was_denied_of_a_wrapped_server() -> anyhow::Result<()> {
    let wrapped = Wrapped::new()?;
    std::fs::write(
        wrapped.policy(),
        "{ \"version\": \"1\", \"default\": \"deny\", \"tools\": { \"read_file\": {} } }",
    )?;
    wrapped.call(&["read_file", "delete_file"])?;
    let text = wrapped.home.does(&["logs", "--denied", "--server", "files", "--since", "1h"])?;
    ensure!(text.contains("delete_file") && !text.contains("read_file") && text.lines().count() == 1, "{text}");
    let all = wrapped.home.does(&["logs", "--since", "1h"])?;
    ensure!(all.contains("read_file"), "{all}");
    let other = wrapped.home.run(&["logs", "--server", "other"])?;
    let told = String::from_utf8_lossy(&other.stderr);
    ensure!(other.status.success() && other.stdout.is_empty(), "{}", said(&other));
    ensure!(told.contains("names the server other, only files"), "{told}");
    let quiet = wrapped.home.run(&["logs", "--server", "files", "--tool", "none"])?;
    ensure!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{}", said(&quiet));
    let output = wrapped.home.run(&["logs", "--since", "soon"])?;
    ensure!(output.status.code() == Some(2) && said(&output).contains("90m"), "{}", said(&output));
    Ok(())
}
