//! Patterns of the policy's own, and how long they are searched for.

use std::ops::Range;

use regex::Regex;

use super::LONGEST_MATCH;

/// A pattern of the policy's own.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) name: String,
    pub(crate) regex: Regex,
}

/// How many bytes are searched between two looks at the clock: an engine that is searching cannot be interrupted.
const STRETCH: usize = 8 * 1024;

/// Time for searching, of one message. The policy's author writes the pattern and the server the text, so neither alone
/// settles how long it takes.
pub(super) struct Patience<'t> {
    in_time: &'t dyn Fn() -> bool,
    /// Bytes that were searched since the last look.
    searched: usize,
    /// The pattern over which time ran out.
    ended_by: Option<String>,
}

impl<'t> Patience<'t> {
    pub(super) fn new(in_time: &'t dyn Fn() -> bool) -> Self {
        Self { in_time, searched: 0, ended_by: None }
    }

    pub(super) fn ended_by(self) -> Option<String> {
        self.ended_by
    }

    /// Whether so many bytes more may be searched for this pattern.
    fn lasts(&mut self, own: &Own, bytes: usize) -> bool {
        // To begin costs something too.
        self.searched = self.searched.saturating_add(bytes).saturating_add(64);
        if self.ended_by.is_none() && self.searched > STRETCH {
            self.searched = 0;
            self.ended_by = (!(self.in_time)()).then(|| own.name.clone());
        }
        self.ended_by.is_none()
    }
}

impl Own {
    /// Every match, as `find_iter` of the whole text finds them, until the time is over.
    ///
    /// The text is searched in stretches: a match begins in one and ends at most [`LONGEST_MATCH`] bytes on, so more than
    /// that and the character behind need not be seen.
    pub(super) fn each(&self, text: &str, patience: &mut Patience<'_>, mut found: impl FnMut(Range<usize>)) {
        let mut at = 0;
        while at < text.len() {
            let last = text.ceil_char_boundary(at.saturating_add(STRETCH).min(text.len()));
            let end = text.ceil_char_boundary(last.saturating_add(LONGEST_MATCH + 4).min(text.len()));
            let hit = text.get(..end).and_then(|seen| self.regex.find_at(seen, at));
            let hit = hit.filter(|hit| hit.start() < last);
            // No match is empty, so this goes on.
            let next = hit.map_or(last, |hit| hit.end());
            if !patience.lasts(self, next.saturating_sub(at)) {
                return;
            }
            if let Some(hit) = hit {
                found(hit.range());
            }
            at = next;
        }
    }

    /// Whether it is anywhere in the text.
    pub(super) fn is_in(&self, text: &str, patience: &mut Patience<'_>) -> bool {
        let mut found = false;
        self.each(text, patience, |_| found = true);
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(pattern: &str) -> Own {
        Own { name: "own".to_owned(), regex: Regex::new(pattern).unwrap() }
    }

    proptest! {
        #[test]
        fn stretches_find_what_the_whole_text_has(
            pattern in prop::sample::select(vec![
                "ab{1,900}c?", r"\bé[a-c ]{1,200}\b", "(?m)^a.{0,300}$", r"a{3}\z", "b{1,4}|c", r"\Ba\B",
            ]),
            pieces in prop::collection::vec((prop::sample::select(vec!["a", "b", "c", "é", " ", "\n"]), 1_usize..3000), 1..20),
        ) {
            let text: String = pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
            let own = own(pattern);
            let (always, mut found) = (|| true, Vec::new());
            own.each(&text, &mut Patience::new(&always), |range| found.push(range));
            let whole: Vec<_> = own.regex.find_iter(&text).map(|hit| hit.range()).collect();
            prop_assert_eq!(found, whole);
        }
    }

    #[test]
    fn nothing_is_searched_once_the_time_is_over() {
        let asked = std::cell::Cell::new(0);
        let in_time = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        let mut patience = Patience::new(&in_time);
        let text = "x".repeat(10 * STRETCH);
        let mut found = 0;
        own("x").each(&text, &mut patience, |_| found += 1);
        assert!(found > 0 && found < text.len());
        assert_eq!(asked.get(), 3);
        own("y").each(&text, &mut patience, |_| found += 1);
        assert_eq!(asked.get(), 3, "it is over");
        assert_eq!(patience.ended_by().as_deref(), Some("own"));
    }
}
