//! `toolgate catalogue crawl`: what registries say of packages, and whether a package is its server's.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::registry::{Instead, Registry};

use super::{Place, Said};

fn npm(name: &str, repository: &str) -> Value {
    json!({
        "name": name, "dist-tags": { "latest": "1.1.0" }, "description": "Leads for agents",
        "time": { "created": "2025-01-01T00:00:00Z", "1.0.0": "2025-01-02T00:00:00Z", "1.1.0": "2026-01-02T00:00:00Z" },
        "versions": { "1.0.0": {}, "1.1.0": { "license": "MIT", "_npmUser": { "name": "bob" }, "deprecated": "use another",
            "repository": { "type": "git", "url": repository } } },
    })
}

fn crawl(place: &Place, registry: &Registry, answers: &[Value], words: &[&str]) -> anyhow::Result<Said> {
    registry.instead(answers.iter().map(|answer| Some(Instead::Body(answer.to_string()))));
    let url = registry.url();
    let words: Vec<&str> =
        ["crawl", "--json", "--npm", &url, "--pypi", &url].into_iter().chain(words.iter().copied()).collect();
    place.say(&words)
}

#[test]
fn a_package_is_described_by_its_registry() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let registry = Registry::start(Vec::new())?;
    let pypi = json!({ "info": { "name": "Files_MCP", "version": "2.0", "yanked": false,
            "project_urls": { "Source": "https://github.com/acme/files-mcp" } },
        "releases": { "2.0": [{ "upload_time_iso_8601": "2026-02-03T00:00:00Z" }] } });
    let answers = [npm("leads-mcp", "git+https://github.com/one/leads-mcp.git"), pypi];
    let said = crawl(&place, &registry, &answers, &["npm:leads-mcp", "pypi:files-mcp"])?;
    ensure!(said.code == Some(0), "{said:?}");
    ensure!(registry.asked() == ["/leads-mcp", "/pypi/files-mcp/json"], "{:?}", registry.asked());
    let leads = place.json(&["show", "leads"])?;
    let package = &leads["package_says"];
    ensure!(package["versions"] == 2 && package["first_published"] == "2025-01-02T00:00:00Z", "{leads}");
    ensure!(package["published_by"] == "bob" && package["deprecated"] == "use another", "{leads}");
    ensure!(leads["impostor"].is_null() && leads["repository"] == "https://github.com/One/Leads-MCP.git", "{leads}");
    let files = place.json(&["show", "files"])?;
    ensure!(files["repository"] == "https://github.com/acme/files-mcp" && files["visibility"] == "private", "{files}");
    let text = place.say(&["show", "leads"])?.out;
    ensure!(text.contains("2 versions, newest 1.1.0"), "{text}");

    // What a registry says later takes the place of what it said.
    let later = json!({ "name": "leads-mcp", "dist-tags": { "latest": "1.2.0" }, "versions": { "1.2.0": {} } });
    ensure!(crawl(&place, &registry, &[later], &["npm:leads-mcp"])?.code == Some(0));
    let package = &place.json(&["show", "leads"])?["package_says"];
    ensure!(package["version"] == "1.2.0" && package["deprecated"].is_null(), "{package}");
    Ok(())
}

#[test]
fn a_package_of_another_source_is_flagged() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let registry = Registry::start(Vec::new())?;
    let answer = npm("leads-mcp", "https://github.com/two/leads-mcp");
    let said = crawl(&place, &registry, std::slice::from_ref(&answer), &["npm:leads-mcp"])?;
    ensure!(said.code == Some(0) && said.out.contains("its source is two/leads-mcp, not one/leads-mcp"), "{said:?}");
    let leads = place.json(&["show", "leads"])?;
    ensure!(leads["impostor"]["of"] == "copy", "{leads}");
    ensure!(place.say(&["check", "leads/list_leads"])?.out.contains("leads: careful: its package says"));
    // A new package takes nothing of the server whose source it names.
    let claims = npm("evil-leads", "https://github.com/one/leads-mcp");
    ensure!(crawl(&place, &registry, &[claims], &["npm:evil-leads"])?.code == Some(0));
    let evil = place.json(&["show", "npm:evil-leads"]).or_else(|_| place.json(&["show", "evil-leads"]))?;
    ensure!(evil["slug"] == "evil-leads" && evil["tools"] == json!([]), "{evil}");
    // A person has the last word.
    ensure!(place.say(&["override", "leads", "not-impostor", "--reason", "it moved"])?.code == Some(0));
    ensure!(place.json(&["show", "leads"])?["impostor"].is_null());
    Ok(())
}

#[test]
fn what_cannot_be_asked_is_said() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let registry = Registry::start(Vec::new())?;
    // The double knows no packages: 404.
    let said = crawl(&place, &registry, &[], &["npm:nothing"])?;
    ensure!(said.code == Some(2) && said.err.contains("there is no such package"), "{said:?}");
    let said = crawl(&place, &registry, &[npm("other", "")], &["npm:leads-mcp"])?;
    ensure!(said.code == Some(2) && said.err.contains("about another"), "{said:?}");
    let said = crawl(&place, &registry, &[json!([])], &["npm:leads-mcp"])?;
    ensure!(said.code == Some(2) && said.err.contains("no description of that package"), "{said:?}");
    for wrong in ["leads-mcp", "oci:acme/files", "npm:../../etc", "pypi:a?b"] {
        let said = crawl(&place, &registry, &[], &[wrong])?;
        ensure!(said.code == Some(2) && said.err.contains("package"), "{wrong}: {said:?}");
    }
    let plain = place.say(&["crawl", "--npm", "http://registry.example.com", "npm:leads-mcp"])?;
    ensure!(plain.code == Some(2) && plain.err.contains("https"), "{plain:?}");
    Ok(())
}
