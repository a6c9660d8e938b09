//! The commands against an instance that serves: what they answer holds for the next call.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{EXE, api, endpoint, instance, said};

/// Somebody at a terminal, who has signed in.
struct Person<'a> {
    folder: &'a Path,
    url: String,
}

impl<'a> Person<'a> {
    fn set_up(toolgate: &Toolgate, folder: &'a Path) -> anyhow::Result<Self> {
        toolgate.wait_stderr("setup-token ")?;
        let api = api(toolgate)?;
        let url = api.trim_end_matches("/api/v1/").to_owned();
        let person = Self { folder, url };
        std::fs::write(folder.join("setup"), said(toolgate, "setup-token ").context("no setup token")?)?;
        std::fs::write(folder.join("password"), "correct horse battery")?;
        let words = ["setup", "--name", "ada", "--setup-token-file", "setup", "--password-file", "password"];
        person.done(&words)?;
        Ok(person)
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(EXE);
        command.args(words).env_clear().env("HOME", self.folder.join("home")).env("TOOLGATE_INSTANCE", &self.url);
        Ok(command.current_dir(self.folder).stdin(std::process::Stdio::null()).output()?)
    }

    fn done(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.run(words)?;
        ensure!(output.status.success(), "{words:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

#[test]
fn what_a_file_declares_is_served_and_what_is_stopped_or_revoked_is_not() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read"), Tool::named("delete")]))?;
    let folder = testkit::toolgate::folder()?;
    let folder = folder.path();
    let toolgate = instance(&folder.join("data"))?.serve()?;
    let person = Person::set_up(&toolgate, folder)?;
    let document = r#"{ "version": "1", "default": "deny", "tools": { "read": {} } }"#;
    std::fs::write(folder.join("careful.json"), document)?;
    let config = format!(
        "[servers.files]\nurl = \"{}\"\npolicy = \"careful.json\"\naccept = \"first\"\n\n[[grants]]\nlabel = \"desk\"\nserver = \"files\"\ntoken_file = \"desk.token\"\n",
        upstream.url()
    );
    std::fs::write(folder.join("toolgate.toml"), config)?;
    person.done(&["apply", "-f", "toolgate.toml"])?;
    ensure!(person.done(&["apply", "-f", "toolgate.toml"])?.contains("Nothing to do"));
    let token = std::fs::read_to_string(folder.join("desk.token"))?;

    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(token.trim()))?;
    assert_eq!(agent.tools()?, ["read"]);
    assert!(agent.call("read", json!({}))?.is_done());
    assert!(person.done(&["replicas"])?.lines().count() == 2);

    person.done(&["stop-calls", "--server", "files", "--reason", "an incident of ours"])?;
    let stopped = agent.call("read", json!({}))?;
    assert!(!stopped.is_done() && format!("{stopped:?}").contains("an incident of ours"), "{stopped:?}");
    person.done(&["resume", "--server", "files", "--reason", "it is over"])?;
    assert!(agent.call("read", json!({}))?.is_done());

    std::fs::write(folder.join("careful.json"), document.replace("read", "delete"))?;
    let out = person.done(&["policy", "put", "careful", "careful.json", "--publish", "--reason", "the other one"])?;
    assert!(out.contains("version 2 is in force"), "{out}");
    assert!(agent.call("delete", json!({}))?.is_done());
    assert!(!agent.call("read", json!({}))?.is_done());
    person.done(&["policy", "rollback", "careful", "--to", "1", "--reason", "it was right"])?;
    assert!(agent.call("read", json!({}))?.is_done());

    person.done(&["grant", "revoke", "files/desk", "--reason", "its token was in a log"])?;
    let knock = agent.post_message(&json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/list" }))?;
    assert_eq!(knock.status(), 401, "{}", knock.text());
    assert_eq!(upstream.called(), ["read", "read", "delete", "read"]);
    Ok(())
}

#[test]
fn what_is_used_is_shown_and_reset_and_what_was_decided_is_listed_and_exported() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let folder = folder.path();
    let toolgate = instance(&folder.join("data"))?.serve()?;
    let person = Person::set_up(&toolgate, folder)?;
    let once = json!([{ "counter": "calls", "window": 2_678_400, "max": 1, "scope": "grant" }]);
    let document = json!({ "version": "1", "default": "deny", "tools": { "read": { "limits": once } } });
    std::fs::write(folder.join("once.json"), document.to_string())?;
    let config = format!(
        "[servers.files]\nurl = \"{}\"\npolicy = \"once.json\"\naccept = \"first\"\n\n[[grants]]\nlabel = \"desk\"\nserver = \"files\"\ntoken_file = \"desk.token\"\n",
        upstream.url()
    );
    std::fs::write(folder.join("toolgate.toml"), config)?;
    person.done(&["apply", "-f", "toolgate.toml"])?;
    let token = std::fs::read_to_string(folder.join("desk.token"))?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(token.trim()))?;
    assert!(agent.call("read", json!({}))?.is_done());
    assert!(!agent.call("read", json!({}))?.is_done());

    let shown = person.done(&["limits", "show"])?;
    assert!(shown.contains("calls") && shown.contains("grant desk"), "{shown}");
    let shown: Value = serde_json::from_str(&person.done(&["limits", "show", "--json"])?)?;
    let uses = shown["items"].as_array().or(shown.as_array()).with_context(|| format!("no uses in {shown}"))?;
    let id = uses[0]["id"].as_str().with_context(|| format!("no id in {shown}"))?;
    assert!(!person.run(&["limits", "reset", "no such count", "--reason", "none"])?.status.success());
    person.done(&["limits", "reset", id, "--reason", "it was paid for"])?;
    assert!(agent.call("read", json!({}))?.is_done());
    assert_eq!(upstream.called().len(), 2);
    // Who reads what was done is none of those who do it.
    assert!(!person.run(&["events"])?.status.success());
    let auditor = person.done(&["token", "add", "audit", "--role", "auditor"])?;
    std::fs::write(folder.join("audit.token"), auditor.trim())?;
    let events = person.done(&["events", "--token-file", "audit.token"])?;
    assert!(events.contains("limits.reset") && events.contains("it was paid for"), "{events}");

    // Records are shipped beside the calls: they are there a moment later.
    let listed = || person.done(&["logs", "--json", "--tool", "read"]).ok().filter(|text| text.lines().count() == 3);
    wait::until("three decisions", wait::PATIENCE, listed)?;
    let denied = person.done(&["logs", "--json", "--denied"])?;
    assert_eq!(denied.lines().count(), 1, "{denied}");
    let table = person.done(&["logs", "--export", "csv"])?;
    assert!(table.lines().count() == 4 && table.starts_with("id,"), "{table}");
    let lines = person.done(&["logs", "--export", "ndjson", "--effect", "allow"])?;
    assert_eq!(lines.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2, "{lines}");
    Ok(())
}
