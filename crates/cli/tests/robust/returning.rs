//! What is on its way back and not read: how much of it is held, and what becomes of the rest.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::{McpHttp, Open};
use testkit::message::call;
use testkit::toolgate::Toolgate;
use testkit::wait::{self, PATIENCE};
use testkit::wire::{Head, Wire};

use crate::setup::{all_at_once, kib, open, outcomes, program, shell, toolgate, word};

/// How long each long answer is, in bytes.
const LONG: usize = 8 * 1024 * 1024;

/// How many are asked for and not read: 320 MiB of them.
const ASKED: usize = 40;

/// What they may make the gateway hold at its highest, beside what it holds anyhow, in KiB: what a grant may have on its way
/// back, which is 64 MiB, what was read of a connection before there was room for it, and a message that is copied.
const MOST: u64 = 160 * 1024;

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In one piece of a known length.
    Known,
    /// Up to the end of the connection.
    Closed,
    /// As one event.
    Event,
    /// As one event, of which the last third comes when the first two of so many were sent.
    Parts(usize),
}

fn token(grant: usize) -> String {
    format!("tg_returning-{grant}-that-is-long-enough-0123456789ab")
}

/// A server that answers `long` so, and everything else shortly. It counts the calls of `long`.
fn server(form: Form) -> anyhow::Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut wire = Wire::new(stream);
                while let Ok(Some(head)) = wire.head(10 * PATIENCE) {
                    if serve(&mut wire, &head, form, &counted).is_none() {
                        return;
                    }
                }
            });
        }
    });
    Ok((url, calls))
}

fn serve(wire: &mut Wire, head: &Head, form: Form, calls: &AtomicUsize) -> Option<()> {
    let body = wire.request_body(head, PATIENCE).ok()?;
    wire.seen.clear();
    let stream = wire.stream();
    let message: Value = serde_json::from_slice(&body).ok()?;
    let Some(id) = message.get("id") else {
        return stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok();
    };
    let long = message.pointer("/params/name") == Some(&json!("long"));
    let result = match message.get("method")?.as_str()? {
        "initialize" => {
            json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "s", "version": "1" } })
        }
        "tools/list" => {
            let tools = ["short", "long"].map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
            json!({ "tools": tools })
        }
        _ => {
            json!({ "content": [{ "type": "text", "text": if long { "x".repeat(LONG) } else { "done".to_owned() } }] })
        }
    };
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    if !long {
        return stream.write_all(format!("{JSON}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok();
    }
    calls.fetch_add(1, Ordering::SeqCst);
    match form {
        Form::Known => {
            stream.write_all(format!("{JSON}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()
        }
        Form::Closed => {
            stream.write_all(format!("{JSON}connection: close\r\n\r\n{answer}").as_bytes()).ok()?;
            None
        }
        Form::Event => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            stream.write_all(format!("{head}data: {answer}\n\n").as_bytes()).ok()?;
            None
        }
        Form::Parts(asked) => {
            let (first, second) = answer.split_at(answer.len() / 32 * 21);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            stream.write_all(format!("{head}data: {first}").as_bytes()).ok()?;
            calls.fetch_add(1, Ordering::SeqCst);
            wait::for_it("the others", || calls.load(Ordering::SeqCst) >= 2 * asked).ok()?;
            stream.write_all(format!("{second}\n\n").as_bytes()).ok()?;
            None
        }
    }
}

/// The gateway before one server, for two grants.
fn gateway(reach: &str) -> anyhow::Result<Toolgate> {
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.s]\n{reach}\npolicy = \"policy.json\"\ncalls_at_once = 200\naccept = \"first\"\n"
    );
    for grant in 0..2 {
        setup.file(&format!("token-{grant}"), &token(grant))?;
        config.push_str(&format!(
            "[[grants]]\nlabel = \"agent-{grant}\"\nserver = \"s\"\ntoken_file = \"token-{grant}\"\n"
        ));
    }
    setup.config(&config)?.serve()
}

fn client(toolgate: &Toolgate, grant: usize) -> anyhow::Result<McpHttp> {
    let client = McpHttp::legacy(toolgate.url(), Some(&token(grant))).with_context(|| toolgate.stderr())?;
    client.tools()?;
    Ok(client)
}

