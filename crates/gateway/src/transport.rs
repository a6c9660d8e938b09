//! How the endpoint of a server is spoken to: over Streamable HTTP, or over HTTP+SSE, the transport of 2024-11-05.
//!
//! Which one it is shows when a session is opened: an endpoint of the older transport takes no `initialize`, and opens a
//! stream instead whose first event names the address for messages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use upstream::http::Endpoint;

use crate::seal::{Session, SessionNumber};
use crate::server::{Reach, Server};

/// How long an endpoint that turned out not to be of the older transport is not asked for it again.
const ASKED_AGAIN: Duration = Duration::from_secs(60);

/// What begins, in a session's id, in place of the server's own: the session is one connection, or one process, and the name
/// of the replica that holds it follows. No server's id begins so, because it is visible ASCII.
const MARK: &str = "\u{2}";

/// On which way messages go to a server.
pub(crate) enum Way<'a> {
    /// Each message is a request of its own, and brings its answer.
    Requests(&'a Endpoint),
    /// One connection for a whole session, on which answers come as they come: a program's pipes, or HTTP+SSE.
    Conversation,
}

impl Server {
    /// The way of a message in `session`, or in none.
    pub(crate) fn way(&self, session: Option<&Session>) -> Way<'_> {
        match &self.config.reach {
            Reach::Child(_) | Reach::Sse(_) => Way::Conversation,
            Reach::Http(endpoint) => {
                let converses = match session {
                    Some(session) => is_connection(session),
                    None => self.transport.is_sse(),
                };
                if converses { Way::Conversation } else { Way::Requests(endpoint) }
            }
        }
    }
}

/// What stands for the server's own id in a session that is one connection or one process, which `replica` holds.
pub(crate) fn held_by(replica: SessionNumber) -> String {
    format!("{MARK}{}", replica.text())
}

/// Whether another replica holds what the session is, or one that has ended since.
pub(crate) fn is_anothers(session: &Session, replica: SessionNumber) -> bool {
    session.upstream.strip_prefix(MARK).is_some_and(|holder| holder != replica.text())
}

fn is_connection(session: &Session) -> bool {
    session.upstream.starts_with(MARK)
}

/// What was found out about the transport of one endpoint.
#[derive(Debug, Default)]
pub struct TransportMemory {
    found: Mutex<Option<Found>>,
    /// Whether it has taken a message as Streamable HTTP has it.
    takes_messages: AtomicBool,
    /// Held by who finds out, so that not everybody asks at once.
    asking: tokio::sync::Mutex<()>,
}

/// What a request for an HTTP+SSE stream has shown.
#[derive(Debug, Clone)]
enum Found {
    /// It is one.
    Sse,
    /// It is none, or one that cannot be used, for the reason.
    Other { since: Instant, unusable: Option<Arc<str>> },
}

impl TransportMemory {
    /// Whether it turned out to speak HTTP+SSE.
    pub fn is_sse(&self) -> bool {
        matches!(*self.found(), Some(Found::Sse))
    }

    /// Whether it may be of either transport: it has taken no message, and was not asked for a stream lately.
    pub(crate) fn is_unknown(&self) -> bool {
        !self.takes_messages.load(Ordering::Relaxed) && !self.is_sse() && self.is_open()
    }

    /// Waits until nobody else finds out.
    pub(crate) async fn asking(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.asking.lock().await
    }

    /// Whether it may be asked for an HTTP+SSE stream: nobody has done so lately in vain.
    pub(crate) fn is_open(&self) -> bool {
        match &*self.found() {
            Some(Found::Other { since, .. }) => since.elapsed() >= ASKED_AGAIN,
            Some(Found::Sse) | None => true,
        }
    }

    /// Why its HTTP+SSE stream, which it has, was of no use lately: half a sentence.
    pub fn unusable(&self) -> Option<Arc<str>> {
        match &*self.found() {
            Some(Found::Other { unusable, .. }) => unusable.clone(),
            Some(Found::Sse) | None => None,
        }
    }

    /// Remembers that it speaks HTTP+SSE.
    pub(crate) fn learn_sse(&self) {
        *self.found() = Some(Found::Sse);
    }

    /// Remembers that it does not, or not so that it can be used.
    pub(crate) fn learn_other(&self, unusable: Option<Arc<str>>) {
        *self.found() = Some(Found::Other { since: Instant::now(), unusable });
    }

    /// Remembers that it took a message, or answered one as Streamable HTTP does.
    pub(crate) fn learn_takes_messages(&self) {
        if !self.takes_messages.load(Ordering::Relaxed) {
            self.takes_messages.store(true, Ordering::Relaxed);
        }
    }

    /// It does not take messages so any more: before the next one is sent, that is found out anew.
    pub(crate) fn doubt(&self) {
        self.takes_messages.store(false, Ordering::Relaxed);
    }

    /// It does not speak HTTP+SSE any more: the next session finds out anew.
    pub(crate) fn forget(&self) {
        *self.found() = None;
    }

    fn found(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
