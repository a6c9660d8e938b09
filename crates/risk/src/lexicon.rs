//! Which words mean what, in eleven languages: `lexicon/*.txt`, compiled in.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
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
    /// By the hash of their first three, four or five bytes: what begins so, and means that.
    stems: HashMap<u32, Vec<Stem>, Spread>,
    /// Words of scripts without spaces, by their first character, the longest first.
    unspaced: HashMap<u32, Vec<(Box<str>, Concepts)>, Spread>,
    /// Which keys may be in `words`, `stems` and `unspaced`: most words of a text are in none.
    maybe: [Maybe; 3],
}

/// A folded word, as it is looked for.
pub(crate) struct Key {
    /// Its hash.
    pub(crate) hash: u32,
    /// The hashes of its first three, four and five bytes; of all of them where it has no more.
    pub(crate) begins: [u32; 3],
    /// Its [`head`].
    pub(crate) head: u64,
}

impl Key {
    /// The bytes of a [`head`].
    pub(crate) const HEAD: usize = 8;

    fn of(word: &str) -> Key {
        let bytes = word.as_bytes();
        let begins = [3, 4, 5].map(|length| hash_bytes(bytes.get(..length).unwrap_or(bytes)));
        Key { hash: hash(word), begins, head: head(bytes) }
    }
}

impl Lexicon {
    /// What a folded word means.
    pub(crate) fn word(&self, word: &str) -> Concepts {
        self.means(word, &Key::of(word))
    }

    /// Whether a word may mean anything.
    pub(crate) fn may_know(&self, key: &Key) -> bool {
        let [words, stems, _] = &self.maybe;
        let [three, four, five] = key.begins;
        // Each is looked at whatever the others say: one question is easier to foresee than four.
        words.has(key.hash) | stems.has(three) | stems.has(four) | stems.has(five)
    }

    /// What the folded word with this key means. One of at most [`Key::HEAD`] bytes is whole in the key, and `word`
    /// may be empty.
    pub(crate) fn means(&self, word: &str, key: &Key) -> Concepts {
        let mut meaning = self.words.get(&key.hash).copied().unwrap_or_default();
        let [_, maybe, _] = &self.maybe;
        for begin in key.begins.iter().filter(|begin| maybe.has(**begin)) {
            let stems = self.stems.get(begin).into_iter().flatten();
            for stem in stems.filter(|stem| stem.begins(word, key.head)) {
                meaning.add(stem.means);
            }
        }
        meaning
    }

    /// The longest word that stands at the beginning of `text`, in bytes, and what it means.
    pub(crate) fn at(&self, text: &str) -> Option<(usize, Concepts)> {
        let first = u32::from(text.chars().next()?);
        let [.., unspaced] = &self.maybe;
        let words = unspaced.has(first).then(|| self.unspaced.get(&first)).flatten()?;
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

    fn add(&mut self, word: &str, means: Concepts) {
        let listed = |words: &mut Vec<(Box<str>, Concepts)>, word: &str| match words
            .iter_mut()
            .find(|(known, _)| **known == *word)
        {
            Some((_, known)) => known.add(means),
            None => words.push((word.into(), means)),
        };
        if let Some(first) = word.chars().next().filter(|first| is_unspaced(*first)) {
            self.maybe[2].add(u32::from(first));
            listed(self.unspaced.entry(u32::from(first)).or_default(), word);
        } else if let Some(stem) = word.strip_suffix('*').filter(|stem| stem.len() >= 3) {
            let begin = hash_bytes(stem.as_bytes().get(..5).unwrap_or(stem.as_bytes()));
            self.maybe[1].add(begin);
            let stems = self.stems.entry(begin).or_default();
            match stems.iter_mut().find(|known| *known.text == *stem) {
                Some(known) => known.means.add(means),
                None => stems.push(Stem::new(stem, means)),
            }
        } else {
            let hash = hash(word.strip_suffix('*').unwrap_or(word));
            self.maybe[0].add(hash);
            self.words.entry(hash).or_default().add(means);
        }
    }
}

/// What words begin with, and what they then mean.
struct Stem {
    /// Its first eight bytes, and which of them there are.
    head: u64,
    mask: u64,
    text: Box<str>,
    means: Concepts,
}

impl Stem {
    fn new(text: &str, means: Concepts) -> Stem {
        let mask = head(&[0xff].repeat(text.len()));
        Stem { head: head(text.as_bytes()), mask, text: text.into(), means }
    }

    /// Whether `word` begins so; `head` is its own.
    fn begins(&self, word: &str, head: u64) -> bool {
        head & self.mask == self.head && (self.text.len() <= Key::HEAD || word.starts_with(&*self.text))
    }
}

/// The first eight bytes as a number; what is missing is 0.
pub(crate) fn head(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        // Of five to seven bytes some are in both halves, and the same.
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4))
        }
        _ => bytes.iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    }
}

/// A set of numbers that may also say yes to others: small enough to stay beside the processor.
struct Maybe([u64; 1 << 10]);

impl Default for Maybe {
    fn default() -> Self {
        Self([0; 1 << 10])
    }
}

impl Maybe {
    fn add(&mut self, number: u32) {
        let (word, bit) = Self::place(number);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn has(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(number: u32) -> (usize, u64) {
        let spread = number.wrapping_mul(0x9e37_79b1) >> 16;
        ((spread >> 6) as usize, 1 << (spread & 63))
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
