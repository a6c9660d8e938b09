//! The names by which messages belong together: ids, progress tokens, subscriptions.

use mcp::json;
use mcp::message::{Body, Id, IdKey, Message, parse_client, parse_upstream, splice};

/// The `_meta` key that ties a notification to the subscription it belongs to (2026-07-28).
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The revision that a stateless message names in its `_meta`.
pub(crate) fn revision<'a>(message: &'a Message<'_>) -> Option<&'a str> {
    match message {
        Message::Request(request) => request.params.meta_protocol_version.as_deref(),
        Message::Notification(notification) => notification.params.meta_protocol_version.as_deref(),
        Message::Response(_) => None,
    }
}

/// The method of a request or notification.
pub(crate) fn method<'a>(message: &'a Message<'_>) -> Option<&'a str> {
    match message {
        Message::Request(request) => Some(&request.method),
        Message::Notification(notification) => Some(&notification.method),
        Message::Response(_) => None,
    }
}

/// The id of a request, as it was sent.
pub(crate) fn raw_id<'a>(message: &Message<'a>) -> Option<&'a str> {
    match message {
        Message::Request(request) => Some(request.id.raw()),
        _ => None,
    }
}

/// The request that a message cancels.
pub(crate) fn cancelled(message: &Message<'_>) -> Option<IdKey> {
    match message {
        Message::Notification(notification) if notification.method == "notifications/cancelled" => {
            notification.params.request_id.and_then(key)
        }
        _ => None,
    }
}

/// The notification that cancels a request, by its raw id.
pub(crate) fn cancel(raw_id: &str, reason: &str) -> String {
    let reason = serde_json::Value::from(reason);
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{raw_id},"reason":{reason}}}}}"#
    )
}

/// A raw id, to be compared.
pub(crate) fn key(raw: &str) -> Option<IdKey> {
    Id::parse(raw).map(|id| id.key())
}

/// Gives a request the id `ours`, and its progress token too, so that requests of several agents
/// can share one server. Tells the token that it had.
pub(crate) fn renumber(request: &str, ours: &str) -> Option<(String, Option<String>)> {
    let Ok(Body::One(Message::Request(request))) = parse_client(request.as_bytes()) else { return None };
    let token = request.params.progress_token.map(str::to_owned);
    let mut changes = vec![(request.id_span.range(), ours)];
    if let Some(span) = request.params.spans.progress_token {
        changes.push((span.range(), ours));
    }
    changes.sort_by_key(|(range, _)| range.start);
    Some((splice(request.raw, &changes)?, token))
}

/// Puts an agent's own names back: the id of an answer, the token of progress, the tag of a
/// subscription.
pub(crate) fn with_names(message: &str, id: &str, token: Option<&str>) -> Option<String> {
    let Ok(Body::One(parsed)) = parse_upstream(message.as_bytes()) else { return None };
    match parsed {
        Message::Response(response) => splice(response.raw, &[(response.id_span?.range(), id)]),
        Message::Request(_) => None,
        Message::Notification(notification) => {
            let mut changes = Vec::new();
            if let (Some(span), Some(token)) = (notification.params.spans.progress_token, token) {
                changes.push((span.range(), token));
            }
            if let Ok(Some(span)) = json::locate(notification.raw, &["params", "_meta", SUBSCRIPTION]) {
                changes.push((span.range(), id));
            }
            changes.sort_by_key(|(range, _)| range.start);
            splice(notification.raw, &changes)
        }
    }
}

/// A cancellation of a request as an agent sends it, by the id that the server knows.
pub(crate) fn cancel_of(raw_id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{raw_id}}}}}"#)
}

/// The progress token or subscription that a notification names.
pub(crate) fn named(message: &str) -> Option<IdKey> {
    let Ok(Body::One(Message::Notification(notification))) = parse_upstream(message.as_bytes()) else { return None };
    if let Some(token) = notification.params.progress_token {
        return key(token);
    }
    let span = json::locate(notification.raw, &["params", "_meta", SUBSCRIPTION]).ok()??;
    key(span.of(notification.raw))
}

/// The id of the request that a message answers.
pub(crate) fn answered(message: &[u8]) -> Option<IdKey> {
    match parse_upstream(message) {
        Ok(Body::One(Message::Response(response))) => response.id.map(|id| id.key()),
        _ => None,
    }
}

/// Names the request in an error that names none, where nothing else ties the two together.
pub(crate) fn with_id(message: &str, id: &str) -> Option<String> {
    let Ok(Body::One(Message::Response(response))) = parse_upstream(message.as_bytes()) else { return None };
    match (response.id, response.id_span) {
        (Some(_), _) => None,
        (None, Some(span)) => splice(response.raw, &[(span.range(), id)]),
        (None, None) => {
            let brace = response.raw.find('{')?;
            let at = brace + 1;
            splice(response.raw, &[(at..at, &format!("\"id\":{id},"))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_and_come_back() {
        let request = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"id":7},"_meta":{"progressToken":7}}}"#;
        let (ours, token) = renumber(request, "\"tg-1\"").unwrap();
        assert_eq!(
            ours,
            r#"{"jsonrpc":"2.0","id":"tg-1","method":"tools/call","params":{"name":"echo","arguments":{"id":7},"_meta":{"progressToken":"tg-1"}}}"#
        );
        assert_eq!(token.as_deref(), Some("7"));
        let answer = with_names(r#"{"jsonrpc":"2.0","id":"tg-1","result":{}}"#, "7", None).unwrap();
        assert_eq!(answer, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
        let progress =
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"tg-1","progress":1}}"#;
        assert_eq!(named(progress), key("\"tg-1\""));
        assert!(with_names(progress, "7", token.as_deref()).unwrap().contains(r#""progressToken":7"#));
    }

    #[test]
    fn an_error_to_nobody_is_given_its_request() {
        let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#;
        assert!(with_id(error, "3").unwrap().contains(r#""id":3"#));
        let error = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}"#;
        assert!(with_id(error, "3").unwrap().contains(r#""id":3"#));
        assert_eq!(with_id(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "3"), None);
    }
}
