//! Agents of one protocol era on stdio, before endpoints and programs of the other.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::message::{LEGACY, MODERN, Outcome, call, hello, modern, notification, request, result};
use testkit::script::{Behaviour, Script, Tool};
use testkit::stdio::McpStdio;
use testkit::tee;
use testkit::toolgate::Run;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, limited, open, toolgate, word};

/// A server that is a program or an endpoint, and what it has received.
enum Served {
    Program(PathBuf),
    Endpoint(Upstream),
}

impl Served {
    fn messages(&self) -> Vec<Value> {
        match self {
            Self::Program(record) => tee::messages(record),
            Self::Endpoint(upstream) => {
                let posted = upstream.requests().into_iter().filter(|request| request.method == "POST");
                posted.map(|request| request.json()).collect()
            }
        }
    }

    fn count(&self, method: &str) -> usize {
        self.messages().iter().filter(|message| word(message, "method") == method).count()
    }

    fn called(&self) -> Vec<String> {
        let messages = self.messages();
        let calls = messages.iter().filter(|message| word(message, "method") == "tools/call");
        calls.filter_map(|call| Some(call.pointer("/params/name")?.as_str()?.to_owned())).collect()
    }
}

/// `toolgate run` before the same server in each of its forms.
fn each(script: &Script, policy: &Value) -> anyhow::Result<Vec<(Run, Served)>> {
    let setup = toolgate()?.policy(policy)?;
    let (words, record) = setup.recording(script)?;
    let mut all = vec![(setup.program(words).run()?, Served::Program(record))];
    for script in [script.clone(), script.clone().sse()] {
        let upstream = Upstream::start(script)?;
        all.push((toolgate()?.policy(policy)?.upstream(&upstream.url()).run()?, Served::Endpoint(upstream)));
    }
    Ok(all)
}

fn effects(run: &Run) -> anyhow::Result<Vec<String>> {
    let records = run.setup.audit()?;
    let decided = records.iter().filter(|record| record.get("tool").is_some() && record.get("effect").is_some());
    Ok(decided.map(|record| word(record, "effect").to_owned()).collect())
}

/// What a stateless agent asks.
fn ask(client: &mut McpStdio, method: &str, params: Value) -> anyhow::Result<Value> {
    client.request(method, modern(params))
}

fn names(listed: &Value) -> Vec<&str> {
    let tools = listed.pointer("/result/tools").and_then(Value::as_array);
    tools.into_iter().flatten().map(|tool| word(tool, "name")).collect()
}

