//! One text: what is found in it, and what stands in its place.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use mcp::json::Number;

use super::find::{Hit, by_key, each};
use super::invisible::{is_invisible, may_hide, stays};
use super::shape::CARD;
use super::{Detector, Results, Search, card};

/// What an agent reads in place of a secret.
fn mark(name: &str) -> String {
    format!("[REDACTED:{name}]")
}

/// How often a text in which something was found is looked at: once more than secrets of usual texts are glued together,
/// and no more than keeps the time in proportion to the text.
const MOST_LOOKS: usize = 8;

impl Results {
    /// What stands in place of a text; `None` where it stays as it is. `key` is its name, `level` says in how many other
    /// texts it is wrapped.
    pub(super) fn judge(&self, text: &str, key: Option<&str>, level: usize, search: &mut Search<'_>) -> Option<String> {
        let mut edited = self.judge_once(text, key, level, search)?;
        // A secret that was glued to another one stands alone beside that one's mark. A wrapped text is looked at again with
        // the one around it.
        for _ in 1..if level == 0 { MOST_LOOKS } else { 1 } {
            match self.judge_once(&edited, key, level, search) {
                Some(again) => edited = again,
                None => break,
            }
        }
        Some(edited)
    }

    fn judge_once(&self, text: &str, key: Option<&str>, level: usize, search: &mut Search<'_>) -> Option<String> {
        let document = self.document(text, level, search);
        let edited = self.judge_plain(document.as_deref().unwrap_or(text), key, search);
        edited.or(document)
    }

    fn judge_plain(&self, text: &str, key: Option<&str>, search: &mut Search<'_>) -> Option<String> {
        let seen = Seen::of(text);
        let mut hits: Vec<Hit<'_>> = Vec::new();
        each(&seen.text, &self.detectors, &mut hits);
        for own in &self.own {
            own.each(&seen.text, &mut search.patience, |range| hits.push(Hit { range, name: &own.name }));
        }
        if let Some(name) = key.and_then(|key| by_key(key, &seen.text, &self.detectors)) {
            hits.push(Hit { range: 0..seen.text.len(), name });
        }
        hits.sort_by_key(|hit| (hit.range.start, Reverse(hit.range.end)));
        let mut changes: Vec<(Range<usize>, Option<&str>)> = Vec::new();
        for hit in hits {
            let range = seen.original(&hit.range);
            match changes.last_mut() {
                Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => changes.push((range, Some(hit.name))),
            }
        }
        for (_, name) in &changes {
            *search.edits.redacted.entry(name.unwrap_or_default().to_owned()).or_default() += 1;
        }
        if self.strip_invisible && !seen.hidden.is_empty() {
            let marked = changes.clone();
            let inside = |at: &usize| {
                let after = marked.partition_point(|(range, _)| range.end <= *at);
                marked.get(after).is_some_and(|(range, _)| range.contains(at))
            };
            let stripped = strippable(text).into_iter().filter(|range| !inside(&range.start));
            let before = changes.len();
            changes.extend(stripped.map(|range| (range, None)));
            search.edits.stripped += u64::try_from(changes.len() - before).unwrap_or(u64::MAX);
            changes.sort_by_key(|(range, _)| range.start);
        }
        if changes.is_empty() {
            return None;
        }
        let mut edited = String::with_capacity(text.len());
        let mut at = 0;
        for (range, name) in changes {
            edited.push_str(text.get(at..range.start).unwrap_or_default());
            edited.push_str(&name.map(mark).unwrap_or_default());
            at = range.end;
        }
        edited.push_str(text.get(at..).unwrap_or_default());
        Some(edited)
    }

    /// What stands in place of a number.
    pub(super) fn number(&self, text: &str, search: &mut Search<'_>) -> Option<String> {
        let name = if self.detectors.contains(&Detector::CardNumbers) && is_card(text) {
            CARD
        } else {
            &self.own.iter().find(|own| own.is_in(text, &mut search.patience))?.name
        };
        *search.edits.redacted.entry(name.to_owned()).or_default() += 1;
        Some(mark(name))
    }
}

/// However the number is written: `4.1e15` may be one too.
fn is_card(text: &str) -> bool {
    // No shorter text is of thirteen digits that do not all end in zeros.
    text.len() >= 13
        && Number::parse(text)
            .ok()
            .and_then(|number| number.decimal().to_i128())
            .is_some_and(|value| card::is_card(value.to_string().as_bytes()))
}

/// A text without what nobody sees, and where that stood.
struct Seen<'t> {
    text: Cow<'t, str>,
    /// For each run of hidden characters: where it would stand in the text that is seen, and how many bytes were hidden up
    /// to its end.
    hidden: Vec<(usize, usize)>,
}

impl<'t> Seen<'t> {
    fn of(text: &'t str) -> Self {
        if !may_hide(text) || !text.chars().any(is_invisible) {
            return Self { text: Cow::Borrowed(text), hidden: Vec::new() };
        }
        let (mut seen, mut hidden, mut bytes) = (String::with_capacity(text.len()), Vec::new(), 0);
        for c in text.chars() {
            if !is_invisible(c) {
                seen.push(c);
                continue;
            }
            bytes += c.len_utf8();
            match hidden.last_mut() {
                Some((at, until)) if *at == seen.len() => *until = bytes,
                _ => hidden.push((seen.len(), bytes)),
            }
        }
        Self { text: Cow::Owned(seen), hidden }
    }

    /// The stretch in the text as it came: what is hidden within belongs to it, what is hidden around it does not.
    fn original(&self, range: &Range<usize>) -> Range<usize> {
        let before = |runs: usize| runs.checked_sub(1).and_then(|last| self.hidden.get(last)).map_or(0, |run| run.1);
        let start = self.hidden.partition_point(|(at, _)| *at <= range.start);
        let end = self.hidden.partition_point(|(at, _)| *at < range.end);
        range.start + before(start)..range.end + before(end)
    }
}

/// The invisible characters that do not stay, one by one.
fn strippable(text: &str) -> Vec<Range<usize>> {
    let mut stripped = Vec::new();
    let (mut at, mut before) = (0, None);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let length = c.len_utf8();
        if !is_invisible(c) {
            before = Some(c);
            at += length;
        } else if let Some(kept) = stays(before, text.get(at..).unwrap_or_default()) {
            // After a selector a joiner may follow; after a joiner, nothing that nobody sees.
            before = matches!(c, '\u{fe0e}' | '\u{fe0f}').then_some('\u{fe0f}');
            at += kept;
        } else {
            stripped.push(at..at + length);
            at += length;
        }
    }
    stripped
}
