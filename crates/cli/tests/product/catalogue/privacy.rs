//! What is private and what everybody sees do not meet in one entry.

use anyhow::ensure;
use serde_json::json;

use super::Place;
use crate::pages::Pages;

const REPOSITORY: &str = "https://github.com/owner/leads";

/// What the public pages say of anything, wherever it is said.
fn everything(pages: &Pages) -> anyhow::Result<String> {
    let paths =
        ["/s/owner/leads/", "/s/owner/leads/index.json", "/s/owner/leads/llms.txt", "/servers/", "/changes/", "/"];
    let searches = ["/search/index.json?q=zz", "/search/index.json?q=leads", "/api/v1/catalogue/search?q=zz"];
    let policy = ["/policy/leads/balanced.json"];
    paths.iter().chain(&searches).chain(&policy).map(|path| pages.get(path)).collect()
}

fn tool(name: &str, description: &str) -> String {
    json!({ "server": "leads", "server_repo": REPOSITORY, "name": name, "description": description }).to_string()
}

#[test]
fn what_is_private_becomes_no_part_of_a_public_server() -> anyhow::Result<()> {
    let place = Place::new()?;
    let open = json!({ "name": "leads", "repository": REPOSITORY }).to_string();
    let servers = place.file("open.jsonl", &[open])?.display().to_string();
    let tools = place.file("open-tools.jsonl", &[tool("delete_lead", "Deletes a lead")])?.display().to_string();
    ensure!(place.say(&["import", "--public", "--servers", &servers, "--tools", &tools])?.code == Some(0));
    let own = json!({ "name": "leads", "repository": REPOSITORY, "url": "https://zzinternal.example/mcp" }).to_string();
    let own = place.file("own.jsonl", &[own])?.display().to_string();
    let lines = [tool("zzsecret_tool", "Reads a secret"), tool("delete_lead", "Deletes a zzother lead")];
    let own_tools = place.file("own-tools.jsonl", &lines)?.display().to_string();
    for _ in 0..2 {
        ensure!(place.say(&["import", "--servers", &own, "--tools", &own_tools])?.code == Some(0));
    }
    // Who is at the machine sees both; a second import of the same made no third.
    ensure!(place.json(&["search", "zzsecret_tool"])?["total"] == 1);
    ensure!(place.json(&["search", "leads", "--kind", "server"])?["total"] == 2);
    let data = place.folder.path().join("data");
    let pages = Pages::start_with(&data, &["--public", "--base-url", "https://tools.example"])?;
    let said = everything(&pages)?;
    ensure!(said.contains("delete_lead") && !said.contains("zzinternal") && !said.contains("zzsecret"), "{said}");
    ensure!(!said.contains("zzother"), "{said}");
    Ok(())
}

#[test]
fn a_public_line_publishes_nothing_that_was_private() -> anyhow::Result<()> {
    let place = Place::new()?;
    let own = json!({ "name": "leads", "repository": REPOSITORY, "url": "https://zzinternal.example/mcp" }).to_string();
    let own = place.file("own.jsonl", &[own])?.display().to_string();
    let tools = place.file("own-tools.jsonl", &[tool("zzsecret_tool", "Reads a secret")])?.display().to_string();
    ensure!(place.say(&["import", "--servers", &own, "--tools", &tools])?.code == Some(0));
    let open = json!({ "name": "leads", "repository": REPOSITORY }).to_string();
    let open = place.file("open.jsonl", &[open])?.display().to_string();
    let said = place.say(&["import", "--public", "--servers", &open])?;
    ensure!(said.code == Some(0) && said.out.contains("visibility public"), "{said:?}");
    let shown = place.say(&["show", "leads"])?;
    ensure!(shown.out.contains("private"), "{shown:?}");
    Ok(())
}

