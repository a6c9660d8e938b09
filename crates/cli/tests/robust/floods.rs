//! Servers that say more than anybody reads.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::message::{self, Outcome, call, request};
use testkit::wait::PATIENCE;

use crate::setup::{before, kib, legacy, modern, open, shell, toolgate};

/// What a program may make a gateway hold at its highest, in KiB, beside what it holds anyhow. Each flood here is longer.
const MOST: u64 = 128 * 1024;

/// A program: `ASIDE` runs before each answer to a call.
const FLOODS: &str = r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"server/discover"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"flood","inputSchema":{"type":"object"}}],"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"tools/call"'*)
        ASIDE
        echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete"}}' ;;
    esac
done"#;

/// So many megabytes of lines of ten kilobytes that begin and end so, to a shell.
fn lines(megabytes: usize, begin: &str, end: &str) -> String {
    format!(
        "head -c {} /dev/zero | tr '\\0' x | fold -w 10000 | sed 's/^/{begin}/; s/$/{end}/'; echo;",
        megabytes << 20
    )
}

#[test]
fn junk_on_stdout_and_stderr_and_a_line_that_does_not_end() -> anyhow::Result<()> {
    let endless = "head -c 200000000 /dev/zero | tr '\\0' '{'; echo;".to_owned();
    for (kind, aside) in [
        ("junk on stdout", lines(200, "", "")),
        ("junk on stderr", lines(200, "", "").replace("echo;", "").replace("/'; ", "/' >&2; ")),
        ("a line that does not end", endless),
    ] {
        let toolgate = before(toolgate()?, &open(), &shell(&FLOODS.replace("ASIDE", &aside)))?.serve()?;
        let client = legacy(&toolgate)?;
        client.tools()?;
        let before = kib(toolgate.pid(), "VmHWM")?;
        let outcome = client.call("flood", json!({}))?;
        ensure!(outcome == Outcome::Done("done".into()), "{kind}: {outcome:?}");
        let highest = kib(toolgate.pid(), "VmHWM")?;
        ensure!(highest < before + MOST, "{kind}: {before} KiB have become {highest} KiB");
    }
    Ok(())
}

#[test]
fn notifications_that_nobody_reads() -> anyhow::Result<()> {
    let begin = r#"{"jsonrpc":"2.0","method":"notifications\/message","params":{"level":"info","data":""#;
    // Longer than what may be held here by far.
    let (flood, most) = (8, 6 * 1024);
    let aside = lines(flood, begin, r#""}}"#);
    for is_modern in [false, true] {
        let toolgate = before(toolgate()?, &open(), &shell(&FLOODS.replace("ASIDE", &aside)))?.serve()?;
        let client = if is_modern { modern(&toolgate)? } else { legacy(&toolgate)? };
        client.tools()?;
        let before = kib(toolgate.pid(), "VmHWM")?;
        let asked = match is_modern {
            true => request(1, "tools/call", message::modern(json!({ "name": "flood", "arguments": {} }))),
            false => call(1, "flood", json!({})),
        };
        let unread = client.open(&asked)?;
        // The whole flood has come when the next call of the same program is answered.
        let mut next = asked.clone();
        next["id"] = json!(2);
        let answer = client.open(&next)?.answer(4 * PATIENCE)?;
        ensure!(Outcome::of(&answer.message()?).is_done());
        let highest = kib(toolgate.pid(), "VmHWM")?;
        ensure!(highest < before + most, "{before} KiB have become {highest} KiB");
        // What was said beside the answer may be lost; the answer is not.
        let answer = unread.answer(4 * PATIENCE)?;
        ensure!(Outcome::of(&answer.message()?).is_done());
    }
    Ok(())
}

/// An answer that begins so and goes on so for ever.
#[derive(Clone)]
struct Endless {
    /// The method that is answered with it.
    method: &'static str,
    begin: &'static str,
    piece: String,
}

/// Events and nothing else.
fn events(method: &'static str) -> Endless {
    let data = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x".repeat(16 * 1024) } });
    let begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    Endless { method, begin, piece: format!("data: {data}\n\n").repeat(4) }
}

/// A server with an answer that does not end. The rest it answers as it should.
fn flooding(endless: Endless) -> anyhow::Result<(String, std::sync::mpsc::Receiver<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let (gone, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (endless, gone) = (endless.clone(), gone.clone());
            std::thread::spawn(move || while serve(&stream, &endless, &gone).is_some() {});
        }
    });
    Ok((url, ended))
}

