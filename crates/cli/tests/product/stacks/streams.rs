//! Streams on which the servers of a stack speak as one, and what they ask.

use serde_json::json;
use testkit::message::{notification, request, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::wait::{self, PATIENCE};

use super::{Stacked, tools};
use crate::setup::open;

#[test]
fn what_any_server_says_comes_on_one_stream_and_can_be_resumed() -> anyhow::Result<()> {
    let with_ids = |name: &str| Script { event_ids: true, ..tools(&[name]).sse() };
    let stack = Stacked::of(with_ids("read"), with_ids("send"))?.serve()?;
    let client = stack.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    let word = |word: &str| notification("notifications/message", json!({ "level": "info", "data": word }));
    wait::for_it("a listener", || stack.files.say(&word("from files")))?;
    let first = stream.event(PATIENCE)?.unwrap_or_default();
    wait::for_it("a listener", || stack.mail.say(&word("from mail")))?;
    let second = stream.event(PATIENCE)?.unwrap_or_default();
    assert!(first.data.contains("from files") && second.data.contains("from mail"), "{first:?} {second:?}");
    let (one, other) = (first.id.unwrap_or_default(), second.id.unwrap_or_default());
    assert!(one.starts_with("files|") && other.starts_with("mail|"), "{one} {other}");
    wait::for_it("a listener", || stack.mail.say(&word("more from mail")))?;
    drop(stream);
    let mut again = client.listen(Some(&other))?;
    assert!(again.event(PATIENCE)?.is_some_and(|event| event.data.contains("more from mail")));
    let resumed = stack.mail.wait_for("the resumption", |request| request.headers.has("last-event-id"))?;
    assert_eq!(resumed.headers.get("last-event-id"), other.strip_prefix("mail|"));
    Ok(())
}

#[test]
fn changed_tools_of_one_server_change_the_list() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]), tools(&["send", "gone"]))?.serve()?;
    let client = stack.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(client.tools()?, ["files__read", "mail__send", "mail__gone"]);
    stack.mail.set_tools(["send"].map(Tool::named));
    stack.mail.say_tools_changed()?;
    let told = stream.next(PATIENCE)?;
    assert_eq!(told.get("method"), Some(&json!("notifications/tools/list_changed")));
    assert_eq!(client.tools()?, ["files__read", "mail__send"]);
    Ok(())
}

#[test]
fn a_subscription_is_one_for_all_servers() -> anyhow::Result<()> {
    let stack = Stacked::of(tools(&["read"]).modern(), tools(&["send"]).modern())?.serve()?;
    let client = stack.modern()?;
    let params = testkit::message::modern(json!({ "notifications": { "toolsListChanged": true } }));
    let mut stream = client.open(&request(77, "subscriptions/listen", params))?;
    let first = stream.next(PATIENCE)?;
    assert_eq!(first.get("method"), Some(&json!("notifications/subscriptions/acknowledged")), "{first}");
    for server in [&stack.mail, &stack.files] {
        server.wait_for("the subscription", |request| request.rpc() == "subscriptions/listen")?;
        wait::for_it("a listener", || server.say_tools_changed().is_ok())?;
        let told = stream.next(PATIENCE)?;
        assert_eq!(told.get("method"), Some(&json!("notifications/tools/list_changed")), "{told}");
        assert_eq!(told.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId"), Some(&json!(77)));
    }
    Ok(())
}

#[test]
fn a_question_is_the_servers_that_asked_it_and_so_is_its_answer() -> anyhow::Result<()> {
    let asks = || Script::with([Tool::named("ask").does(Behaviour::Ask("roots/list".to_owned(), json!({})))]).sse();
    let stack = Stacked::of(asks(), asks())?.policy("files.json", open()).policy("mail.json", open()).serve()?;
    let client = stack.legacy()?;
    let open = |id: i64, tool: &str| client.open(&request(id, "tools/call", json!({ "name": tool, "arguments": {} })));
    let (mut one, mut other) = (open(1, "files__ask")?, open(2, "mail__ask")?);
    let (asked, also) = (one.next(PATIENCE)?, other.next(PATIENCE)?);
    let (id, its) = (asked.get("id").cloned().unwrap_or_default(), also.get("id").cloned().unwrap_or_default());
    assert!(id.as_str().is_some_and(|id| id.starts_with("files|")), "{asked}");
    let roots = |name: &str| json!({ "roots": [{ "uri": format!("file:///{name}") }] });
    // An answer to a question that nobody has asked goes nowhere.
    for forged in [json!("files|\"ask-99\""), json!("web|1"), json!("files|{}"), json!(1)] {
        assert!(client.post_message(&result(&forged, roots("forged")))?.status() >= 400, "{forged}");
    }
    assert_eq!(client.post_message(&result(&its, roots("mail")))?.status(), 202);
    assert_eq!(client.post_message(&result(&id, roots("files")))?.status(), 202);
    assert!(one.next(PATIENCE)?.to_string().contains("file:///files"));
    assert!(other.next(PATIENCE)?.to_string().contains("file:///mail"));
    for server in [&stack.files, &stack.mail] {
        assert!(!server.requests().iter().any(|request| request.json().to_string().contains("forged")));
    }
    Ok(())
}

#[test]
fn what_no_server_tells_of_is_not_promised() -> anyhow::Result<()> {
    let denied = json!({ "version": "1", "default": "allow", "resources": { "deny": ["secret:*"] } });
    let files = Script { resources: vec![("secret:a".to_owned(), "a".to_owned())], ..tools(&["read"]).modern() };
    let stack = Stacked::of(files, tools(&["send"]).modern())?.policy("files.json", denied).serve()?;
    let client = stack.modern()?;
    let wanted = json!({ "notifications": { "resourceSubscriptions": ["foo:bar", "mcp+web+a:b"] } });
    let mut stream = client.open(&request(1, "subscriptions/listen", testkit::message::modern(wanted)))?;
    let told = stream.next(PATIENCE)?;
    assert!(!told.to_string().contains("foo:bar") && !told.to_string().contains("mcp+web"), "{told}");
    Ok(())
}
