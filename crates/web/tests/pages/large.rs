//! A server with more tools than its page has rules for.

use axum::http::StatusCode;
use catalogue::import::Holds;
use serde_json::{Value, json};
use store::catalogue::Visibility;
use web::{Audience, Web};

use crate::place::{get, site};

/// More tools than one page lists, and than one page's policy has rules for.
const TOOLS: usize = 650;

/// Tools of all kinds: some are free, some limited, some ask first.
fn tools() -> String {
    let kinds = [("list", "Lists"), ("delete", "Deletes"), ("update", "Changes"), ("send", "Sends")];
    let line = |number: usize| {
        let (verb, says) = kinds[number % kinds.len()];
        json!({
            "server_repo": "acme/warehouse", "server": "warehouse", "name": format!("{verb}_message_{number}"),
            "description": format!("{says} message {number}"),
            "input_schema": { "type": "object", "properties": { "id": { "type": "string" } } },
        })
        .to_string()
    };
    (0..TOOLS).map(line).collect::<Vec<_>>().join("\n")
}

/// The last cell of each row of the table of tools.
fn rules(html: &str) -> Vec<&str> {
    let rows = html.split("<tr>").filter(|row| row.contains("scope=\"row\""));
    rows.map(|row| row.rsplit("<td>").next().unwrap().split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn every_page_of_a_large_server_says_what_its_whole_policy_says() {
    let lines = tools();
    let (_folder, site) = site(&[(Holds::Tools, Visibility::Public, lines.as_str())], Audience::Everybody).await;
    let web = Web::new(site);
    let mut kinds = std::collections::BTreeSet::new();
    for page in 1..=TOOLS.div_ceil(100) {
        let html = get(&web, &format!("/s/acme/warehouse/?page={page}")).await;
        let twin = get(&web, &format!("/s/acme/warehouse/index.json?page={page}")).await;
        assert_eq!((html.status, twin.status), (StatusCode::OK, StatusCode::OK), "{page}");
        let twin: Value = serde_json::from_str(&twin.text).unwrap();
        assert_eq!(twin["policy"]["document"]["tools"].as_object().unwrap().len(), TOOLS, "the twin has every rule");
        let whole: Vec<&str> =
            twin["tools"].as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap()).collect();
        assert_eq!(rules(&html.text), whole, "{page}");
        assert!(html.text.contains(&format!("a rule for each of {TOOLS} tools")), "{page}");
        kinds.extend(whole.into_iter().map(str::to_owned));
    }
    assert!(kinds.len() > 1 && !kinds.contains("denied"), "{kinds:?}");
}
