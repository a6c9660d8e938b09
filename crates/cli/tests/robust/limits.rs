//! Limits on what agents send: each is refused with a sentence that names it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use testkit::client::{raw, statuses};
use testkit::message::call;
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

use crate::setup::{before, legacy, one_at_once, open, outcomes, shell, toolgate};

/// How long a gateway may be silent that has been asked something wrong.
const QUIET: Duration = Duration::from_millis(300);

/// What is wrong, the status and the sentence that say so, the header fields and the body.
type Case<'a> = (&'a str, u16, &'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_is_too_long_too_many_or_too_deep_is_refused_by_its_name() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{}\"", upstream.url()))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let echo = call(1, "echo", json!({})).to_string();
    let deep = call(1, "echo", json!({ "deep": "HERE" })).to_string();
    let deep = |levels: usize| deep.replace("\"HERE\"", &format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(4 * 1024 * 1024));
    let wide = "x".repeat(33 * 1024);
    let many: Vec<(String, &str)> = (0..65).map(|number| (format!("X-{number}"), "x")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let cases: [Case<'_>; 4] = [
        ("a long body", 413, "longer than 4194304 bytes", &[], &long),
        ("a deep one", 400, "more than 128 levels of nesting", &[], &deep(128)),
        ("a long head", 431, "the head of a request has 32768 bytes at most", &[("X-Wide", &wide)], &echo),
        ("many header fields", 431, "a request has 64 header fields at most", &many, &echo),
    ];
    for (what, status, sentence, headers, body) in cases {
        let answer = client.post_with(headers, body.as_bytes())?;
        ensure!(answer.status() == status, "{what}: {} {}", answer.status(), answer.text());
        ensure!(answer.text().contains(sentence), "{what}: {}", answer.text());
    }
    ensure!(upstream.called().is_empty(), "{:?}", upstream.called());
    // What is just short enough passes.
    ensure!(client.post(deep(100).as_bytes())?.status() == 200);
    ensure!(upstream.called() == ["echo"]);
    Ok(())
}

#[test]
fn a_line_that_is_too_long_is_answered() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let record = toolgate()?;
    let (child, _) = crate::setup::recording(&record, &Script::default())?;
    let words: Vec<String> = serde_json::from_str(child.trim_start_matches("command = "))?;
    for reach in [None, Some(words)] {
        let setup = toolgate()?.policy(&one_at_once())?;
        let setup = match reach {
            None => setup.upstream(&upstream.url()),
            Some(words) => setup.program(words),
        };
        let mut run = setup.run()?;
        run.client.initialize()?;
        run.client.line("x".repeat(5 * 1024 * 1024).as_bytes())?;
        let refused = run.client.next_that("the refusal", |message| message.get("error").is_some())?;
        ensure!(refused.to_string().contains("longer than 4194304 bytes"), "{refused}");
        ensure!(run.client.call("echo", json!({}))?.is_done(), "it goes on");
    }
    Ok(())
}

#[test]
fn streams_of_a_grant_are_bounded() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{}\"", upstream.url()))?.serve()?;
    let client = legacy(&toolgate)?;
    let mut streams = Vec::new();
    for _ in 0..64 {
        let mut stream = client.listen(None)?;
        ensure!(stream.head(PATIENCE)?.status() == Some(200));
        streams.push(stream);
    }
    let refused = client.listen(None)?.answer(PATIENCE)?;
    ensure!(
        refused.status() == 429 && refused.text().contains("64 streams"),
        "{} {}",
        refused.status(),
        refused.text()
    );
    Ok(())
}

#[test]
fn requests_behind_one_another_on_a_connection_are_each_judged() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().sessionless())?;
    let toolgate =
        before(toolgate()?, &one_at_once(), &format!("url = \"{}\"\ncalls_at_once = 1", upstream.url()))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let head = |extra: &str, length: usize| {
        let fields: String =
            client.usual_headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("POST /mcp/s/ HTTP/1.1\r\n{fields}{extra}Content-Length: {length}\r\n\r\n")
    };
    let post = |extra: &str, tool: &str| {
        let body = call(1, tool, json!({})).to_string();
        format!("{}{body}", head(extra, body.len()))
    };
    let path = toolgate.url().rsplit_once("/mcp").map_or("", |(_, rest)| rest);
    let pipelined =
        [post("", "echo"), post("", "nothing"), post("", "echo"), post("Connection: close\r\n", "echo")].concat();
    let pipelined = pipelined.replace("/mcp/s/", &format!("/mcp{path}"));
    let came = raw(toolgate.address()?, pipelined.as_bytes(), PATIENCE)?;
    ensure!(statuses(&came).len() == 4, "{}", String::from_utf8_lossy(&came));
    // One at once: each is asked when the one before was answered.
    ensure!(upstream.called() == ["echo", "echo", "echo"], "{:?}", upstream.called());
    ensure!(outcomes(&toolgate.setup, 3).is_ok() || toolgate.setup.decisions()?.len() == 4);
    Ok(())
}

