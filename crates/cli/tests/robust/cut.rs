//! A server that dies at any byte of its answer. Its agent reads one answer: the server's own where all of it came, else
//! that nobody knows whether the call was carried out. Nothing that the call held is lost.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::message::{self, MODERN, Outcome, call, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;

use crate::setup::{before, legacy, modern, one_at_once, outcomes, program, shell, toolgate};

/// The id of every call.
const ID: i64 = 41;

/// The answer that is cut.
fn whole(modern: bool) -> Value {
    let content = json!([{ "type": "text", "text": "whole" }]);
    let result =
        if modern { json!({ "content": content, "resultType": "complete" }) } else { json!({ "content": content }) };
    json!({ "jsonrpc": "2.0", "id": ID, "result": result })
}

/// All bytes of an answer, and how many of them hold the whole result.
struct Bytes {
    all: String,
    enough: usize,
}

/// The answer as a body of a known length, in chunks, or up to the end of the connection.
fn plain(modern: bool) -> [Bytes; 3] {
    let (body, kind) = (whole(modern).to_string(), "content-type: application/json");
    let until_close = format!("HTTP/1.1 200 OK\r\n{kind}\r\nconnection: close\r\n\r\n{body}");
    let measured = format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (first, second) = body.split_at(20);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{kind}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    [until_close, measured, chunked].map(|all| Bytes { enough: all.len(), all })
}

/// The answer as an event after another one, in chunks or up to the end of the connection.
fn events(modern: bool) -> [Bytes; 2] {
    let progress =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    let first = format!("event: message\ndata: {progress}\n\n");
    let second = format!("event: message\ndata: {}\n\n", whole(modern));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{}{}0\r\n\r\n", chunk(&first), chunk(&second));
    let until_close = format!("{head}connection: close\r\n\r\n{first}{second}");
    // The last chunk's own end, and what ends the body, tell nobody anything.
    let enough = chunked.len() - "\r\n0\r\n\r\n".len();
    [Bytes { all: chunked, enough }, Bytes { enough: until_close.len(), all: until_close }]
}

/// The call, in the era that the client speaks.
fn asked(client: &McpHttp) -> Value {
    if client.revision.lock().is_ok_and(|spoken| spoken.as_deref() == Some(MODERN)) {
        return request(ID, "tools/call", message::modern(json!({ "name": "cut", "arguments": {} })));
    }
    call(ID, "cut", json!({}))
}

/// What the agent reads of a call whose answer was cut there.
fn read(client: &McpHttp, at: usize) -> anyhow::Result<bool> {
    let answer = client.post_message(&asked(client)).with_context(|| format!("cut at {at}"))?;
    let messages: Vec<Value> =
        answer.messages().into_iter().filter(|message| message.get("method").is_none()).collect();
    let [message] = messages.as_slice() else {
        anyhow::bail!("cut at {at}: {} answers: {}", messages.len(), answer.text())
    };
    ensure!(message.get("id") == Some(&json!(ID)), "cut at {at}: {message}");
    let (status, outcome) = (answer.status(), Outcome::of(message));
    match &outcome {
        Outcome::Done(text) => ensure!(text == "whole" && status == 200, "cut at {at}: {status} {message}"),
        Outcome::Error(-32603, text) => ensure!(
            text.contains("Whether the call was carried out is not known") && matches!(status, 200 | 502),
            "cut at {at}: {status} {message}"
        ),
        other => anyhow::bail!("cut at {at}: {other:?}"),
    }
    Ok(outcome.is_done())
}

/// Cuts an answer of a server at each of its bytes.
fn at_every_byte(toolgate: &Toolgate, client: &McpHttp, upstream: &Upstream, bytes: &Bytes) -> anyhow::Result<()> {
    let before = upstream.called().len();
    let mut expected = Vec::new();
    for at in 0..=bytes.all.len() {
        let part = bytes.all.get(..at).context("ASCII")?.to_owned();
        upstream.set_tools([Tool::named("cut").does(Behaviour::Bytes(part))]);
        let done = read(client, at)?;
        ensure!(done == (at >= bytes.enough), "cut at {at} of {}: done is {done}", bytes.all.len());
        expected.push(if done { "ok" } else { "unknown" });
    }
    ensure!(upstream.called().len() - before == expected.len(), "a call was sent again");
    let recorded = outcomes(&toolgate.setup, before + expected.len())?;
    ensure!(recorded.get(before..).unwrap_or_default() == expected, "{recorded:?}");
    Ok(())
}

#[test]
fn an_answer_of_an_endpoint_at_every_byte() -> anyhow::Result<()> {
    for era in ["sessions", "no sessions", "modern"] {
        let script = Script::with([Tool::named("cut")]);
        let upstream = Upstream::start(match era {
            "sessions" => script,
            "no sessions" => script.sessionless(),
            _ => script.modern(),
        })?;
        let reach = format!("url = \"{}\"\ncalls_at_once = 1", upstream.url());
        let toolgate = before(toolgate()?, &one_at_once(), &reach)?.serve()?;
        let is_modern = era == "modern";
        let client = if is_modern { modern(&toolgate)? } else { legacy(&toolgate)? };
        client.tools()?;
        for (form, bytes) in plain(is_modern).iter().chain(&events(is_modern)).enumerate() {
            at_every_byte(&toolgate, &client, &upstream, bytes).with_context(|| format!("{era}, form {form}"))?;
        }
    }
    Ok(())
}

/// A program that answers a call with what stands in a file, and ends.
const ENDS_OVER_A_CALL: &str = r#"*'"tools/call"'*) cat FILE; exit 0 ;;"#;

#[test]
fn an_answer_of_a_program_at_every_byte() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let line = format!("{}\n", whole(false));
    let file = setup.file("cut", "")?;
    let script = program(&["cut"], ENDS_OVER_A_CALL).replace("FILE", &file.display().to_string());
    let toolgate = before(setup, &one_at_once(), &format!("{}\ncalls_at_once = 1", shell(&script)))?.serve()?;
    let mut expected = Vec::new();
    for at in 0..=line.len() {
        toolgate.setup.file("cut", line.get(..at).context("ASCII")?)?;
        // Its session ends with it.
        let done = read(&legacy(&toolgate)?, at)?;
        ensure!(done == (at == line.len()), "cut at {at} of {}: done is {done}", line.len());
        expected.push(if done { "ok" } else { "unknown" });
    }
    ensure!(outcomes(&toolgate.setup, expected.len())? == expected);
    Ok(())
}

#[test]
fn an_answer_of_a_program_to_an_agent_on_stdio_at_every_byte() -> anyhow::Result<()> {
    let line = format!("{}\n", whole(false));
    // Each is a process of its own, so the bytes are taken where something changes.
    for at in [0, 1, line.len() / 2, line.len() - 2, line.len() - 1, line.len()] {
        let setup = toolgate()?.policy(&one_at_once())?;
        let file = setup.file("cut", line.get(..at).context("ASCII")?)?;
        let script = program(&["cut"], ENDS_OVER_A_CALL).replace("FILE", &file.display().to_string());
        let mut run = setup.program(["sh", "-c", &script]).run()?;
        run.client.initialize()?;
        run.client.send(&call(ID, "cut", json!({})))?;
        let outcome = Outcome::of(&run.client.response(&json!(ID))?);
        ensure!(outcome.is_done() == (at == line.len()), "cut at {at}: {outcome:?}");
        ensure!(outcomes(&run.setup, 1)? == [if outcome.is_done() { "ok" } else { "unknown" }]);
    }
    Ok(())
}
