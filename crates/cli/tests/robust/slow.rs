//! A thousand clients that are slow with everything, beside one that is not: what they cost, and when they are left.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::{McpHttp, Open};
use testkit::figures::figure;
use testkit::message::call;
use testkit::toolgate::Toolgate;
use testkit::wait::{self, PATIENCE};
use testkit::wire::{Head, Wire};

use crate::setup::{kib, open, rounds, toolgate};

/// Clients of each kind: slow with a head, with a body, with reading, and with saying anything at all.
const EACH: usize = 250;

/// Grants that they share: each may hold 64 streams.
const GRANTS: usize = 5;

/// What a thousand of them may make the gateway hold at its highest, beside what it holds anyhow, in KiB. What they send and
/// ask for is a multiple of it.
const MOST: u64 = 1000 * 512;

/// What each slow body has sent when it becomes slow, and what it says that it will send, in bytes.
const BODY: (usize, usize) = (1024 * 1024, 4 * 1024 * 1024);

/// What the gateway promises: longer than this nobody takes with a body, and so long nobody takes nothing.
const PROMISED: Duration = Duration::from_secs(60);

/// Good calls of a round.
const CALLS: usize = 300;

/// When nothing was sent for so long, nothing more fits.
const HALT: Duration = Duration::from_secs(1);

fn token(grant: usize) -> String {
    format!("tg_slow-client-{grant}-that-is-long-enough-0123456789")
}

/// A server that answers `echo`, does not end its answer to `flood`, and says nothing on streams.
struct Server {
    url: String,
    /// Told when an answer to `flood` is given up.
    given_up: mpsc::Receiver<()>,
    seen: Arc<Seen>,
}

/// What the server saw of its answers to `flood`.
#[derive(Default)]
struct Seen {
    /// How many events of them were sent.
    sent: AtomicUsize,
    /// How many have begun and were not given up.
    open: AtomicUsize,
}

fn server() -> anyhow::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let (gone, given_up) = mpsc::channel();
    let seen = Arc::new(Seen::default());
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (gone, seen) = (gone.clone(), Arc::clone(&counted));
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let mut wire = Wire::new(stream);
                // Idle connections of a pool are kept, however long nobody uses them.
                while let Ok(Some(head)) = wire.head(Duration::from_secs(3600)) {
                    if serve(&mut wire, &head, &gone, &seen).is_none() {
                        return;
                    }
                }
            });
        }
    });
    Ok(Server { url, given_up, seen })
}

fn serve(wire: &mut Wire, head: &Head, gone: &mpsc::Sender<()>, seen: &Seen) -> Option<()> {
    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let body = wire.request_body(head, PATIENCE).ok()?;
    wire.seen.clear();
    let stream = wire.stream();
    if head.method() != "POST" {
        stream.write_all(STREAM).ok()?;
        stream.set_read_timeout(None).ok()?;
        let _ = stream.read(&mut [0]);
        return None;
    }
    let message: Value = serde_json::from_slice(&body).ok()?;
    let Some(id) = message.get("id") else {
        return stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok();
    };
    let result = match message.get("method")?.as_str()? {
        "initialize" => {
            json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "s", "version": "1" } })
        }
        "tools/list" => {
            let tools = ["echo", "flood"].map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
            json!({ "tools": tools })
        }
        "tools/call" if message.pointer("/params/name") == Some(&json!("flood")) => {
            seen.open.fetch_add(1, Ordering::Relaxed);
            let data = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x".repeat(64 * 1024) } });
            let event = format!("data: {data}\n\n");
            if stream.write_all(STREAM).is_ok() {
                while stream.write_all(event.as_bytes()).is_ok() {
                    seen.sent.fetch_add(1, Ordering::Relaxed);
                }
            }
            seen.open.fetch_sub(1, Ordering::Relaxed);
            let _ = gone.send(());
            return None;
        }
        _ => json!({ "content": [{ "type": "text", "text": "done" }] }),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: one\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()
}

/// The gateway before that server, with as many grants as there are to be.
fn gateway(url: &str) -> anyhow::Result<Toolgate> {
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.s]\nurl = \"{url}\"\npolicy = \"policy.json\"\ncalls_at_once = 1000\naccept = \"first\"\n"
    );
    for grant in 0..GRANTS {
        setup.file(&format!("token-{grant}"), &token(grant))?;
        config.push_str(&format!(
            "[[grants]]\nlabel = \"agent-{grant}\"\nserver = \"s\"\ntoken_file = \"token-{grant}\"\n"
        ));
    }
    setup.config(&config)?.serve()
}

