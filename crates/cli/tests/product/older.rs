//! Servers of the older HTTP transport, HTTP+SSE (2024-11-05), behind the gateway.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::message::{LEGACY, MODERN, Outcome, call, modern, notification, request, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::{Manners, Older, Upstream};
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, limited, open, toolgate, word};

fn before(server: &Older, policy: &Value) -> anyhow::Result<Toolgate> {
    toolgate()?.policy(policy)?.upstream(&server.url()).serve()
}

/// A toolgate whose file says more of its server.
fn declared(server: &Older, policy: &Value, more: &str) -> anyhow::Result<(Toolgate, McpHttp)> {
    let setup = toolgate()?;
    setup.file("policy.json", &policy.to_string())?;
    setup.file("token", TOKEN)?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.old]\nurl = \"{}\"\npolicy = \"policy.json\"\n{more}\n[[grants]]\nlabel = \"agent\"\nserver = \"old\"\ntoken_file = \"token\"\n",
        server.url()
    );
    let toolgate = setup.config(&config)?.serve()?;
    let client = McpHttp::new(toolgate.url(), Some(TOKEN))?;
    Ok((toolgate, client))
}

fn posted_at_stream(server: &Older) -> Vec<String> {
    let requests = server.requests();
    requests.iter().filter(|request| request.method == "POST" && request.path == "/sse").map(|one| one.rpc()).collect()
}

