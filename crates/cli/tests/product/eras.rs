//! Agents of one protocol era and servers of the other, with the gateway between them.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::message::{LEGACY, MODERN, Outcome, modern, notification, request, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee;
use testkit::toolgate::Toolgate;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, limited, open, recording, toolgate, word};

const VERSION: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";

/// A toolgate before a program of one era, and what the program has received.
fn before(script: &Script, policy: Value) -> anyhow::Result<(Toolgate, std::path::PathBuf)> {
    let setup = toolgate()?.policy(&policy)?;
    let (words, record) = recording(&setup, script)?;
    Ok((setup.program(words).serve()?, record))
}

fn methods(record: &std::path::Path) -> Vec<String> {
    tee::messages(record).iter().map(|message| word(message, "method").to_owned()).collect()
}

/// What was decided of calls, in order.
fn effects(toolgate: &Toolgate) -> anyhow::Result<Vec<String>> {
    let records = toolgate.setup.audit()?;
    let decided = records.iter().filter(|record| record.get("tool").is_some() && record.get("effect").is_some());
    Ok(decided.map(|record| word(record, "effect").to_owned()).collect())
}

fn rich() -> Script {
    Script {
        resources: vec![("file:///a".to_owned(), "text".to_owned())],
        prompts: vec![("greet".to_owned(), "hello".to_owned())],
        ..Script::default()
    }
}

