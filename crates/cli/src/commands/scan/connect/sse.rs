//! Listing over HTTP+SSE, the transport of 2024-11-05: one connection, on which answers come as they come.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::http_link::{answer_to, list_params, own_id};
use gateway::partner::Partner;
use gateway::server::Server;
use gateway::sse_link::SseLink;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;
use upstream::http::{Client, Endpoint};

use super::{Collector, Listed, agreed, complete, hello};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Messages that may wait to be read.
const MESSAGES: usize = 256;

/// A connection and what the server has said.
struct Dialogue {
    partner: Partner,
    messages: mpsc::Receiver<Bytes>,
}

/// Lists the tools of a server.
pub(super) async fn list(server: Arc<Server>, endpoint: Endpoint, client: Client) -> Result<Listed, String> {
    let (messages, output) = mpsc::channel(MESSAGES);
    let link = SseLink::open(&Handle::current(), client, &server, endpoint, messages);
    let mut dialogue = Dialogue { partner: Partner::Sse(link), messages: output };
    let listed = dialogue.list().await;
    dialogue.partner.stop().await;
    listed
}

impl Dialogue {
    async fn list(&mut self) -> Result<Listed, String> {
        let answer = self.ask("initialize", &hello()).await?;
        let result =
            answer.map_err(|error| format!("the server refuses initialize: {}", audit::visible::shown(&error)))?;
        let (revision, name) = agreed(&result)?;
        self.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned()).await?;
        let mut collector = Collector::default();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.ask("tools/list", &list_params(cursor.as_deref(), None)).await?;
            let page = page
                .map_err(|error| format!("the server's tools cannot be listed: {}", audit::visible::shown(&error)))?;
            cursor = collector.add(&page)?;
            if cursor.is_none() {
                return Ok(complete(collector, revision, name));
            }
        }
    }

    async fn ask(&mut self, method: &str, params: &str) -> Result<Result<String, String>, String> {
        let id = own_id();
        let until = Instant::now() + ANSWER;
        self.say(format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#)).await?;
        loop {
            let message = match tokio::time::timeout_at(until, self.messages.recv()).await {
                Err(_) => return Err(format!("the server did not answer {method} within {} s", ANSWER.as_secs())),
                Ok(None) => return Err(self.partner.why_ended()),
                Ok(Some(message)) => message,
            };
            // Own ids are too long to stand in a message by chance.
            if String::from_utf8_lossy(&message).contains(&id)
                && let Some(answer) = answer_to(&id, &message)
            {
                return Ok(answer);
            }
            if let Some(reply) = super::child::reply(&message) {
                let _ = self.say(reply).await;
            }
        }
    }

    /// Says something, and waits until the server has taken it: what follows must not overtake it.
    async fn say(&self, message: String) -> Result<(), String> {
        let delivered = tokio::time::timeout(ANSWER, self.partner.deliver(message.into())).await;
        delivered.unwrap_or_else(|_| Err(format!("the server took no message for {} s", ANSWER.as_secs())))
    }
}
