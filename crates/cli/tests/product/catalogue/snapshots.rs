//! `toolgate catalogue export` and the import of what was exported: whole, signed, and twice the same.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::registry::{Instead, Registry};

use super::{Place, Said, servers, tools};

impl Place {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A public catalogue with a private server and with history, its key, and a snapshot of it.
    fn exported() -> anyhow::Result<Self> {
        let place = Self::new()?;
        place.file("servers.jsonl", &servers())?;
        place.file("tools.jsonl", &tools())?;
        let before = json!({ "server": "one/leads-mcp", "name": "update_lead", "description": "Show a lead",
            "input_schema": { "type": "object" } });
        place.file("before.jsonl", &[before.to_string()])?;
        place.file("private.jsonl", &[json!({ "server": "in/house", "name": "delete_all" }).to_string()])?;
        let (servers, tools) = (place.path("servers.jsonl"), place.path("tools.jsonl"));
        for words in [
            vec!["import", "--public", "--tools", &place.path("before.jsonl")],
            vec!["import", "--public", "--servers", &servers, "--tools", &tools],
            vec!["import", "--tools", &place.path("private.jsonl")],
            vec!["override", "leads/list_leads", "class", "write", "--reason", "it marks them as seen"],
            vec!["override", "leads", "verified", "--reason", "asked them"],
            vec!["override", "two/leads-mcp/list_leads", "hidden", "--reason", "noise"],
        ] {
            let said = place.say(&words)?;
            ensure!(said.code == Some(0), "{words:?}: {said:?}");
        }
        let key = place.bare(&["key", &place.path("key")])?;
        ensure!(key.code == Some(0), "{key:?}");
        let said = place.say(&["export", "--key", &place.path("key"), &place.path("out")])?;
        ensure!(said.code == Some(0) && said.out.contains("sha256:"), "{said:?}");
        Ok(place)
    }

    fn take(&self, file: &Path, trust: &str) -> anyhow::Result<Said> {
        self.say(&["import", "--json", "--snapshot", &file.display().to_string(), "--trust", trust])
    }
}

#[test]
fn a_snapshot_makes_the_same_catalogue_elsewhere_and_twice_the_same() -> anyhow::Result<()> {
    let (from, to) = (Place::exported()?, Place::new()?);
    let (file, trust) = (from.folder.path().join("out"), from.path("key.pub"));
    let said = to.take(&file, &trust)?;
    ensure!(said.code == Some(0), "{said:?}");
    let first: Value = serde_json::from_str(&said.out)?;
    ensure!(first["files"][0]["counts"]["tools_new"] == 7, "all but the private and the hidden one: {first}");
    let leads = to.json(&["show", "leads"])?;
    ensure!(leads["visibility"] == "public" && leads["verified"] == true && leads["licence"] == "MIT", "{leads}");
    ensure!(leads["first_seen"] == from.json(&["show", "leads"])?["first_seen"], "{leads}");
    let listed = to.json(&["show", "leads/list_leads"])?;
    ensure!(listed["category"] == "Write" && listed["program_says"]["category"] == "Read", "{listed}");
    let who = listed["said_by"]["who"].as_str().unwrap_or_default();
    ensure!(who.starts_with("snapshot sha256:"), "no name of a person goes along: {listed}");
    let history =
        |place: &Place| -> anyhow::Result<Value> { Ok(place.json(&["show", "leads/update_lead"])?["history"].clone()) };
    ensure!(history(&to)? == history(&from)? && history(&to)?.as_array().map(Vec::len) == Some(1), "{}", history(&to)?);
    ensure!(to.say(&["show", "in/house"])?.code == Some(2), "what is private stays where it is");
    ensure!(to.json(&["search", "excluir"])?["total"] == 1);

    // A person here has the last word, and a second time changes nothing.
    let said = to.say(&["override", "leads/list_leads", "class", "destructive", "--reason", "I know better"])?;
    ensure!(said.code == Some(0), "{said:?}");
    let again: Value = serde_json::from_str(&to.take(&file, &trust)?.out)?;
    for count in ["servers_new", "servers_filled", "tools_new", "tools_changed", "tools_rejudged", "facts_new"] {
        ensure!(again["files"][0]["counts"][count] == 0, "{count} {again}");
    }
    ensure!(to.json(&["show", "leads/list_leads"])?["category"] == "Destructive");
    Ok(())
}

