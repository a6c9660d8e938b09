//! What was decided: listed, filtered, page by page, and exported whole for programs and for spreadsheets.

use audit::Effect;
use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use store::control::access::Role;
use tower::ServiceExt as _;
use web::control_api::Allowances;

use crate::client::ask;
use crate::house::{House, PLENTY, Told, postgres, sqlite};

async fn listed(house: &House, query: &str) -> Vec<Value> {
    let answer = house.get("viewer", &format!("/api/v1/decisions?limit=200&{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

async fn decisions_are_found(house: &House) {
    let told = Told { server: "files", tool: "rm -rf", effect: Effect::Deny, reason: Some("no"), ..Told::default() };
    let denied = house.decide(&Told { settled: false, ..told }).await.to_string();
    let all = listed(house, "").await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["id"], &all[0]["effect"], &all[0]["outcome"]), (&json!(denied), &json!("deny"), &Value::Null));
    assert_eq!(
        (&all[1]["tool"], &all[1]["outcome"], &all[1]["duration_us"]),
        (&json!("export"), &json!("ok"), &json!(7))
    );
    for (query, count) in [
        ("grant=desk", 2),
        ("grant=01ARZ3NDEKTSV4RRFFQ69G5FAV", 2),
        ("grant=01ARZ3NDEKTSV4RRFFQ69G5FAW", 0),
        ("server=files", 1),
        ("tool=rm%20-rf", 1),
        ("tool=rm", 0),
        ("effect=deny", 1),
        ("effect=allow&server=files", 0),
        ("rule=x", 0),
        ("approval=x", 0),
        ("since=0", 2),
        ("until=5", 0),
    ] {
        assert_eq!(listed(house, query).await.len(), count, "{query}");
        let export = house.get("viewer", &format!("/api/v1/decisions/export?{query}")).await;
        assert_eq!(export.text.lines().count(), count, "{query}");
    }
    for (query, parameter) in [("effect=maybe", "effect"), ("since=now", "since"), ("cursor=5", "cursor"), ("x=1", "x")]
    {
        let answer = house.get("viewer", &format!("/api/v1/decisions?{query}")).await;
        assert_eq!((answer.problem().as_str(), &answer.json()["parameter"]), ("unreadable", &json!(parameter)));
    }

    // Who reads admin events reads the records as they stand too; others no address of an agent.
    let path = format!("/api/v1/decisions/{denied}");
    let (viewer, auditor) = (house.get("viewer", &path).await, house.get("auditor", &path).await);
    assert_eq!(viewer.json()["record"], Value::Null);
    assert!(!viewer.text.contains("192.0.2.7"));
    assert_eq!(auditor.json()["record"]["client"], "192.0.2.7");
    assert_eq!(auditor.json()["record"]["hash"].as_str().map(str::len), Some(64));
    for token in [&house.elsewhere] {
        let (theirs, nobodys) = (&path, "/api/v1/decisions/01ARZ3NDEKTSV4RRFFQ69G5FAV");
        let theirs = house.send(&ask("GET", theirs).token(token)).await;
        let nobodys = house.send(&ask("GET", nobodys).token(token)).await;
        assert_eq!((theirs.status, &theirs.text), (404, &nobodys.text));
        let export = house.send(&ask("GET", "/api/v1/decisions/export").token(token)).await;
        assert_eq!((export.status, export.text.as_str()), (200, ""));
    }
}

#[tokio::test]
async fn decisions_are_found_over_sqlite() {
    decisions_are_found(&sqlite().await).await;
}

#[tokio::test]
async fn decisions_are_found_over_postgres() {
    decisions_are_found(&postgres().await).await;
}

#[tokio::test]
async fn an_export_is_all_of_the_list_however_long() {
    let house = sqlite().await;
    for number in 0..1_203 {
        let tool = format!("tool {number}");
        house.decide(&Told { tool: &tool, shipped: number == 1_202, ..Told::default() }).await;
    }
    let export = house.get("viewer", "/api/v1/decisions/export?format=ndjson").await;
    assert_eq!(export.headers["content-type"], "application/x-ndjson");
    let exported: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.len(), 1_204);
    let (mut pages, mut next) = (Vec::new(), Some("/api/v1/decisions?limit=200".to_owned()));
    while let Some(path) = next {
        let page = house.get("viewer", &path).await;
        pages.extend(page.json()["items"].as_array().unwrap().clone());
        next = page.headers.get("link").map(|link| link.strip_suffix(">; rel=\"next\"").unwrap()[1..].to_owned());
    }
    assert_eq!(pages, exported);
    let csv = house.get("viewer", "/api/v1/decisions/export?format=csv").await;
    assert_eq!(csv.text.matches("\r\n").count(), 1_205);
    let head = house.send(&ask("HEAD", "/api/v1/decisions/export").token(&house.tokens["viewer"])).await;
    assert_eq!((head.status, head.headers["content-type"].as_str()), (200, "application/x-ndjson"));
    let other = house.get("viewer", "/api/v1/decisions/export?format=xlsx").await;
    assert_eq!((other.problem().as_str(), &other.json()["parameter"]), ("unreadable", &json!("format")));
}

