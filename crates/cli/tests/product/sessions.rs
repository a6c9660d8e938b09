//! Sessions of the legacy era, and streams that are picked up again.

use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::{call, notification};
use testkit::script::Script;
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, open, recording, toolgate};

#[test]
fn the_agents_session_is_not_the_servers() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let (one, other) = (toolgate.legacy()?, toolgate.legacy()?);
    let id = |client: &McpHttp| client.session.lock().ok().and_then(|id| id.clone()).unwrap_or_default();
    assert!(!id(&one).is_empty() && id(&one) != id(&other));
    assert!(!id(&one).contains("upstream-session"), "{}", id(&one));
    assert!(id(&one).bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(one.call("read_file", json!({}))?.is_done());
    let came = upstream.wait_for_call("read_file")?;
    assert!(came.headers.get("mcp-session-id").is_some_and(|id| id.starts_with("upstream-session-")), "{came:?}");
    assert_eq!(came.headers.get("mcp-protocol-version"), Some("2025-11-25"));
    Ok(())
}

#[test]
fn a_session_that_is_not_known_is_404() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    assert!(client.call("read_file", json!({}))?.is_done());
    let before = upstream.requests().len();
    let sealed = client.session.lock().ok().and_then(|id| id.clone()).unwrap_or_default();
    let mut changed = sealed.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    for id in ["nothing", "upstream-session-1", &changed, &sealed.to_uppercase()] {
        let body = call(1, "read_file", json!({})).to_string();
        let answer = client.post_with(&[("Mcp-Session-Id", id)], body.as_bytes())?;
        assert_eq!(answer.status(), 404, "{id}: {}", answer.text());
    }
    assert_eq!(upstream.requests().len(), before);
    // The server has forgotten it: so the agent is told.
    upstream.forget_sessions();
    assert_eq!(client.post_message(&call(1, "read_file", json!({})))?.status(), 404);
    Ok(())
}

/// An agent that goes on in the session of another one, elsewhere.
fn going_on(before: &McpHttp, there: &Toolgate) -> anyhow::Result<McpHttp> {
    let after = McpHttp::new(there.url(), Some(TOKEN))?;
    after.speak("2025-11-25");
    if let (Ok(mut new), Ok(old)) = (after.session.lock(), before.session.lock()) {
        new.clone_from(&old);
    }
    Ok(after)
}

#[test]
fn a_session_outlives_a_restart_of_the_gateway() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let data = testkit::toolgate::folder()?;
    let start = || toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).data(data.path()).serve();
    let mut first = start()?;
    let before = first.legacy()?;
    assert!(before.call("read_file", json!({}))?.is_done());
    first.stop()?;
    let second = start()?;
    let after = going_on(&before, &second)?;
    assert!(after.call("read_file", json!({}))?.is_done());
    Ok(())
}

/// A program's session is where the program is: whoever else gets its id says so, and the agent begins anew.
#[test]
fn a_session_on_a_program_names_the_replica_that_holds_it() -> anyhow::Result<()> {
    let data = testkit::toolgate::folder()?;
    let setup = toolgate()?;
    let (words, record) = recording(&setup, &Script::default())?;
    let start = || toolgate()?.policy(&allow(&["read_file"]))?.program(words.clone()).data(data.path()).serve();
    let mut first = start()?;
    let before = first.legacy()?;
    assert!(before.call("read_file", json!({}))?.is_done());
    first.stop()?;
    let second = start()?;
    let after = going_on(&before, &second)?;
    let lost = after.post_message(&call(1, "read_file", json!({})))?;
    assert_eq!(lost.status(), 404, "{}", lost.text());
    let why = "the server process of this session is held by another replica, or was before a restart; start again with initialize";
    assert!(lost.text().contains(why), "{}", lost.text());
    let mut stream = after.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(404));
    assert!(second.legacy()?.call("read_file", json!({}))?.is_done());
    assert_eq!(testkit::tee::called(&record), ["read_file", "read_file"]);
    Ok(())
}

#[test]
fn ending_a_session_ends_the_servers() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let answer = client.delete()?;
    assert!(answer.status() < 300, "{}", answer.status());
    let came = upstream.wait_for("the delete", |request| request.method == "DELETE")?;
    assert!(came.headers.get("mcp-session-id").is_some_and(|id| id.starts_with("upstream-session-")));
    assert_eq!(client.post_message(&call(1, "read_file", json!({})))?.status(), 404);
    Ok(())
}

#[test]
fn a_stream_is_picked_up_where_it_broke() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script { event_ids: true, ..Script::default().sse() })?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    let say = |word: &str| {
        let message = notification("notifications/message", json!({ "level": "info", "data": word }));
        wait::for_it("a listener", || upstream.say(&message))
    };
    say("one")?;
    say("two")?;
    let first = stream.event(PATIENCE)?.unwrap_or_default();
    let second = stream.event(PATIENCE)?.unwrap_or_default();
    assert!(first.data.contains("one") && second.data.contains("two"), "{first:?} {second:?}");
    let id = first.id.unwrap_or_default();
    assert!(!id.is_empty(), "the event's id was lost");
    drop(stream);
    let mut again = client.listen(Some(&id))?;
    assert_eq!(again.event(PATIENCE)?.map(|event| event.data), Some(second.data));
    let came = upstream
        .wait_for("the resumption", |request| request.method == "GET" && request.headers.has("last-event-id"))?;
    assert_eq!(came.headers.get("last-event-id"), Some(id.as_str()));
    Ok(())
}

#[test]
fn every_legacy_revision_is_spoken() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let client = toolgate.client()?;
        let hello = client.initialize(revision)?;
        assert_eq!(hello.pointer("/result/protocolVersion"), Some(&json!(revision)));
        assert!(client.call("read_file", json!({}))?.is_done(), "{revision}");
        assert!(client.call("delete_file", json!({}))?.is_denied(), "{revision}");
    }
    let client = toolgate.legacy()?;
    let body = call(1, "read_file", json!({})).to_string();
    assert_eq!(client.post_with(&[("MCP-Protocol-Version", "1999-01-01")], body.as_bytes())?.status(), 400);
    Ok(())
}
