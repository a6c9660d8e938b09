//! Ctrl-C, or SIGTERM, while servers are asked: what was not verified is put back.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use testkit::wait;

use crate::home::{Home, said};

/// A server that never answers, and writes down which process it is; the first time it may be another one.
fn silent(home: &Home, first: Option<&Value>) -> Value {
    let (pid, been) = (pid_file(home), home.folder.path().join("been"));
    let first = first.map_or(String::new(), |server| {
        let words = std::iter::once(&server["command"]).chain(server["args"].as_array().into_iter().flatten());
        let words: Vec<String> = words.filter_map(Value::as_str).map(|word| format!("'{word}'")).collect();
        format!("if ! [ -e '{0}' ]; then : > '{0}'; exec {1}; fi; ", been.display(), words.join(" "))
    });
    let script = format!("{first}echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 300", pid.display());
    json!({ "command": "/bin/sh", "args": ["-c", script] })
}

fn pid_file(home: &Home) -> PathBuf {
    home.folder.path().join("silent.pid")
}

/// Runs a command until the silent server is there, gives it a signal, and waits until both have ended.
fn stopped(home: &Home, words: &[&str], signal: Signal) -> anyhow::Result<Output> {
    let mut command: Command = home.command(words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    wait::for_it("the silent server", || pid_file(home).exists())?;
    let silent: i32 = std::fs::read_to_string(pid_file(home))?.trim().parse()?;
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process")?;
    kill_process(pid, signal)?;
    let output = child.wait_with_output()?;
    let gone = || Pid::from_raw(silent).is_none_or(|pid| test_kill_process(pid).is_err());
    wait::for_it("the end of the silent server", gone)?;
    std::fs::remove_file(pid_file(home))?;
    Ok(output)
}

fn ended(output: &Output, signal: Signal, what: &str) -> anyhow::Result<()> {
    let (code, how) = if signal == Signal::INT { (130, "interrupted") } else { (143, "told to stop") };
    let text = said(output);
    ensure!(output.status.code() == Some(code), "{:?}\n{text}", output.status);
    ensure!(text.contains(&format!("toolgate: {how}: {what}")), "{text}");
    Ok(())
}

const BACK: &str = "what was not verified yet is as it was before";

#[test]
fn what_was_not_verified_is_put_back() -> anyhow::Result<()> {
    for signal in [Signal::INT, Signal::TERM] {
        let home = Home::new()?;
        let mut server = silent(&home, None);
        server["env"] = json!({ "API_TOKEN": "sk-live-hidden" });
        let off = json!({ "command": "/nothing/here", "args": [], "disabled": true });
        let (file, before) = home.cursor(&json!({ "silent": server, "off": off }))?;
        let output = stopped(&home, &["wrap", "--yes", "--verify", "--secrets-to-file"], signal)?;
        ended(&output, signal, BACK)?;
        ensure!(said(&output).contains("put back as it was, because it was not verified yet"), "{}", said(&output));
        ensure!(std::fs::read(&file)? == before && !home.path().join(".config/toolgate/secrets").exists());
        ensure!(!said(&output).contains("sk-live"));
        home.does(&["undo"])?;
        ensure!(std::fs::read(&file)? == before);
    }
    Ok(())
}

#[test]
fn init_puts_back_too_and_changes_nothing_before_it_writes() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "silent": silent(&home, None) }))?;
    let output = stopped(&home, &["init", "--yes"], Signal::INT)?;
    ended(&output, Signal::INT, "nothing was changed")?;
    ensure!(std::fs::read(&file)? == before && !home.journal().exists());
    // A server that answers when it is asked directly, and then never again.
    let server = home.server("files", &["look"])?;
    let (file, before) = home.cursor(&json!({ "silent": silent(&home, Some(&server)) }))?;
    let output = stopped(&home, &["init", "--yes"], Signal::INT)?;
    ended(&output, Signal::INT, BACK)?;
    ensure!(std::fs::read(&file)? == before && home.journal().exists(), "{}", said(&output));
    Ok(())
}

fn connect<'a>(server: &'a Value, more: &[&'a str]) -> anyhow::Result<Vec<&'a str>> {
    let words = std::iter::once(&server["command"]).chain(server["args"].as_array().context("arguments")?);
    let first = ["connect", "cursor", "--yes", "--verify", "--name", "new"].into_iter().chain(more.iter().copied());
    Ok(first.chain(["--"]).chain(words.filter_map(Value::as_str)).collect())
}

#[test]
fn what_connect_added_is_taken_out_again() -> anyhow::Result<()> {
    let home = Home::new()?;
    let server = silent(&home, None);
    // A file that was made for it is gone with its folder.
    let output = stopped(&home, &connect(&server, &[])?, Signal::INT)?;
    ended(&output, Signal::INT, BACK)?;
    ensure!(!home.path().join(".cursor").exists(), "{}", said(&output));
    let (file, before) = home.cursor(&json!({}))?;
    let output = stopped(&home, &connect(&server, &[])?, Signal::TERM)?;
    ended(&output, Signal::TERM, BACK)?;
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn connect_verifies_as_wrap_does() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({}))?;
    let text = home.does(&connect(&home.server("new", &["look"])?, &[])?)?;
    ensure!(text.contains("new: 1 tool through the gateway") && text.contains("toolgate undo"), "{text}");
    home.does(&["undo"])?;
    let broken = json!({ "command": Path::new("/nothing/here"), "args": [] });
    let output = home.run(&connect(&broken, &[])?)?;
    let text = said(&output);
    ensure!(
        output.status.code() == Some(1) && text.contains("put back as it was, because through the gateway"),
        "{text}"
    );
    ensure!(std::fs::read(&file)? == before && !text.contains("To take this back"), "{text}");
    let output = home.run(&connect(&broken, &["--json"])?)?;
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
    ensure!(report.pointer("/verified/state") == Some(&json!("put_back")), "{report}");
    ensure!(std::fs::read(&file)? == before && output.status.code() == Some(1));
    Ok(())
}
