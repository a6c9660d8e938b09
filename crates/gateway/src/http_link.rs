//! The way to a Streamable HTTP endpoint, for one request of an agent.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use mcp::message::{Body, IdKey, Message, Outcome};
use mcp::revision::Revision;
use upstream::http::{Answer, Client, Endpoint, SendError};

use crate::body::collect;
use crate::events::{EventReader, MAX_EVENT, streams};
use crate::gateway::Gateway;
use crate::names;
use crate::pipeline::AskForTools;
use crate::server::Server;

/// The header that names a revision.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The header that names a legacy session.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The header that repeats a modern request's method.
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The header that repeats a modern request's name, URI or task.
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The header by which a legacy stream is resumed.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// How long a server may take to hear that a request is cancelled: nothing depends on it.
const CANCEL_TIME: Duration = Duration::from_secs(2);

/// One agent's way to one endpoint: which session, which revision.
#[derive(Clone)]
pub struct HttpLink {
    /// The pool of this worker.
    pub client: Client,
    /// The server.
    pub server: Arc<Server>,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The upstream's own session id.
    pub session: Option<String>,
    /// The revision of the request.
    pub revision: Option<Revision>,
}

impl HttpLink {
    /// Headers that say which session and revision a request belongs to.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, BOTH);
        if let Some(session) = self.session.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(SESSION_ID, session);
        }
        if let Some(revision) = self.revision {
            headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
        }
        headers
    }

    /// Sends a message and waits for the head of the answer.
    ///
    /// # Errors
    /// [`SendError`], which says whether the server can have seen it.
    pub async fn post(&self, headers: HeaderMap, message: Bytes) -> Result<Response<Answer>, SendError> {
        let first_byte = Some(self.server.config.limits.first_byte);
        let sent = self.client.send(&self.endpoint, Method::POST, headers, Some(message), first_byte).await;
        self.server.trust.note(&sent);
        if sent.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            self.server.transport.learn_takes_messages();
        }
        sent
    }

    /// Sends a message whose answer nobody needs: the gateway's refusal of a server's question.
    pub async fn tell(&self, message: String) {
        let answer = self.post(self.headers(), message.into()).await;
        if let Ok(answer) = answer {
            // Read, so that the connection can be used again.
            let _ = collect(answer.into_body(), 64 * 1024, Some(self.server.config.limits.connect)).await;
        }
    }

    /// Tells the server beside all else that nobody waits for the answer to a request. That must outlive the worker on which
    /// the request came, and so its connections.
    pub(crate) fn cancel_later(mut self, gateway: &Gateway, raw_id: &str, reason: &str) {
        let Some(client) = gateway.client_beside() else { return };
        self.client = client;
        let cancel = names::cancel(raw_id, reason);
        gateway.finish(async move { drop(tokio::time::timeout(CANCEL_TIME, self.tell(cancel)).await) });
    }

    /// Asks something of the gateway's own and gives the raw `result`.
    async fn ask(&self, method: &str, params: String) -> Result<String, String> {
        match self.asked(method, params).await? {
            (_, Some(answer)) => answer,
            (status, None) => {
                let why = format!("the server answered {method} with HTTP {status} and no JSON-RPC result");
                let unusable = self.server.transport.unusable();
                Err(unusable.map_or_else(|| why.clone(), |unusable| format!("{why}; {unusable}")))
            }
        }
    }

    /// Whether the endpoint speaks 2026-07-28: asked in it, it says who it is.
    ///
    /// # Errors
    /// Why nothing is known of that: the server did not answer, or nobody who is not let in learns it.
    pub(crate) async fn speaks_modern(&self) -> Result<bool, String> {
        let asking = Self { session: None, revision: Some(Revision::V2026_07_28), ..self.clone() };
        match asking.asked("server/discover", list_params(None, asking.revision)).await? {
            (_, Some(Ok(_))) => Ok(true),
            (status, _) if matches!(status.as_u16(), 401 | 403 | 407 | 429 | 502..) => {
                Err(format!("the server answered server/discover with HTTP {status}"))
            }
            _ => Ok(false),
        }
    }

    /// Asks something of the gateway's own: the status, and what was answered, if that was a message.
    async fn asked(
        &self,
        method: &str,
        params: String,
    ) -> Result<(http::StatusCode, Option<Result<String, String>>), String> {
        let id = own_id();
        let message = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#);
        let mut headers = self.headers();
        if self.is_modern()
            && let Ok(method) = HeaderValue::from_str(method)
        {
            headers.insert(METHOD, method);
        }
        let answer = self.post(headers, message.into()).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let streams = streams(answer.headers());
        let idle = Some(self.server.config.limits.idle);
        if !streams {
            let body = collect(answer.into_body(), MAX_EVENT, idle).await.map_err(|fault| fault.to_string())?;
            if std::str::from_utf8(&body).is_ok_and(|body| crate::relay::answered_code(body).is_some()) {
                // An error of the protocol itself.
                self.server.transport.learn_takes_messages();
            } else if !status.is_success() {
                // A page for people.
                return Ok((status, None));
            }
            return Ok((status, answer_to(&id, &body)));
        }
        let mut events = EventReader::new(answer.into_body(), idle);
        while let Some(event) = events.next().await.map_err(|fault| fault.to_string())? {
            if let Some(answer) = event.message.as_deref().and_then(|message| answer_to(&id, message)) {
                return Ok((status, Some(answer)));
            }
        }
        Err(format!("the server ended its answer to {method} before the result"))
    }

    fn is_modern(&self) -> bool {
        self.revision.is_some_and(Revision::is_modern)
    }
}

