//! What comes back from a server reaches the caller that asked, whole, and nobody else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};
use testkit::message::call;
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee;
use testkit::upstream::Upstream;

use crate::setup::{allow, recording, toolgate};

const HALF: &str = r#"{"jsonrpc":"2.0","id":41,"result":{"content":[{"type":"text","text":"cut: \ud83d"}]}}"#;

fn text(message: &Value) -> &str {
    message.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn half_an_emoji_loses_no_result() -> anyhow::Result<()> {
    let cut = || Tool::named("cut").does(Behaviour::Http(200, "application/json".into(), HALF.into()));
    let upstream = Upstream::start(Script::with([cut()]))?;
    let toolgate = toolgate()?.policy(&allow(&["cut"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let message = client.post_message(&call(41, "cut", json!({})))?.message()?;
    assert_eq!(text(&message), "cut: \u{fffd}", "{message}");
    Ok(())
}

#[test]
fn half_an_emoji_of_a_child_loses_no_result() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&allow(&["cut"]))?;
    let cut = Tool::named("cut").does(Behaviour::Bytes(format!("{HALF}\n")));
    let (words, record) = recording(&setup, &Script::with([cut]))?;
    let mut run = setup.program(words).run()?;
    run.client.initialize()?;
    run.client.send(&call(41, "cut", json!({})))?;
    let message = run.client.response(&json!(41))?;
    assert_eq!(text(&message), "cut: \u{fffd}", "{message}");
    assert_eq!(tee::called(&record), ["cut"]);
    Ok(())
}

#[test]
fn every_caller_gets_its_own_answer() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().sessionless())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    toolgate.legacy()?.tools()?;
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..12)
            .map(|caller| {
                let toolgate = &toolgate;
                scope.spawn(move || -> anyhow::Result<()> {
                    let client = toolgate.legacy()?;
                    for number in 0..25 {
                        let path = format!("{caller}/{number}");
                        // All of them use the same ids: only the connection tells the answers apart.
                        let message =
                            client.post_message(&call(number, "read_file", json!({ "path": path })))?.message()?;
                        assert_eq!(message.get("id"), Some(&json!(number)), "{message}");
                        assert!(text(&message).contains(&format!("\"{path}\"")), "{path}: {message}");
                    }
                    Ok(())
                })
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().unwrap_or_else(|_| anyhow::bail!("a caller failed")))
    })?;
    assert_eq!(upstream.called().len(), 300);
    Ok(())
}

/// A server that answers each connection's first `answers` requests and closes it then, as its
/// head says or without a word. It counts the calls that came.
fn closing_server(answers: usize, says_so: bool) -> anyhow::Result<(String, std::sync::mpsc::Receiver<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let (came, calls) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let came = came.clone();
            std::thread::spawn(move || {
                for turn in 1..=answers {
                    let last = turn == answers;
                    if serve_one(&stream, last && says_so, &came).is_none() {
                        return;
                    }
                }
            });
        }
    });
    Ok((url, calls))
}

fn serve_one(mut stream: &TcpStream, last: bool, came: &std::sync::mpsc::Sender<()>) -> Option<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let body = loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(buffer.get(..read)?);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
        if body.len() >= length {
            break body.to_owned();
        }
    };
    let message: Value = serde_json::from_str(&body).ok()?;
    let result = match message.get("method")?.as_str()? {
        "tools/list" => json!({ "tools": [{ "name": "read_file", "inputSchema": { "type": "object" } }] }),
        _ => {
            came.send(()).ok()?;
            json!({ "content": [{ "type": "text", "text": "done" }] })
        }
    };
    let answer = json!({ "jsonrpc": "2.0", "id": message.get("id")?, "result": result }).to_string();
    let close = if last { "connection: close\r\n" } else { "" };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}{close}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()
}

#[test]
fn servers_that_close_connections_lose_no_call_and_get_none_twice() -> anyhow::Result<()> {
    for (answers, says_so) in [(1, true), (1, false), (3, true), (3, false)] {
        let (url, calls) = closing_server(answers, says_so)?;
        let toolgate =
            toolgate()?.policy(&allow(&["read_file"]))?.upstream(&url).options(["--workers", "1"]).serve()?;
        let client = toolgate.client()?;
        let mut done = 0;
        for number in 0..20 {
            let message = client.post_message(&call(number, "read_file", json!({})))?.message()?;
            // A server that closes without a word may do so while a request is on its way: then
            // nobody knows whether it was carried out, and it is not sent again.
            if text(&message) == "done" {
                done += 1;
            } else {
                assert!(!says_so, "{message}");
                assert!(message.to_string().contains("is not known") || message.to_string().contains("not made"));
            }
        }
        let came = calls.try_iter().count();
        assert!(done >= 10, "{done} of 20 with {answers} answers a connection");
        assert!(came >= done && came <= 20, "{came} came, {done} were answered");
    }
    Ok(())
}

/// A server that answers long calls when it has seen their head, and reads nothing more of them.
fn hasty_server() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || while hasty(&stream).is_some() {});
        }
    });
    Ok(url)
}

fn hasty(mut stream: &TcpStream) -> Option<()> {
    let mut bytes = [0; 4096];
    let length = loop {
        let read = stream.peek(&mut bytes).ok().filter(|read| *read > 0)?;
        let text = String::from_utf8_lossy(bytes.get(..read)?).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        break head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
    };
    if length < 1 << 20 {
        let (came, _calls) = std::sync::mpsc::channel();
        return serve_one(stream, false, &came);
    }
    let result = json!({ "content": [{ "type": "text", "text": "done" }] });
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()?;
    loop {
        std::thread::park();
    }
}

#[test]
fn a_connection_with_unsent_bytes_is_not_used_again() -> anyhow::Result<()> {
    let url = hasty_server()?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&url).options(["--workers", "1"]).serve()?;
    let client = toolgate.client()?;
    let long = json!({ "path": "x".repeat(3 << 20) });
    let first = client.open(&call(1, "read_file", long))?.answer(testkit::wait::PATIENCE)?.message()?;
    assert_eq!(text(&first), "done", "{first}");
    for number in 2..5 {
        let message = client.post_message(&call(number, "read_file", json!({})))?.message()?;
        assert_eq!(text(&message), "done", "{message}");
    }
    Ok(())
}
