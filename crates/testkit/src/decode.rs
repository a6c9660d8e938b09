//! What other languages read from the same bytes.
//!
//! A gateway judges what its own parser read. Whether the server reads the same is asked of the
//! JSON decoders that servers use: Python's, Node's and Go's.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{peers, place};

/// A decoder that is installed here.
#[derive(Debug, Clone)]
pub struct Language {
    /// Its name.
    pub name: &'static str,
    command: Vec<PathBuf>,
}

/// The languages that are installed, by `cargo xtask test` or on the machine. For others it is said
/// that they are skipped.
pub fn languages() -> Vec<Language> {
    let scripts = place::repository().join("tests/clients");
    let peers = peers::find();
    let known: [(&'static str, &str, &str, &[&str], &str); 3] = [
        ("Python", "python3", "--version", &[], "decode.py"),
        ("Node", "node", "--version", &[], "decode.mjs"),
        ("Go", "go", "version", &["run"], "decode.go"),
    ];
    let mut found = Vec::new();
    for (name, program, version, words, script) in known {
        let installed = peers.as_ref().and_then(|peers| peers.command(program, &[]).ok()?.into_iter().next());
        let program = installed.unwrap_or_else(|| program.to_owned());
        let there = Command::new(&program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if there.is_ok_and(|status| status.success()) {
            let mut command = vec![PathBuf::from(program)];
            command.extend(words.iter().map(PathBuf::from));
            command.push(scripts.join(script));
            found.push(Language { name, command });
        } else {
            eprintln!("skipped: {name} is not installed");
        }
    }
    found
}

impl Language {
    /// What this language reads from each of the texts: name and arguments of the call, written
    /// again in a form in which equal values are equal texts, or the error.
    ///
    /// # Errors
    /// When the decoder cannot be run.
    pub fn calls(&self, texts: &[Vec<u8>]) -> anyhow::Result<Vec<Value>> {
        let program = self.command.first().context("no command")?;
        let lines: Vec<String> = texts.iter().map(|text| STANDARD.encode(text)).collect();
        let input = tempfile::NamedTempFile::new()?;
        std::fs::write(input.path(), json!(lines).to_string())?;
        let output = Command::new(program).args(self.command.iter().skip(1)).arg(input.path()).output()?;
        if !output.status.success() {
            bail!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
        let read: Vec<Value> =
            serde_json::from_slice(&output.stdout).with_context(|| format!("what {} printed", self.name))?;
        anyhow::ensure!(read.len() == texts.len(), "{} read {} of {} texts", self.name, read.len(), texts.len());
        Ok(read)
    }
}
