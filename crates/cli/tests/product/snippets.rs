//! Every command that a page of the catalogue shows is one that this binary carries out.
//!
//! The commands run in a shell, where `npx`, `uvx` and `docker` start a recording server: what is
//! tested is that the words before it are right, not what somebody else publishes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::json;
use testkit::place;
use testkit::script::{Script, Tool};
use testkit::stdio::McpStdio;
use testkit::upstream::Upstream;

use crate::pages::Pages;
use crate::setup::EXE;

/// What starts the servers that pages speak of.
const STARTERS: [&str; 6] = ["npx", "uvx", "docker", "pipx", "bunx", "node"];

/// A home: the files that commands speak of, and programs that stand for servers.
struct Home {
    folder: tempfile::TempDir,
    /// The server that has an address.
    upstream: Upstream,
}

impl Home {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (home, programs) = (folder.path(), folder.path().join("programs"));
        fs::create_dir(&programs)?;
        std::os::unix::fs::symlink(EXE, programs.join("toolgate"))?;
        let (script, record) = (home.join("script.json"), home.join("record"));
        let tools = [Tool::named("read_file"), Tool::named("create_table")];
        let says = Script::with(tools);
        fs::write(&script, serde_json::to_string(&says)?)?;
        let server = place::program("recording-server", Path::new(EXE))?;
        let starter = format!("#!/bin/sh\nexec '{}' '{}' '{}'\n", server.display(), script.display(), record.display());
        for name in STARTERS.iter().chain(&["COMMAND"]) {
            let path = programs.join(name);
            fs::write(&path, &starter)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        let policy = json!({ "version": "1", "default": "allow" });
        fs::write(home.join("policy.json"), policy.to_string())?;
        let client = json!({ "mcpServers": { "files": { "command": "npx", "args": ["-y", "files"] } } });
        fs::write(home.join("FILE"), client.to_string())?;
        Ok(Self { folder, upstream: Upstream::start(says)? })
    }

    /// A shell that carries out a line.
    fn shell(&self, line: &str) -> Command {
        let home = self.folder.path();
        let path = format!("{}:/usr/bin:/bin", home.join("programs").display());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-ec", line]).current_dir(home);
        shell.env_clear().env("PATH", path).env("HOME", home).env("TOOLGATE_DATA_DIR", home.join("data"));
        shell
    }

    /// Runs the gateway as an agent does, which lists the tools.
    fn serves(&self, line: &str) -> anyhow::Result<()> {
        let mut gateway = McpStdio::start(&mut self.shell(&format!("exec {line}")))?;
        gateway.initialize().with_context(|| format!("`{line}`"))?;
        let tools = gateway.request("tools/list", json!({}))?;
        ensure!(tools.to_string().contains("read_file"), "`{line}` lists {tools}: {}", gateway.stderr());
        Ok(())
    }

    /// Runs a command that ends by itself.
    fn succeeds(&self, line: &str) -> anyhow::Result<()> {
        let output = self.shell(line).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "`{line}`: {output:?}");
        Ok(())
    }
}

impl Home {
    /// Carries out what a page shows, and sees that it does what it says.
    fn carries_out(&self, line: &str) -> anyhow::Result<()> {
        let line = self.filled(line);
        if is_name(&line) {
            return self.succeeds(&format!("{line} --help"));
        }
        match line.split(' ').nth(1) {
            Some("run") => self.serves(&line),
            // It goes on until it is stopped.
            Some("serve") => McpStdio::start(&mut self.shell(&format!("exec {line} --listen 127.0.0.1:0")))?
                .wait_stderr("endpoint http://"),
            // A server has tools to accept once the gateway has seen it.
            Some("server") => {
                self.serves("toolgate run --policy policy.json --name server -- COMMAND")?;
                self.succeeds(&format!("{line} --lock toolgate.lock"))
            }
            // A person would be asked before programs start.
            Some("scan") if line.contains("--config") => self.succeeds(&format!("{line} --yes --project")),
            _ => self.succeeds(&line),
        }
    }

