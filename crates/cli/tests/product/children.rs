//! Servers that are programs: started, watched, stopped.

use std::path::Path;

use serde_json::{Value, json};
use testkit::message::{Outcome, modern, request};
use testkit::place;
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee::{self, Event};
use testkit::toolgate::is_alive;
use testkit::wait;

use crate::crash::pids;
use crate::setup::{EXE, allow, open, recording, toolgate};

#[test]
fn a_program_serves_over_http() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&allow(&["echo"]))?;
    let (words, record) = recording(&setup, &Script::default())?;
    let toolgate = setup.program(words).serve()?;
    assert_eq!(tee::events(&record), [], "it is started when it is needed");
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, ["echo"]);
    let Outcome::Done(text) = client.call("echo", json!({ "a": [1, "b"] }))? else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "name": "echo", "arguments": { "a": [1, "b"] } }));
    assert!(client.call("delete_file", json!({}))?.is_denied());
    assert_eq!(tee::called(&record), ["echo"]);
    Ok(())
}

#[test]
fn one_session_has_one_child() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &Script::default())?;
    let toolgate = setup.program(words).serve()?;
    let (one, other) = (toolgate.legacy()?, toolgate.legacy()?);
    for client in [&one, &other, &one] {
        assert!(client.call("echo", json!({}))?.is_done());
    }
    let children = pids(&record);
    assert_eq!(children.len(), 2);
    assert!(one.delete()?.status() < 300);
    wait::for_it("the end of one child", || children.iter().filter(|pid| is_alive(**pid)).count() == 1)?;
    assert!(other.call("echo", json!({}))?.is_done());
    Ok(())
}

#[test]
fn modern_requests_share_a_modern_child() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &Script::default().modern())?;
    let toolgate = setup.program(words).serve()?;
    let (one, other) = (toolgate.modern()?, toolgate.modern()?);
    for client in [&one, &other, &one] {
        assert!(client.call("echo", json!({}))?.is_done());
    }
    assert_eq!(pids(&record).len(), 1);
    Ok(())
}

#[test]
fn a_modern_agent_on_stdio_has_a_modern_child() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&allow(&["echo"]))?;
    let (words, record) = recording(&setup, &Script::default().both_eras())?;
    let mut run = setup.program(words).run()?;
    // It remembers its list and asks for none.
    let mut call = |name: &str| {
        let answer = run.client.request("tools/call", modern(json!({ "name": name, "arguments": {} })))?;
        anyhow::Ok(Outcome::of(&answer))
    };
    assert!(call("echo")?.is_done());
    assert!(call("delete_file")?.is_denied());
    assert!(call("nothing")?.is_unknown_tool());
    for message in tee::messages(&record) {
        let version = message.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion");
        assert_eq!(version, Some(&json!(testkit::message::MODERN)), "{message}");
    }
    assert_eq!(tee::called(&record), ["echo"]);
    Ok(())
}

#[test]
fn junk_on_stdout_is_skipped() -> anyhow::Result<()> {
    let junk = ["Server started!", "", "{\"not\":\"rpc\"}", "[]", "{", "null", "\u{1b}[32mcolour\u{1b}[0m"]
        .map(str::to_owned)
        .to_vec();
    let script = Script { junk, ..Script::default() };
    let setup = toolgate()?.policy(&open())?;
    let (words, _) = recording(&setup, &script)?;
    let mut run = setup.program(words).run()?;
    run.client.initialize()?;
    for _ in 0..3 {
        assert!(run.client.call("echo", json!({}))?.is_done());
    }
    assert!(run.client.aside.iter().all(|message| message.get("jsonrpc").is_some()), "{:?}", run.client.aside);

    let setup = toolgate()?.policy(&open())?;
    let (words, _) = recording(&setup, &script)?;
    let toolgate = setup.program(words).serve()?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    Ok(())
}

#[test]
fn run_ends_with_its_agent_and_takes_the_group_along() -> anyhow::Result<()> {
    for ignore_close in [false, true] {
        let setup = toolgate()?.policy(&open())?;
        let (words, record) = recording(&setup, &Script { grandchild: true, ignore_close, ..Script::default() })?;
        let mut run = setup.program(words).run()?;
        run.client.initialize()?;
        assert!(run.client.call("echo", json!({}))?.is_done());
        let pids = pids(&record);
        assert_eq!(pids.len(), 2);
        run.client.close();
        run.client.wait()?;
        for pid in pids {
            wait::for_it("the group's end", || !is_alive(pid))?;
        }
    }
    Ok(())
}

#[test]
fn serve_takes_the_group_along() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &Script { grandchild: true, ignore_close: true, ..Script::default() })?;
    let mut toolgate = setup.program(words).serve()?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    let pids = pids(&record);
    toolgate.stop()?;
    for pid in pids {
        wait::for_it("the group's end", || !is_alive(pid))?;
    }
    Ok(())
}