/// A call whose answer is not read. Little of it fits in between.
fn unread(toolgate: &Toolgate, client: &McpHttp, id: usize) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(toolgate.address()?)?;
    socket2::SockRef::from(&stream).set_recv_buffer_size(4096)?;
    let body = call(i64::try_from(id)?, "long", json!({})).to_string();
    let fields: String = client.usual_headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream
        .write_all(format!("POST /mcp HTTP/1.1\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    Ok(stream)
}

/// The beginning of each answer, as far as it goes without reading much.
fn beginnings(streams: &[TcpStream]) -> anyhow::Result<Vec<String>> {
    let beginning = |stream: &TcpStream| {
        let mut stream = stream;
        stream.set_read_timeout(Some(4 * PATIENCE))?;
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer)?;
        Ok(String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).into_owned())
    };
    streams.iter().map(beginning).collect()
}

fn is_long(client: &McpHttp) -> bool {
    let answer = client.open(&call(7001, "long", json!({}))).and_then(|open: Open| open.answer(4 * PATIENCE));
    answer.is_ok_and(|answer| answer.text().len() > LONG && answer.status() == 200)
}

#[test]
fn long_answers_that_nobody_reads_take_a_bounded_room_and_no_call_is_made_twice() -> anyhow::Result<()> {
    for form in [Form::Known, Form::Closed, Form::Event] {
        let (url, calls) = server(form)?;
        let toolgate = gateway(&format!("url = \"{url}\"\nidle_seconds = 2"))?;
        let (one, other) = (client(&toolgate, 0)?, client(&toolgate, 1)?);
        let before = kib(toolgate.pid(), "VmHWM")?;
        let streams = (0..ASKED).map(|id| unread(&toolgate, &one, 100 + id)).collect::<anyhow::Result<Vec<_>>>()?;
        // Each has an answer in the end: its own, or why there is none.
        let begun = beginnings(&streams)?;
        wait::until("most answers to be given up", 4 * PATIENCE, || {
            let records = toolgate.setup.audit().ok()?;
            let unknown = records.iter().filter(|record| word(record, "outcome") == "unknown").count();
            (unknown > ASKED / 2).then_some(())
        })?;
        let highest = kib(toolgate.pid(), "VmHWM")?;
        ensure!(highest < before + MOST, "{form:?}: {before} KiB have become {highest} KiB");
        let refused = begun.iter().filter(|text| {
            text.contains("64 MiB of long answers of this grant are on their way already")
                && text.contains("Whether the call was carried out is not known")
        });
        let served = begun.iter().filter(|text| text.contains(" 200 OK")).count();
        let refused = refused.count();
        // The head of an event's stream is sent before it is known whether there is room for the event.
        ensure!(served >= 2, "{form:?}: {begun:?}");
        ensure!(
            form == Form::Event || refused + served == ASKED && refused > ASKED / 2,
            "{form:?}: {refused} {begun:?}"
        );
        ensure!(calls.load(Ordering::SeqCst) == ASKED, "{form:?}: each call is made once");
        ensure!(one.call("short", json!({}))?.is_done(), "{form:?}: a short answer passes");
        ensure!(is_long(&other), "{form:?}: and a long one of another grant");
        drop(streams);
        wait::for_it("the room to be free again", || is_long(&one))?;
        outcomes(&toolgate.setup, ASKED)?;
    }
    Ok(())
}

#[test]
fn long_answers_that_have_all_begun_come_to_their_end_one_after_the_other() -> anyhow::Result<()> {
    // Of all first parts there is room, and then for no other part.
    const TOGETHER: usize = 12;
    let (url, calls) = server(Form::Parts(TOGETHER))?;
    let toolgate = gateway(&format!("url = \"{url}\""))?;
    let one = client(&toolgate, 0)?;
    all_at_once(TOGETHER, |number| {
        let answer = one.open(&call(100 + i64::try_from(number)?, "long", json!({})))?.answer(4 * PATIENCE)?;
        ensure!(answer.text().len() > LONG, "{}", answer.text().chars().take(400).collect::<String>());
        Ok(())
    })?;
    ensure!(calls.load(Ordering::SeqCst) == 2 * TOGETHER, "each is asked for once");
    Ok(())
}