impl AskForTools for HttpLink {
    fn page(&self, cursor: Option<String>) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        let params = list_params(cursor.as_deref(), self.revision.filter(|revision| revision.is_modern()));
        // A stream may go on for ever without the answer, while everybody waits for the list.
        let limit = self.server.config.limits.first_byte.saturating_add(self.server.config.limits.idle);
        Box::pin(async move {
            let answer = tokio::time::timeout(limit, self.ask("tools/list", params)).await;
            answer.unwrap_or_else(|_| Err(format!("the server did not answer tools/list within {limit:?}")))
        })
    }
}

/// The `params` of the gateway's own `tools/list`.
pub fn list_params(cursor: Option<&str>, modern: Option<Revision>) -> String {
    let mut params = serde_json::Map::new();
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), cursor.into());
    }
    if let Some(revision) = modern {
        let meta = serde_json::json!({
            "io.modelcontextprotocol/protocolVersion": revision.as_str(),
            "io.modelcontextprotocol/clientInfo": { "name": "toolgate", "version": env!("CARGO_PKG_VERSION") },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        params.insert("_meta".to_owned(), meta);
    }
    serde_json::Value::Object(params).to_string()
}

/// An id for the gateway's own requests. It holds a random number, so that no agent can send a
/// request whose answer would be taken for the answer to one of these.
pub fn own_id() -> String {
    static PREFIX: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0; 16];
        // Without random numbers no session can be opened either, so no agent is there to guess.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        crate::hex::encode(&bytes)
    });
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("toolgate-{}-{}", *PREFIX, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The answer to the gateway's own request `id`, if `message` is that.
pub fn answer_to(id: &str, message: &[u8]) -> Option<Result<String, String>> {
    let mended = mcp::json::mend_surrogates(message);
    match mcp::message::parse_upstream(mended.as_deref().unwrap_or(message)) {
        Ok(Body::One(Message::Response(response))) => {
            if let Some(theirs) = &response.id
                && theirs.key() != IdKey::String(id.into())
            {
                return None;
            }
            Some(match response.outcome {
                Outcome::Result(result) => Ok(result.to_owned()),
                Outcome::Error(error) => Err(crate::relay::error_message(error)
                    .unwrap_or_else(|| "the server answered with an error".to_owned())),
            })
        }
        Ok(_) => None,
        Err(malformed) => Some(Err(format!("the server's answer is not valid JSON-RPC: {}", malformed.message))),
    }
}