fn serve(mut stream: &TcpStream, endless: &Endless, gone: &std::sync::mpsc::Sender<()>) -> Option<()> {
    let mut wire = testkit::wire::Wire::new(stream.try_clone().ok()?);
    let head = wire.head(PATIENCE).ok()??;
    let body = wire.request_body(&head, PATIENCE).ok()?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(id) = message.get("id") else {
        return stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok();
    };
    let method = message.get("method")?.as_str()?;
    if method == endless.method {
        stream.write_all(endless.begin.as_bytes()).ok()?;
        while stream.write_all(endless.piece.as_bytes()).is_ok() {}
        let _ = gone.send(());
        return None;
    }
    let result = match method {
        "initialize" => {
            json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "s", "version": "1" } })
        }
        "tools/list" => json!({ "tools": [{ "name": "flood", "inputSchema": { "type": "object" } }] }),
        _ => json!({}),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
    stream.write_all(format!("{head}{answer}").as_bytes()).ok()
}

#[test]
fn events_without_an_end_cost_no_more_than_is_read_of_them() -> anyhow::Result<()> {
    let (url, ended) = flooding(events("tools/call"))?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{url}\"\ncalls_at_once = 1"))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let before = kib(toolgate.pid(), "VmHWM")?;
    let mut stream = client.open(&call(1, "flood", json!({})))?;
    // As many as would be three times what may be held.
    for _ in 0..3 * MOST / 16 {
        stream.event(PATIENCE)?.context("the stream has ended")?;
    }
    let highest = kib(toolgate.pid(), "VmHWM")?;
    ensure!(highest < before + MOST, "{before} KiB have become {highest} KiB");
    drop(stream);
    ended.recv_timeout(PATIENCE).context("the server was not left")?;
    // The only place is free again.
    let mut again = client.open(&call(2, "flood", json!({})))?;
    ensure!(again.next(PATIENCE)?.get("method").is_some());
    Ok(())
}

#[test]
fn a_head_without_an_end_is_left() -> anyhow::Result<()> {
    let field = format!("x-more: {}\r\n", "x".repeat(16 * 1024));
    let head = Endless { method: "tools/call", begin: "HTTP/1.1 200 OK\r\n", piece: field };
    let (url, ended) = flooding(head)?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{url}\""))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let before = kib(toolgate.pid(), "VmHWM")?;
    let answer = client.post_message(&call(1, "flood", json!({})))?.text();
    ensure!(answer.contains("is not known") && answer.contains("message head is too large"), "{answer}");
    ended.recv_timeout(PATIENCE).context("the server was not left")?;
    let highest = kib(toolgate.pid(), "VmHWM")?;
    ensure!(highest < before + MOST, "{before} KiB have become {highest} KiB");
    Ok(())
}

#[test]
fn a_list_that_drowns_in_events_is_given_up() -> anyhow::Result<()> {
    let (url, ended) = flooding(events("tools/list"))?;
    let reach = format!("url = \"{url}\"\nfirst_byte_seconds = 1\nidle_seconds = 1");
    let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
    let Outcome::Denied { text, .. } = legacy(&toolgate)?.call("flood", json!({}))? else {
        anyhow::bail!("not denied")
    };
    ensure!(text.contains("the server did not answer tools/list within 2s"), "{text}");
    ended.recv_timeout(PATIENCE).context("the server was not left")?;
    Ok(())
}
