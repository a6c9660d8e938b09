//! Servers of different eras behind one address, for agents of either.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::message::{MODERN, Outcome, request, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::wait::PATIENCE;

use super::Stacked;
use crate::setup::{open, word};

fn servers() -> anyhow::Result<Stacked> {
    let question = json!({ "message": "Who?" });
    let rounds = json!({ "who": { "method": "elicitation/create", "params": question } });
    let files = Script::with([
        Tool::named("echo"),
        Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), question)),
    ]);
    let mail =
        Script::with([Tool::named("echo"), Tool::named("ask").does(Behaviour::InputRequired(rounds, "state".into()))]);
    Ok(Stacked::of(files, mail.modern())?.policy("files.json", open()).policy("mail.json", open()))
}

#[test]
fn each_server_is_spoken_to_in_its_own() -> anyhow::Result<()> {
    let serving = servers()?.serve()?;
    for client in [serving.legacy()?, serving.modern()?] {
        let mut tools = client.tools()?;
        tools.sort();
        assert_eq!(tools, ["files__ask", "files__echo", "mail__ask", "mail__echo"]);
        for tool in ["files__echo", "mail__echo"] {
            assert!(client.call(tool, json!({ "a": 1 }))?.is_done(), "{tool}");
        }
    }
    assert_eq!(serving.files.called(), ["echo", "echo"]);
    assert_eq!(serving.mail.called(), ["echo", "echo"]);
    for call in serving.mail.calls() {
        assert_eq!(call.headers.get("mcp-protocol-version"), Some(MODERN));
        assert_eq!(call.headers.get("mcp-name"), Some("echo"));
    }
    for call in serving.files.calls() {
        assert!(call.headers.get("mcp-session-id").is_some());
        assert_eq!(call.headers.get("mcp-name"), None);
    }
    Ok(())
}

#[test]
fn questions_reach_the_agent_as_its_era_asks() -> anyhow::Result<()> {
    let serving = servers()?.serve()?;
    let said = json!({ "action": "accept", "content": { "name": "Ann" } });
    let modern = serving.modern()?;
    let first = modern.request("tools/call", json!({ "name": "files__ask", "arguments": {} }))?;
    let state = first.pointer("/result/requestState").with_context(|| first.to_string())?;
    let params =
        json!({ "name": "files__ask", "arguments": {}, "inputResponses": { "1": said }, "requestState": state });
    let Outcome::Done(text) = Outcome::of(&modern.request("tools/call", params)?) else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, said);

    let legacy = serving.legacy()?;
    let mut call = legacy.open(&request(7, "tools/call", json!({ "name": "mail__ask", "arguments": {} })))?;
    let asked = call.next(PATIENCE)?;
    assert_eq!(word(&asked, "method"), "elicitation/create", "{asked}");
    let taken = legacy.post_message(&result(asked.get("id").context("no id")?, said.clone()))?;
    assert_eq!(taken.status(), 202, "{}", taken.text());
    let Outcome::Done(text) = Outcome::of(&call.next(PATIENCE)?) else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "who": said }));
    assert_eq!((serving.files.called(), serving.mail.called()), (vec!["ask".to_owned()], vec!["ask".to_owned(); 2]));
    Ok(())
}

#[test]
fn a_legacy_server_that_forgot_its_session_is_asked_again() -> anyhow::Result<()> {
    let serving = servers()?.serve()?;
    let client = serving.modern()?;
    assert!(client.call("files__echo", json!({}))?.is_done());
    serving.files.forget_sessions();
    assert!(client.call("files__echo", json!({}))?.is_done());
    assert_eq!(serving.files.count("initialize"), 2);
    Ok(())
}
