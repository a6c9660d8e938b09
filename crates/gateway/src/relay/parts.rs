//! What a relay reads of a message, and how it puts an edited one together.

use std::borrow::Cow;

use mcp::json;
use mcp::result::Call;
use mcp::revision::Revision;

/// The message without keys under the gateway's own `_meta` prefix; `None` when it has none.
pub(super) fn strip(raw: &str) -> Option<String> {
    mcp::result::strip_meta(raw, super::OWN_META).ok().flatten()
}

/// The edited text, if it is another one.
pub(super) fn changed(edited: Cow<'_, str>, original: &str) -> Option<String> {
    match edited {
        Cow::Borrowed(text) if text.len() == original.len() => None,
        edited => Some(edited.into_owned()),
    }
}

pub(super) fn protocol_version(result: &str) -> Option<Revision> {
    let span = json::locate(result, &["protocolVersion"]).ok()??;
    // One that has no `initialize` cannot be agreed on in its answer: what is said after it is of the older era all the same.
    Revision::parse(&json::unquote(span.of(result))?).filter(|revision| !revision.is_modern())
}

/// The revision that an answer to `initialize` agrees on.
pub(crate) fn negotiated(answer: &str) -> Option<Revision> {
    let span = json::locate(answer, &["result"]).ok()??;
    protocol_version(span.of(answer))
}

/// The `message` of a JSON-RPC error.
pub(crate) fn error_message(error: &str) -> Option<String> {
    let span = json::locate(error, &["message"]).ok()??;
    json::unquote(span.of(error)).map(|text| text.chars().take(500).collect())
}

/// The `code` of a JSON-RPC error.
pub(crate) fn error_code(error: &str) -> Option<String> {
    let span = json::locate(error, &["code"]).ok()??;
    Some(span.of(error).to_owned())
}

/// The code of the error that a message answers with, if it does.
pub(crate) fn answered_code(answer: &str) -> Option<String> {
    let span = json::locate(answer, &["error"]).ok()??;
    error_code(span.of(answer))
}

/// What a result says of itself. The message that it stands in was read strictly, so it can be read.
pub(super) fn read(result: &str) -> Call<'_> {
    mcp::result::call(result).unwrap_or_default()
}

/// The first question in a multi-round result that must not reach the agent: one that the policy does not let the server
/// ask, or one that leads a person astray.
pub(super) fn forbidden_input(policy: &policy::Policy, result: &Call<'_>) -> Option<String> {
    let requests = result.input_requests?;
    let Ok(asked) = mcp::result::input_requests(requests) else { return Some("something unreadable".to_owned()) };
    if let Some((_, method)) = asked.into_iter().find(|(_, method)| !policy.names_method(method)) {
        return Some(method);
    }
    let requests = json::parse(requests).ok()?;
    let fault = requests.as_object()?.iter().find_map(|(_, request)| mcp::elicitation::fault(request.get("params")?));
    fault.map(|fault| format!("a page with {fault}"))
}

/// Why the pages of an error that asks for them must not reach the agent, if they must not.
pub(super) fn forbidden_pages(policy: Option<&policy::Policy>, error: &str) -> Option<String> {
    if !policy.is_some_and(|policy| policy.names_method("elicitation/create")) {
        return Some("the policy does not allow `elicitation/create`".to_owned());
    }
    let error = json::parse(error).ok();
    let fault = match error.as_ref().and_then(|error| error.get("data")) {
        Some(data) => mcp::elicitation::fault_in_error(data),
        None => Some("no list of pages"),
    };
    fault.map(|fault| format!("gives {fault}"))
}
