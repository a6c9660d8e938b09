//! Listing over Streamable HTTP.

use std::sync::Arc;
use std::time::Duration;

use gateway::body::collect;
use gateway::events::{EventReader, MAX_EVENT};
use gateway::http_link::{HttpLink, METHOD, SESSION_ID, answer_to, list_params, own_id};
use gateway::pipeline::AskForTools;
use gateway::server::Server;
use gateway::sse_link;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use mcp::revision::Revision;
use upstream::http::{Client, Endpoint, SendError};

use super::{Collector, Listed, MODERN, agreed, complete, discovered, hello};

/// How long the end of a session may take to be heard.
const GOODBYE: Duration = Duration::from_secs(2);

/// What came of one request.
struct Answered {
    status: StatusCode,
    session: Option<String>,
    outcome: Result<String, String>,
}

/// Lists the tools of an endpoint.
pub(super) async fn list(server: Arc<Server>, endpoint: Endpoint, client: Client) -> Result<Listed, String> {
    let mut link = HttpLink { client, server, endpoint, session: None, revision: Some(MODERN) };
    match ask(&link, "server/discover", &list_params(None, Some(MODERN))).await {
        // Provably nobody is there, so there is nobody to ask otherwise.
        Err(error @ (SendError::NotSent(_) | SendError::Certificate(_))) => return Err(error.advised()),
        Ok(Answered { outcome: Ok(result), .. }) => {
            if let Some(name) = discovered(&result) {
                let tools = pages(&link).await?;
                return Ok(complete(tools, MODERN, name));
            }
        }
        _ => {}
    }
    // Whatever else it said, or that it said nothing: servers of the older era refuse what they do
    // not know in many ways.
    link.revision = None;
    let answer = ask(&link, "initialize", &hello()).await.map_err(|error| error.to_string())?;
    let result = match answer.outcome {
        Ok(result) => result,
        Err(error) => {
            // Whoever knows no `initialize` here may be of the older transport, as the specification says.
            if may_be_sse(answer.status) {
                sse_link::find_out(&link.client, &link.server, &link.endpoint).await;
            }
            if link.server.transport.is_sse() {
                return super::sse::list(link.server, link.endpoint, link.client).await;
            }
            let refused = refused(answer.status, &error);
            let unusable = link.server.transport.unusable();
            return Err(unusable.map_or_else(|| refused.clone(), |why| format!("{refused}; {why}")));
        }
    };
    let (revision, name) = agreed(&result)?;
    link.session = answer.session;
    // The header that names the revision came with 2025-06-18; servers before do not know it.
    link.revision = Some(revision).filter(|revision| *revision >= Revision::V2025_06_18);
    link.tell(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned()).await;
    let tools = pages(&link).await;
    if link.session.is_some() {
        let _ = link.client.send(&link.endpoint, Method::DELETE, link.headers(), None, Some(GOODBYE)).await;
    }
    Ok(complete(tools?, revision, name))
}

async fn pages(link: &HttpLink) -> Result<Collector, String> {
    let mut collector = Collector::default();
    let mut cursor = None;
    loop {
        let page = link.page(cursor).await.map_err(|error| format!("the server's tools cannot be listed: {error}"))?;
        cursor = collector.add(&page)?;
        if cursor.is_none() {
            return Ok(collector);
        }
    }
}

fn may_be_sse(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// Asks one thing, and keeps what an answer says beside its result.
async fn ask(link: &HttpLink, method: &str, params: &str) -> Result<Answered, SendError> {
    let id = own_id();
    let message = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#);
    let mut headers = link.headers();
    if link.revision.is_some_and(Revision::is_modern)
        && let Ok(method) = HeaderValue::from_str(method)
    {
        headers.insert(METHOD, method);
    }
    let answer = link.post(headers, message.into()).await?;
    let status = answer.status();
    let session = answer.headers().get(SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let streams =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let idle = Some(link.server.config.limits.idle);
    let nothing = || Err(format!("the server answered {method} with HTTP {status} and no JSON-RPC result"));
    let outcome = if streams {
        let mut events = EventReader::new(answer.into_body(), idle);
        loop {
            match events.next().await {
                Err(fault) => break Err(fault.to_string()),
                Ok(None) => break nothing(),
                Ok(Some(event)) => {
                    if let Some(outcome) = event.message.as_deref().and_then(|message| answer_to(&id, message)) {
                        break outcome;
                    }
                }
            }
        }
    } else {
        match collect(answer.into_body(), MAX_EVENT, idle).await {
            Err(fault) => Err(fault.to_string()),
            // What is no JSON-RPC is a page for people: its status says more than its syntax.
            Ok(body) if !status.is_success() && mcp::message::parse_upstream(&body).is_err() => nothing(),
            Ok(body) => answer_to(&id, &body).unwrap_or_else(nothing),
        }
    };
    Ok(Answered { status, session, outcome })
}

/// Why a server that refuses `initialize` may do so, and what to do about it.
fn refused(status: StatusCode, error: &str) -> String {
    let error = audit::visible::shown(error);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "the server wants credentials, or other ones (HTTP {status}): give them by --header 'Authorization: Bearer ${{TOKEN}}'"
        ),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            format!("the server refuses initialize ({error}). Is this the address of its endpoint?")
        }
        _ => format!("the server refuses initialize: {error}"),
    }
}
