//! `toolgate catalogue sync`: a registry is read, and what changes there changes here.

use std::process::Stdio;

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::registry::{Instead, Listed, Registry};

use super::{Place, Said};

fn sync(place: &Place, registry: &Registry, more: &[&str]) -> anyhow::Result<Said> {
    let url = registry.url();
    let words: Vec<&str> = ["sync", "--json", "--registry", &url].into_iter().chain(more.iter().copied()).collect();
    place.say(&words)
}

fn counts(said: &Said) -> anyhow::Result<Value> {
    ensure!(said.code == Some(0), "{said:?}");
    let report: Value = serde_json::from_str(&said.out)?;
    Ok(report.get("counts").cloned().unwrap_or_default())
}

fn status(status: u16, fields: &[(&'static str, &str)]) -> Option<Instead> {
    Some(Instead::Status(status, fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()))
}

fn entries() -> Vec<Listed> {
    let package = json!([{ "registryType": "npm", "identifier": "@ann/mail", "version": "1.0.0",
        "transport": { "type": "stdio" }, "environmentVariables": [{ "name": "MAIL_KEY", "isSecret": true }] }]);
    let remote = json!([{ "type": "streamable-http", "url": "https://mcp.example.com/mcp",
        "headers": [{ "name": "Authorization", "isRequired": true, "isSecret": true }] }]);
    vec![
        Listed::new("io.github.ann/mail", "1.0.0", "2026-01-02T10:00:00Z")
            .with("packages", package)
            .with("repository", json!({ "url": "https://github.com/ann/mail", "source": "github" })),
        Listed::new("io.github.ann/mail", "0.9.0", "2026-01-01T10:00:00Z").older(),
        Listed::new("com.example/files", "2.0.0", "2026-01-01T10:00:00Z").with("remotes", remote),
        Listed::new("com.example/old", "1.0.0", "2026-01-01T10:00:00Z").status("deprecated"),
    ]
}

#[test]
fn a_registry_is_read_and_then_what_changed() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    registry.page(2);
    let first = counts(&sync(&place, &registry, &[])?)?;
    ensure!(first["new"] == 3 && first["broken"] == 0, "{first}");
    let asked = registry.asked();
    ensure!(asked.len() == 2 && asked.iter().all(|path| !path.contains("updated_since")), "{asked:?}");
    ensure!(registry.connections() == 1, "one connection serves all pages");
    let mail = place.json(&["show", "io.github.ann/mail"])?;
    ensure!(mail["version"] == "1.0.0" && mail["auth"] == "env" && mail["package"] == "@ann/mail", "{mail}");
    ensure!(mail["registry_status"] == "active" && mail["visibility"] == "public", "{mail}");
    let files = place.json(&["show", "com.example/files"])?;
    ensure!(files["auth"] == "header" && files["transport"] == "streamable-http", "{files}");
    let old = place.say(&["show", "com.example/old"])?.out;
    ensure!(old.contains("deprecated on 2026-01-01T10:00:00Z, its registry says"), "{old}");
    ensure!(place.json(&["search", "mail"])?["total"] == 1, "what was read is found");

    // The next run asks for what changed since the newest change, and a little before it.
    let newer = Listed::new("io.github.ann/mail", "1.1.0", "2026-01-05T00:00:00Z").with("description", json!("Post"));
    registry.set(entries().into_iter().skip(1).chain([newer]).collect());
    let second = counts(&sync(&place, &registry, &[])?)?;
    ensure!(second["changed"] == 1 && second["new"] == 0, "{second}");
    let last = registry.asked().pop().unwrap_or_default();
    ensure!(last.contains("updated_since=2026-01-02T09%3A55%3A00Z"), "{last}");
    let mail = place.json(&["show", "io.github.ann/mail"])?;
    ensure!(mail["version"] == "1.1.0" && mail["description"] == "Post", "what the registry said is replaced: {mail}");
    ensure!(mail["package"].is_null(), "and what it says no more is gone: {mail}");

    let full = counts(&sync(&place, &registry, &["--full"])?)?;
    ensure!(full["same"] == 3, "{full}");
    let last = registry.asked().pop().unwrap_or_default();
    ensure!(!last.contains("updated_since"), "{last}");
    Ok(())
}

#[test]
fn what_others_said_stays_and_names_are_not_taken_over() -> anyhow::Result<()> {
    let place = Place::filled()?;
    // Whoever names a repository that is not theirs gets a server of their own.
    let taken = json!({ "url": "https://github.com/one/leads-mcp", "source": "github" });
    let registry = Registry::start(vec![
        Listed::new("com.evil/leads", "6.6.6", "2026-01-01T00:00:00Z").with("repository", taken.clone()),
        Listed::new("io.github.one/leads", "3.0.0", "2026-01-01T00:00:00Z").with("repository", taken),
    ])?;
    let read = counts(&sync(&place, &registry, &[])?)?;
    ensure!(read["new"] == 1 && read["changed"] == 1, "{read}");
    let leads = place.json(&["show", "leads"])?;
    ensure!(leads["version"] == "3.0.0" && leads["licence"] == "MIT" && leads["package"] == "leads-mcp", "{leads}");
    ensure!(leads["name"] == "Leads" && leads["description"] == "The server io.github.one/leads", "{leads}");
    ensure!(leads["visibility"] == "private", "nobody's private list of tools becomes public: {leads}");
    ensure!(leads["tools"].as_array().map(Vec::len) == Some(3), "{leads}");
    let evil = place.json(&["show", "com.evil/leads"])?;
    ensure!(evil["publisher"] == "com.evil" && evil["tools"] == json!([]), "{evil}");
    Ok(())
}

#[test]
fn a_run_that_was_killed_goes_on_with_the_page_it_stood_at() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    registry.page(1);
    // The second page does not come before the process is killed.
    registry.instead([None, status(503, &[("retry-after", "50")])]);
    let url = registry.url();
    let mut command = place.command(&["sync", "--registry", &url]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    registry.wait_for(2)?;
    child.kill()?;
    child.wait()?;
    let said = sync(&place, &registry, &[])?;
    ensure!(said.err.contains("a run did not end; it goes on behind 1 entry"), "{said:?}");
    ensure!(counts(&said)?["new"] == 3, "counted over both parts: {said:?}");
    let asked = registry.asked();
    ensure!(asked.get(2).is_some_and(|path| path.contains("cursor=com.example%2Ffiles%3A2.0.0")), "{asked:?}");
    ensure!(place.json(&["search", "files"])?["total"] == 1);
    Ok(())
}

#[test]
fn a_cursor_that_the_registry_has_forgotten_begins_anew() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    registry.page(1);
    registry.instead([None, Some(Instead::Body("<html>".to_owned())), status(400, &[])]);
    ensure!(sync(&place, &registry, &[])?.code == Some(2));
    ensure!(counts(&sync(&place, &registry, &[])?)?["same"] == 1, "the first page was read twice");
    ensure!(place.json(&["search", "--kind", "server"])?["total"] == 3);
    Ok(())
}

