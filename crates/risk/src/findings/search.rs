//! Looks for the phrases of all rules in one pass.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::disguise;
use super::folded::Folded;
use super::likely::Likely;
use super::rule::{Form, Rule};
use super::table::RULES;
use super::texts::Text;
use super::vocabulary::exact;

/// What was found.
pub(crate) struct Hit {
    pub(crate) rule: &'static Rule,
    /// Where the words stand.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The sentence is one in which ordinary servers say so.
    pub(crate) ordinary: bool,
}

static FOLDED: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(Form::Folded));
static RAW: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(Form::Raw));

/// The phrases of the rules in a text, the first of each rule.
pub(crate) fn search(text: &Text<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    RAW.search(text.text, |start, end| (start, end), &mut hits);
    let folded = Folded::new(text.text, text.role.is_name());
    FOLDED.search(&folded.text, |start, end| folded.origin(start, end), &mut hits);
    if let Some(letters) = disguise::undone(text.text) {
        let undone = Folded::of(letters.into_iter(), text.text.len(), text.role.is_name());
        let mut disguised = Vec::new();
        FOLDED.search(&undone.text, |start, end| undone.origin(start, end), &mut disguised);
        disguised.retain(|one| !hits.iter().any(|hit| hit.rule.id == one.rule.id));
        hits.append(&mut disguised);
    }
    hits
}

/// The phrases of the rules in prose that was put together of several texts.
pub(crate) fn phrases(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let folded = Folded::new(text, false);
    FOLDED.search(&folded.text, |start, end| folded.origin(start, end), &mut hits);
    hits
}

/// A phrase. It is compiled when a text first was likely to hold it.
struct Phrase {
    rule: &'static Rule,
    spelled: &'static str,
    exact: OnceLock<Option<Regex>>,
    unless: OnceLock<Option<Regex>>,
}

struct Phrases {
    all: Vec<Phrase>,
    /// Without it every phrase is tried.
    likely: Option<Likely>,
}

impl Phrases {
    fn of(form: Form) -> Phrases {
        let all: Vec<Phrase> = RULES
            .iter()
            .filter(|rule| rule.form == form)
            .flat_map(|rule| rule.phrases.iter().map(move |(_, spelled)| (*rule, *spelled)))
            .map(|(rule, spelled)| Phrase { rule, spelled, exact: OnceLock::new(), unless: OnceLock::new() })
            .collect();
        let spelled: Vec<String> = all.iter().map(|phrase| exact(phrase.spelled)).collect();
        Phrases { likely: Likely::of(spelled.iter().map(String::as_str)), all }
    }

    fn search(&self, text: &str, origin: impl Fn(usize, usize) -> (usize, usize), hits: &mut Vec<Hit>) {
        let likely: Vec<usize> = match &self.likely {
            Some(likely) => likely.phrases(text.as_bytes()).collect(),
            None => (0..self.all.len()).collect(),
        };
        for phrase in likely.into_iter().filter_map(|number| self.all.get(number)) {
            if hits.iter().any(|hit: &Hit| hit.rule.id == phrase.rule.id && !hit.ordinary) {
                continue;
            }
            let Some(exact) = phrase.exact.get_or_init(|| compile(phrase.spelled)) else {
                continue;
            };
            for found in exact.find_iter(text.as_bytes()).take(MOST) {
                let ordinary = phrase.is_ordinary(text, found.start(), found.end());
                let (start, end) = origin(found.start(), found.end());
                hits.push(Hit { rule: phrase.rule, start, end, ordinary });
                if !ordinary {
                    break;
                }
            }
        }
    }
}

/// So many ordinary uses of a phrase are passed over in search of one that is not.
const MOST: usize = 8;

impl Phrase {
    /// Whether what surrounds the phrase in its sentence makes it an ordinary one.
    fn is_ordinary(&self, text: &str, start: usize, end: usize) -> bool {
        if self.rule.unless.is_empty() {
            return false;
        }
        let Some(unless) = self.unless.get_or_init(|| compile(self.rule.unless)) else {
            return false;
        };
        let bytes = text.as_bytes();
        let from = bytes.iter().take(start).rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let to = bytes.iter().skip(end).position(|byte| *byte == b'\n').map_or(bytes.len(), |at| end + at);
        // `~` stands for the phrase, one space on either side of it.
        let (before, after) = (bytes.get(from..start).unwrap_or_default(), bytes.get(end..to).unwrap_or_default());
        unless.is_match(&[before.trim_ascii_end(), b" ~ ", after.trim_ascii_start()].concat())
    }
}

/// Whether one of the rule's phrases of this language is in the text.
#[cfg(test)]
pub(crate) fn speaks(rule: &Rule, language: &str, text: &str) -> bool {
    let folded = Folded::new(text, false).text;
    let text = if rule.form == Form::Raw { text } else { &folded };
    let mut phrases = rule.phrases.iter().filter(|(known, _)| *known == language);
    phrases.any(|(_, phrase)| compile(phrase).is_some_and(|phrase| phrase.is_match(text.as_bytes())))
}

fn compile(spelled: &str) -> Option<Regex> {
    RegexBuilder::new(&exact(spelled)).unicode(false).size_limit(8 << 20).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_compiles() {
        for rule in RULES {
            for (language, phrase) in rule.phrases {
                assert!(compile(phrase).is_some(), "{} {language}: {phrase}", rule.id);
            }
            assert!(rule.unless.is_empty() || compile(rule.unless).is_some(), "{}", rule.id);
        }
        assert!(FOLDED.likely.is_some() && RAW.likely.is_some());
    }
}
