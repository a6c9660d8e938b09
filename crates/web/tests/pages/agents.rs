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
    assert_eq!(text, "1 found\n- tool delete_mailbox of acme/mailer: critical, destructive");
    for (name, arguments) in [
        ("check_server", json!({ "server": "nobody/nothing" })),
        ("explode", json!({})),
        ("check_stack", json!({})),
        ("check_stack", json!({ "servers": ["nobody/nothing"] })),
        ("changes", json!({ "since": "yesterday" })),
        ("changes", json!({ "since": "7d", "server": "nobody/nothing" })),
    ] {
        let answer = said(&site, name, arguments).await;
        assert_eq!(answer["isError"], true, "{name}: {answer}");
    }
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
