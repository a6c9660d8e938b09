//! The MCP server: what an agent asks before it trusts.

use serde_json::{Value, json};
use web::{Audience, Site};

use crate::programs::site;

async fn said(site: &Site, name: &str, arguments: Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    web::mcp::answer(site, &call).await.unwrap()["result"].clone()
}

#[tokio::test]
async fn every_tool_answers_as_it_says() {
    let (_folder, site) = site(Audience::Members).await;
    let listed = web::mcp::answer(&site, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await.unwrap();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let calls = [
        ("search", json!({ "query": "mail", "class": "destructive" })),
        ("search", json!({ "query": "xyzzy" })),
        ("check_server", json!({ "server": "ACME/mailer" })),
        ("check_tool", json!({ "server": "acme/mailer", "tool": "Delete_Mailbox" })),
        ("check_stack", json!({ "servers": ["acme/mailer", "home/diary", "nobody/knows"] })),
        ("changes", json!({ "since": "1969-12-31" })),
        ("changes", json!({ "since": "7d", "server": "acme/mailer" })),
    ];
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{name}");
        let input = jsonschema::validator_for(&tool["inputSchema"]).unwrap();
        let output = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
        let mut called = 0;
        for (_, arguments) in calls.iter().filter(|call| call.0 == name) {
            assert!(input.is_valid(arguments), "{name} {arguments}");
            let answer = said(&site, name, arguments.clone()).await;
            let wrong: Vec<String> =
                output.iter_errors(&answer["structuredContent"]).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?} {answer}");
            assert!(!answer["content"][0]["text"].as_str().unwrap().contains('\u{202e}'), "{answer}");
            called += 1;
        }
        assert!(called > 0, "{name} was not called");
    }
    assert_eq!(tools.len(), 5);
}

#[tokio::test]
async fn an_agent_asks_before_it_trusts() {
    let (_folder, site) = site(Audience::Members).await;
    let answer = said(&site, "check_tool", json!({ "server": "acme/mailer", "tool": "delete_mailbox" })).await;
    assert_eq!(answer["structuredContent"]["class"], "destructive", "{answer}");
    assert!(answer["content"][0]["text"].as_str().unwrap().starts_with("# `delete_mailbox`"));
    let answer = said(&site, "check_server", json!({ "server": "acme/mailer" })).await;
    assert_eq!(answer["structuredContent"]["classes"]["destructive"], 1, "{answer}");
    let answer = said(&site, "search", json!({ "query": "mail", "class": "destructive" })).await;
    assert_eq!(answer["structuredContent"]["total"], 1, "{answer}");
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert_eq!(text, "1 entry found\n- tool delete_mailbox of acme/mailer: critical, destructive");
    for (name, arguments) in [
        ("check_server", json!({ "server": "nobody/nothing" })),
        ("check_stack", json!({})),
        ("check_stack", json!({ "servers": ["nobody/nothing"] })),
        ("changes", json!({ "since": "yesterday" })),
        ("changes", json!({ "since": "7d", "server": "nobody/nothing" })),
    ] {
        let answer = said(&site, name, arguments).await;
        assert_eq!(answer["isError"], true, "{name}: {answer}");
    }
    let answer = said(&site, "check_server", json!({ "server": "acme/mailer/send_mail" })).await;
    assert!(answer["content"][0]["text"].as_str().unwrap().contains("`check_tool`"), "{answer}");
    let answer = said(&site, "check_tool", json!({ "server": "acme/mailer", "tool": "sing" })).await;
    assert!(answer["content"][0]["text"].as_str().unwrap().contains("no tool of that name"), "{answer}");
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert!(web::mcp::answer(&site, &told).await.is_none());
    let unknown = web::mcp::answer(&site, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/sing" })).await.unwrap();
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32601)));
}

