//! Bodies that take their time at the API: what counts is who asks when they are there.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::wait::PATIENCE;

use crate::desk::{Desk, instance};

fn begun(toolgate: &testkit::toolgate::Toolgate, head: &str, some: &str) -> anyhow::Result<TcpStream> {
    let address = toolgate.address()?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{head}Host: {address}\r\n\r\n{some}").as_bytes())?;
    Ok(stream)
}

fn answered(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = vec![0; 4096];
    let length = stream.read(&mut bytes)?;
    Ok(String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned())
}

#[test]
fn a_token_that_is_revoked_meanwhile_changes_nothing() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let toolgate = instance(&folder.path().join("data"))?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let made = desk.done("POST", "tokens", &json!({ "label": "ci", "role": "admin" }))?;
    let token = made["token"].as_str().context("no token")?;
    let body = json!({ "name": "backdoor" }).to_string();
    let head = format!(
        "POST /api/v1/agents HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n",
        body.len()
    );
    let mut stream = begun(&toolgate, &head, "")?;
    // It asks for the body when the head has let it in.
    let wanted = answered(&mut stream)?;
    assert!(wanted.starts_with("HTTP/1.1 100"), "{wanted}");
    let id = made["id"].as_str().context("no id")?;
    desk.done("DELETE", &format!("tokens/{id}?reason=leaked"), &Value::Null)?;
    stream.write_all(body.as_bytes())?;
    let answer = answered(&mut stream)?;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(desk.done("GET", "agents", &Value::Null)?["items"], json!([]));
    Ok(())
}

#[test]
fn a_body_that_nobody_wants_is_not_waited_for() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let toolgate = instance(&folder.path().join("data"))?.serve()?;
    let head = "GET /api/v1/openapi.json HTTP/1.1\r\nContent-Length: 50\r\n";
    let answer = answered(&mut begun(&toolgate, head, "x")?)?;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    Ok(())
}
