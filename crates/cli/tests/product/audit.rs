//! The record of what was decided.

use serde_json::{Value, json};
use testkit::attacks;
use testkit::message::{call, request};
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, limited, toolgate, word};

#[test]
fn each_decision_makes_one_record_without_values() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let secret = json!({ "path": "/very/secret", "deep": [{ "inner_key": "hidden value" }] });
    client.call("read_file", secret.clone())?;
    client.call("delete_file", secret.clone())?;
    client.call("nothing", secret)?;
    let records = wait::until("the outcome", PATIENCE, || {
        let records = toolgate.setup.audit().ok()?;
        records.iter().any(|record| word(record, "kind") == "outcome").then_some(records)
    })?;
    let decisions = toolgate.setup.decisions()?;
    let seen: Vec<_> =
        decisions.iter().map(|record| (word(record, "tool"), word(record, "effect"), word(record, "rule"))).collect();
    assert_eq!(seen[0].0, "read_file");
    assert_eq!(seen[0].1, "allow");
    assert_eq!(seen[1], ("delete_file", "deny", "(default deny)"));
    assert_eq!(seen[2].2, "(unknown tool)");
    assert_eq!(seen.len(), 3);
    let text = format!("{records:?}");
    assert!(!text.contains("secret") && !text.contains("hidden value"), "{text}");
    assert!(text.contains("inner_key"), "{text}");
    let outcomes: Vec<_> = records.iter().filter(|record| word(record, "kind") == "outcome").collect();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].get("decision"), decisions[0].get("id"));
    Ok(())
}

#[test]
fn a_denial_names_its_record() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let answer = toolgate.legacy()?.request("tools/call", json!({ "name": "delete_file" }))?;
    let id =
        answer.pointer("/result/_meta/toolgate~1decision/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    assert!(!id.is_empty());
    assert!(answer.to_string().contains(&format!("decision {id}")), "{answer}");
    assert!(toolgate.setup.decisions()?.iter().any(|record| word(record, "id") == id));
    Ok(())
}

#[test]
fn the_log_is_read_while_it_is_written() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&limited("read_file", 3))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for _ in 0..4 {
        client.call("read_file", json!({}))?;
    }
    let run = |words: &[&str]| -> anyhow::Result<(Option<i32>, String)> {
        let output = toolgate.setup.ask(words)?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    let (status, text) = run(&["logs", "--json"])?;
    assert_eq!(status, Some(0));
    let denials = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| word(record, "effect") == "deny");
    assert_eq!(denials.count(), 1, "{text}");
    let (status, text) = run(&["logs", "--effect", "deny"])?;
    assert!(status == Some(0) && text.contains("read_file"), "{text}");
    let (status, text) = run(&["limits", "show", "--json"])?;
    assert!(status == Some(0) && text.contains("calls"), "{text}");
    let (status, text) = run(&["limits", "show"])?;
    assert!(status == Some(0) && text.contains('3'), "{text}");
    let (status, text) = run(&["audit", "verify", "--json"])?;
    assert_eq!(status, Some(0), "{text}");
    let (status, text) = run(&["doctor", "--json"])?;
    assert!(status.is_some(), "{text}");
    let (status, _) = run(&["audit", "verify", "--head", &"0".repeat(64)])?;
    assert_eq!(status, Some(1), "a head that is not in the log");
    Ok(())
}

#[test]
fn nothing_that_is_logged_can_play_tricks() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("log")? else { return Ok(()) };
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for attack in &attacks {
        let Ok(text) = std::str::from_utf8(&attack.bytes) else { continue };
        // As a tool's name, as an argument's key, as the name of a program that asks, as a method.
        client.post_message(&call(1, text, json!({ text: text })))?;
        client.post_message(&call(1, "delete_file", json!({ text: text })))?;
        client.post_message(&request(1, text, json!({})))?;
    }
    let mut outputs = vec![toolgate.stderr().into_bytes()];
    for words in
        [&["logs", "-n", "1000"][..], &["logs", "-n", "1000", "--json"], &["audit", "verify"], &["limits", "show"]]
    {
        let output = toolgate.setup.ask(words)?;
        outputs.extend([output.stdout, output.stderr]);
    }
    for output in outputs {
        let text = String::from_utf8(output)?;
        let tricky = |letter: char| {
            (letter.is_control() && letter != '\n')
                || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        let found: Vec<_> = text.lines().filter(|line| line.contains(tricky)).collect();
        assert!(found.is_empty(), "{found:?}");
        assert!(
            !text.lines().any(|line| line.starts_with("level=INFO") || line.starts_with("2026-01-01 admin")),
            "{text}"
        );
    }
    for record in toolgate.setup.audit()? {
        assert!(record.get("kind").is_some());
    }
    testkit::figures::attacks_held("what is written into logs", attacks.len())
}

#[test]
fn strict_records_are_on_disk_before_the_call() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&limited("read_file", 3))?.upstream(&upstream.url());
    let toolgate = setup.options(["--durability", "strict"]).serve()?;
    let client = toolgate.legacy()?;
    let outcomes: Vec<_> = (0..4).map(|_| client.call("read_file", json!({}))).collect::<Result<_, _>>()?;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done()).count(), 3);
    assert_eq!(upstream.called().len(), 3);
    let records = toolgate.setup.audit()?;
    assert!(records.iter().any(|record| word(record, "durability") == "strict"), "{records:?}");
    assert_eq!(records.iter().filter(|record| word(record, "effect") == "allow").count(), 3);
    Ok(())
}