#[tokio::test]
async fn whoever_loses_the_right_loses_what_is_left_of_an_export() {
    let house = sqlite().await;
    for number in 0..1_203 {
        house.decide(&Told { shipped: number == 1_202, ..Told::default() }).await;
    }
    let router = web::control_api::router(
        house.instance.clone(),
        house.sign_in.clone(),
        Allowances { caller: PLENTY, stranger: PLENTY },
    );
    let admin = &house.admin;
    let database = house.instance.database();
    for ended in [true, false] {
        let (id, token) =
            house.instance.add_token(admin, &format!("export {ended}"), Role::Auditor, None, "").await.unwrap();
        let request = Request::get("/api/v1/decisions/export")
            .header("Host", "localhost")
            .header("Authorization", format!("Bearer {}", token.reveal()))
            .body(Body::empty())
            .unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 500);
        if ended {
            database.revoke_program(admin.permit().unwrap(), id, "").await.unwrap();
            // What was read ahead is not sent either.
            assert!(body.next().await.unwrap().is_err());
        } else {
            let mut lines = 500;
            while let Some(piece) = body.next().await {
                lines += piece.unwrap().iter().filter(|byte| **byte == b'\n').count();
            }
            assert_eq!(lines, 1_204);
        }
    }
}

#[tokio::test]
async fn no_cell_of_a_spreadsheet_is_a_formula() {
    let house = sqlite().await;
    let tools = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "a,\"b\"\nc"];
    for tool in tools {
        house.decide(&Told { tool, ..Told::default() }).await;
    }
    let csv = house.get("viewer", "/api/v1/decisions/export?format=csv").await;
    assert!(csv.headers["content-type"].starts_with("text/csv"));
    assert!(csv.text.starts_with("id,at,grant,grant_label,"), "{}", csv.text);
    for written in [
        "\"'=cmd|' /C calc'!A0\"",
        "\"'+1\"",
        "\"'-1\"",
        "\"'@SUM(1)\"",
        "\"'\t'=1\"",
        "\"'\r=1\"",
        "\"a,\"\"b\"\"\nc\"",
    ] {
        assert!(csv.text.contains(&format!(",{written},allow,")), "{written}: {}", csv.text);
    }
    house.post("admin", "/api/v1/agents", &json!({ "name": "=1+1" })).await;
    let events = house.get("auditor", "/api/v1/admin-events/export?format=csv&action=agent.add").await;
    assert!(events.text.starts_with("id,at,actor,action,kind,object,name,detail,reason\r\n"), "{}", events.text);
    let all = house.get("auditor", "/api/v1/admin-events/export").await;
    assert_eq!(all.text.lines().count(), house.deeds().await.len());
    assert_eq!(house.get("viewer", "/api/v1/admin-events/export").await.problem(), "forbidden");
}