#[test]
fn a_modern_agent_has_a_legacy_server() -> anyhow::Result<()> {
    for (mut run, served) in each(&Script::default(), &allow(&["echo"]))? {
        let client = &mut run.client;
        let discovered = ask(client, "server/discover", json!({}))?;
        ensure!(discovered.pointer("/result/supportedVersions") == Some(&json!([MODERN])), "{discovered}");
        let listed = ask(client, "tools/list", json!({}))?;
        ensure!(names(&listed) == ["echo"], "{listed}");
        ensure!(listed.pointer("/result/resultType") == Some(&json!("complete")), "{listed}");
        let done = ask(client, "tools/call", json!({ "name": "echo", "arguments": { "a": 1.0 } }))?;
        let Outcome::Done(text) = Outcome::of(&done) else { anyhow::bail!("{done}") };
        ensure!(text.contains(r#""arguments":{"a":1.0}"#), "{text}");
        let denied = ask(client, "tools/call", json!({ "name": "charge", "arguments": {} }))?;
        ensure!(Outcome::of(&denied).is_denied(), "{denied}");
        let unknown = ask(client, "tools/call", json!({ "name": "nothing", "arguments": {} }))?;
        ensure!(Outcome::of(&unknown).is_unknown_tool(), "{unknown}");
        ensure!(served.called() == ["echo"], "{:?}", served.called());
        ensure!(served.count("initialize") == 1, "{:?}", served.messages());
        ensure!(served.count("server/discover") == 1, "it is asked once: {:?}", served.messages());
        run.client.close();
        ensure!(run.client.wait()?.success(), "{}", run.client.stderr());
        ensure!(effects(&run)? == ["allow", "deny", "hide"], "{:?}", effects(&run)?);
    }
    Ok(())
}

#[test]
fn a_legacy_agent_has_a_modern_server() -> anyhow::Result<()> {
    for (mut run, served) in each(&Script::default().modern(), &allow(&["echo"]))? {
        let client = &mut run.client;
        let opened = client.initialize()?;
        ensure!(opened.pointer("/result/protocolVersion") == Some(&json!(LEGACY)), "{opened}");
        ensure!(opened.pointer("/result/serverInfo/name") == Some(&json!("recording-server")), "{opened}");
        ensure!(client.tools()? == ["echo"]);
        let Outcome::Done(text) = client.call("echo", json!({ "a": 1.0 }))? else { anyhow::bail!("not done") };
        ensure!(text.contains(r#""arguments":{"a":1.0}"#), "{text}");
        ensure!(client.call("charge", json!({}))?.is_denied());
        ensure!(client.call("nothing", json!({}))?.is_unknown_tool());
        ensure!(client.request("ping", json!({}))?.get("result") == Some(&json!({})));
        ensure!(served.called() == ["echo"], "{:?}", served.called());
        ensure!(served.count("initialize") == 1, "{:?}", served.messages());
        run.client.close();
        ensure!(run.client.wait()?.success(), "{}", run.client.stderr());
        ensure!(effects(&run)? == ["allow", "deny", "hide"], "{:?}", effects(&run)?);
    }
    Ok(())
}

#[test]
fn where_the_eras_agree_nothing_is_translated() -> anyhow::Result<()> {
    for (mut run, served) in each(&Script::default().both_eras(), &open())? {
        run.client.initialize()?;
        ensure!(run.client.call("echo", json!({}))?.is_done());
        let probed = served.messages().iter().filter(|message| message.pointer("/params/_meta").is_some()).count();
        ensure!(probed == 0, "{:?}", served.messages());
    }
    for (mut run, served) in each(&Script::default().both_eras(), &open())? {
        let done = ask(&mut run.client, "tools/call", json!({ "name": "echo", "arguments": {} }))?;
        ensure!(Outcome::of(&done).is_done(), "{done}");
        ensure!(served.count("initialize") == 0, "{:?}", served.messages());
    }
    Ok(())
}

#[test]
fn a_legacy_servers_question_becomes_a_round() -> anyhow::Result<()> {
    let asked = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": {} } });
    let tool = Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), asked.clone()));
    for (mut run, served) in each(&Script::with([tool]).sse(), &open())? {
        let client = &mut run.client;
        let call = json!({ "name": "ask", "arguments": {} });
        let first = ask(client, "tools/call", call.clone())?;
        ensure!(first.pointer("/result/resultType") == Some(&json!("input_required")), "{first}");
        ensure!(first.pointer("/result/inputRequests/1/params") == Some(&asked), "{first}");
        let said = json!({ "action": "accept", "content": { "name": "Ann" } });
        let mut again = call;
        again["inputResponses"] = json!({ "1": said });
        again["requestState"] = first["result"]["requestState"].clone();
        let done = ask(client, "tools/call", again)?;
        let Outcome::Done(text) = Outcome::of(&done) else { anyhow::bail!("{done}") };
        ensure!(serde_json::from_str::<Value>(&text)? == said, "{text}");
        ensure!(served.called() == ["ask"], "the call was made once");
    }
    Ok(())
}

#[test]
fn a_modern_servers_round_becomes_a_question() -> anyhow::Result<()> {
    let asks = json!({
        "who": { "method": "elicitation/create", "params": { "message": "Who?" } },
        "where": { "method": "roots/list" },
    });
    let tool = Tool::named("ask").does(Behaviour::InputRequired(asks, "state".into()));
    let mut policy = limited("ask", 1);
    policy["methods"] = json!({ "allow": ["elicitation/create", "roots/list"] });
    for (mut run, served) in each(&Script::with([tool]).modern(), &policy)? {
        let client = &mut run.client;
        client.initialize()?;
        client.send(&call(7, "ask", json!({})))?;
        let mut answers = json!({});
        for (key, method, said) in [
            ("who", "elicitation/create", json!({ "action": "accept", "content": { "name": "Ann" } })),
            ("where", "roots/list", json!({ "roots": [] })),
        ] {
            let asked = client.next_that(method, |message| word(message, "method") == method)?;
            client.send(&result(&asked["id"], said.clone()))?;
            answers[key] = said;
        }
        let Outcome::Done(text) = Outcome::of(&client.response(&json!(7))?) else { anyhow::bail!("not done") };
        ensure!(serde_json::from_str::<Value>(&text)? == answers, "{text}");
        ensure!(served.called().len() == 2, "{:?}", served.messages());
        ensure!(client.call("ask", json!({}))?.is_limited(), "counted once, and that was all");
    }
    Ok(())
}

#[test]
fn nobody_is_asked_what_it_has_not_declared() -> anyhow::Result<()> {
    for (method, declared) in [("elicitation/create", json!({ "sampling": {} })), ("sampling/createMessage", json!({}))]
    {
        let tool = Tool::named("ask").does(Behaviour::Ask(method.into(), json!({ "message": "Who?" })));
        for (mut run, _served) in each(&Script::with([tool]).sse(), &open())? {
            let meta = json!({ "io.modelcontextprotocol/clientCapabilities": declared });
            let params = json!({ "name": "ask", "arguments": {}, "_meta": meta });
            let answer = ask(&mut run.client, "tools/call", params)?;
            let Outcome::Done(text) = Outcome::of(&answer) else { anyhow::bail!("{answer}") };
            ensure!(serde_json::from_str::<Value>(&text)?["code"] == json!(-32601), "the server was told so: {text}");
        }
        let asks = json!({ "it": { "method": method, "params": {} } });
        let tool = Tool::named("ask").does(Behaviour::InputRequired(asks, "state".into()));
        for (mut run, _served) in each(&Script::with([tool]).modern(), &open())? {
            let mut params = hello(LEGACY);
            params["capabilities"] = declared.clone();
            run.client.request("initialize", params)?;
            run.client.send(&notification("notifications/initialized", json!({})))?;
            let Outcome::Error(_, text) = run.client.call("ask", json!({}))? else { anyhow::bail!("{method}") };
            let sentence = format!("The server asked for `{method}`, which this agent has not declared");
            ensure!(text.starts_with(&sentence), "{text}");
            let asked = |message: &Value| word(message, "method") == method;
            ensure!(!run.client.aside.iter().any(asked), "{:?}", run.client.aside);
        }
    }
    Ok(())
}

#[test]
fn progress_comes_under_the_agents_own_token() -> anyhow::Result<()> {
    let tools = [Tool::named("work").does(Behaviour::Progress(2, None))];
    for (script, is_modern) in [(Script::with(tools.clone()), true), (Script::with(tools).modern(), false)] {
        for (mut run, _served) in each(&script.sse(), &open())? {
            let mut params = json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": "mine" } });
            if is_modern {
                params = modern(params);
            } else {
                run.client.initialize()?;
            }
            run.client.send(&request("id", "tools/call", params))?;
            let done = run.client.response(&json!("id"))?;
            ensure!(Outcome::of(&done).is_done(), "{done}");
            let aside = run.client.aside.iter();
            let tokens: Vec<_> = aside.filter_map(|message| message.pointer("/params/progressToken")).collect();
            ensure!(tokens == [&json!("mine"), &json!("mine")], "{:?}", run.client.aside);
        }
    }
    Ok(())
}

#[test]
fn cancelling_reaches_a_server_of_the_other_era() -> anyhow::Result<()> {
    let tools = [Tool::named("work").does(Behaviour::Progress(1, Some("never".into()))), Tool::named("echo")];
    for (script, is_modern) in [(Script::with(tools.clone()), true), (Script::with(tools).modern(), false)] {
        for (mut run, served) in each(&script.sse(), &open())? {
            let client = &mut run.client;
            let mut params = json!({ "name": "work", "arguments": {}, "_meta": { "progressToken": 1 } });
            if is_modern {
                params = modern(params);
            } else {
                client.initialize()?;
            }
            client.send(&request(5, "tools/call", params.clone()))?;
            client.next_that("the progress", |message| word(message, "method") == "notifications/progress")?;
            client.send(&request(5, "tools/call", params))?;
            let twice = client.response(&json!(5))?;
            ensure!(twice.to_string().contains("use each id once"), "{twice}");
            client.send(&notification("notifications/cancelled", json!({ "requestId": 5 })))?;
            match &served {
                Served::Endpoint(upstream) if !is_modern => upstream.wait_for_gone(1, PATIENCE)?,
                _ => wait::for_it("the cancellation", || served.count("notifications/cancelled") == 1)?,
            }
            let echo = json!({ "name": "echo", "arguments": {} });
            let echo = if is_modern { modern(echo) } else { echo };
            ensure!(Outcome::of(&client.request("tools/call", echo)?).is_done(), "it goes on");
            ensure!(!client.aside.iter().any(|message| message.get("id") == Some(&json!(5))), "{:?}", client.aside);
        }
    }
    Ok(())
}

#[test]
fn a_legacy_agent_hears_what_a_modern_server_says_unasked() -> anyhow::Result<()> {
    let changed = |message: &Value| word(message, "method") == "notifications/tools/list_changed";
    let upstream = Upstream::start(Script::default().modern())?;
    let mut run = toolgate()?.policy(&open())?.upstream(&upstream.url()).run()?;
    run.client.initialize()?;
    upstream.say_tools_changed()?;
    run.client.next_that("the change", changed)?;

    for (mut run, served) in each(&Script::default().modern(), &open())? {
        run.client.initialize()?;
        wait::for_it("the subscription", || served.count("subscriptions/listen") == 1)?;
        ensure!(run.client.call("echo", json!({}))?.is_done());
        std::fs::write(run.setup.policy_file(), allow(&["echo"]).to_string())?;
        run.client.next_that("the change", changed)?;
        ensure!(run.client.tools()? == ["echo"]);
    }
    Ok(())
}

#[test]
fn a_batch_is_taken_apart_for_a_modern_server() -> anyhow::Result<()> {
    for (mut run, served) in each(&Script::default().modern(), &allow(&["echo"]))? {
        run.client.request("initialize", hello("2025-03-26"))?;
        run.client.send(&notification("notifications/initialized", json!({})))?;
        run.client.send(&json!([call("a", "echo", json!({})), call("b", "charge", json!({}))]))?;
        ensure!(Outcome::of(&run.client.response(&json!("a"))?).is_done());
        ensure!(Outcome::of(&run.client.response(&json!("b"))?).is_denied());
        ensure!(served.called() == ["echo"]);
    }
    Ok(())
}

#[test]
fn a_program_of_the_other_era_that_dies_ends_the_run() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("die").does(Behaviour::Die)]);
    for (script, is_modern) in [(script.clone(), true), (script.modern(), false)] {
        let setup = toolgate()?.policy(&open())?;
        let (words, _) = setup.recording(&script)?;
        let mut run = setup.program(words).run()?;
        let mut params = json!({ "name": "die", "arguments": {} });
        if is_modern {
            params = modern(params);
        } else {
            run.client.initialize()?;
        }
        let answer = run.client.request("tools/call", params)?;
        ensure!(answer.to_string().contains("Whether the"), "{answer}");
        ensure!(run.client.wait()?.code() == Some(3), "{}", run.client.stderr());
        let stderr = run.client.stderr();
        ensure!(stderr.contains("the server's program has ended by itself (exit status: 3)"), "{stderr}");
        ensure!(stderr.lines().any(|line| line == "recording-server: ready"), "its stderr is ours: {stderr}");
    }
    Ok(())
}

