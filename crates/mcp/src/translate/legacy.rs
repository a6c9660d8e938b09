//! What a server of 2026-07-28 says, as legacy agents read it.

use super::modern::Question;
use super::{PROTOCOL, member, with_member};
use crate::json::{self, quote, remove, splice};
use crate::revision::Revision;

/// The result without what only 2026-07-28 says of it. Cache hints stay: agents ignore what they do not know.
#[must_use]
pub fn legacy_result(result: &str) -> String {
    remove(result, &[&["resultType"]]).ok().flatten().unwrap_or_else(|| result.to_owned())
}

/// The notification without the tag that names a subscription, and without a `_meta` that held nothing else.
#[must_use]
pub fn legacy_notification(notification: &str) -> String {
    let tag = format!("{PROTOCOL}subscriptionId");
    let path: &[&str] = &["params", "_meta", &tag];
    let Ok(Some(stripped)) = remove(notification, &[path]) else { return notification.to_owned() };
    let empty = json::locate(&stripped, &["params", "_meta"]);
    match empty {
        Ok(Some(meta)) if super::is_empty(meta.of(&stripped)) => {
            remove(&stripped, &[&["params", "_meta"]]).ok().flatten().unwrap_or(stripped)
        }
        _ => stripped,
    }
}

/// The answer to `initialize` that a server's answer to `server/discover` amounts to, in `revision`.
#[must_use]
pub fn initialize_result(discovered: &str, revision: Revision) -> String {
    let meta = member(discovered, "_meta");
    let info = meta
        .and_then(|meta| member(meta, &format!("{PROTOCOL}serverInfo")))
        .or_else(|| member(discovered, "serverInfo"))
        .unwrap_or("{\"name\":\"server\",\"version\":\"0\"}");
    let capabilities = member(discovered, "capabilities").unwrap_or("{}");
    // Extensions are spoken in the other era only, tasks in another way.
    let without = remove(capabilities, &[&["tasks"], &["extensions"]]).ok().flatten();
    let capabilities = without.as_deref().unwrap_or(capabilities);
    let mut result = format!(
        "{{\"protocolVersion\":{},\"capabilities\":{capabilities},\"serverInfo\":{info}",
        quote(revision.as_str())
    );
    if let Some(instructions) = member(discovered, "instructions") {
        result.push_str(&format!(",\"instructions\":{instructions}"));
    }
    result.push('}');
    result
}

/// The questions of an `inputRequests` object with their keys; `None` when one of them cannot be read.
#[must_use]
pub fn questions(input_requests: &str) -> Option<Vec<(String, Question)>> {
    let value = json::parse(input_requests).ok()?;
    let requests = value.as_object()?;
    requests
        .iter()
        .map(|(key, request)| {
            let method = request.get("method")?.as_str()?.to_owned();
            let raw = member(input_requests, key)?;
            Some((key.to_owned(), Question { method, params: member(raw, "params").map(str::to_owned) }))
        })
        .collect()
}

/// The result that an agent's answer to a question brings, for `inputResponses`.
///
/// An error cannot be written there. For a question to a person it means that the person did not choose.
///
/// # Errors
/// The error's message, where the call cannot go on with it.
pub fn input_response(method: &str, outcome: crate::message::Outcome<'_>) -> Result<String, String> {
    match outcome {
        crate::message::Outcome::Result(result) => Ok(result.to_owned()),
        crate::message::Outcome::Error(_) if method == "elicitation/create" => Ok("{\"action\":\"cancel\"}".to_owned()),
        crate::message::Outcome::Error(error) => {
            let said = member(error, "message").and_then(json::unquote);
            Err(said.map_or_else(|| "no reason given".to_owned(), std::borrow::Cow::into_owned))
        }
    }
}

/// The next round of a call: the same request under the id `id`, with what the server asked for and its state. `None`
/// when it cannot be edited.
#[must_use]
pub fn call_with_input(
    request: &crate::message::Request<'_>,
    id: &str,
    responses: Option<&str>,
    state: Option<&str>,
) -> Option<String> {
    let params = request.params.spans.params?;
    let own = remove(params.of(request.raw), &[&["inputResponses"], &["requestState"]]).ok()?;
    let mut edited = own.unwrap_or_else(|| params.of(request.raw).to_owned());
    if let Some(state) = state {
        edited = with_member(&edited, "requestState", state)?;
    }
    if let Some(responses) = responses {
        edited = with_member(&edited, "inputResponses", responses)?;
    }
    splice(request.raw, &[(request.id_span.range(), id), (params.range(), &edited)])
}
