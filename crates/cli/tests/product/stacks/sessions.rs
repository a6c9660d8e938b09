//! A session with a stack consists of one with each server.

use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::call;

use super::{Stacked, tools};

#[test]
fn it_is_one_session_and_ends_as_one() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let client = stack.legacy()?;
    assert!(client.call("files__read", json!({}))?.is_done());
    for server in [&stack.files, &stack.mail] {
        let hello = server.wait_for("initialize", |request| request.rpc() == "initialize")?;
        assert!(!hello.headers.has("mcp-session-id"));
        let ready = server.wait_for("initialized", |request| request.rpc() == "notifications/initialized")?;
        assert!(ready.headers.get("mcp-session-id").is_some_and(|id| id.starts_with("upstream-session-")));
    }
    assert!(client.delete()?.status() < 300);
    for server in [&stack.files, &stack.mail] {
        server.wait_for("the delete", |request| request.method == "DELETE")?;
    }
    assert_eq!(client.post_message(&call(9, "files__read", json!({})))?.status(), 404);
    Ok(())
}

#[test]
fn it_is_nobody_elses_and_outlives_a_restart() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let client = stack.legacy()?;
    let id = client.session.lock().ok().and_then(|id| id.clone()).unwrap_or_default();
    let named = |client: &McpHttp, id: &str| {
        let body = call(1, "files__read", json!({})).to_string();
        client.post_with(&[("Mcp-Session-Id", id)], body.as_bytes()).map(|answer| answer.status())
    };
    // A server of the stack does not know the session of the stack, and the other way round.
    let address = stack.toolgate.address()?;
    let single = McpHttp::legacy(&format!("http://{address}/mcp/files"), None)?;
    assert_eq!(named(&single, &id)?, 404);
    let of_single = single.session.lock().ok().and_then(|id| id.clone()).unwrap_or_default();
    assert_eq!(named(&client, &of_single)?, 404);
    let stack = stack.again()?;
    let later = McpHttp::new(&stack.url()?, None)?;
    later.speak("2025-11-25");
    if let Ok(mut session) = later.session.lock() {
        *session = Some(id);
    }
    assert!(later.call("files__read", json!({}))?.is_done());
    assert_eq!(stack.files.count("initialize"), 2);
    Ok(())
}

#[test]
fn a_server_that_forgets_its_part_is_opened_again_and_nothing_is_sent_twice() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let client = stack.legacy()?;
    assert!(client.call("mail__send", json!({}))?.is_done());
    stack.files.forget_sessions();
    let lost = client.request("tools/call", json!({ "name": "files__read", "arguments": {} }))?;
    let text = lost.pointer("/error/message").and_then(serde_json::Value::as_str).unwrap_or_default();
    assert!(text.contains("server files has ended its part of this session"), "{lost}");
    assert!(client.call("mail__send", json!({}))?.is_done());
    assert!(client.call("files__read", json!({}))?.is_done());
    assert_eq!(stack.files.count("tools/call"), 2);
    Ok(())
}

#[test]
fn without_a_session_there_is_only_the_beginning_of_one() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let client = McpHttp::new(&stack.url()?, None)?;
    client.speak("2025-11-25");
    let answer = client.post_message(&call(1, "files__read", json!({})))?;
    assert_eq!(answer.status(), 400, "{}", answer.text());
    assert_eq!(client.listen(None)?.answer(testkit::wait::PATIENCE)?.status(), 400);
    assert!(stack.files.calls().is_empty());
    Ok(())
}
