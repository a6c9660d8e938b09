//! The corpora that lie beside the repository: attack inputs of our own, and JSONTestSuite.
#![expect(clippy::unwrap_used, reason = "a test that is wrong about its own input should fail")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use mcp::header;
use mcp::json;
use mcp::message::{Body, Message, parse_client};
use mcp::method::Kind;
use serde_json::Value;

fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data").join(path))
        .find(|candidate| candidate.exists());
    if found.is_none() {
        println!("skipped: ../shared is absent");
    }
    found
}

fn attacks(group: &str) -> Vec<Value> {
    let Some(path) = shared("security/own/gateway-attacks.jsonl") else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|row| row["group"] == group).collect()
}

fn bytes(row: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(row["b64"].as_str().unwrap()).unwrap()
}

/// What the parser makes of a row that is refused later: by policy, by the session, for want of a batch, by the schema.
fn is_judged_later(id: &str, body: &Body<'_>) -> bool {
    match body {
        Body::Batch(_) => id.starts_with("jsonrpc/batch-"),
        Body::One(Message::Response(_)) => id == "jsonrpc/client-response",
        Body::One(Message::Request(request)) if id.starts_with("jsonrpc/method-policy-") => {
            request.method.replace('/', "-") == id.trim_start_matches("jsonrpc/method-policy-")
        }
        Body::One(Message::Request(request)) if id.starts_with("jsonrpc/method-") => request.kind == Kind::Unknown,
        Body::One(_) => id == "jsonrpc/alias-args-schema",
    }
}

#[test]
fn attacks_on_the_envelope() {
    let mut later = BTreeSet::new();
    for row in attacks("jsonrpc") {
        let (id, input) = (row["id"].as_str().unwrap(), bytes(&row));
        match (row["expect"].as_str().unwrap(), parse_client(&input)) {
            ("reject", Err(_)) => {}
            ("reject", Ok(body)) if is_judged_later(id, &body) => drop(later.insert(id.to_owned())),
            ("canonical", Ok(Body::One(Message::Request(request)))) => {
                let value: Value = serde_json::from_slice(&input).unwrap();
                assert_eq!(request.method, value["method"].as_str().unwrap(), "{id}");
                assert_eq!(request.params.name.as_deref(), value["params"]["name"].as_str(), "{id}");
                let arguments: Value = serde_json::from_str(request.params.arguments.unwrap()).unwrap();
                assert_eq!(arguments, value["params"]["arguments"], "{id}");
                assert_eq!(request.raw.as_bytes(), input.trim_ascii(), "{id}");
            }
            (expect, parsed) => panic!("{id}: {expect}, {parsed:?}"),
        }
    }
    println!("judged later: {later:?}");
}

#[test]
fn amounts_reach_the_rules_digit_for_digit() {
    for row in attacks("amount") {
        let (id, input) = (row["id"].as_str().unwrap(), bytes(&row));
        let Ok(Body::One(Message::Request(request))) = parse_client(&input) else { panic!("{id}") };
        let arguments = json::parse(request.params.arguments.unwrap()).unwrap();
        let written = row["why"].as_str().unwrap().strip_prefix("amount = ");
        if let (Some(json::Value::Number(number)), Some(written)) = (arguments.get("amount"), written) {
            assert_eq!(number.text(), written, "{id}");
        }
    }
}

#[test]
fn headers_that_differ_from_the_body() {
    for row in attacks("header").iter().filter(|row| row["expect"] == "reject") {
        let id = row["id"].as_str().unwrap();
        let sent = row["data"]["headers"].as_object().unwrap();
        let name = row["data"]["body_name"].as_str().unwrap();
        let meta = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        for (meta, version) in
            [(meta, Some("2026-07-28")), ("", Some("2026-07-28")), ("", Some("2025-11-25")), ("", None)]
        {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}"{meta}}}}}"#);
            let Ok(Body::One(Message::Request(request))) = parse_client(body.as_bytes()) else { panic!("{id}") };
            let given = sent.contains_key("MCP-Protocol-Version");
            let version = version.filter(|_| !given).map(|version| ("MCP-Protocol-Version", version.as_bytes()));
            let sent = sent.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes()));
            let mismatch = header::check(&request, sent.chain(version));
            assert!(mismatch.is_err(), "{id} {body}");
        }
    }
}

#[test]
fn json_test_suite() {
    let Some(folder) = shared("security/JSONTestSuite/test_parsing") else {
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read(&path).unwrap();
        let read = json::parse_bytes(&text);
        assert_eq!(read.as_ref().err(), json::check(&text).as_ref().err(), "{name}: both forms are equally strict");
        match (name.split_once('_').unwrap().0, read) {
            ("y", Err(error)) => {
                assert!(name.contains("duplicated_key"), "{name}: {error}");
                assert!(matches!(error.kind, json::ErrorKind::DuplicateKey(_)), "{name}: {error}");
            }
            ("n", Ok(_)) => panic!("{name} was accepted"),
            ("y" | "i", Ok(value)) => {
                accepted += 1;
                let expected: Value = serde_json::from_slice(&text).unwrap();
                assert!(same(&value, &expected), "{name}: {value:?} {expected}");
            }
            (_, Err(_)) => refused += 1,
            (other, _) => panic!("{name}: kind {other}"),
        }
    }
    assert!(accepted > 90 && refused > 187, "{accepted} accepted, {refused} refused");
}

/// Whether both readers saw the same value.
fn same(ours: &json::Value<'_>, theirs: &Value) -> bool {
    match (ours, theirs) {
        (json::Value::Null, Value::Null) => true,
        (json::Value::Bool(one), Value::Bool(other)) => one == other,
        (json::Value::String(one), Value::String(other)) => one == other,
        // serde_json's quick reading of floats may be off in the last bits.
        (json::Value::Number(one), Value::Number(other)) => {
            other.as_f64().is_some_and(|other| (one.as_f64() - other).abs() <= other.abs() * 8.0 * f64::EPSILON)
        }
        (json::Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (json::Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}
