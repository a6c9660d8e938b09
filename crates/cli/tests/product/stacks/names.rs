//! What the things of several servers are called, and where their names lead.

use serde_json::{Value, json};
use testkit::script::{Behaviour, Script, Tool};

use super::{Stacked, tools};

#[test]
fn tools_are_named_by_server_and_name_and_lead_there() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read", "write"]).paged(1), tools(&["read", "_send__now"]))?.serve()?;
    for client in stack.both()? {
        let names = client.tools()?;
        assert_eq!(names, ["files__read", "files__write", "mail__read", "mail___send__now"]);
        let echoed = client.call("mail___send__now", json!({ "to": "ann" }))?;
        assert!(
            echoed.is_done() && echoed.text().contains("_send__now") && echoed.text().contains("ann"),
            "{echoed:?}"
        );
        assert!(client.call("files__read", json!({}))?.is_done());
        for nobodys in ["read", "files__unknown", "web__read", "files_read", "__read", "files__"] {
            let unknown = client.call(nobodys, json!({}))?;
            assert!(unknown.is_unknown_tool() && unknown.text().ends_with(&format!(": {nobodys}")), "{unknown:?}");
        }
    }
    assert_eq!(stack.files.called(), ["read", "read"]);
    assert_eq!(stack.mail.called(), ["_send__now", "_send__now"]);
    Ok(())
}

#[test]
fn long_names_are_shortened_and_lead_to_their_tool() -> anyhow::Result<()> {
    let long = format!("read_{}", "x".repeat(90));
    let twin = format!("{long}y");
    let stack = Stacked::of(tools(&[&long, &twin]), tools(&["send"]))?.serve()?;
    let client = stack.legacy()?;
    let names = client.tools()?;
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|name| name.len() <= 64), "{names:?}");
    // One that remembers the name from another session need not list first.
    let other = stack.modern()?;
    for (name, own) in names.iter().zip([&long, &twin]) {
        assert!(client.call(name, json!({}))?.text().contains(&format!("\"{own}\"")));
        assert!(other.call(name, json!({}))?.is_done());
    }
    assert_eq!(stack.files.called(), [&long, &long, &twin, &twin].map(Clone::clone));
    Ok(())
}

#[test]
fn names_are_kept_where_asked_and_none_collide() -> anyhow::Result<()> {
    let files = tools(&["read", "same", "mail__send"]);
    let stack = Stacked::of(files, tools(&["send", "same"]))?.grant("unprefixed = [\"files\", \"mail\"]").serve()?;
    for client in stack.both()? {
        // What two servers have, and what reads as a name of another server's tool, is named by its server.
        assert_eq!(client.tools()?, ["read", "files__same", "files__mail__send", "send", "mail__same"]);
        assert!(client.call("read", json!({}))?.is_done());
        assert!(client.call("send", json!({}))?.is_done());
        assert!(client.call("mail__same", json!({}))?.is_done());
        assert!(client.call("same", json!({}))?.is_unknown_tool());
        // This is what it reads as: a tool of mail, and not the one of files that is called so.
        assert!(client.call("mail__send", json!({}))?.is_done());
    }
    assert_eq!(stack.files.called(), ["read", "read"]);
    assert_eq!(stack.mail.called(), ["send", "same", "send", "send", "same", "send"]);
    Ok(())
}

#[test]
fn prompts_and_resources_are_named_likewise() -> anyhow::Result<()> {
    let link = json!({ "content": [
        { "type": "resource_link", "uri": "file:///a", "name": "a" },
        { "type": "resource", "resource": { "uri": "file:///b", "text": "file:///b" } },
    ], "resultType": "complete" });
    let files = Script {
        resources: vec![("file:///a".to_owned(), "words".to_owned())],
        prompts: vec![("summary".to_owned(), "Sum it up.".to_owned())],
        ..Script::with([Tool::named("links").does(Behaviour::Result(link))]).both_eras()
    };
    let mail = Script { prompts: vec![("summary".to_owned(), "Another.".to_owned())], ..tools(&["send"]) };
    let stack = Stacked::of(files, mail)?.serve()?;
    for client in stack.both()? {
        let names = |method: &str, list: &str, key: &str| -> anyhow::Result<Vec<String>> {
            let answer = client.request(method, json!({}))?;
            let all = answer.pointer(&format!("/result/{list}")).and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(all.iter().filter_map(|one| one.get(key)?.as_str().map(str::to_owned)).collect())
        };
        assert_eq!(names("resources/list", "resources", "uri")?, ["mcp+files+file:///a"]);
        assert_eq!(names("prompts/list", "prompts", "name")?, ["files__summary", "mail__summary"]);
        let read = client.request("resources/read", json!({ "uri": "mcp+files+file:///a" }))?;
        assert_eq!(read.pointer("/result/contents/0/uri"), Some(&json!("mcp+files+file:///a")), "{read}");
        assert_eq!(read.pointer("/result/contents/0/text"), Some(&json!("words")));
        let got = client.request("prompts/get", json!({ "name": "mail__summary" }))?;
        assert_eq!(got.pointer("/result/messages/0/content/text"), Some(&json!("Another.")), "{got}");
        for (method, params) in [
            ("resources/read", json!({ "uri": "file:///a" })),
            ("resources/read", json!({ "uri": "mcp+web+file:///a" })),
            ("prompts/get", json!({ "name": "summary" })),
        ] {
            assert!(client.request(method, params)?.get("error").is_some());
        }
        let completion = json!({ "ref": { "type": "ref/prompt", "name": "files__summary" }, "argument": { "name": "a", "value": "b" } });
        let completed = client.request("completion/complete", completion)?;
        assert_eq!(completed.pointer("/result/completion/values/0"), Some(&json!("completed")), "{completed}");
        let linked = client.request("tools/call", json!({ "name": "files__links", "arguments": {} }))?;
        assert_eq!(linked.pointer("/result/content/0/uri"), Some(&json!("mcp+files+file:///a")));
        assert_eq!(linked.pointer("/result/content/1/resource/uri"), Some(&json!("mcp+files+file:///b")));
        assert_eq!(linked.pointer("/result/content/1/resource/text"), Some(&json!("file:///b")));
    }
    let asked: Vec<Value> = stack.files.requests().iter().map(testkit::record::Recorded::json).collect();
    let named =
        |pointer: &str, wanted: &str| asked.iter().any(|message| message.pointer(pointer) == Some(&json!(wanted)));
    assert!(named("/params/uri", "file:///a") && named("/params/ref/name", "summary"));
    Ok(())
}

#[test]
fn the_address_of_a_stack_leads_on_to_each_of_its_servers() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let address = stack.toolgate.address()?;
    for path in ["/mcp", "/mcp/"] {
        let client = testkit::client::McpHttp::legacy(&format!("http://{address}{path}"), None)?;
        assert_eq!(client.tools()?, ["files__read", "mail__send"]);
    }
    for path in ["/mcp/files", "/mcp/files/"] {
        let client = testkit::client::McpHttp::legacy(&format!("http://{address}{path}"), None)?;
        assert_eq!(client.tools()?, ["read"]);
        assert!(client.call("read", json!({}))?.is_done());
    }
    Ok(())
}
