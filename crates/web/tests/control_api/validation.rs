//! What is wrong with a request is refused with its place and what would be right.

use serde_json::json;
use store::control::Place;
use web::control_api::{Allowance, Allowances};

use crate::client::ask;
use crate::house::{House, sqlite};

#[tokio::test]
async fn every_wrong_field_is_named() {
    let house = sqlite().await;
    let before = house.deeds().await;
    let http = r#""reach":{"kind":"http","url":"https://x.example/mcp"}"#;
    let cases: &[(&str, String, &str)] = &[
        ("agents", "[]".into(), ""),
        ("agents", "{}".into(), "/name"),
        ("agents", r#"{"name":7}"#.into(), "/name"),
        ("agents", r#"{"name":null}"#.into(), "/name"),
        ("agents", r#"{"name":""}"#.into(), "/name"),
        ("agents", r#"{"name":" a"}"#.into(), "/name"),
        ("agents", r#"{"name":"a\nb"}"#.into(), "/name"),
        ("agents", format!(r#"{{"name":"{}"}}"#, "x".repeat(121)), "/name"),
        ("agents", r#"{"name":"a","ownr":"b"}"#.into(), "/ownr"),
        ("agents", r#"{"name":"a","owner":["b"]}"#.into(), "/owner"),
        ("agents", r#"{"name":"desk-agent"}"#.into(), "/name"),
        ("agents", format!(r#"{{"name":"a","reason":"{}"}}"#, "x".repeat(1001)), "/reason"),
        ("members", r#"{"name":"a b","role":"viewer"}"#.into(), "/name"),
        ("members", r#"{"name":"a","role":"root"}"#.into(), "/role"),
        ("members", r#"{"name":"a","role":"viewer","password":"short"}"#.into(), "/password"),
        ("members", r#"{"name":"carol","role":"viewer"}"#.into(), "/name"),
        ("tokens", r#"{"label":"a","role":"viewer","expires_at":1}"#.into(), "/expires_at"),
        ("tokens", r#"{"label":"a","role":"viewer","expires_at":1.5}"#.into(), "/expires_at"),
        ("tokens", r#"{"label":"a","role":"viewer","expires_at":-1}"#.into(), "/expires_at"),
        ("tokens", r#"{"label":"spare","role":"viewer"}"#.into(), "/label"),
        (
            "organisations",
            r#"{"name":"Upper","title":"U","admin":{"name":"a","password":"correct horse battery"}}"#.into(),
            "/name",
        ),
        (
            "organisations",
            r#"{"name":"x","title":"X","admin":{"name":"a","password":"short"}}"#.into(),
            "/admin/password",
        ),
        (
            "organisations",
            r#"{"name":"x","title":"X","admin":{"name":"a b","password":"correct horse battery"}}"#.into(),
            "/admin/name",
        ),
        ("servers", format!(r#"{{"name":"A",{http}}}"#), "/name"),
        ("servers", format!(r#"{{"name":"crm",{http}}}"#), "/name"),
        ("servers", r#"{"name":"a"}"#.into(), "/reach"),
        ("servers", r#"{"name":"a","reach":{}}"#.into(), "/reach/kind"),
        ("servers", r#"{"name":"a","reach":{"kind":"ftp"}}"#.into(), "/reach/kind"),
        ("servers", r#"{"name":"a","reach":{"kind":"http"}}"#.into(), "/reach/url"),
        ("servers", r#"{"name":"a","reach":{"kind":"http","url":"gopher://x"}}"#.into(), "/reach/url"),
        ("servers", r#"{"name":"a","reach":{"kind":"http","url":"https://x.example:0/mcp"}}"#.into(), "/reach/url"),
        (
            "servers",
            r#"{"name":"a","reach":{"kind":"http","url":"https://x.example/","headers":{"X":1}}}"#.into(),
            "/reach/headers/X",
        ),
        (
            "servers",
            r#"{"name":"a","reach":{"kind":"http","url":"https://x.example/","headers":{"X":null}}}"#.into(),
            "/reach/headers/X",
        ),
        ("servers", r#"{"name":"a","reach":{"kind":"http","url":"https://x.example/","env":{}}}"#.into(), "/reach/env"),
        (
            "servers",
            r#"{"name":"a","reach":{"kind":"http","url":"https://x.example/","transport":"ftp"}}"#.into(),
            "/reach/transport",
        ),
        ("servers", r#"{"name":"a","reach":{"kind":"child","command":[]}}"#.into(), "/reach/command"),
        ("servers", r#"{"name":"a","reach":{"kind":"child","command":["x",1]}}"#.into(), "/reach/command/1"),
        (
            "servers",
            r#"{"name":"a","reach":{"kind":"child","command":["x"],"env":{"A=B":"c"}}}"#.into(),
            "/reach/env/A=B",
        ),
        ("servers", format!(r#"{{"name":"a",{http},"settings":{{"calls_at_once":0}}}}"#), "/settings/calls_at_once"),
        ("servers", format!(r#"{{"name":"a",{http},"settings":{{"list_bytes":33554433}}}}"#), "/settings/list_bytes"),
        ("servers", format!(r#"{{"name":"a",{http},"settings":{{"idle_seconds":86401}}}}"#), "/settings/idle_seconds"),
        ("servers", format!(r#"{{"name":"a",{http},"settings":{{"accept_frist":true}}}}"#), "/settings/accept_frist"),
        ("servers", format!(r#"{{"name":"a",{http},"policy":"none"}}"#), "/policy"),
        ("servers/crm/overrides", r#"{"tool":"t","class":"evil"}"#.into(), "/class"),
        ("servers/crm/overrides", r#"{"tool":"t","facets":{"bluk":true}}"#.into(), "/facets/bluk"),
        ("servers/crm/overrides", r#"{"tool":"t","facets":{"bulk":"yes"}}"#.into(), "/facets/bulk"),
        ("servers/crm/pins", r#"{"accept":{"export":"0"}}"#.into(), "/accept/export"),
        ("servers/crm/pins", r#"{"accept":{"a/b":"0"}}"#.into(), "/accept/a~1b"),
        ("servers/crm/pins", r#"{"gone":["x"]}"#.into(), "/gone/0"),
        ("servers/crm/pins", "{}".into(), "/accept"),
        ("policies", r#"{"name":"No","document":"{}"}"#.into(), "/name"),
        (
            "policies",
            r#"{"name":"careful","document":"{ \"version\": \"1\", \"default\": \"deny\" }"}"#.into(),
            "/name",
        ),
        ("policies/careful/publish", r#"{"version":0,"reason":"x"}"#.into(), "/version"),
        ("policies/careful/publish", r#"{"version":1}"#.into(), "/reason"),
        ("policies/careful/publish", r#"{"version":1,"reason":" "}"#.into(), "/reason"),
        ("grants", r#"{"label":"a","server":"none","agent":"b"}"#.into(), "/server"),
        ("grants", r#"{"label":"desk","server":"crm","agent":"b"}"#.into(), "/label"),
        ("grants", r#"{"label":"a","server":"crm","agent":"b","networks":["10.0.0.0/33"]}"#.into(), "/networks/0"),
        ("grants", r#"{"label":"a","server":"crm","agent":"b","tags":{"k":1}}"#.into(), "/tags/k"),
        ("grants", r#"{"label":"a","server":"crm","agent":"b","expires_at":5}"#.into(), "/expires_at"),
        ("grants/{grant}/rotate", r#"{"overlap_seconds":2592001}"#.into(), "/overlap_seconds"),
        ("grants/{grant}/attach", r#"{"policy":"none"}"#.into(), "/policy"),
        ("stops", r#"{"kind":"grant","reason":"x"}"#.into(), "/object"),
        ("stops", r#"{"kind":"everything","object":"x","reason":"x"}"#.into(), "/object"),
        ("stops", r#"{"kind":"everything","reason":""}"#.into(), "/reason"),
    ];
    for (path, body, pointer) in cases {
        let path = house.filled(&format!("/api/v1/{path}"));
        let answer = house.send(&ask("POST", &path).token(&house.tokens["admin"]).text("application/json", body)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{path} {body}: {}", answer.text);
        assert_eq!(answer.json()["pointer"], *pointer, "{path} {body}: {}", answer.text);
    }
    assert_eq!(house.deeds().await, before, "nothing of it was done");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let house = sqlite().await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 20));
    let cases: &[(&str, &str, u16, &str)] = &[
        ("text/plain", r#"{"name":"a"}"#, 415, "media-type"),
        ("application/x-www-form-urlencoded", "name=a", 415, "media-type"),
        ("application/json", "", 400, "unreadable"),
        ("application/json", "{", 400, "unreadable"),
        ("application/json", r#"{"name":"a"} x"#, 400, "unreadable"),
        ("application/json", r#"{"name":"a","name":"b"}"#, 400, "unreadable"),
        ("application/json", r#"{"name":"a","n\u0061me":"b"}"#, 400, "unreadable"),
        ("application/json", r#"{"name":"\ud800"}"#, 400, "unreadable"),
        ("application/json", &long, 413, "too-long"),
    ];
    for (kind, body, status, problem) in cases {
        let answer = house.send(&ask("POST", "/api/v1/agents").token(&house.tokens["admin"]).text(kind, body)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (*status, *problem), "{kind}: {}", answer.text);
    }
    let body = ask("GET", "/api/v1/agents").token(&house.tokens["admin"]).json(&json!({}));
    assert_eq!(house.send(&body).await.problem(), "unreadable");
    let queries = [
        ("agents?limt=1", "limt"),
        ("agents?limit=0", "limit"),
        ("agents?limit=201", "limit"),
        ("agents?limit=x", "limit"),
        ("agents?limit=1&limit=2", "limit"),
        ("agents?cursor=x", "cursor"),
        ("grants?unused=-1", "unused"),
        ("grants?unused=1&server=crm", "unused"),
        ("servers/crm/pins?waiting=maybe", "waiting"),
    ];
    for (path, parameter) in queries {
        let answer = house.get("viewer", &format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "unreadable"), "{path}: {}", answer.text);
        assert_eq!(answer.json()["parameter"], parameter, "{path}");
    }
}

#[tokio::test]
async fn a_policy_with_errors_is_told_all_of_them() {
    let house = sqlite().await;
    let bad = json!({ "name": "bad", "document": "{ \"version\": \"1\", \"default\": \"maybe\", \"rulez\": [] }" });
    let answer = house.post("admin", "/api/v1/policies", &bad).await;
    assert_eq!((answer.status, answer.problem().as_str()), (422, "policy"));
    let problem = answer.json();
    assert_eq!(problem["pointer"], "/document");
    assert!(problem["diagnostics"].as_array().is_some_and(|all| all.len() >= 2), "{problem}");
    let checked = house.post("policy_manager", "/api/v1/policies/check", &json!({ "document": bad["document"] })).await;
    assert_eq!(checked.json()["valid"], false);
    assert_eq!(checked.json()["diagnostics"], problem["diagnostics"]);
}

#[tokio::test]
async fn who_was_slower_is_told() {
    let house = sqlite().await;
    let paths = ["servers/crm", "policies/careful", "members/{member}", "grants/{grant}"];
    let routes = web::control_api::routes();
    for path in paths.map(|path| house.filled(&format!("/api/v1/{path}"))) {
        let route = routes.iter().find(|route| route.matched && house.filled(route.path) == path).unwrap();
        let change = async |tag: Option<&str>| {
            let body = house.filled(&route.example.as_ref().unwrap().to_string());
            let asking =
                ask(route.method.as_str(), &path).token(&house.tokens["admin"]).text("application/json", &body);
            house.send(&tag.into_iter().fold(asking, |asking, tag| asking.header("If-Match", tag))).await
        };
        let tag = house.get("admin", &path).await.headers["etag"].clone();
        let same = ask("GET", &path).token(&house.tokens["admin"]).header("If-None-Match", &tag);
        assert_eq!(house.send(&same).await.status, 304, "{path}");
        assert_eq!(change(None).await.problem(), "if-match", "{path}");
        for wrong in ["*", "17", "W/\"17\"", "\"x\""] {
            assert_eq!(change(Some(wrong)).await.json()["header"], "If-Match", "{path} {wrong}");
        }
        assert_eq!(change(Some(&tag)).await.status, 200, "{path}");
        let slower = change(Some(&tag)).await;
        assert_eq!((slower.status, slower.problem().as_str()), (412, "stale"), "{path}");
        assert_ne!(house.get("admin", &path).await.headers["etag"], tag, "{path}");
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Embedded(store::DataDir::open(&folder.path().join("data")).unwrap());
    // So long a time that none of it passes.
    let few = Allowance { requests: 3, seconds: 1_000_000 };
    let house = House::build(folder, &place, Allowances { caller: few, stranger: few }).await;
    for left in [2, 1, 0] {
        let answer = house.get("viewer", "/api/v1/version").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["ratelimit-policy"], "\"caller\";q=3;w=1000000");
        assert!(answer.headers["ratelimit"].starts_with(&format!("\"caller\";r={left};t=")), "{:?}", answer.headers);
    }
    let answer = house.get("viewer", "/api/v1/version").await;
    assert_eq!((answer.status, answer.problem().as_str()), (429, "too-many-requests"));
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() > 0);
    assert_eq!(house.get("admin", "/api/v1/version").await.status, 200, "others have their own");
    let guess = ask("POST", "/api/v1/sessions").json(&json!({ "name": "ada", "password": "guessed it, perhaps" }));
    let mut guesses = Vec::new();
    for _ in 0..4 {
        guesses.push(house.send(&guess).await.problem());
    }
    assert_eq!(guesses, ["wrong-credentials", "wrong-credentials", "wrong-credentials", "too-many-requests"]);
    let unknown = ask("GET", "/api/v1/version").token("tgp_nonsense");
    assert_eq!(house.send(&unknown).await.problem(), "too-many-requests");
}