#[test]
fn a_server_of_the_older_transport_is_found_out() -> anyhow::Result<()> {
    for status in [400, 404, 405] {
        let manners = Manners { other_transport: status, ..Manners::default() };
        let server = Older::with(Script::default(), manners)?;
        let toolgate = before(&server, &allow(&["echo"]))?;
        let client = toolgate.legacy()?;
        assert_eq!(client.tools()?, ["echo"]);
        let Outcome::Done(text) = client.call("echo", json!({ "a": 1.0 }))? else { anyhow::bail!("not done") };
        assert!(text.contains(r#""arguments":{"a":1.0}"#), "{text}");
        assert!(client.call("delete_file", json!({}))?.is_denied());
        assert!(client.call("nothing", json!({}))?.is_unknown_tool());
        assert_eq!(server.called(), ["echo"]);
        // It is remembered, and each session is a connection of its own.
        let other = toolgate.legacy()?;
        assert!(other.call("echo", json!({}))?.is_done());
        assert_eq!(posted_at_stream(&server), ["initialize"]);
        assert_eq!(server.count("GET"), 3, "one to find out, and one a session");
        let decided = toolgate.setup.decisions()?;
        assert_eq!(decided.len(), 4, "{decided:?}");
        assert_eq!(client.delete()?.status(), 204);
        // The one that found out has gone before.
        server.wait_for_gone(2)?;
        assert!(other.call("echo", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn an_agent_of_2026_has_a_server_of_2024() -> anyhow::Result<()> {
    let asked = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": {} } });
    let script = Script::with([
        Tool::named("echo"),
        Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), asked)),
        Tool::named("work").does(Behaviour::Progress(2, None)),
    ]);
    let server = Older::start(script)?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.modern()?;
    let discovered = client.request("server/discover", json!({}))?;
    assert_eq!(discovered.pointer("/result/supportedVersions"), Some(&json!([MODERN])), "{discovered}");
    assert_eq!(client.tools()?, ["echo", "ask", "work"]);
    assert!(client.call("echo", json!({}))?.is_done());
    let first = client.request("tools/call", json!({ "name": "ask", "arguments": {} }))?;
    assert_eq!(first.pointer("/result/inputRequests/1/method"), Some(&json!("elicitation/create")), "{first}");
    let said = json!({ "action": "accept", "content": { "name": "Ann" } });
    let state = first.pointer("/result/requestState").context("no state")?;
    let params = json!({ "name": "ask", "arguments": {}, "inputResponses": { "1": said }, "requestState": state });
    let Outcome::Done(text) = Outcome::of(&client.request("tools/call", params)?) else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, said);
    let params = modern(json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": "mine" } }));
    let answer = client.post_message(&request("id", "tools/call", params))?;
    let steps =
        answer.messages().iter().filter(|said| said.pointer("/params/progressToken") == Some(&json!("mine"))).count();
    assert_eq!(steps, 2, "{:?}", answer.messages());
    assert_eq!(server.called(), ["echo", "ask", "work"]);
    Ok(())
}

#[test]
fn a_list_is_enough_to_find_it_out() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let toolgate = before(&server, &allow(&["echo"]))?;
    assert_eq!(toolgate.modern()?.tools()?, ["echo"]);
    Ok(())
}

#[test]
fn an_agent_that_only_calls_has_it_found_out_before_the_call() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let toolgate = before(&server, &allow(&["echo"]))?;
    let client = toolgate.modern()?;
    assert!(client.call("echo", json!({}))?.is_done());
    assert_eq!(server.called(), ["echo"]);
    assert_eq!(posted_at_stream(&server), ["tools/list"], "no call is sent to find something out");
    assert!(client.call("delete_file", json!({}))?.is_denied());

    let server = Older::start(Script::default())?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.modern()?;
    let answer = client.request("prompts/get", json!({ "name": "nothing" }))?;
    assert!(!answer.to_string().contains("HTTP 405"), "{answer}");
    assert_eq!(posted_at_stream(&server), ["server/discover"]);
    Ok(())
}

#[test]
fn what_a_server_of_streamable_http_is_asked_first_is_asked_once() -> anyhow::Result<()> {
    let server = Upstream::start(Script::default().modern())?;
    let toolgate = toolgate()?.policy(&open())?.upstream(&server.url()).serve()?;
    let client = toolgate.modern()?;
    client.request("resources/read", json!({ "uri": "file:///a" }))?;
    let outcome = client.call("echo", json!({}))?;
    assert!(outcome.is_done(), "{outcome:?}");
    client.request("resources/read", json!({ "uri": "file:///b" }))?;
    let asked: Vec<String> = server.requests().iter().map(|request| request.rpc()).collect();
    assert_eq!(asked, ["server/discover", "resources/read", "tools/list", "tools/call", "resources/read"]);
    assert_eq!(server.count("GET"), 0);
    Ok(())
}

#[test]
fn why_a_server_that_was_found_out_is_of_no_use_is_said() -> anyhow::Result<()> {
    let elsewhere = Upstream::start(Script::default())?;
    let opening = format!("event: endpoint\ndata: http://{}/messages\n\n", elsewhere.address());
    let server = Older::with(Script::default(), Manners { opening, ..Manners::default() })?;
    let toolgate = before(&server, &open())?;
    let hello = request(1, "initialize", testkit::message::hello(LEGACY));
    for _ in 0..2 {
        let answer = toolgate.client()?.post_message(&hello)?;
        assert!(answer.text().contains("at another server"), "{}", answer.text());
        assert!(answer.text().contains("HTTP+SSE"), "{}", answer.text());
    }
    for method in ["server/discover", "tools/list"] {
        let answer = toolgate.modern()?.request(method, json!({}))?;
        assert!(answer.to_string().contains("at another server"), "{answer}");
    }
    toolgate.wait_stderr("at another server")?;
    assert_eq!(server.count("GET"), 1);
    assert!(elsewhere.requests().is_empty());
    Ok(())
}

#[test]
fn a_question_reaches_a_legacy_agent_and_its_answer_the_server() -> anyhow::Result<()> {
    let ask = Behaviour::Ask("elicitation/create".into(), json!({ "message": "Who?" }));
    let server = Older::start(Script::with([Tool::named("ask").does(ask)]))?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.legacy()?;
    let mut stream = client.open(&call(7, "ask", json!({})))?;
    let question = stream.next(PATIENCE)?;
    assert_eq!(word(&question, "method"), "elicitation/create", "{question}");
    let said = json!({ "action": "decline" });
    let id = question.get("id").context("no id")?;
    assert_eq!(client.post_message(&result(id, said.clone()))?.status(), 202);
    let Outcome::Done(text) = Outcome::of(&stream.next(PATIENCE)?) else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, said);
    Ok(())
}