#[test]
fn a_modern_agent_has_a_legacy_program() -> anyhow::Result<()> {
    let (toolgate, record) = before(&rich(), open())?;
    let client = toolgate.modern()?;
    let discovered = client.request("server/discover", json!({}))?;
    let found = discovered.get("result").context("no result")?;
    assert_eq!(found.get("supportedVersions"), Some(&json!([MODERN])), "{discovered}");
    assert_eq!(found.get("resultType"), Some(&json!("complete")));
    assert_eq!(found.get("cacheScope"), Some(&json!("private")));
    assert_eq!(
        found.pointer("/_meta/io.modelcontextprotocol~1serverInfo/name"),
        Some(&json!("recording-server")),
        "{discovered}"
    );
    assert_eq!(client.tools()?, ["read_file", "delete_file", "charge", "r", "echo"]);
    for (method, params) in [
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/read", json!({ "uri": "file:///a" })),
    ] {
        let answer = client.request(method, params)?;
        let found = answer.get("result").with_context(|| format!("{method}: {answer}"))?;
        assert_eq!(found.get("resultType"), Some(&json!("complete")), "{answer}");
        assert_eq!(found.get("cacheScope"), Some(&json!("private")), "{answer}");
        assert!(found.get("ttlMs").is_some_and(Value::is_u64), "{answer}");
    }
    let prompt = client.request("prompts/get", json!({ "name": "greet" }))?;
    assert_eq!(prompt.pointer("/result/messages/0/content/text"), Some(&json!("hello")), "{prompt}");
    let completed = client.request(
        "completion/complete",
        json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "a", "value": "" } }),
    )?;
    assert_eq!(completed.pointer("/result/completion/values/0"), Some(&json!("completed")), "{completed}");
    let missing = client.request("resources/read", json!({ "uri": "file:///none" }))?;
    assert_eq!(missing.pointer("/error/code"), Some(&json!(-32602)), "{missing}");
    let Outcome::Done(text) = client.call("echo", json!({ "a": 1.0 }))? else { anyhow::bail!("not done") };
    assert!(text.contains(r#""arguments":{"a":1.0}"#), "{text}");

    let said = tee::messages(&record);
    assert_eq!(methods(&record).iter().filter(|method| *method == "initialize").count(), 1, "{said:?}");
    let probe = said.iter().filter(|message| message.pointer(VERSION).is_some());
    assert!(probe.clone().all(|message| word(message, "method") == "server/discover"), "{said:?}");
    assert_eq!(probe.count(), 1, "the gateway asked once which era it is");
    let hello = said.iter().find(|message| word(message, "method") == "initialize").context("no hello")?;
    assert_eq!(hello.pointer("/params/capabilities"), Some(&json!({ "elicitation": {}, "sampling": {} })), "{hello}");
    Ok(())
}

#[test]
fn what_is_denied_reaches_no_program_of_the_other_era() -> anyhow::Result<()> {
    for (script, modern) in [(Script::default(), true), (Script::default().modern(), false)] {
        let (toolgate, record) = before(&script, allow(&["echo"]))?;
        let client = if modern { toolgate.modern()? } else { toolgate.legacy()? };
        assert_eq!(client.tools()?, ["echo"]);
        assert!(client.call("echo", json!({}))?.is_done());
        assert!(client.call("delete_file", json!({}))?.is_denied());
        assert!(client.call("nothing", json!({}))?.is_unknown_tool());
        assert_eq!(tee::called(&record), ["echo"]);
        let denied = client.request("tools/call", json!({ "name": "charge", "arguments": {} }))?;
        let kind = denied.pointer("/result/resultType").and_then(Value::as_str);
        assert_eq!(kind, modern.then_some("complete"), "{denied}");
        assert_eq!(effects(&toolgate)?, ["allow", "deny", "hide", "deny"]);
    }
    Ok(())
}

#[test]
fn headers_of_a_modern_agent_must_say_what_its_body_says() -> anyhow::Result<()> {
    let (toolgate, record) = before(&Script::default(), open())?;
    let client = toolgate.modern()?;
    let message = request(1, "tools/call", modern(json!({ "name": "echo", "arguments": {} })));
    let answer =
        client.post_with(&[("Mcp-Method", "tools/call"), ("Mcp-Name", "read_file")], message.to_string().as_bytes())?;
    assert_eq!((answer.status(), answer.error_code()), (400, Some(-32020)), "{}", answer.text());
    let bare = request(2, "tools/list", json!({}));
    let answer = client.post_message(&bare)?;
    assert_eq!((answer.status(), answer.error_code()), (400, Some(-32602)), "{}", answer.text());
    let gone = client.post_message(&request(3, "ping", modern(json!({}))))?;
    assert_eq!((gone.status(), gone.error_code()), (404, Some(-32601)), "{}", gone.text());
    assert!(tee::called(&record).is_empty());
    Ok(())
}

#[test]
fn progress_comes_back_under_the_agents_own_token() -> anyhow::Result<()> {
    let tools = [Tool::named("work").does(Behaviour::Progress(2, None))];
    for (script, is_modern) in [(Script::with(tools.clone()), true), (Script::with(tools).modern(), false)] {
        let (toolgate, _) = before(&script, open())?;
        let client = if is_modern { toolgate.modern()? } else { toolgate.legacy()? };
        let params = json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": "mine" } });
        let params = if is_modern { modern(params) } else { params };
        let answer = client.post_message(&request("id", "tools/call", params))?;
        let messages = answer.messages();
        let steps: Vec<_> = messages.iter().filter_map(|message| message.pointer("/params/progressToken")).collect();
        assert_eq!(steps, [&json!("mine"), &json!("mine")], "{messages:?}");
        assert_eq!(answer.message()?.get("id"), Some(&json!("id")));
    }
    Ok(())
}

/// A call of `ask` by a modern agent, in its next round.
fn again(client: &McpHttp, arguments: Value, first: &Value, answer: Value) -> anyhow::Result<Value> {
    let state = first.pointer("/result/requestState").cloned().with_context(|| first.to_string())?;
    let asked = first.pointer("/result/inputRequests").and_then(Value::as_object).context("no questions")?;
    let answers: Value =
        asked.keys().map(|key| (key.clone(), answer.clone())).collect::<serde_json::Map<_, _>>().into();
    let params = json!({ "name": "ask", "arguments": arguments, "inputResponses": answers, "requestState": state });
    client.request("tools/call", params)
}

#[test]
fn a_legacy_programs_question_becomes_a_round() -> anyhow::Result<()> {
    let asked = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": {} } });
    let script = Script::with([Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), asked.clone()))]);
    let (toolgate, record) = before(&script, open())?;
    let client = toolgate.modern()?;
    let first = client.request("tools/call", json!({ "name": "ask", "arguments": {} }))?;
    assert_eq!(first.pointer("/result/resultType"), Some(&json!("input_required")), "{first}");
    assert_eq!(first.pointer("/result/inputRequests/1/method"), Some(&json!("elicitation/create")), "{first}");
    assert_eq!(first.pointer("/result/inputRequests/1/params"), Some(&asked));
    let said = json!({ "action": "accept", "content": { "name": "Ann" } });
    let other = again(&client, json!({ "other": 1 }), &first, said.clone())?;
    assert_eq!(other.pointer("/error/code"), Some(&json!(-32602)), "another call: {other}");
    let done = again(&client, json!({}), &first, said.clone())?;
    let Outcome::Done(text) = Outcome::of(&done) else { anyhow::bail!("not done: {done}") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, said);
    assert_eq!(done.pointer("/result/resultType"), Some(&json!("complete")));
    let late = again(&client, json!({}), &first, said)?;
    assert_eq!(late.pointer("/error/code"), Some(&json!(-32602)), "it has ended: {late}");
    assert_eq!(tee::called(&record), ["ask"], "the call was made once");
    Ok(())
}

