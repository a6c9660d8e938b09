//! How many poisoned definitions are found, and how many ordinary ones raise an alarm.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use risk::findings::{Finding, Level, findings};
use risk::{Annotations, Definition};
use serde_json::{Map, Value, json};

use super::corpus::{lines, public};

/// How many of the poisoned lines must be found at warning or above, in percent.
const RECALL: usize = 90;
/// One alarm in so many ordinary definitions is allowed that is not listed as true.
const ONE_IN: usize = 500;

fn training(name: &str) -> Vec<Value> {
    lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("training").join(name))
}

/// What is found in a row; its parameters are names only, or a schema.
fn found(row: &Value) -> Vec<Finding> {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let named = row["params"].as_array().map(|names| {
        let named: Map<String, Value> =
            names.iter().map(|name| (name.as_str().unwrap().to_owned(), json!({}))).collect();
        json!({ "properties": named })
    });
    findings(&Definition {
        name: text("name"),
        title: text("title"),
        description: text("description"),
        schema: row.get("input_schema").filter(|schema| schema.is_object()).or(named.as_ref()),
        annotations: row.get("annotations").map(Annotations::of).unwrap_or_default(),
        whole: None,
    })
}

fn alarms(row: &Value) -> Vec<Finding> {
    found(row).into_iter().filter(|finding| finding.level >= Level::Warning).collect()
}

#[test]
fn poisoned_definitions_are_found() {
    let Some(definitions) = public("security/poisoned-tool-definitions.jsonl") else { return };
    let labels = training("poison.jsonl");
    assert_eq!(definitions.len(), labels.len(), "a label for each line");
    let (mut kinds, mut families) = (BTreeMap::new(), BTreeMap::new());
    let (mut caught, mut poisoned, mut missed, mut clean) = (0, 0, Vec::new(), Vec::new());
    for (row, label) in definitions.iter().zip(&labels) {
        let alarms = alarms(row);
        if label["poisoned"] != json!(true) {
            clean.extend((!alarms.is_empty()).then(|| (label["line"].clone(), alarms)));
            continue;
        }
        let hit = usize::from(!alarms.is_empty());
        (caught, poisoned) = (caught + hit, poisoned + 1);
        if hit == 0 {
            missed.push(label["line"].clone());
        }
        let family = format!("{} / {}", row["source"].as_str().unwrap(), row["label"].as_str().unwrap());
        for kind in label["kinds"].as_array().unwrap() {
            count(&mut kinds, kind.as_str().unwrap(), hit);
        }
        count(&mut families, &family, hit);
    }
    println!("found {caught} of {poisoned}; missed lines {missed:?}");
    for (name, (hits, all)) in kinds.iter().chain(&families) {
        println!("  {name}: {hits} of {all}");
    }
    println!("alarms at {} of {} lines that are not poisoned: {clean:#?}", clean.len(), labels.len() - poisoned);
    assert!(caught * 100 >= poisoned * RECALL, "{caught} of {poisoned}");
}

fn count(counts: &mut BTreeMap<String, (usize, usize)>, key: &str, hit: usize) {
    let (hits, all) = counts.entry(key.to_owned()).or_default();
    (*hits, *all) = (*hits + hit, *all + 1);
}

#[test]
fn ordinary_definitions_raise_no_alarm() {
    let Some(definitions) = public("tools.jsonl.gz") else { return };
    let known: BTreeSet<(String, String)> = training("findings-true.jsonl")
        .iter()
        .map(|row| (row["id"].as_str().unwrap().to_owned(), row["rule"].as_str().unwrap().to_owned()))
        .collect();
    let half = definitions.len().div_ceil(2);
    let all: Vec<(String, Vec<Finding>)> = std::thread::scope(|scope| {
        let parts: Vec<_> = definitions
            .chunks(half.max(1))
            .map(|part| {
                scope.spawn(move || {
                    part.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), alarms(row))).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let (mut warnings, mut errors) = (0, 0);
    for (id, alarms) in &all {
        let unlisted: Vec<_> =
            alarms.iter().filter(|alarm| !known.contains(&(id.clone(), alarm.rule.to_owned()))).collect();
        warnings += usize::from(!unlisted.is_empty());
        errors += usize::from(unlisted.iter().any(|alarm| alarm.level == Level::Error));
        for alarm in unlisted {
            println!("{id} {:?} {} {}: {}", alarm.level, alarm.rule, alarm.place.path(), alarm.text);
        }
    }
    println!("{warnings} of {} at warning or above, {errors} at error, {} listed as true", all.len(), known.len());
    assert!(warnings * ONE_IN <= all.len(), "{warnings} of {}", all.len());
    assert!(errors * ONE_IN * 4 <= all.len(), "{errors} of {} at error", all.len());
    for (id, rule) in &known {
        let still = all.iter().any(|(found, alarms)| found == id && alarms.iter().any(|alarm| alarm.rule == rule));
        assert!(still, "{id} is listed for {rule}, which no longer finds it");
    }
}
