//! Clients that other people wrote, in front of a server that other people wrote.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::peers::{self, Peers};
use testkit::place;
use testkit::toolgate::{Setup, TOKEN};

use crate::catalogue::{EXE, Real};

/// The words that start each client, up to those that say what to do.
fn clients(peers: &Peers) -> anyhow::Result<Vec<(&'static str, Vec<String>)>> {
    let scripts = place::repository().join("tests/clients");
    let script = |name: &str| scripts.join(name).display().to_string();
    let modules = peers.command("typescript-client", &[])?;
    let [node, modules] = modules.as_slice() else { anyhow::bail!("{modules:?}") };
    let mut all = vec![
        ("Python", peers.command("python-client", &[&script("client.py")])?),
        ("TypeScript", vec![node.clone(), script("client.mjs"), modules.clone()]),
    ];
    match place::beside("rmcp-client", Path::new(EXE)) {
        Some(rmcp) => all.push(("rmcp", vec![rmcp.display().to_string()])),
        None => eprintln!("skipped: rmcp-client is not built; run `cargo build -p peers`"),
    }
    Ok(all)
}

fn ask(words: &[String], transport: &str, real: &Real, target: &[String]) -> anyhow::Result<Vec<Value>> {
    let (program, first) = words.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(first).arg(transport);
    for (tool, arguments) in [&real.allowed, &real.denied] {
        command.arg(tool).arg(arguments.to_string());
    }
    command.arg("--").args(target).stdin(Stdio::null());
    command.envs(real.variables.iter().map(|(name, value)| (name, value)));
    let output = command.output()?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{}\n{}", output.status, said());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{}\n{}", String::from_utf8_lossy(&output.stdout), said()))
}

/// What every client must have seen, in both of its modes.
fn judge(name: &str, real: &Real, seen: &[Value]) -> anyhow::Result<()> {
    ensure!(seen.len() == 2, "{name}: {seen:?}");
    for one in seen {
        assert_eq!(one.get("tools"), Some(&json!([real.allowed.0])), "{name}: {one}");
        let text = |pointer: &str| one.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert!(text("/allowed/text").contains(real.says), "{name}: {one}");
        assert_eq!(one.pointer("/allowed/isError"), Some(&json!(false)), "{name}: {one}");
        assert!(text("/denied/text").starts_with("[POLICY DENIED]"), "{name}: {one}");
        assert_eq!(one.pointer("/denied/isError"), Some(&json!(true)), "{name}: {one}");
    }
    Ok(())
}

/// One server of the legacy era and one of both.
const SERVERS: [&str; 2] = ["filesystem", "time"];

#[test]
fn over_http() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    for server in SERVERS {
        for (name, words) in clients(&peers)? {
            let folder = testkit::toolgate::folder()?;
            let real = Real::prepare(&peers, server, folder.path())?;
            let toolgate = Setup::new(EXE)?.policy(&real.policy())?.program(&real.words).serve()?;
            let seen = ask(&words, "http", &real, &[toolgate.url().to_owned(), TOKEN.to_owned()]);
            judge(name, &real, &seen.with_context(|| format!("{name} and {server}\n{}", toolgate.stderr()))?)?;
            assert!(!real.was_touched());
        }
    }
    Ok(())
}

#[test]
fn over_stdio() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    for server in SERVERS {
        for (name, words) in clients(&peers)? {
            let folder = testkit::toolgate::folder()?;
            let real = Real::prepare(&peers, server, folder.path())?;
            let setup = Setup::new(EXE)?.policy(&real.policy())?;
            let mut target: Vec<String> = vec![EXE.to_owned(), "run".to_owned(), "--policy".to_owned()];
            target.push(setup.policy_file().display().to_string());
            target.push("--data".to_owned());
            target.push(setup.data_folder().display().to_string());
            target.push("--".to_owned());
            target.extend(real.words.iter().cloned());
            let seen = ask(&words, "stdio", &real, &target);
            judge(name, &real, &seen.with_context(|| format!("{name} and {server}"))?)?;
            assert!(!real.was_touched());
        }
    }
    Ok(())
}

#[test]
fn the_inspector() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let real = Real::prepare(&peers, "filesystem", folder.path())?;
    let toolgate = Setup::new(EXE)?.policy(&real.policy())?.program(&real.words).serve()?;
    let inspect = |more: &[&str]| -> anyhow::Result<(Option<i32>, String)> {
        let words = peers.command(
            "inspector",
            &["--cli", "--server-url", toolgate.url(), "--transport", "http", "--format", "json", "--stored-auth-only"],
        )?;
        let (program, arguments) = words.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).args(["--header", &format!("Authorization: Bearer {TOKEN}")]).args(more);
        command.env("MCP_INSPECTOR_SECRET_STORE", "memory").env("HOME", folder.path()).stdin(Stdio::null());
        let output = command.output()?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code(), text))
    };
    for era in ["legacy", "auto"] {
        let (status, text) = inspect(&["--protocol-era", era, "--method", "tools/list"])?;
        assert!(
            status == Some(0) && text.contains(real.allowed.0) && !text.contains(real.denied.0),
            "{era}: {status:?} {text}"
        );
        let path = folder.path().join("note.txt");
        let argument = format!("path={}", path.display());
        let call =
            ["--protocol-era", era, "--method", "tools/call", "--tool-name", real.allowed.0, "--tool-arg", &argument];
        let (status, text) = inspect(&call)?;
        assert!(status == Some(0) && text.contains(real.says), "{era}: {status:?} {text}");
    }
    Ok(())
}
