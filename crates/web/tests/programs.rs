//! What programs get: the API as its description says, badges, and the MCP server.

use std::io::Write;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use catalogue::import::{File, Holds, import};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::{Catalogue, Visibility};
use tempfile::TempDir;
use web::{Audience, Site, Web};

/// Definitions of one public server.
const TOOLS: &str = r#"{"server":"acme/mailer","name":"send_mail","description":"Send an e-mail to somebody.","input_schema":{"type":"object","required":["to"],"properties":{"to":{"type":"string"},"body":{"type":"string"}}}}
{"server":"acme/mailer","name":"delete_mailbox","description":"Delete a mailbox for good.","input_schema":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}
{"server":"acme/mailer","name":"list_mails","description":"List mails.\u202e <script>alert(1)</script>"}
"#;

/// And of a private one.
const SECRET: &str = r#"{"server":"home/diary","name":"read_secret_diary","description":"Read the diary."}
"#;

/// A catalogue in a folder of its own.
async fn site(audience: Audience) -> (TempDir, Site) {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    for (text, visibility) in [(TOOLS, Visibility::Public), (SECRET, Visibility::Private)] {
        let path = folder.path().join(format!("{}.jsonl", visibility.as_str()));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let file = File { path, holds: Holds::Tools, visibility };
        let counts = import(&catalogue, &file, 1, Timestamp::UNIX_EPOCH, &mut |_| {}).await.unwrap();
        assert_eq!(counts.broken, 0);
    }
    catalogue::index::rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    let site = Site::new(catalogue, &data.search(), audience, "https://tools.example", Vec::new());
    (folder, site)
}

async fn get(web: &Web, path: &str) -> (StatusCode, String, String) {
    let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap();
    let response = web.answer(request).await;
    let status = response.status();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, kind.unwrap_or_default(), String::from_utf8(text.to_vec()).unwrap())
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
    let (status, _, text) = get(&web, "/api/v1/catalogue/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let description: Value = serde_json::from_str(&text).unwrap();
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
        let (status, kind, text) = get(&web, path).await;
        assert_eq!(status.as_str(), expected, "{path}: {text}");
        assert_eq!(kind, if expected == "200" { "application/json" } else { "application/problem+json" }, "{path}");
        let answer: Value = serde_json::from_str(&text).unwrap();
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
        let (status, _, text) = get(&web, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!text.contains("secret_diary") || path.contains("secret_diary"), "{path}: {text}");
    }
    let (_, _, found) = get(&web, "/api/v1/catalogue/search?q=diary").await;
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap()["total"], 0);
    let (_folder, members) = site(Audience::Members).await;
    let web = Web::new(members);
    assert_eq!(get(&web, "/s/home/home-diary/").await.0, StatusCode::OK);
}

#[tokio::test]
async fn foreign_text_neither_acts_nor_hides() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    for path in ["/s/acme/acme-mailer/", "/s/acme/acme-mailer/list_mails/"] {
        let (status, _, html) = get(&web, path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!html.contains("<script>alert") && !html.contains('\u{202e}'), "{html}");
        assert!(html.contains("&lt;script&gt;alert"), "{html}");
    }
}

#[tokio::test]
async fn a_badge_names_what_is_critical() {
    let (_folder, site) = site(Audience::Everybody).await;
    let (status, kind, badge) = get(&Web::new(site), "/badge/acme-mailer.svg").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/svg+xml"));
    assert!(badge.contains("1 critical tool<"), "{badge}");
}

#[tokio::test]
async fn only_our_own_names_are_served() {
    let (_folder, site) = site(Audience::Members).await;
    let web = Web::new(site);
    for (host, expected) in [("localhost:8041", 200), ("127.0.0.1", 200), ("[::1]:8041", 200), ("evil.example", 403)] {
        let request = Request::builder().uri("/").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(web.answer(request).await.status().as_u16(), expected, "{host}");
    }
}

#[tokio::test]
async fn whoever_has_a_page_is_told_so() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let ask = |tag: Option<String>| {
        let mut request = Request::builder().uri("/s/acme/acme-mailer/").header("host", "localhost");
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        web.answer(request.body(Body::empty()).unwrap())
    };
    let tag = ask(None).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(ask(Some(tag)).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(ask(Some("\"other\"".to_owned())).await.status(), StatusCode::OK);
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