#[test]
fn a_call_that_a_lost_session_did_not_carry_out_counts_once() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let mut run = toolgate()?.policy(&limited("echo", 2))?.upstream(&upstream.url()).run()?;
    let mut echo = || {
        let answer = ask(&mut run.client, "tools/call", json!({ "name": "echo", "arguments": {} }))?;
        anyhow::Ok(Outcome::of(&answer))
    };
    ensure!(echo()?.is_done());
    upstream.forget_sessions();
    ensure!(echo()?.is_done(), "in a new session");
    ensure!(upstream.called().len() == 3, "the one of them was answered with 404");
    ensure!(echo()?.is_limited());
    let ended = wait::until("the outcomes", PATIENCE, || {
        let all: Vec<_> =
            run.setup.audit().ok()?.into_iter().filter(|record| word(record, "kind") == "outcome").collect();
        (all.len() == 3).then_some(all)
    })?;
    let ended: Vec<_> = ended.iter().map(|record| word(record, "outcome")).collect();
    ensure!(ended == ["ok", "not_sent", "ok"], "{ended:?}");
    Ok(())
}

/// Answers `initialize` with a revision that has none.
const SAYS_2026: &str = r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"server/discover"'*) echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32601,"message":"Method not found"}}' ;;
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2026-07-28","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}}' ;;
    *'"tools/call"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"done"}]}}' ;;
    esac