    /// What stands in place of something is filled in.
    fn filled(&self, line: &str) -> String {
        let mut line = line.replace("\\\n", " ");
        for (place, filled) in [
            ("COMMAND THAT STARTS THE SERVER", "COMMAND"),
            ("--policy …", "--policy policy.json"),
            ("/path/to/policy.json", "policy.json"),
            ("${workspaceFolder}/policy.json", "policy.json"),
            ("URL", &self.upstream.url()),
            ("SERVER", "server"),
            ("TOOL=CLASS", "read_file=read"),
            ("CLASS", "read"),
            ("TEXT", "'Looked at.'"),
        ] {
            line = line.replace(place, filled);
        }
        line
    }
}

/// The texts of the elements of this name, as people see them.
fn elements(page: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut texts = Vec::new();
    for piece in page.split(&open).skip(1) {
        let Some((_, inner)) = piece.split_once('>') else { continue };
        let inner = inner.split(&close).next().unwrap_or_default();
        let shown: String = inner
            .split('<')
            .enumerate()
            .map(|(index, part)| if index == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) })
            .collect();
        let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        texts.push(shown.trim().to_owned());
    }
    texts
}

/// The pages of a fresh catalogue: all but those of tools, of which each server's first is taken.
fn paths(pages: &Pages) -> anyhow::Result<BTreeSet<String>> {
    let (mut found, mut open) = (BTreeSet::new(), vec!["/".to_owned()]);
    let mut servers_with_tool = BTreeSet::new();
    while let Some(path) = open.pop() {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let tool = matches!(parts.as_slice(), ["s", _, _, _, ..]);
        if path.ends_with('/') && tool && !servers_with_tool.insert(parts.iter().take(3).copied().collect::<String>()) {
            continue;
        }
        if !path.ends_with('/') || !found.insert(path.clone()) {
            continue;
        }
        for link in pages.get(&path)?.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            if !link.contains(['?', '#']) {
                open.push(format!("/{link}"));
            }
        }
    }
    Ok(found)
}

/// Whether only words of commands stand there, as in a sentence: `toolgate policy test`.
fn is_name(line: &str) -> bool {
    line.split(' ').skip(1).all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The command line of the server in an entry of a client's configuration: in JSON, TOML and YAML it is
/// a list that reads as JSON, with the program before it or in it.
fn entry(text: &str) -> Option<String> {
    let start = text.find(r#"["toolgate""#).or_else(|| text.find(r#"["run""#))?;
    let list = text.get(start..)?.lines().next()?.trim_end_matches(',');
    let words: Vec<String> = serde_json::from_str(list).ok()?;
    let words = words.iter().skip_while(|word| *word == "toolgate").map(String::as_str);
    Some(format!("toolgate {}", words.collect::<Vec<_>>().join(" ")))
}

#[test]
fn every_command_of_every_page() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let pages = Pages::start(folder.path())?;
    let (mut commands, mut entries) = (BTreeSet::new(), 0);
    let paths = paths(&pages)?;
    assert!(paths.len() > 150, "{}", paths.len());
    for path in &paths {
        let page = pages.get(path)?;
        let shown = elements(&page, "pre").into_iter().chain(elements(&page, "code"));
        for text in shown {
            if let Some(line) = entry(&text) {
                commands.insert(line);
                entries += 1;
            } else if let Some(at) = text.find("toolgate ").filter(|at| *at == 0 || text.starts_with("claude mcp add"))
            {
                commands.extend(text.get(at..).map(str::to_owned));
            }
        }
    }
    assert!(commands.len() > 100 && entries > 10, "{entries} {commands:?}");
    let home = Home::new()?;
    let failed: Vec<String> =
        commands.iter().filter_map(|line| home.carries_out(line).err().map(|error| format!("{error:#}"))).collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), commands.len(), failed.join("\n"));
    Ok(())
}
