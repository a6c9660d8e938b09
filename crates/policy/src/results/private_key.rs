//! Private keys: blocks of base64 between a line that says so and another.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Less base64 than this between the lines is no key, but a text about keys.
const LEAST: usize = 40;

static BEGIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}").ok());
static PUTTY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"Private-Lines: ?[0-9]{1,4}").ok());

/// Every block of a private key (PEM, OpenSSH, PGP, SSH2, PuTTY) in a text; line breaks may be escaped (`\n`). A key that
/// was cut off before its last line is one too.
pub(super) fn each(text: &str, mut found: impl FnMut(Range<usize>)) {
    let mut at = 0;
    while let Some(begin) = BEGIN.as_ref().and_then(|begin| begin.find_at(text, at)) {
        let rest = text.get(begin.end()..).unwrap_or_default();
        // The next such line ends the block, or begins another one after a block that was cut off.
        let body = memchr::memmem::find(rest.as_bytes(), b"----").unwrap_or(rest.len());
        let (inside, last) = rest.split_at_checked(body).unwrap_or((rest, ""));
        let end = end_line(last);
        let inside = if end.is_some() { inside } else { inside.get(..run(inside)).unwrap_or_default() };
        at = begin.end() + inside.len();
        if base64(inside) >= LEAST {
            at += end.unwrap_or(0);
            found(begin.start()..at);
        }
    }
    at = 0;
    while let Some(head) = PUTTY.as_ref().and_then(|head| head.find_at(text, at)) {
        let rest = text.get(head.end()..).unwrap_or_default();
        let length = run(rest);
        at = head.end() + length;
        if base64(rest.get(..length).unwrap_or_default()) >= LEAST {
            found(head.end()..at);
        }
    }
}

/// How long the line is that ends a block, if `text` begins with one.
fn end_line(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches('-');
    rest.trim_start_matches(' ').starts_with("END ").then_some(())?;
    let name = rest.find('-')?;
    let (name, dashes) = rest.split_at_checked(name)?;
    let closing = dashes.len() - dashes.trim_start_matches('-').len();
    (name.len() <= 80).then_some(text.len() - rest.len() + name.len() + closing.min(5))
}

/// How far base64, white space, escaped line breaks and header lines go.
fn run(text: &str) -> usize {
    let inside = |c: char| {
        c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || matches!(c, '+' | '/' | '=' | '\\' | ':' | ',' | '-')
    };
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

fn base64(text: &str) -> usize {
    text.bytes().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count()
}
