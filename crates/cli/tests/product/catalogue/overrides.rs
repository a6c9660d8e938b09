//! `toolgate catalogue override`: what a person says holds, wherever the judgement is read.

use anyhow::ensure;
use serde_json::Value;

use super::Place;

const WHY: [&str; 2] = ["--reason", "read the source"];

fn said(place: &Place, words: &[&str]) -> anyhow::Result<String> {
    let words: Vec<&str> = ["override"].iter().chain(words).chain(&WHY).copied().collect();
    let said = place.say(&words)?;
    ensure!(said.code == Some(0), "{words:?}: {said:?}");
    Ok(said.out)
}

#[test]
fn a_class_that_a_person_gives_holds_everywhere_and_stays() -> anyhow::Result<()> {
    let place = Place::filled()?;
    ensure!(place.say(&["check", "leads/delete_lead"])?.code == Some(1));
    let out = said(&place, &["leads/delete_lead", "class", "Read"])?;
    ensure!(out.contains("leads/delete_lead: class is read from now on"), "{out}");
    ensure!(place.say(&["check", "leads/delete_lead"])?.code == Some(0), "a check takes the person's word");
    let tool = place.json(&["show", "leads/delete_lead"])?;
    ensure!(tool["category"] == "Read" && tool["severity_fine"] == "low", "{tool}");
    ensure!(tool["program_says"]["category"] == "Destructive", "the program's own word stands beside it: {tool}");
    ensure!(tool["said_by"]["reason"] == "read the source" && tool["said_by"]["who"].is_string(), "{tool}");
    let text = place.say(&["show", "leads/delete_lead"])?.out;
    ensure!(text.contains("read the source (the program: destructive, critical"), "{text}");
    let table = place.say(&["show", "leads"])?.out;
    ensure!(table.contains("read*") && table.contains("* a person says so"), "{table}");
    // The index knows it too, and an import changes nothing about it.
    for _ in 0..2 {
        ensure!(place.json(&["search", "delete", "lead", "--class", "read"])?["total"] == 1);
        ensure!(place.import()?.code == Some(0));
    }
    let other = place.json(&["show", "two/leads-mcp/delete_lead"])?;
    ensure!(other["category"] == "Destructive", "of another server nothing was said: {other}");

    said(&place, &["leads/delete_lead", "class", "--revert"])?;
    let tool = place.json(&["show", "leads/delete_lead"])?;
    ensure!(tool["category"] == "Destructive" && tool["program_says"].is_null() && tool["said_by"].is_null(), "{tool}");
    ensure!(place.json(&["search", "delete", "lead", "--class", "destructive"])?["total"] == 2);
    let all = place.json(&["overrides", "leads"])?;
    let all = all["overrides"].as_array().cloned().unwrap_or_default();
    ensure!(all.len() == 2 && all.iter().all(|one| one["holds"] == false), "{all:?}");
    ensure!(all[0]["value"] == "read" && all[1]["value"].is_null() && all[0]["tool"] == "delete_lead", "{all:?}");
    let list = place.say(&["overrides"])?.out;
    ensure!(list.contains("leads/delete_lead") && list.contains("read the source"), "{list}");
    Ok(())
}

#[test]
fn what_a_person_says_of_a_server_holds() -> anyhow::Result<()> {
    let place = Place::filled()?;
    said(&place, &["files", "publisher", "Somebody"])?;
    said(&place, &["files", "visibility", "public"])?;
    said(&place, &["files", "verified"])?;
    let files = place.json(&["show", "files"])?;
    ensure!(
        files["publisher"] == "Somebody" && files["visibility"] == "public" && files["verified"] == true,
        "{files}"
    );
    ensure!(place.json(&["search", "somebody"])?["total"] == 1);
    let official = |place: &Place| place.json(&["search", "--standing", "official"]);
    ensure!(official(&place)?["found"][0]["slug"] == "files" && official(&place)?["total"] == 1);
    said(&place, &["files", "verified", "no"])?;
    ensure!(official(&place)?["total"] == 0);

    said(&place, &["leads", "hidden"])?;
    said(&place, &["two/leads-mcp/list_leads", "hidden", "yes"])?;
    let found = place.json(&["search", "list_leads"])?;
    ensure!(found["total"] == 0, "{found}");
    ensure!(place.say(&["show", "leads"])?.out.contains("left out of searches"));
    said(&place, &["leads", "hidden", "no"])?;
    ensure!(place.json(&["search", "list_leads"])?["total"] == 1);

    let original =
        |place: &Place| -> anyhow::Result<Value> { Ok(place.json(&["show", "leads"])?["same_tools"][0].clone()) };
    ensure!(original(&place)?["original"] == "leads");
    said(&place, &["leads", "original", "two/leads-mcp"])?;
    ensure!(original(&place)?["why"] == "a person says so", "{}", original(&place)?);
    ensure!(place.import()?.code == Some(0));
    ensure!(original(&place)?["original"] != "leads", "an import does not forget it");
    Ok(())
}

#[test]
fn what_cannot_be_said_is_refused() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let table: [(&[&str], &str); 9] = [
        (&["leads/delete_lead", "class", "harmless"], "one of read, write"),
        (&["leads", "class", "read"], "is said of a tool"),
        (&["leads/delete_lead", "publisher", "x"], "is said of a server"),
        (&["leads", "colour", "red"], "there are class, original"),
        (&["leads", "visibility", "secret"], "private or public"),
        (&["leads", "original", "files"], "have not the same tools"),
        (&["nobody-here", "verified"], "is no server of the catalogue"),
        (&["leads", "verified", "--revert"], "nothing to take back"),
        (&["leads", "verified", "--reason", " "], "--reason"),
    ];
    for (words, says) in table {
        let reason: &[&str] = if words.contains(&"--reason") { &[] } else { &WHY };
        let words: Vec<&str> = ["override"].iter().chain(words).chain(reason).copied().collect();
        let said = place.say(&words)?;
        ensure!(said.code == Some(2) && said.err.contains(says), "{words:?}: {said:?}");
    }
    ensure!(place.say(&["override", "leads", "verified"])?.code == Some(2), "a reason is needed");
    ensure!(place.say(&["overrides"])?.out.contains("Nobody has said anything"));
    Ok(())
}
