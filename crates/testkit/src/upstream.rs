//! An MCP server over HTTP that remembers every byte it was sent.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::message::notification;
use crate::record::{Log, Recorded};
use crate::script::{Script, Tool};
use crate::wait::{self, PATIENCE};

mod older;
mod plan;
mod reply;
mod serve;

pub use older::{Manners, Older};
pub use plan::{Step, plan};

/// The server. It stops listening when it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) script: Mutex<Script>,
    pub(crate) log: Log,
    pub(crate) streams: Mutex<Streams>,
    pub(crate) stopped: AtomicBool,
    pub(crate) numbers: AtomicUsize,
    /// A handle to each connection, to close it with the server.
    pub(crate) connections: Mutex<Vec<TcpStream>>,
}

/// Streams on which the server speaks unasked, what was sent on any stream under an id, and the
/// sessions that are open.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) listeners: Vec<std::sync::mpsc::Sender<Value>>,
    pub(crate) history: Vec<(String, Value)>,
    pub(crate) sessions: Vec<String>,
}

impl Shared {
    pub(crate) fn script(&self) -> Script {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn streams(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Upstream {
    /// Starts a server on a free port of loopback.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(script: Script) -> anyhow::Result<Self> {
        Self::start_at("127.0.0.1:0", script)
    }

    /// Starts a server at an address, for one that comes back.
    ///
    /// # Errors
    /// When it is taken.
    pub fn start_at(address: &str, script: Script) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("listening at {address}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            log: Log::default(),
            streams: Mutex::default(),
            stopped: AtomicBool::new(false),
            numbers: AtomicUsize::new(0),
            connections: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        std::thread::Builder::new().name("upstream".into()).spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if served.stopped.load(Ordering::Acquire) {
                    return;
                }
                if let (Ok(handle), Ok(mut all)) = (stream.try_clone(), served.connections.lock()) {
                    all.push(handle);
                }
                let shared = Arc::clone(&served);
                std::thread::spawn(move || serve::connection(&shared, number, stream));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// The endpoint, for `--upstream`.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The log, to wait for something in it.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.log().lock().requests.clone()
    }

    /// Every `tools/call` so far.
    pub fn calls(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| request.tool().is_some()).collect()
    }

    /// The names of the tools that were called so far.
    pub fn called(&self) -> Vec<String> {
        self.requests().iter().filter_map(Recorded::tool).collect()
    }

    /// How many requests of a JSON-RPC method came so far.
    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|request| request.rpc() == method).count()
    }

    /// All bytes that were received so far, connection by connection.
    pub fn raw(&self) -> Vec<Vec<u8>> {
        self.log().lock().raw.clone()
    }

    /// Waits for a request that `wanted` takes.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Recorded) -> bool) -> anyhow::Result<Recorded> {
        self.log().until(what, PATIENCE, |state| state.requests.iter().find(|request| wanted(request)).cloned())
    }

    /// Waits until a tool was called.
    ///
    /// # Errors
    /// When it is not.
    pub fn wait_for_call(&self, tool: &str) -> anyhow::Result<Recorded> {
        self.wait_for(&format!("a call of {tool}"), |request| request.tool().as_deref() == Some(tool))
    }

    /// Waits until so many clients went away unanswered.
    ///
    /// # Errors
    /// When they stay.
    pub fn wait_for_gone(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        self.log().until("a client that goes away", patience, |state| (state.gone >= count).then_some(()))
    }

    /// Opens a gate: calls of tools that wait at it are answered from now on.
    pub fn release(&self, gate: &str) {
        self.log().change(|state| state.open.push(gate.to_owned()));
    }

    /// Offers other tools from now on. Clients are not told: see [`Upstream::say_tools_changed`].
    pub fn set_tools(&self, tools: impl IntoIterator<Item = Tool>) {
        self.change_script(|script| script.tools = tools.into_iter().collect());
    }

    /// Changes the script from now on.
    pub fn change_script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.shared.script.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Sends a message on the streams that clients hold open for it: on one of them in the
    /// legacy era, on each subscription in the modern one. Gives whether there was a stream.
    pub fn say(&self, message: &Value) -> bool {
        let modern = self.shared.script().is_modern();
        let mut streams = self.shared.streams();
        let mut said = false;
        streams.listeners.retain(|listener| {
            if said && !modern {
                return true;
            }
            let sent = listener.send(message.clone()).is_ok();
            said |= sent;
            sent
        });
        said
    }

    /// Says that the tools have changed, once a stream is open for it.
    ///
    /// # Errors
    /// When no client listens.
    pub fn say_tools_changed(&self) -> anyhow::Result<()> {
        let message = notification("notifications/tools/list_changed", json!({}));
        wait::for_it("a stream for list_changed", || self.say(&message))
    }

    /// Forgets all sessions, as a server does that was started again.
    pub fn forget_sessions(&self) {
        self.shared.streams().sessions.clear();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits in accept.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        for connection in self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}
