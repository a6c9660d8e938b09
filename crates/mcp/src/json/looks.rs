//! How keys look to readers that do not compare them byte by byte.

use super::scan::plain_end;

/// Whether every key at any depth is visible ASCII without capitals and escapes. No reader takes two such keys for one,
/// whether it trims them, normalises them or folds their case.
///
/// One pass that allocates nothing, over a text that [`check`](super::check) has passed; of another it says nothing.
#[must_use]
pub fn plain_keys(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(open) = rest.iter().position(|byte| *byte == b'"') {
        let (string, after) = string_at(rest.get(open + 1..).unwrap_or_default());
        let key = after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        if key && !string.is_some_and(is_plain) {
            return false;
        }
        rest = after;
    }
    true
}

/// What stands before the quote that ends a string, and what behind it. `None` for a string with escapes.
fn string_at(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut at = plain_end(bytes, 0);
    let inner = bytes.get(..at).filter(|_| bytes.get(at) == Some(&b'"'));
    while let Some(b'\\') = bytes.get(at) {
        at = plain_end(bytes, at + 2);
    }
    (inner, bytes.get(at + 1..).unwrap_or_default())
}

/// Without a branch for each byte, since nearly every key is plain.
fn is_plain(key: &[u8]) -> bool {
    key.iter().fold(true, |plain, byte| plain & byte.is_ascii_graphic() & !byte.is_ascii_uppercase())
}
