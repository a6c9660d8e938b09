//! Resources that listeners of 2026-07-28 watch at a legacy server: it is told when the first one begins, and when the last
//! one has gone.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use mcp::json;

use super::held::{Held, Lease, Pool};
use super::sessions::legacy_caller;
use crate::caller::Caller;
use crate::http_front::Front;
use crate::http_front::said::Said;

/// How long a server may take to hear that nobody watches any more: nothing depends on it.
const LEAVING: Duration = Duration::from_secs(10);

/// The watch of one listener, for as long as it is there. It holds the session.
pub(super) struct Watch {
    front: Front,
    caller: Caller,
    pool: Arc<Pool>,
    lease: Option<Lease>,
    headers: HeaderMap,
    uris: Vec<String>,
}

impl Watch {
    pub(super) fn new(front: &Front, caller: &Caller, pool: &Arc<Pool>, lease: Lease, headers: &HeaderMap) -> Self {
        Self {
            front: front.clone(),
            caller: legacy_caller(caller, &lease.held),
            pool: Arc::clone(pool),
            lease: Some(lease),
            headers: headers.clone(),
            uris: Vec::new(),
        }
    }

    /// Watches a resource.
    pub(super) async fn add(&mut self, uri: &str) {
        let Some(held) = self.lease.as_ref().map(|lease| Arc::clone(&lease.held)) else { return };
        let mut watched = held.watched.lock().await;
        let count = watched.entry(uri.to_owned()).or_default();
        *count += 1;
        self.uris.push(uri.to_owned());
        if *count == 1 {
            tell(&self.front, &self.caller, &held, &self.pool, &self.headers, "resources/subscribe", uri).await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (Some(lease), uris) = (self.lease.take(), std::mem::take(&mut self.uris)) else { return };
        let gateway = Arc::clone(&self.front.gateway);
        // It outlives the worker on which its agent listened, and so that one's connections.
        let Some(client) = gateway.client_beside().filter(|_| !uris.is_empty()) else { return };
        let front = Front { client, ..self.front.clone() };
        let (caller, pool, headers) = (self.caller.clone(), Arc::clone(&self.pool), self.headers.clone());
        gateway.finish(async move {
            let leaving = async {
                for uri in uris {
                    let mut watched = lease.held.watched.lock().await;
                    let left = watched.get_mut(&uri).map_or(0, |count| {
                        *count = count.saturating_sub(1);
                        *count
                    });
                    if left == 0 {
                        watched.remove(&uri);
                        tell(&front, &caller, &lease.held, &pool, &headers, "resources/unsubscribe", &uri).await;
                    }
                }
            };
            let _ = tokio::time::timeout(LEAVING, leaving).await;
        });
    }
}

async fn tell(front: &Front, caller: &Caller, held: &Held, pool: &Pool, headers: &HeaderMap, method: &str, uri: &str) {
    let (id, uri) = (pool.next_id(), json::quote(uri));
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"uri":{uri}}}}}"#);
    let mut said = Said::of(front.say(caller, held, headers, text).await);
    while said.next().await.is_some() {}
}
