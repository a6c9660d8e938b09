//! The house rules that no other tool checks: who may depend on whom, how long a file may be,
//! and what must not be in the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::system::root;

/// The rows of the house, top to bottom: a crate uses only crates above it.
const ROWS: [&str; 17] = [
    "mcp",
    "quota",
    "policy",
    "risk",
    "audit",
    "clients",
    "store",
    "shared",
    "search",
    "vault",
    "upstream",
    "gateway",
    "catalogue",
    "control",
    "web",
    "testkit",
    "toolgate",
];

/// The pure rows: no IO, no clock, no randomness.
const PURE: [&str; 6] = ["mcp", "quota", "policy", "risk", "audit", "clients"];

/// What the pure rows must not speak of.
const IMPURE: [&str; 9] = [
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::env",
    "std::process",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "tokio::",
];

/// Packages that must not be in the tree: one crypto library is enough, and these were left out on purpose.
const BANNED: [&str; 5] = ["openssl", "openssl-sys", "native-tls", "rsa", "serde_yaml"];

/// The most lines of a source file.
const MAX_LINES: usize = 800;

/// Runs every check.
pub fn run_checks() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    layering(&mut findings)?;
    sources(&mut findings)?;
    dependencies(&mut findings)?;
    Ok(findings)
}

/// Runs every check, and the formatter and linter.
pub fn run() -> Result<()> {
    let findings = run_checks()?;
    if !findings.is_empty() {
        bail!("{} findings:\n  {}", findings.len(), findings.join("\n  "));
    }
    crate::system::run("cargo", &["fmt", "--all", "--check"])?;
    crate::system::run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}

fn layering(findings: &mut Vec<String>) -> Result<()> {
    let row = |name: &str| ROWS.iter().position(|other| *other == name);
    for manifest in manifests()? {
        let text = std::fs::read_to_string(&manifest)?;
        let name = value(&text, "name").unwrap_or_default();
        let Some(own) = row(&name) else { continue };
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if row(used).is_some_and(|used| used >= own) {
                findings.push(format!("{}: `{name}` stands above `{used}` and must not use it", manifest.display()));
            }
        }
    }
    Ok(())
}

fn sources(findings: &mut Vec<String>) -> Result<()> {
    for path in rust_files(&root())? {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            findings.push(format!("{shown}: {lines} lines hide a missing concept; {MAX_LINES} are the limit"));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            findings.push(format!("{shown}: write `foo.rs` beside `foo/`, not `foo/mod.rs`"));
        }
        let pure = PURE.iter().any(|name| shown.starts_with(&format!("crates/{name}/src/")));
        let tested = shown.ends_with("/tests.rs") || shown.contains("/tests/");
        if pure && !tested {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in IMPURE {
                if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word)) {
                    findings.push(format!("{shown}: a pure crate speaks of `{word}`"));
                }
            }
        }
        let environment =
            shown.starts_with("crates/") && !shown.starts_with("crates/cli/") && !tested && shown.contains("/src/");
        let beside =
            ["crates/testkit/", "crates/conformance/", "crates/peers/"].iter().any(|beside| shown.starts_with(beside));
        if environment && !beside && text.contains("std::env::var") {
            findings.push(format!("{shown}: nothing but `cli` reads the environment"));
        }
    }
    Ok(())
}

fn dependencies(findings: &mut Vec<String>) -> Result<()> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let names: BTreeMap<&str, ()> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .map(|name| (name, ()))
        .collect();
    for banned in BANNED {
        if names.contains_key(banned) {
            findings.push(format!("Cargo.lock: `{banned}` must not be in the tree"));
        }
    }
    Ok(())
}

fn manifests() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.exists() {
            found.push(manifest);
        }
    }
    Ok(found)
}

fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                found.extend(rust_files(&path)?);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn value(manifest: &str, key: &str) -> Option<String> {
    manifest.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.trim().strip_prefix('=')?.trim();
        Some(value.trim_matches('"').to_owned())
    })
}
