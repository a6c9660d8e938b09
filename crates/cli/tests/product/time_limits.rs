//! Servers that are slow, silent or not there.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::message::{Outcome, call};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::{Older, Upstream};
use testkit::wait::{self, PATIENCE};

use crate::setup::{limited, open, toolgate, word};

fn with_limits(upstream: &Upstream, policy: &Value, limits: &str) -> anyhow::Result<Toolgate> {
    before(&upstream.url(), policy, limits)
}

fn before(url: &str, policy: &Value, limits: &str) -> anyhow::Result<Toolgate> {
    let setup = toolgate()?;
    setup.file("policy.json", &policy.to_string())?;
    setup.file("token", TOKEN)?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.slow]\nurl = \"{}\"\npolicy = \"policy.json\"\n{limits}\n[[grants]]\nlabel = \"agent\"\nserver = \"slow\"\ntoken_file = \"token\"\n",
        url
    );
    setup.config(&config)?.serve()
}

fn legacy(toolgate: &Toolgate) -> anyhow::Result<testkit::client::McpHttp> {
    testkit::client::McpHttp::legacy(toolgate.url(), Some(TOKEN))
}

/// The ending of the last call in the log, once it is there.
fn ending(toolgate: &Toolgate) -> anyhow::Result<Value> {
    wait::until("the outcome record", PATIENCE, || {
        let records = toolgate.setup.audit().ok()?;
        let call = records.iter().rfind(|record| word(record, "method") == "tools/call")?;
        records
            .iter()
            .find(|record| word(record, "kind") == "outcome" && record.get("decision") == call.get("id"))
            .cloned()
    })
}

#[test]
fn a_server_that_says_nothing() -> anyhow::Result<()> {
    for sse in [false, true] {
        let script = Script { sse, ..Script::with([Tool::named("hang").does(Behaviour::Hang), Tool::named("echo")]) };
        let upstream = Upstream::start(script)?;
        let toolgate = with_limits(&upstream, &open(), "first_byte_seconds = 1\nidle_seconds = 1")?;
        let client = legacy(&toolgate)?;
        let outcome = client.call("hang", json!({}))?;
        let text = format!("{outcome:?}");
        assert!(!outcome.is_done() && (text.contains("not known") || text.contains("unknown")), "{text}");
        assert_eq!(word(&ending(&toolgate)?, "outcome"), "timeout");
        upstream.wait_for_gone(1, PATIENCE)?;
        assert!(client.call("echo", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn a_stream_that_falls_silent() -> anyhow::Result<()> {
    let upstream =
        Upstream::start(Script::with([Tool::named("stall").does(Behaviour::Progress(1, Some("never".into())))]))?;
    let toolgate = with_limits(&upstream, &open(), "idle_seconds = 1")?;
    let client = legacy(&toolgate)?;
    let mut stream = client.open(&call(1, "stall", json!({})))?;
    assert!(stream.next(PATIENCE)?.get("method").is_some());
    let outcome = Outcome::of(&stream.next(PATIENCE)?);
    assert!(!outcome.is_done() && !matches!(outcome, Outcome::Nothing(_)), "{outcome:?}");
    assert_eq!(word(&ending(&toolgate)?, "outcome"), "timeout");
    Ok(())
}

#[test]
fn progress_keeps_a_long_call_alive() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("long").does(Behaviour::Paced(8, 500))]))?;
    let toolgate = with_limits(&upstream, &open(), "first_byte_seconds = 3\nidle_seconds = 3")?;
    let client = legacy(&toolgate)?;
    assert_eq!(client.call("long", json!({}))?, Outcome::Done("did long".into()));
    Ok(())
}

