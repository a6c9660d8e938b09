//! What other languages read from the same bytes.
//!
//! A gateway judges what its own parser read. Whether the server reads the same is asked of the
//! JSON decoders that servers use: Python's, Node's and Go's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

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
///
/// # Errors
/// When Go is installed and cannot compile its decoder.
pub fn languages() -> anyhow::Result<Vec<Language>> {
    let scripts = place::repository().join("tests/clients");
    let peers = peers::find();
    let known = [
        ("Python", "python3", "--version", "decode.py"),
        ("Node", "node", "--version", "decode.mjs"),
        ("Go", "go", "version", "decode.go"),
    ];
    let mut found = Vec::new();
    for (name, program, version, script) in known {
        let installed = peers.as_ref().and_then(|peers| peers.command(program, &[]).ok()?.into_iter().next());
        let program = PathBuf::from(installed.unwrap_or_else(|| program.to_owned()));
        let script = scripts.join(script);
        let there = Command::new(&program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            eprintln!("skipped: {name} is not installed");
            continue;
        }
        let command = if name == "Go" { vec![compiled(&program, &script)?] } else { vec![program, script] };
        found.push(Language { name, command });
    }
    Ok(found)
}

/// Go's decoder as a program. It is compiled once for all that a run of tests asks of it, from the standard library alone:
/// nothing is fetched, and nothing is read or written where a home may or may not be.
fn compiled(go: &Path, script: &Path) -> anyhow::Result<PathBuf> {
    static COMPILED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let compile = || -> anyhow::Result<PathBuf> {
        let cache = place::repository().join("target/go");
        std::fs::create_dir_all(&cache)?;
        let (program, own) = (cache.join("decode"), cache.join(format!("decode-{}", std::process::id())));
        let mut command = Command::new(go);
        command.args(["build", "-o"]).arg(&own).arg(script).current_dir(&cache);
        command.env("GOCACHE", cache.join("cache")).env("GOPATH", cache.join("path"));
        command.envs([("GO111MODULE", "off"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0")]);
        let output = command.output()?;
        if !output.status.success() {
            bail!("Go does not compile {}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
        }
        // Others may be running the one that is there, or compile theirs.
        std::fs::rename(own, &program)?;
        Ok(program)
    };
    COMPILED.get_or_init(|| compile().map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)
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
