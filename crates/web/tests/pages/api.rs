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
        ("search?q=mail&class=destructive&class=write&since=1969-12-31&copies=apart", "search", "200"),
        ("search?kind=plant", "search", "400"),
        ("search?kind=tool&kind=server", "search", "400"),
        ("search?class=foo", "search", "400"),
        ("search?severity=HIGH", "search", "400"),
        ("search?facet=", "search", "400"),
        ("search?transport=pigeon", "search", "400"),
        ("search?standing=ours", "search", "400"),
        ("search?since=99999999999d", "search", "400"),
        ("search?copies=2", "search", "400"),
        ("search?limit=0", "search", "400"),
        ("search?limit=101", "search", "400"),
        ("search?offset=10001", "search", "400"),
        ("search?offset=-1", "search", "400"),
        ("search?limit=1&limit=2", "search", "400"),
        ("search?colour=red", "search", "400"),
        ("servers", "servers", "200"),
        ("servers?letter=a&page=1", "servers", "200"),
        ("servers?letter=q", "servers", "200"),
        ("servers?page=2", "servers", "404"),
        ("servers?page=-1", "servers", "400"),
        ("servers?page=0", "servers", "400"),
        ("servers?letter=%00", "servers", "400"),
        ("servers?letter=ab", "servers", "400"),
        ("servers?licence=nobodys", "servers", "400"),
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
        ("changes?since=24h", "changes", "200"),
        ("changes?since=2w", "changes", "200"),
        ("changes?since=99999999999d", "changes", "400"),
        ("changes", "changes", "400"),
        ("servers/acme-mailer", "servers/{server}", "200"),
        ("servers/nobody", "servers/{server}", "404"),
        ("servers/acme-mailer?page=2", "servers/{server}", "400"),
        ("servers/acme-mailer/tools/send_mail?x=", "servers/{server}/tools/{tool}", "400"),
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
        (json!({ "servers": "sk-secret" }), "400"),
        (json!({ "servers": ["acme/mailer", { "sk-secret": 1 }] }), "400"),
        (json!({ "sk-secret": 1 }), "400"),
        (json!({ "page": 0 }), "400"),
        (json!(["sk-secret"]), "400"),
        (json!({ "config": "x".repeat(300_000) }), "413"),
    ];
    for (body, expected) in sent {
        let answer = post(&web, "/api/v1/catalogue/stack", &body).await;
        holds(&description, "post", "stack", expected, &answer);
        assert!(!answer.text.contains("sk-secret"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_the_api_does_not_have_is_a_problem_too() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let table = [
        ("GET", "/api/v1/nothing", 404, ""),
        ("GET", "/api/v2/", 404, ""),
        ("GET", "/api/", 404, ""),
        ("GET", "/api", 404, ""),
        ("DELETE", "/api/v1/nothing", 404, ""),
        ("GET", "/api/v1/catalogue/stack", 405, "POST"),
        ("POST", "/api/v1/catalogue/search", 405, "GET,HEAD"),
        ("DELETE", "/api/v1/catalogue/search", 405, "GET,HEAD"),
        ("PATCH", "/api/v1/catalogue/servers/acme-mailer", 405, "GET,HEAD"),
        ("OPTIONS", "/api/v1/catalogue/stack", 405, "POST"),
    ];
    for (method, path, status, allow) in table {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let answer = ask(&web, request.body(Body::empty()).unwrap()).await;
        let told = (answer.status.as_u16(), answer.header("content-type"), answer.header("allow"));
        assert_eq!(told, (status, "application/problem+json", allow), "{method} {path}");
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(problem["status"], status, "{method} {path}");
    }
    for (method, path, allow) in [("DELETE", "/servers/", "GET,HEAD"), ("PUT", "/stack/", "GET,HEAD,POST")] {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let answer = ask(&web, request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allow), "{method} {path}");
        assert!(answer.text.starts_with("<!DOCTYPE html>"), "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_wrong_names_the_parameter_and_what_it_takes() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let classes = "`class` must be one of read, write, execute, destructive, financial or unclassified; something else was given.";
    let table = [
        ("search?class=foo", classes),
        ("tools?class=foo", classes),
        ("search?limit=0", "`limit` must be a whole number from 1 to 100."),
        ("search?offset=x", "`offset` must be a whole number from 0 to 10000."),
        ("servers?page=0", "`page` must be a whole number from 1 on."),
        ("search?licence=nobodys", "`licence` narrows nothing: no server of this catalogue says it."),
        (
            "search?colour=red",
            "`colour` is no parameter of this address; it takes `q`, `kind`, `class`, `severity`, `facet`, `transport`, `licence`, `standing`, `language`, `publisher`, `since`, `copies`, `limit` or `offset`.",
        ),
        (
            "changes",
            "`since` is missing; it must be a day (2026-11-01), a time with its offset (2026-11-01T12:00:00Z), or so many hours, days or weeks ago (24h, 7d, 2w), at most 100 years.",
        ),
    ];
    for (path, detail) in table {
        let answer = get(&web, &format!("/api/v1/catalogue/{path}")).await;
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((&problem["status"], &problem["detail"]), (&json!(400), &json!(detail)), "{path}");
        // The pages say the same.
        let page = match path.split_once('?') {
            Some(("search", query))
                if !query.starts_with("limit") && !query.starts_with("offset") && !query.starts_with("colour") =>
            {
                format!("/search/index.json?{query}")
            }
            Some(("servers", query)) => format!("/servers/index.json?{query}"),
            _ => continue,
        };
        let answer = get(&web, &page).await;
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((&problem["status"], &problem["detail"]), (&json!(400), &json!(detail)), "{page}");
    }
}

/// What is declared in the description is what is read.
#[tokio::test]
async fn the_description_names_what_is_taken() {
    let (_folder, site) = site(Audience::Everybody).await;
    let web = Web::new(site);
    let description: Value = serde_json::from_str(&get(&web, "/api/v1/catalogue/openapi.json").await.text).unwrap();
    for operation in ["search", "servers", "tools", "changes"] {
        let declared = &description["paths"][format!("/api/v1/catalogue/{operation}")]["get"]["parameters"];
        let name = |parameter: &Value| match parameter.get("$ref").and_then(Value::as_str) {
            Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap()["name"].clone(),
            None => parameter["name"].clone(),
        };
        let mut declared: Vec<String> =
            declared.as_array().unwrap().iter().map(|one| name(one).as_str().unwrap().to_owned()).collect();
        let answer = get(&web, &format!("/api/v1/catalogue/{operation}?colour=red")).await;
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        let said = problem["detail"].as_str().unwrap().split_once("it takes ").unwrap().1;
        let mut said: Vec<String> = said.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        declared.sort();
        said.sort();
        assert_eq!(said, declared, "{operation}");
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
