//! The connection, and the breaker before it.
//!
//! One connection carries the requests of all calls. The first that gets no answer in time, or an answer that says
//! that Redis cannot count, opens the breaker: from then on calls fail at once. A task in the background
//! asks again, at least once a second, and closes it when Redis can be read *and written*.

mod inspection;

pub(crate) use self::inspection::enough;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use quota::StoreDown;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::options::{BadOptions, Options};

/// The longest time between two attempts to reach a Redis that is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The first of these times.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How long connecting may take: names are looked up, and keys are agreed on.
const CONNECTING: Duration = Duration::from_secs(1);

/// A Redis that may be away.
#[derive(Debug)]
pub(crate) struct Link {
    inner: Arc<Inner>,
    tripped: Arc<Notify>,
}

struct Inner {
    client: redis::Client,
    address: String,
    options: Options,
    /// What is loaded into every server that is connected to.
    scripts: &'static [&'static str],
    state: ArcSwap<State>,
    serial: AtomicU64,
    /// When this began, and how many microseconds Redis's clock was ahead of it.
    since: Instant,
    ahead: AtomicI64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

enum State {
    Up(Up),
    Down(StoreDown),
}

/// A connection to a Redis that can count.
#[derive(Clone)]
pub(crate) struct Up {
    connection: MultiplexedConnection,
    /// Names this life of the server process.
    pub(crate) run: Arc<str>,
    /// Whether counts that another life left are all that was taken.
    pub(crate) trusted: bool,
    serial: u64,
}

/// Why a request has no answer.
pub(crate) enum Failed {
    /// Redis does not know the script: nothing was done.
    NoScript,
    /// The breaker is open now.
    Down(StoreDown),
}

impl Link {
    /// Begins to reach Redis, in the background: it may be away.
    pub(crate) fn open(
        options: Options,
        scripts: &'static [&'static str],
        runtime: &Handle,
    ) -> Result<Self, BadOptions> {
        let (client, address) = options.client()?;
        let connecting = StoreDown { reason: format!("Redis at {address} is being connected to") };
        let tripped = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            client,
            address,
            options,
            scripts,
            state: ArcSwap::from_pointee(State::Down(connecting)),
            serial: AtomicU64::new(1),
            since: Instant::now(),
            ahead: AtomicI64::new(0),
        });
        runtime.spawn(keep(Arc::downgrade(&inner), Arc::clone(&tripped)));
        Ok(Self { inner, tripped })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn client(&self) -> &redis::Client {
        &self.inner.client
    }

    /// The connection, if the breaker is closed.
    pub(crate) fn up(&self) -> Result<Up, StoreDown> {
        match &**self.inner.state.load() {
            State::Up(up) => Ok(up.clone()),
            State::Down(down) => Err(down.clone()),
        }
    }

    /// Sends requests in one piece and awaits their answers, within the time limit.
    pub(crate) async fn ask(&self, up: &Up, requests: &Pipeline, count: usize) -> Result<Vec<Value>, Failed> {
        self.ask_within(up, requests, count, self.options().timeout.get()).await
    }

    /// [`ask`](Self::ask) with a time limit of its own.
    pub(crate) async fn ask_within(
        &self,
        up: &Up,
        requests: &Pipeline,
        count: usize,
        limit: Duration,
    ) -> Result<Vec<Value>, Failed> {
        let mut connection = up.connection.clone();
        let told = timeout(limit, connection.send_packed_commands(requests, 0, count)).await;
        let answers = match told {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return Err(self.failed(up, &error)),
            Err(_) => return Err(Failed::Down(self.trip(up, &silent(limit)))),
        };
        // An answer may be an error of its own.
        match answers.into_iter().map(Value::extract_error).collect::<Result<Vec<Value>, _>>() {
            Ok(answers) => Ok(answers),
            Err(error) => Err(self.failed(up, &error)),
        }
    }

    fn failed(&self, up: &Up, error: &RedisError) -> Failed {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            return Failed::NoScript;
        }
        Failed::Down(self.trip(up, &said(error)))
    }

    /// Opens the breaker, unless another connection has taken the place of this one.
    pub(crate) fn trip(&self, up: &Up, what: &str) -> StoreDown {
        let down = self.inner.down(what);
        self.inner.state.rcu(|state| match &**state {
            State::Up(now) if now.serial == up.serial => Arc::new(State::Down(down.clone())),
            _ => Arc::clone(state),
        });
        self.tripped.notify_one();
        down
    }

    /// Looks again whether Redis is one that can count, and opens the breaker if it is not.
    pub(crate) async fn inspect(&self) {
        let Ok(up) = self.up() else { return };
        if let Err(what) = inspection::inspect(&up.connection, &self.inner.options).await {
            self.trip(&up, &what);
        }
    }

    /// The time of Redis's clock in microseconds, as far as its last answer told; never ahead of it but for
    /// drift.
    pub(crate) fn time(&self) -> i64 {
        self.inner.elapsed().saturating_add(self.inner.ahead.load(Ordering::Relaxed))
    }

    /// Learns from an answer how late it is.
    pub(crate) fn learn(&self, time: i64) {
        self.inner.learn(time);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The keeper wakes, and finds nothing to keep.
        self.tripped.notify_one();
    }
}

