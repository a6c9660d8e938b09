//! `results` of the policy: what an agent receives of secrets, invisible characters and long results, and what the record
//! says of it.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::message::{call, hello, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{open, recording, toolgate, word};

/// Split, so that no scanner takes this file for a leak.
fn key() -> String {
    ["AKIA", "IOSFODNN7EXAMPLE"].concat()
}

const MARK: &str = "[REDACTED:aws_access_key]";

/// Everything is allowed, and this becomes of results.
fn policy(results: Value) -> Value {
    let mut policy = open();
    if let Some(members) = policy.as_object_mut() {
        members.insert("results".to_owned(), results);
    }
    policy
}

fn all() -> Value {
    policy(json!({
        "redact": ["cloud_keys", "tokens", "private_keys", "card_numbers", { "name": "ticket", "pattern": "TK-[0-9]{6}" }],
        "strip_invisible": true, "max_bytes": 20_000,
    }))
}

fn text_of(message: &Value) -> &str {
    message.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default()
}

/// The `edits` of the outcomes, when there are so many.
fn edits(setup: &Setup, outcomes: usize) -> anyhow::Result<Vec<Value>> {
    wait::until("the outcomes", PATIENCE, || {
        let records = setup.audit().ok()?;
        let ended = records.into_iter().filter(|record| word(record, "kind") == "outcome");
        let edits: Vec<Value> = ended.map(|record| record.get("edits").cloned().unwrap_or_default()).collect();
        (edits.len() == outcomes).then_some(edits)
    })
}

/// A result with a secret in a text, in a key, in a number and in its structure; escaped, and cut by what nobody sees.
fn leaking() -> Value {
    json!({
        "content": [{ "type": "text", "text": format!("id {} for TK-123456", key()) },
                    { "type": "text", "text": key().replacen("IO", "I\u{200b}O", 1) }],
        "structuredContent": { key(): { "card": 4_111_111_111_111_111_u64, "n": 1.5 } },
    })
}

fn cleaned() -> Value {
    json!({
        "content": [{ "type": "text", "text": format!("id {MARK} for [REDACTED:ticket]") }, { "type": "text", "text": MARK }],
        "structuredContent": { MARK: { "card": "[REDACTED:card_number]", "n": 1.5 } },
    })
}

fn counted() -> Value {
    json!({ "redacted": { "aws_access_key": 3, "card_number": 1, "ticket": 1 } })
}

#[test]
fn text_and_structure_lose_the_same_secrets_as_json_and_as_events() -> anyhow::Result<()> {
    for script in [Script::with([]), Script::with([]).sse(), Script::with([]).modern(), Script::with([]).modern().sse()]
    {
        let modern = script.is_modern();
        let tools = vec![Tool::named("leak").does(Behaviour::Result(leaking()))];
        let upstream = Upstream::start(Script { tools, ..script })?;
        let toolgate = toolgate()?.policy(&all())?.upstream(&upstream.url()).serve()?;
        let client = if modern { toolgate.modern()? } else { toolgate.legacy()? };
        let answer = client.request("tools/call", json!({ "name": "leak", "arguments": {} }))?;
        for (member, value) in cleaned().as_object().context("an object")? {
            assert_eq!(answer.pointer(&format!("/result/{member}")), Some(value), "{answer}");
        }
        assert_eq!(edits(&toolgate.setup, 1)?, [counted()]);
        // The name of what was found, and never the value.
        let shown = String::from_utf8(toolgate.setup.ask(&["logs"])?.stdout)?;
        assert!(shown.contains("redacted=aws_access_key:3 redacted=card_number:1 redacted=ticket:1"), "{shown}");
        let records = String::from_utf8(toolgate.setup.ask(&["logs", "--json"])?.stdout)?;
        assert!(records.contains("\"edits\":{\"redacted\":{\"aws_access_key\":3"), "{records}");
        assert!(!records.contains(&key()) && !shown.contains(&key()));
        assert_eq!(toolgate.setup.ask(&["audit", "verify"])?.status.code(), Some(0));
    }
    Ok(())
}