#[test]
fn a_round_is_judged_again_and_not_counted_again() -> anyhow::Result<()> {
    let ask = Behaviour::Ask("elicitation/create".into(), json!({ "message": "Who?" }));
    let (toolgate, record) = before(&Script::with([Tool::named("ask").does(ask)]), {
        let mut policy = limited("ask", 1);
        policy["methods"] = json!({ "allow": ["elicitation/create"] });
        policy
    })?;
    let client = toolgate.modern()?;
    let first = client.request("tools/call", json!({ "name": "ask", "arguments": {} }))?;
    let done = again(&client, json!({}), &first, json!({ "action": "decline" }))?;
    assert!(Outcome::of(&done).is_done(), "{done}");
    assert!(client.call("ask", json!({}))?.is_limited());
    assert_eq!(effects(&toolgate)?, ["allow", "allow", "deny"]);

    toolgate.write_policy(
        &json!({ "version": "1", "default": "allow", "methods": { "allow": ["elicitation/create"] } }).to_string(),
    )?;
    let waiting = wait::until("a call that asks", PATIENCE, || {
        let answer = client.request("tools/call", json!({ "name": "ask", "arguments": {} })).ok()?;
        answer.pointer("/result/requestState").is_some().then_some(answer)
    })?;
    toolgate.write_policy(&json!({ "version": "1", "default": "deny" }).to_string())?;
    wait::for_it("the edit", || client.tools().is_ok_and(|tools| tools.is_empty()))?;
    let denied = again(&client, json!({}), &waiting, json!({ "action": "decline" }))?;
    assert!(Outcome::of(&denied).is_denied(), "{denied}");
    wait::for_it("the cancellation", || methods(&record).iter().any(|method| method == "notifications/cancelled"))?;
    Ok(())
}

#[test]
fn a_question_that_is_not_allowed_is_answered_here() -> anyhow::Result<()> {
    let ask = Behaviour::Ask("elicitation/create".into(), json!({ "message": "Who?" }));
    let (toolgate, _) = before(&Script::with([Tool::named("ask").does(ask)]), allow(&["ask"]))?;
    let Outcome::Done(text) = toolgate.modern()?.call("ask", json!({}))? else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "action": "decline" }));
    Ok(())
}

#[test]
fn a_modern_agent_that_leaves_cancels_at_a_legacy_program() -> anyhow::Result<()> {
    let tools = [Tool::named("work").does(Behaviour::Progress(1, Some("never".into())))];
    let (toolgate, record) = before(&Script::with(tools), open())?;
    let client = toolgate.modern()?;
    let params = modern(json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": 1 } }));
    let mut call = client.open(&request(1, "tools/call", params))?;
    call.next(PATIENCE).context("the progress")?;
    drop(call);
    wait::for_it("the cancellation", || methods(&record).iter().any(|method| method == "notifications/cancelled"))?;
    let said = tee::messages(&record);
    let called = said.iter().find(|message| word(message, "method") == "tools/call").context("no call")?;
    let cancelled = said.iter().find(|message| word(message, "method") == "notifications/cancelled");
    assert_eq!(cancelled.and_then(|message| message.pointer("/params/requestId")), called.get("id"));
    Ok(())
}

#[test]
fn a_session_that_ended_is_opened_again() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("echo"), Tool::named("die").does(Behaviour::Die)]);
    let (toolgate, record) = before(&script, open())?;
    let client = toolgate.modern()?;
    assert!(client.call("echo", json!({}))?.is_done());
    assert!(!client.call("die", json!({}))?.is_done());
    wait::for_it("a new session", || client.call("echo", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    assert_eq!(tee::called(&record).iter().filter(|tool| *tool == "die").count(), 1, "it was not sent again");
    Ok(())
}

#[test]
fn a_subscription_hears_a_legacy_program() -> anyhow::Result<()> {
    let says = |method: &str| Behaviour::Say(notification(method, json!({})));
    let script = Script {
        tools: vec![
            Tool::named("tools").does(says("notifications/tools/list_changed")),
            Tool::named("prompts").does(says("notifications/prompts/list_changed")),
            Tool::named("file")
                .does(Behaviour::Say(notification("notifications/resources/updated", json!({ "uri": "file:///a" })))),
        ],
        ..rich()
    };
    let (toolgate, record) = before(&script, open())?;
    let client = toolgate.modern()?;
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["file:///a"] });
    let params = modern(json!({ "notifications": wanted }));
    let mut stream = client.open(&request("sub", "subscriptions/listen", params))?;
    let first = stream.next(PATIENCE)?;
    assert_eq!(word(&first, "method"), "notifications/subscriptions/acknowledged", "{first}");
    for tool in ["prompts", "tools", "file"] {
        assert!(client.call(tool, json!({}))?.is_done());
    }
    let tag = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
    for method in ["notifications/tools/list_changed", "notifications/resources/updated"] {
        let heard = stream.next(PATIENCE)?;
        assert_eq!((word(&heard, "method"), heard.pointer(tag)), (method, Some(&json!("sub"))), "{heard}");
    }
    assert!(methods(&record).iter().any(|method| method == "resources/subscribe"));
    Ok(())
}

