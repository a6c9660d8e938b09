//! How the endpoint of a server is spoken to: over Streamable HTTP, or over HTTP+SSE, the transport of 2024-11-05.
//!
//! Which one it is shows when a session is opened: an endpoint of the older transport takes no `initialize`, and opens a
//! stream instead whose first event names the address for messages.

use std::sync::{Mutex, PoisonError};
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
pub struct TransportMemory(Mutex<Option<(bool, Instant)>>);

impl TransportMemory {
    /// Whether it turned out to speak HTTP+SSE.
    pub fn is_sse(&self) -> bool {
        matches!(self.known(), Some((true, _)))
    }

    /// Whether it may be asked for an HTTP+SSE stream: nobody has done so lately in vain.
    pub(crate) fn is_open(&self) -> bool {
        self.known().is_none_or(|(sse, since)| sse || since.elapsed() >= ASKED_AGAIN)
    }

    /// Remembers what was found out.
    pub(crate) fn learn(&self, sse: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((sse, Instant::now()));
    }

    /// It does not speak so any more: the next session finds out anew.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn known(&self) -> Option<(bool, Instant)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