#[test]
fn a_childs_results_are_judged_too() -> anyhow::Result<()> {
    let raw = format!(
        "{{ \"jsonrpc\":\"2.0\", \"id\":41, \"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"\\u0041{}\"}}], \"n\":1.0 }} }}",
        key().trim_start_matches('A')
    );
    let tools = [
        Tool::named("leak").does(Behaviour::Bytes(format!("{raw}\n"))),
        Tool::named("plain").does(Behaviour::Bytes(
            "{ \"jsonrpc\":\"2.0\", \"id\":42, \"result\":{\"content\":[], \"n\":1e0} }\n".into(),
        )),
    ];
    let setup = toolgate()?.policy(&all())?;
    let (words, _): (Vec<PathBuf>, PathBuf) = recording(&setup, &Script::with(tools))?;
    let mut run = setup.program(words).run()?;
    run.client.initialize()?;
    run.client.send(&call(41, "leak", json!({})))?;
    let expected = raw.replace(&format!("\\u0041{}", key().trim_start_matches('A')), MARK);
    assert_eq!(run.client.read(PATIENCE)?.as_deref().map(str::trim_end), Some(expected.as_str()));
    // What holds nothing keeps every byte.
    run.client.send(&call(42, "plain", json!({})))?;
    let plain = run.client.read(PATIENCE)?.unwrap_or_default();
    assert_eq!(plain.trim_end(), "{ \"jsonrpc\":\"2.0\", \"id\":42, \"result\":{\"content\":[], \"n\":1e0} }");
    assert_eq!(edits(&run.setup, 2)?, [json!({ "redacted": { "aws_access_key": 1 } }), Value::Null]);
    Ok(())
}

/// Nothing ties what a program says to a call but that one is under way: its record tells of it.
#[test]
fn what_a_program_says_before_its_answer_is_recorded_with_the_call() -> anyhow::Result<()> {
    let notice =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": key() } });
    let script = Script::with([Tool::named("say").does(Behaviour::Say(notice))]);
    let expected = [json!({ "redacted": { "aws_access_key": 1 } })];
    let setup = toolgate()?.policy(&all())?;
    let (words, _) = recording(&setup, &script)?;
    let toolgate = setup.program(words).serve()?;
    let client = toolgate.legacy()?;
    let answer = client.post_message(&call(client.id(), "say", json!({})))?;
    assert_eq!(answer.messages().first().and_then(|said| said.pointer("/params/data")), Some(&json!(MARK)));
    assert_eq!(edits(&toolgate.setup, 1)?, expected);

    let setup = self::toolgate()?.policy(&all())?;
    let (words, _) = recording(&setup, &script)?;
    let mut run = setup.program(words).run()?;
    run.client.initialize()?;
    run.client.send(&call(41, "say", json!({})))?;
    let said = run.client.read(PATIENCE)?.unwrap_or_default();
    assert!(said.contains(MARK), "{said}");
    let answer = run.client.read(PATIENCE)?.unwrap_or_default();
    assert!(answer.contains(r#""id":41"#), "{answer}");
    assert_eq!(edits(&run.setup, 1)?, expected);
    Ok(())
}

#[test]
fn errors_prompts_resources_progress_and_questions() -> anyhow::Result<()> {
    let secret = format!("see {}", key());
    let seen = format!("see {MARK}");
    let notice =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": secret } });
    let asked = json!({ "message": secret, "requestedSchema": { "type": "object", "properties": {} } });
    let tools = vec![
        Tool::named("fail").does(Behaviour::RpcError(-32000, secret.clone())),
        Tool::named("error").does(Behaviour::ToolError(secret.clone())),
        Tool::named("say").does(Behaviour::Say(notice)),
        Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), asked)),
    ];
    let pair = |name: &str| vec![(name.to_owned(), secret.clone())];
    let script = Script { tools, resources: pair("file:///a"), prompts: pair("p"), ..Script::default() }.sse();
    let upstream = Upstream::start(script)?;
    let toolgate = toolgate()?.policy(&all())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for (method, params) in [
        ("tools/call", json!({ "name": "fail", "arguments": {} })),
        ("tools/call", json!({ "name": "error", "arguments": {} })),
        ("prompts/get", json!({ "name": "p" })),
        ("resources/read", json!({ "uri": "file:///a" })),
    ] {
        let answer = client.request(method, params.clone())?.to_string();
        assert!(answer.contains(&seen) && !answer.contains(&key()), "{method} {params}: {answer}");
    }
    let said = client.post_message(&call(client.id(), "say", json!({})))?;
    let words: Vec<Value> = said.messages();
    assert_eq!(words.first().and_then(|message| message.pointer("/params/data")), Some(&json!(seen)), "{words:?}");
    let one = json!({ "redacted": { "aws_access_key": 1 } });
    assert_eq!(edits(&toolgate.setup, 5)?, vec![one; 5]);
    // The server waits for an answer to its question: the agent reads it on the way.
    let mut stream = client.open(&call(client.id(), "ask", json!({})))?;
    let question = stream.next(PATIENCE)?;
    assert_eq!(question.pointer("/params/message"), Some(&json!(seen)), "{question}");
    Ok(())
}