#[test]
fn a_server_hears_when_nobody_watches_any_more() -> anyhow::Result<()> {
    let say = Behaviour::Say(notification("notifications/resources/updated", json!({ "uri": "file:///a" })));
    let (toolgate, record) = before(&Script { tools: vec![Tool::named("file").does(say)], ..rich() }, open())?;
    let client = toolgate.modern()?;
    let wanted = json!({ "resourceSubscriptions": ["file:///a"] });
    let listen = |id: &str| {
        let mut stream =
            client.open(&request(id, "subscriptions/listen", modern(json!({ "notifications": wanted }))))?;
        stream.next(PATIENCE)?;
        anyhow::Ok(stream)
    };
    let (one, mut other) = (listen("one")?, listen("other")?);
    drop(one);
    for _ in 0..3 {
        assert!(client.call("file", json!({}))?.is_done());
        assert_eq!(word(&other.next(PATIENCE)?, "method"), "notifications/resources/updated");
    }
    let said = |wanted: &str| methods(&record).iter().filter(|method| *method == wanted).count();
    assert_eq!((said("resources/subscribe"), said("resources/unsubscribe")), (1, 0));
    drop(other);
    wait::for_it("the end of the subscription", || said("resources/unsubscribe") == 1)?;
    let _again = listen("again")?;
    wait::for_it("another subscription", || said("resources/subscribe") == 2)?;
    Ok(())
}

#[test]
fn the_oldest_call_that_waits_makes_room() -> anyhow::Result<()> {
    let ask = Behaviour::Ask("elicitation/create".into(), json!({ "message": "Who?" }));
    let (toolgate, record) = before(&Script::with([Tool::named("ask").does(ask)]), open())?;
    let client = toolgate.modern()?;
    let mut waiting = Vec::new();
    for number in 0..17 {
        let first = client.request("tools/call", json!({ "name": "ask", "arguments": { "n": number } }))?;
        assert_eq!(first.pointer("/result/resultType"), Some(&json!("input_required")), "{number}: {first}");
        waiting.push(first);
    }
    let said = json!({ "action": "decline" });
    let gone = again(&client, json!({ "n": 0 }), &waiting[0], said.clone())?;
    assert_eq!(gone.pointer("/error/code"), Some(&json!(-32602)), "{gone}");
    assert!(word(&gone["error"], "message").contains("made room for newer ones"), "{gone}");
    for number in [1, 16] {
        let done = again(&client, json!({ "n": number }), &waiting[number], said.clone())?;
        assert!(Outcome::of(&done).is_done(), "{number}: {done}");
    }
    assert!(methods(&record).iter().any(|method| method == "notifications/cancelled"));
    assert_eq!(tee::called(&record).len(), 17, "each call was made once");
    Ok(())
}