#[test]
fn a_server_that_is_said_to_be_of_the_older_transport_is_not_asked_otherwise() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let (toolgate, client) = declared(&server, &open(), "transport = \"sse\"\nheaders = { X-Key = \"k1\" }")?;
    client.initialize(LEGACY)?;
    assert!(client.call("echo", json!({}))?.is_done());
    assert!(posted_at_stream(&server).is_empty());
    let agent = McpHttp::modern(toolgate.url(), Some(TOKEN))?;
    assert!(agent.call("echo", json!({}))?.is_done());
    assert!(posted_at_stream(&server).is_empty());
    for request in server.requests() {
        assert_eq!(request.headers.get("x-key"), Some("k1"), "{} {}", request.method, request.path);
        assert!(!request.headers.has("authorization"), "the agent's own token goes nowhere");
    }
    Ok(())
}

#[test]
fn messages_go_to_no_other_server() -> anyhow::Result<()> {
    let elsewhere = Upstream::start(Script::default())?;
    let address = elsewhere.address();
    for named in [format!("http://{address}/messages"), format!("//{address}/messages"), "ftp://x/".to_owned()] {
        let opening = format!("event: endpoint\ndata: {named}\n\n");
        let server = Older::with(Script::default(), Manners { opening, ..Manners::default() })?;
        let (_toolgate, client) = declared(&server, &open(), "transport = \"sse\"")?;
        let answer = client.post_message(&request(1, "initialize", testkit::message::hello(LEGACY)))?;
        assert_eq!(answer.status(), 502, "{}", answer.text());
        assert!(answer.text().contains("at another server"), "{}", answer.text());
        assert!(!answer.text().contains(&address.port().to_string()), "{}", answer.text());
        assert!(elsewhere.requests().is_empty());
        assert_eq!(server.count("POST"), 0);
    }
    let elsewhere_too = format!("http://{address}/sse");
    let manners = Manners { no_stream: Some((307, vec![("location".into(), elsewhere_too)])), ..Manners::default() };
    let server = Older::with(Script::default(), manners)?;
    let (_toolgate, client) = declared(&server, &open(), "transport = \"sse\"")?;
    let answer = client.post_message(&request(1, "initialize", testkit::message::hello(LEGACY)))?;
    assert!(answer.text().contains("redirects are not followed"), "{}", answer.text());
    assert!(elsewhere.requests().is_empty());
    Ok(())
}

#[test]
fn a_stream_that_names_no_address_is_given_up() -> anyhow::Result<()> {
    for (opening, said) in [
        ("", "did not open its event stream and name an address"),
        (": hello\n\n", "did not open its event stream and name an address"),
        ("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n", "names no address"),
        ("event: endpoint\ndata: /a b\n\n", "cannot be read"),
    ] {
        let server = Older::with(Script::default(), Manners { opening: opening.to_owned(), ..Manners::default() })?;
        let (_toolgate, client) = declared(&server, &open(), "transport = \"sse\"\nfirst_byte_seconds = 1")?;
        let answer = client.post_message(&request(1, "initialize", testkit::message::hello(LEGACY)))?;
        assert!(
            answer.text().contains(said) || answer.text().contains("took no message"),
            "{opening:?}: {}",
            answer.text()
        );
        assert_eq!(answer.message()?.pointer("/error/code"), Some(&json!(-32603)));
        server.wait_for_gone(1)?;
    }
    Ok(())
}

#[test]
fn the_end_of_the_stream_ends_what_is_under_way_and_nothing_is_sent_again() -> anyhow::Result<()> {
    let server = Older::start(Script::with([
        Tool::named("die").does(Behaviour::Die),
        Tool::named("hang").does(Behaviour::Hang),
        Tool::named("echo"),
    ]))?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.legacy()?;
    let hanging = client.open(&call("h", "hang", json!({})))?;
    server.wait_for("the call", |request| request.tool().as_deref() == Some("hang"))?;
    let Outcome::Error(code, text) = client.call("die", json!({}))? else { anyhow::bail!("answered") };
    assert_eq!(code, -32603);
    assert!(text.contains("not known") && text.contains("closed its event stream"), "{text}");
    let other = Outcome::of(&hanging.answer(PATIENCE)?.message()?);
    assert!(matches!(&other, Outcome::Error(-32603, text) if text.contains("not known")), "{other:?}");
    // The session has ended with its connection, and the agent opens another one.
    let lost = client.post_message(&call(9, "echo", json!({})))?;
    assert_eq!(lost.status(), 404, "{}", lost.text());
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    assert_eq!(server.called(), ["hang", "die", "echo"]);
    let records = toolgate.setup.audit()?;
    let unknown = records.iter().filter(|record| word(record, "outcome") == "unknown").count();
    assert_eq!(unknown, 2, "{records:?}");
    Ok(())
}

