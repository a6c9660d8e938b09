//! `toolgate catalogue import --scan`: what an operator saw of their own servers, for their own eyes.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use super::Place;
use crate::pages::Pages;
use crate::setup::EXE;

/// What a scan of these words prints, in a file.
fn scan(place: &Place, name: &str, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(EXE).args(["scan", "--json", "--no-save"]).args(words).output()?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(place.file(name, &[text])?.display().to_string())
}

fn tools(delete: &str) -> [Tool; 2] {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    [("read_zeta", "Reads a zeta"), ("drop_zeta", delete)]
        .map(|(name, says)| Tool::named(name).schema(schema.clone()).member("description", json!(says)))
}

#[test]
fn what_was_scanned_is_for_the_operator_alone() -> anyhow::Result<()> {
    let place = Place::new()?;
    let upstream = Upstream::start(Script::with(tools("Hides a zeta")))?;
    // Everybody knows this server by its endpoint, but not these tools.
    let public = json!({ "name": "Known", "url": upstream.url(), "repository": "https://github.com/acme/known" });
    let file = place.file("servers.jsonl", &[public.to_string()])?.display().to_string();
    ensure!(place.say(&["import", "--public", "--servers", &file])?.code == Some(0));

    let file = scan(&place, "scan.json", &["--upstream", &format!("{}?key=sk-secret", upstream.url())])?;
    let report: Value = serde_json::from_str(&place.say(&["import", "--scan", &file, "--json"])?.out)?;
    let counts = &report["files"][0]["counts"];
    ensure!(counts["servers_new"] == 1 && counts["tools_new"] == 2, "{report}");
    let found = place.json(&["search", "zeta", "--kind", "tool"])?;
    ensure!(found["total"] == 2, "{found}");
    let slug = found["found"][0]["server"].as_str().context("no server")?.to_owned();
    let shown = place.json(&["show", &slug])?;
    ensure!(shown["visibility"] == "private" && !shown.to_string().contains("sk-secret"), "{shown}");

    let data = place.folder.path().join("data");
    let page = format!("/api/v1/catalogue/servers/{slug}");
    let here = Pages::start(&data)?;
    ensure!(here.get(&page)?.contains("drop_zeta"));
    let everybody = Pages::start_with(&data, &["--public", "--base-url", "https://tools.example"])?;
    ensure!(everybody.get(&page).is_err_and(|error| error.to_string().contains("404")));
    for path in [
        "/api/v1/catalogue/servers",
        "/servers/index.json",
        "/search/index.json?q=zeta",
        "/index.json",
        "/sitemap.xml",
        "/sitemap-tools-1.xml",
        "/changes/feed.atom",
        "/llms.txt",
        "/s/acme/known/index.json",
    ] {
        let text = everybody.get(path).unwrap_or_default();
        ensure!(!text.contains("_zeta") && !text.contains(&format!("/{slug}/")), "{path}: {text}");
    }

    // A later scan of the same server says what changed; the same one again says nothing.
    let again: Value = serde_json::from_str(&place.say(&["import", "--scan", &file, "--json"])?.out)?;
    ensure!(again["files"][0]["counts"]["tools_same"] == 2 && again["servers"] == report["servers"], "{again}");
    upstream.set_tools(tools("Deletes a zeta for good"));
    let file = scan(&place, "later.json", &["--upstream", &upstream.url()])?;
    let later: Value = serde_json::from_str(&place.say(&["import", "--scan", &file, "--json"])?.out)?;
    ensure!(later["files"][0]["counts"]["tools_changed"] == 1 && later["servers"] == report["servers"], "{later}");

    // And a client's configuration that names it is checked with what was seen.
    let config = json!({ "mcpServers": { "mine": { "url": upstream.url() } } }).to_string();
    let config = place.file("mcp.json", &[config])?.display().to_string();
    let checked = place.say(&["check", "--config", &config])?;
    ensure!(checked.code == Some(1) && checked.out.contains("drop_zeta"), "{checked:?}");
    Ok(())
}

#[test]
fn what_is_no_scan_is_refused() -> anyhow::Result<()> {
    let place = Place::new()?;
    let table = [
        ("{", "no report of `toolgate scan --json`"),
        ("{\"version\":2,\"servers\":[]}", "version 2"),
        (
            r#"{"version":1,"servers":[{"name":"x","source":{"kind":"file","text":"x"},"server":null,"tools":[{"name":"y"}]}]}"#,
            "scan again",
        ),
    ];
    for (text, why) in table {
        let file = place.file("scan.json", &[text.to_owned()])?.display().to_string();
        let said = place.say(&["import", "--scan", &file])?;
        ensure!(said.code == Some(2) && said.err.contains(why), "{text}: {said:?}");
    }
    let said = place.say(&["import", "--scan", "x", "--public"])?;
    ensure!(said.code == Some(2) && said.err.contains("--public"), "{said:?}");
    Ok(())
}
