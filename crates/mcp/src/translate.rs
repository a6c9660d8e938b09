//! Messages of one era as the other era writes them.
//!
//! 2024-11-05 to 2025-11-25 ("legacy") and 2026-07-28 ("modern") are two protocols whose calls, lists and reads hardly
//! differ. What differs is here, as edits of the texts themselves: whatever both eras have keeps its bytes.

mod legacy;
mod modern;

pub use legacy::{call_with_input, initialize_result, input_response, legacy_notification, legacy_result, questions};
pub use modern::{
    Question, can_be_asked, discover_result, input_required, modern_error, modern_request, modern_result,
    tagged_notification,
};

use crate::json::{self, locate, quote, remove, splice};
use crate::message::Request;

/// The prefix of the `_meta` keys in which a stateless request says what `initialize` said before.
const PROTOCOL: &str = "io.modelcontextprotocol/";

/// The request as a legacy server reads it, under the id `ours` and, if it wants progress, the same progress token:
/// without what only a stateless request carries. `None` when it cannot be edited.
#[must_use]
pub fn legacy_request(request: &Request<'_>, ours: &str) -> Option<String> {
    let mut changes = vec![(request.id_span.range(), ours)];
    changes.extend(request.params.spans.progress_token.map(|span| (span.range(), ours)));
    let renamed = splice(request.raw, &changes)?;
    let keys =
        ["protocolVersion", "clientCapabilities", "clientInfo", "logLevel"].map(|key| format!("{PROTOCOL}{key}"));
    let meta: Vec<[&str; 3]> = keys.iter().map(|key| ["params", "_meta", key.as_str()]).collect();
    let mut paths: Vec<&[&str]> = meta.iter().map(<[&str; 3]>::as_slice).collect();
    // Tasks of 2025-11-25 are another thing than those of 2026-07-28.
    paths.extend::<[&[&str]; 3]>([&["params", "inputResponses"], &["params", "requestState"], &["params", "task"]]);
    let stripped = remove(&renamed, &paths).ok()?.unwrap_or(renamed);
    // An empty `_meta` is legal, and says nothing.
    let empty = locate(&stripped, &["params", "_meta"]).ok()?.is_some_and(|meta| is_empty(meta.of(&stripped)));
    if !empty {
        return Some(stripped);
    }
    remove(&stripped, &[&["params", "_meta"]]).ok()?
}

/// An object with one more member before the others; `None` if it is no object.
fn with_member(object: &str, key: &str, value: &str) -> Option<String> {
    let inner = object.trim_start().strip_prefix('{')?;
    let comma = if inner.trim_start().starts_with('}') { "" } else { "," };
    Some(format!("{{{}:{value}{comma}{inner}", quote(key)))
}

/// The same with a member that it does not have yet; as it is where it has one.
fn with_missing(object: String, key: &str, value: &str) -> Option<String> {
    match locate(&object, &[key]) {
        Ok(Some(_)) => Some(object),
        Ok(None) => with_member(&object, key, value),
        Err(_) => None,
    }
}

/// A member of an object as it stands there.
fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    Some(locate(object, &[key]).ok()??.of(object))
}

fn is_empty(object: &str) -> bool {
    json::parse(object).is_ok_and(|value| value.as_object().is_some_and(json::Object::is_empty))
}

#[cfg(test)]
mod tests;
