//! Keys under the gateway's own `_meta` prefix, which only the gateway may send.

use crate::json::{self, Members, Scanner, cut};

/// Takes every key that begins with `prefix` out of every `_meta` object of a message, however deep. `None` when there
/// is none, which costs one search in texts that do not hold the prefix and have no escapes that could hide it.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn strip_meta(raw: &str, prefix: &str) -> Result<Option<String>, json::Error> {
    // The slash can be written with a backslash before it; the word cannot, save by `\u00`.
    let word = prefix.trim_end_matches('/');
    let holds = |needle: &str| memchr::memmem::find(raw.as_bytes(), needle.as_bytes()).is_some();
    if !holds(word) && !holds("\\u00") {
        return Ok(None);
    }
    let mut scanner = Scanner::new(raw);
    let mut cuts = Vec::new();
    walk(&mut scanner, 0, false, prefix, &mut cuts)?;
    scanner.end()?;
    Ok(cut(raw, &cuts))
}

fn walk(
    scanner: &mut Scanner<'_>,
    depth: usize,
    in_meta: bool,
    prefix: &str,
    cuts: &mut Vec<std::ops::Range<usize>>,
) -> Result<(), json::Fault> {
    match scanner.peek() {
        Some(b'{') => {
            let mut members = Members::default();
            scanner.object(depth, |scanner, key| {
                let name = scanner.decode(key);
                let goes = in_meta && name.starts_with(prefix);
                if goes {
                    scanner.skip(depth + 1)?;
                } else {
                    walk(scanner, depth + 1, name == "_meta", prefix, cuts)?;
                }
                members.add(key.outer().start()..scanner.at(), goes);
                Ok(())
            })?;
            members.cuts(cuts);
            Ok(())
        }
        Some(b'[') => scanner.array(depth, |scanner| walk(scanner, depth + 1, false, prefix, cuts)),
        _ => scanner.skip(depth).map(drop),
    }
}