#[tokio::test]
async fn servers_are_looked_at_together_without_a_word_of_their_configuration() {
    let (_folder, site) = site(Audience::Members).await;
    let answer = said(&site, "check_stack", json!({ "servers": ["acme/mailer", "home/diary"] })).await;
    let data = &answer["structuredContent"];
    assert_eq!((&data["total"], &data["tools"][0]["name"]), (&json!(4), &json!("delete_mailbox")), "{answer}");
    assert!(data["tokens"].as_u64().unwrap() > 10, "{answer}");
    let config = json!({ "mcpServers": {
        "acme/mailer": { "command": "/opt/mailer", "args": ["--token", "sk-secret"], "env": { "KEY": "sk-secret" } },
        "sk-secret": { "url": "https://u:sk-secret@never.test/mcp?key=sk-secret", "headers": { "X": "sk-secret" } },
    } });
    for text in [config.to_string(), format!("sk-secret {config}")] {
        let answer = said(&site, "check_stack", json!({ "config": text })).await;
        assert!(!answer.to_string().contains("sk-secret"), "{answer}");
    }
    let answer = said(&site, "check_stack", json!({ "config": config.to_string() })).await;
    let data = &answer["structuredContent"];
    assert_eq!((&data["servers"][0]["name"], &data["unknown"]), (&json!("acme/mailer"), &json!(1)), "{answer}");
}

/// Values that are no argument of any tool, and some that are one of some.
fn values() -> Vec<Value> {
    let long = "x".repeat(401);
    let many = vec!["acme/mailer"; 101];
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1.5),
        json!(""),
        json!("tool"),
        json!("Tool"),
        json!("write"),
        json!(long),
        json!([]),
        json!([""]),
        json!(["acme/mailer", 7]),
        json!(many),
        json!({}),
    ]
}

#[tokio::test]
async fn arguments_are_what_is_declared_of_them() {
    let (_folder, site) = site(Audience::Members).await;
    let listed = web::mcp::answer(&site, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await.unwrap();
    let sound = [
        ("search", json!({ "query": "mail" })),
        ("check_server", json!({ "server": "acme/mailer" })),
        ("check_tool", json!({ "server": "acme/mailer", "tool": "send_mail" })),
        ("check_stack", json!({ "servers": ["acme/mailer"] })),
        ("changes", json!({ "since": "7d" })),
    ];
    for (name, arguments) in sound {
        let tool = listed["result"]["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        let input = jsonschema::validator_for(&tool["inputSchema"]).unwrap();
        for argument in tool["inputSchema"]["properties"].as_object().unwrap().keys() {
            for value in values() {
                let mut given = arguments.clone();
                given[argument] = value;
                let answer = said(&site, name, given.clone()).await;
                let text = answer["content"][0]["text"].as_str().unwrap();
                if !input.is_valid(&given) {
                    assert_eq!(answer["isError"], true, "{name} {given}: {answer}");
                    assert!(text.starts_with(&format!("`{argument}` must be ")), "{name} {given}: {text}");
                }
            }
        }
        for required in tool["inputSchema"]["required"].as_array().unwrap() {
            let mut given = arguments.clone();
            given.as_object_mut().unwrap().remove(required.as_str().unwrap());
            let answer = said(&site, name, given).await;
            let text = answer["content"][0]["text"].as_str().unwrap();
            let begins = format!("`{}` is missing; it must be ", required.as_str().unwrap());
            assert!(answer["isError"] == true && text.starts_with(&begins), "{name}: {text}");
        }
        let mut given = arguments.clone();
        given["colour"] = json!("red");
        let answer = said(&site, name, given).await;
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("`colour` is no argument of `{name}`; it takes `")), "{text}");
    }
    let answer = said(&site, "search", json!({ "query": "mail", "kind": "plant" })).await;
    assert_eq!(answer["content"][0]["text"], "`kind` must be one of server or tool; something else was given.");
}

#[tokio::test]
async fn what_is_no_call_is_an_error_of_the_protocol() {
    let (_folder, site) = site(Audience::Members).await;
    let call = |params: Value| json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    let table = [
        (call(json!({})), -32602, json!(7), "`name` is missing"),
        (call(json!({ "name": 7 })), -32602, json!(7), "`name` must be"),
        (
            call(json!({ "name": "explode" })),
            -32602,
            json!(7),
            "there is no tool `explode`; there is search, check_server",
        ),
        (call(json!({ "name": "search", "arguments": [] })), -32602, json!(7), "`arguments` must be an object"),
        (json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call" }), -32602, json!(7), "`name` is missing"),
        (json!([call(json!({ "name": "search" }))]), -32600, json!(null), "batches"),
        (json!([]), -32600, json!(null), "batches"),
        (json!(7), -32600, json!(null), "one JSON object"),
    ];
    for (message, code, id, says) in table {
        let answer = web::mcp::answer(&site, &message).await.unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{message}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{message}: {answer}");
    }
}