#[test]
fn run_gives_the_childs_status() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, _) = recording(&setup, &Script { crash_at_start: Some(7), ..Script::default() })?;
    let mut run = setup.program(words).run()?;
    // The child may be started only when something is asked.
    let _ = run.client.send(&request(1, "initialize", testkit::message::hello("2025-11-25")));
    run.client.wait_stderr("told to crash")?;
    run.client.close();
    assert_eq!(run.client.wait()?.code(), Some(7), "{}", run.client.stderr());
    assert!(run.client.stderr().contains("told to crash"), "{}", run.client.stderr());
    Ok(())
}

#[test]
fn a_child_that_dies_is_said_to_have_died_and_comes_back() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("echo"), Tool::named("die").does(Behaviour::Die)]);
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &script)?;
    let toolgate = setup.program(words).serve()?;
    let client = toolgate.legacy()?;
    let outcome = client.call("die", json!({}))?;
    assert!(!outcome.is_done(), "{outcome:?}");
    // Its session died with it: a client starts anew, as it does with any server.
    let again = wait::until("a new child", wait::PATIENCE, || toolgate.legacy().ok())?;
    assert!(again.call("echo", json!({}))?.is_done());
    assert_eq!(pids(&record).len(), 2);
    let outcomes = toolgate.setup.audit()?;
    assert!(
        outcomes.iter().any(|record| record.get("outcome") == Some(&json!("unknown"))
            || record.get("outcome") == Some(&json!("disconnected"))),
        "{outcomes:?}"
    );
    Ok(())
}

#[test]
fn a_child_inherits_no_secret_of_toolgate() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &Script::default())?;
    let setup = setup.variable("TOOLGATE_TOKEN", testkit::toolgate::TOKEN).variable("PLAIN", "yes");
    let toolgate = setup.token(None).program(words).serve()?;
    let client = testkit::client::McpHttp::legacy(toolgate.url(), Some(testkit::toolgate::TOKEN))?;
    assert!(client.call("echo", json!({}))?.is_done());
    let events = tee::events(&record);
    let Some(Event::Started { environment, .. }) = events.first() else { anyhow::bail!("no start in {events:?}") };
    assert!(environment.iter().any(|(name, value)| name == "PLAIN" && value == "yes"));
    assert!(!environment.iter().any(|(name, _)| name.starts_with("TOOLGATE_")), "{environment:?}");
    Ok(())
}

#[test]
fn a_child_inherits_no_credential_of_others() -> anyhow::Result<()> {
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    setup.file("headers", "X-Key: ${MAIL_KEY}")?;
    let (words, record) = recording(&setup, &Script::default())?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.files]\ncommand = {words:?}\nenv = {{ OWN = \"${{GIVEN}}\" }}\npolicy = \"policy.json\"\n[servers.mail]\nurl = \"http://127.0.0.1:9/\"\nheaders = {{ Authorization = \"Bearer ${{MAIL_TOKEN}}\" }}\nheader_file = \"headers\"\n[[grants]]\nlabel = \"agent\"\nserver = \"files\"\ntoken_env = \"AGENT_TOKEN\"\n"
    );
    let mut setup = setup.config(&config)?.variable("AGENT_TOKEN", testkit::toolgate::TOKEN);
    for name in ["MAIL_TOKEN", "MAIL_KEY", "GIVEN", "PLAIN"] {
        setup = setup.variable(name, "a value");
    }
    let toolgate = setup.serve()?;
    let url = toolgate.url_of("files")?;
    let client = testkit::client::McpHttp::legacy(url, Some(testkit::toolgate::TOKEN))?;
    assert!(client.call("echo", json!({}))?.is_done());
    let events = tee::events(&record);
    let Some(Event::Started { environment, .. }) = events.first() else { anyhow::bail!("no start in {events:?}") };
    let names: Vec<&str> = environment.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["OWN", "PLAIN"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(!["MAIL_TOKEN", "MAIL_KEY", "AGENT_TOKEN"].iter().any(|name| names.contains(name)), "{names:?}");
    Ok(())
}

#[test]
fn stdio_agents_have_http_servers_too() -> anyhow::Result<()> {
    for script in [Script::default(), Script::default().sse(), Script::default().sessionless()] {
        let upstream = testkit::upstream::Upstream::start(script)?;
        let mut run = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url()).run()?;
        run.client.initialize()?;
        assert_eq!(run.client.tools()?, ["echo"]);
        assert!(run.client.call("echo", json!({}))?.is_done());
        assert!(run.client.call("delete_file", json!({}))?.is_denied());
        assert!(run.client.call("nothing", json!({}))?.is_unknown_tool());
        assert_eq!(upstream.called(), ["echo"]);
        run.client.close();
        assert!(run.client.wait()?.success());
    }
    Ok(())
}

#[test]
fn a_program_that_is_not_there() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?.program(["/nothing/here"]);
    let mut run = setup.run()?;
    let _ = run.client.send(&request(1, "initialize", testkit::message::hello("2025-11-25")));
    assert!(!run.client.wait()?.success());
    assert!(run.client.stderr().contains("/nothing/here"), "{}", run.client.stderr());
    assert!(place::program("tee-server", Path::new(EXE))?.exists());
    Ok(())
}

