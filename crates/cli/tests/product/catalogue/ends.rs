//! Imports and other changes that end early, or find somebody else at work: what stays, what is said, and what searches find.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::Importing;

use super::Place;
use crate::setup::EXE;

fn line(number: usize) -> String {
    json!({ "server": format!("owner/server-{}", number % 300), "name": format!("tool_{number}"),
            "description": "Reads something from somewhere" })
    .to_string()
}

fn doctor(place: &Place) -> anyhow::Result<(bool, String)> {
    let data = place.folder.path().join("data");
    let output = Command::new(EXE).args(["doctor", "--json", "--data"]).arg(data).output()?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let mut checks = report.get("checks").and_then(Value::as_array).into_iter().flatten();
    let of = |check: &Value, member: &str| check.get(member).cloned().unwrap_or_default();
    let check = checks.find(|check| of(check, "check") == "catalogue").cloned().unwrap_or_default();
    Ok((of(&check, "ok") == true, of(&check, "text").as_str().unwrap_or_default().to_owned()))
}

#[test]
fn an_index_that_is_behind_is_said_to_be_and_made_anew() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let (sound, text) = doctor(&place)?;
    ensure!(sound && text.contains("found by searches"), "{text}");
    ensure!(place.json(&["search", "lead"])?["behind"] == false);
    let file = place.file("many.jsonl", &(0..40_000).map(line).collect::<Vec<_>>())?.display().to_string();
    let mut child = place.command(&["import", "--tools", &file]).stderr(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let log = place.folder.path().join("data/toolgate.db-wal");
    let begun = Instant::now();
    while std::fs::metadata(&log).map_or(0, |log| log.len()) < 8_000_000 {
        ensure!(begun.elapsed() < Duration::from_secs(60), "nothing was imported");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    // The old index answers, and says that it is old.
    let said = place.say(&["search", "update_lead", "--json"])?;
    ensure!(said.code == Some(0) && said.err.contains("`toolgate catalogue index` makes it anew"), "{said:?}");
    let found: Value = serde_json::from_str(&said.out)?;
    ensure!(found["behind"] == true && found["total"] == 2, "{found}");
    ensure!(place.json(&["search", "tool_1"])?["total"] == 0);
    let (sound, text) = doctor(&place)?;
    ensure!(!sound && text.contains("toolgate catalogue index"), "{text}");

    let said = place.say(&["index"])?;
    ensure!(said.code == Some(0) && said.out.contains("The search index is made anew"), "{said:?}");
    let said = place.say(&["search", "tool_1", "--json"])?;
    let found: Value = serde_json::from_str(&said.out)?;
    ensure!(said.err.is_empty() && found["found"][0]["name"] == "tool_1", "{said:?}");
    ensure!(doctor(&place)?.0);
    Ok(())
}

#[test]
fn what_a_file_gave_until_it_broke_off_is_found() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..9_000 {
        writeln!(gzip, "{}", line(number))?;
    }
    let mut bytes = gzip.finish()?;
    bytes.truncate(bytes.len() * 3 / 4);
    let path = place.folder.path().join("cut.jsonl.gz");
    std::fs::write(&path, bytes)?;
    let said = place.say(&["import", "--tools", &path.display().to_string()])?;
    ensure!(said.code == Some(2) && said.err.contains("cut.jsonl.gz: "), "{said:?}");
    ensure!(said.err.contains(" lines are imported; once it is whole, import it again"), "{said:?}");
    ensure!(place.json(&["search", "tool_1"])?["found"][0]["name"] == "tool_1");
    ensure!(place.json(&["search", "tool_8999"])?["total"] == 0);

    // Where nothing was imported, nothing is said to be kept, and the index is not made anew for it.
    let index = || std::fs::read_to_string(place.folder.path().join("data/search/current"));
    let before = index()?;
    let folder = place.folder.path().display().to_string();
    for (file, says) in [("/no/such/file", "/no/such/file: "), (folder.as_str(), "no regular file; `-` reads")] {
        let said = place.say(&["import", "--tools", file])?;
        ensure!(said.code == Some(2) && said.err.contains(says), "{said:?}");
        ensure!(!said.err.contains("kept") && !said.err.contains("are imported"), "{said:?}");
    }
    std::fs::write(&path, [0x1f, 0x8b, 8, 0])?;
    let said = place.say(&["import", "--tools", &path.display().to_string()])?;
    ensure!(said.code == Some(2) && said.err.contains("nothing of it was imported"), "{said:?}");
    ensure!(index()? == before && place.json(&["search", "lead"])?["behind"] == false);
    Ok(())
}

#[test]
fn who_writes_is_named_to_who_must_wait() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let data = DataDir::open(&place.folder.path().join("data"))?;
    let held = Importing::take(&data)?;
    let own =
        format!("another process ({}) is writing into this catalogue; wait until it has ended", std::process::id());
    let servers = place.folder.path().join("servers.jsonl").display().to_string();
    let commands: [&[&str]; 6] = [
        &["import", "--servers", &servers],
        &["override", "leads", "verified", "--reason", "asked"],
        &["override", "leads", "not-impostor", "--reason", "asked"],
        &["sync", "--registry", "http://127.0.0.1:1"],
        &["crawl", "--npm", "http://127.0.0.1:1", "npm:leads-mcp"],
        &["index"],
    ];
    for words in commands {
        let said = place.say(words)?;
        ensure!(said.code == Some(2) && said.err.contains(&own), "{words:?}: {said:?}");
    }
    ensure!(place.json(&["overrides"])?["overrides"] == json!([]), "nothing was written beside it");
    ensure!(place.json(&["search", "lead"])?["behind"] == false, "who was refused says nothing of the index");
    search::mark_stale(&data.search())?;
    let (sound, text) = doctor(&place)?;
    ensure!(sound && text.contains(&format!("another process ({})", std::process::id())), "{text}");
    drop(held);
    // A change of one server makes all of the index where it was behind.
    ensure!(place.say(&["override", "leads", "verified", "--reason", "asked"])?.code == Some(0));
    ensure!(doctor(&place)?.0);
    Ok(())
}

#[test]
fn a_registry_that_cannot_be_reached_changes_nothing() -> anyhow::Result<()> {
    let place = Place::filled()?;
    for words in [
        vec!["sync", "--registry", "http://registry.example.com"],
        vec!["crawl", "--npm", "http://registry.example.com", "npm:leads-mcp"],
    ] {
        let said = place.say(&words)?;
        ensure!(said.code == Some(2) && !said.err.contains("kept"), "{said:?}");
        ensure!(place.json(&["search", "lead"])?["behind"] == false, "{words:?}");
    }
    // A snapshot that cannot be written names its place, and no file in between.
    let path = |name: &str| place.folder.path().join(name).display().to_string();
    ensure!(place.bare(&["key", &path("key")])?.code == Some(0));
    let said = place.say(&["export", "--key", &path("key"), &path("none/out")])?;
    ensure!(said.code == Some(2) && said.err.contains("/none: there is no such folder"), "{said:?}");
    let folder = place.folder.path().join("shut");
    std::fs::create_dir(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500))?;
    let said = place.say(&["export", "--key", &path("key"), &path("shut/out")])?;
    // Who may write anywhere is not kept out.
    ensure!(said.code == Some(0) || said.err.ends_with("/shut: permission denied\n"), "{said:?}");
    Ok(())
}