#[test]
fn a_message_that_is_not_taken_ends_its_call() -> anyhow::Result<()> {
    let fails =
        |status| Tool::named(&format!("http{status}")).does(Behaviour::Http(status, "text/plain".into(), "x".into()));
    let server = Older::start(Script::with([fails(500), fails(404), fails(401), fails(302), Tool::named("echo")]))?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.legacy()?;
    for (status, said) in
        [(500, "HTTP 500"), (404, "HTTP 404"), (401, "credentials"), (302, "redirects are not followed")]
    {
        let Outcome::Error(code, text) = client.call(&format!("http{status}"), json!({}))? else {
            anyhow::bail!("{status} was answered")
        };
        assert_eq!(code, -32603);
        assert!(text.contains("not known") && text.contains(said), "{status}: {text}");
    }
    assert!(client.call("echo", json!({}))?.is_done(), "the session goes on");
    assert_eq!(server.called(), ["http500", "http404", "http401", "http302", "echo"]);
    Ok(())
}

#[test]
fn what_the_stream_says_counts_whatever_becomes_of_the_receipt() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("echo"), Tool::named("hang").does(Behaviour::Hang)]);
    let manners = Manners { receipt_gate: Some("receipt".into()), receipt: 200, ..Manners::default() };
    let server = Older::with(script, manners)?;
    let (_toolgate, client) = declared(&server, &open(), "first_byte_seconds = 2\nidle_seconds = 2")?;
    client.initialize(LEGACY)?;
    server.say(": heartbeat\n\n");
    server.say("event: other\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
    server.say("event: endpoint\ndata: /elsewhere\n\n");
    assert!(client.call("echo", json!({}))?.is_done(), "the answer has come before the receipt");
    let Outcome::Error(code, text) = client.call("hang", json!({}))? else { anyhow::bail!("answered") };
    assert!(code == -32603 && text.contains("not known"), "{text}");
    server.release("receipt");
    assert!(client.call("echo", json!({}))?.is_done());
    assert_eq!(server.called(), ["echo", "hang", "echo"]);
    Ok(())
}

#[test]
fn an_event_that_is_too_long_ends_the_connection() -> anyhow::Result<()> {
    let server = Older::start(Script::with([Tool::named("hang").does(Behaviour::Hang), Tool::named("echo")]))?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.legacy()?;
    let hanging = client.open(&call("h", "hang", json!({})))?;
    server.wait_for("the call", |request| request.tool().as_deref() == Some("hang"))?;
    let piece = format!("data: {}\n", "x".repeat(1024 * 1024));
    for _ in 0..33 {
        server.say(&piece);
    }
    let Outcome::Error(code, text) = Outcome::of(&hanging.answer(PATIENCE)?.message()?) else {
        anyhow::bail!("answered")
    };
    assert!(code == -32603 && text.contains("33554432 bytes"), "{text}");
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    Ok(())
}

#[test]
fn a_session_hears_what_the_server_says_unasked() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    server.say("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n");
    assert_eq!(word(&stream.next(PATIENCE)?, "method"), "notifications/tools/list_changed");
    Ok(())
}

