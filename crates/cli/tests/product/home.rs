//! A home of its own, in which clients keep files, and servers that they name.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::place;
use testkit::script::{Script, Tool};
use testkit::toolgate::folder;

use crate::setup::EXE;

/// A home, and a project beside it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let home = Self { folder: folder()? };
        std::fs::create_dir_all(home.path())?;
        std::fs::create_dir_all(home.project())?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub(crate) fn file(&self, name: &str, text: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))?;
        Ok(path)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(EXE);
        command.args(words).env_clear().env("HOME", self.path()).current_dir(self.project()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> anyhow::Result<Output> {
        Ok(self.command(words).output()?)
    }

    /// Runs what must succeed, and gives back what it said.
    pub(crate) fn does(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.run(words)?;
        ensure!(output.status.success(), "{words:?}: {}", said(&output));
        Ok(said(&output))
    }

    /// The entry of a server with these tools, which really answers.
    pub(crate) fn server(&self, name: &str, tools: &[&str]) -> anyhow::Result<Value> {
        let server = place::program("recording-server", Path::new(EXE))?;
        let script = self.folder.path().join(format!("{name}.script"));
        std::fs::write(&script, serde_json::to_string(&Script::with(tools.iter().map(|name| Tool::named(name))))?)?;
        Ok(json!({ "command": server, "args": [script, self.record(name)] }))
    }

    /// What a server of [`Home::server`] was sent; not there, where it was never started.
    pub(crate) fn record(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.record"))
    }

    /// A file of Cursor with these servers.
    pub(crate) fn cursor(&self, servers: &Value) -> anyhow::Result<(PathBuf, Vec<u8>)> {
        let text = serde_json::to_string_pretty(&json!({ "mcpServers": servers }))?;
        Ok((self.file(".cursor/mcp.json", text.as_bytes())?, text.into_bytes()))
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path().join(".local/share/toolgate/clients/journal.ndjson")
    }
}

/// Both streams.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn mode(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::metadata(path)?.mode() & 0o7777)
}

pub(crate) const ONE: &str = r#"{
  // mine
  "mcpServers": {
    "files": { "command": "npx", "args": ["-y", "files"], "env": { "TOKEN": "sk-live-hidden" } }
  }
}
"#;
