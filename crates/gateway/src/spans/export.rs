//! Sends spans to a collector, by OTLP over HTTP in JSON.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use upstream::http::{Client, Endpoint};

use super::attributes::export_request;
use super::{Span, Spans};
use crate::body::collect;

/// Spans of one request.
const BATCH: usize = 512;

/// How long spans wait for others.
const EVERY: Duration = Duration::from_secs(1);

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of a process waits for a collector.
const LAST: Duration = Duration::from_secs(3);

/// Receives a sentence for the operator.
type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// The task that sends.
pub struct Exporter {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

struct Way {
    client: Client,
    endpoint: Endpoint,
    service: String,
    tell: Tell,
    /// Whether the last request was taken: only changes are told.
    works: bool,
}

impl Exporter {
    /// Starts to send spans to a collector, within the present runtime. `service` is the name under which they are seen.
    pub fn start(client: Client, endpoint: Endpoint, service: String, tell: Tell) -> (Spans, Self) {
        let (spans, queue) = Spans::queue();
        let (stop, stopping) = oneshot::channel();
        let way = Way { client, endpoint, service, tell, works: true };
        (spans, Self { task: tokio::spawn(run(way, queue, stopping)), stop })
    }

    /// Sends what still waits, and ends.
    pub async fn finish(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(LAST, self.task).await;
    }
}

async fn run(mut way: Way, mut queue: mpsc::Receiver<Span>, mut stopping: oneshot::Receiver<()>) {
    let mut spans = Vec::with_capacity(BATCH);
    let mut stop = false;
    while !stop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = &mut stopping => stop = true,
        }
        while let Ok(span) = queue.try_recv() {
            spans.push(span);
            if spans.len() >= BATCH {
                way.send(&mut spans).await;
            }
        }
        if !spans.is_empty() {
            way.send(&mut spans).await;
        }
    }
}

impl Way {
    /// Sends spans, once: what a collector does not take is gone.
    async fn send(&mut self, spans: &mut Vec<Span>) {
        let body = export_request(&self.service, spans).to_string();
        let lost = spans.len();
        spans.clear();
        let sent = tokio::time::timeout(PATIENCE, self.post(body)).await;
        let failed = sent.unwrap_or_else(|_| Err(format!("it does not answer within {PATIENCE:?}"))).err();
        match &failed {
            Some(why) if self.works => (self.tell)(&format!(
                "traces are lost until the collector at {} takes them: {why} ({lost} requests)",
                self.endpoint.uri()
            )),
            None if !self.works => (self.tell)("the collector takes traces again"),
            _ => {}
        }
        self.works = failed.is_none();
    }

    async fn post(&self, body: String) -> Result<(), String> {
        let answer = self.client.send(&self.endpoint, Method::POST, HeaderMap::new(), Some(body.into()), None);
        let answer = answer.await.map_err(|error| error.to_string())?;
        let status = answer.status();
        // Read, so that the connection can be used again.
        let _ = collect(answer.into_body(), 64 * 1024, None).await;
        if status.is_success() { Ok(()) } else { Err(format!("it answers with HTTP {status}")) }
    }
}
