//! Requests that come again with their key, and answers that wait until what was decided holds.

use audit::Id;
use serde_json::json;

use crate::client::ask;
use crate::house::{House, postgres, sqlite};

const NEW: &str = r#"{"label":"again","server":"crm","agent":"helpdesk"}"#;

#[tokio::test]
async fn a_mint_that_comes_again_is_answered_with_the_same_token() {
    for house in [sqlite().await, postgres().await] {
        let mint = |key: &str, body: &str| {
            let asking = ask("POST", "/api/v1/grants").token(&house.tokens["admin"]);
            asking.header("Idempotency-Key", key).text("application/json", body)
        };
        let first = house.send(&mint("one", NEW)).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let again = house.send(&mint("one", NEW)).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(house.deeds().await.iter().filter(|deed| *deed == "grant.mint").count(), 2, "desk and this one");
        let other = house.send(&mint("one", r#"{"label":"other","server":"crm","agent":"helpdesk"}"#)).await;
        assert_eq!((other.status, other.problem().as_str()), (422, "key-used"));
        // What was refused is not remembered.
        let refused = house.send(&mint("two", NEW)).await;
        assert_eq!(refused.json()["pointer"], "/label");
        let right = house.send(&mint("two", r#"{"label":"other","server":"crm","agent":"helpdesk"}"#)).await;
        assert_eq!(right.status, 201, "{}", right.text);
        for key in ["", "a b", &"x".repeat(256)] {
            assert_eq!(house.send(&mint(key, NEW)).await.json()["header"], "Idempotency-Key", "{key:?}");
        }
        // The answer was kept, and the token stands nowhere to be read.
        let token = first.json()["token"].as_str().unwrap().to_owned();
        assert!(token.starts_with("tg_"));
        for file in std::fs::read_dir(house.folder.path()).unwrap().chain(data(&house)) {
            let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
        }
    }
}

fn data(house: &House) -> impl Iterator<Item = std::io::Result<std::fs::DirEntry>> {
    std::fs::read_dir(house.folder.path().join("data")).into_iter().flatten()
}

#[tokio::test]
async fn an_answer_waits_for_a_replica_and_a_repetition_does_not() {
    let house = sqlite().await;
    let database = house.instance.database();
    let replica = Id::from_bits(7);
    // Of the version that is: otherwise it is none.
    let version = database.version().await.unwrap();
    assert!(database.renew_lease(replica, "slow", 600_000, version).await.unwrap().is_some());
    let asking = ask("POST", "/api/v1/agents").token(&house.tokens["admin"]).header("Idempotency-Key", "k");
    let asking = asking.json(&json!({ "name": "helpdesk" }));
    let (mut one, mut other) = (Box::pin(house.send(&asking)), Box::pin(house.send(&asking)));
    // One of them is begun, and waits; the other one is told so.
    let (told, waiting) = tokio::select! {
        told = &mut one => (told, &mut other),
        told = &mut other => (told, &mut one),
    };
    assert_eq!((told.status, told.problem().as_str()), (409, "under-way"));
    // Nothing makes it answer but that the replica follows, or is gone.
    database.end_lease(replica).await.unwrap();
    let answer = waiting.await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let lost = &answer.json()["holds"]["lost"];
    assert!(*lost == json!(["slow"]) || *lost == json!([]), "{lost}");
    assert_eq!(house.send(&asking).await.text, answer.text);
}
