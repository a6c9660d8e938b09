//! One server's failure is that server's only.

use serde_json::json;
use testkit::script::{Behaviour, Script, Tool};

use super::{Stacked, tools};

#[test]
fn a_server_that_is_away_takes_only_its_own_tools_along() -> anyhow::Result<()> {
    let mut stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    let address = stack.mail.address().to_string();
    stack.mail = testkit::upstream::Upstream::start(Script::default())?;
    for client in stack.both()? {
        assert_eq!(client.tools()?, ["files__read"]);
        assert!(client.call("files__read", json!({}))?.is_done());
        let gone = client.request("tools/call", json!({ "name": "mail__send", "arguments": {} }))?;
        assert!(gone.get("error").is_some() || gone.pointer("/result/isError").is_some(), "{gone}");
    }
    // It is back, and so are its tools, in the sessions that began without it too.
    let client = stack.legacy()?;
    stack.mail = testkit::upstream::Upstream::start_at(&address, tools(&["send"]))?;
    assert_eq!(client.tools()?, ["files__read", "mail__send"]);
    assert!(client.call("mail__send", json!({}))?.is_done());
    Ok(())
}

#[test]
fn a_stack_of_which_nothing_can_be_reached_says_so() -> anyhow::Result<()> {
    let mut stack = Stacked::of(tools(&["read"]), tools(&["send"]))?.serve()?;
    stack.mail = testkit::upstream::Upstream::start(Script::default())?;
    stack.files = testkit::upstream::Upstream::start(Script::default())?;
    let client = testkit::client::McpHttp::new(&stack.url()?, None)?;
    let answer =
        client.post_message(&testkit::message::request(1, "initialize", testkit::message::hello("2025-11-25")))?;
    let text = answer.text();
    assert!(
        text.contains("none of the servers can be reached") && text.contains("files:") && text.contains("mail:"),
        "{text}"
    );
    Ok(())
}

#[test]
fn a_call_that_fails_on_one_server_is_told_as_it_would_be_there() -> anyhow::Result<()> {
    let files = Script::with([
        Tool::named("dies").does(Behaviour::Die),
        Tool::named("errs").does(Behaviour::RpcError(-32050, "no luck".to_owned())),
    ]);
    let stack = Stacked::of(files.both_eras(), tools(&["send"]))?.serve()?;
    for client in stack.both()? {
        assert!(!client.call("files__dies", json!({}))?.is_done());
        let erred = client.request("tools/call", json!({ "name": "files__errs", "arguments": {} }))?;
        assert_eq!(erred.pointer("/error/message"), Some(&json!("no luck")), "{erred}");
        assert!(client.call("mail__send", json!({}))?.is_done());
    }
    assert_eq!(stack.files.called(), ["dies", "errs", "dies", "errs"]);
    Ok(())
}