fn client(toolgate: &Toolgate, grant: usize) -> anyhow::Result<McpHttp> {
    McpHttp::legacy(toolgate.url(), Some(&token(grant))).with_context(|| toolgate.stderr())
}

/// The head of a POST, up to its last empty line.
fn head(client: &McpHttp, length: usize) -> String {
    let fields: String = client.usual_headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST /mcp HTTP/1.1\r\n{fields}Content-Length: {length}\r\n")
}

/// The slow clients. They are gone when this is dropped.
struct Slow {
    sending: Vec<TcpStream>,
    _reading: Vec<TcpStream>,
    _idle: Vec<Open>,
}

impl Slow {
    /// Lets all of them begin: what each kind does fast is done when this returns.
    fn begin(server: &Server, toolgate: &Toolgate, clients: &[McpHttp]) -> anyhow::Result<Self> {
        let of = |number: usize| clients.get(number % GRANTS).context("a client");
        let mut slow = Self { sending: Vec::new(), _reading: Vec::new(), _idle: Vec::new() };
        for number in 0..EACH {
            slow.sending.push(slow_head(toolgate, of(number)?)?);
            slow.sending.push(slow_body(toolgate, of(number)?)?);
            slow._reading.push(slow_reader(toolgate, of(number)?)?);
            let mut idle = of(number)?.listen(None)?;
            ensure!(idle.head(PATIENCE)?.status() == Some(200), "an idle stream");
            slow._idle.push(idle);
        }
        // What fits between the server and those that read nothing goes there first.
        let mut last = (0, Instant::now());
        wait::until("the answers to come to a halt", 10 * PATIENCE, || {
            let sent = server.seen.sent.load(Ordering::Relaxed);
            if sent != last.0 {
                last = (sent, Instant::now());
            }
            (sent >= EACH && last.1.elapsed() > HALT).then_some(())
        })?;
        Ok(slow)
    }

    /// Goes on as slowly as can be until it is told to stop: a byte of each a second. Those that the gateway has left are
    /// left alone.
    fn drip(&mut self, stop: mpsc::Receiver<()>) {
        while stop.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            for stream in &mut self.sending {
                let _ = stream.write(b"x");
            }
        }
    }
}

/// A head of which 16 KiB are there, and which does not end.
fn slow_head(toolgate: &Toolgate, client: &McpHttp) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(toolgate.address()?)?;
    stream.write_all(format!("{}X-Slow: {}", head(client, 1), "x".repeat(16 * 1024)).as_bytes())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A body of which a megabyte is there, as far as the gateway takes it.
fn slow_body(toolgate: &Toolgate, client: &McpHttp) -> anyhow::Result<TcpStream> {
    let (sent, said) = BODY;
    let mut stream = TcpStream::connect(toolgate.address()?)?;
    stream.write_all(format!("{}\r\n", head(client, said)).as_bytes())?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match stream.write_all(&vec![b' '; sent]) {
        // One that is refused is closed.
        Err(error) if !matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            return Err(error.into());
        }
        _ => {}
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A call whose answer does not end, and is not read. Little of it fits in between.
fn slow_reader(toolgate: &Toolgate, client: &McpHttp) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(toolgate.address()?)?;
    socket2::SockRef::from(&stream).set_recv_buffer_size(4096)?;
    let body = call(1, "flood", json!({})).to_string();
    stream.write_all(format!("{}\r\n{body}", head(client, body.len())).as_bytes())?;
    Ok(stream)
}

/// What a process has worked so far, in ticks of the system.
fn worked(pid: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind its name, which may hold anything: user's and system's time are the twelfth and the thirteenth field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Ok(fields.map(str::parse::<u64>).sum::<Result<u64, _>>()?)
}

/// Waits until the gateway has done with whoever has left: what is quiet is measured then.
fn at_rest(toolgate: &Toolgate) -> anyhow::Result<()> {
    let mut last = (worked(toolgate.pid())?, Instant::now());
    wait::until("the gateway to be at rest", 10 * PATIENCE, || {
        let worked = worked(toolgate.pid()).ok()?;
        if worked != last.0 {
            last = (worked, Instant::now());
        }
        (last.1.elapsed() > HALT).then_some(())
    })
}

/// How long each of so many good calls took, one after the other.
fn good_calls(client: &McpHttp, count: usize) -> anyhow::Result<Vec<Duration>> {
    let good = |_| {
        let begun = Instant::now();
        ensure!(client.call("echo", json!({}))?.is_done());
        Ok(begun.elapsed())
    };
    (0..count).map(good).collect()
}

