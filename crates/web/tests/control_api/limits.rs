//! What is used of limits: shown page by page, reset with a reason, confirmed.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quota::{Amount, CountId, Counters, Kind, Take, Window};
use serde_json::{Value, json};

use crate::house::{House, count, postgres, sqlite};

async fn all(house: &House, limit: usize) -> Vec<Value> {
    let (mut items, mut path) = (Vec::new(), format!("/api/v1/limits?limit={limit}"));
    loop {
        let page = house.get("viewer", &path).await.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/limits?limit={limit}&cursor={next}"),
            None => return items,
        }
    }
}

async fn shown_and_reset(house: &House) {
    let organisation = house.admin.organisation.to_string();
    for number in 0..6 {
        count(&*house.counts, &organisation, &format!("counter {number}"));
    }
    let theirs = count(&*house.counts, "another", "secret");
    let items = all(house, 3).await;
    assert_eq!(items.len(), 7, "{items:?}");
    assert_eq!(items, all(house, 200).await);
    let first = &items[0];
    assert_eq!(
        (&first["counter"], &first["window"], &first["used"], &first["max"], &first["observed"]),
        (&json!("counter 0"), &json!("3600 s"), &json!("1"), &json!("3"), &json!(false)),
        "{first}"
    );
    assert!(first["frees_at"].is_i64());
    assert!(!items.iter().any(|item| item.to_string().contains("secret")));

    let reset = async |body: Value| house.post("policy_manager", "/api/v1/limits/reset", &body).await;
    let done = reset(json!({ "id": first["id"], "reason": "paid for" })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(all(house, 200).await.len(), 6);
    let again = reset(json!({ "id": first["id"], "reason": "paid for" })).await;
    let another = reset(json!({ "id": theirs, "reason": "paid for" })).await;
    assert_eq!((again.status, again.text), (404, another.text), "another organisation's is as good as none");
    let silent = reset(json!({ "id": items[1]["id"] })).await;
    assert_eq!((silent.status, silent.problem().as_str()), (422, "invalid"));
    let deeds: Vec<_> = house.deeds().await.into_iter().filter(|deed| deed.starts_with("limits.")).collect();
    assert_eq!(deeds, ["limits.reset"]);
}

#[tokio::test]
async fn what_is_used_is_shown_and_reset_over_sqlite() {
    shown_and_reset(&sqlite().await).await;
}

#[tokio::test]
async fn what_is_used_is_shown_and_reset_over_postgres() {
    shown_and_reset(&postgres().await).await;
}

#[tokio::test]
async fn scopes_have_names_and_calls_in_flight_are_not_reset() {
    let house = sqlite().await;
    let (zone, grant) = (TimeZone::UTC, house.names["grant"].clone());
    let organisation = house.admin.organisation.to_string();
    let id = CountId::new(&organisation, &[("grant", &grant)], "at once", None, &zone, Kind::Concurrency);
    let (max, amount) = (Amount::from(2), Amount::ONE);
    let take = Take { id, window: None::<Window>, zone, kind: Kind::Concurrency, max, amount };
    let held = house.counts.take(&[take], Timestamp::now()).unwrap();
    let items = all(&house, 200).await;
    let item = items.iter().find(|item| item["window"] == "in flight").unwrap();
    assert_eq!(item["scopes"], json!([{ "kind": "grant", "id": grant, "name": "desk" }]));
    let refused = house.post("admin", "/api/v1/limits/reset", &json!({ "id": item["id"], "reason": "x" })).await;
    assert_eq!((refused.status, &refused.json()["pointer"]), (422, &json!("/id")), "{}", refused.text);
    drop(held);
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused() {
    let house = sqlite().await;
    for cursor in ["x", "6", "ff", "%F0"] {
        let answer = house.get("viewer", &format!("/api/v1/limits?cursor={cursor}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "unreadable"), "{cursor}: {}", answer.text);
    }
}
