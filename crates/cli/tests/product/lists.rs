//! Lists: what an agent is shown, and how the gateway comes to know what there is.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::message::{Outcome, modern};
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, open, recording, toolgate};

#[test]
fn only_what_may_be_called_is_listed() -> anyhow::Result<()> {
    let policy = json!({
        "version": "1", "default": "allow", "hide": ["secret_*"],
        "tools": { "delete_file": { "action": "deny" }, "charge": { "action": "deny", "visible": true, "reason": "No." }, "ask": { "action": "require_approval" } },
    });
    let names = ["read_file", "delete_file", "secret_door", "charge", "ask"];
    for script in [
        Script::with(names.map(Tool::named)),
        Script::with(names.map(Tool::named)).sse(),
        Script::with(names.map(Tool::named)).paged(1),
    ] {
        let upstream = Upstream::start(script)?;
        let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        assert_eq!(client.tools()?, ["read_file", "charge", "ask"]);
        assert!(client.call("secret_door", json!({}))?.is_unknown_tool());
        assert_eq!(client.call("secret_door", json!({}))?, Outcome::Error(-32602, "Unknown tool: secret_door".into()));
        assert!(client.call("nothing", json!({}))?.is_unknown_tool());
        assert!(client.call("charge", json!({}))?.is_denied());
        assert_eq!(upstream.called(), Vec::<String>::new());
        assert!(client.call("read_file", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn the_gateway_lists_for_itself_before_it_judges() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().paged(2))?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    // An agent that remembers its list asks for none.
    assert!(client.call("echo", json!({}))?.is_done());
    assert!(client.call("nothing", json!({}))?.is_unknown_tool());
    assert_eq!(upstream.count("tools/list"), 3, "all pages, once");
    assert_eq!(upstream.called(), ["echo"]);
    Ok(())
}

#[test]
fn without_a_list_nothing_is_called() -> anyhow::Result<()> {
    let script = Script { list_error: Some("the cat sat on it".into()), ..Script::default() };
    let upstream = Upstream::start(script)?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let outcome = client.call("echo", json!({}))?;
    assert!(outcome.is_denied(), "{outcome:?}");
    assert_eq!(upstream.called(), Vec::<String>::new());
    upstream.change_script(|script| script.list_error = None);
    wait::for_it("the list to be asked for again", || {
        client.call("echo", json!({})).is_ok_and(|outcome| outcome.is_done())
    })
}

#[test]
fn changed_tools_are_noticed() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("old")]))?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    assert!(client.call("old", json!({}))?.is_done());
    assert!(client.call("new", json!({}))?.is_unknown_tool());
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    upstream.set_tools([Tool::named("new")]);
    upstream.say_tools_changed()?;
    let said = stream.next(PATIENCE)?;
    assert_eq!(said.get("method"), Some(&json!("notifications/tools/list_changed")));
    // It is known, and held: nobody has accepted it.
    assert!(client.call("new", json!({}))?.is_denied());
    assert!(client.call("old", json!({}))?.is_unknown_tool());
    // A list that an agent asks for is news as well.
    upstream.set_tools([Tool::named("newest"), Tool::named("old")]);
    assert_eq!(client.tools()?, ["old"]);
    assert!(client.call("old", json!({}))?.is_done());
    assert!(client.call("newest", json!({}))?.is_denied());
    Ok(())
}

/// What clients of the newest revision may do: they try the stateless era, which is translated, and go on in the other.
#[test]
fn who_tried_the_newer_era_first_sees_the_tools() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, _) = recording(&setup, &Script::with([Tool::named("look")]))?;
    let mut run = setup.program(words).run()?;
    let translated = run.client.request("server/discover", modern(json!({})))?;
    ensure!(translated.get("result").is_some(), "{translated}");
    run.client.initialize()?;
    ensure!(run.client.tools()? == ["look"]);
    run.client.close();
    run.client.wait()?;
    Ok(())
}

#[test]
fn a_list_of_a_megabyte() -> anyhow::Result<()> {
    for sse in [false, true] {
        let tools = (0..200).map(|number| Tool::named(&format!("tool_{number}")).padded(5_500));
        let upstream = Upstream::start(Script { sse, ..Script::with(tools) })?;
        let toolgate = toolgate()?.policy(&allow(&["tool_7", "tool_199"]))?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        assert_eq!(client.tools()?, ["tool_7", "tool_199"]);
        assert!(client.call("tool_199", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn untouched_tools_stay_as_the_server_wrote_them() -> anyhow::Result<()> {
    let odd = json!({ "type": "object", "properties": { "z": { "const": 1.50 }, "a": {} }, "x-own": [null, true] });
    let tools = [
        Tool::named("read_file").schema(odd.clone()).member("x-more", json!({ "b": 1, "a": 2 })),
        Tool::named("delete_file"),
    ];
    let upstream = Upstream::start(Script::with(tools.clone()))?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let answer = toolgate.legacy()?.request("tools/list", json!({}))?;
    assert_eq!(answer.pointer("/result/tools/0").map(Value::to_string), Some(tools[0].listed().to_string()));
    Ok(())
}

#[test]
fn a_filtered_list_is_private() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let answer = client.request("tools/list", json!({}))?;
    assert_eq!(answer.pointer("/result/cacheScope"), Some(&json!("private")), "{answer}");
    assert!(answer.pointer("/result/ttlMs").and_then(Value::as_u64).is_some_and(|ttl| ttl <= 60_000));
    assert_eq!(client.tools()?, ["read_file"]);
    Ok(())
}

#[test]
fn what_the_policy_knows_nothing_of_is_not_offered() -> anyhow::Result<()> {
    let script = Script {
        resources: vec![("file:///a".into(), "A".into()), ("file:///b".into(), "B".into())],
        prompts: vec![("greet".into(), "Hello".into())],
        ..Script::default()
    };
    let upstream = Upstream::start(script)?;
    let closed = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = closed.client()?;
    let hello = client.initialize("2025-11-25")?;
    for kind in ["resources", "prompts"] {
        assert_eq!(hello.pointer(&format!("/result/capabilities/{kind}")), None, "{hello}");
        let before = upstream.requests().len();
        let answer = client.request(&format!("{kind}/list"), json!({}))?;
        assert_eq!(answer.pointer("/error/code"), Some(&json!(-32601)), "{answer}");
        assert_eq!(upstream.requests().len(), before);
    }
    assert!(hello.pointer("/result/capabilities/tools").is_some(), "{hello}");

    let policy = json!({
        "version": "1", "default": "deny",
        "resources": { "allow": ["file:///a"], "default": "deny" },
        "prompts": { "allow": ["gr*"], "default": "deny" },
    });
    let partly = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = partly.legacy()?;
    let listed = client.request("resources/list", json!({}))?;
    assert_eq!(
        listed.pointer("/result/resources"),
        Some(&json!([{ "uri": "file:///a", "name": "file:///a" }])),
        "{listed}"
    );
    let read = |uri: &str| client.request("resources/read", json!({ "uri": uri }));
    assert_eq!(read("file:///a")?.pointer("/result/contents/0/text"), Some(&json!("A")));
    let before = upstream.count("resources/read");
    for uri in ["file:///b", "file:///a/../b", "file:///%2e%2e/b", "file:///a\\b"] {
        assert!(read(uri)?.get("error").is_some(), "{uri}");
    }
    assert_eq!(upstream.count("resources/read"), before);
    let got = client.request("prompts/get", json!({ "name": "greet" }))?;
    assert!(got.get("result").is_some(), "{got}");
    assert_eq!(client.tools()?, Vec::<String>::new());
    Ok(())
}