#[test]
fn what_is_observed_is_recorded_and_not_edited() -> anyhow::Result<()> {
    let long = "x".repeat(30_000);
    let tools = [
        Tool::named("leak").does(Behaviour::Result(leaking())),
        Tool::named("long").does(Behaviour::Text(long.clone())),
    ];
    let upstream = Upstream::start(Script::with(tools))?;
    let mut observed = all();
    observed["mode"] = json!("observe");
    let toolgate = toolgate()?.policy(&observed)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let answer = client.request("tools/call", json!({ "name": "leak", "arguments": {} }))?;
    assert_eq!(answer.get("result"), Some(&leaking()));
    let answer = client.request("tools/call", json!({ "name": "long", "arguments": {} }))?;
    assert_eq!(text_of(&answer), long);
    let edits = edits(&toolgate.setup, 2)?;
    assert_eq!(edits.first().and_then(|edits| edits.get("redacted")), counted().get("redacted"));
    assert_eq!(edits.first().and_then(|edits| edits.get("observed")), Some(&json!(true)));
    assert_eq!(edits.get(1), Some(&json!({ "over": 20_000, "observed": true })));
    let shown = String::from_utf8(toolgate.setup.ask(&["logs"])?.stdout)?;
    assert!(shown.contains("would-redact=card_number:1") && shown.contains("would-cut=20000"), "{shown}");
    Ok(())
}

/// What comes before an answer, is read or is listed is observed like the answer: whatever would be kept back is recorded,
/// and reaches the agent.
#[test]
fn what_would_be_kept_back_is_recorded() -> anyhow::Result<()> {
    let long = "x".repeat(30_000);
    let notice = |data: &str| json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": data } });
    let tools = vec![
        Tool::named("shout").does(Behaviour::Say(notice(&long))),
        Tool::named("leak").does(Behaviour::Say(notice(&key()))),
    ];
    let resources = vec![("file:///a".to_owned(), "a".to_owned())];
    let script = Script { tools, resources, ..Script::default() }.sse();
    for observes in [true, false] {
        let upstream = Upstream::start(script.clone())?;
        let mut policy = all();
        if observes {
            policy["mode"] = json!("observe");
            policy["resources"] = json!({ "deny": ["file:///a"] });
        }
        let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        for (tool, said) in [("shout", &long), ("leak", &key())] {
            let answer = client.post_message(&call(client.id(), tool, json!({})))?;
            let heard = answer.messages().iter().any(|message| message.pointer("/params/data") == Some(&json!(said)));
            assert_eq!(heard, observes, "{tool}: {}", answer.text());
        }
        let read = client.request("resources/read", json!({ "uri": "file:///a" }))?;
        assert!(read.get("result").is_some(), "{read}");
        let expected = match observes {
            true => [
                json!({ "dropped": 1, "observed": true }),
                json!({ "redacted": { "aws_access_key": 1 }, "observed": true }),
                Value::Null,
            ],
            false => [json!({ "dropped": 1 }), json!({ "redacted": { "aws_access_key": 1 } }), Value::Null],
        };
        assert_eq!(edits(&toolgate.setup, 3)?, expected);
        let shown = String::from_utf8(toolgate.setup.ask(&["logs"])?.stdout)?;
        assert!(shown.contains(if observes { " would-drop=1 " } else { " dropped=1 " }), "{shown}");
        let records = toolgate.setup.audit()?;
        let decided = records.iter().find(|record| word(record, "uri") == "file:///a").context("no decision")?;
        let would = json!([{ "rule": "/resources/deny/file:~1~1~1a", "effect": "deny" }]);
        assert_eq!(decided.get("would"), observes.then_some(&would), "{decided}");
    }
    Ok(())
}

