//! What an edit changes, for people to read: a unified diff in which secrets are masked.

use std::ops::Range;

use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::refusal::Refusal;
use crate::secret::{MASK, is_plain_word};
use crate::tree::{self, Kind, Node};

/// Lines around a change.
const CONTEXT: usize = 3;

/// Keys under which secrets stand.
const SECRET: [&str; 5] = ["env", "envs", "environment", "headers", "http_headers"];

impl Document {
    /// What an edit of this document changes, as a unified diff under this name. Values of variables and headers
    /// that are no plain words are shown as `●●●`; a last line says so where there are any.
    ///
    /// # Errors
    /// [`Refusal::Stale`], when the edit is of another document.
    pub fn diff(&self, edit: &Edit, name: &str) -> Result<String, Refusal> {
        let after = self.after(edit)?;
        let (old, hidden_before) = masked(&self.text, self.root.as_ref());
        let (new, hidden_after) = masked(&after.text, after.root.as_ref());
        let regions = regions(self, &after, edit, &old, &new);
        if regions.is_empty() {
            return Ok(String::new());
        }
        let mut out = format!("--- {name}\n+++ {name}\n");
        let mut shown_masked = false;
        for hunk in hunks(&regions) {
            let first = hunk.first().map_or((0, 0), |region| (region.0.start, region.1.start));
            let last = hunk.last().map_or((0, 0), |region| (region.0.end, region.1.end));
            let before = first.0.min(CONTEXT).min(first.1);
            let behind = old.len().saturating_sub(last.0).min(new.len().saturating_sub(last.1)).min(CONTEXT);
            let (old_range, new_range) = (first.0 - before..last.0 + behind, first.1 - before..last.1 + behind);
            out += &format!(
                "@@ -{},{} +{},{} @@\n",
                old_range.start + usize::from(!old_range.is_empty()),
                old_range.len(),
                new_range.start + usize::from(!new_range.is_empty()),
                new_range.len()
            );
            let mut at = old_range.start;
            let mut print = |sign: char, lines: &[String], range: Range<usize>| {
                for line in lines.get(range).unwrap_or_default() {
                    shown_masked |= line.contains(MASK);
                    out.push(sign);
                    out.push_str(line);
                    out.push('\n');
                }
            };
            for region in hunk {
                print(' ', &old, at..region.0.start);
                print('-', &old, region.0.clone());
                print('+', &new, region.1.clone());
                at = region.0.end;
            }
            print(' ', &old, at..old_range.end);
        }
        if shown_masked && (hidden_before || hidden_after) {
            out += &format!("{MASK} stands for values of variables and headers; the file keeps them.\n");
        }
        Ok(out)
    }
}

/// Lines that change: before, and after.
type Region = (Range<usize>, Range<usize>);

fn regions(before: &Document, after: &Document, edit: &Edit, old: &[String], new: &[String]) -> Vec<Region> {
    let shift = if before.marked { 3 } else { 0 };
    let (old_starts, new_starts) = (starts(&before.text), starts(&after.text));
    let inverse = edit.inverse();
    let mut regions: Vec<Region> = Vec::new();
    for (change, back) in edit.changes.iter().zip(&inverse.changes) {
        let lines = |starts: &[usize], range: &Range<usize>| {
            let line = |byte: usize| starts.partition_point(|start| *start <= byte.saturating_sub(shift)).max(1) - 1;
            line(range.start)..line(range.end) + 1
        };
        let region = (lines(&old_starts, &change.range), lines(&new_starts, &back.range));
        match regions.last_mut() {
            Some(last) if last.0.end >= region.0.start || last.1.end >= region.1.start => {
                last.0.end = region.0.end.max(last.0.end);
                last.1.end = region.1.end.max(last.1.end);
            }
            _ => regions.push(region),
        }
    }
    for (one, two) in &mut regions {
        one.end = one.end.min(old.len());
        two.end = two.end.min(new.len());
        // Compared as they are, and not as they are shown: a changed secret is a change.
        let same = |a: usize, b: usize| line_of(&before.text, &old_starts, a) == line_of(&after.text, &new_starts, b);
        while one.start < one.end && two.start < two.end && same(one.start, two.start) {
            one.start += 1;
            two.start += 1;
        }
        while one.start < one.end && two.start < two.end && same(one.end - 1, two.end - 1) {
            one.end -= 1;
            two.end -= 1;
        }
    }
    regions.retain(|(one, two)| !one.is_empty() || !two.is_empty());
    regions
}

