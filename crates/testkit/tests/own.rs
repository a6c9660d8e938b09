//! The harness against itself: its clients talk to its servers with nothing in between.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::client::{McpHttp, raw, statuses};
use testkit::decode;
use testkit::message::{LEGACY, MODERN, Outcome, call, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::stdio::McpStdio;
use testkit::tee::{self, Event, HttpTee};
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

#[test]
fn a_legacy_server_with_sessions_pages_and_streams() -> anyhow::Result<()> {
    for script in
        [Script::default(), Script::default().sse(), Script::default().sessionless(), Script::default().paged(2).sse()]
    {
        let upstream = Upstream::start(script.clone())?;
        let client = McpHttp::legacy(&upstream.url(), None)?;
        assert_eq!(client.tools()?, ["read_file", "delete_file", "charge", "r", "echo"]);
        let Outcome::Done(text) = client.call("echo", json!({ "a": 1 }))? else { panic!("no result") };
        assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "name": "echo", "arguments": { "a": 1 } }));
        assert_eq!(upstream.called(), ["echo"]);
        assert_eq!(upstream.count("tools/list"), if script.page == 0 { 1 } else { 3 });
        if script.sessions {
            upstream.forget_sessions();
            assert_eq!(client.post_message(&call(9, "echo", json!({})))?.status(), 404);
        }
    }
    Ok(())
}

#[test]
fn a_modern_server() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().both_eras())?;
    let client = McpHttp::modern(&upstream.url(), None)?;
    let discovered = client.request("server/discover", json!({}))?;
    assert_eq!(discovered.pointer("/result/supportedVersions/4"), Some(&json!(MODERN)));
    assert!(client.call("echo", json!({}))?.is_done());
    assert!(McpHttp::legacy(&upstream.url(), None)?.call("echo", json!({}))?.is_done());
    Ok(())
}

#[test]
fn behaviours() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([
        Tool::named("gate").does(Behaviour::Gate("g".into())),
        Tool::named("hang").does(Behaviour::Hang),
        Tool::named("progress").does(Behaviour::Progress(2, Some("p".into()))),
        Tool::named("ask").does(Behaviour::Ask("roots/list".into(), json!({}))),
        Tool::named("die").does(Behaviour::Die),
    ]))?;
    let client = McpHttp::legacy(&upstream.url(), None)?;
    let gate = client.open(&call(1, "gate", json!({})))?;
    upstream.wait_for_call("gate")?;
    upstream.release("g");
    assert_eq!(Outcome::of(&gate.answer(PATIENCE)?.message()?), Outcome::Done("did gate".into()));

    drop(client.open(&call(2, "hang", json!({})))?);
    upstream.wait_for_gone(1, PATIENCE)?;

    let mut progress = client.open(&json!({
        "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "progress", "_meta": { "progressToken": "t" } } }))?;
    assert_eq!(progress.next(PATIENCE)?.pointer("/params/progress"), Some(&json!(1)));
    assert_eq!(progress.next(PATIENCE)?.pointer("/params/progressToken"), Some(&json!("t")));
    assert!(progress.next(Duration::from_millis(50)).is_err(), "the gate is closed");
    upstream.release("p");

    let mut ask = client.open(&call(4, "ask", json!({})))?;
    let asked = ask.next(PATIENCE)?;
    assert_eq!(asked.get("method"), Some(&json!("roots/list")));
    assert_eq!(client.post_message(&result(&asked["id"], json!({ "roots": [] })))?.status(), 202);
    assert_eq!(Outcome::of(&ask.next(PATIENCE)?), Outcome::Done("{\"roots\":[]}".into()));

    assert!(client.call("die", json!({})).is_err());

    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    upstream.say_tools_changed()?;
    assert_eq!(stream.next(PATIENCE)?.get("method"), Some(&json!("notifications/tools/list_changed")));
    Ok(())
}

#[test]
fn raw_bytes_are_kept() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().sessionless())?;
    let answer = raw(
        upstream.address(),
        b"POST /mcp HTTP/1.1\r\nX: y\r\nContent-Length: 2\r\n\r\n{}POST /",
        Duration::from_millis(100),
    )?;
    assert_eq!(statuses(&answer), [202]);
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(upstream.requests()[0].headers.get("x"), Some("y"));
    Ok(())
}

#[test]
fn the_same_server_over_stdio() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (script, record) = (folder.path().join("script.json"), folder.path().join("record"));
    let script_of = Script { junk: vec!["hello, I am junk".into()], grandchild: true, ..Script::default() };
    std::fs::write(&script, serde_json::to_vec(&script_of)?)?;
    let mut server = McpStdio::start(Command::new(env!("CARGO_BIN_EXE_recording-server")).args([&script, &record]))?;
    assert_eq!(server.read(PATIENCE)?.as_deref(), Some("hello, I am junk"));
    server.send(&call(1, "echo", json!({})))?;
    assert_eq!(server.read(PATIENCE)?.as_deref(), Some("hello, I am junk"));
    assert!(Outcome::of(&server.response(&json!(1))?).is_done());
    server.close();
    assert!(server.wait()?.success());
    let events = tee::events(&record);
    assert!(
        matches!(events.as_slice(), [Event::Started { .. }, Event::Grandchild { .. }, Event::Line(_), Event::End]),
        "{events:?}"
    );
    if let Event::Grandchild { pid } = events[1] {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
    }
    assert_eq!(tee::called(&record), ["echo"]);
    Ok(())
}

#[test]
fn tees_see_what_goes_to_a_server() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let tee = HttpTee::start(&upstream.address().to_string())?;
    let client = McpHttp::legacy(&format!("http://127.0.0.1:{}/mcp", tee.port()), None)?;
    client.call("echo", json!({ "needle": 1 }))?;
    assert_eq!(tee.count("needle"), 1);

    let folder = tempfile::tempdir()?;
    let (script, record, watched) =
        (folder.path().join("script.json"), folder.path().join("record"), folder.path().join("watched"));
    std::fs::write(&script, serde_json::to_vec(&Script::default())?)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tee-server"));
    command.arg(&watched).arg("--").arg(env!("CARGO_BIN_EXE_recording-server")).args([&script, &record]);
    let mut server = McpStdio::start(&mut command)?;
    server.initialize()?;
    assert!(server.call("echo", json!({}))?.is_done());
    server.close();
    assert!(server.wait()?.success());
    assert_eq!(tee::called(&watched), ["echo"]);
    assert_eq!(tee::called(&record), ["echo"]);
    Ok(())
}

#[test]
fn languages_read_alike_what_is_plain() -> anyhow::Result<()> {
    let message = |arguments: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"r","arguments":{arguments}}}}}"#)
    };
    let texts = [message(r#"{"a":1,"b":"\u00e9"}"#), message(r#"{ "b":"é","a":1 }"#), message(r#"{"a":2,"b":"é"}"#)];
    for language in decode::languages()? {
        let read = language.calls(&texts.clone().map(String::into_bytes))?;
        assert!(read[0].is_string(), "{}: {}", language.name, read[0]);
        assert_eq!(read[0], read[1], "{}", language.name);
        assert_ne!(read[0], read[2], "{}", language.name);
    }
    assert_eq!(LEGACY, "2025-11-25");
    Ok(())
}