/// A server that says hello, and ends when it is asked for its tools.
const ENDS_OVER_ITS_LIST: &str = r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"tools/list"'*) exit 7 ;;
    esac
done"#;

#[test]
fn a_program_that_ends_over_its_list_leaves_no_request_open() -> anyhow::Result<()> {
    let program = ["sh", "-c", ENDS_OVER_ITS_LIST];
    let is_said = |answer: &Value| {
        let said = answer.pointer("/error/message").or(answer.pointer("/result/content/0/text"));
        let said = said.and_then(Value::as_str).unwrap_or_default();
        assert!(said.contains("the server process") && said.contains("ended"), "{answer}");
    };
    for asked in ["tools/list", "tools/call"] {
        let mut run = toolgate()?.policy(&open())?.program(program).run()?;
        run.client.initialize()?;
        is_said(&run.client.request(asked, json!({ "name": "echo" }))?);
        assert_eq!(run.client.wait()?.code(), Some(7));
        let stderr = run.client.stderr();
        assert!(stderr.contains("the server's program has ended by itself (exit status: 7)"), "{stderr}");

        let toolgate = toolgate()?.policy(&open())?.program(program).serve()?;
        is_said(&toolgate.legacy()?.request(asked, json!({ "name": "echo" }))?);
    }
    Ok(())
}

#[test]
fn a_line_that_is_no_message_is_told_and_ends_its_call() -> anyhow::Result<()> {
    let broken = |line: &str| Behaviour::Bytes(format!("{line}\n"));
    let script = Script {
        tools: vec![
            Tool::named("nan").does(broken(r#"{"jsonrpc":"2.0","id":41,"result":{"content":[],"x":NaN}}"#)),
            Tool::named("both").does(broken(r#"{"jsonrpc":"2.0","id":41,"result":{},"error":{}}"#)),
            Tool::named("echo"),
        ],
        ..Script::default()
    };
    for tool in ["nan", "both"] {
        let setup = toolgate()?.policy(&open())?;
        let (words, record) = recording(&setup, &script)?;
        let toolgate = setup.program(words).serve()?;
        let client = toolgate.legacy()?;
        let answer = client.post_message(&testkit::message::call(41, tool, json!({})))?.message()?;
        let Outcome::Error(code, text) = Outcome::of(&answer) else { anyhow::bail!("answered: {answer}") };
        assert!(code == -32603 && text.contains("not known") && text.contains("not valid JSON-RPC"), "{text}");
        assert!(client.call("echo", json!({}))?.is_done());
        assert_eq!(tee::called(&record), [tool, "echo"]);
        toolgate.wait_stderr("something that is no message, which was left out: `{\"jsonrpc\"")?;
    }
    Ok(())
}

#[test]
fn junk_is_told_once_and_safely() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&allow(&["echo"]))?;
    let junk = vec!["\u{1b}[32mServer started\u{1b}[0m".to_owned(), "second".to_owned()];
    let (words, _) = recording(&setup, &Script { junk, ..Script::default() })?;
    let toolgate = setup.program(words).serve()?;
    let client = toolgate.legacy()?;
    for _ in 0..10 {
        assert!(client.call("echo", json!({}))?.is_done());
    }
    toolgate.wait_stderr("something that is no message, which was left out: `")?;
    let stderr = toolgate.stderr();
    assert!(stderr.contains("Server started") && !stderr.contains('\u{1b}'), "{stderr}");
    assert_eq!(stderr.matches("no message").count(), 1, "{stderr}");
    Ok(())
}

#[test]
fn a_grant_has_its_share_of_programs() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let (words, _) = recording(&setup, &Script::default())?;
    setup.file("policy.json", &open().to_string())?;
    for label in ["one", "other"] {
        setup.file(label, &format!("a-token-of-{label}-that-is-long-enough-to-be-one"))?;
    }
    let grant =
        |label: &str| format!("[[grants]]\nlabel = \"{label}\"\nserver = \"program\"\ntoken_file = \"{label}\"\n");
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.program]\ncommand = {words:?}\npolicy = \"policy.json\"\n{}{}",
        grant("one"),
        grant("other")
    );
    let toolgate = setup.config(&config)?.serve()?;
    let client = |label: &str| {
        testkit::client::McpHttp::legacy(
            toolgate.url(),
            Some(&format!("a-token-of-{label}-that-is-long-enough-to-be-one")),
        )
    };
    let mut sessions = Vec::new();
    for _ in 0..64 {
        sessions.push(client("one")?);
    }
    let refused = client("one").err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("64 server processes are running for this grant"), "{refused}");
    assert!(client("other")?.call("echo", json!({}))?.is_done());
    assert!(sessions.pop().is_some_and(|session| session.delete().is_ok_and(|answer| answer.status() == 204)));
    assert!(client("one")?.call("echo", json!({}))?.is_done());
    Ok(())
}
