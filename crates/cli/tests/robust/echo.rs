//! A server that keeps nothing but how often each marker arrived, so that it serves as many calls as are wanted; and that
//! fails in every way in which one can after it was sent a call.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// What the tools of the server do with a call, by their names.
pub(crate) const FAILING: [&str; 7] = ["close", "reset", "half", "busy", "redirect", "junk", "hang"];

/// How often each marker arrived.
#[derive(Clone, Default)]
pub(crate) struct Arrived(Arc<Mutex<HashMap<String, usize>>>);

impl Arrived {
    fn add(&self, marker: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(marker.to_owned()).or_default() += 1;
    }

    /// How often this one did.
    pub(crate) fn of(&self, marker: &str) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(marker).copied().unwrap_or_default()
    }

    /// How many did, and how many of them more than once.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (all.len(), all.values().filter(|times| **times > 1).count())
    }
}

/// Starts the server, without sessions, and gives its URL.
pub(crate) fn start() -> anyhow::Result<(String, Arrived)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let arrived = Arrived::default();
    let seen = arrived.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = seen.clone();
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let mut pending = Vec::new();
                while serve(&stream, &mut pending, &seen).is_some() {}
            });
        }
    });
    Ok((url, arrived))
}

/// The body of the next request, and whether it is a POST.
fn request(mut stream: &TcpStream, pending: &mut Vec<u8>, arrived: &Arrived) -> Option<(String, bool)> {
    let mut buffer = [0; 64];
    loop {
        let text = String::from_utf8_lossy(pending);
        if text.contains("\"name\":\"reset\"") && text.contains("\"marker\":\"") {
            // All of it was sent, and a part was not read when the connection is closed: that resets it.
            let marker = text.split("\"marker\":\"").nth(1).and_then(|rest| rest.split_once('"'));
            if let Some((marker, _)) = marker {
                arrived.add(marker);
                return None;
            }
        }
        if let Some(end) = testkit::wire::find(pending, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(pending.get(..end)?).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if pending.len() >= whole {
                let body = String::from_utf8_lossy(pending.get(end + 4..whole)?).into_owned();
                pending.drain(..whole);
                return Some((body, head.starts_with("post")));
            }
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        pending.extend_from_slice(buffer.get(..read)?);
    }
}

fn serve(mut stream: &TcpStream, pending: &mut Vec<u8>, arrived: &Arrived) -> Option<()> {
    let (body, is_post) = request(stream, pending, arrived)?;
    if !is_post {
        return stream.write_all(b"HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n").ok();
    }
    let message: Value = serde_json::from_str(&body).ok()?;
    let Some(id) = message.get("id") else {
        return stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok();
    };
    let tools = FAILING.iter().chain(&["echo"]);
    let result = match message.get("method")?.as_str()? {
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "s", "version": "1" },
        }),
        "tools/list" => {
            let tools: Vec<_> =
                tools.map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
            json!({ "tools": tools, "resultType": "complete", "ttlMs": 300_000, "cacheScope": "public" })
        }
        "tools/call" => {
            let marker = message.pointer("/params/arguments/marker")?.as_str()?;
            arrived.add(marker);
            match message.pointer("/params/name")?.as_str()? {
                "close" => return None,
                "half" => {
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
                    stream.write_all(head.as_bytes()).ok()?;
                    return None;
                }
                "busy" => {
                    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
                    return stream.write_all(busy.as_bytes()).ok();
                }
                "redirect" => {
                    let there = "HTTP/1.1 307 There\r\nlocation: /mcp\r\ncontent-length: 0\r\n\r\n";
                    return stream.write_all(there.as_bytes()).ok();
                }
                "junk" => {
                    stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").ok()?;
                    return None;
                }
                "hang" => {
                    let _ = stream.read(&mut [0]);
                    return None;
                }
                _ => json!({ "content": [{ "type": "text", "text": marker }], "resultType": "complete" }),
            }
        }
        _ => json!({}),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()
}
