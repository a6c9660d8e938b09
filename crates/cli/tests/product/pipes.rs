//! Answers that nobody reads to the end: `toolgate … | head -1`.

use std::fs::File;
use std::process::{Command, Output, Stdio};

use anyhow::Context;
use serde_json::json;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::pins::said;
use crate::setup::{EXE, open, toolgate};

/// A pipe whose reader has gone.
fn closed() -> anyhow::Result<Stdio> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    Ok(writer.into())
}

#[test]
fn a_closed_pipe_ends_no_command_badly() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("echo"), Tool::named("charge")]))?;
    let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    toolgate.stop()?;
    let setup = &toolgate.setup;
    let tools = setup.file("tools.json", &json!({ "tools": [Tool::named("echo").listed()] }).to_string())?;
    let tested = json!({ "version": "1", "default": "deny", "tests": [{ "call": "echo", "expect": "deny" }] });
    let tested = setup.file("tested.json", &tested.to_string())?;
    let (policy, url) = (setup.policy_file(), upstream.url());
    let (policy, tools) = (policy.to_str().context("text")?, tools.to_str().context("text")?);
    let tested = tested.to_str().context("text")?;
    let ask = |words: &[&str], out: Stdio, err: Stdio| -> anyhow::Result<Output> {
        let mut command = Command::new(EXE);
        command.args(words).env("TOOLGATE_DATA_DIR", setup.data_folder()).stdin(Stdio::null());
        Ok(command.stdout(out).stderr(err).spawn()?.wait_with_output()?)
    };
    let commands: [&[&str]; 16] = [
        &["policy", "check", policy],
        &["policy", "check", tools, "--json"],
        &["policy", "explain", policy, "echo"],
        &["policy", "test", tested],
        &["scan", "--file", tools],
        &["scan", "--file", tools, "--json"],
        &["server", "held", "--policy", policy],
        &["server", "accept", "local", "--all", "--policy", policy, "--upstream", &url],
        &["server", "accept", "local", "echo", "--json", "--policy", policy],
        &["grant", "new"],
        &["audit", "verify"],
        &["logs"],
        &["limits", "show"],
        &["doctor"],
        &["doctor", "--json"],
        &["help"],
    ];
    for words in commands {
        let usual = ask(words, Stdio::piped(), Stdio::piped())?;
        assert!(!usual.stdout.is_empty(), "{words:?} says nothing: {}", said(&usual));
        let unread = ask(words, closed()?, Stdio::piped())?;
        let text = said(&unread);
        assert!(!text.contains("panicked") && !text.contains("Broken pipe"), "{words:?}: {text}");
        assert_eq!(unread.status, usual.status, "{words:?}: {text}");
        // With `2>&1` the sentences go the same way.
        assert_eq!(ask(words, closed()?, closed()?)?.status, usual.status, "{words:?}");
    }
    // What was asked for is done, whoever reads of it.
    let lock = std::fs::read_to_string(setup.policy_file().with_file_name("toolgate.lock"))?;
    assert!(lock.lines().any(|line| line.starts_with("\"echo\"") && !line.contains("first list")), "{lock}");
    // That the answer is lost for another reason is said.
    if let Ok(full) = File::options().write(true).open("/dev/full") {
        let lost = ask(&["policy", "explain", policy, "echo"], full.into(), Stdio::piped())?;
        assert_eq!(lost.status.code(), Some(2));
        assert!(said(&lost).contains("standard output: No space left"), "{}", said(&lost));
    }
    Ok(())
}
