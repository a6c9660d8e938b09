//! Edits that leave every byte they do not mean as it is.

use std::ops::Range;

use super::{Error, Fault, Scanner, Span, folds_to};

/// Replaces stretches of a text; all else stays byte for byte.
///
/// `None` when two stretches overlap, or when one lies outside the text or cuts a character: an edit that cannot be
/// done must not pass for done. The order of the replacements does not matter; several insertions at one place come in
/// the order given.
#[must_use]
pub fn splice(raw: &str, replacements: &[(Range<usize>, &str)]) -> Option<String> {
    let mut ordered: Vec<&(Range<usize>, &str)> = replacements.iter().collect();
    ordered.sort_by_key(|(range, _)| (range.start, range.end));
    let mut edited = String::with_capacity(raw.len() + ordered.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut done = 0;
    for (range, text) in ordered {
        edited.push_str(raw.get(done..range.start)?);
        edited.push_str(text);
        raw.get(range.clone())?;
        done = range.end;
    }
    edited.push_str(raw.get(done..)?);
    Some(edited)
}

/// Where the value at a path of object keys stands in `raw`; `None` if it, or an object on the way, is not there.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn locate(raw: &str, path: &[&str]) -> Result<Option<Span>, Error> {
    let mut scanner = Scanner::new(raw);
    let found = seek(&mut scanner, 0, path)?;
    scanner.end()?;
    Ok(found)
}

fn seek(scanner: &mut Scanner<'_>, depth: usize, path: &[&str]) -> Result<Option<Span>, Fault> {
    let Some((key, rest)) = path.split_first() else {
        return scanner.skip(depth).map(Some);
    };
    if scanner.peek() != Some(b'{') {
        scanner.skip(depth)?;
        return Ok(None);
    }
    let mut found = None;
    scanner.object(depth, |scanner, name| {
        if scanner.decode(name) == *key {
            found = seek(scanner, depth + 1, rest)?;
        } else {
            scanner.skip(depth + 1)?;
        }
        Ok(())
    })?;
    Ok(found)
}

/// Takes members out of nested objects. Each path names object keys from the root down; the last one goes, also under
/// spellings that a lenient decoder takes for it. `None` when none of them is there.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn remove(raw: &str, paths: &[&[&str]]) -> Result<Option<String>, Error> {
    let mut scanner = Scanner::new(raw);
    let mut cuts = Vec::new();
    prune(&mut scanner, 0, paths, &mut cuts)?;
    scanner.end()?;
    Ok(cut(raw, &cuts))
}

/// The text without the stretches; `None` when there are none.
pub(crate) fn cut(raw: &str, cuts: &[Range<usize>]) -> Option<String> {
    if cuts.is_empty() {
        return None;
    }
    let replacements: Vec<_> = cuts.iter().map(|range| (range.clone(), "")).collect();
    splice(raw, &replacements)
}

fn prune(
    scanner: &mut Scanner<'_>,
    depth: usize,
    paths: &[&[&str]],
    cuts: &mut Vec<Range<usize>>,
) -> Result<(), Fault> {
    if scanner.peek() != Some(b'{') || paths.is_empty() {
        return scanner.skip(depth).map(drop);
    }
    let mut members = Members::default();
    scanner.object(depth, |scanner, key| {
        let name = scanner.decode(key);
        let below: Vec<&[&str]> = paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| folds_to(&name, first))
            .map(|(_, rest)| rest)
            .collect();
        let goes = below.iter().any(|rest| rest.is_empty());
        let start = key.outer().start();
        let mut inner = Vec::new();
        prune(scanner, depth + 1, &below, &mut inner)?;
        if !goes {
            cuts.append(&mut inner);
        }
        members.add(start..scanner.at(), goes);
        Ok(())
    })?;
    members.cuts(cuts);
    Ok(())
}

/// The members of one object, and which of them go. Knows what to do about commas.
#[derive(Default)]
pub(crate) struct Members {
    members: Vec<(Range<usize>, bool)>,
}

impl Members {
    /// The next member, from the quote of its key to the end of its value.
    pub(crate) fn add(&mut self, range: Range<usize>, goes: bool) {
        self.members.push((range, goes));
    }

    /// What has to be cut so that the marked members and their commas are gone.
    pub(crate) fn cuts(&self, cuts: &mut Vec<Range<usize>>) {
        let mut kept_before = None;
        let mut members = self.members.iter().peekable();
        while let Some((range, goes)) = members.next() {
            match (goes, kept_before, members.peek()) {
                (false, ..) => kept_before = Some(range.end),
                // With the comma before it: from the end of what stays to the end of this one.
                (true, Some(end), _) => {
                    cuts.push(end..range.end);
                    kept_before = Some(range.end);
                }
                // Nothing stays before it: with the comma behind it.
                (true, None, Some((next, _))) => cuts.push(range.start..next.start),
                (true, None, None) => cuts.push(range.clone()),
            }
        }
    }
}