#[test]
fn a_person_may_think_longer_than_a_server_may_be_silent() -> anyhow::Result<()> {
    let script = Script::with([
        Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), json!({ "message": "Who?" }))),
        Tool::named("long").does(Behaviour::Paced(8, 500)),
    ]);
    let (new, old) = (Upstream::start(script.clone())?, Older::start(script)?);
    for url in [new.url(), old.url()] {
        let toolgate = before(&url, &open(), "idle_seconds = 1")?;
        let client = legacy(&toolgate)?;
        let mut stream = client.open(&call(1, "ask", json!({})))?;
        let question = stream.next(PATIENCE)?;
        assert_eq!(word(&question, "method"), "elicitation/create", "{question}");
        // Four seconds, as the server tells them.
        assert!(client.call("long", json!({}))?.is_done());
        let said = json!({ "action": "accept", "content": {} });
        let id = question.get("id").context("no id")?;
        assert_eq!(client.post_message(&testkit::message::result(id, said))?.status(), 202);
        let outcome = Outcome::of(&stream.next(PATIENCE)?);
        assert!(outcome.is_done(), "{outcome:?}");
    }
    Ok(())
}

#[test]
fn a_server_that_is_not_there_costs_nothing() -> anyhow::Result<()> {
    let script = || Script::default().sessionless();
    let upstream = Upstream::start(script())?;
    let toolgate = toolgate()?.policy(&limited("read_file", 1))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, ["read_file"]);
    let address = upstream.address().to_string();
    drop(upstream);
    wait::for_it("the server's end", || std::net::TcpStream::connect(&address).is_err())?;
    for _ in 0..3 {
        let outcome = client.call("read_file", json!({}))?;
        assert!(!outcome.is_done() && !outcome.is_limited(), "{outcome:?}");
    }
    assert_eq!(word(&ending(&toolgate)?, "outcome"), "not_sent");
    let upstream = wait::until("the port", PATIENCE, || Upstream::start_at(&address, script()).ok())?;
    assert!(client.call("read_file", json!({}))?.is_done(), "what was not sent was given back");
    assert!(client.call("read_file", json!({}))?.is_limited());
    assert_eq!(upstream.called().len(), 1);
    Ok(())
}

#[test]
fn answers_that_are_no_answers() -> anyhow::Result<()> {
    let tools = [
        Tool::named("die").does(Behaviour::Die),
        Tool::named("page").does(Behaviour::Http(502, "text/html".into(), "<h1>Bad Gateway</h1>".into())),
        Tool::named("junk").does(Behaviour::Http(200, "application/json".into(), "{\"jsonrpc\":".into())),
        Tool::named("twice").does(Behaviour::Http(
            200,
            "application/json".into(),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"result\":{}}".into(),
        )),
        Tool::named("other").does(Behaviour::Http(
            200,
            "application/json".into(),
            "{\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":{}}".into(),
        )),
        Tool::named("short").does(Behaviour::Bytes(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{".into(),
        )),
        Tool::named("cut").does(Behaviour::Bytes(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n7\r\nevent: \r\n"
                .into(),
        )),
        Tool::named("silent").does(Behaviour::Http(202, String::new(), String::new())),
        Tool::named("nonsense").does(Behaviour::Bytes("SSH-2.0-OpenSSH_9.9\r\n\r\n".into())),
        Tool::named("echo"),
    ];
    let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).filter(|name| name != "echo").collect();
    let upstream = Upstream::start(Script::with(tools))?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for name in names {
        let answer = client.post_message(&call(41, &name, json!({})))?;
        assert!(!matches!(answer.status(), 401 | 403 | 404), "{name}: {}", answer.status());
        let message = answer.message().with_context(|| name.clone())?;
        assert_eq!(message.get("id"), Some(&json!(41)), "{name}: {message}");
        let outcome = Outcome::of(&message);
        assert!(!outcome.is_done() && !matches!(outcome, Outcome::Nothing(_)), "{name}: {message}");
        assert_ne!(word(&ending(&toolgate)?, "outcome"), "ok", "{name}");
        assert!(client.call("echo", json!({}))?.is_done());
    }
    Ok(())
}
