//! Where secrets stand in a text.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

use super::shape::{BETWEEN, CARD, Needs, PRIVATE_KEY, SERVICE_ACCOUNT_KEY, SHAPES, Shape};
use super::{Detector, card, private_key};

/// A secret, and what its mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit<'n> {
    pub(super) range: Range<usize>,
    pub(super) name: &'n str,
}

/// What could be in a text, after one pass over it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Suspects {
    /// A bit for each of the shapes.
    shapes: u64,
    private_key: bool,
    card: bool,
}

impl Suspects {
    pub(super) fn any(self) -> bool {
        self != Suspects::default()
    }
}

/// Every anchor, and which shape it belongs to; the last ones are those of private keys.
static ANCHORS: LazyLock<Option<(AhoCorasick, Vec<Option<usize>>)>> = LazyLock::new(|| {
    let of_shapes = SHAPES
        .iter()
        .enumerate()
        .flat_map(|(index, shape)| shape.anchors.iter().map(move |anchor| (*anchor, index)))
        .flat_map(|(anchor, index)| spellings(anchor).into_iter().map(move |anchor| (anchor, Some(index))));
    let of_keys = ["PRIVATE KEY", "Private-Lines"].map(|anchor| (anchor.to_owned(), None));
    let (anchors, owners): (Vec<String>, Vec<Option<usize>>) = of_shapes.chain(of_keys).unzip();
    Some((AhoCorasick::builder().ascii_case_insensitive(true).build(anchors).ok()?, owners))
});

/// Every way in which the words of an anchor are joined.
fn spellings(anchor: &str) -> Vec<String> {
    match anchor.split_once(' ') {
        Some((word, rest)) if !rest.is_empty() => {
            let rest = spellings(rest);
            BETWEEN.iter().flat_map(|between| rest.iter().map(move |rest| [word, between, rest].concat())).collect()
        }
        _ => vec![anchor.to_owned()],
    }
}

static COMPILED: [OnceLock<Option<Regex>>; SHAPES.len()] = [const { OnceLock::new() }; SHAPES.len()];

/// The shape's expression, compiled when it is first needed.
pub(super) fn expression(index: usize) -> Option<&'static Regex> {
    let shape = SHAPES.get(index)?;
    COMPILED.get(index)?.get_or_init(|| Regex::new(shape.pattern).ok()).as_ref()
}

/// What a text could have, of these detectors.
pub(super) fn suspects(text: &str, detectors: &[Detector]) -> Suspects {
    let mut found = Suspects::default();
    if detectors.iter().any(|detector| *detector != Detector::CardNumbers)
        && let Some((anchors, owners)) = ANCHORS.as_ref()
    {
        let keys = detectors.iter().any(|known| matches!(known, Detector::PrivateKeys | Detector::CloudKeys));
        for hit in anchors.find_overlapping_iter(text) {
            match owners.get(hit.pattern().as_usize()) {
                Some(Some(index)) if SHAPES.get(*index).is_some_and(|shape| detectors.contains(&shape.detector)) => {
                    found.shapes |= 1 << index;
                }
                Some(None) => found.private_key |= keys,
                _ => {}
            }
        }
    }
    found.card = detectors.contains(&Detector::CardNumbers) && card::may_have(text.as_bytes());
    found
}

/// Whether a message writes characters as escapes that may stand within what is looked for: then its bytes do not show what
/// it says. (Tabs and line breaks stand in no anchor, save one that is there in both ways.)
pub(super) fn has_odd_escapes(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    memchr::memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1), Some(b'u' | b'/' | b'b' | b'f')))
}

/// Every secret that the build knows in a text, in no order.
pub(super) fn each(text: &str, detectors: &[Detector], hits: &mut Vec<Hit<'_>>) {
    let suspects = suspects(text, detectors);
    for (index, shape) in SHAPES.iter().enumerate().filter(|(index, _)| suspects.shapes & (1 << index) != 0) {
        if let Some(expression) = expression(index) {
            search(text, shape, expression, hits);
        }
    }
    if suspects.private_key {
        let everywhere = detectors.contains(&Detector::PrivateKeys);
        private_key::each(text, |range| {
            let of_account = detectors.contains(&Detector::CloudKeys) && is_named_private_key(text, range.start);
            if of_account || everywhere {
                let name = if of_account { SERVICE_ACCOUNT_KEY } else { PRIVATE_KEY };
                hits.push(Hit { range, name });
            }
        });
    }
    if suspects.card {
        card::each(text, |range| hits.push(Hit { range, name: CARD }));
    }
}

