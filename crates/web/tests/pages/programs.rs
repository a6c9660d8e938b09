//! What programs get: the API as its description says, badges, and the MCP server.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use catalogue::import::Holds;
use serde_json::{Value, json};
use store::catalogue::Visibility;
use tempfile::TempDir;
use web::{Audience, Site, Web};

use crate::place::{self, ask, get};

/// Definitions of one public server.
const TOOLS: &str = r#"{"server":"acme/mailer","name":"send_mail","description":"Send an e-mail to somebody.","input_schema":{"type":"object","required":["to"],"properties":{"to":{"type":"string"},"body":{"type":"string"}}}}
{"server":"acme/mailer","name":"delete_mailbox","description":"Delete a mailbox for good.","input_schema":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}
{"server":"acme/mailer","name":"list_mails","description":"List mails.\u202e <script>alert(1)</script>"}
"#;

/// And of a private one.
const SECRET: &str = r#"{"server":"home/diary","name":"read_secret_diary","description":"Read the diary."}
"#;

async fn site(audience: Audience) -> (TempDir, Site) {
    let files = [(Holds::Tools, Visibility::Public, TOOLS), (Holds::Tools, Visibility::Private, SECRET)];
    place::site(&files, audience).await
}

/// The schema of an operation's answer, with all that it refers to.
fn schema(description: &Value, path: &str, status: &str) -> Value {
    let answer = &description["paths"][path]["get"]["responses"][status];
    let answer = match answer.get("$ref").and_then(Value::as_str) {
        Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap(),
        None => answer,
    };
    let mut schema = answer["content"].as_object().unwrap().values().next().unwrap()["schema"].clone();
    schema["components"] = description["components"].clone();
    schema
}

#[tokio::test]
async fn the_api_answers_as_its_description_says() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let description = get(&web, "/api/v1/catalogue/openapi.json").await;
    assert_eq!(description.status, StatusCode::OK);
    let description: Value = serde_json::from_str(&description.text).unwrap();
    let (search, server) = ("/api/v1/catalogue/search", "/api/v1/catalogue/servers/{server}");
    let tool = "/api/v1/catalogue/servers/{server}/tools/{tool}";
    let asked = [
        ("/api/v1/catalogue/search?q=mail", search, "200"),
        ("/api/v1/catalogue/search?q=mail&kind=tool&class=destructive&limit=1", search, "200"),
        ("/api/v1/catalogue/search?kind=plant", search, "400"),
        ("/api/v1/catalogue/search?colour=red", search, "400"),
        ("/api/v1/catalogue/servers/acme-mailer", server, "200"),
        ("/api/v1/catalogue/servers/nobody", server, "404"),
        ("/api/v1/catalogue/servers/acme-mailer/tools/send_mail", tool, "200"),
        ("/api/v1/catalogue/servers/acme-mailer/tools/none", tool, "404"),
    ];
    for (path, described, expected) in asked {
        let answer = get(&web, path).await;
        assert_eq!(answer.status.as_str(), expected, "{path}: {}", answer.text);
        let kind = if expected == "200" { "application/json" } else { "application/problem+json" };
        assert_eq!(answer.header("content-type"), kind, "{path}");
        let answer: Value = serde_json::from_str(&answer.text).unwrap();
        let validator = jsonschema::validator_for(&schema(&description, described, expected)).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
    }
}

#[tokio::test]
async fn what_is_private_is_for_members() {
    let (_folder, everybody) = site(Audience::Everybody).await;
    let web = Web::new(everybody);
    let private = [
        "/api/v1/catalogue/servers/home-diary",
        "/s/home/home-diary/",
        "/s/home/home-diary/read_secret_diary/",
        "/badge/home-diary.svg",
    ];
    for path in private {
        let answer = get(&web, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.text.contains("Read the diary"), "{path}: {}", answer.text);
    }
    let found = get(&web, "/api/v1/catalogue/search?q=diary").await;
    assert_eq!(serde_json::from_str::<Value>(&found.text).unwrap()["total"], 0);
    let (_folder, members) = site(Audience::Members).await;
    let web = Web::new(members);
    assert_eq!(get(&web, "/s/home/home-diary/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn foreign_text_neither_acts_nor_hides() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    for path in ["/s/acme/acme-mailer/", "/s/acme/acme-mailer/list_mails/"] {
        let answer = get(&web, path).await;
        assert_eq!(answer.status, StatusCode::OK);
        let html = answer.text;
        assert!(!html.contains("<script>alert") && !html.contains('\u{202e}'), "{html}");
        assert!(html.contains("&lt;script&gt;alert"), "{html}");
    }
}

#[tokio::test]
async fn a_badge_names_what_is_critical() {
    let (_folder, site) = site(Audience::Everybody).await;
    let badge = get(&Web::new(site), "/badge/acme-mailer.svg").await;
    assert_eq!((badge.status, badge.header("content-type")), (StatusCode::OK, "image/svg+xml"));
    assert!(badge.text.contains("1 critical tool<"), "{}", badge.text);
}

#[tokio::test]
async fn only_our_own_names_are_served() {
    let (_folder, site) = site(Audience::Members).await;
    let web = Web::new(site);
    for (host, expected) in [("localhost:8041", 200), ("127.0.0.1", 200), ("[::1]:8041", 200), ("evil.example", 403)] {
        let request = Request::builder().uri("/").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(ask(&web, request).await.status.as_u16(), expected, "{host}");
    }
}

#[tokio::test]
async fn whoever_has_a_page_is_told_so() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let with = |tag: &str| {
        let request = Request::builder().uri("/s/acme/acme-mailer/").header("host", "localhost");
        request.header("if-none-match", tag).body(Body::empty()).unwrap()
    };
    let first = get(&web, "/s/acme/acme-mailer/").await;
    assert_eq!(ask(&web, with(first.header("etag"))).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&web, with("\"other\"")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_agent_asks_before_it_trusts() {
    let (_folder, site) = site(Audience::Members).await;
    let asked = async |name: &str, arguments: Value| {
        let params = json!({ "name": name, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        web::mcp::answer(&site, &call).await.unwrap()
    };
    let listed = web::mcp::answer(&site, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await.unwrap();
    for tool in listed.pointer("/result/tools").unwrap().as_array().unwrap() {
        jsonschema::validator_for(&tool["inputSchema"]).unwrap();
    }
    let answer = asked("check_tool", json!({ "server": "acme/mailer", "tool": "delete_mailbox" })).await;
    assert_eq!(answer.pointer("/result/structuredContent/class"), Some(&json!("destructive")), "{answer}");
    assert!(answer.pointer("/result/content/0/text").unwrap().as_str().unwrap().starts_with("# `delete_mailbox`"));
    let answer = asked("check_server", json!({ "server": "acme/mailer" })).await;
    assert_eq!(answer.pointer("/result/structuredContent/classes/destructive"), Some(&json!(1)), "{answer}");
    let answer = asked("search", json!({ "query": "mail", "class": "destructive" })).await;
    assert_eq!(answer.pointer("/result/structuredContent/total"), Some(&json!(1)), "{answer}");
    for (name, arguments) in [("check_server", json!({ "server": "nobody/nothing" })), ("explode", json!({}))] {
        let answer = asked(name, arguments).await;
        assert_eq!(answer.pointer("/result/isError"), Some(&json!(true)), "{answer}");
    }
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert!(web::mcp::answer(&site, &told).await.is_none());
    let unknown = web::mcp::answer(&site, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/sing" })).await.unwrap();
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32601)));
}
