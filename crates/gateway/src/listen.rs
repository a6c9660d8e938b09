//! The listening side: workers that accept connections, and how they stop.
//!
//! Each worker is a thread with a runtime of its own, so that a call is accepted, judged and
//! relayed without crossing threads. The accept loop is ours, because limits and time-outs on
//! slow clients belong to it.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use upstream::http::Client;

use crate::gateway::Gateway;
use crate::http_front::{Front, FrontConfig};

/// How long an agent may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The most header fields of a request.
const MAX_HEADERS: usize = 64;

/// The most bytes that the head of a request may take.
const MAX_HEAD: usize = 64 * 1024;

/// Connections at once, of all workers.
const MAX_CONNECTIONS: usize = 10_000;

/// How long calls under way may go on once the gateway is told to stop.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Workers that serve one listening socket.
pub struct Workers {
    stop: watch::Sender<bool>,
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
        connect: Duration,
        count: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (stop, stopping) = watch::channel(false);
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut threads = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let listener = listener.try_clone()?;
            let front = Front {
                gateway: Arc::clone(gateway),
                config: Arc::clone(config),
                client: Client::new(connect).map_err(io::Error::other)?,
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (stopping, connections) = (stopping.clone(), Arc::clone(&connections));
            let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                runtime.block_on(async move {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        accept(listener, front, connections, stopping).await;
                    }
                });
            })?;
            threads.push(thread);
        }
        Ok(Self { stop, threads })
    }

    /// Accepts nothing more and waits for what is under way, at most [`DRAIN`].
    pub async fn drain(self) {
        let _ = self.stop.send(true);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = tokio::time::timeout(DRAIN + Duration::from_secs(1), joined).await;
    }
}

async fn accept(listener: TcpListener, front: Front, connections: Arc<Semaphore>, mut stopping: watch::Receiver<bool>) {
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
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let (front, stopping) = (front.clone(), stopping.clone());
        tasks.spawn(async move {
            serve(stream, front, stopping).await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn serve(stream: TcpStream, front: Front, mut stopping: watch::Receiver<bool>) {
    let Ok(peer) = stream.peer_addr() else { return };
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let front = &front;
        async move { Ok::<_, Infallible>(front.answer(peer.ip(), request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let told = async { drop(stopping.wait_for(|stop| *stop).await) };
    tokio::select! {
        _ = connection.as_mut() => return,
        () = told => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