fn search(text: &str, shape: &'static Shape, expression: &Regex, hits: &mut Vec<Hit<'_>>) {
    let mut at = 0;
    while let Some(found) = expression.captures_at(text, at) {
        let Some(whole) = found.get(0) else { return };
        let secret = found.get(1).unwrap_or(whole);
        if !stands_so(text, shape, whole.start(), secret.end()) {
            // One that stands as it must may begin within.
            at = whole.start() + whole.as_str().chars().next().map_or(1, char::len_utf8);
            continue;
        }
        at = whole.end();
        let is_one = match shape.needs {
            Needs::Nothing => true,
            Needs::Digit => secret.as_str().bytes().any(|byte| byte.is_ascii_digit()),
            Needs::Credentials => is_credentials(secret.as_str()),
        };
        if is_one {
            hits.push(Hit { range: secret.range(), name: shape.name });
        }
    }
}

/// Whether it is base64 of a name, a colon and a password.
fn is_credentials(text: &str) -> bool {
    let decoded = STANDARD_NO_PAD.decode(text.trim_end_matches('='));
    let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|decoded| decoded.contains(':') && !decoded.contains(char::is_control))
}

fn stands_so(text: &str, shape: &Shape, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let part = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() && !(shape.beside_small && byte.is_ascii_lowercase()))
    };
    let begins = !shape.begins || !part(start.checked_sub(1)) || follows_escape(bytes, start);
    let ends = !shape.ends || !part(Some(end));
    begins && ends
}

/// Whether what stands before `at` is an escape: its last letter is no letter of the text. Texts are often escaped once
/// more than their JSON: `\n`, `\u0026`, `%3D`.
pub(super) fn follows_escape(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let hex = |length: usize| {
        let (rest, digits) = before.split_at_checked(before.len().checked_sub(length)?)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(rest)
    };
    matches!(before, [.., b'\\', b'n' | b't' | b'r' | b'b' | b'f'])
        || hex(4).is_some_and(|rest| rest.ends_with(b"\\u"))
        || hex(2).is_some_and(|rest| rest.ends_with(b"%"))
}

/// Whether the text before a key is `"private_key": "`, as in the file of a service account.
fn is_named_private_key(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let named = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ':'));
    named.len() < before.len() && named.ends_with("private_key")
}

/// The name of a secret that the key of its member tells, where the value alone does not. What is named in the plural has the
/// name of each.
pub(super) fn by_key(key: &str, value: &str, detectors: &[Detector]) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    let key = key.strip_suffix('s').unwrap_or(&key);
    if detectors.contains(&Detector::Tokens) && key.ends_with("authorization") && is_basic(value) {
        return Some("basic_credentials");
    }
    if !detectors.contains(&Detector::CloudKeys) {
        return None;
    }
    let base64 = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    match value.len() {
        _ if ends_in(key, &["private", "key"]) => {
            let mut whole = false;
            private_key::each(value, |_| whole = true);
            whole.then_some(SERVICE_ACCOUNT_KEY)
        }
        40 if base64 && (ends_in(key, &["secret", "access", "key"]) || ends_in(key, &["aws", "secret", "key"])) => {
            Some("aws_secret_key")
        }
        100.. if base64 && ends_in(key, &["session", "token"]) => Some("aws_session_token"),
        88 if base64 && ends_in(key, &["account", "key"]) => Some("azure_account_key"),
        44 if base64 && ends_in(key, &["shared", "access", "key"]) => Some("azure_access_key"),
        _ => None,
    }
}

/// Whether a key ends in these words, joined as those of anchors are: otherwise a look at a whole message would pass it over.
fn ends_in(key: &str, words: &[&str]) -> bool {
    let Some((last, before)) = words.split_last() else { return true };
    let Some(rest) = key.strip_suffix(last) else { return false };
    before.is_empty()
        || BETWEEN.iter().any(|between| rest.strip_suffix(between).is_some_and(|rest| ends_in(rest, before)))
}

/// Whether a header's value is credentials of the Basic scheme, whatever they decode to.
fn is_basic(value: &str) -> bool {
    let (scheme, rest) = value.trim().split_once([' ', '\t']).unwrap_or_default();
    let rest = rest.trim_start();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    scheme.eq_ignore_ascii_case("basic") && rest.len() >= 4 && rest.bytes().all(base64)
}
