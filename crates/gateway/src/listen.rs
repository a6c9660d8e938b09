//! The listening side: workers that accept connections, and how they stop.
//!
//! Each worker is a thread with a runtime of its own, so that a call is accepted, judged and
//! relayed without crossing threads. The accept loop is ours, because limits and time-outs on
//! slow clients belong to it.

mod pages;
mod patient;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use upstream::http::Client;

use crate::connections::{Connections, Seat};
use crate::gateway::Gateway;
use crate::http_front::{Front, FrontConfig};
use crate::phase::Phase;
use crate::tls::Tls;

pub use pages::{Unread, pages, read_whole};
use patient::Patient;

/// How long an agent may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a connection in the reserve may take with all that it does: who is slow there holds up whoever has to stop
/// somebody.
const RESERVE_TIME: Duration = Duration::from_secs(5);

/// How long whoever asks may take to send a body.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(60);

/// The most header fields of a request.
pub(crate) const MAX_HEADERS: usize = 64;

/// The most bytes that the head of a request may take.
pub(crate) const MAX_HEAD: usize = 32 * 1024;

/// How many times as much is read of a head, so that whoever sends more than there may be reads how much that is. Beyond
/// that the answer is 431 without a word.
const READ: usize = 4;

/// How long an agent may take nothing of what is being written to it.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// How long what somebody still sends behind the last answer is taken and thrown away, and how much of it.
const LINGER_TIME: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// How long it takes at most until all have ended, once the gateway is told to stop.
pub const DRAIN: Duration = Duration::from_secs(10);

/// How long of that whoever comes is still served, where somebody watches readiness and sends calls elsewhere.
const NOTICE: Duration = Duration::from_secs(2);

/// How long of that is left for telling requests that do not end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Whether workers take connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Door {
    /// They do.
    Open,
    /// They take none, and end those that have nothing under way.
    Closed,
    /// They end, whatever is under way.
    Gone,
}

/// Workers that serve one listening socket.
pub struct Workers {
    gateway: Arc<Gateway>,
    door: watch::Sender<Door>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `count` workers on a socket that listens already.
    ///
    /// # Errors
    /// When the socket or the certificate authorities of the system cannot be used.
    pub fn start(
        listener: &StdListener,
        gateway: &Arc<Gateway>,
        config: &Arc<FrontConfig>,
        tls: Option<&Arc<Tls>>,
        connect: Duration,
        count: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (door, _) = watch::channel(Door::Open);
        let connections = Connections::new(config.connections);
        let mut threads = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let listener = listener.try_clone()?;
            let worker = Worker {
                gateway: Arc::clone(gateway),
                config: Arc::clone(config),
                client: Client::new(connect).map_err(io::Error::other)?,
                connections: Arc::clone(&connections),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (door, tls) = (door.subscribe(), tls.cloned());
            let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                runtime.block_on(async move {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        accept(listener, worker, tls, door).await;
                    }
                });
            })?;
            threads.push(thread);
        }
        Ok(Self { gateway: Arc::clone(gateway), door, threads })
    }

    /// Ends them in order, within [`DRAIN`]: first the gateway says that it is not ready, then nothing more is accepted and
    /// streams are closed, and what is still under way at last is told so.
    pub async fn drain(self) {
        let end = Instant::now() + DRAIN;
        self.gateway.enter(Phase::Leaving);
        if self.gateway.readiness_is_watched() {
            tokio::time::sleep(NOTICE).await;
        }
        self.gateway.enter(Phase::Closing);
        self.door.send_replace(Door::Closed);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        tokio::pin!(joined);
        if tokio::time::timeout_at(end - LAST_WORDS, joined.as_mut()).await.is_ok() {
            return;
        }
        self.gateway.enter(Phase::Ending);
        if tokio::time::timeout_at(end, joined.as_mut()).await.is_ok() {
            return;
        }
        self.door.send_replace(Door::Gone);
        // A worker that is lost in something else is left behind.
        let _ = tokio::time::timeout(LAST_WORDS, joined).await;
    }
}

