//! The API beside `serve --config`: what the file says is read, and nothing is changed but the file.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::toolgate::{Setup, Toolgate};
use testkit::wait::{self, PATIENCE};

use crate::desk::{EXE, api};

const DOCUMENT: &str = r#"{ "version": "1", "default": "deny", "tools": { "read": {} } }"#;

/// A gateway of two servers and a grant, with a secret that stands in no table.
fn served() -> anyhow::Result<Toolgate> {
    let setup = Setup::new(EXE)?;
    setup.file("careful.policy.json", DOCUMENT)?;
    setup.file("desk.token", "tg_desk-0123456789012345678901234567890123456789")?;
    let config = r#"
listen = "127.0.0.1:0"
[servers.crm]
url = "http://127.0.0.1:1/mcp"
headers = { Authorization = "Bearer planted-secret" }
policy = "careful.policy.json"
numbers = "exact"
class = { export = "destructive" }
[servers.files]
command = ["true"]
[[grants]]
label = "desk"
server = "crm"
token_file = "desk.token"
tags = { team = "blue" }
"#;
    setup.config(config)?.token(None).serve()
}

fn asked(toolgate: &Toolgate, words: &[&str]) -> anyhow::Result<Output> {
    let api = api(toolgate)?;
    let token = toolgate.setup.data_folder().join("api-token");
    let mut command = Command::new(EXE);
    command.args(words).env_clear().env("TOOLGATE_INSTANCE", api.trim_end_matches("/api/v1/"));
    command.env("TOOLGATE_API_TOKEN", std::fs::read_to_string(token)?.trim());
    Ok(command.current_dir(toolgate.setup.folder()).output()?)
}

fn read(toolgate: &Toolgate, words: &[&str]) -> anyhow::Result<Value> {
    let output = asked(toolgate, words)?;
    ensure!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))
}

#[test]
fn what_the_file_says_is_read() -> anyhow::Result<()> {
    let toolgate = served()?;
    let token = toolgate.setup.data_folder().join("api-token");
    assert_eq!(std::fs::metadata(&token)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(read(&toolgate, &["whoami", "--json"])?["role"], "auditor");
    let servers = read(&toolgate, &["server", "list", "--json"])?;
    assert_eq!((&servers[0]["name"], &servers[1]["reach"]["command"][0]), (&json!("crm"), &json!("true")));
    assert_eq!(servers[0]["reach"]["headers"], json!(["Authorization"]));
    assert_eq!(servers[0]["settings"]["exact_numbers"], true);
    let grants = read(&toolgate, &["grant", "list", "--json"])?;
    assert_eq!((&grants[0]["label"], &grants[0]["tags"]["team"]), (&json!("desk"), &json!("blue")));
    let policy = read(&toolgate, &["policy", "show", "careful", "--json"])?;
    assert_eq!(policy["document"], DOCUMENT);
    assert_eq!(read(&toolgate, &["server", "override", "crm", "--json"])?[0]["class"], "destructive");
    assert!(!format!("{servers}{grants}{policy}").contains("planted"));
    // What it decides and counts lies in its directory, and an empty list would be a lie.
    for words in [["logs", "--json"], ["limits", "show"]] {
        let refused = asked(&toolgate, &words)?;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains("in its data directory"), "{words:?}: {text}");
    }
    // An edit of the file is what is shown, as soon as it is in force.
    let edited = DOCUMENT.replace("read", "write");
    std::fs::write(toolgate.setup.folder().join("careful.policy.json"), &edited)?;
    wait::until("the edit at the API", PATIENCE, || {
        let policy = read(&toolgate, &["policy", "show", "careful", "--json"]).ok()?;
        (policy["document"] == json!(edited)).then_some(())
    })?;
    Ok(())
}

#[test]
fn every_change_is_refused_with_the_name_of_the_file() -> anyhow::Result<()> {
    let toolgate = served()?;
    let table: [&[&str]; 6] = [
        &["agent", "add", "helpdesk"],
        &["grant", "mint", "crm/night", "--agent", "helpdesk"],
        &["server", "remove", "crm"],
        &["policy", "remove", "careful"],
        &["stop-calls", "--everything", "--reason", "x"],
        &["grant", "set", "crm/desk", "--owner", "x"],
    ];
    for words in table {
        let output = asked(&toolgate, words)?;
        let text = String::from_utf8(output.stderr)?;
        assert!(output.status.code() == Some(1) && text.contains("toolgate.toml"), "{words:?}: {text}");
    }
    // Also where nobody need be known.
    let api = api(&toolgate)?;
    let client = McpHttp::new(&format!("{api}sessions"), None)?;
    let headers =
        [("host".to_owned(), client.address().to_string()), ("content-type".to_owned(), "application/json".to_owned())];
    let answer = client.send("POST", &headers, br#"{"name":"ada","password":"x"}"#)?.answer(PATIENCE)?;
    assert_eq!(answer.status(), 409);
    let problem: Value = serde_json::from_str(&answer.text())?;
    assert_eq!(problem["type"], "/problems/declared");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("toolgate.toml")), "{problem}");
    Ok(())
}

#[test]
fn a_grant_of_a_file_is_used_from_its_networks_and_until_its_end() -> anyhow::Result<()> {
    let setup = Setup::new(EXE)?;
    setup.file("careful.policy.json", DOCUMENT)?;
    let mut config = "listen = \"127.0.0.1:0\"\n[servers.crm]\nurl = \"http://127.0.0.1:1/mcp\"\n".to_owned();
    config.push_str("policy = \"careful.policy.json\"\n");
    let grants = [
        ("here", "networks = [\"127.0.0.0/8\"]"),
        ("elsewhere", "networks = [\"192.0.2.0/24\"]"),
        ("ended", "expires_at = \"2020-01-01T00:00:00Z\""),
        ("goes-on", "expires_at = \"2120-01-01T00:00:00Z\""),
    ];
    for (label, terms) in grants {
        setup.file(&format!("{label}.token"), &format!("tg_{label:-<60}"))?;
        let file = format!("token_file = \"{label}.token\"\n");
        config.push_str(&format!("[[grants]]\nlabel = \"{label}\"\nserver = \"crm\"\n{terms}\n{file}"));
    }
    let toolgate = setup.config(&config)?.token(None).serve()?;
    for (label, _) in grants {
        let client = McpHttp::new(toolgate.url(), Some(&format!("tg_{label:-<60}")))?;
        let answer = client.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))?;
        let usable = !matches!(answer.status(), 401 | 403);
        assert_eq!(usable, ["here", "goes-on"].contains(&label), "{label}: {} {}", answer.status(), answer.text());
    }
    Ok(())
}