/// Regions whose surroundings meet stand in one hunk.
fn hunks(regions: &[Region]) -> Vec<Vec<Region>> {
    let mut hunks: Vec<Vec<Region>> = Vec::new();
    for region in regions {
        match hunks.last_mut() {
            Some(hunk) if hunk.last().is_some_and(|last| last.0.end + 2 * CONTEXT >= region.0.start) => {
                hunk.push(region.clone());
            }
            _ => hunks.push(vec![region.clone()]),
        }
    }
    hunks
}

fn starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

fn line_of<'a>(text: &'a str, starts: &[usize], line: usize) -> Option<&'a str> {
    let start = *starts.get(line)?;
    text.get(start..starts.get(line + 1).copied().unwrap_or(text.len()))
}

/// The lines of a text that may be part of a file, with secrets masked. What cannot be read is not shown.
pub(crate) fn masked_text(format: Format, text: &str) -> Vec<String> {
    match tree::read(format, text) {
        Ok(root) => masked(text, root.as_ref()).0,
        Err(_) => vec!["(a text that cannot be read by itself, so it is not shown)".to_owned()],
    }
}

/// The lines of a text with its secrets masked, and whether there are any.
fn masked(text: &str, root: Option<&Node>) -> (Vec<String>, bool) {
    let mut secrets = Vec::new();
    if let Some(root) = root {
        find(root, text, &mut secrets);
    }
    secrets.sort_by_key(|span| span.start);
    let mut lines = Vec::new();
    let mut next = secrets.iter().peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let stop = start + line.trim_end_matches(['\n', '\r']).len();
        let mut shown = String::new();
        let mut at = start;
        while let Some(span) = next.peek().filter(|span| span.start < stop) {
            shown += &plain(text.get(at..span.start.max(at)).unwrap_or_default());
            shown += MASK;
            at = span.end.min(stop);
            if span.end > stop {
                break;
            }
            next.next();
        }
        shown += &plain(text.get(at..stop).unwrap_or_default());
        lines.push(shown);
        // A secret over several lines goes on.
        while next.peek().is_some_and(|span| span.end <= end) {
            next.next();
        }
        start = end;
    }
    (lines, !secrets.is_empty())
}

/// Without characters that a reader cannot see.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\t' || audit::visible::is_plain(letter) {
            out.push(letter);
        } else {
            out.push_str(&audit::visible::shown(&letter.to_string()));
        }
    }
    out
}

fn find(node: &Node, text: &str, secrets: &mut Vec<Range<usize>>) {
    if let Kind::Map(map) = &node.kind {
        for member in &map.members {
            let key = member.key.to_ascii_lowercase().replace('-', "_");
            if SECRET.contains(&key.as_str()) && !is_entry(&member.value) {
                hide(&member.value, text, secrets);
            } else {
                find(&member.value, text, secrets);
            }
        }
        return;
    }
    node.children().for_each(|child| find(child, text, secrets));
}

/// Whether a map is a server that somebody named `env` or `headers`.
fn is_entry(node: &Node) -> bool {
    let reached = ["command", "cmd", "url", "uri", "httpUrl", "serverUrl"].iter().any(|key| node.get(key).is_some());
    reached && node.children().any(|child| child.scalar().is_none())
}

fn hide(node: &Node, text: &str, secrets: &mut Vec<Range<usize>>) {
    if let Some(value) = node.scalar()
        && !is_plain_word(value)
    {
        let raw = text.get(node.span.clone()).unwrap_or_default();
        let quotes = usize::from(raw.len() > 1 && raw.starts_with(['"', '\'']));
        secrets.push(node.span.start + quotes..node.span.end - quotes);
    }
    node.children().for_each(|child| hide(child, text, secrets));
}
