//! Long lists, page by page; and what one does in a day, over both engines.

use serde_json::json;

use crate::client::ask;
use crate::house::{House, postgres, sqlite};

#[tokio::test]
async fn every_entry_stands_on_one_page() {
    let house = sqlite().await;
    for number in 0..7 {
        let made = house.post("admin", "/api/v1/agents", &json!({ "name": format!("agent {number}") })).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let mut names = Vec::new();
    let mut next = Some("/api/v1/agents?limit=3".to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let page = house.get("viewer", &path).await;
        let body = page.json();
        names.extend(body["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()));
        let link = page.headers.get("link").map(|link| link.strip_suffix(">; rel=\"next\"").unwrap()[1..].to_owned());
        let cursor = body["next"].as_str().map(|cursor| format!("/api/v1/agents?limit=3&cursor={cursor}"));
        assert_eq!(link, cursor, "both say the same");
        next = link;
        pages += 1;
    }
    let expected = (0..7).map(|number| format!("agent {number}"));
    assert_eq!(names, ["desk-agent".to_owned()].into_iter().chain(expected).collect::<Vec<_>>());
    assert_eq!(pages, 3);
}

async fn a_day(house: &House) {
    let ok = async |method: &str, path: &str, body: serde_json::Value, status: u16| {
        let path = house.filled(&format!("/api/v1/{path}"));
        let mut asking = ask(method, &path).token(&house.tokens["admin"]);
        if matches!(method, "PUT" | "PATCH") {
            asking = asking.header("If-Match", &house.get("admin", &path).await.headers["etag"]);
        }
        if !body.is_null() {
            asking = asking.json(&body);
        }
        let answer = house.send(&asking).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        answer.json()
    };
    let none = serde_json::Value::Null;
    let reach = json!({ "kind": "http", "url": "https://b.example/mcp", "headers": { "X-Key": "open sesame" } });
    ok("POST", "servers", json!({ "name": "billing", "reach": reach }), 201).await;
    // A secret stays with whom it was given for.
    for url in ["https://c.example/mcp", "http://b.example/mcp", "https://b.example:8443/mcp"] {
        let moved = json!({ "kind": "http", "url": url, "headers": { "X-Key": null } });
        let refused = ok("PUT", "servers/billing", json!({ "name": "billing", "reach": moved }), 422).await;
        assert_eq!(refused["pointer"], "/reach/headers/X-Key", "{refused}");
    }
    let kept = json!({ "kind": "http", "url": "https://b.example/v2/mcp", "headers": { "X-Key": null } });
    ok("PUT", "servers/billing", json!({ "name": "billing", "reach": kept, "title": "Billing" }), 200).await;
    let billing = ok("GET", "servers/billing", none.clone(), 200).await;
    assert_eq!(
        billing["reach"],
        json!({ "kind": "http", "url": "https://b.example/v2/mcp", "headers": ["X-Key"], "transport": null })
    );
    ok("POST", "servers/crm/overrides", json!({ "tool": "export", "class": "read" }), 200).await;
    assert_eq!(ok("GET", "servers/crm/overrides", none.clone(), 200).await["items"][0]["class"], "read");
    let waits = ok("GET", "servers/crm/pins?waiting=true", none.clone(), 200).await;
    let digest = waits["items"][0]["digest"].clone();
    ok("POST", "servers/crm/pins", json!({ "accept": { "export": digest } }), 200).await;
    assert_eq!(ok("GET", "servers/crm/pins?waiting=true", none.clone(), 200).await["items"], json!([]));
    let edited =
        ok("PUT", "policies/careful", json!({ "document": "{ \"version\": \"1\", \"default\": \"allow\" }" }), 200)
            .await;
    assert_eq!(edited["policy_version"], 2);
    ok("POST", "policies/careful/publish", json!({ "version": 2, "reason": "open day" }), 200).await;
    ok("POST", "policies/careful/publish", json!({ "version": 1, "reason": "it was a mistake" }), 200).await;
    assert_eq!(ok("GET", "policies/careful", none.clone(), 200).await["published"], 1);
    let history = ok("GET", "policies/careful/publications", none.clone(), 200).await;
    assert_eq!(history["items"][0]["reason"], "it was a mistake");
    let version = ok("GET", "policies/careful/versions/2", none.clone(), 200).await;
    assert_eq!(version["document"], "{ \"version\": \"1\", \"default\": \"allow\" }");
    ok("POST", "grants/{grant}/attach", json!({ "policy": "careful" }), 200).await;
    let in_use = house.send(&ask("DELETE", "/api/v1/policies/careful").token(&house.tokens["admin"])).await;
    assert_eq!((in_use.status, in_use.problem().as_str()), (409, "conflict"));
    ok("PATCH", "grants/{grant}", json!({ "owner": "ada", "tags": { "team": "blue" } }), 200).await;
    ok("PATCH", "grants/{grant}", json!({ "owner": null }), 200).await;
    let grant = ok("GET", "grants/{grant}", none.clone(), 200).await;
    assert_eq!((&grant["owner"], &grant["tags"]), (&none, &json!({ "team": "blue" })));
    assert_eq!(ok("GET", "grants?unused=1", none.clone(), 200).await["items"], json!([]), "it is not a day old");
    assert!(ok("POST", "grants/{grant}/rotate", json!({}), 200).await["token"].as_str().unwrap().starts_with("tg_"));
    ok("DELETE", "grants/{grant}?reason=over", none.clone(), 200).await;
    assert_eq!(ok("GET", "grants?server=crm", none.clone(), 200).await["items"], json!([]));
    ok("POST", "stops/resume", json!({ "kind": "server", "object": "crm", "reason": "over" }), 200).await;
    assert_eq!(ok("GET", "stops", none.clone(), 200).await["items"], json!([]));
    let events = house.get("auditor", "/api/v1/admin-events?action=grant.revoke").await.json();
    assert_eq!((&events["items"][0]["reason"], &events["items"][0]["actor"]), (&json!("over"), &json!("token:admin")));
}

#[tokio::test]
async fn a_day_at_the_desk_over_sqlite() {
    a_day(&sqlite().await).await;
}

#[tokio::test]
async fn a_day_at_the_desk_over_postgres() {
    a_day(&postgres().await).await;
}
