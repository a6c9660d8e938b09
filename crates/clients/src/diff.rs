//! What an edit changes, for people to read: a unified diff in which secrets are masked.

use std::ops::Range;

use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::refusal::Refusal;
use crate::secret::{MASK, is_plain_word};
use crate::shown::{in_text, shown_address, shown_words};
use crate::tree::{self, Kind, Member, Node};

/// Lines around a change.
const CONTEXT: usize = 3;

/// Keys under which secrets stand.
const SECRET: [&str; 5] = ["env", "envs", "environment", "headers", "http_headers"];

/// Keys of an entry under which a program and its arguments stand.
const WORDS: [&str; 3] = ["command", "cmd", "args"];

/// Keys of an entry under which an address stands.
const ADDRESSES: [&str; 4] = ["url", "uri", "httpurl", "serverurl"];

/// Keys of an entry that say what it is.
const SAID: [&str; 8] = ["type", "transport", "kind", "source", "name", "cwd", "env_vars", "bearer_token_env_var"];

impl Document {
    /// What an edit of this document changes, as a unified diff under this name. Of the texts in the file only those
    /// are shown that say how a server is reached, without what looks like a secret; all others that are no plain
    /// words are `●●●`. A last line says so where there are any.
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
            out += &format!("{MASK} stands for values that may be secrets; the file keeps them.\n");
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

/// A value, and what is shown of it.
type Shown = (Range<usize>, String);

/// The lines of a text with its secrets masked, and whether there are any.
fn masked(text: &str, root: Option<&Node>) -> (Vec<String>, bool) {
    let mut values = Vec::new();
    if let Some(root) = root {
        find(root, text, &mut values);
    }
    values.sort_by_key(|(span, _)| span.start);
    let mut lines = Vec::new();
    let mut next = values.iter().peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let stop = start + line.trim_end_matches(['\n', '\r']).len();
        let mut shown = String::new();
        let mut at = start;
        while let Some((span, value)) = next.peek().filter(|(span, _)| span.start < stop) {
            // Beside values stand keys and comments.
            shown += &plain(&in_text(text.get(at..span.start.max(at)).unwrap_or_default()));
            shown += &plain(value);
            at = span.end.min(stop);
            if span.end > stop {
                break;
            }
            next.next();
        }
        shown += &plain(&in_text(text.get(at..stop).unwrap_or_default()));
        lines.push(shown);
        // A secret over several lines goes on.
        while next.peek().is_some_and(|(span, _)| span.end <= end) {
            next.next();
        }
        start = end;
    }
    (lines, values.iter().any(|(_, shown)| shown.contains(MASK)))
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

fn find(node: &Node, text: &str, values: &mut Vec<Shown>) {
    let Kind::Map(map) = &node.kind else {
        match &node.kind {
            Kind::Bare(_) => keep(node, text, values),
            _ => hide_text(node, text, values),
        }
        node.children().for_each(|child| find(child, text, values));
        return;
    };
    let named = |member: &Member| member.key.to_ascii_lowercase().replace('-', "_");
    let launches = map.members.iter().map(named).any(|key| key == "command" || key == "cmd" || is_address(&key));
    let mut words: Vec<&Node> = Vec::new();
    for member in &map.members {
        let (key, value) = (named(member), &member.value);
        if SECRET.contains(&key.as_str()) && !is_entry(value) {
            hide(value, text, values);
        } else if launches && WORDS.contains(&key.as_str()) && value.map().is_none() {
            // The program stands before its arguments, whatever the order of their keys is.
            let at = if key == "args" { words.len() } else { 0 };
            words.splice(at..at, std::iter::once(value).filter(|value| value.list().is_none()).chain(value.children()));
        } else if launches && is_address(&key) && value.text().is_some() {
            show(value, &shown_address(value.text().unwrap_or_default()), text, values);
        } else if launches && SAID.contains(&key.as_str()) && value.map().is_none() {
            let said = std::iter::once(value).chain(value.children());
            said.for_each(|said| show(said, &in_text(said.text().unwrap_or_default()), text, values));
        } else {
            find(value, text, values);
        }
    }
    let shown = shown_words(&words.iter().map(|word| word.scalar().unwrap_or_default()).collect::<Vec<_>>());
    for (word, shown) in words.iter().zip(shown) {
        match word.scalar() {
            Some(_) => show(word, &shown, text, values),
            None => find(word, text, values),
        }
    }
}

fn is_address(key: &str) -> bool {
    ADDRESSES.contains(&key)
}

/// Whether a map is a server that somebody named `env` or `headers`.
fn is_entry(node: &Node) -> bool {
    let reached = ["command", "cmd", "url", "uri", "httpUrl", "serverUrl"].iter().any(|key| node.get(key).is_some());
    reached && node.children().any(|child| child.scalar().is_none())
}

/// Hides a value and all in it.
fn hide(node: &Node, text: &str, values: &mut Vec<Shown>) {
    hide_text(node, text, values);
    node.children().for_each(|child| hide(child, text, values));
}

/// Hides a value that is no plain word.
fn hide_text(node: &Node, text: &str, values: &mut Vec<Shown>) {
    match node.scalar() {
        Some(value) if !is_plain_word(value) => values.push((inner(node, text), MASK.to_owned())),
        Some(_) => keep(node, text, values),
        None => {}
    }
}

/// Shows a value as this, in the way in which it is written.
fn show(node: &Node, shown: &str, text: &str, values: &mut Vec<Shown>) {
    let Some(value) = node.scalar() else { return };
    if shown == value || node.text().is_none() {
        return keep(node, text, values);
    }
    let span = inner(node, text);
    let several = text.get(span.clone()).is_some_and(|raw| raw.contains('\n'));
    values.push((span, if several { MASK.to_owned() } else { shown.replace('\\', "\\\\").replace('"', "\\\"") }));
}

/// Shows a value as it is written; one on several lines stays part of the text around it.
fn keep(node: &Node, text: &str, values: &mut Vec<Shown>) {
    let span = inner(node, text);
    if let Some(raw) = text.get(span.clone()).filter(|raw| !raw.contains('\n')) {
        values.push((span, raw.to_owned()));
    }
}

/// Where a value stands, without its quotes.
fn inner(node: &Node, text: &str) -> Range<usize> {
    let raw = text.get(node.span.clone()).unwrap_or_default();
    let quotes = usize::from(raw.len() > 1 && raw.starts_with(['"', '\'']));
    node.span.start + quotes..node.span.end - quotes
}
