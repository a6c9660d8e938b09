//! Forty secrets go in, and none comes out: not in an answer, not in an error.

use serde_json::{Map, Value, json};
use web::control_api::routes;

use crate::client::ask;
use crate::house::sqlite;

fn secret(number: usize) -> String {
    format!("planted-{number:02}-5up3r-s3cr3t")
}

fn values(numbers: std::ops::Range<usize>) -> Map<String, Value> {
    numbers.map(|number| (format!("X-Secret-{number}"), json!(secret(number)))).collect()
}

#[tokio::test]
async fn forty_planted_secrets_are_in_no_answer() {
    let house = sqlite().await;
    let mut answers = Vec::new();
    let admin = house.tokens["admin"].clone();
    let http = |range| json!({ "kind": "http", "url": "https://x.example/mcp", "headers": values(range) });
    let child = json!({ "kind": "child", "command": ["server"], "env": values(10..20) });
    for (name, reach) in [("one", http(0..10)), ("two", child)] {
        let made = house.post("admin", "/api/v1/servers", &json!({ "name": name, "reach": reach })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        answers.push(made);
    }
    for number in 20..24 {
        let member = json!({ "name": format!("m{number}"), "role": "viewer", "password": secret(number) });
        let made = house.post("admin", "/api/v1/members", &member).await;
        assert_eq!(made.status, 201, "{}", made.text);
        answers.push(made);
    }
    // What is refused holds secrets too, in places where they belong and where they do not.
    let s = secret;
    let bad = [
        ("servers", json!({ "name": "Bad", "reach": http(24..28) })),
        ("servers", json!({ "name": "bad", "reach": { "kind": "http", "url": 5, "headers": { "X": s(28) } } })),
        ("servers", json!({ "name": "bad", "reach": { "kind": s(29), "url": "https://x.example/" } })),
        (
            "servers",
            json!({ "name": "bad", "reach": { "kind": "http", "url": "https://x.example/", "headers": { "X": format!("{}\n", s(30)) } } }),
        ),
        (
            "servers",
            json!({ "name": "bad", "reach": { "kind": "child", "command": ["x"], "env": { "X": format!("{}\u{0}", s(31)) } } }),
        ),
        ("members", json!({ "name": "carol", "role": "viewer", "password": s(32) })),
        ("members", json!({ "name": "dave", "role": s(33) })),
        ("sessions", json!({ "name": "ada", "password": s(34) })),
        ("sessions", json!({ "name": "ada", "password": [s(35)] })),
        ("setup", json!({ "token": s(36), "name": "ada", "password": s(37) })),
        ("organisations", json!({ "name": "Bad", "title": "B", "admin": { "name": "a", "password": s(38) } })),
        ("tokens", json!({ "label": "x", "role": "viewer", "expires_at": s(39) })),
    ];
    for (path, body) in bad {
        let answer = house.post("admin", &format!("/api/v1/{path}"), &body).await;
        assert!((400..500).contains(&answer.status), "{path} {body}: {answer:?}");
        answers.push(answer);
    }
    for route in routes().into_iter().filter(|route| route.method == "GET") {
        for role in ["admin", "auditor"] {
            answers.push(house.get(role, &house.filled(route.path)).await);
        }
    }
    for server in ["one", "two"] {
        answers.push(house.send(&ask("GET", &format!("/api/v1/servers/{server}")).token(&admin)).await);
    }
    let grant_hashes = house.instance.database().changes_since(0).await.unwrap().grants;
    let all = format!("{answers:?}");
    assert!(all.contains("X-Secret-3") && all.contains("X-Secret-13"), "names are no secrets");
    assert!(!all.contains("5up3r"), "a secret came out");
    for (hash, _) in grant_hashes.iter().flat_map(|grant| &grant.tokens) {
        assert!(!all.contains(hash.as_str()));
    }
    for token in house.tokens.values() {
        assert!(!all.contains(token.as_str()));
    }
}