#[test]
fn long_answers_of_a_program_that_nobody_reads_take_a_bounded_room() -> anyhow::Result<()> {
    let script = r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"server/discover"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"short","inputSchema":{"type":"object"}},{"name":"long","inputSchema":{"type":"object"}}],"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"long"'*)
        printf '%s' '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"'
        head -c 8388608 /dev/zero | tr '\0' x
        echo '"}],"resultType":"complete"}}' ;;
    *'"tools/call"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete"}}' ;;
    esac
done"#;
    let toolgate = gateway(&shell(script))?;
    let modern = |grant| McpHttp::modern(toolgate.url(), Some(&token(grant)));
    let (one, other) = (modern(0)?, modern(1)?);
    let long = |id: i64| {
        let params = testkit::message::modern(json!({ "name": "long", "arguments": {} }));
        testkit::message::request(id, "tools/call", params)
    };
    one.tools()?;
    other.tools()?;
    let before = kib(toolgate.pid(), "VmHWM")?;
    let mut streams = Vec::new();
    for id in 0..i64::try_from(ASKED)? {
        let message = long(100 + id);
        let open = one.open(&message)?;
        streams.push(open);
    }
    // The program answers one after the other: all of it was said when this is answered.
    ensure!(one.call("short", json!({}))?.is_done(), "a short answer passes");
    let highest = kib(toolgate.pid(), "VmHWM")?;
    ensure!(highest < before + MOST + 64 * 1024, "{before} KiB have become {highest} KiB");
    let answer = other.open(&long(7001))?.answer(4 * PATIENCE)?;
    ensure!(answer.text().len() > LONG, "another grant has its long answer: {}", answer.status());
    let mut refused = 0;
    for stream in streams {
        let text = stream.answer(4 * PATIENCE)?.text();
        refused += usize::from(text.contains("64 MiB of long answers of this grant are on their way already"));
        ensure!(text.len() > LONG || text.contains("Whether the call was carried out is not known"), "{text}");
    }
    ensure!(refused > 0, "all of them fit");
    Ok(())
}

/// A server of HTTP+SSE whose streams begin an event of 16 MiB after the first one, and do not end it.
fn half_events() -> anyhow::Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/sse", listener.local_addr()?);
    let gone = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&gone);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let left = Arc::clone(&left);
            std::thread::spawn(move || {
                let mut wire = Wire::new(stream.try_clone().ok()?);
                let head = wire.head(PATIENCE).ok()??;
                if head.method() == "POST" {
                    wire.request_body(&head, PATIENCE).ok()?;
                    return stream
                        .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        .ok();
                }
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
                stream.write_all(format!("{head}event: endpoint\ndata: /messages\n\ndata: ").as_bytes()).ok()?;
                let sent = stream.write_all(&vec![b'x'; 16 * 1024 * 1024]);
                if sent.is_ok() {
                    stream.set_read_timeout(Some(10 * PATIENCE)).ok()?;
                    let _ = stream.read(&mut [0]);
                }
                left.fetch_add(1, Ordering::SeqCst);
                Some(())
            });
        }
    });
    Ok((url, gone))
}

#[test]
fn events_of_the_older_transport_that_do_not_end_are_given_up_and_take_a_bounded_room() -> anyhow::Result<()> {
    const SESSIONS: usize = 16;
    let (url, gone) = half_events()?;
    let toolgate = gateway(&format!("url = \"{url}\"\ntransport = \"sse\"\nidle_seconds = 2"))?;
    let client = McpHttp::new(toolgate.url(), Some(&token(0)))?;
    let before = kib(toolgate.pid(), "VmHWM")?;
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let opening = (0..SESSIONS)
        .map(|_| client.open(&testkit::message::request(1, "initialize", hello.clone())))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for open in opening {
        let text = open.answer(4 * PATIENCE)?.text();
        ensure!(
            text.contains("the server said nothing for 2s") || text.contains("64 MiB of what this server said"),
            "{text}"
        );
    }
    wait::until("the servers to be left", 4 * PATIENCE, || (gone.load(Ordering::SeqCst) == SESSIONS).then_some(()))?;
    let highest = kib(toolgate.pid(), "VmHWM")?;
    ensure!(highest < before + MOST, "{before} KiB have become {highest} KiB");
    Ok(())
}

