//! Large stacks, whose tools are found by searching.

use serde_json::{Value, json};
use testkit::script::{Script, Tool};

use super::{Stacked, tools};

fn many() -> Script {
    let says = |index: usize| format!("Reads page {index} of the archive.");
    let pages = (0..40).map(|index| Tool::named(&format!("page_{index}")).member("description", json!(says(index))));
    Script::with(pages).both_eras()
}

#[test]
fn three_tools_find_describe_and_call_all_others() -> anyhow::Result<()> {
    let policy = json!({ "version": "1", "default": "allow", "tools": { "page_7": { "action": "deny" },
        "page_8": { "action": "deny", "visible": true, "reason": "Not this page." } } });
    let mail = Script::with([Tool::named("send_message")
        .member("description", json!("Sends a message to a person."))
        .schema(json!({ "type": "object", "properties": { "to": { "type": "string" } }, "required": ["to"] }))])
    .both_eras();
    let stack = Stacked::of(many(), mail)?.policy("files.json", policy).grant("search = true").serve()?;
    for client in stack.both()? {
        assert_eq!(client.tools()?, ["search_tools", "describe_tool", "call_tool"]);
        let found = client
            .request("tools/call", json!({ "name": "search_tools", "arguments": { "query": "send message" } }))?;
        assert_eq!(
            found.pointer("/result/structuredContent/tools/0/name"),
            Some(&json!("mail__send_message")),
            "{found}"
        );
        let found = client.request(
            "tools/call",
            json!({ "name": "search_tools", "arguments": { "query": "archive", "limit": 3 } }),
        )?;
        let shown = found.pointer("/result/structuredContent/tools").and_then(Value::as_array).map(Vec::len);
        // What is denied is not found, as it would not be listed.
        assert_eq!((shown, found.pointer("/result/structuredContent/found")), (Some(3), Some(&json!(39))));
        let described = client
            .request("tools/call", json!({ "name": "describe_tool", "arguments": { "name": "mail__send_message" } }))?;
        assert_eq!(
            described.pointer("/result/structuredContent/inputSchema/required/0"),
            Some(&json!("to")),
            "{described}"
        );
        let call =
            |name: &str, arguments: Value| client.call("call_tool", json!({ "name": name, "arguments": arguments }));
        let sent = call("mail__send_message", json!({ "to": "ann" }))?;
        assert!(sent.is_done() && sent.text().contains("send_message"), "{sent:?}");
        // The very same decision: schema, denial and reason, names that nobody has.
        assert!(call("mail__send_message", json!({ "to": 7 }))?.is_denied());
        assert!(call("files__page_8", json!({}))?.text().contains("Not this page."));
        assert!(call("files__page_7", json!({}))?.is_denied());
        assert!(call("files__page_99", json!({}))?.is_unknown_tool());
        assert!(client.call("mail__send_message", json!({ "to": "bob" }))?.is_done());
        for wrong in [json!({}), json!({ "name": 7 }), json!({ "name": "mail__send_message", "arguments": [] })] {
            let answer = client.request("tools/call", json!({ "name": "call_tool", "arguments": wrong }))?;
            assert!(
                answer.pointer("/result/isError") == Some(&json!(true)) || answer.get("error").is_some(),
                "{answer}"
            );
        }
    }
    assert_eq!(stack.mail.called(), vec!["send_message".to_owned(); 4]);
    assert_eq!(stack.files.called(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_tool_of_a_server_does_not_take_the_place_of_the_three() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["call_tool"]), tools(&["send"]))?;
    let stack = stack.grant("search = true\nunprefixed = [\"files\", \"mail\"]").serve()?;
    let client = stack.legacy()?;
    assert_eq!(client.tools()?, ["search_tools", "describe_tool", "call_tool"]);
    assert!(client.call("call_tool", json!({ "name": "files__call_tool", "arguments": { "a": 1 } }))?.is_done());
    assert!(client.call("call_tool", json!({ "name": "send" }))?.is_done());
    assert_eq!((stack.files.called(), stack.mail.called()), (vec!["call_tool".to_owned()], vec!["send".to_owned()]));
    Ok(())
}