done"#;

#[test]
fn a_server_that_agrees_on_a_revision_without_initialize() -> anyhow::Result<()> {
    let program = ["sh", "-c", SAYS_2026];
    let echo = json!({ "name": "echo", "arguments": {} });
    let served = toolgate()?.policy(&open())?.program(program).serve()?;
    let mut run = toolgate()?.policy(&open())?.program(program).run()?;
    for answer in [served.modern()?.request("tools/call", echo.clone())?, ask(&mut run.client, "tools/call", echo)?] {
        let Outcome::Error(-32603, text) = Outcome::of(&answer) else { anyhow::bail!("{answer}") };
        ensure!(text.starts_with("the server answers initialize with 2026-07-28"), "{text}");
    }
    let mut run = toolgate()?.policy(&open())?.program(program).run()?;
    run.client.initialize().context("passed on as it is")?;
    ensure!(run.client.call("echo", json!({}))?.is_done(), "{}", run.client.stderr());
    Ok(())
}

/// A tool may want arguments repeated in headers. An agent on stdio has none, and nothing that a legacy server reads repeats
/// them: its call is not refused for that. Before an endpoint of 2026-07-28 the gateway writes them.
#[test]
fn arguments_that_travel_in_headers_too() -> anyhow::Result<()> {
    let schema =
        json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
    let script = Script::with([Tool::named("read_file").schema(schema)]);
    let arguments = json!({ "name": "read_file", "arguments": { "region": "eu" } });
    for (mut run, served) in each(&script, &open())? {
        let listed = ask(&mut run.client, "tools/list", json!({}))?;
        ensure!(names(&listed) == ["read_file"], "{listed}");
        let done = ask(&mut run.client, "tools/call", arguments.clone())?;
        ensure!(Outcome::of(&done).is_done(), "{done}");
        ensure!(served.called() == ["read_file"], "{:?}", served.called());
    }
    let upstream = Upstream::start(script.clone().modern())?;
    let mut run = toolgate()?.policy(&open())?.upstream(&upstream.url()).run()?;
    let done = ask(&mut run.client, "tools/call", arguments.clone())?;
    ensure!(Outcome::of(&done).is_done(), "{done}");
    ensure!(upstream.wait_for_call("read_file")?.headers.get("mcp-param-region") == Some("eu"));
    // Over HTTP an agent repeats them, whatever the server reads.
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = setup.recording(&script)?;
    let toolgate = setup.program(words).serve()?;
    let client = toolgate.modern()?;
    let post = |extra: &[(&str, &str)]| {
        let message = request(client.id(), "tools/call", modern(arguments.clone()));
        let headers = [&[("Mcp-Method", "tools/call"), ("Mcp-Name", "read_file")][..], extra].concat();
        client.post_with(&headers, message.to_string().as_bytes())
    };
    for (extra, status, code) in [
        (&[("Mcp-Param-Region", "eu")][..], 200, None),
        (&[("Mcp-Param-Region", "us")], 400, Some(-32020)),
        (&[], 400, Some(-32020)),
    ] {
        let answer = post(extra)?;
        ensure!((answer.status(), answer.error_code()) == (status, code), "{extra:?}: {}", answer.text());
    }
    ensure!(tee::called(&record) == ["read_file"], "{:?}", tee::messages(&record));
    Ok(())
}
