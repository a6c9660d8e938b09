//! One connection to a server of the older transport, HTTP+SSE (2024-11-05): a stream that brings all that the server says,
//! and an address that takes all that it is told, which the stream's first event names.
//!
//! It stands in the place of a program: the connection is the session, and what it brings are messages without any tie
//! to those that were sent but their ids.

mod address;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use upstream::http::{Client, Endpoint, SendError};

use crate::body::collect;
use crate::events::EventReader;
use crate::returning::{PIECE, Returning, Words};
use crate::server::Server;
use crate::ticket::Ended;

/// How long a server may take to open its stream and to name the address for messages, at most.
const OPENING: Duration = Duration::from_secs(30);

/// How long it may take to do so when nobody knows whether it is of this transport.
const PROBE: Duration = Duration::from_secs(5);

/// Messages that may be on their way to the server at once.
const POSTS: usize = 64;

/// The most that is read of what the server answers to a message: it means nothing.
const RECEIPT: usize = 64 * 1024;

/// A connection. Dropped, it ends.
pub struct SseLink {
    client: Client,
    server: Arc<Server>,
    state: watch::Receiver<State>,
    stop: watch::Sender<bool>,
    posts: Arc<Semaphore>,
    background: Handle,
}

/// How far it has come.
#[derive(Clone)]
enum State {
    Opening,
    Open(Endpoint),
    Ended(Arc<str>),
}

/// Why there is no stream on which messages could be exchanged.
enum Unopened {
    /// The server does not do what one of this transport does.
    Other(String),
    /// It is of this transport, and names an address to which nothing is sent.
    Unusable(String),
}

impl Unopened {
    fn reason(self) -> String {
        match self {
            Self::Other(reason) | Self::Unusable(reason) => reason,
        }
    }
}

/// Why a message that was sent will have no answer.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub(crate) ended: Ended,
    pub(crate) reason: String,
}

impl SseLink {
    /// Opens a connection to `endpoint`. Every message of the server goes to `output`, whose closing tells that the stream
    /// has ended.
    pub fn open(
        background: &Handle,
        client: Client,
        server: &Arc<Server>,
        endpoint: Endpoint,
        output: mpsc::Sender<Bytes>,
    ) -> Self {
        let words = Returning::default().words(server, "");
        Self::open_within(words, background, client, server, endpoint, output)
    }

    /// The same beside others, with which it shares the room for what servers say.
    pub(crate) fn open_within(
        words: Words,
        background: &Handle,
        client: Client,
        server: &Arc<Server>,
        endpoint: Endpoint,
        output: mpsc::Sender<Bytes>,
    ) -> Self {
        let (told, state) = watch::channel(State::Opening);
        let (stop, mut stopped) = watch::channel(false);
        let (asking, of) = (client.clone(), Arc::clone(server));
        background.spawn(async move {
            let why = tokio::select! {
                why = listen(&asking, &of, &endpoint, &words, &told, &output) => why,
                // An error means that every handle is gone, which asks for the same.
                _ = stopped.wait_for(|asked| *asked) => "the connection to the server was ended".to_owned(),
            };
            // Whoever reads `output` to its end finds the reason here.
            told.send_replace(State::Ended(why.into()));
            drop(output);
        });
        let posts = Arc::new(Semaphore::new(POSTS));
        Self { client, server: Arc::clone(server), state, stop, posts, background: background.clone() }
    }

    /// Sends one message. What is given hears if the server did not take it.
    ///
    /// # Errors
    /// Why it was not sent.
    pub(crate) async fn post(&self, message: Bytes) -> Result<oneshot::Receiver<Undelivered>, String> {
        let gone = || "the connection to the server was ended".to_owned();
        let mut state = self.state.clone();
        let state = state.wait_for(|state| !matches!(state, State::Opening)).await.map_err(|_| gone())?.clone();
        let endpoint = match state {
            State::Open(endpoint) => endpoint,
            State::Ended(why) => return Err((*why).to_owned()),
            State::Opening => return Err(gone()),
        };
        let place = Arc::clone(&self.posts).acquire_owned().await.map_err(|_| gone())?;
        let (failed, undelivered) = oneshot::channel();
        let (client, server) = (self.client.clone(), Arc::clone(&self.server));
        // It goes on when its agent goes away: there a lost connection cancels nothing.
        self.background.spawn(async move {
            if let Err(why) = deliver(&client, &server, &endpoint, message).await {
                let _ = failed.send(why);
            }
            drop(place);
        });
        Ok(undelivered)
    }

