//! Every row of docs/methods.md: what passes and what is refused, as it says.

use std::collections::HashMap;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::{McpHttp, Open};
use testkit::message::{LEGACY, MODERN, modern, notification, request};
use testkit::script::{Behaviour, Script, Tool, task_of};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::toolgate;

const DOCUMENT: &str = include_str!("../../../../docs/methods.md");

/// The rows of one table: the method, and how a refusal looks in each era.
fn rows(heading: &str) -> Vec<(String, [String; 2])> {
    let part = DOCUMENT.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
    let cells = part.lines().filter(|line| line.starts_with("| `")).map(|line| line.split(" | ").collect::<Vec<_>>());
    cells
        .filter_map(|cells| {
            let [method, _, _, legacy, modern] = cells.as_slice() else { return None };
            let plain = |text: &str| text.trim_matches(['|', ' ']).to_owned();
            Some((plain(method).trim_matches('`').to_owned(), [plain(legacy), plain(modern)]))
        })
        .collect()
}

fn everything() -> Value {
    let questions = ["sampling/createMessage", "elicitation/create", "roots/list"];
    let tasks = ["tasks/get", "tasks/result", "tasks/cancel", "tasks/list"];
    let named = [&questions[..], &tasks[..]].concat();
    json!({ "version": "1", "default": "allow", "methods": { "allow": named } })
}

/// Nothing but tools that only serve to make the server speak.
fn nothing() -> Value {
    json!({ "version": "1", "default": "deny", "tools": { "say *": {} } })
}

fn script() -> Script {
    let tools = [Tool::named("work").does(Behaviour::Task(json!({ "content": [] }))), Tool::named("echo")];
    Script {
        resources: vec![("file:///a".into(), "a".into())],
        prompts: vec![("greet".into(), "hello".into())],
        ..Script::with(tools).both_eras()
    }
}

fn understanding(mut params: Value) -> Value {
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let meta = params.as_object_mut().map(|members| members.entry("_meta").or_insert_with(|| json!({})));
    let meta = meta.and_then(Value::as_object_mut);
    meta.and_then(|meta| meta.insert("io.modelcontextprotocol/clientCapabilities".to_owned(), capabilities));
    params
}

fn params(method: &str, task: &str) -> Value {
    match method {
        "initialize" => testkit::message::hello(LEGACY),
        "tools/call" => json!({ "name": "echo", "arguments": {} }),
        "prompts/get" => json!({ "name": "greet" }),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => json!({ "uri": "file:///a" }),
        "completion/complete" => {
            json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "a", "value": "b" } })
        }
        "logging/setLevel" => json!({ "level": "info" }),
        "subscriptions/listen" => json!({ "notifications": { "resourceSubscriptions": ["file:///a"] } }),
        "tasks/update" => json!({ "taskId": task, "inputResponses": {} }),
        "tasks/list" => json!({}),
        _ if method.starts_with("tasks/") => json!({ "taskId": task }),
        "notifications/tasks/status" => json!({ "taskId": "mine", "status": "working" }),
        _ => json!({}),
    }
}

/// Sends a message: its status, and the answer if one is to come.
fn send(client: &McpHttp, is_modern: bool, method: &str, task: &str) -> anyhow::Result<(u16, Value)> {
    let params = understanding(params(method, task));
    let params = if is_modern { modern(params) } else { params };
    if method.starts_with("notifications/") {
        return Ok((client.post_message(&notification(method, params))?.status(), Value::Null));
    }
    let mut open = client.open(&request(client.id(), method, params))?;
    let head = open.head(PATIENCE)?;
    let status = head.status().unwrap_or_default();
    Ok((status, first(open)?))
}

/// The first message of an answer: of a stream, which may not end, or the whole.
fn first(mut open: Open) -> anyhow::Result<Value> {
    let head = open.head(PATIENCE)?;
    match head.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")) {
        true => open.next(PATIENCE),
        false => open.answer(PATIENCE)?.message(),
    }
}

/// Whether an answer is the refusal that a cell describes.
fn is_refused(cell: &str, status: u16, answer: &Value) -> anyhow::Result<bool> {
    let cell = cell.split(';').next().unwrap_or_default();
    let (expected, what) = cell.split_once(", ").with_context(|| format!("a cell that says nothing: {cell}"))?;
    let code = answer.pointer("/error/code").and_then(Value::as_i64);
    let looks = match what {
        "dropped" => answer.is_null(),
        _ if what.contains("`isError`") => {
            answer.pointer("/result/isError") == Some(&json!(true))
                && (answer.pointer("/result/resultType") == Some(&json!("complete"))) == what.contains("complete")
        }
        _ => code == what.parse().ok() && code.is_some(),
    };
    Ok(status.to_string() == expected && looks)
}

