//! Which policy says what: one for each server, or one for all of them.

use serde_json::json;
use testkit::message::call;

use super::{Stacked, tools};

#[test]
fn each_server_keeps_its_own_policy() -> anyhow::Result<()> {
    let only_read = json!({ "version": "1", "default": "deny", "hide": ["hidden"], "tools": {
        "read": { "limits": [{ "counter": "calls", "window": 2_678_400, "max": 2 }] }, "hidden": {} } });
    let stack = Stacked::of(tools(&["read", "write", "hidden"]), tools(&["write"]))?.policy("files.json", only_read);
    let stack = stack.serve()?;
    let [legacy, modern] = stack.both()?;
    assert_eq!(legacy.tools()?, ["files__read", "mail__write"]);
    assert!(legacy.call("files__read", json!({}))?.is_done());
    assert!(modern.call("files__read", json!({}))?.is_done());
    // The count is one, whichever way the calls came.
    assert!(legacy.call("files__read", json!({}))?.is_limited());
    assert!(modern.call("files__write", json!({}))?.is_denied());
    assert!(modern.call("files__hidden", json!({}))?.is_unknown_tool());
    assert!(modern.call("mail__write", json!({}))?.is_done());
    assert_eq!(stack.files.called(), ["read", "read"]);
    assert_eq!(stack.mail.called(), ["write"]);
    Ok(())
}

#[test]
fn one_policy_spans_the_stack_and_its_counts_are_shared() -> anyhow::Result<()> {
    let spanning = json!({
        "version": "1", "default": "deny", "servers": ["files", "mail"], "hide": ["*__secret"],
        "all_tools": { "limits": [{ "counter": "calls", "window": 2_678_400, "max": 3 }] },
        "tools": {
            "*__read": {}, "files__secret": {},
            "mail__send": { "require": [{ "conditions": [{ "path": "server.name", "op": "eq", "value": "mail" }] }] },
        },
    });
    let stack = Stacked::of(tools(&["read", "send", "secret"]), tools(&["read", "send"]))?;
    let stack = stack.policy("all.json", spanning).grant("policy = \"all.json\"").serve()?;
    let client = stack.legacy()?;
    assert_eq!(client.tools()?, ["files__read", "mail__read", "mail__send"]);
    assert!(client.call("files__send", json!({}))?.is_denied());
    assert!(client.call("files__secret", json!({}))?.is_unknown_tool());
    assert!(client.call("files__read", json!({}))?.is_done());
    assert!(client.call("mail__read", json!({}))?.is_done());
    assert!(client.call("mail__send", json!({}))?.is_done());
    assert!(client.call("files__read", json!({}))?.is_limited());
    assert!(client.call("mail__read", json!({}))?.is_limited());
    assert_eq!((stack.files.called(), stack.mail.called().len()), (vec!["read".to_owned()], 2));
    Ok(())
}

#[test]
fn a_policy_that_leaves_a_server_out_or_names_none_is_refused() -> anyhow::Result<()> {
    for (policy, told) in [
        (json!({ "version": "1", "default": "allow", "servers": ["files"] }), "does not name mail"),
        (json!({ "version": "1", "default": "allow" }), "\"servers\": [\"files\", \"mail\"]"),
    ] {
        let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.policy("all.json", policy);
        let (status, said) = stack.grant("policy = \"all.json\"").refused()?;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    Ok(())
}

#[test]
fn what_is_recorded_is_the_servers_own_tool_under_the_servers_name() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let client = stack.legacy()?;
    client.post_message(&call(1, "mail__send", json!({ "to": "ann" })))?;
    client.post_message(&call(2, "nobody__has", json!({ "a": 1 })))?;
    let decided = stack.decided()?;
    let seen: Vec<(String, String, String)> = decided
        .iter()
        .map(|one| {
            let word = |key: &str| one.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            (word("server"), word("tool"), word("effect"))
        })
        .collect();
    let row = |server: &str, tool: &str, effect: &str| (server.to_owned(), tool.to_owned(), effect.to_owned());
    assert_eq!(seen, [row("mail", "send", "allow"), row("files", "nobody__has", "hide")], "{decided:?}");
    Ok(())
}

#[test]
fn an_edit_that_names_no_servers_any_more_does_not_take_force() -> anyhow::Result<()> {
    let mut policy = json!({ "version": "1", "default": "allow", "servers": ["files", "mail"],
        "tools": { "mail__send": { "action": "deny" } } });
    let stack = Stacked::of(tools(&["read"]), tools(&["send", "read"]))?;
    let stack = stack.policy("all.json", policy.clone()).grant("policy = \"all.json\"").serve()?;
    let client = stack.legacy()?;
    assert!(client.call("mail__send", json!({}))?.is_denied());
    let spanning = policy.clone();
    policy.as_object_mut().and_then(|members| members.remove("servers"));
    stack.edit("all.json", &policy)?;
    stack.toolgate.wait_stderr("it names no servers any more")?;
    assert!(client.call("mail__send", json!({}))?.is_denied());
    // One that leaves a server out closes it, and the first one opens it again.
    let mut fewer = spanning.clone();
    fewer.as_object_mut().and_then(|members| members.insert("servers".to_owned(), json!(["files"])));
    fewer.as_object_mut().and_then(|members| members.remove("tools"));
    stack.edit("all.json", &fewer)?;
    stack.toolgate.wait_stderr("is in force")?;
    assert!(client.call("mail__read", json!({}))?.is_denied());
    assert!(client.call("files__read", json!({}))?.is_done());
    assert_eq!(stack.mail.called(), Vec::<String>::new());
    Ok(())
}