/// How long the lines are that programs hold back or finish, in bytes: nearly the longest that there may be.
const LINE: usize = 31 * 1024 * 1024;

/// A program of the legacy era: `held` begins an answer of [`LINE`] and does not end it, `whole` does.
fn lines_of_programs() -> String {
    let long = r#"
    *'"held"'*|*'"whole"'*)
        printf '%s' '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"'
        head -c LINE /dev/zero | tr '\0' x
        case $line in
        *'"whole"'*) echo '"}]}}' ;;
        *) echo all of it is said >&2 ;;
        esac ;;"#;
    shell(&program(&["held", "whole"], &long.replace("LINE", &LINE.to_string())))
}

fn whole(client: &McpHttp) -> anyhow::Result<()> {
    let answer = client.open(&call(7002, "whole", json!({})))?.answer(4 * PATIENCE)?;
    let text = answer.text();
    ensure!(text.len() > LINE, "{} {}", answer.status(), text.chars().take(300).collect::<String>());
    Ok(())
}

#[test]
fn lines_that_programs_begin_and_do_not_end_take_a_bounded_room() -> anyhow::Result<()> {
    const SESSIONS: usize = 30;
    // Half of what the lines are together: beginnings that were left out may be given back to the system a little later.
    const PEAK: u64 = 15 * 31 * 1024;
    let toolgate = gateway(&lines_of_programs())?;
    let sessions = (0..SESSIONS).map(|_| client(&toolgate, 0)).collect::<anyhow::Result<Vec<_>>>()?;
    let other = client(&toolgate, 1)?;
    let (before, held_before) = (kib(toolgate.pid(), "VmHWM")?, kib(toolgate.pid(), "VmRSS")?);
    let held = sessions
        .iter()
        .map(|session| session.open(&call(7001, "held", json!({}))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    wait::until("all of the lines to be there", 10 * PATIENCE, || {
        (toolgate.stderr().matches("all of it is said").count() == SESSIONS).then_some(())
    })?;
    let highest = kib(toolgate.pid(), "VmHWM")?;
    ensure!(highest < before + PEAK, "{before} KiB have become {highest} KiB");
    wait::until("no more to be held than there is room for", 4 * PATIENCE, || {
        (kib(toolgate.pid(), "VmRSS").ok()? < held_before + MOST).then_some(())
    })?;
    // Two of them fit, and hold the room of this grant; the calls of the others have ended.
    let records = outcomes_of(&toolgate, SESSIONS - 2)?;
    ensure!(records.iter().all(|outcome| outcome == "unknown"), "{records:?}");
    whole(&other).context("another grant has its long answer")?;
    drop(held);
    Ok(())
}

/// How so many calls have ended at least.
fn outcomes_of(toolgate: &Toolgate, calls: usize) -> anyhow::Result<Vec<String>> {
    wait::until("the outcomes", PATIENCE, || {
        let records = toolgate.setup.audit().ok()?;
        let ended = records.iter().filter(|record| word(record, "kind") == "outcome");
        let ended: Vec<String> = ended.map(|record| word(record, "outcome").to_owned()).collect();
        (ended.len() >= calls).then_some(ended)
    })
}

#[test]
fn a_long_line_leaves_no_memory_behind_in_its_session() -> anyhow::Result<()> {
    const SESSIONS: usize = 12;
    let toolgate = gateway(&lines_of_programs())?;
    let sessions = (0..SESSIONS).map(|_| client(&toolgate, 0)).collect::<anyhow::Result<Vec<_>>>()?;
    let before = kib(toolgate.pid(), "VmRSS")?;
    sessions.iter().try_for_each(whole)?;
    // What is free goes back to the system after a while.
    wait::until("the memory to be given back", 4 * PATIENCE, || {
        (kib(toolgate.pid(), "VmRSS").ok()? < before + MOST).then_some(())
    })
}