#[test]
fn a_server_is_withdrawn_and_comes_back() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    counts(&sync(&place, &registry, &[])?)?;
    let gone = |status: &'static str, time: &str| {
        let mut all = entries();
        all.truncate(1);
        all.into_iter().map(|entry| Listed { status, updated: time.to_owned(), ..entry }).collect::<Vec<_>>()
    };
    registry.set(gone("deleted", "2026-02-01T00:00:00Z"));
    ensure!(counts(&sync(&place, &registry, &[])?)?["withdrawn"] == 1);
    let text = place.say(&["show", "io.github.ann/mail"])?.out;
    ensure!(text.contains("withdrawn on 2026-02-01T00:00:00Z, its registry says"), "{text}");
    ensure!(place.json(&["search", "mail"])?["total"] == 0, "what was withdrawn is not found");
    registry.set(gone("active", "2026-03-01T00:00:00Z"));
    ensure!(counts(&sync(&place, &registry, &[])?)?["returned"] == 1);
    let mail = place.json(&["show", "io.github.ann/mail"])?;
    ensure!(mail["tombstoned"] == false && mail["registry_status"] == "active", "{mail}");
    ensure!(place.json(&["search", "mail"])?["total"] == 1);
    Ok(())
}

#[test]
fn a_registry_that_stumbles_is_asked_again() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    registry.instead([
        status(429, &[("retry-after", "1")]),
        status(502, &[]),
        Some(Instead::Cut),
        status(302, &[("location", "/v0.1/servers?limit=100&version=latest")]),
    ]);
    ensure!(counts(&sync(&place, &registry, &[])?)?["new"] == 3);
    ensure!(registry.asked().len() == 5, "{:?}", registry.asked());
    Ok(())
}

#[test]
fn what_is_no_registry_is_said_in_a_sentence() -> anyhow::Result<()> {
    let place = Place::new()?;
    let registry = Registry::start(entries())?;
    let table = [
        (status(404, &[]), "it answers with status 404"),
        (status(302, &[("location", "https://elsewhere.example/v0.1/servers")]), "redirects to another host"),
        (status(429, &[("retry-after", "7200")]), "asks to wait for 7200 seconds"),
        (Some(Instead::Body("<html>hello".to_owned())), "no page of a registry"),
        (Some(Instead::Body("{\"error\":\"no\"}".to_owned())), "no page of a registry"),
    ];
    for (instead, says) in table {
        registry.instead([instead]);
        let said = sync(&place, &registry, &[])?;
        ensure!(said.code == Some(2) && said.err.contains(says), "{says}: {said:?}");
        ensure!(said.err.contains("; nothing was read") && !said.err.contains("kept"), "{said:?}");
    }
    // An entry that is broken costs no other.
    let odd = json!({ "servers": [7, { "server": { "name": "x" } }, { "server": { "name": "a.b/c\u{202e}" } },
        { "server": { "name": "com.example/good" } }] });
    registry.instead([Some(Instead::Body(odd.to_string()))]);
    let said = sync(&place, &registry, &[])?;
    let read = counts(&said)?;
    ensure!(read["new"] == 1 && read["broken"] == 3 && said.err.contains("an entry was skipped"), "{said:?}");

    let said = place.say(&["sync", "--registry", "http://127.0.0.1:1"])?;
    ensure!(said.code == Some(2) && said.err.contains("the server cannot be reached"), "{said:?}");
    let said = place.say(&["sync", "--registry", "http://registry.example.com"])?;
    ensure!(said.code == Some(2) && said.err.contains("is asked over https"), "{said:?}");
    Ok(())
}