#[test]
fn a_result_over_the_cap_is_an_error_that_names_it() -> anyhow::Result<()> {
    for script in [Script::default(), Script::default().sse(), Script::default().modern()] {
        let modern = script.is_modern();
        let tools = vec![Tool::named("long").does(Behaviour::Text("x".repeat(3000)))];
        let resources = vec![("file:///long".to_owned(), "x".repeat(3000))];
        let upstream = Upstream::start(Script { tools, resources, ..script })?;
        let toolgate = toolgate()?.policy(&policy(json!({ "max_bytes": 2048 })))?.upstream(&upstream.url()).serve()?;
        let client = if modern { toolgate.modern()? } else { toolgate.legacy()? };
        let answer = client.request("tools/call", json!({ "name": "long", "arguments": {} }))?;
        assert_eq!(answer.pointer("/result/isError"), Some(&json!(true)), "{answer}");
        assert_eq!(answer.pointer("/result/_meta/toolgate~1decision/rule"), Some(&json!("/results/max_bytes")));
        assert_eq!(answer.pointer("/result/resultType").is_some(), modern, "{answer}");
        let text = text_of(&answer);
        assert!(text.starts_with("[RESULT WITHHELD]") && text.contains("at most 2048 bytes"), "{text}");
        let answer = client.request("resources/read", json!({ "uri": "file:///long" }))?;
        assert_eq!(answer.pointer("/error/code"), Some(&json!(4030)), "{answer}");
        assert_eq!(edits(&toolgate.setup, 2)?, [json!({ "over": 2048 }), json!({ "over": 2048 })]);
        // It was made, and the record says so.
        assert_eq!(upstream.called(), ["long"]);
        let records = toolgate.setup.audit()?;
        let outcome = records.iter().find(|record| word(record, "kind") == "outcome").context("an outcome")?;
        assert_eq!(word(outcome, "outcome"), "ok");
        assert!(outcome.get("bytes").and_then(Value::as_u64) > Some(3000), "{outcome}");
        assert!(text.contains(word(outcome, "decision")), "{text}");
    }
    Ok(())
}

/// What the gateway quotes of a server is no way around.
#[test]
fn the_last_words_of_a_child_are_judged() -> anyhow::Result<()> {
    let dies = format!("echo no access with {} >&2; exit 3", key());
    let toolgate = toolgate()?.policy(&all())?.program(["sh", "-c", &dies]).serve()?;
    let client = toolgate.client()?;
    let answer = client.post_message(&request(client.id(), "initialize", hello("2025-11-25")))?.text();
    assert!(answer.contains(&format!("no access with {MARK}")) || !answer.contains("no access"), "{answer}");
    assert!(!answer.contains(&key()), "{answer}");
    Ok(())
}

/// Whoever runs the gateway is told of lines that are no messages, as far as agents may read them.
#[test]
fn what_a_program_prints_is_told_without_secrets() -> anyhow::Result<()> {
    let pem = format!("-----BEGIN {} KEY-----{}", "PRIVATE", "Ab3/".repeat(60));
    for (junk, told) in [
        (format!("using {} of {}", key(), "x".repeat(100)), format!("using {MARK} of xxx")),
        // Longer than what is told of a line: it is known by more than that.
        (format!("key {pem}"), "key [REDACTED:private_key]`".to_owned()),
    ] {
        let setup = toolgate()?.policy(&all())?;
        let (words, _) = recording(&setup, &Script { junk: vec![junk], ..Script::default() })?;
        let toolgate = setup.program(words).serve()?;
        assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
        toolgate.wait_stderr(&format!("which was left out: `{told}"))?;
        let stderr = toolgate.stderr();
        assert!(!stderr.contains(&key()) && !stderr.contains("Ab3/"), "{stderr}");
    }
    Ok(())
}

/// Definitions are pinned and called by name, so lists stay as they are; what an agent reads at the start does not.
#[test]
fn lists_stay_and_instructions_do_not() -> anyhow::Result<()> {
    let tool = Tool::named("read_file").member("description", json!(format!("Uses {}\u{200b}.", key())));
    let upstream = Upstream::start(Script::with([tool]))?;
    let toolgate = toolgate()?.policy(&all())?.upstream(&upstream.url()).serve()?;
    let list = toolgate.legacy()?.request("tools/list", json!({}))?;
    let described = list.pointer("/result/tools/0/description").and_then(Value::as_str);
    assert_eq!(described, Some(format!("Uses {}\u{200b}.", key()).as_str()), "{list}");
    Ok(())
}

#[test]
fn what_nobody_sees_is_stripped_and_counted() -> anyhow::Result<()> {
    let text = "pay\u{202e} me\u{200b} 👩\u{200d}👧 \u{e0049}\u{e0047}ok";
    let upstream = Upstream::start(Script::with([Tool::named("hide").does(Behaviour::Text(text.into()))]))?;
    let toolgate =
        toolgate()?.policy(&policy(json!({ "strip_invisible": true })))?.upstream(&upstream.url()).serve()?;
    let answer = toolgate.legacy()?.request("tools/call", json!({ "name": "hide", "arguments": {} }))?;
    assert_eq!(text_of(&answer), "pay me 👩\u{200d}👧 ok");
    assert_eq!(edits(&toolgate.setup, 1)?, [json!({ "stripped": 4 })]);
    Ok(())
}