#[test]
fn what_agents_send_is_judged_as_the_document_says() -> anyhow::Result<()> {
    let rows = rows("What agents send");
    let known = mcp::method::all().iter().filter(|method| method.sender != mcp::method::Sender::Server);
    assert_eq!(
        rows.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>(),
        known.map(|m| m.name).collect::<Vec<_>>()
    );
    for is_modern in [false, true] {
        let revision = if is_modern { MODERN } else { LEGACY };
        let upstream = Upstream::start(script())?;
        let toolgate = toolgate()?.policy(&everything())?.upstream(&upstream.url()).serve()?;
        let client = if is_modern { toolgate.modern()? } else { toolgate.legacy()? };
        let work = understanding(json!({ "name": "work", "arguments": {}, "task": {} }));
        let created = client.request("tools/call", work)?;
        let task = created.pointer("/result/task/taskId").or_else(|| created.pointer("/result/taskId"));
        let task = task.and_then(Value::as_str).with_context(|| format!("no task: {created}"))?.to_owned();
        let exists = |method: &str| {
            let revision = mcp::revision::Revision::parse(revision);
            mcp::method::find(method).zip(revision).is_some_and(|(method, revision)| method.exists_in(revision))
        };
        for (method, _) in rows.iter().filter(|(method, _)| exists(method)) {
            let before = upstream.count(method);
            let (status, answer) = send(&client, is_modern, method, &task)?;
            assert!(status < 300, "{revision} {method}: {status} {answer}");
            assert!(answer.get("error").is_none(), "{revision} {method}: {answer}");
            assert!(upstream.count(method) > before, "{revision} {method} did not reach the server");
        }
        toolgate.write_policy(&nothing().to_string())?;
        wait::for_it("the edit", || client.call("echo", json!({})).is_ok_and(|outcome| outcome.is_denied()))?;
        for (method, cells) in &rows {
            let cell = &cells[usize::from(is_modern)];
            let before = upstream.count(method);
            // Whoever may stop a task is not whoever may read it: only another's is refused.
            let task = if method == "tasks/cancel" { "another" } else { &task };
            let (status, answer) = send(&client, is_modern, method, task)?;
            if cell.starts_with("never") {
                assert!(upstream.count(method) > before, "{revision} {method} is never refused: {status} {answer}");
            } else {
                assert!(is_refused(cell, status, &answer)?, "{revision} {method}, {cell}: {status} {answer}");
                assert_eq!(upstream.count(method), before, "{revision} {method} reached the server");
            }
        }
    }
    Ok(())
}

#[test]
fn what_servers_send_is_judged_as_the_document_says() -> anyhow::Result<()> {
    let rows = rows("What servers send");
    let known: Vec<_> =
        mcp::method::all().iter().filter(|method| method.sender != mcp::method::Sender::Client).collect();
    assert_eq!(
        rows.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>(),
        known.iter().map(|m| m.name).collect::<Vec<_>>()
    );
    let said = |method: &str| match method {
        "notifications/resources/updated" => json!({ "uri": "file:///a" }),
        "notifications/tasks/status" | "notifications/tasks" => {
            json!({ "taskId": task_of("work"), "status": "working" })
        }
        "elicitation/create" => json!({ "message": "Who?", "requestedSchema": { "type": "object" } }),
        _ => json!({}),
    };
    let revision = mcp::revision::Revision::parse(LEGACY).context("a revision")?;
    let refused: HashMap<_, _> = rows.iter().map(|(method, cells)| (method.as_str(), cells)).collect();
    for method in known.iter().filter(|method| method.exists_in(revision)) {
        let (name, said) = (method.name, said(method.name));
        let speak = if method.notification {
            Behaviour::Say(notification(name, said))
        } else {
            Behaviour::Ask(name.into(), said)
        };
        let mut script = script();
        script.tools.push(Tool::named("say it").does(speak));
        let upstream = Upstream::start(script)?;
        let toolgate = toolgate()?.policy(&everything())?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        client.request("tools/call", json!({ "name": "work", "arguments": {}, "task": {} }))?;
        let call = || request(client.id(), "tools/call", json!({ "name": "say it", "arguments": {} }));
        assert_eq!(first(client.open(&call())?)?["method"], json!(name), "{name} under a policy that allows it");

        toolgate.write_policy(&nothing().to_string())?;
        wait::for_it("the edit", || client.call("echo", json!({})).is_ok_and(|outcome| outcome.is_denied()))?;
        let client = toolgate.legacy()?;
        let cell = refused.get(name).map(|cells| cells[0].as_str()).unwrap_or_default();
        let first = first(client.open(&call())?)?;
        if cell.starts_with("never") {
            assert_eq!(first["method"], json!(name), "{name}: {first}");
            continue;
        }
        assert!(first.get("method").is_none(), "{name} reached the agent: {first}");
        let text = first.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default();
        let code = cell.strip_prefix("error ").map(|code| format!("\"code\":{code},"));
        match code {
            Some(code) => assert!(text.contains(&code), "{name}: {first}"),
            None if method.notification => assert_eq!((cell, text), ("dropped", "did say it"), "{name}"),
            None => assert!(cell.contains("decline") && text.contains("decline"), "{name}: {first}"),
        }
    }
    Ok(())
}