impl Inner {
    fn down(&self, what: &str) -> StoreDown {
        StoreDown {
            reason: format!(
                "Redis at {} {what}; it is asked again at least once a second, and the call can be repeated then",
                self.address
            ),
        }
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn learn(&self, time: i64) {
        self.ahead.store(time.saturating_sub(self.elapsed()), Ordering::Relaxed);
    }

    async fn load(&self, mut connection: MultiplexedConnection) -> Result<(), String> {
        let mut requests = redis::pipe();
        for script in self.scripts {
            requests.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let limit = self.options.timeout.get();
        let loaded = timeout(limit, connection.send_packed_commands(&requests, 0, self.scripts.len())).await;
        let answers = loaded.map_err(|_| silent(limit))?.map_err(|error| said(&error))?;
        answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop)).map_err(|error| said(&error))
    }

    async fn connect(&self) -> Result<Up, String> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = timeout(CONNECTING, self.client.get_multiplexed_async_connection_with_config(&config));
        let connection = connecting.await.map_err(|_| silent(CONNECTING))?.map_err(|error| said(&error))?;
        let server = inspection::inspect(&connection, &self.options).await?;
        self.load(connection.clone()).await?;
        self.learn(server.time);
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        Ok(Up { connection, run: server.run.into(), trusted: server.trusted, serial })
    }
}

/// Keeps the link connected for as long as somebody has it.
async fn keep(link: Weak<Inner>, tripped: Arc<Notify>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(inner) = link.upgrade() else { return };
        // A failure of a connection before this one is none of this one.
        if matches!(&**inner.state.load(), State::Up(_)) {
            drop(inner);
            tripped.notified().await;
            continue;
        }
        match inner.connect().await {
            Ok(up) => {
                inner.state.store(Arc::new(State::Up(up)));
                pause = FIRST_PAUSE;
            }
            Err(what) => {
                inner.state.store(Arc::new(State::Down(inner.down(&what))));
                drop(inner);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn silent(limit: Duration) -> String {
    format!("did not answer within {} ms", limit.as_millis())
}

/// What an error says, without what the agent cannot use.
fn said(error: &RedisError) -> String {
    let text = error.to_string();
    if error.is_connection_refusal() {
        return "refuses connections".to_owned();
    }
    if error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("WRONGPASS" | "NOAUTH")) {
        return "refuses the user or the password".to_owned();
    }
    if error.code() == Some("OOM") {
        return "has no memory left for counts (raise its `maxmemory`)".to_owned();
    }
    if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
        return "is a read-only replica".to_owned();
    }
    if error.is_io_error() || error.is_connection_dropped() {
        return format!("cannot be reached ({text})");
    }
    format!("cannot count ({text})")
}
