//! A registered MCP server: how it is reached, what it is trusted with, what is known of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use policy::{Class, Numbers};
use tokio::sync::Semaphore;
use upstream::child::Command;
use upstream::http::Endpoint;

use crate::child_link::Backoff;
use crate::era::EraMemory;
use crate::measures::ServerMeasures;
use crate::pins::Pinning;
use crate::tasks::Offered;
use crate::tools::{KnownTools, ListBytes};
use crate::transport::TransportMemory;
use crate::trust::Trust;

pub use mcp::qualified::is_server_id;

/// How a server is reached.
#[derive(Debug, Clone)]
pub enum Reach {
    /// An HTTP endpoint: of Streamable HTTP, unless it turns out to be of HTTP+SSE.
    Http(Endpoint),
    /// An endpoint of HTTP+SSE, the transport of 2024-11-05.
    Sse(Endpoint),
    /// A program that speaks on stdin and stdout.
    Child(Command),
}

/// How much of a denial's working the agent is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Denials {
    /// Reason, rule and decision id.
    #[default]
    Plain,
    /// Also the operands that the rule compared.
    Full,
}

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// Until a connection stands. Default 5 s.
    pub connect: Duration,
    /// Until the answer begins. Default 300 s.
    pub first_byte: Duration,
    /// Between two pieces of an answer; progress counts as a piece. Default 300 s.
    pub idle: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), first_byte: Duration::from_secs(300), idle: Duration::from_secs(300) }
    }
}

/// Calls that may be under way at once at a child process, unless configured.
pub const CHILD_CALLS: usize = 64;

/// Calls that may be under way at once at an HTTP endpoint, unless configured.
pub const HTTP_CALLS: usize = 256;

/// What an operator says of a server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `[a-z0-9-]{1,40}`.
    pub id: String,
    /// How it is reached.
    pub reach: Reach,
    /// Whether the server keeps every digit of a number.
    pub numbers: Numbers,
    /// How much a denial tells.
    pub denials: Denials,
    /// Risk classes that the operator has set, by tool.
    pub classes: HashMap<String, Class>,
    /// How long it may take.
    pub limits: TimeLimits,
    /// Calls at once; `None` for the default of its kind.
    pub calls_at_once: Option<usize>,
    /// How long its lists may be.
    pub list_bytes: ListBytes,
}

/// A registered server, shared by every grant that leads to it.
#[derive(Debug)]
pub struct Server {
    /// What the operator says of it.
    pub config: ServerConfig,
    /// Its tools, as far as they are known.
    pub tools: KnownTools,
    /// Which definitions of them were accepted.
    pub pins: Arc<Pinning>,
    /// One permit for each call that may be under way.
    pub calls: Arc<Semaphore>,
    /// How many permits there are.
    most_calls: usize,
    /// What is counted of it.
    pub measures: ServerMeasures,
    /// Which protocol eras it speaks, where that had to be found out.
    pub era: EraMemory,
    /// How it is spoken to, where that had to be found out.
    pub transport: TransportMemory,
    /// Whether it offers tasks.
    pub tasks: Offered,
    /// Keeps its program from being restarted in a tight loop.
    pub backoff: Backoff,
    /// Whether its certificate is trusted.
    pub trust: Trust,
    /// Held while a program is started that many share: whoever comes meanwhile waits for that one.
    pub(crate) starting: tokio::sync::Mutex<()>,
}

impl Server {
    /// Registers a server of which nothing is known yet, and whose definitions count as they come.
    pub fn new(config: ServerConfig) -> Arc<Self> {
        Self::pinned(config, Pinning::open())
    }

    /// Registers a server of whose tools those may be called that were accepted.
    pub fn pinned(config: ServerConfig, pins: Pinning) -> Arc<Self> {
        let calls = config.calls_at_once.unwrap_or(match config.reach {
            Reach::Http(_) | Reach::Sse(_) => HTTP_CALLS,
            Reach::Child(_) => CHILD_CALLS,
        });
        let calls = calls.min(Semaphore::MAX_PERMITS);
        let tools = KnownTools::within(config.list_bytes);
        Arc::new(Self {
            config,
            tools,
            pins: Arc::new(pins),
            calls: Arc::new(Semaphore::new(calls)),
            most_calls: calls,
            measures: ServerMeasures::default(),
            era: EraMemory::default(),
            transport: TransportMemory::default(),
            tasks: Offered::default(),
            backoff: Backoff::default(),
            trust: Trust::default(),
            starting: tokio::sync::Mutex::default(),
        })
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.most_calls.saturating_sub(self.calls.available_permits())
    }

    /// The server's id.
    pub fn id(&self) -> &str {
        &self.config.id
    }
}
