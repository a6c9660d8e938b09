//! Setting up, signing in and out, and cookies.

use serde_json::json;

use crate::client::ask;
use crate::house::sqlite;

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn the_first_admin_is_made_and_signs_in_and_out() {
    let house = sqlite().await;
    let setup = house.instance.setup_token().await.unwrap().unwrap();
    let body = |token: &str| json!({ "token": token, "name": "ada", "password": PASSWORD });
    let post = async |path: &str, body: &serde_json::Value| house.send(&ask("POST", path).json(body)).await;
    assert_eq!(post("/api/v1/setup", &body("tgs_no")).await.problem(), "wrong-credentials");
    let short = json!({ "token": setup.reveal(), "name": "ada", "password": "short" });
    assert_eq!(post("/api/v1/setup", &short).await.json()["pointer"], "/password");
    assert_eq!(post("/api/v1/setup", &body(setup.reveal())).await.status, 201);
    assert_eq!(post("/api/v1/setup", &body(setup.reveal())).await.problem(), "wrong-credentials");

    for (name, password) in [("ada", "correct horse batterY"), ("eve", PASSWORD)] {
        let wrong = post("/api/v1/sessions", &json!({ "name": name, "password": password })).await;
        assert_eq!((wrong.status, wrong.problem().as_str()), (401, "wrong-credentials"));
    }
    let session = post("/api/v1/sessions", &json!({ "name": "ada", "password": PASSWORD })).await;
    assert_eq!(session.status, 201);
    assert!(!session.headers.contains_key("set-cookie"));
    let token = session.json()["token"].as_str().unwrap().to_owned();
    let me = house.send(&ask("GET", "/api/v1/me").token(&token)).await.json();
    assert_eq!((&me["actor"], &me["role"], &me["first"]), (&json!("member:ada"), &json!("admin"), &json!(true)));
    assert_eq!(house.send(&ask("DELETE", "/api/v1/sessions").token(&token)).await.status, 200);
    assert_eq!(house.send(&ask("GET", "/api/v1/me").token(&token)).await.problem(), "unknown-caller");
}

#[tokio::test]
async fn a_cookie_is_no_use_to_another_site() {
    let house = sqlite().await;
    let setup = house.instance.setup_token().await.unwrap().unwrap();
    let password = secrecy::SecretString::from(PASSWORD);
    house.sign_in.set_up(setup.reveal(), "ada", &password).await.unwrap().unwrap();
    let signing = ask("POST", "/api/v1/sessions").json(&json!({ "name": "ada", "password": PASSWORD, "cookie": true }));
    let session = house.send(&signing).await;
    assert_eq!(session.json()["token"], json!(null));
    let (pair, rules) = session.headers["set-cookie"].split_once("; ").unwrap();
    assert_eq!(rules, "Path=/; Secure; HttpOnly; SameSite=Strict");
    assert_eq!(house.send(&ask("GET", "/api/v1/me").header("Cookie", pair)).await.status, 200);
    let add = |name: &str| ask("POST", "/api/v1/agents").header("Cookie", pair).json(&json!({ "name": name }));
    let (here, there) = (format!("http://{}", house.address), "https://evil.example");
    assert_eq!(house.send(&add("a")).await.problem(), "cross-site");
    assert_eq!(house.send(&add("a").header("Origin", there)).await.problem(), "cross-site");
    assert_eq!(house.send(&add("a").header("Origin", &here)).await.status, 201);
    assert_eq!(house.send(&add("b").header("Toolgate-Request", "1")).await.status, 201);
    let out = ask("DELETE", "/api/v1/sessions").header("Cookie", pair).header("Origin", &here);
    assert!(house.send(&out).await.headers["set-cookie"].contains("Max-Age=0"));
    assert_eq!(house.send(&ask("GET", "/api/v1/me").header("Cookie", pair)).await.status, 401);
}
