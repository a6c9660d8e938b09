//! What programs and search engines get: badges, tags, and nothing private.

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

/// A catalogue with a public server and a private one.
pub async fn site(audience: Audience) -> (TempDir, Site) {
    let files = [(Holds::Tools, Visibility::Public, TOOLS), (Holds::Tools, Visibility::Private, SECRET)];
    place::site(&files, audience).await
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
    for (path, count) in [("search?q=diary", "total"), ("servers?letter=h", "total")] {
        let found = get(&web, &format!("/api/v1/catalogue/{path}")).await;
        assert_eq!(serde_json::from_str::<Value>(&found.text).unwrap()[count], 0, "{path}");
    }
    for path in ["servers", "tools?class=read", "changes?since=1969-12-31"] {
        let listed = get(&web, &format!("/api/v1/catalogue/{path}")).await;
        assert!(!listed.text.contains("diary"), "{path}: {}", listed.text);
    }
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
    // It is said in the form that was asked for, and nothing of the catalogue with it.
    for (path, kind, begins) in [
        ("/s/acme/acme-mailer/", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("/s/acme/acme-mailer/index.md", "text/markdown; charset=utf-8", "# This is not served here"),
        ("/s/acme/acme-mailer/index.json", "application/json", "{\n  \"status\": 403"),
        ("/api/v1/catalogue/servers", "application/problem+json", "{"),
    ] {
        let request = Request::builder().uri(path).header("host", "evil.example").body(Body::empty()).unwrap();
        let answer = ask(&web, request).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (403, kind), "{path}");
        assert!(answer.text.starts_with(begins) && answer.text.contains("allow-host"), "{path}: {}", answer.text);
        assert!(!answer.text.contains("acme"), "{path}: {}", answer.text);
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
async fn what_happened_is_said_of_the_package_and_of_no_other() {
    let servers = [("postmark-mcp", "npm"), ("postmark-mcp", "pypi")].map(|(package, registry)| {
        format!(r#"{{"name":"mail on {registry}","package":"{package}","registry":"{registry}"}}"#)
    });
    let text = servers.join("\n") + "\n";
    let (_folder, site) = place::site(&[(Holds::Servers, Visibility::Public, &text)], Audience::Everybody).await;
    let web = Web::new(site);
    for (slug, expected) in [("mail-on-npm", true), ("mail-on-pypi", false)] {
        let found = get(&web, &format!("/api/v1/catalogue/servers/{slug}")).await;
        let path = serde_json::from_str::<Value>(&found.text).unwrap()["path"].as_str().unwrap().to_owned();
        for file in ["", "index.md"] {
            let page = get(&web, &format!("{path}{file}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert_eq!(
                page.text.contains("What happened") && page.text.contains("AML.CS0053"),
                expected,
                "{slug}{file}"
            );
        }
    }
}

#[tokio::test]
async fn copies_stand_below_their_original() {
    let tool = |server: &str, name: &str| {
        format!(
            r#"{{"server":"{server}/notes","name":"{name}","description":"Keeps a zebra","input_schema":{{"type":"object"}}}}"#
        )
    };
    let mut tools = Vec::new();
    for server in ["ann", "bob", "cid"] {
        tools.extend(["add_zebra", "drop_zebra", "list_zebras"].map(|name| tool(server, name)));
    }
    let original = r#"{"name":"Zebra notes","repository":"https://github.com/bob/notes","package":"zebra-notes","registry":"npm"}"#;
    let tools = tools.join("\n") + "\n";
    let files = [(Holds::Servers, Visibility::Public, original), (Holds::Tools, Visibility::Public, tools.as_str())];
    let (_folder, site) = place::site(&files, Audience::Everybody).await;
    let web = Web::new(site);
    let found = get(&web, "/search/index.json?q=drop%20zebra&kind=tool").await;
    let found: Value = serde_json::from_str(&found.text).unwrap();
    let lines = found["found"].as_array().unwrap();
    assert_eq!((lines.len(), &found["total"]), (1, &Value::from(3)), "{found}");
    assert_eq!((&lines[0]["server"], &lines[0]["copies"]), (&Value::from("Zebra notes"), &Value::from(2)), "{found}");
    let page = get(&web, "/search/?q=drop%20zebra&kind=tool").await;
    assert!(page.text.contains("and 2 copies under other publishers"), "{}", page.text);
    let link = "href=\"/search/?q=drop%20zebra&amp;kind=tool&amp;copies=apart\"";
    assert!(page.text.contains(link), "{}", page.text);
    let page = get(&web, "/search/?q=drop%20zebra&kind=tool&copies=apart").await;
    assert!(!page.text.contains("under other publishers"), "{}", page.text);
    assert_eq!(page.text.matches("<code>drop_zebra</code>").count(), 3, "{}", page.text);
    // Programs and agents are told the same.
    for (copies, lines, each) in [("", 1, 2), ("&copies=folded", 1, 2), ("&copies=apart", 3, 0)] {
        let found = get(&web, &format!("/api/v1/catalogue/search?q=drop%20zebra&kind=tool{copies}")).await;
        let found: Value = serde_json::from_str(&found.text).unwrap();
        assert_eq!((&found["total"], found["found"].as_array().unwrap().len()), (&Value::from(3), lines), "{found}");
        assert_eq!(found["found"][0]["copies"], each, "{found}");
    }
    let (_folder, site) = place::site(&files, Audience::Members).await;
    for (copies, lines, says) in
        [("folded", 1, "of Zebra notes: critical, destructive, and 2 copies"), ("apart", 3, "drop_zebra of")]
    {
        let arguments = json!({ "query": "drop zebra", "kind": "tool", "copies": copies });
        let params = json!({ "name": "search", "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let answer = web::mcp::answer(&site, &call).await.unwrap();
        let found = &answer["result"]["structuredContent"];
        assert_eq!((&found["total"], found["found"].as_array().unwrap().len()), (&Value::from(3), lines), "{answer}");
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains(says), "{answer}");
    }
}
