//! SARIF 2.1.0: what its schema requires, and no member that it does not know.

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

/// The results of a document that is as the standard says.
pub fn results(text: &str) -> anyhow::Result<Vec<Value>> {
    let log: Value = serde_json::from_str(text).with_context(|| text.to_owned())?;
    let members = object(&log, &["version", "runs"], &["$schema"])?;
    ensure!(members["version"] == "2.1.0", "{log}");
    let schema = members.get("$schema").and_then(Value::as_str);
    ensure!(schema.is_some_and(|schema| schema.contains("sarif-2.1.0")), "{log}");
    let mut all = Vec::new();
    for run in list(&members["runs"])? {
        object(run, &["tool"], &["automationDetails", "columnKind", "invocations", "results"])?;
        let driver = &object(&run["tool"], &["driver"], &[])?["driver"];
        object(driver, &["name"], &["semanticVersion", "rules"])?;
        ensure!(driver["name"] == "toolgate", "{driver}");
        let rules = list(&driver["rules"])?;
        for rule in rules {
            object(rule, &["id"], &["shortDescription", "help", "defaultConfiguration", "properties"])?;
            told(&rule["shortDescription"])?;
        }
        for invocation in list(&run["invocations"])? {
            object(invocation, &["executionSuccessful"], &["toolExecutionNotifications"])?;
            for notification in list(&invocation["toolExecutionNotifications"])? {
                told(&object(notification, &["message"], &["level"])?["message"])?;
            }
        }
        for result in list(&run["results"])? {
            judged(result, rules)?;
            all.push(result.clone());
        }
    }
    Ok(all)
}

/// One result.
fn judged(result: &Value, rules: &[Value]) -> anyhow::Result<()> {
    object(result, &["message"], &["ruleId", "ruleIndex", "level", "locations", "partialFingerprints"])?;
    told(&result["message"])?;
    let index = usize::try_from(result["ruleIndex"].as_u64().context("no index")?)?;
    ensure!(rules.get(index).is_some_and(|rule| rule["id"] == result["ruleId"]), "{result}");
    ensure!(["none", "note", "warning", "error"].map(Value::from).contains(&result["level"]), "{result}");
    let fingerprint = result.pointer("/partialFingerprints/toolgate~1v1");
    ensure!(fingerprint.is_some_and(Value::is_string), "{result}");
    for location in list(&result["locations"])? {
        object(location, &[], &["physicalLocation", "logicalLocations"])?;
        for logical in list(&location["logicalLocations"])? {
            object(logical, &[], &["name", "fullyQualifiedName", "kind"])?;
        }
        if let Some(physical) = location.get("physicalLocation") {
            object(physical, &["artifactLocation"], &["region"])?;
            object(&physical["artifactLocation"], &[], &["uri"])?;
            let line = object(&physical["region"], &[], &["startLine"])?.get("startLine").and_then(Value::as_u64);
            ensure!(line.is_some_and(|line| line >= 1), "{physical}");
        }
    }
    Ok(())
}

/// A message says something.
fn told(message: &Value) -> anyhow::Result<()> {
    let text = object(message, &["text"], &[])?.get("text").and_then(Value::as_str);
    ensure!(text.is_some_and(|text| !text.is_empty()), "{message}");
    Ok(())
}

/// An object that has the one members and may have the others.
fn object<'a>(value: &'a Value, required: &[&str], known: &[&str]) -> anyhow::Result<&'a Map<String, Value>> {
    let members = value.as_object().with_context(|| format!("no object: {value}"))?;
    ensure!(required.iter().all(|name| members.contains_key(*name)), "something is missing: {value}");
    let other = members.keys().find(|name| !required.contains(&name.as_str()) && !known.contains(&name.as_str()));
    ensure!(other.is_none(), "{other:?} is no member of this object: {value}");
    Ok(members)
}

fn list(value: &Value) -> anyhow::Result<&[Value]> {
    Ok(value.as_array().with_context(|| format!("no list: {value}"))?)
}
