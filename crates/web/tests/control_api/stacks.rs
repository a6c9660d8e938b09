//! Grants for several servers over the API: who may mint, change and attach them, and what is refused at which field.

use serde_json::{Value, json};
use store::control::access::Role;

use crate::client::{Answer, ask};
use crate::house::{House, postgres, sqlite};

const SPANNING: &str =
    r#"{ "version": "1", "default": "deny", "servers": ["crm", "mail"], "tools": { "mail__send": {} } }"#;

/// A house with two servers, and a policy that is for both of them.
async fn with_two(house: House) -> House {
    let reach = json!({ "kind": "http", "url": "https://mail.example/mcp" });
    let mail = house.post("admin", "/api/v1/servers", &json!({ "name": "mail", "reach": reach })).await;
    assert_eq!(mail.status, 201, "{mail:?}");
    let all = house.post("admin", "/api/v1/policies", &json!({ "name": "all", "document": SPANNING })).await;
    assert_eq!(all.status, 201, "{all:?}");
    house
}

async fn patch(house: &House, role: &str, path: &str, body: &Value) -> Answer {
    let tag = house.get(role, path).await.headers["etag"].clone();
    house.send(&ask("PATCH", path).token(&house.tokens[role]).header("If-Match", &tag).json(body)).await
}

async fn id_of(house: &House, name: &str) -> String {
    house.get("admin", &format!("/api/v1/servers/{name}")).await.json()["id"].as_str().unwrap().to_owned()
}

