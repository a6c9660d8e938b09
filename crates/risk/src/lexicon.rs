//! Which words mean what, in eleven languages: `lexicon/*.txt`, compiled in.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::concept::{Concept, Concepts};
use crate::fold::is_unspaced;
use crate::tokens::{hash, hash_bytes};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon::default();
    for text in [include_str!("../lexicon/actions.txt"), include_str!("../lexicon/objects.txt")] {
        lexicon.read(text);
    }
    lexicon
});

/// The lexicon.
pub(crate) fn lexicon() -> &'static Lexicon {
    &LEXICON
}

/// Words and their meanings.
#[derive(Default)]
pub(crate) struct Lexicon {
    /// By the hash of the folded word.
    words: HashMap<u32, Concepts, Spread>,
    /// What words begin with, by the hash of its [first bytes](BEGINS).
    stems: HashMap<u32, Listed, Spread>,
    /// Words of scripts without spaces, by their first character, the longest first.
    unspaced: HashMap<u32, Listed, Spread>,
}

type Listed = Vec<(Box<str>, Concepts)>;

/// As many first bytes of a stem are hashed as it has of these.
const BEGINS: RangeInclusive<usize> = 3..=5;

impl Lexicon {
    /// What a folded word means.
    pub(crate) fn word(&self, word: &str) -> Concepts {
        let mut meaning = self.words.get(&hash(word)).copied().unwrap_or_default();
        for begin in BEGINS.filter_map(|length| word.as_bytes().get(..length)) {
            let stems = self.stems.get(&hash_bytes(begin)).into_iter().flatten();
            for (_, means) in stems.filter(|(stem, _)| word.starts_with(&**stem)) {
                meaning.add(*means);
            }
        }
        meaning
    }

    /// The longest word that stands at the beginning of `text`, in bytes, and what it means.
    pub(crate) fn at(&self, text: &str) -> Option<(usize, Concepts)> {
        let words = self.unspaced.get(&u32::from(text.chars().next()?))?;
        words.iter().find(|(word, _)| text.starts_with(&**word)).map(|(word, means)| (word.len(), *means))
    }

    fn read(&mut self, text: &str) {
        let mut concept = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                concept = Concept::ALL.iter().find(|(known, _)| *known == name).map(|(_, concept)| *concept);
                debug_assert!(concept.is_some(), "[{name}] is no concept");
            } else if let (Some(concept), Some((_, words))) = (concept, line.split_once(": ")) {
                words.split_whitespace().for_each(|word| self.add(word, concept.into()));
            }
        }
        for words in self.unspaced.values_mut() {
            words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        }
    }

    /// A star at the end says that words may go on.
    fn add(&mut self, word: &str, means: Concepts) {
        let text = word.strip_suffix('*').unwrap_or(word);
        let list = if let Some(first) = text.chars().next().filter(|first| is_unspaced(*first)) {
            self.unspaced.entry(u32::from(first)).or_default()
        } else if text.len() < word.len() && text.len() >= *BEGINS.start() {
            let begin = text.as_bytes().get(..*BEGINS.end()).unwrap_or(text.as_bytes());
            self.stems.entry(hash_bytes(begin)).or_default()
        } else {
            return self.words.entry(hash(text)).or_default().add(means);
        };
        match list.iter_mut().find(|(known, _)| **known == *text) {
            Some((_, known)) => known.add(means),
            None => list.push((text.into(), means)),
        }
    }
}

/// Spreads keys that are numbers already; nobody outside chooses what is in the tables.
pub(crate) type Spread = BuildHasherDefault<Multiply>;

#[derive(Default)]
pub(crate) struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // The upper bits choose the slot, the lower ones are compared: both must depend on all.
        let spread = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stems_and_scripts_without_spaces() {
        let means = |word: &str, concept| lexicon().word(word).has(concept);
        assert!(means("deletes", Concept::Delete));
        assert!(means("excluindo", Concept::Delete));
        assert!(means("удаление", Concept::Delete));
        assert!(!means("deleted", Concept::Delete), "a deleted thing is no deletion");
        let (length, meaning) = lexicon().at("刪除檔案").unwrap();
        assert_eq!(length, "刪除".len());
        assert!(meaning.has(Concept::Delete));
        assert!(lexicon().at("삭제합니다").unwrap().1.has(Concept::Delete));
    }

    #[test]
    fn every_section_of_the_lexicon_is_a_concept() {
        for text in [include_str!("../lexicon/actions.txt"), include_str!("../lexicon/objects.txt")] {
            for line in text.lines().filter(|line| line.starts_with('[')) {
                let name = line.trim_matches(['[', ']']);
                assert!(Concept::ALL.iter().any(|(known, _)| *known == name), "{name}");
            }
        }
    }

    #[test]
    fn no_two_words_have_the_same_hash() {
        let mut seen = HashMap::new();
        for text in [include_str!("../lexicon/actions.txt"), include_str!("../lexicon/objects.txt")] {
            for word in text.split_whitespace().filter(|word| !word.ends_with('*')) {
                assert_eq!(*seen.entry(hash(word)).or_insert(word), word);
            }
        }
    }

    #[test]
    fn words_are_folded_as_texts_are() {
        for text in [include_str!("../lexicon/actions.txt"), include_str!("../lexicon/objects.txt")] {
            for line in text.lines().filter(|line| !line.starts_with(['#', '['])) {
                for word in line.split_once(": ").map_or("", |(_, words)| words).split_whitespace() {
                    let mut folded = String::new();
                    word.chars().for_each(|letter| crate::fold::fold_into(&mut folded, letter));
                    assert_eq!(word, folded);
                }
            }
        }
    }
}
