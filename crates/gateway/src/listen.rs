//! The listening side: workers that accept connections, and how they stop.
//!
//! Each worker is a thread with a runtime of its own, so that a call is accepted, judged and
//! relayed without crossing threads. The accept loop is ours, because limits and time-outs on
//! slow clients belong to it.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use upstream::http::Client;

use crate::gateway::Gateway;
use crate::http_front::{Front, FrontConfig};
use crate::phase::Phase;
use crate::tls::Tls;

/// How long an agent may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The most header fields of a request.
pub(crate) const MAX_HEADERS: usize = 64;

/// The most bytes that the head of a request may take.
const MAX_HEAD: usize = 64 * 1024;

/// Connections at once, of all workers.
const MAX_CONNECTIONS: usize = 10_000;

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
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut threads = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let listener = listener.try_clone()?;
            let front = Front {
                gateway: Arc::clone(gateway),
                config: Arc::clone(config),
                client: Client::new(connect).map_err(io::Error::other)?,
                hang_up: Arc::default(),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (door, connections, tls) = (door.subscribe(), Arc::clone(&connections), tls.cloned());
            let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                runtime.block_on(async move {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        accept(listener, front, tls, connections, door).await;
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

async fn accept(
    listener: TcpListener,
    front: Front,
    tls: Option<Arc<Tls>>,
    connections: Arc<Semaphore>,
    mut door: watch::Receiver<Door>,
) {
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Out of file descriptors, most often: give connections time to end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = door.wait_for(|door| *door > Door::Open) => break,
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let front = Front { hang_up: Arc::default(), ..front.clone() };
        let (tls, door) = (tls.clone(), door.clone());
        tasks.spawn(async move {
            connected(stream, front, tls, door).await;
            drop(permit);
        });
    }
    drop(listener);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        _ = door.wait_for(|door| *door == Door::Gone) => {}
    }
}

async fn connected(stream: TcpStream, front: Front, tls: Option<Arc<Tls>>, mut door: watch::Receiver<Door>) {
    let Ok(peer) = stream.peer_addr() else { return };
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve(stream, peer.ip(), front, door).await };
    let encrypted = tokio::select! {
        encrypted = tls.handshake(stream, peer.ip()) => encrypted,
        _ = door.wait_for(|door| *door > Door::Open) => return,
    };
    if let Some(stream) = encrypted {
        Box::pin(serve(stream, peer.ip(), front, door)).await;
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    front: Front,
    mut door: watch::Receiver<Door>,
) {
    let service = service_fn(|request| {
        let front = &front;
        async move { Ok::<_, Infallible>(front.answer(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let told = async { drop(door.wait_for(|door| *door > Door::Open).await) };
    tokio::select! {
        _ = connection.as_mut() => return,
        () = front.hang_up.notified() => return,
        () = told => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = front.hang_up.notified() => {}
    }
}
