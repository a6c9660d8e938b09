//! Every route × everybody, made from the table of the routes: who may is answered, who may not is told so, and of
//! another organisation nobody learns that it has anything.

use serde_json::Value;
use store::control::access::Role;
use web::control_api::{Access, Route, routes};

use crate::client::{Answer, Ask, ask};
use crate::document::fits;
use crate::house::{House, sqlite};

/// The request that the table's example makes, for whoever has this token.
async fn asking(house: &House, route: &Route, path: &str, token: Option<&str>) -> Ask {
    let mut asking = ask(route.method.as_str(), path);
    if let Some(token) = token {
        asking = asking.token(token);
    }
    if route.matched {
        let tag = house.get("admin", &house.filled(route.path)).await.headers["etag"].clone();
        asking = asking.header("If-Match", &tag);
    }
    match &route.example {
        Some(example) => asking.text("application/json", &house.filled(&example.to_string())),
        None => asking,
    }
}

async fn ours(house: &House, route: &Route, token: Option<&str>) -> Answer {
    let path = house.filled(route.path);
    let asking = asking(house, route, &path, token).await;
    house.send(&asking).await
}

fn reads(route: &Route) -> bool {
    route.method == "GET"
}

#[tokio::test]
async fn nobody_is_let_in_unrecognised() {
    let house = sqlite().await;
    let before = house.deeds().await;
    for route in routes() {
        let strangers = [None, Some("nonsense"), Some("tgp_nonsense"), Some("tgx_nonsense"), Some("tg_nonsense")];
        for token in strangers {
            let answer = ours(&house, &route, token).await;
            match route.access {
                Access::Anybody => assert_eq!(answer.status, 200, "{route:?}"),
                Access::Strangers => assert_eq!(answer.problem(), "wrong-credentials", "{route:?}"),
                Access::Right { .. } => {
                    assert_eq!((answer.status, answer.problem().as_str()), (401, "unknown-caller"), "{route:?}");
                    assert!(answer.headers["www-authenticate"].starts_with("Bearer"), "{route:?}");
                }
            }
        }
    }
    assert_eq!(house.deeds().await, before);
}

#[tokio::test]
async fn whose_role_has_the_right_is_answered() {
    let shared = sqlite().await;
    let document = web::control_api::document();
    let mut cells = 0;
    for route in routes().into_iter().filter(|route| matches!(route.access, Access::Right { .. })) {
        for role in Role::ALL.into_iter().filter(|role| route.access.allows(*role, true)) {
            // What changes things finds them as they were.
            let own = if reads(&route) { None } else { Some(sqlite().await) };
            let house = own.as_ref().unwrap_or(&shared);
            let token = &house.tokens[role.name()];
            if route.name == "sessions.remove" {
                let answer = ours(house, &route, Some(token)).await;
                assert_eq!(answer.problem(), "conflict", "a program has no session");
                continue;
            }
            let answer = ours(house, &route, Some(token)).await;
            assert_eq!(answer.status, route.status, "{route:?} as {role}: {}", answer.text);
            assert_eq!(answer.headers.contains_key("etag"), route.tagged, "{route:?}");
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(answer.headers["ratelimit"].starts_with("\"caller\";r="), "{:?}", answer.headers);
            cells += 1;
            if !route.exports.is_empty() {
                assert!(answer.headers["content-type"].starts_with(route.exports[0]), "{:?}", answer.headers);
                assert!(!answer.text.is_empty(), "{route:?}");
                for line in answer.text.lines() {
                    fits(&document, &route, &serde_json::from_str(line).unwrap());
                }
                continue;
            }
            assert_eq!(answer.json()["holds"].is_object(), route.changes(), "{route:?}: {}", answer.text);
            fits(&document, &route, &answer.json());
        }
    }
    assert!(cells > 100, "{cells}");
}

