//! `toolgate catalogue check`: the answer of a pipeline.

use anyhow::ensure;
use serde_json::Value;

use super::Place;
use crate::sarif::results;

#[test]
fn a_check_says_no_with_its_exit_code() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let table: [(&[&str], i32); 8] = [
        (&["check", "leads"], 1),
        (&["check", "LEADS/Delete_Lead"], 1),
        (&["check", "leads/list_leads"], 0),
        (&["check", "leads/list_leads", "leads/delete_lead"], 1),
        (&["check", "leads/update_lead", "--fail-on", "medium"], 1),
        (&["check", "leads/update_lead", "--fail-on", "critical"], 0),
        (&["check", "no-such-server"], 2),
        // Of a server without tools nothing is known, which is no yes.
        (&["check", "bare"], 2),
    ];
    for (words, code) in table {
        let said = place.say(words)?;
        ensure!(said.code == Some(code), "{words:?}: {said:?}");
    }
    let found = place.json(&["check", "leads", "--fail-on", "critical"])?;
    ensure!(found["passed"] == false && found["found"][0]["name"] == "delete_lead" && found["checked"] == 3, "{found}");
    // How many is said by its number.
    for (from, says) in
        [("critical", "1 of 3 tools is critical or above."), ("medium", "2 of 3 tools are medium or above.")]
    {
        let said = place.say(&["check", "leads", "--fail-on", from])?;
        ensure!(said.out.contains(says), "{said:?}");
    }
    Ok(())
}

/// A configuration with a secret in it, and a server that nobody knows.
const CONFIG: &str = r#"{
  "mcpServers": {
    "crm": { "command": "npx", "args": ["-y", "leads-mcp"], "env": { "KEY": "sk-secret" } },
    "off": { "command": "npx", "args": ["never"], "disabled": true }
  }
}
"#;

#[test]
fn a_check_names_severe_tools_as_sarif() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let said = place.say(&["check", "LEADS", "leads/List_Leads", "--sarif"])?;
    ensure!(said.code == Some(1), "{said:?}");
    let found = results(&said.out)?;
    ensure!(found.len() == 1, "{said:?}");
    let result = &found[0];
    assert_eq!((&result["ruleId"], &result["level"]), (&Value::from("critical-tool"), &Value::from("error")));
    assert_eq!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "leads/delete_lead");
    let none = place.say(&["check", "leads/list_leads", "--sarif"])?;
    ensure!(none.code == Some(0) && results(&none.out)?.is_empty(), "{none:?}");
    // What could not be checked stands in the document, and the exit code says so too.
    let bare = place.say(&["check", "bare", "leads", "--sarif"])?;
    ensure!(bare.code == Some(2) && results(&bare.out)?.len() == 1, "{bare:?}");
    let run = &serde_json::from_str::<Value>(&bare.out)?["runs"][0]["invocations"][0];
    assert_eq!(run["executionSuccessful"], false);
    assert_eq!(run["toolExecutionNotifications"][0]["message"]["text"], "the catalogue knows no tools of bare");
    Ok(())
}

#[test]
fn a_check_reads_the_servers_of_a_configuration() -> anyhow::Result<()> {
    let place = Place::filled()?;
    let file = place.file("mcp.json", &[CONFIG.to_owned()])?.display().to_string();
    let said = place.say(&["check", "--config", &file, "--sarif"])?;
    ensure!(said.code == Some(1) && !said.out.contains("sk-secret"), "{said:?}");
    let found = results(&said.out)?;
    let place_of = &found[0]["locations"][0]["physicalLocation"];
    ensure!(place_of["region"]["startLine"] == 3, "{said:?}");
    ensure!(place_of["artifactLocation"]["uri"].as_str().is_some_and(|uri| uri.ends_with("/mcp.json")), "{said:?}");

    // toolgate.toml, with a server that the catalogue does not know.
    let config = "[servers.crm]\ncommand = [\"npx\", \"-y\", \"leads-mcp\"]\n[servers.crm.env]\nKEY = \"sk-secret\"\n\n[servers.own]\nurl = \"https://own.test/mcp\"\n";
    let file = place.file("toolgate.toml", &[config.to_owned()])?.display().to_string();
    let said = place.say(&["check", "--config", &file, "--json"])?;
    ensure!(said.code == Some(2) && said.err.contains("own of "), "{said:?}");
    let answer: Value = serde_json::from_str(&said.out)?;
    ensure!(answer["passed"] == false && answer["found"][0]["name"] == "delete_lead", "{answer}");
    ensure!(!said.err.contains("sk-secret") && !said.out.contains("sk-secret"));

    let file = place.file("else.json", &["{ \"theme\": \"dark\" }".to_owned()])?.display().to_string();
    let said = place.say(&["check", "--config", &file])?;
    ensure!(said.code == Some(2) && said.err.contains("names no servers"), "{said:?}");
    Ok(())
}
