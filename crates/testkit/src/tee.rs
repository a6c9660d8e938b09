//! Watching what reaches a real server, over HTTP or stdio.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::record::Log;
use crate::wire::find;

/// A relay that keeps every byte that goes to the server.
#[derive(Debug)]
pub struct HttpTee {
    address: SocketAddr,
    log: Log,
    stopped: Arc<AtomicBool>,
}

impl HttpTee {
    /// Relays to `server`, as `host:port`.
    ///
    /// # Errors
    /// When there is no port to listen on, or the server's name means no address.
    pub fn start(server: &str) -> anyhow::Result<Self> {
        let server = server.to_socket_addrs()?.next().with_context(|| format!("no address of {server}"))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (log, stopped) = (Log::default(), Arc::new(AtomicBool::new(false)));
        let (kept, stop) = (log.clone(), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for agent in listener.incoming().flatten() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                let kept = kept.clone();
                std::thread::spawn(move || relay(agent, server, &kept));
            }
        });
        Ok(Self { address, log, stopped })
    }

    /// The port, to be put in the server's URL.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether this text was in what went to the server.
    pub fn saw(&self, text: &str) -> bool {
        self.log.lock().raw.iter().any(|raw| find(raw, text.as_bytes()).is_some())
    }

    /// How often this text was in what went to the server.
    pub fn count(&self, text: &str) -> usize {
        let state = self.log.lock();
        state.raw.iter().map(|raw| String::from_utf8_lossy(raw).matches(text).count()).sum()
    }
}

impl Drop for HttpTee {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn relay(agent: TcpStream, server: SocketAddr, log: &Log) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let (Ok(down_from), Ok(down_to)) = (server.try_clone(), agent.try_clone()) else { return };
    let down = std::thread::spawn(move || copy(down_from, down_to, |_| ()));
    let slot = log.change(|state| {
        state.raw.push(Vec::new());
        state.raw.len() - 1
    });
    copy(agent, server, |bytes| {
        log.change(|state| {
            if let Some(raw) = state.raw.get_mut(slot) {
                raw.extend_from_slice(bytes);
            }
        });
    });
    let _ = down.join();
}

/// Copies until the end, telling of the bytes before they go on.
fn copy(mut from: TcpStream, mut to: TcpStream, mut tell: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        tell(bytes);
        if count == 0 || to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// One event in the file of a recording or watched stdio server.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began, with these variables in its environment.
    Started {
        /// Its process.
        pid: u32,
        /// Names and values of its environment.
        environment: Vec<(String, String)>,
    },
    /// It started a process of its own.
    Grandchild {
        /// The process.
        pid: u32,
    },
    /// A line on stdin.
    Line(String),
    /// The end of stdin.
    End,
}

/// Everything in such a file so far. A last line that is still being written is left out.
pub fn events(file: &Path) -> Vec<Event> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let complete = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
    complete.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The messages among [`events`].
pub fn messages(file: &Path) -> Vec<Value> {
    let lines = events(file).into_iter().filter_map(|event| match event {
        Event::Line(line) => Some(line),
        _ => None,
    });
    lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
}

/// The names of the tools that were called, by [`messages`].
pub fn called(file: &Path) -> Vec<String> {
    let calls =
        messages(file).into_iter().filter(|message| message.get("method").is_some_and(|method| method == "tools/call"));
    calls.filter_map(|call| call.pointer("/params/name")?.as_str().map(str::to_owned)).collect()
}

/// Adds an event to a file, in one write.
///
/// # Errors
/// When it cannot be written.
pub fn record(file: &Path, event: &Event) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut open = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    Ok(open.write_all(&line)?)
}