#[test]
fn what_a_policy_denies_of_methods_is_refused_whatever_it_is_about() -> anyhow::Result<()> {
    let upstream = Upstream::start(script())?;
    let denied = ["prompts/get", "resources/subscribe", "completion/*", "notifications/message"];
    let policy = json!({ "version": "1", "default": "allow", "methods": { "deny": denied } });
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for method in ["prompts/get", "resources/subscribe", "completion/complete"] {
        let (status, answer) = send(&client, false, method, "")?;
        assert!(is_refused("200, -32601", status, &answer)?, "{method}: {status} {answer}");
        assert_eq!(upstream.count(method), 0);
    }
    for method in ["resources/read", "tools/call"] {
        let (_, answer) = send(&client, false, method, "")?;
        assert!(answer.get("result").is_some(), "{method}: {answer}");
    }
    Ok(())
}

#[test]
fn a_link_to_what_is_hidden_leads_nowhere() -> anyhow::Result<()> {
    let content = json!([
        { "type": "resource_link", "uri": "file:///hidden", "name": "hidden" },
        { "type": "resource", "resource": { "uri": "file:///hidden", "text": "the tool's own words" } },
    ]);
    let linking = Tool::named("link").does(Behaviour::Result(json!({ "content": content })));
    let resources = vec![("file:///a".into(), "a".into()), ("file:///hidden".into(), "secret".into())];
    let upstream = Upstream::start(Script { resources, ..Script::with([linking]) }.both_eras())?;
    let policy = json!({ "version": "1", "default": "allow", "resources": { "hide": ["file:///hidden"] } });
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let answer = client.request("tools/call", json!({ "name": "link", "arguments": {} }))?;
    assert_eq!(answer.pointer("/result/content"), Some(&content), "what a tool gives is under the tool's rules");
    let reference = json!({ "type": "ref/resource", "uri": "file:///hidden" });
    let completes = json!({ "ref": reference, "argument": { "name": "a", "value": "b" } });
    for (method, params) in [
        ("resources/read", json!({ "uri": "file:///hidden" })),
        ("resources/subscribe", json!({ "uri": "file:///hidden" })),
        ("completion/complete", completes),
    ] {
        let refused = client.request(method, params)?;
        assert_eq!(refused.pointer("/error/code"), Some(&json!(-32002)), "{method}: {refused}");
        assert_eq!(upstream.count(method), 0, "{method}");
    }
    // Nor by a subscription that servers could read otherwise than the gateway.
    let modern = toolgate.modern()?;
    for wanted in [
        json!({ "resourceSubscriptions": ["file:///a", "file:///hidden"] }),
        json!({ "resourceSubscriptions": "file:///hidden" }),
        json!({ "ResourceSubscriptions": ["file:///hidden"] }),
    ] {
        let refused = modern.request("subscriptions/listen", json!({ "notifications": wanted }))?;
        assert_eq!(refused.pointer("/error/code"), Some(&json!(-32602)), "{refused}");
    }
    assert_eq!(upstream.count("subscriptions/listen"), 0);
    Ok(())
}

#[test]
fn a_person_is_sent_to_good_addresses_only() -> anyhow::Result<()> {
    let named = json!({ "version": "1", "default": "allow", "methods": { "allow": ["elicitation/create"] } });
    let page = |url: &str| json!({ "mode": "url", "url": url, "message": "Open it", "elicitationId": "e" });
    for (url, good) in
        [("https://example.com/a", true), ("http://127.0.0.1:1/a", true), ("http://example.com/a", false)]
    {
        let error = json!({ "jsonrpc": "2.0", "id": 1, "error":
            { "code": -32042, "message": "open a page", "data": { "elicitations": [page(url)] } } });
        let waits = json!({ "k": { "method": "elicitation/create", "params": page(url) } });
        let tools = [
            Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), page(url))),
            Tool::named("wait").does(Behaviour::InputRequired(waits, "state".into())),
            Tool::named("fail").does(Behaviour::Http(200, "application/json".into(), error.to_string())),
        ];
        let upstream = Upstream::start(Script::with(tools).both_eras())?;
        let toolgate = toolgate()?.policy(&named)?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let call = |tool: &str| request(1, "tools/call", json!({ "name": tool, "arguments": {} }));
        let asked = first(client.open(&call("ask"))?)?;
        assert_eq!(asked["method"] == json!("elicitation/create"), good, "{url}: {asked}");
        let failed = client.post_message(&call("fail"))?.message()?;
        assert_eq!(failed.pointer("/error/code") == Some(&json!(-32042)), good, "{url}: {failed}");
        assert_eq!(failed.to_string().contains(url), good, "{url}: {failed}");
        let waits = toolgate.modern()?.request("tools/call", json!({ "name": "wait", "arguments": {} }))?;
        assert_eq!(waits.pointer("/result/resultType") == Some(&json!("input_required")), good, "{url}: {waits}");
        assert_eq!(waits.pointer("/result/isError") == Some(&json!(true)), !good, "{url}: {waits}");
    }
    Ok(())
}