#[test]
fn a_legacy_agent_has_a_modern_program() -> anyhow::Result<()> {
    let script = rich().modern();
    let (toolgate, record) = before(&script, open())?;
    let client = toolgate.client()?;
    let hello = client.initialize(LEGACY)?;
    assert_eq!(hello.pointer("/result/protocolVersion"), Some(&json!(LEGACY)), "{hello}");
    assert_eq!(hello.pointer("/result/serverInfo/name"), Some(&json!("recording-server")), "{hello}");
    assert_eq!(client.tools()?, ["read_file", "delete_file", "charge", "r", "echo"]);
    let Outcome::Done(text) = client.call("echo", json!({ "a": 1.0 }))? else { anyhow::bail!("not done") };
    assert!(text.contains(r#""arguments":{"a":1.0}"#), "{text}");
    assert_eq!(client.request("ping", json!({}))?.get("result"), Some(&json!({})));
    assert_eq!(client.request("logging/setLevel", json!({ "level": "info" }))?.get("result"), Some(&json!({})));
    let listed = client.request("resources/list", json!({}))?;
    assert_eq!(listed.pointer("/result/resultType"), None, "{listed}");
    assert!(listed.pointer("/result/resources/0/uri").is_some(), "{listed}");
    let unknown = client.request("tasks/list", json!({}))?;
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32601)), "{unknown}");

    let said = tee::messages(&record);
    let asked = said.iter().filter(|message| word(message, "method") != "initialize");
    assert!(asked.clone().all(|message| message.pointer(VERSION) == Some(&json!(MODERN))), "{said:?}");
    let listing = said.iter().rfind(|message| word(message, "method") == "resources/list").context("no list")?;
    let capabilities = listing.pointer("/params/_meta/io.modelcontextprotocol~1clientCapabilities");
    assert_eq!(capabilities, testkit::message::hello(LEGACY).get("capabilities"), "{listing}");
    assert_eq!(listing.pointer("/params/_meta/io.modelcontextprotocol~1logLevel"), Some(&json!("info")), "{listing}");
    assert_eq!(client.delete()?.status(), 204);
    assert_eq!(client.post_message(&request(1, "tools/list", json!({})))?.status(), 404);
    // The second session is opened without trying the other era first.
    toolgate.legacy()?;
    assert_eq!(methods(&record).iter().filter(|method| *method == "initialize").count(), 1);
    Ok(())
}

#[test]
fn a_modern_programs_round_becomes_a_question() -> anyhow::Result<()> {
    let asks = json!({ "who": { "method": "elicitation/create", "params": { "message": "Who?" } } });
    let script = Script::with([Tool::named("ask").does(Behaviour::InputRequired(asks, "state".into()))]).modern();
    let (toolgate, record) = before(&script, {
        let mut policy = limited("ask", 1);
        policy["methods"] = json!({ "allow": ["elicitation/create"] });
        policy
    })?;
    let client = toolgate.legacy()?;
    let call = request(7, "tools/call", json!({ "name": "ask", "arguments": {} }));
    let mut stream = client.open(&call)?;
    let asked = stream.next(PATIENCE)?;
    assert_eq!(word(&asked, "method"), "elicitation/create", "{asked}");
    assert_eq!(asked.pointer("/params/message"), Some(&json!("Who?")));
    let wrong = client.post_message(&result(&json!("another"), json!({})))?;
    assert_eq!(wrong.status(), 400, "{}", wrong.text());
    let said = json!({ "action": "accept", "content": { "name": "Ann" } });
    let taken = client.post_message(&result(asked.get("id").context("no id")?, said.clone()))?;
    assert_eq!(taken.status(), 202, "{}", taken.text());
    let answer = stream.next(PATIENCE)?;
    assert_eq!(answer.get("id"), Some(&json!(7)));
    let Outcome::Done(text) = Outcome::of(&answer) else { anyhow::bail!("not done: {answer}") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "who": said }));
    let rounds: Vec<_> =
        tee::messages(&record).into_iter().filter(|message| word(message, "method") == "tools/call").collect();
    assert_eq!(rounds.len(), 2);
    assert_ne!(rounds[0].get("id"), rounds[1].get("id"));
    assert_eq!(rounds[1].pointer("/params/requestState"), Some(&json!("state")));
    assert!(client.call("ask", json!({}))?.is_limited(), "counted once, and that was all");
    Ok(())
}