#[test]
fn whoever_sends_a_head_slowly_is_closed_and_holds_nothing_up() -> anyhow::Result<()> {
    let toolgate = before(toolgate()?, &open(), &shell("exit 0"))?.serve()?;
    let mut slow = TcpStream::connect(toolgate.address()?)?;
    slow.write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")?;
    let asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ensure!(statuses(&raw(toolgate.address()?, asked, QUIET)?) == [200]);
    // Ten seconds are promised.
    slow.set_read_timeout(Some(Duration::from_secs(100)))?;
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest)?;
    ensure!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    Ok(())
}

#[test]
fn a_message_that_says_that_it_is_too_long_is_refused_before_it_is_sent() -> anyhow::Result<()> {
    let toolgate = before(toolgate()?, &open(), &shell("exit 0"))?.serve()?;
    let client = testkit::client::McpHttp::new(toolgate.url(), Some(testkit::toolgate::TOKEN))?;
    let fields: String = client.usual_headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = 12 * 1024 * 1024;
    let mut stream = TcpStream::connect(toolgate.address()?)?;
    stream.write_all(format!("POST /mcp HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n").as_bytes())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer)?;
    let answer = String::from_utf8_lossy(answer.get(..read).unwrap_or_default()).into_owned();
    ensure!(answer.contains(" 413 ") && answer.contains("longer than 4194304 bytes"), "{answer}");
    // Whoever sends before it reads is not cut off meanwhile.
    stream.write_all(&vec![b' '; length])?;
    Ok(())
}

#[test]
fn what_is_no_request_or_does_not_end_is_refused_and_closed() -> anyhow::Result<()> {
    let toolgate = before(toolgate()?, &open(), &shell("exit 0"))?.serve()?;
    let client = testkit::client::McpHttp::new(toolgate.url(), Some(testkit::toolgate::TOKEN))?;
    let fields: String = client.usual_headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let chunked = format!("POST /mcp HTTP/1.1\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // A frame of HEADERS without its end, and as many CONTINUATION as anybody likes.
    let frame = |kind: char| format!("\0\0\u{8}{kind}\0\0\0\0\u{1}xxxxxxxx");
    let cases = [
        ("HTTP/2", format!("{preface}{}{}", frame('\u{1}'), frame('\u{9}').repeat(10_000))),
        ("a chunk's extension", format!("{chunked}1;{}", "x".repeat(1024 * 1024))),
        ("many extensions", format!("{chunked}{}", format!("1;{}\r\n \r\n", "x".repeat(512)).repeat(10_000))),
        ("a trailer", format!("{chunked}2\r\n{{}}\r\n0\r\nX-Long: {}", "x".repeat(1024 * 1024))),
        ("many trailers", format!("{chunked}2\r\n{{}}\r\n0\r\n{}", "X-Many: x\r\n".repeat(100_000))),
        ("a chunk longer than it may be", format!("{chunked}fffffffffffffffff\r\n{}", "x".repeat(1024))),
        ("a chunk longer than a message", format!("{chunked}ffffffff\r\n{}", " ".repeat(6 * 1024 * 1024))),
    ];
    for (what, bytes) in cases {
        let mut stream = TcpStream::connect(toolgate.address()?)?;
        stream.set_read_timeout(Some(10 * PATIENCE))?;
        // It may be closed before all of it was taken.
        let _ = stream.write_all(bytes.as_bytes());
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let said = String::from_utf8_lossy(&rest);
        ensure!(said.is_empty() || statuses(&rest).iter().all(|status| (400..500).contains(status)), "{what}: {said}");
    }
    // Who says nothing at all has as long as for a head: ten seconds are promised.
    let mut silent = TcpStream::connect(toolgate.address()?)?;
    silent.set_read_timeout(Some(Duration::from_secs(100)))?;
    ensure!(silent.read(&mut [0])? == 0);
    let asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ensure!(statuses(&raw(toolgate.address()?, asked, QUIET)?) == [200]);
    Ok(())
}
