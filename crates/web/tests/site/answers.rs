//! What lists, search and counts say of a catalogue whose contents are known.

use serde_json::Value;
use web::Audience;

use super::corpus::{Small, small};

async fn json(site: &Small, path: &str) -> Value {
    let answer = site.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_hold_everything_once() {
    let site = small(Audience::Everybody).await;
    let home = json(&site, "/index.json").await;
    assert_eq!(home["servers"], 7);
    let mut seen = Vec::new();
    let first = json(&site, "/class/read/index.json").await;
    let total = first["total"].as_u64().unwrap();
    for page in 1..=total.div_ceil(100) {
        let list = json(&site, &format!("/class/read/index.json?page={page}")).await;
        seen.extend(list["tools"].as_array().unwrap().iter().map(|tool| tool["path"].as_str().unwrap().to_owned()));
        assert!(list["tools"].as_array().unwrap().iter().all(|tool| tool["class"] == "read"));
    }
    assert!(total > 100 && seen.len() as u64 == total, "{total}, {}", seen.len());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as u64, total);
    assert_eq!(site.get("/class/read/?page=9").await.status, 404);
    let of_classes =
        home["classes"].as_array().unwrap().iter().map(|class| class["tools"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(of_classes, home["tools"].as_u64().unwrap());
}

#[tokio::test]
async fn servers_are_narrowed_by_links() {
    let site = small(Audience::Everybody).await;
    let http = json(&site, "/servers/index.json?transport=streamable-http").await;
    assert_eq!(names(&http["servers"]), ["empty"]);
    assert_eq!(json(&site, "/servers/index.json?letter=n").await["total"], 1);
    assert_eq!(json(&site, "/servers/index.json?licence=mit&letter=n").await["total"], 1);
    assert_eq!(json(&site, "/servers/index.json?letter=q").await["total"], 0);
    let page = site.get("/servers/?letter=q").await;
    assert_eq!(page.robots.as_deref(), Some("noindex, follow"));
}

#[tokio::test]
async fn search_is_narrowed_by_filters_that_stay() {
    let site = small(Audience::Everybody).await;
    let all = json(&site, "/search/index.json?q=note").await;
    assert!(all["total"].as_u64().unwrap() > 100);
    let destructive = json(&site, "/search/index.json?q=note&class=destructive&kind=tool").await;
    let mut found = names(&destructive["found"]);
    found.sort_unstable();
    assert_eq!(found, ["create_note", "delete_note"]);
    let either = json(&site, "/search/index.json?q=note&class=destructive&class=execute").await;
    assert!(names(&either["found"]).contains(&"send_note"));
    assert_eq!(json(&site, "/search/index.json?q=note&limit=3").await["found"].as_array().unwrap().len(), 3);
    let page = site.get("/search/?q=note&class=destructive").await.text;
    assert!(page.contains("href=\"/search/?q=note\""), "the filter can be taken away");
    assert!(
        page.contains("href=\"/search/?q=note&amp;class=destructive&amp;severity=critical\""),
        "another can be added"
    );
    assert!(
        page.contains("<input type=\"hidden\" name=\"class\" value=\"destructive\">"),
        "it stays when one asks again"
    );
    let none = json(&site, "/search/index.json?q=note%20xylophone").await;
    assert_eq!((&none["total"], none["suggestions"].as_array().unwrap().len()), (&Value::from(0), 1));
    assert_eq!(none["suggestions"][0]["path"], "/search/?q=note");
    assert_eq!(site.get("/search/?since=yesterday").await.status, 400);
    assert_eq!(json(&site, "/search/index.json?since=2026-09-24").await["total"], 1);
}

#[tokio::test]
async fn changes_say_what_a_tool_was_and_is() {
    let site = small(Audience::Everybody).await;
    let changes = json(&site, "/changes/index.json").await;
    assert_eq!(changes["total"], 2);
    assert_eq!(changes["latest"].as_array().unwrap().len(), 1);
    let change = &changes["latest"][0];
    assert_eq!(
        (&change["tool"], &change["before"], &change["after"]),
        (&Value::from("create_note"), &Value::from("write"), &Value::from("destructive"))
    );
    let day = json(&site, "/changes/2026-09-24/index.json").await;
    assert_eq!((&day["new_servers"], &day["changed_definitions"]), (&Value::from(0), &Value::from(1)));
    assert_eq!(site.get("/changes/2026-09-23/").await.status, 404);
}
