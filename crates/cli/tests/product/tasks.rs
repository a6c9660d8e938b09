//! Tasks of both generations: created by judged calls, named for one grant, judged again when they are asked for.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::message::{Outcome, modern, notification, request, result};
use testkit::script::{Behaviour, Script, Tool, task_of};
use testkit::tee;
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, limited, recording, toolgate, word};

fn done() -> Value {
    json!({ "content": [{ "type": "text", "text": "it is done" }] })
}

fn script() -> Script {
    Script::with([Tool::named("work").does(Behaviour::Task(done())), Tool::named("echo")])
}

/// A call that the caller wants to run as a task, or says that it may.
fn work(client: &McpHttp, tool: &str) -> anyhow::Result<Value> {
    client.request("tools/call", asking(tool))
}

fn asking(tool: &str) -> Value {
    json!({ "name": tool, "arguments": {}, "task": { "ttl": 60_000 }, "_meta": understanding() })
}

fn understanding() -> Value {
    let capabilities =
        json!({ "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {}, "vendor/thing": {} } });
    json!({ "io.modelcontextprotocol/clientCapabilities": capabilities })
}

/// The id by which an agent knows the task that an answer creates.
fn created(answer: &Value) -> anyhow::Result<String> {
    let id = answer.pointer("/result/task/taskId").or_else(|| answer.pointer("/result/taskId"));
    let id = id.and_then(Value::as_str).with_context(|| format!("no task: {answer}"))?;
    assert!(!id.contains(&task_of("work")), "the server's own id: {answer}");
    Ok(id.to_owned())
}

fn about(id: &str) -> Value {
    json!({ "taskId": id, "_meta": understanding() })
}

fn code(answer: &Value) -> Option<i64> {
    answer.pointer("/error/code").and_then(Value::as_i64)
}

const RELATED: &str = "/_meta/io.modelcontextprotocol~1related-task/taskId";

#[test]
fn a_task_of_the_core_from_call_to_result() -> anyhow::Result<()> {
    for sse in [false, true] {
        let upstream = Upstream::start(Script { sse, ..script() })?;
        let toolgate = toolgate()?.policy(&allow(&["work"]))?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let id = created(&work(&client, "work")?)?;
        assert_eq!(upstream.wait_for_call("work")?.json().pointer("/params/task"), Some(&json!({ "ttl": 60_000 })));

        let status = client.request("tasks/get", about(&id))?;
        assert_eq!(status.pointer("/result/taskId"), Some(&json!(id)), "{status}");
        let got = client.request("tasks/result", about(&id))?;
        assert_eq!(Outcome::of(&got), Outcome::Done("it is done".into()));
        assert_eq!(got.pointer(&format!("/result{RELATED}")), Some(&json!(id)), "{got}");
        assert_eq!(client.request("tasks/cancel", about(&id))?.pointer("/result/taskId"), Some(&json!(id)));
        for asked in upstream.requests().iter().filter(|request| request.rpc().starts_with("tasks/")) {
            assert_eq!(asked.json().pointer("/params/taskId"), Some(&json!(task_of("work"))));
        }
        // A list shows what this agent has created, not what else the server works on.
        let listed = client.request("tasks/list", json!({}))?;
        let ids: Vec<_> = listed.pointer("/result/tasks").and_then(Value::as_array).cloned().unwrap_or_default();
        assert_eq!(ids.iter().map(|task| task["taskId"].clone()).collect::<Vec<_>>(), [json!(id)], "{listed}");
    }
    Ok(())
}

#[test]
fn a_task_of_the_extension_from_call_to_result() -> anyhow::Result<()> {
    let upstream = Upstream::start(script().modern())?;
    let toolgate = toolgate()?.policy(&allow(&["work"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let answer = work(&client, "work")?;
    assert_eq!(answer.pointer("/result/resultType"), Some(&json!("task")));
    let id = created(&answer)?;
    let got = client.request("tasks/get", about(&id))?;
    assert_eq!(got.pointer("/result/result"), Some(&done()), "{got}");
    assert_eq!(got.pointer("/result/taskId"), Some(&json!(id)));
    assert_eq!(client.request("tasks/cancel", about(&id))?["result"], json!({ "resultType": "complete" }));
    // The header repeats the body: the server's id in both.
    for method in ["tasks/get", "tasks/cancel"] {
        let came = upstream.wait_for(method, |request| request.rpc() == method)?;
        assert_eq!(came.headers.get("mcp-name"), Some(task_of("work").as_str()));
        assert_eq!(came.json().pointer("/params/taskId"), Some(&json!(task_of("work"))));
    }
    Ok(())
}

#[test]
fn tasks_of_programs_over_http_and_stdio() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&allow(&["work"]))?;
    let (words, record) = recording(&setup, &script().both_eras())?;
    let served = setup.program(words).serve()?;
    let client = served.legacy()?;
    let id = created(&work(&client, "work")?)?;
    assert_eq!(Outcome::of(&client.request("tasks/result", about(&id))?), Outcome::Done("it is done".into()));
    let asked = tee::messages(&record).into_iter().find(|message| message["method"] == "tasks/result");
    assert_eq!(asked.context("tasks/result")?["params"]["taskId"], json!(task_of("work")));

    let setup = toolgate()?.policy(&allow(&["work"]))?;
    let (words, _) = recording(&setup, &script())?;
    let mut run = setup.program(words).run()?;
    run.client.initialize()?;
    let id = created(&run.client.request("tools/call", asking("work"))?)?;
    let got = run.client.request("tasks/result", about(&id))?;
    assert_eq!(Outcome::of(&got), Outcome::Done("it is done".into()));

    // And an agent on stdio in front of an endpoint.
    let upstream = Upstream::start(script().modern())?;
    let mut run = toolgate()?.policy(&allow(&["work"]))?.upstream(&upstream.url()).run()?;
    let id = created(&run.client.request("tools/call", modern(asking("work")))?)?;
    let got = run.client.request("tasks/get", modern(about(&id)))?;
    assert_eq!(got.pointer("/result/result"), Some(&done()), "{got}");
    let came = upstream.wait_for("tasks/get", |request| request.rpc() == "tasks/get")?;
    assert_eq!(came.headers.get("mcp-name"), Some(task_of("work").as_str()));
    Ok(())
}

/// Two grants of one server, each with its client.
fn two(upstream: &Upstream) -> anyhow::Result<(Toolgate, [McpHttp; 2])> {
    let setup = toolgate()?;
    setup.file("open.json", &allow(&["work"]).to_string())?;
    let tokens = [TOKEN.to_owned(), TOKEN.replace("test", "rest")];
    let mut config =
        format!("listen = \"127.0.0.1:0\"\n[servers.files]\nurl = \"{}\"\npolicy = \"open.json\"\n", upstream.url());
    for (label, token) in ["one", "other"].iter().zip(&tokens) {
        setup.file(&format!("{label}.token"), token)?;
        config.push_str(&format!(
            "[[grants]]\nlabel = \"{label}\"\nserver = \"files\"\ntoken_file = \"{label}.token\"\n"
        ));
    }
    let toolgate = setup.config(&config)?.serve()?;
    let client = |token: &str| McpHttp::modern(toolgate.url(), Some(token));
    let [one, other] = &tokens;
    let clients = [client(one)?, client(other)?];
    Ok((toolgate, clients))
}

#[test]
fn a_task_of_another_cannot_be_named() -> anyhow::Result<()> {
    let upstream = Upstream::start(script().both_eras())?;
    let (_toolgate, [one, other]) = two(&upstream)?;
    let id = created(&work(&one, "work")?)?;
    assert!(one.request("tasks/get", about(&id))?.get("result").is_some());
    let before = upstream.requests().len();
    for stranger in [id.as_str(), &task_of("work"), "", "x", &id.to_uppercase()] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let mut params = about(stranger);
            params["inputResponses"] = json!({});
            let answer = other.request(method, params)?;
            assert_eq!(code(&answer), Some(-32602), "{method} {stranger}: {answer}");
        }
        let listen = json!({ "notifications": { "taskIds": [stranger] }, "_meta": understanding() });
        assert_eq!(code(&other.request("subscriptions/listen", listen)?), Some(-32602));
        // Nor tied to something else.
        let tied = json!({ "name": "work", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/related-task": { "taskId": stranger } } });
        assert_eq!(code(&other.request("tools/call", tied)?), Some(-32602));
    }
    // Who does not say that it understands tasks is told that first.
    let undeclared = other.request("tasks/get", json!({ "taskId": "x" }))?;
    assert_eq!(code(&undeclared), Some(-32021), "{undeclared}");
    assert_eq!(upstream.requests().len(), before, "nothing of it reached the server");
    Ok(())
}

#[test]
fn a_task_is_counted_once_and_its_reading_recorded() -> anyhow::Result<()> {
    let upstream = Upstream::start(script())?;
    let toolgate = toolgate()?.policy(&limited("work", 1))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let id = created(&work(&client, "work")?)?;
    for _ in 0..3 {
        assert!(client.request("tasks/get", about(&id))?.get("result").is_some());
    }
    assert!(Outcome::of(&client.request("tasks/result", about(&id))?).is_done());
    assert!(Outcome::of(&work(&client, "work")?).is_limited());
    let decisions = toolgate.setup.audit()?;
    let decisions: Vec<_> = decisions.into_iter().filter(|record| word(record, "kind") == "decision").collect();
    let said: Vec<_> =
        decisions.iter().map(|one| (word(one, "method"), word(one, "tool"), word(one, "effect"))).collect();
    let get = ("tasks/get", "work", "allow");
    let call = |effect| ("tools/call", "work", effect);
    assert_eq!(said, [call("allow"), get, get, get, ("tasks/result", "work", "allow"), call("deny")]);
    let counted = decisions.iter().filter(|one| one.get("counts").is_some_and(|counts| counts != &json!([]))).count();
    assert_eq!(counted, 1, "{decisions:?}");
    Ok(())
}

#[test]
fn what_a_denied_tool_has_done_is_not_given_out() -> anyhow::Result<()> {
    for (era, policy) in [
        ("legacy", json!({ "version": "1", "default": "deny" })),
        (
            "legacy",
            json!({ "version": "1", "default": "allow", "tools": { "work": { "action": "deny", "visible": true } } }),
        ),
        ("modern", json!({ "version": "1", "default": "allow", "hide": ["work"] })),
        ("modern", json!({ "version": "1", "default": "allow", "methods": { "deny": ["tasks/*"] } })),
    ] {
        let upstream = Upstream::start(script().both_eras())?;
        let toolgate = toolgate()?.policy(&allow(&["work", "echo"]))?.upstream(&upstream.url()).serve()?;
        let client = if era == "modern" { toolgate.modern()? } else { toolgate.legacy()? };
        let id = created(&work(&client, "work")?)?;
        let read = if era == "modern" { "tasks/get" } else { "tasks/result" };
        assert!(client.request(read, about(&id))?.get("result").is_some());
        toolgate.write_policy(&policy.to_string())?;
        wait::for_it("the edit", || {
            client.request(read, about(&id)).is_ok_and(|answer| answer.get("error").is_some())
        })?;
        let before = upstream.count(read);
        let answer = client.request(read, about(&id))?;
        assert!(!answer.to_string().contains("it is done"), "{answer}");
        assert_eq!(upstream.count(read), before, "{policy}");
        // Stopping it is nobody's loss.
        let stopped = client.request("tasks/cancel", about(&id))?;
        assert_eq!(stopped.get("result").is_some(), policy.get("methods").is_none(), "{stopped}");
    }
    Ok(())
}

#[test]
fn a_task_asks_only_what_the_policy_lets_the_server_ask() -> anyhow::Result<()> {
    let asks = |method: &str| json!({ "k": { "method": method, "params": { "message": "Who?" } } });
    let tools = [
        Tool::named("polite").does(Behaviour::WaitingTask(asks("elicitation/create"))),
        Tool::named("curious").does(Behaviour::WaitingTask(asks("sampling/createMessage"))),
    ];
    let upstream = Upstream::start(Script::with(tools).modern())?;
    let policy = json!({ "version": "1", "default": "allow", "methods": { "allow": ["elicitation/create"] } });
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let polite = created(&work(&client, "polite")?)?;
    let waits = client.request("tasks/get", about(&polite))?;
    assert_eq!(waits.pointer("/result/inputRequests/k/method"), Some(&json!("elicitation/create")), "{waits}");
    let mut update = about(&polite);
    update["inputResponses"] = json!({ "k": { "action": "accept" } });
    assert_eq!(client.request("tasks/update", update)?["result"], json!({ "resultType": "complete" }));
    let came = upstream.wait_for("tasks/update", |request| request.rpc() == "tasks/update")?.json();
    assert_eq!(came.pointer("/params/inputResponses"), Some(&json!({ "k": { "action": "accept" } })));

    let curious = created(&work(&client, "curious")?)?;
    let refused = client.request("tasks/get", about(&curious))?;
    assert_eq!(code(&refused), Some(4030), "{refused}");
    assert!(!refused.to_string().contains("Who?"), "{refused}");
    Ok(())
}

#[test]
fn a_server_tells_of_an_agents_own_tasks_only() -> anyhow::Result<()> {
    let upstream = Upstream::start(script())?;
    let toolgate = toolgate()?.policy(&allow(&["work"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let id = created(&work(&client, "work")?)?;
    let mut stream = client.listen(None)?;
    let status =
        |task: &str| notification("notifications/tasks/status", json!({ "taskId": task, "status": "working" }));
    wait::for_it("a stream", || upstream.say(&status("task-of-another")))?;
    upstream.say(&status(&task_of("work")));
    let told = stream.next(PATIENCE)?;
    assert_eq!(told.pointer("/params/taskId"), Some(&json!(id)), "{told}");

    let upstream = Upstream::start(script().modern())?;
    let toolgate = crate::setup::toolgate()?.policy(&allow(&["work"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    let id = created(&work(&client, "work")?)?;
    let params = modern(json!({ "notifications": { "taskIds": [id] }, "_meta": understanding() }));
    let mut stream = client.open(&request("sub", "subscriptions/listen", params))?;
    let acknowledged = stream.next(PATIENCE)?;
    assert_eq!(acknowledged.pointer("/params/notifications/taskIds"), Some(&json!([id])), "{acknowledged}");
    let asked = upstream.wait_for("the subscription", |request| request.rpc() == "subscriptions/listen")?.json();
    assert_eq!(asked.pointer("/params/notifications/taskIds"), Some(&json!([task_of("work")])));
    let tell = |task: &str| {
        let params = json!({ "taskId": task, "status": "completed", "result": done(),
            "_meta": { "io.modelcontextprotocol/subscriptionId": "sub" } });
        notification("notifications/tasks", params)
    };
    wait::for_it("a stream", || upstream.say(&tell("task-of-another")))?;
    upstream.say(&tell(&task_of("work")));
    let told = stream.next(PATIENCE)?;
    assert_eq!(told.pointer("/params/taskId"), Some(&json!(id)), "{told}");
    assert_eq!(told.pointer("/params/result"), Some(&done()));
    Ok(())
}

#[test]
fn a_server_asks_for_an_agents_tasks_only_by_name() -> anyhow::Result<()> {
    let ask = Tool::named("ask").does(Behaviour::Ask("tasks/get".into(), json!({ "taskId": "mine" })));
    let named = json!({ "version": "1", "default": "allow", "methods": { "allow": ["tasks/get", "tasks/result"] } });
    for (policy, passes) in [(json!({ "version": "1", "default": "allow" }), false), (named, true)] {
        let upstream = Upstream::start(Script::with([ask.clone()]))?;
        let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let mut stream = client.open(&request(1, "tools/call", json!({ "name": "ask", "arguments": {} })))?;
        let first = stream.next(PATIENCE)?;
        if passes {
            assert_eq!(first.pointer("/params/taskId"), Some(&json!("mine")), "{first}");
            client.post_message(&result(&first["id"], json!({ "taskId": "mine", "status": "working" })))?;
            let Outcome::Done(said) = Outcome::of(&stream.next(PATIENCE)?) else { anyhow::bail!("not done") };
            assert!(said.contains("mine"), "{said}");
        } else {
            let Outcome::Done(said) = Outcome::of(&first) else { anyhow::bail!("{first}") };
            assert!(said.contains("-32601"), "{said}");
        }
    }
    Ok(())
}

#[test]
fn the_capability_is_there_where_tasks_are_served() -> anyhow::Result<()> {
    let denied = json!({ "version": "1", "default": "allow", "methods": { "deny": ["tasks/get"] } });
    let unlisted = json!({ "version": "1", "default": "allow", "methods": { "hide": ["tasks/list"] } });
    for (policy, core, extension) in [
        (allow(&["work"]), vec!["cancel", "list", "requests"], true),
        (unlisted, vec!["cancel", "requests"], true),
        (denied, vec![], false),
    ] {
        let upstream = Upstream::start(script().both_eras())?;
        let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
        let hello = toolgate.client()?.initialize(testkit::message::LEGACY)?;
        let tasks = hello.pointer("/result/capabilities/tasks").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut there: Vec<_> = tasks.keys().collect();
        there.sort();
        assert_eq!(there, core, "{hello}");
        let client = toolgate.modern()?;
        let discovered = client.request("server/discover", json!({ "_meta": understanding() }))?;
        let extensions = discovered.pointer("/result/capabilities/extensions").cloned().unwrap_or_default();
        assert_eq!(extensions.get("io.modelcontextprotocol/tasks").is_some(), extension, "{discovered}");
        // An extension that nobody here knows carries nothing by itself: its methods are judged by name.
        assert!(extensions.get("vendor/thing").is_some(), "{discovered}");
        let sent = upstream.wait_for("discovery", |request| request.rpc() == "server/discover")?.json();
        let declared = "/params/_meta/io.modelcontextprotocol~1clientCapabilities/extensions";
        let declared = sent.pointer(declared).cloned().unwrap_or_default();
        assert_eq!(declared.get("io.modelcontextprotocol/tasks").is_some(), extension, "{sent}");
        assert!(declared.get("vendor/thing").is_some(), "{sent}");
    }
    Ok(())
}
