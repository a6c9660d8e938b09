//! The five tools of the pages that the project began with, as docs/catalogue-pages.md compares them.

use std::io::{BufRead, BufReader};
use std::path::Path;

use axum::http::StatusCode;
use catalogue::import::Holds;
use flate2::read::MultiGzDecoder;
use policy::{Load, load};
use serde_json::Value;
use store::catalogue::Visibility;
use web::{Audience, Web};

use crate::place::{get, site};

/// Path of the page, class and severity.
const FIVE: [(&str, &str, &str); 5] = [
    ("/s/leadmagic/leadmagic-smartlead-mcp-server/smartlead_update_lead_by_id/", "write", "medium"),
    ("/s/leadmagic/leadmagic-smartlead-mcp-server/smartlead_forward_reply/", "execute", "high"),
    ("/s/leadmagic/leadmagic-smartlead-mcp-server/smartlead_reconnect_failed_email_accounts/", "execute", "high"),
    ("/s/leadmagic/leadmagic-smartlead-mcp-server/smartlead_retrigger_failed_events/", "execute", "high"),
    ("/s/miguelgbastos/miguelgbastos-kommo-mcp/create_lead/", "write", "medium"),
];

/// The public definitions of the two servers and of the copy; says so and gives nothing in a clone that stands alone.
fn definitions() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/tools.jsonl.gz");
    let Ok(file) = std::fs::File::open(path) else {
        eprintln!("skipped: the public definitions are not beside this clone");
        return None;
    };
    let of = |line: &str| {
        let server = serde_json::from_str::<Value>(line).unwrap()["server"].as_str().unwrap_or_default().to_lowercase();
        ["leadmagic/smartlead-mcp-server", "win8428/smartlead-mcp-server", "miguelgbastos/kommo-mcp"]
            .contains(&server.as_str())
    };
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines().map(Result::unwrap);
    Some(lines.filter(|line| of(line)).collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn the_five_pages_say_what_they_should() {
    let Some(tools) = definitions() else { return };
    let (_folder, site) = site(&[(Holds::Tools, Visibility::Public, &tools)], Audience::Everybody).await;
    let web = Web::new(site);
    let mut whys = Vec::new();
    for (path, class, severity) in FIVE {
        let html = get(&web, path).await;
        assert_eq!(html.status, StatusCode::OK, "{path}");
        assert!(html.text.len() <= 50 << 10, "{path}: {} bytes", html.text.len());
        for wrong in ["MCP Server MCP Server", "a Execute", "rate_limit", "policylayer"] {
            assert!(!html.text.contains(wrong), "{path}: {wrong}");
        }
        // The order of a page is that of the five, with what they lack in between.
        let heads = [
            "id=\"does\"",
            "id=\"why\"",
            "id=\"evidence\"",
            "id=\"control\"",
            "id=\"agent\"",
            "id=\"questions\"",
            "id=\"history\"",
        ];
        let places: Vec<usize> = heads.iter().filter_map(|head| html.text.find(head)).collect();
        assert!(places.len() == heads.len() && places.is_sorted(), "{path}: {places:?}");
        let page: Value = serde_json::from_str(&get(&web, &format!("{path}index.json")).await.text).unwrap();
        assert_eq!((page["class"].as_str(), page["severity"].as_str()), (Some(class), Some(severity)), "{path}");
        let text = &page["text"];
        let samples = text["samples"].as_array().unwrap();
        assert!(samples.iter().any(|one| one["verdict"] == "allow"), "{path}");
        assert!(samples.iter().any(|one| one["verdict"] != "allow"), "{path}");
        assert_eq!(text["variants"].as_array().unwrap().len(), 4, "{path}");
        for variant in text["variants"].as_array().unwrap() {
            assert_eq!(variant["document"]["default"], "allow", "{path}: the rest of the server stays as it is");
            assert!(load(&variant["document"].to_string(), Load::default()).policy.is_some(), "{path}");
        }
        whys.push(text["why"].as_str().unwrap().to_owned());
    }
    whys.sort();
    whys.dedup();
    assert_eq!(whys.len(), FIVE.len(), "no two say the same");
}

#[tokio::test]
async fn mail_that_leaves_is_bounded_by_its_recipient() {
    let Some(tools) = definitions() else { return };
    let (_folder, site) = site(&[(Holds::Tools, Visibility::Public, &tools)], Audience::Everybody).await;
    let page = get(&Web::new(site), &format!("{}index.json", FIVE[1].0)).await;
    let page: Value = serde_json::from_str(&page.text).unwrap();
    let rule = &page["text"]["variants"][0]["document"]["tools"]["smartlead_forward_reply"];
    assert_eq!(rule.pointer("/require/0/conditions/0/path"), Some(&Value::from("args.forward_to")), "{rule}");
}

#[tokio::test]
async fn foreign_words_are_marked_with_their_language() {
    let Some(tools) = definitions() else { return };
    let (_folder, site) = site(&[(Holds::Tools, Visibility::Public, &tools)], Audience::Everybody).await;
    let page = get(&Web::new(site), FIVE[4].0).await.text;
    assert!(page.contains("<blockquote lang=\"pt\">") && page.contains("in Portuguese"));
}

#[tokio::test]
async fn a_copy_is_shown_beside_its_kin() {
    let Some(tools) = definitions() else { return };
    let (_folder, site) = site(&[(Holds::Tools, Visibility::Public, &tools)], Audience::Everybody).await;
    let page = get(&Web::new(site), "/s/win8428/win8428-smartlead-mcp-server/").await.text;
    assert!(page.contains("One other server has the same tools") && page.contains("/s/leadmagic/"));
}