#[tokio::test]
async fn whose_role_has_it_not_is_told_who_has() {
    let house = sqlite().await;
    let before = house.deeds().await;
    let mut cells = 0;
    for route in routes() {
        for role in Role::ALL.into_iter().filter(|role| !route.access.allows(*role, true)) {
            let token = &house.tokens[role.name()];
            let answer = ours(&house, &route, Some(token)).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"), "{route:?} as {role}");
            // Whether there is something is none of their business either.
            let nothing = house.send(&asking(&house, &route, &nowhere(route.path), Some(token)).await).await;
            assert_eq!(nothing.text, answer.text, "{route:?} as {role}");
            cells += 1;
        }
    }
    assert!(cells > 80, "{cells}");
    assert_eq!(house.deeds().await, before);
}

/// A path to what nobody has.
fn nowhere(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "01ARZ3NDEKTSV4RRFFQ69G5FAV" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn another_organisation_is_neither_seen_nor_touched() {
    let house = sqlite().await;
    let before = house.deeds().await;
    let theirs = Some(house.elsewhere.as_str());
    let mut secret = 0;
    for route in routes() {
        let answer = ours(&house, &route, theirs).await;
        if !route.access.allows(Role::Admin, false) {
            assert_eq!(answer.problem(), "forbidden", "{route:?}");
            continue;
        }
        if route.path.contains('{') {
            // The same, byte for byte, for what is another's and for what nobody has.
            let nothing = house.send(&asking(&house, &route, &nowhere(route.path), theirs).await).await;
            assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{route:?}: {}", answer.text);
            assert_eq!(answer.text, nothing.text, "{route:?}");
            secret += 1;
        } else if reads(&route) && route.name != "openapi.get" {
            for value in ["crm", "careful", "desk", "carol", "spare", "upstream"] {
                assert!(!answer.text.contains(value), "{route:?}: {}", answer.text);
            }
        }
    }
    assert!(secret > 20, "{secret}");
    assert_eq!(house.deeds().await, before);
    let stops = house.get("viewer", "/api/v1/stops").await.json();
    assert_eq!(stops["items"].as_array().map(Vec::len), Some(1), "what they stopped is theirs: {stops}");
}

#[tokio::test]
async fn an_id_of_anothers_in_a_body_is_as_good_as_none() {
    let house = sqlite().await;
    let theirs = house.elsewhere.as_str();
    for (path, with, without) in [
        (
            "/api/v1/stops",
            r#"{"kind":"server","object":"crm","reason":"x"}"#,
            r#"{"kind":"server","object":"nil","reason":"x"}"#,
        ),
        (
            "/api/v1/stops/resume",
            r#"{"kind":"server","object":"crm","reason":"x"}"#,
            r#"{"kind":"server","object":"nil","reason":"x"}"#,
        ),
        (
            "/api/v1/grants",
            r#"{"label":"x","agent":"y","server":"crm"}"#,
            r#"{"label":"x","agent":"y","server":"nil"}"#,
        ),
        (
            "/api/v1/grants",
            r#"{"label":"x","agent":"y","servers":["crm"]}"#,
            r#"{"label":"x","agent":"y","servers":["nil"]}"#,
        ),
        (
            "/api/v1/servers",
            r#"{"name":"x","policy":"careful","reach":{"kind":"http","url":"https://x.example/"}}"#,
            r#"{"name":"x","policy":"nil","reach":{"kind":"http","url":"https://x.example/"}}"#,
        ),
    ] {
        let post = async |body| house.send(&ask("POST", path).token(theirs).text("application/json", body)).await;
        let (with, without) = (post(with).await, post(without).await);
        assert!(with.status == 404 || with.status == 422, "{path}: {with:?}");
        assert_eq!((with.status, with.text), (without.status, without.text), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_named() {
    let house = sqlite().await;
    let answer = house.send(&ask("PUT", "/api/v1/grants").token(&house.tokens["admin"])).await;
    assert_eq!((answer.status, answer.problem().as_str()), (405, "method"));
    assert_eq!(answer.headers["allow"], "GET, POST");
    let head = house.send(&ask("HEAD", "/api/v1/grants").token(&house.tokens["viewer"])).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let me: Value = house.get("auditor", "/api/v1/me").await.json();
    assert_eq!((me["actor"].as_str(), me["role"].as_str()), (Some("token:auditor"), Some("auditor")));
}
