//! Which parts of a message are looked into.

use std::borrow::Cow;

use mcp::json::Token;

/// What a message is, and so which part of it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A result.
    Result,
    /// A result that lists what has names: the member of that name stays as it is, for its entries are called by name
    /// and, where they are tools, pinned.
    List(&'static str),
    /// A result that settles how to speak: only its instructions are for reading.
    Handshake,
    /// An error.
    Error,
    /// A question of the server, or a notification.
    Params,
}

/// What comes back to the server as it was sent; changed, it would mean nothing there.
const HANDLES: &[&[&str]] = &[
    &["error", "data", "elicitations", "", "elicitationId"],
    &["error", "data", "elicitations", "", "url"],
    &["params", "cursor"],
    &["params", "elicitationId"],
    &["params", "progressToken"],
    &["params", "requestId"],
    &["params", "taskId"],
    &["params", "uri"],
    // For a person's browser, not for a model.
    &["params", "url"],
    &["result", "inputRequests", "*", "method"],
    &["result", "inputRequests", "*", "params", "elicitationId"],
    &["result", "inputRequests", "*", "params", "url"],
    &["result", "nextCursor"],
    &["result", "requestState"],
    &["result", "resultType"],
    &["result", "task", "taskId"],
    &["result", "taskId"],
    &["result", "tasks", "", "taskId"],
];

/// From so many characters on, what is base64 throughout is taken for a file.
const FILE: usize = 128;

impl Part {
    /// Whether a token is judged.
    pub(super) fn covers(self, path: &[Cow<'_, str>], token: Token<'_>) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        let here = match self {
            Part::Result => first == "result",
            Part::List(list) => first == "result" && !rest.is_empty() && rest.first().is_some_and(|key| key != list),
            Part::Handshake => matches!(path, [result, text] if result == "result" && text == "instructions"),
            Part::Error => first == "error",
            Part::Params => first == "params",
        };
        // Members that the protocol does not know belong to the message all the same.
        let beside = !matches!(first.as_ref(), "jsonrpc" | "id" | "method" | "result" | "error" | "params");
        (here || beside) && !(is_handle(path, token) || is_protocols(path) || is_file(path, token))
    }
}

fn is_handle(path: &[Cow<'_, str>], token: Token<'_>) -> bool {
    if matches!(token, Token::Key(_)) {
        // What questions are answered under.
        return matches!(path, [result, asked] if result == "result" && asked == "inputRequests");
    }
    HANDLES.iter().any(|handle| {
        handle.len() == path.len() && handle.iter().zip(path).all(|(key, found)| *key == "*" || *key == found.as_ref())
    })
}

/// Under the protocol's own keys of `_meta` stand ids.
fn is_protocols(path: &[Cow<'_, str>]) -> bool {
    match path {
        [_, meta, key, ..] if meta == "_meta" => key == "progressToken" || key.starts_with("io.modelcontextprotocol/"),
        _ => false,
    }
}

/// Images, sounds and files: base64 that is as long as one.
fn is_file(path: &[Cow<'_, str>], token: Token<'_>) -> bool {
    let Token::String(text) = token else { return false };
    path.last().is_some_and(|key| key == "data" || key == "blob")
        && text.len() >= FILE
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}
