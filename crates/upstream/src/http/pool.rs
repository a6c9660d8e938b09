//! Connections that wait for their next request.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Context;
use std::time::{Duration, Instant};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::stream::{Stream, Unsent};

/// How long an idle connection is kept: below the keep-alive of common servers (Node: 5 s), so
/// that a request is rarely written into a connection which the peer is closing.
const IDLE: Duration = Duration::from_secs(4);

/// A body of more bytes than this may lie in the buffers of the system, sent and not read, when the
/// server has answered already. The next request would wait behind it, so the connection is closed.
const LONG: u64 = 256 * 1024;

/// The most bytes that are read of an answer before some of them are taken, which is also the most that its head may take. A
/// connection whose agent reads nothing holds so many, and hyper's own limit is three times that.
const READ: usize = 128 * 1024;

/// The most idle connections to one server.
const MOST: usize = 256;

/// The head of an answer, whose body the line has to bring yet.
pub(super) type Head = Response<Incoming>;

/// One connection to a server. It moves only while somebody polls it.
pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<Connection<Stream, Full<Bytes>>>,
    unsent: Unsent,
    /// Whether a long body went over it.
    long: bool,
    idle_since: Instant,
}

/// Why a line brought no answer.
pub(super) enum NoAnswer {
    /// The server had closed the connection before anything was written: here is the request.
    Unwritten(Box<Request<Full<Bytes>>>, hyper::Error),
    /// The server may have seen the request.
    Broken(hyper::Error),
}

impl Line {
    pub(super) async fn open(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> hyper::Result<Box<Self>> {
        let (stream, unsent) = Stream::new(stream);
        let (sender, connection) = http1::Builder::new().max_buf_size(READ).handshake(stream).await?;
        Ok(Box::new(Self { sender, connection: Some(connection), unsent, long: false, idle_since: Instant::now() }))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn ask(mut self: Box<Self>, request: Request<Full<Bytes>>) -> Result<(Head, Box<Self>), NoAnswer> {
        // Whoever else is ready now is judged first: then all are written one behind the other, and
        // the server is woken once for them rather than once for each.
        tokio::task::yield_now().await;
        self.long = request.body().size_hint().lower() > LONG;
        let mut answer = pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        let answer = poll_fn(|context| {
            // What the connection does decides what there is to know of the answer.
            drive(connection, context);
            answer.as_mut().poll(context)
        })
        .await;
        match answer {
            Ok(head) => Ok((head, self)),
            Err(mut error) => Err(match error.take_message() {
                Some(request) => NoAnswer::Unwritten(Box::new(request), error.into_error()),
                None => NoAnswer::Broken(error.into_error()),
            }),
        }
    }

    /// Lets the connection go on.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) {
        drive(&mut self.connection, context);
    }

    /// Whether another request can be sent.
    pub(super) fn is_free(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready() && !self.long && !self.unsent.any()
    }
}

fn drive(connection: &mut Option<Connection<Stream, Full<Bytes>>>, context: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(context).is_ready()) {
        // Whoever waits for an answer or its body learns of the end when the connection is dropped.
        *connection = None;
    }
}

/// Idle connections by endpoint. A line is large and moves with every use, so it is boxed.
type Idle = HashMap<u64, Vec<Box<Line>>>;

/// The idle connections of one runtime.
#[derive(Default)]
pub(super) struct Pool {
    lines: Mutex<Idle>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, so that the others grow old.
    pub(super) fn take(&self, endpoint: u64) -> Option<Box<Line>> {
        let line = self.lock().get_mut(&endpoint)?.pop()?;
        (line.idle_since.elapsed() < IDLE).then_some(line)
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(self: &Arc<Self>, endpoint: u64, mut line: Box<Line>) {
        line.idle_since = Instant::now();
        let mut lines = self.lock();
        let first = lines.is_empty();
        let idle = lines.entry(endpoint).or_default();
        if idle.len() < MOST {
            idle.push(line);
        }
        drop(lines);
        if first {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }
}

/// Closes connections that nobody has used for long, until none is left.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut lines = pool.lock();
        lines.retain(|_, idle| {
            idle.retain(|line| line.idle_since.elapsed() < IDLE);
            !idle.is_empty()
        });
        if lines.is_empty() {
            return;
        }
    }
}
