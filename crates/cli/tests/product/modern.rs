//! 2026-07-28: stateless, with header fields that repeat the body.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::message::{MODERN, Outcome, modern, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, open, toolgate};

#[test]
fn both_eras_at_one_endpoint() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().both_eras())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    for client in [toolgate.modern()?, toolgate.legacy()?] {
        assert_eq!(client.tools()?, ["read_file"]);
        assert!(client.call("read_file", json!({}))?.is_done());
        assert!(client.call("delete_file", json!({}))?.is_denied());
        assert!(client.call("nothing", json!({}))?.is_unknown_tool());
    }
    assert_eq!(upstream.called(), ["read_file", "read_file"]);
    let discovered = toolgate.modern()?.request("server/discover", json!({}))?;
    assert!(discovered.pointer("/result/supportedVersions").is_some(), "{discovered}");
    Ok(())
}

#[test]
fn a_denial_says_that_it_is_complete() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let answer = toolgate.modern()?.request("tools/call", json!({ "name": "delete_file", "arguments": {} }))?;
    assert_eq!(answer.pointer("/result/resultType"), Some(&json!("complete")), "{answer}");
    assert_eq!(answer.pointer("/result/isError"), Some(&json!(true)));
    Ok(())
}

#[test]
fn headers_that_repeat_the_body_pass_and_others_do_not() -> anyhow::Result<()> {
    let schema =
        json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
    let tools = [Tool::named("read_file").schema(schema), Tool::named("größe")];
    let upstream = Upstream::start(Script::with(tools).modern())?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let post = |extra: &[(&str, &str)], name: &str, arguments: Value| {
        let message = request(client.id(), "tools/call", modern(json!({ "name": name, "arguments": arguments })));
        let mut headers = vec![("Mcp-Method", "tools/call")];
        headers.extend(extra);
        client.post_with(&headers, message.to_string().as_bytes())
    };
    let region = json!({ "region": "eu" });
    let good = post(
        &[("Mcp-Name", "read_file"), ("Mcp-Param-Region", "eu"), ("Mcp-Param-Secret", "evil")],
        "read_file",
        region.clone(),
    )?;
    assert_eq!(good.status(), 200, "{}", good.text());
    let came = upstream.wait_for_call("read_file")?;
    assert_eq!(came.headers.get("mcp-param-region"), Some("eu"));
    assert_eq!(came.headers.get("mcp-param-secret"), None, "what no schema declares is dropped");
    assert_eq!(came.headers.get("mcp-method"), Some("tools/call"));
    assert_eq!(came.headers.get("mcp-name"), Some("read_file"));
    assert_eq!(came.headers.get("mcp-protocol-version"), Some(MODERN));

    let coded = post(&[("Mcp-Name", "=?base64?Z3LDtsOfZQ==?=")], "größe", json!({}))?;
    assert_eq!(coded.status(), 200, "{}", coded.text());
    let before = upstream.requests().len();
    for extra in [
        vec![("Mcp-Name", "read_file"), ("Mcp-Param-Region", "us")],
        vec![("Mcp-Name", "read_file"), ("Mcp-Param-Region", "eu"), ("Mcp-Param-Region", "eu")],
        vec![("Mcp-Name", "read_file"), ("Mcp-Name", "read_file")],
        vec![],
    ] {
        let answer = post(&extra, "read_file", region.clone())?;
        assert_eq!((answer.status(), answer.error_code()), (400, Some(-32020)), "{extra:?}: {}", answer.text());
    }
    assert_eq!(upstream.requests().len(), before);
    Ok(())
}

#[test]
fn a_retry_with_input_is_judged_afresh() -> anyhow::Result<()> {
    let asks = json!({ "name": { "method": "elicitation/create", "params": { "message": "Who?" } } });
    let upstream = Upstream::start(
        Script::with([Tool::named("ask").does(Behaviour::InputRequired(asks, "state".into()))]).modern(),
    )?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let first = client.request("tools/call", json!({ "name": "ask", "arguments": {} }))?;
    assert_eq!(first.pointer("/result/resultType"), Some(&json!("input_required")), "{first}");
    let retry = |client: &testkit::client::McpHttp| {
        let answers = json!({ "name": { "action": "accept", "content": { "name": "Ann" } } });
        let state = first.pointer("/result/requestState").cloned();
        client.request(
            "tools/call",
            json!({ "name": "ask", "arguments": {}, "inputResponses": answers, "requestState": state }),
        )
    };
    assert!(Outcome::of(&retry(&client)?).is_done());
    let before = upstream.calls().len();
    toolgate.write_policy(&json!({ "version": "1", "default": "deny" }).to_string())?;
    wait::for_it("the edit", || client.call("ask", json!({})).is_ok_and(|outcome| outcome.is_denied()))?;
    let called = upstream.calls().len();
    assert!(Outcome::of(&retry(&client)?).is_denied());
    assert_eq!(upstream.calls().len(), called);
    assert!(called >= before);
    Ok(())
}

#[test]
fn questions_inside_a_result_are_judged_as_questions() -> anyhow::Result<()> {
    let asks = json!({ "s": { "method": "sampling/createMessage", "params": { "messages": [], "maxTokens": 1 } } });
    let upstream = Upstream::start(
        Script::with([Tool::named("ask").does(Behaviour::InputRequired(asks, "state".into()))]).modern(),
    )?;
    let toolgate = toolgate()?.policy(&allow(&["ask"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let answer = client.request("tools/call", json!({ "name": "ask", "arguments": {} }))?;
    assert!(
        !answer.to_string().contains("sampling/createMessage\",\"params"),
        "the question reached the agent: {answer}"
    );
    assert!(!Outcome::of(&answer).is_done(), "{answer}");
    let came = upstream.wait_for_call("ask")?.json();
    let capabilities = came.pointer("/params/_meta/io.modelcontextprotocol~1clientCapabilities");
    assert_eq!(capabilities, Some(&json!({})), "{came}");
    Ok(())
}

#[test]
fn subscriptions_last_and_tell_of_policy_edits() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let params = modern(json!({ "notifications": { "toolsListChanged": true } }));
    let mut stream = client.open(&request("sub", "subscriptions/listen", params))?;
    let first = stream.next(PATIENCE).context("the acknowledgement")?;
    assert_eq!(first.get("method"), Some(&json!("notifications/subscriptions/acknowledged")), "{first}");
    let tag = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
    upstream.say_tools_changed()?;
    let changed = stream.next(PATIENCE).context("the server's change")?;
    assert_eq!(
        (changed.get("method"), changed.pointer(tag)),
        (Some(&json!("notifications/tools/list_changed")), Some(&json!("sub")))
    );
    toolgate.write_policy(&allow(&["delete_file"]).to_string())?;
    let changed = stream.next(PATIENCE).context("the policy's change")?;
    assert_eq!(
        (changed.get("method"), changed.pointer(tag)),
        (Some(&json!("notifications/tools/list_changed")), Some(&json!("sub")))
    );
    drop(stream);
    upstream.wait_for_gone(1, PATIENCE)?;
    Ok(())
}

#[test]
fn get_and_delete_belong_to_the_other_era() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    assert_eq!(client.listen(None)?.answer(PATIENCE)?.status(), 405);
    assert_eq!(client.delete()?.status(), 405);
    let unknown = client.post_message(&request(1, "server/nothing", modern(json!({}))))?;
    assert_eq!((unknown.status(), unknown.error_code()), (404, Some(-32601)), "{}", unknown.text());
    Ok(())
}
