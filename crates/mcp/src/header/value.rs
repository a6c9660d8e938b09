//! Header values: plain where they can be, otherwise `=?base64?…?=`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

// Both are compared exactly, case included.
const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

/// The text that a header value stands for; `None` if it stands for none: not plain ASCII, or a marker around what is
/// no base64 of UTF-8.
#[must_use]
pub fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let value = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    match value.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE)) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned),
        None => is_plain(value).then_some(Cow::Borrowed(value)),
    }
}

/// The text as a header value.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let marked = text.starts_with(OPEN) && text.ends_with(CLOSE);
    if is_plain(text) && !text.starts_with(' ') && !text.ends_with(' ') && !marked {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{OPEN}{}{CLOSE}", STANDARD.encode(text)))
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
