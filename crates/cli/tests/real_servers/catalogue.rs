//! The servers, and for each a call whose result is known and one that must not arrive.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::peers::Peers;
use testkit::stdio::McpStdio;

/// The binary under test.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_toolgate");

/// How often the allowed call may be made before its limit bites.
pub(crate) const MAX: usize = 3;

/// One server in a folder of its own.
pub(crate) struct Real {
    /// Its name.
    pub(crate) name: &'static str,
    /// The words of its command line.
    pub(crate) words: Vec<String>,
    /// Variables of its environment.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// A call that the policy allows: tool and arguments.
    pub(crate) allowed: (&'static str, Value),
    /// What its result says. Empty where the result is compared with the server's own only.
    pub(crate) says: &'static str,
    /// A call that the policy denies.
    pub(crate) denied: (&'static str, Value),
    /// What there would be if it had arrived.
    pub(crate) trace: Option<std::path::PathBuf>,
}

/// The names of all servers.
pub(crate) const NAMES: [&str; 7] = ["everything", "filesystem", "memory", "git", "time", "playwright", "ms-365"];

impl Real {
    /// Prepares a server in `folder`.
    pub(crate) fn prepare(peers: &Peers, name: &'static str, folder: &Path) -> anyhow::Result<Self> {
        let text = folder.to_str().context("a folder with an odd name")?;
        let path = |name: &str| format!("{text}/{name}");
        let mut real = Self {
            name,
            words: Vec::new(),
            variables: Vec::new(),
            allowed: ("", Value::Null),
            says: "",
            denied: ("", Value::Null),
            trace: None,
        };
        match name {
            "everything" => {
                real.words = peers.command(name, &["stdio"])?;
                real.allowed = ("echo", json!({ "message": "hello there" }));
                real.says = "Echo: hello there";
                real.denied = ("get-env", json!({}));
            }
            "filesystem" => {
                std::fs::write(path("note.txt"), "what is in the note")?;
                real.words = peers.command(name, &[text])?;
                real.allowed = ("read_text_file", json!({ "path": path("note.txt") }));
                real.says = "what is in the note";
                real.denied = ("write_file", json!({ "path": path("made.txt"), "content": "x" }));
                real.trace = Some(folder.join("made.txt"));
            }
            "memory" => {
                let memory =
                    json!({ "type": "entity", "name": "Ann", "entityType": "person", "observations": ["likes tea"] });
                std::fs::write(path("memory.jsonl"), format!("{memory}\n"))?;
                real.words = peers.command(name, &[])?;
                real.variables = vec![("MEMORY_FILE_PATH", path("memory.jsonl"))];
                real.allowed = ("search_nodes", json!({ "query": "Ann" }));
                real.says = "likes tea";
                real.denied = ("delete_entities", json!({ "entityNames": ["Ann"] }));
            }
            "git" => {
                let git = |words: &[&str]| {
                    let done = Command::new("git").args(words).current_dir(folder).output();
                    anyhow::ensure!(done.context("git")?.status.success(), "git {words:?}");
                    Ok(())
                };
                git(&["init", "-q", "-b", "main", "."])?;
                git(&[
                    "-c",
                    "user.name=Ann",
                    "-c",
                    "user.email=ann@example.com",
                    "commit",
                    "-q",
                    "--allow-empty",
                    "-m",
                    "the first commit",
                ])?;
                real.words = peers.command(name, &["--repository", text])?;
                real.allowed = ("git_log", json!({ "repo_path": text, "max_count": 1 }));
                real.says = "the first commit";
                real.denied = ("git_create_branch", json!({ "repo_path": text, "branch_name": "made" }));
                real.trace = Some(folder.join(".git/refs/heads/made"));
            }
            "time" => {
                real.words = peers.command(name, &[])?;
                real.allowed = (
                    "convert_time",
                    json!({ "source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo" }),
                );
                real.says = "T21:00:00+09:00";
                real.denied = ("get_current_time", json!({ "timezone": "UTC" }));
            }
            // It has no browser here, and says so.
            "playwright" => {
                real.words = peers.command(name, &["--headless", "--executable-path", "/nothing/here"])?;
                real.allowed = ("browser_tabs", json!({ "action": "list" }));
                real.denied = ("browser_navigate", json!({ "url": "http://127.0.0.1:1/" }));
            }
            "ms-365" => {
                real.words = peers.command(name, &[])?;
                // Its caches go where nobody's own are.
                real.variables = vec![("HOME", text.to_owned())];
                real.allowed = ("verify-login", json!({}));
                real.says = "Login failed";
                real.denied = ("logout", json!({}));
            }
            other => anyhow::bail!("no server {other}"),
        }
        Ok(real)
    }

    /// A policy that allows one tool, [`MAX`] times.
    pub(crate) fn policy(&self) -> Value {
        let limits = json!([{ "counter": "calls", "window": 2_678_400, "max": MAX }]);
        json!({ "version": "1", "default": "deny", "tools": { self.allowed.0: { "limits": limits } } })
    }

    /// What the server itself lists and answers, with nothing in between.
    pub(crate) fn directly(&self) -> anyhow::Result<(Vec<String>, Value)> {
        let (program, arguments) = self.words.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut server = McpStdio::start(&mut command)?;
        // The policy lets no server ask anything, so nothing can be asked here either.
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "tests", "version": "1" } });
        server.request("initialize", hello).context(self.name)?;
        server.send(&testkit::message::notification("notifications/initialized", json!({})))?;
        let tools = server.tools()?;
        let answer = server.request("tools/call", json!({ "name": self.allowed.0, "arguments": self.allowed.1 }))?;
        server.close();
        Ok((tools, answer.get("result").cloned().unwrap_or_default()))
    }

    /// Whether the denied call has left its trace.
    pub(crate) fn was_touched(&self) -> bool {
        self.trace.as_ref().is_some_and(|trace| trace.exists())
    }
}

/// A result without what differs from call to call.
pub(crate) fn comparable(result: &Value) -> Value {
    let mut result = result.clone();
    if let Some(members) = result.as_object_mut() {
        members.remove("_meta");
        members.remove("resultType");
    }
    result
}