    /// Why it has ended, if it has.
    pub(crate) fn ended(&self) -> Option<Arc<str>> {
        match &*self.state.borrow() {
            State::Ended(why) => Some(Arc::clone(why)),
            State::Opening | State::Open(_) => None,
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn until_ended(&self) {
        let _ = self.state.clone().wait_for(|state| matches!(state, State::Ended(_))).await;
    }

    /// Ends it.
    pub(crate) async fn stop(&self) {
        let _ = self.stop.send(true);
        self.until_ended().await;
    }
}

/// Asks an endpoint for a stream, and remembers whether it is of this transport: whether it opens one and names an address
/// for messages.
pub async fn find_out(client: &Client, server: &Server, endpoint: &Endpoint) {
    let limit = PROBE.min(server.config.limits.first_byte);
    let words = Returning::default().words(server, "");
    match tokio::time::timeout(limit, opened(client, server, endpoint, &words)).await {
        Ok(Ok(_)) => server.transport.learn_sse(),
        Ok(Err(Unopened::Unusable(why))) => {
            let why = format!("tried as a server of HTTP+SSE too: {why}");
            server.transport.learn_other(Some(why.into()));
        }
        Ok(Err(Unopened::Other(_))) | Err(_) => server.transport.learn_other(None),
    }
}

/// Reads all that the server says; gives the reason for which that has ended.
async fn listen(
    client: &Client,
    server: &Server,
    endpoint: &Endpoint,
    words: &Words,
    told: &watch::Sender<State>,
    output: &mpsc::Sender<Bytes>,
) -> String {
    let limit = OPENING.min(server.config.limits.first_byte);
    let (mut reader, address) = match tokio::time::timeout(limit, opened(client, server, endpoint, words)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(why)) => return why.reason(),
        Err(_) => {
            return format!(
                "the server did not open its event stream and name an address for messages within {limit:?}"
            );
        }
    };
    told.send_replace(State::Open(address));
    loop {
        let event = match reader.next().await {
            Ok(Some(event)) => event,
            Ok(None) => return "the server closed its event stream".to_owned(),
            Err(fault) => return fault.to_string(),
        };
        // Heartbeats are comments, and what has another name is for others.
        let Some(message) = event.message.filter(|_| event.name.is_none()) else { continue };
        let message = mcp::json::mend_surrogates(&message).map_or(message, Bytes::from);
        // What waits to be read is counted too, so that no more is read of a server when that is much.
        let message = if message.len() > PIECE { words.hold().keep(message) } else { message };
        if output.send(message).await.is_err() {
            return "the connection to the server was ended".to_owned();
        }
    }
}

/// Opens the stream and reads the event that names the address for messages. Nothing else comes before it.
async fn opened(
    client: &Client,
    server: &Server,
    endpoint: &Endpoint,
    words: &Words,
) -> Result<(EventReader, Endpoint), Unopened> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    let held = words.hold();
    let sent = client.send(endpoint, Method::GET, headers, None, None).await;
    server.trust.note(&sent);
    let answer = sent.map_err(|error| Unopened::Other(error.to_string()))?;
    let status = answer.status();
    if !status.is_success() {
        // One that takes no GET may have become a server of Streamable HTTP: the next session finds out. One that is away, or
        // lets nobody in, is what it was.
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE) {
            server.transport.forget();
        }
        return Err(Unopened::Other(refused(status)));
    }
    let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !kind.starts_with(b"text/event-stream") {
        return Err(Unopened::Other("the server answered, and opened no event stream".to_owned()));
    }
    let mut reader = EventReader::new(answer.into_body(), None).counting(held, server.config.limits.idle);
    loop {
        let event = reader.next().await.map_err(|fault| Unopened::Other(fault.to_string()))?;
        let Some(event) = event else {
            let why = "the server closed its event stream before it named an address for messages";
            return Err(Unopened::Other(why.to_owned()));
        };
        match (event.name.as_deref(), event.message) {
            (Some(b"endpoint"), Some(address)) => {
                let address = address::of(endpoint, &address).map_err(Unopened::Unusable)?;
                return Ok((reader, address));
            }
            (_, Some(_)) => {
                let why = "the first event of the server's stream names no address for messages";
                return Err(Unopened::Other(why.to_owned()));
            }
            (_, None) => {}
        }
    }
}

/// Sends one message and waits for the receipt.
async fn deliver(client: &Client, server: &Server, endpoint: &Endpoint, message: Bytes) -> Result<(), Undelivered> {
    let limits = server.config.limits;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    let sent = client.send(endpoint, Method::POST, headers, Some(message), Some(limits.first_byte)).await;
    server.trust.note(&sent);
    let answer = sent.map_err(|error| {
        let ended = match error {
            SendError::NotSent(_) | SendError::Certificate(_) => Ended::NotSent,
            SendError::Timeout(_) => Ended::Timeout,
            SendError::Broken(_) => Ended::Unknown,
        };
        Undelivered { ended, reason: error.to_string() }
    })?;
    let status = answer.status();
    // Read, so that the connection can be used again.
    let _ = tokio::time::timeout(limits.connect, collect(answer.into_body(), RECEIPT, None)).await;
    if status.is_success() { Ok(()) } else { Err(Undelivered { ended: Ended::RpcError, reason: refused(status) }) }
}

fn refused(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            format!("the server does not accept the gateway's credentials (HTTP {status})")
        }
        status if status.is_redirection() => {
            format!("the server answered with HTTP {status}, and redirects are not followed")
        }
        status => format!("the server answered with HTTP {status}"),
    }
}