#[test]
fn limits_and_stacks_hold_for_it_too() -> anyhow::Result<()> {
    let (old, new) =
        (Older::start(Script::with([Tool::named("echo")]))?, Upstream::start(Script::with([Tool::named("echo")]))?);
    let setup = toolgate()?;
    setup.file("policy.json", &limited("echo", 1).to_string())?;
    setup.file("token", TOKEN)?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.old]\nurl = \"{}\"\npolicy = \"policy.json\"\n[servers.new]\nurl = \"{}\"\npolicy = \"policy.json\"\n[[grants]]\nlabel = \"agent\"\nservers = [\"old\", \"new\"]\ntoken_file = \"token\"\n",
        old.url(),
        new.url()
    );
    let toolgate = setup.config(&config)?.serve()?;
    let url = toolgate.url().split("/mcp").next().context("no address")?.to_owned() + "/mcp";
    for modern in [true, false] {
        let client = if modern { McpHttp::modern(&url, Some(TOKEN))? } else { McpHttp::legacy(&url, Some(TOKEN))? };
        assert_eq!(client.tools()?, ["old__echo", "new__echo"]);
        let outcome = client.call("old__echo", json!({}))?;
        assert_eq!((outcome.is_done(), outcome.is_limited()), (modern, !modern), "{outcome:?}");
    }
    assert_eq!(old.called(), ["echo"]);
    Ok(())
}

#[test]
fn a_server_that_is_gone_may_come_back_as_another() -> anyhow::Result<()> {
    let manners = Manners { no_stream: Some((404, Vec::new())), other_transport: 404, ..Manners::default() };
    let server = Older::with(Script::default(), manners)?;
    let toolgate = before(&server, &open())?;
    let client = toolgate.client()?;
    let hello = request(1, "initialize", testkit::message::hello(LEGACY));
    for _ in 0..3 {
        let answer = client.post_message(&hello)?;
        assert_eq!(answer.status(), 404, "{}", answer.text());
        assert!(answer.text().contains("HTTP 404"), "{}", answer.text());
    }
    assert_eq!(server.count("GET"), 1, "it is not asked for a stream each time");
    wait::for_it("the answers", || server.count("POST") == 3)?;
    Ok(())
}

#[test]
fn a_command_line_says_it_outright() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let setup = || Ok::<_, anyhow::Error>(toolgate()?.policy(&allow(&["echo"]))?.upstream(&server.url()));
    let toolgate = setup()?.options(["--transport", "sse"]).serve()?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    let mut run = setup()?.options(["--transport", "sse"]).run()?;
    run.client.initialize()?;
    assert!(run.client.call("echo", json!({}))?.is_done());
    assert!(posted_at_stream(&server).is_empty());
    Ok(())
}

#[test]
fn an_agent_on_stdio_has_it_too() -> anyhow::Result<()> {
    let server = Older::start(Script::default())?;
    let mut run = toolgate()?.policy(&allow(&["echo"]))?.upstream(&server.url()).run()?;
    run.client.initialize()?;
    assert_eq!(run.client.tools()?, ["echo"]);
    assert!(run.client.call("echo", json!({}))?.is_done());
    assert!(run.client.call("delete_file", json!({}))?.is_denied());
    assert_eq!(server.called(), ["echo"]);
    assert_eq!(posted_at_stream(&server), ["initialize"]);
    Ok(())
}

#[test]
fn a_call_that_an_agent_on_stdio_gives_up_has_no_answer() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("echo"), Tool::named("wait").does(Behaviour::Gate("never".into()))]);
    let server = Older::start(script)?;
    let mut run = toolgate()?.policy(&open())?.upstream(&server.url()).run()?;
    run.client.initialize()?;
    run.client.send(&call(7, "wait", json!({})))?;
    server.wait_for("the call", |request| request.tool().as_deref() == Some("wait"))?;
    run.client.send(&notification("notifications/cancelled", json!({ "requestId": 7 })))?;
    server.wait_for("that it is given up", |request| request.rpc() == "notifications/cancelled")?;
    server.release("never");
    run.client.send(&request(8, "ping", json!({})))?;
    assert_eq!(run.client.next_that("anything", |_| true)?.get("id"), Some(&json!(8)));
    // What has the id of a server's question is no request of that id.
    run.client.line(br#"{"jsonrpc":"2.0","id":9,"result":[]}"#)?;
    let answer = run.client.next_that("anything", |_| true)?;
    assert_eq!(
        (answer.get("id"), answer.pointer("/error/code")),
        (Some(&Value::Null), Some(&json!(-32600))),
        "{answer}"
    );
    Ok(())
}