#[test]
fn what_a_registry_said_of_a_package_goes_along() -> anyhow::Result<()> {
    let (from, to) = (Place::exported()?, Place::new()?);
    let registry = Registry::start(Vec::new())?;
    let crawl = |place: &Place, version: &str| -> anyhow::Result<()> {
        let document = json!({ "name": "leads-mcp", "dist-tags": { "latest": version }, "versions": { version: {
            "_npmUser": { "name": "bob" }, "deprecated": "use another" } }, "time": { version: "2026-01-02T00:00:00Z" } });
        registry.instead([Some(Instead::Body(document.to_string()))]);
        let said = place.say(&["crawl", "--npm", &registry.url(), "npm:leads-mcp"])?;
        ensure!(said.code == Some(0), "{said:?}");
        Ok(())
    };
    let says = |place: &Place| -> anyhow::Result<Value> { Ok(place.json(&["show", "leads"])?["package_says"].clone()) };
    // A snapshot from before anything was asked, as older programs make them, is taken as it is.
    let (old, new, trust) = (from.folder.path().join("out"), from.path("new"), from.path("key.pub"));
    ensure!(to.take(&old, &trust)?.code == Some(0) && says(&to)?.is_null());
    crawl(&from, "1.0.0")?;
    ensure!(from.say(&["export", "--key", &from.path("key"), &new])?.code == Some(0));
    let said: Value = serde_json::from_str(&to.take(Path::new(&new), &trust)?.out)?;
    ensure!(said["files"][0]["counts"]["facts_new"] == 1, "{said}");
    ensure!(says(&to)? == says(&from)? && says(&to)?["published_by"] == "bob", "{}", says(&to)?);
    // What was asked later here holds against it.
    crawl(&to, "2.0.0")?;
    let said: Value = serde_json::from_str(&to.take(Path::new(&new), &trust)?.out)?;
    ensure!(said["files"][0]["counts"]["facts_new"] == 0 && says(&to)?["version"] == "2.0.0", "{said}");
    Ok(())
}

#[test]
fn what_is_not_trusted_changes_nothing() -> anyhow::Result<()> {
    let (from, to) = (Place::exported()?, Place::new()?);
    let bytes = std::fs::read(from.folder.path().join("out"))?;
    let trust = from.path("key.pub");
    let other = to.bare(&["key", &to.path("other")])?;
    ensure!(other.code == Some(0), "{other:?}");
    let mut changed = bytes.clone();
    if let Some(byte) = changed.last_mut() {
        *byte ^= 1;
    }
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 10);
    let newer = "{\"format\":\"toolgate-catalogue\",\"version\":2}\n\n".as_bytes().to_vec();
    let table: [(&str, Vec<u8>, String, &str); 6] = [
        ("another key", bytes.clone(), to.path("other.pub"), "its signature is not by the key sha256:"),
        ("a changed byte", changed, trust.clone(), "changed or cut off"),
        ("cut off", cut, trust.clone(), "changed or cut off"),
        ("newer", newer, trust.clone(), "a newer version of Toolgate has written it (format 2"),
        ("something else", b"PK\x03\x04".to_vec(), trust.clone(), "no snapshot of a catalogue"),
        ("no key", bytes, from.path("out"), "out: "),
    ];
    for (what, bytes, trust, says) in table {
        let file = to.folder.path().join("snapshot");
        std::fs::write(&file, bytes)?;
        let said = to.take(&file, &trust)?;
        ensure!(said.code == Some(2) && said.err.contains(says), "{what}: {said:?}");
        ensure!(!to.folder.path().join("data").exists(), "{what}: something was written");
    }
    let said = to.say(&["import", "--snapshot", &to.path("snapshot")])?;
    ensure!(said.code == Some(2) && said.err.contains("--trust"), "{said:?}");
    Ok(())
}

#[test]
fn a_key_is_its_owners_alone_and_is_never_written_over() -> anyhow::Result<()> {
    let place = Place::new()?;
    let said = place.bare(&["key", &place.path("key")])?;
    ensure!(said.code == Some(0) && said.out.contains("sha256:"), "{said:?}");
    ensure!(std::fs::metadata(place.path("key"))?.permissions().mode() & 0o777 == 0o600);
    let before = std::fs::read(place.path("key"))?;
    for name in ["key", "other"] {
        std::fs::write(place.path("other.pub"), "mine")?;
        let said = place.bare(&["key", &place.path(name)])?;
        ensure!(said.code == Some(2), "{name}: {said:?}");
    }
    ensure!(std::fs::read(place.path("key"))? == before && !Path::new(&place.path("other")).exists());
    Ok(())
}