/// What all connections of a worker share.
struct Worker {
    gateway: Arc<Gateway>,
    config: Arc<FrontConfig>,
    client: Client,
    connections: Arc<Connections>,
}

impl Worker {
    /// The front of one connection.
    fn front(&self, seat: Arc<Seat>) -> Front {
        Front {
            gateway: Arc::clone(&self.gateway),
            config: Arc::clone(&self.config),
            client: self.client.clone(),
            hang_up: Arc::default(),
            seat,
        }
    }

    /// A place for a connection. Where there is none it is closed, and counted: an answer would need a place itself.
    fn seat(&self, peer: IpAddr) -> Option<Arc<Seat>> {
        let peer = peer.to_canonical();
        match self.connections.seat(peer, self.config.proxies.contains(&peer)) {
            Ok(seat) => Some(seat),
            Err(why) => {
                self.gateway.refused().count(why.counted_as(), Some(peer));
                None
            }
        }
    }
}

async fn accept(listener: TcpListener, worker: Worker, tls: Option<Arc<Tls>>, mut door: watch::Receiver<Door>) {
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => (stream, from.ip()),
                Err(_) => {
                    // Out of file descriptors, most often: give connections time to end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = door.wait_for(|door| *door > Door::Open) => break,
        };
        let Some(seat) = worker.seat(peer) else { continue };
        tasks.spawn(connected(stream, peer, worker.front(seat), tls.clone(), door.clone()));
    }
    drop(listener);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        _ = door.wait_for(|door| *door == Door::Gone) => {}
    }
}

async fn connected(
    stream: TcpStream,
    peer: IpAddr,
    front: Front,
    tls: Option<Arc<Tls>>,
    mut door: watch::Receiver<Door>,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve(stream, peer, front, door).await };
    let encrypted = tokio::select! {
        encrypted = tls.handshake(stream, peer) => encrypted,
        _ = door.wait_for(|door| *door > Door::Open) => return,
    };
    if let Some(stream) = encrypted {
        Box::pin(serve(stream, peer, front, door)).await;
    }
}

/// HTTP of whose heads none is long, and none takes longer than this.
fn bounded_http(head_time: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_time).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    http
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, peer: IpAddr, front: Front, door: watch::Receiver<Door>) {
    let (mut stream, mut leaving) = (Patient::new(stream, WRITE_TIME), door.clone());
    if !answered_last(&mut stream, peer, &front, door).await {
        return;
    }
    tokio::select! {
        () = stream.linger(LINGER_TIME, LINGER_BYTES) => {}
        _ = leaving.wait_for(|door| *door > Door::Open) => {}
    }
}

/// Answers what comes over a connection; whether it ended because an answer was to be the last, so that there may be more that
/// is not read.
async fn answered_last(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    front: &Front,
    mut door: watch::Receiver<Door>,
) -> bool {
    let last = &AtomicBool::new(false);
    let service = service_fn(|request| async move {
        let answer = front.answer(peer, request).await;
        last.fetch_or(answer.headers().contains_key(CONNECTION), Ordering::Relaxed);
        Ok::<_, Infallible>(answer)
    });
    let connection = bounded_http(HEAD_TIME)
        .max_headers(READ * MAX_HEADERS)
        .max_buf_size(READ * MAX_HEAD)
        // A place in the reserve is somebody else's as soon as it has served.
        .keep_alive(!front.seat.is_reserved())
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let told = async { drop(door.wait_for(|door| *door > Door::Open).await) };
    let reserved = front.seat.is_reserved();
    let over = async {
        if !reserved {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(RESERVE_TIME).await;
    };
    tokio::select! {
        served = connection.as_mut() => return served.is_ok() && !reserved && last.load(Ordering::Relaxed),
        () = over => return false,
        () = front.hang_up.notified() => return false,
        () = told => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = front.hang_up.notified() => {}
    }
    false
}
