//! The end of sessions that the gateway holds at servers, when no agent has used them for long.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::held::Held;
use super::sessions::legacy_caller;
use crate::gateway::Gateway;
use crate::http_link::HttpLink;
use crate::transport::Way;

/// How long a server may take to hear that: nothing depends on it.
const ENDING: Duration = Duration::from_secs(2);

/// Ends a session: its program or connection, or, by DELETE, what an endpoint remembers of it.
pub(super) fn end(gateway: &Gateway, held: &Held) {
    let (Some(opener), Some(session)) = (&held.opener, &held.session) else { return };
    let caller = legacy_caller(opener, held);
    gateway.sessions().ended(&caller.conversation());
    let server = Arc::clone(caller.grant.server());
    let endpoint = match server.way(Some(session)) {
        Way::Conversation => return gateway.children().end(gateway, session.number),
        Way::Requests(endpoint) => endpoint.clone(),
    };
    // Whom it was held for may be let in no more; what was opened for it is closed all the same.
    let Some(client) = gateway.client_beside().filter(|_| !session.upstream.is_empty()) else { return };
    let (upstream, revision) = (session.upstream.clone(), held.revision);
    let link = HttpLink { client, server, endpoint, session: Some(upstream), revision };
    gateway.finish(async move {
        let _ = link.client.send(&link.endpoint, Method::DELETE, link.headers(), None, Some(ENDING)).await;
    });
}