async fn is_minted_changed_and_shown(house: House) {
    let house = with_two(house).await;
    let (crm, mail) = (id_of(&house, "crm").await, id_of(&house, "mail").await);
    let body = json!({
        "label": "ann", "agent": "laptop", "servers": ["mail", "crm"], "policies": { "mail": "careful" },
        "policy": "all", "unprefixed": ["crm"], "search": true,
    });
    let minted = house.post("admin", "/api/v1/grants", &body).await;
    assert_eq!(minted.status, 201, "{minted:?}");
    let path = format!("/api/v1/grants/{}", minted.json()["id"].as_str().unwrap());
    let shown = house.get("viewer", &path).await.json();
    let careful = house.get("admin", "/api/v1/policies/careful").await.json()["id"].clone();
    assert_eq!(shown["server"], Value::Null);
    assert_eq!(shown["servers"], json!([mail, crm]));
    assert_eq!(shown["policies"], json!({ mail.as_str(): careful }));
    assert_eq!((&shown["unprefixed"], &shown["search"]), (&json!([crm]), &json!(true)));
    // It is among the grants of each of its servers.
    for server in ["crm", "mail"] {
        let listed = house.get("viewer", &format!("/api/v1/grants?server={server}")).await;
        assert!(listed.text.contains("\"ann\""), "{server}: {listed:?}");
    }
    // A server more, in another order; what stays keeps its policy.
    let changed = patch(&house, "admin", &path, &json!({ "servers": ["crm", "mail"], "search": false })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let shown = house.get("viewer", &path).await.json();
    assert_eq!(shown["servers"], json!([crm, mail]));
    assert_eq!(shown["policies"], json!({ mail.as_str(): careful }));
    assert_eq!((&shown["unprefixed"], &shown["search"]), (&json!([crm]), &json!(false)));
    let attach = async |body| house.post("policy_manager", &format!("{path}/attach"), &body).await;
    assert_eq!(attach(json!({ "policy": null, "server": "mail" })).await.status, 200);
    assert_eq!(house.get("viewer", &path).await.json()["policies"], json!({}));
    // A server that goes is none of its servers any more.
    let gone = house.send(&ask("DELETE", "/api/v1/servers/mail").token(&house.tokens["admin"])).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    let shown = house.get("viewer", &path).await.json();
    assert_eq!((&shown["servers"], &shown["revoked_at"]), (&json!([crm]), &Value::Null));
}

#[tokio::test]
async fn a_grant_for_several_is_minted_changed_and_shown() {
    is_minted_changed_and_shown(sqlite().await).await;
}

#[tokio::test]
async fn a_grant_for_several_is_minted_changed_and_shown_on_postgres() {
    is_minted_changed_and_shown(postgres().await).await;
}

async fn servers_and_policies_change_in_one_request(house: House) {
    let house = with_two(house).await;
    let (crm, mail) = (id_of(&house, "crm").await, id_of(&house, "mail").await);
    let id = async |name: &str| house.get("admin", &format!("/api/v1/policies/{name}")).await.json()["id"].clone();
    let (careful, all) = (id("careful").await, id("all").await);
    let path = minted(&house, json!({ "servers": ["mail"], "policies": { "mail": "careful" } })).await;
    let body = json!({ "servers": ["mail", "crm"], "policies": { "crm": "careful" }, "policy": "all" });
    let changed = patch(&house, "admin", &path, &body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let read = async || house.get("viewer", &path).await.json();
    let shown = read().await;
    assert_eq!((&shown["servers"], &shown["policy"]), (&json!([mail, crm]), &all));
    // The one that stays keeps its policy.
    assert_eq!(shown["policies"], json!({ mail.as_str(): careful, crm.as_str(): careful }));
    // One of them alone, by its id; null takes away, and what is not named stays.
    let changed = patch(&house, "admin", &path, &json!({ "policies": { crm.as_str(): null } })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(read().await["policies"], json!({ mail.as_str(): careful }));
    // A policy that is wrong leaves the servers as they are too.
    let before = read().await;
    for (body, pointer, told) in [
        (json!({ "servers": ["crm"], "policies": { "crm": "nil" } }), "/policies/crm", "no policy of this name"),
        (json!({ "servers": ["crm"], "policies": { "mail": null } }), "/policies/mail", "none of its"),
        (json!({ "servers": ["crm"], "policies": { "nil": "careful" } }), "/policies/nil", "no server"),
        (json!({ "policies": { "crm": "careful", crm.as_str(): null } }), "/policies/crm", "twice"),
        (json!({ "servers": ["crm"], "policy": "nil" }), "/policy", "no policy of this name"),
        (
            json!({ "servers": ["crm", "mail"], "policies": { "mail": null }, "policy": "careful" }),
            "/policy",
            "single servers",
        ),
        (json!({ "policies": { "mail": null }, "policy": null, "search": 1 }), "/search", "boolean"),
    ] {
        let answer = patch(&house, "admin", &path, &body).await;
        assert_eq!((answer.status, answer.json()["pointer"].as_str()), (422, Some(pointer)), "{body}: {answer:?}");
        assert!(answer.text.contains(told), "{body}: {answer:?}");
        assert_eq!(read().await, before, "{body}");
    }
    // A grant for one server takes a policy, and no others.
    let one = house.filled("/api/v1/grants/{grant}");
    let refused = patch(&house, "admin", &one, &json!({ "policies": { "crm": "careful" } })).await;
    assert_eq!((refused.status, refused.json()["pointer"].as_str()), (422, Some("/policies")), "{refused:?}");
    assert_eq!(patch(&house, "admin", &one, &json!({ "policy": "careful", "owner": "eve" })).await.status, 200);
    let shown = house.get("viewer", &one).await.json();
    assert_eq!((&shown["policy"], &shown["owner"]), (&careful, &json!("eve")));
    assert_eq!(patch(&house, "admin", &one, &json!({ "policy": null })).await.status, 200);
    assert_eq!(house.get("viewer", &one).await.json()["policy"], Value::Null);
}

#[tokio::test]
async fn servers_and_their_policies_change_in_one_request() {
    servers_and_policies_change_in_one_request(sqlite().await).await;
}

#[tokio::test]
async fn servers_and_their_policies_change_in_one_request_on_postgres() {
    servers_and_policies_change_in_one_request(postgres().await).await;
}

#[tokio::test]
async fn only_roles_with_the_right_mint_change_and_attach() {
    let house = with_two(sqlite().await).await;
    let path = minted(&house, json!({ "servers": ["crm", "mail"], "policy": "all" })).await;
    for role in Role::ALL {
        let (grants, policies) = (role == Role::Admin, matches!(role, Role::Admin | Role::PolicyManager));
        let label = format!("of {role}");
        let body = json!({ "label": label, "agent": "a", "servers": ["crm", "mail"], "policy": "all" });
        let answers = [
            (house.post(role.name(), "/api/v1/grants", &body).await.status, grants, 201),
            (patch(&house, role.name(), &path, &json!({ "servers": ["crm", "mail"] })).await.status, grants, 200),
            (
                house
                    .post(role.name(), &format!("{path}/attach"), &json!({ "policy": "careful", "server": "crm" }))
                    .await
                    .status,
                policies,
                200,
            ),
        ];
        for (number, (status, may, done)) in answers.into_iter().enumerate() {
            assert_eq!(status, if may { done } else { 403 }, "{role}, {number}");
        }
    }
}

async fn minted(house: &House, mut body: Value) -> String {
    let fields = body.as_object_mut().unwrap();
    fields.insert("label".to_owned(), "ann".into());
    fields.insert("agent".to_owned(), "laptop".into());
    let minted = house.post("admin", "/api/v1/grants", &body).await;
    assert_eq!(minted.status, 201, "{minted:?}");
    format!("/api/v1/grants/{}", minted.json()["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_its_field() {
    let house = with_two(sqlite().await).await;
    let cases = [
        (json!({}), "/server", "or `servers`"),
        (json!({ "server": "crm", "servers": ["mail"] }), "/servers", "either"),
        (json!({ "server": "crm", "search": true }), "/search", "with `servers`"),
        (json!({ "server": "crm", "unprefixed": ["crm"] }), "/unprefixed", "with `servers`"),
        (json!({ "server": "crm", "policies": { "crm": "careful" } }), "/policies", "with `servers`"),
        (json!({ "servers": [] }), "/servers", "1 to 100"),
        (json!({ "servers": ["crm", "crm"] }), "/servers/1", "twice"),
        (json!({ "servers": ["crm", "nil"] }), "/servers/1", "no server of this name"),
        (json!({ "servers": ["crm", "mail"], "policies": { "nil": "careful" } }), "/policies/nil", "no server"),
        (json!({ "servers": ["crm"], "policies": { "mail": "careful" } }), "/policies/mail", "none of its"),
        (json!({ "servers": ["crm"], "policies": { "crm": "nil" } }), "/policies/crm", "no policy"),
        (json!({ "servers": ["crm"], "unprefixed": ["mail"] }), "/unprefixed/0", "none of its"),
        // One for a single server cannot stand for several, and one for several names each of them.
        (json!({ "servers": ["crm", "mail"], "policy": "careful" }), "/policy", r#""servers": ["crm", "mail"]"#),
        (json!({ "servers": ["crm", "mail"], "policy": "crm-only" }), "/policy", "does not name mail"),
        (json!({ "servers": ["mail"], "policies": { "mail": "crm-only" } }), "/policies/mail", "does not name mail"),
        (json!({ "server": "mail", "policy": "crm-only" }), "/policy", "does not name mail"),
        (json!({ "servers": ["mail", "crm"], "label": "desk" }), "/label", "has this label"),
    ];
    let only = r#"{ "version": "1", "default": "deny", "servers": ["crm"] }"#;
    house.post("admin", "/api/v1/policies", &json!({ "name": "crm-only", "document": only })).await;
    let before = house.deeds().await;
    for (mut body, pointer, told) in cases {
        let fields = body.as_object_mut().unwrap();
        fields.entry("label").or_insert("ann".into());
        fields.insert("agent".to_owned(), "laptop".into());
        let answer = house.post("admin", "/api/v1/grants", &body).await;
        assert_eq!((answer.status, answer.json()["pointer"].as_str()), (422, Some(pointer)), "{body}: {answer:?}");
        assert!(answer.text.replace("\\\"", "\"").contains(told), "{body}: {answer:?}");
    }
    assert_eq!(house.deeds().await, before);
    // Changes are held to the same.
    let path = minted(&house, json!({ "servers": ["crm", "mail"], "policy": "all" })).await;
    let one = house.filled("/api/v1/grants/{grant}");
    for (path, body, pointer) in [
        (&path, json!({ "servers": ["crm", "nil"] }), "/servers/1"),
        (&path, json!({ "unprefixed": ["nil"] }), "/unprefixed/0"),
        (&one, json!({ "servers": ["crm", "mail"] }), "/servers"),
        (&one, json!({ "search": true }), "/search"),
    ] {
        let answer = patch(&house, "admin", path, &body).await;
        assert_eq!((answer.status, answer.json()["pointer"].as_str()), (422, Some(pointer)), "{body}: {answer:?}");
    }
    for (path, body, pointer) in [
        (&path, json!({ "policy": "careful" }), "/policy"),
        (&path, json!({ "policy": "careful", "server": "nil" }), "/server"),
        (&one, json!({ "policy": "careful", "server": "crm" }), "/server"),
    ] {
        let answer = house.post("admin", &format!("{path}/attach"), &body).await;
        assert_eq!((answer.status, answer.json()["pointer"].as_str()), (422, Some(pointer)), "{body}: {answer:?}");
    }
    // A version that leaves a server out is put in force, and what it closes is said: before, and with the answer.
    let narrow = SPANNING.replace(r#"["crm", "mail"]"#, r#"["crm"]"#).replace("mail__", "crm__");
    let tag = house.get("admin", "/api/v1/policies/all").await.headers["etag"].clone();
    let edit = ask("PUT", "/api/v1/policies/all").token(&house.tokens["admin"]).header("If-Match", &tag);
    assert_eq!(house.send(&edit.json(&json!({ "document": narrow, "reason": "fewer" }))).await.status, 200);
    let closes = json!([{ "grant": path.rsplit_once('/').unwrap().1, "label": "ann", "server": "mail" }]);
    let read = async |version| house.get("auditor", &format!("/api/v1/policies/all/versions/{version}")).await.json();
    assert_eq!((&read(1).await["closes"], &read(2).await["closes"]), (&json!([]), &closes));
    for (version, closes) in [(2, &closes), (1, &json!([]))] {
        let publish = json!({ "version": version, "reason": "because" });
        let answer = house.post("policy_manager", "/api/v1/policies/all/publish", &publish).await;
        assert_eq!((answer.status, &answer.json()["closes"]), (200, closes), "{answer:?}");
    }
    // And a version that names no servers is not put in force over several.
    let plain = r#"{ "version": "1", "default": "deny" }"#;
    let tag = house.get("admin", "/api/v1/policies/all").await.headers["etag"].clone();
    let edit = ask("PUT", "/api/v1/policies/all").token(&house.tokens["admin"]).header("If-Match", &tag);
    let edited = house.send(&edit.json(&json!({ "document": plain, "reason": "shorter" }))).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let publish = json!({ "version": 3, "reason": "because" });
    let answer = house.post("admin", "/api/v1/policies/all/publish", &publish).await;
    assert_eq!((answer.status, answer.json()["pointer"].as_str()), (422, Some("/version")), "{answer:?}");
    assert!(answer.text.contains("the grant ann"), "{answer:?}");
}