/// So many good calls beside a thousand slow clients.
fn beside(
    server: &Server,
    toolgate: &Toolgate,
    clients: &[McpHttp],
    good: &McpHttp,
    count: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut slow = Slow::begin(server, toolgate, clients)?;
    let (stop, stopped) = mpsc::channel();
    let took = std::thread::scope(|scope| {
        let slow = &mut slow;
        scope.spawn(move || slow.drip(stopped));
        let took = good_calls(good, count);
        drop(stop);
        took
    });
    drop(slow);
    // Those of the next round are a thousand again, and not these and a thousand.
    wait::for_it("the gateway to have left the slow clients", || server.seen.open.load(Ordering::Relaxed) == 0)?;
    took
}

#[test]
fn a_thousand_slow_clients_cost_a_bounded_amount_and_hold_nobody_up() -> anyhow::Result<()> {
    let server = server()?;
    let toolgate = gateway(&server.url)?;
    let clients: Vec<McpHttp> = (0..GRANTS).map(|grant| client(&toolgate, grant)).collect::<anyhow::Result<_>>()?;
    // Under a grant that slow clients use too.
    let good = client(&toolgate, 0)?;
    good.tools()?;
    good_calls(&good, CALLS)?;
    let before = kib(toolgate.pid(), "VmHWM")?;
    let (mut quiet, mut slow) = (Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does is in both.
    for _ in 0..rounds(1)? {
        at_rest(&toolgate)?;
        quiet.extend(good_calls(&good, CALLS)?);
        slow.extend(beside(&server, &toolgate, &clients, &good, CALLS)?);
    }
    let highest = kib(toolgate.pid(), "VmHWM")?;
    figure(
        &format!("MiB that {} slow clients took at their highest, beside {} MiB", 4 * EACH, before / 1024),
        (highest - before) / 1024,
    )?;
    // How long anything takes is for whoever measures on a quiet machine to judge.
    let (quiet, slow) = (p99(quiet), p99(slow));
    figure(
        &format!("p99 of good calls beside {} slow clients, as a multiple of {quiet:?} without them", 4 * EACH),
        format!("{:.2}", slow.as_secs_f64() / quiet.as_secs_f64()),
    )?;
    ensure!(highest < before + MOST, "{before} KiB have become {highest} KiB");
    Ok(())
}

/// What 99 of 100 took at most.
fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    let place = took.len() * 99 / 100;
    took.get(place.min(took.len().saturating_sub(1))).copied().unwrap_or_default()
}

#[test]
fn whoever_is_slow_with_a_body_or_takes_nothing_is_left() -> anyhow::Result<()> {
    let server = server()?;
    let toolgate = gateway(&server.url)?;
    let client = client(&toolgate, 0)?;
    client.tools()?;
    let mut body = slow_body(&toolgate, &client)?;
    let _reading = slow_reader(&toolgate, &client)?;
    // It is slow all the time, and not silent.
    body.set_nonblocking(false)?;
    body.set_read_timeout(Some(Duration::from_secs(1)))?;
    let (begun, mut said) = (Instant::now(), String::new());
    loop {
        let mut buffer = [0; 4096];
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => said.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                ensure!(begun.elapsed() < 10 * PROMISED, "the body is still awaited");
                body.write_all(b"x")?;
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !said.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(said.contains(" 408 ") && said.contains("a body has 60 s"), "{said}");
    server
        .given_up
        .recv_timeout(10 * PROMISED)
        .context("whoever reads nothing still holds a connection to the server")?;
    Ok(())
}

#[test]
fn long_messages_that_do_not_end_leave_room_for_short_ones_and_for_others() -> anyhow::Result<()> {
    let server = server()?;
    let toolgate = gateway(&server.url)?;
    let (one, other) = (client(&toolgate, 0)?, client(&toolgate, 1)?);
    one.tools()?;
    let mut held = (0..28).map(|_| slow_body(&toolgate, &one)).collect::<anyhow::Result<Vec<_>>>()?;
    let long = call(1, "echo", json!({ "long": "x".repeat(3 * 1024 * 1024) })).to_string();
    // 32 MiB are there for one token: soon no room is left for three more.
    let refused = wait::until("a refusal", PATIENCE, || {
        held.extend(slow_body(&toolgate, &one));
        one.post(long.as_bytes()).ok().filter(|answer| answer.status() != 200)
    })?;
    ensure!(
        refused.status() == 503 && refused.text().contains("32 MiB of long messages of this token"),
        "{} {}",
        refused.status(),
        refused.text()
    );
    ensure!(one.call("echo", json!({}))?.is_done(), "a short one passes");
    ensure!(other.post(long.as_bytes())?.status() == 200, "and a long one of another");
    drop(held);
    wait::for_it("the room to be free again", || one.post(long.as_bytes()).is_ok_and(|answer| answer.status() == 200))
}
