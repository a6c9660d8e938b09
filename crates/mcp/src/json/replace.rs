//! Strings at given places, replaced; all else stays byte for byte.

use std::ops::Range;

use super::{Error, Fault, Scanner, quote, splice};

/// One step on the way into a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Key(&'static str),
    /// Every element of an array.
    Each,
}

/// Replaces the strings at the end of `paths` by what `replace` makes of them; where it gives `None`, they stay. `None`
/// when nothing is replaced.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn replace_strings(
    raw: &str,
    paths: &[&[Step]],
    mut replace: impl FnMut(&str) -> Option<String>,
) -> Result<Option<String>, Error> {
    let mut scanner = Scanner::new(raw);
    let mut found = Vec::new();
    walk(&mut scanner, 0, paths, &mut replace, &mut found)?;
    scanner.end()?;
    if found.is_empty() {
        return Ok(None);
    }
    let changes: Vec<(Range<usize>, &str)> = found.iter().map(|(range, text)| (range.clone(), text.as_str())).collect();
    Ok(splice(raw, &changes))
}

fn walk(
    scanner: &mut Scanner<'_>,
    depth: usize,
    paths: &[&[Step]],
    replace: &mut impl FnMut(&str) -> Option<String>,
    found: &mut Vec<(Range<usize>, String)>,
) -> Result<(), Fault> {
    let goes_on = paths.iter().any(|path| !path.is_empty());
    match scanner.peek() {
        Some(b'"') if paths.iter().any(|path| path.is_empty()) => {
            let quoted = scanner.string()?;
            if let Some(text) = replace(&scanner.decode(quoted)) {
                found.push((quoted.outer().range(), quote(&text)));
            }
            Ok(())
        }
        Some(b'{') if goes_on => scanner.object(depth, |scanner, key| {
            let name = scanner.decode(key);
            let below = after(paths, |step| matches!(step, Step::Key(key) if name == key));
            walk(scanner, depth + 1, &below, replace, found)
        }),
        Some(b'[') if goes_on => {
            let below = after(paths, |step| step == Step::Each);
            scanner.array(depth, |scanner| walk(scanner, depth + 1, &below, replace, found))
        }
        _ => scanner.skip(depth).map(drop),
    }
}

/// What is left of the paths that go on with a step.
fn after<'p>(paths: &[&'p [Step]], goes: impl Fn(Step) -> bool) -> Vec<&'p [Step]> {
    let steps = paths.iter().filter_map(|path| path.split_first());
    steps.filter(|(step, _)| goes(**step)).map(|(_, rest)| rest).collect()
}