#[test]
fn a_legacy_agents_cancellation_reaches_a_modern_program() -> anyhow::Result<()> {
    let tools = [Tool::named("work").does(Behaviour::Progress(1, Some("never".into())))];
    let (toolgate, record) = before(&Script::with(tools).modern(), open())?;
    let client = toolgate.legacy()?;
    let params = json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": 1 } });
    let mut call = client.open(&request(5, "tools/call", params))?;
    call.next(PATIENCE).context("the progress")?;
    let told = client.post_message(&notification("notifications/cancelled", json!({ "requestId": 5 })))?;
    assert_eq!(told.status(), 202);
    wait::for_it("the cancellation", || methods(&record).iter().any(|method| method == "notifications/cancelled"))?;
    assert!(call.event(PATIENCE)?.is_none(), "the stream has ended");
    Ok(())
}

#[test]
fn a_legacy_agents_stream_is_a_subscription() -> anyhow::Result<()> {
    let script = rich().modern();
    let (toolgate, record) = before(&script, open())?;
    let client = toolgate.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    let subscribed = || {
        let said = tee::messages(&record);
        said.into_iter().filter(|message| word(message, "method") == "subscriptions/listen").collect::<Vec<_>>()
    };
    wait::for_it("the subscription", || subscribed().len() == 1)?;
    assert_eq!(client.request("resources/subscribe", json!({ "uri": "file:///a" }))?.get("result"), Some(&json!({})));
    wait::for_it("the other subscription", || subscribed().len() == 2)?;
    let wanted = subscribed().pop().context("none")?;
    assert_eq!(wanted.pointer("/params/notifications/resourceSubscriptions"), Some(&json!(["file:///a"])), "{wanted}");
    toolgate.write_policy(&allow(&["echo"]).to_string())?;
    let changed = stream.next(PATIENCE)?;
    assert_eq!(changed, json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {} }));
    Ok(())
}

/// An error of a legacy server has the status that 2026-07-28 gives to its code, as that of a program of 2026-07-28 has.
#[test]
fn errors_have_the_statuses_of_2026_07_28() -> anyhow::Result<()> {
    let codes =
        [(-32601, 404), (-32020, 400), (-32021, 400), (-32022, 400), (-32602, 200), (-32603, 200), (-32000, 200)];
    let tools = codes.map(|(code, _)| Tool::named(&format!("e{}", -code)).does(Behaviour::RpcError(code, "no".into())));
    let script = Script::with(tools);
    for script in [script.clone(), script.modern()] {
        let (toolgate, _) = before(&script, open())?;
        let client = toolgate.modern()?;
        for (code, status) in codes {
            let name = format!("e{}", -code);
            let answer = client.post_message(&request(
                client.id(),
                "tools/call",
                modern(json!({ "name": name, "arguments": {} })),
            ))?;
            assert_eq!((answer.status(), answer.error_code()), (status, Some(code)), "{}", answer.text());
        }
    }
    Ok(())
}

/// Forms and pages are all the kinds of elicitation that there are; what else an agent names is no server's business.
#[test]
fn unknown_kinds_of_elicitation_are_not_passed_on() -> anyhow::Result<()> {
    let mut policy = open();
    policy["methods"] = json!({ "allow": ["elicitation/create"] });
    for (declared, told) in [
        (json!({}), json!({ "elicitation": {} })),
        (json!({ "form": { "x": 1 } }), json!({ "elicitation": {} })),
        (json!({ "voice": {} }), json!({})),
        (json!({ "voice": {}, "url": {} }), json!({ "elicitation": { "url": {} } })),
        (json!({ "form": {}, "url": {} }), json!({ "elicitation": { "form": {}, "url": {} } })),
    ] {
        let asked = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": {} } });
        let tools = [Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), asked))];
        let (toolgate, record) = before(&Script::with(tools), policy.clone())?;
        let client = toolgate.modern()?;
        let meta = json!({ "io.modelcontextprotocol/clientCapabilities": { "elicitation": declared } });
        let answer = client.request("tools/call", json!({ "name": "ask", "arguments": {}, "_meta": meta }))?;
        let messages = tee::messages(&record);
        let hello: Vec<_> = messages.iter().filter(|message| word(message, "method") == "initialize").collect();
        let capabilities: Vec<_> = hello.iter().filter_map(|hello| hello.pointer("/params/capabilities")).collect();
        assert!(capabilities.contains(&&told), "{declared}: {capabilities:?}");
        let forms =
            told.pointer("/elicitation").is_some_and(|kinds| *kinds == json!({}) || kinds.get("form").is_some());
        let is_asked = answer.pointer("/result/resultType") == Some(&json!("input_required"));
        assert_eq!(is_asked, forms, "{declared}: {answer}");
    }
    Ok(())
}
