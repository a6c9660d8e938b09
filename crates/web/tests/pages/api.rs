//! The API answers as its description says.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use web::{Audience, Web};

use crate::place::{Answer, ask, get};
use crate::programs::site;

/// The schema of an operation's answer, with all that it refers to.
fn schema(description: &Value, method: &str, path: &str, status: &str) -> Value {
    let answer = &description["paths"][path][method]["responses"][status];
    let answer = match answer.get("$ref").and_then(Value::as_str) {
        Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap(),
        None => answer,
    };
    let content = answer["content"].as_object().unwrap_or_else(|| panic!("{method} {path} {status} is not described"));
    let mut schema = content.values().next().unwrap()["schema"].clone();
    schema["components"] = description["components"].clone();
    schema
}

async fn post(web: &Web, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("host", "localhost").header("content-type", "application/json");
    ask(web, request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn the_api_answers_as_its_description_says() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let description = get(&web, "/api/v1/catalogue/openapi.json").await;
    assert_eq!(description.status, StatusCode::OK);
    let description: Value = serde_json::from_str(&description.text).unwrap();
    let asked = [
        ("search?q=mail", "search", "200"),
        ("search?q=mail&kind=tool&class=destructive&limit=1", "search", "200"),
        ("search?kind=plant", "search", "400"),
        ("search?colour=red", "search", "400"),
        ("servers", "servers", "200"),
        ("servers?letter=a&page=1", "servers", "200"),
        ("servers?letter=q", "servers", "200"),
        ("servers?page=2", "servers", "404"),
        ("servers?page=-1", "servers", "400"),
        ("servers?colour=red", "servers", "400"),
        ("tools?class=destructive", "tools", "200"),
        ("tools?severity=critical", "tools", "200"),
        ("tools?facet=sends_external", "tools", "200"),
        ("tools?class=harmless", "tools", "400"),
        ("tools?class=read&severity=low", "tools", "400"),
        ("tools", "tools", "400"),
        ("tools?class=read&page=9", "tools", "404"),
        ("changes?since=1969-12-31", "changes", "200"),
        ("changes?since=7d", "changes", "200"),
        ("changes?since=1970-01-01T00:00:00Z&server=acme-mailer", "changes", "200"),
        ("changes?since=1969-12-31&server=home-diary", "changes", "404"),
        ("changes?since=yesterday", "changes", "400"),
        ("changes", "changes", "400"),
        ("servers/acme-mailer", "servers/{server}", "200"),
        ("servers/nobody", "servers/{server}", "404"),
        ("servers/%ff", "servers/{server}", "404"),
        ("servers/acme-mailer/tools/send_mail", "servers/{server}/tools/{tool}", "200"),
        ("servers/acme-mailer/tools/none", "servers/{server}/tools/{tool}", "404"),
    ];
    for (path, described, expected) in asked {
        let answer = get(&web, &format!("/api/v1/catalogue/{path}")).await;
        holds(&description, "get", described, expected, &answer);
    }
    let config =
        r#"{"mcpServers":{"a":{"url":"https://never.test/mcp","headers":{"Authorization":"Bearer sk-secret"}}}}"#;
    let sent = [
        (json!({ "servers": ["acme/mailer", "nobody/knows"] }), "200"),
        (json!({ "servers": ["acme-mailer"], "config": config, "policy": "locked-down" }), "200"),
        (json!({}), "200"),
        (json!({ "servers": ["acme/mailer"], "page": 2 }), "404"),
        (json!({ "config": "{ sk-secret" }), "400"),
        (json!({ "config": 7, "sk-secret": "sk-secret" }), "400"),
        (json!({ "policy": "sk-secret" }), "400"),
        (json!({ "config": "x".repeat(300_000) }), "413"),
    ];
    for (body, expected) in sent {
        let answer = post(&web, "/api/v1/catalogue/stack", &body).await;
        holds(&description, "post", "stack", expected, &answer);
        assert!(!answer.text.contains("sk-secret"), "{}", answer.text);
    }
    for (path, status) in [("/api/v1/nothing", 404), ("/api/v2/", 404), ("/api/v1/catalogue/stack", 405)] {
        let answer = get(&web, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, "application/problem+json"),
            "{path}"
        );
    }
}

/// An answer has the status that was expected and the form that is described.
fn holds(description: &Value, method: &str, path: &str, expected: &str, answer: &Answer) {
    assert_eq!(answer.status.as_str(), expected, "{path}: {}", answer.text);
    let kind = if expected == "200" { "application/json" } else { "application/problem+json" };
    assert_eq!(answer.header("content-type"), kind, "{path}");
    let document: Value = serde_json::from_str(&answer.text).unwrap();
    let described = schema(description, method, &format!("/api/v1/catalogue/{path}"), expected);
    let validator = jsonschema::validator_for(&described).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{path}: {wrong:?}");
}

#[tokio::test]
async fn lists_and_stacks_hold_what_they_should() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let of = async |path: &str| -> Value {
        serde_json::from_str(&get(&web, &format!("/api/v1/catalogue/{path}")).await.text).unwrap()
    };
    let servers = of("servers").await;
    assert_eq!(
        (&servers["total"], &servers["servers"][0]["name"], &servers["next"]),
        (&json!(1), &json!("acme/mailer"), &json!(null))
    );
    let tools = of("tools?class=destructive").await;
    assert_eq!((&tools["total"], &tools["tools"][0]["name"]), (&json!(1), &json!("delete_mailbox")));
    let changes = of("changes?since=1969-12-31").await;
    assert_eq!((&changes["new_servers"], &changes["definitions"]), (&json!(1), &json!([])));
    let stack = post(&web, "/api/v1/catalogue/stack", &json!({ "servers": ["acme/mailer", "home/diary"] })).await;
    let stack: Value = serde_json::from_str(&stack.text).unwrap();
    assert_eq!(
        (&stack["total"], &stack["unknown"], &stack["tools"][0]["name"]),
        (&json!(3), &json!(1), &json!("delete_mailbox"))
    );
}