#[test]
fn private_copies_of_a_public_server_are_on_no_public_page() -> anyhow::Result<()> {
    let place = Place::new()?;
    let names = ["list_leads", "delete_lead", "update_lead"];
    let open: Vec<String> = names.iter().map(|name| tool(name, "Does something with a lead")).collect();
    let open = place.file("open.jsonl", &open)?.display().to_string();
    let copy = |name: &&str| {
        json!({ "server": "zzinhouse/zzleads", "server_repo": "https://github.com/zzinhouse/zzleads", "name": name,
            "description": "Does something with a lead" })
        .to_string()
    };
    let own = place.file("own.jsonl", &names.iter().map(copy).collect::<Vec<_>>())?.display().to_string();
    ensure!(place.say(&["import", "--public", "--tools", &open])?.code == Some(0));
    ensure!(place.say(&["import", "--tools", &own])?.code == Some(0));
    // Who is at the machine sees both; that one has the tools of the other is not said of what everybody sees.
    ensure!(place.json(&["search", "delete_lead"])?["total"] == 2);
    let leads = place.json(&["show", "leads"])?;
    ensure!(leads["same_tools"].as_array().map(Vec::len) == Some(0), "{leads}");
    let slug = leads["slug"].as_str().unwrap_or_default();
    let publisher = leads["publisher"].as_str().unwrap_or("-");
    let pages =
        Pages::start_with(&place.folder.path().join("data"), &["--public", "--base-url", "https://tools.example"])?;
    let root = format!("/s/{publisher}/{slug}/");
    let paths =
        ["", "index.md", "index.json", "llms.txt", "list_leads/", "list_leads/index.md", "list_leads/index.json"];
    let of_server = paths.iter().map(|path| format!("{root}{path}"));
    let others = [
        "/",
        "/servers/",
        "/servers/index.json",
        "/changes/",
        "/changes/feed.atom",
        "/class/read/",
        "/class/destructive/",
        "/search/?q=leads",
        "/search/index.json?q=lead",
        "/search/index.json?q=zzleads",
        "/sitemap.xml",
        "/llms.txt",
        "/api/v1/catalogue/servers",
        "/api/v1/catalogue/changes?since=7d",
        "/api/v1/catalogue/search?q=zzinhouse",
    ];
    let stack =
        [format!("/stack/?s={slug}"), format!("/api/v1/catalogue/servers/{slug}"), format!("/badge/{slug}.svg")];
    for path in of_server.chain(others.map(str::to_owned)).chain(stack) {
        let page = pages.get(&path)?.replace("?q=zzleads", "").replace("?q=zzinhouse", "");
        let quoted = path.contains("q=zz");
        ensure!(quoted || !page.contains("zz"), "{path}: {page}");
        ensure!(!page.contains("zzinhouse/zzleads") && !page.contains("2 copies"), "{path}: {page}");
    }
    Ok(())
}

#[test]
fn what_could_be_a_secret_in_an_address_is_not_kept() -> anyhow::Result<()> {
    let place = Place::new()?;
    let line = json!({ "name": "leads", "repository": "https://ann:zzpass@github.com/owner/leads",
        "url": "https://ann:zzpass@leads.example/mcp?token=zztoken#zzpart" });
    let file = place.file("one.jsonl", &[line.to_string()])?.display().to_string();
    ensure!(place.say(&["import", "--servers", &file])?.code == Some(0));
    let shown = place.say(&["show", "leads", "--json"])?;
    ensure!(shown.out.contains("https://leads.example/mcp") && !shown.out.contains("zz"), "{shown:?}");
    Ok(())
}

#[test]
fn what_cannot_be_read_is_no_success() -> anyhow::Result<()> {
    let place = Place::new()?;
    let file = place.file("prose.txt", &["hello".to_owned(), "world".to_owned()])?.display().to_string();
    let said = place.say(&["import", "--servers", &file])?;
    ensure!(said.code == Some(2) && said.err.contains("--tools"), "{said:?}");
    let begun = place.say(&["search", "merge", "pull", "request"])?;
    ensure!(begun.err.contains("the catalogue begins with"), "what was tried in vain put nothing in: {begun:?}");
    let pipe = place.say(&["import", "--servers", "/dev/stdin"])?;
    ensure!(pipe.code == Some(2) && pipe.err.contains("no regular file"), "{pipe:?}");
    Ok(())
}
