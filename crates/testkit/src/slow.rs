//! A way to a server that delays, or swallows, what comes back.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A proxy before a server on this machine.
#[derive(Debug)]
pub struct Slow {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Milliseconds by which every answer is late.
    delay: AtomicU64,
    /// Whether answers are lost, and the connection with them.
    swallows: AtomicBool,
    stopped: AtomicBool,
}

impl Slow {
    /// A proxy before a port, without delay.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(server: u16) -> anyhow::Result<Self> {
        Self::before(move || TcpStream::connect(("127.0.0.1", server)))
    }

    /// A proxy before a socket in a folder, without delay.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn before_socket(server: PathBuf) -> anyhow::Result<Self> {
        Self::before(move || UnixStream::connect(&server))
    }

    fn before<S: Stream>(reach: impl Fn() -> io::Result<S> + Send + 'static) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Acquire) {
                    return;
                }
                let Ok(server) = reach() else { continue };
                relay(client, server, &shared);
            }
        });
        Ok(Self { port, state })
    }

    /// Where clients reach a Redis through it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where clients reach the server through it, on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Delays every answer from now on.
    pub fn delay(&self, by: Duration) {
        self.state.delay.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Lets requests through, and cuts the connection in place of the answer.
    pub fn swallow(&self, on: bool) {
        self.state.swallows.store(on, Ordering::Release);
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Release);
        // It waits for somebody to come.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection of either kind.
trait Stream: Read + Write + Send + Sized + 'static {
    fn another(&self) -> io::Result<Self>;
    fn end(&self);
}

impl Stream for TcpStream {
    fn another(&self) -> io::Result<Self> {
        self.set_nodelay(true)?;
        self.try_clone()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Stream for UnixStream {
    fn another(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

fn relay<S: Stream>(client: TcpStream, server: S, state: &Arc<State>) {
    let (Ok(client_reads), Ok(server_reads)) = (client.another(), server.another()) else { return };
    let state = Arc::clone(state);
    std::thread::spawn(move || pass(client_reads, server, |_| true));
    std::thread::spawn(move || {
        pass(server_reads, client, |came| {
            // As it is when the answer comes, and while it is held back.
            loop {
                let due = came + Duration::from_millis(state.delay.load(Ordering::Acquire));
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return !state.swallows.load(Ordering::Acquire);
                }
                std::thread::park_timeout(left.min(Duration::from_millis(20)));
            }
        });
    });
}

/// Passes on what comes, for as long as `may` says so.
fn pass(mut from: impl Stream, mut to: impl Stream, may: impl Fn(Instant) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut bytes) {
        let Some(chunk) = bytes.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
        if !may(Instant::now()) || to.write_all(chunk).is_err() {
            break;
        }
    }
    from.end();
    to.end();
}
