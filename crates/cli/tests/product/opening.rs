//! Classes that open their tools: only after a person accepted or set the class.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::script::{Script, Tool};
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::pins::{is_held, lock, said, server};
use crate::setup::{EXE, toolgate, word};

/// What reads is open, and nothing else.
fn reads() -> Value {
    json!({ "version": "1", "default": "deny", "classes": { "read": { "opens": true } } })
}

fn tools() -> [Tool; 3] {
    let described = |name: &str, text: &str| Tool::named(name).member("description", json!(text));
    [
        described("read_file", "Read the contents of a file and return them."),
        described("write_file", "Write the given text to a file."),
        described("qqq", "Foo bar baz qux."),
    ]
}

fn in_front_of(upstream: &Upstream) -> anyhow::Result<Setup> {
    Ok(toolgate()?.policy(&reads())?.upstream(&upstream.url()))
}

fn not_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Denied { rule, .. } if rule == "(default deny)")
}

#[test]
fn a_class_opens_what_a_person_accepted() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with(tools()))?;
    let toolgate = in_front_of(&upstream)?.options(["--accept", "manual"]).serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, Vec::<String>::new());
    for tool in ["read_file", "write_file", "qqq"] {
        let outcome = client.call(tool, json!({}))?;
        assert!(is_held(&outcome), "{tool}: {outcome:?}");
    }
    let url = upstream.url();
    let accepted = server(&toolgate.setup, &["accept", "local", "--all", "--upstream", &url])?;
    assert!(accepted.status.success(), "{}", said(&accepted));
    let pins = lock(&toolgate.setup)?;
    ensure!(
        ["read", "write", "unclassified"].iter().all(|class| pins.contains(&format!("class = \"{class}\""))),
        "{pins}"
    );
    wait::for_it("the read tool to be callable", || {
        client.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_done())
    })?;
    assert_eq!(client.tools()?, ["read_file"]);
    for tool in ["write_file", "qqq"] {
        let outcome = client.call(tool, json!({}))?;
        assert!(not_open(&outcome), "{tool}: {outcome:?}");
    }
    assert!(upstream.called().iter().all(|call| call == "read_file"), "{:?}", upstream.called());
    let records = toolgate.setup.audit()?;
    let allowed = records
        .iter()
        .find(|record| word(record, "tool") == "read_file" && word(record, "effect") == "allow")
        .context("an allowed call")?;
    assert_eq!(allowed["rule"], "/classes/read", "{allowed}");

    // Another definition is another tool: it waits again.
    upstream.set_tools([Tool::named("read_file").member("description", json!("Read a file, then delete it."))]);
    client.tools()?;
    assert!(is_held(&client.call("read_file", json!({}))?));
    Ok(())
}

#[test]
fn what_was_accepted_unseen_stays_closed_until_a_person_sets_its_class() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with(tools()))?;
    let toolgate = in_front_of(&upstream)?.serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, Vec::<String>::new());
    toolgate.wait_stderr("its first list is accepted, 3 tools")?;
    for tool in ["read_file", "write_file", "qqq"] {
        let outcome = client.call(tool, json!({}))?;
        assert!(not_open(&outcome), "{tool}: {outcome:?}");
    }
    assert!(upstream.called().is_empty(), "{:?}", upstream.called());
    let set = server(&toolgate.setup, &["accept", "local", "--class", "qqq=read", "--class", "write_file=write"])?;
    assert!(set.status.success(), "{}", said(&set));
    wait::for_it("the tool to be callable", || client.call("qqq", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    assert_eq!(client.tools()?, ["qqq"], "the others were accepted by nobody, or are of another class");
    // Whoever names a tool that was accepted unseen has seen it then.
    let confirmed = server(&toolgate.setup, &["accept", "local", "read_file"])?;
    assert!(said(&confirmed).contains("Read the contents of a file"), "{}", said(&confirmed));
    wait::for_it("it to be callable", || client.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    let unknown = server(&toolgate.setup, &["accept", "local", "no_such_tool"])?;
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    Ok(())
}

#[test]
fn explaining_tells_who_accepted_the_class() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&reads())?;
    let policy = setup.policy_file();
    let policy = policy.to_str().context("text")?;
    let listed: Vec<Value> = tools().iter().map(Tool::listed).collect();
    let lines: Vec<String> = listed.iter().map(Value::to_string).collect();
    for text in [format!("[{}]", lines.join(",")), lines.join("\n")] {
        let file = setup.file("list.json", &text)?;
        let output =
            Command::new(EXE).args(["policy", "explain", policy, "write_file", "--tools"]).arg(file).output()?;
        ensure!(said(&output).contains("DENY: write_file (write)"), "{text}: {}", said(&output));
    }
    let listed = setup.file("tools.json", &json!({ "tools": listed }).to_string())?;
    let listed = listed.to_str().context("text")?;
    for (tool, options, code, expected) in [
        ("read_file", ["--class", "read"], 0, "=> opened by  /classes/read: this opens the tool"),
        ("read_file", ["--class", "write"], 1, "=> opened by  (default deny)"),
        ("read_file", ["--tools", listed], 1, "/classes/read: this would open the tool, but nobody has accepted"),
        ("write_file", ["--tools", listed], 1, "DENY: write_file (write)"),
        ("other", ["--tools", listed], 1, "no class opens what nobody classified"),
    ] {
        let output = Command::new(EXE).args(["policy", "explain", policy, tool]).args(options).output()?;
        ensure!(output.status.code() == Some(code) && said(&output).contains(expected), "{tool} {}", said(&output));
    }
    Ok(())
}
