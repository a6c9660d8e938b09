//! The words of a text, with their places.

use crate::concept::Concepts;
use crate::fold::{fold_into, is_unspaced};
use crate::lexicon::lexicon;

/// How many letters different endings of a word share.
const STEM: usize = 5;

/// A word; in scripts without spaces a word of the lexicon, or two characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Where it begins, in bytes.
    pub(crate) start: u32,
    /// Where it ends, in bytes.
    pub(crate) end: u32,
    /// The folded word, hashed.
    pub(crate) hash: u32,
    /// Its first five letters, hashed.
    pub(crate) stem: u32,
    /// What it means.
    pub(crate) means: Concepts,
    /// Whether it is the first of a sentence.
    pub(crate) opens: bool,
}

/// Whether words end within `camelCase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Humps {
    /// As in names.
    Split,
    /// As in prose.
    Keep,
}

/// Splits texts into words; keeps its buffer, and what it learned of words, from one to the next.
pub(crate) struct Splitter {
    word: String,
    memory: Box<Memory>,
}

impl Splitter {
    /// With an empty buffer.
    pub(crate) fn new() -> Splitter {
        Splitter { word: String::new(), memory: Memory::new() }
    }

    /// Appends the words of `text` to `tokens`, at most `most` of them.
    pub(crate) fn split(&mut self, text: &str, humps: Humps, most: usize, tokens: &mut Vec<Token>) {
        let full = tokens.len() + most;
        let mut run = Run { text, tokens, opens: true, start: 0, matched: 0, single: None };
        let mut last = Kind::Other;
        let mut at = 0;
        while let Some(rest) = text.as_bytes().get(at..)
            && let Some(byte) = rest.first()
            && run.tokens.len() < full
        {
            if byte.is_ascii_alphabetic() {
                // Nearly all words are plain, and need no letter to be looked at alone.
                if self.word.is_empty()
                    && let Some(plain) = Plain::of(rest, humps)
                {
                    let start = at;
                    at += plain.length;
                    run.push(start, at, self.memory.word(plain));
                    run.single = None;
                    // What follows is a space more often than all else together.
                    let space = text.as_bytes().get(at) == Some(&b' ');
                    at += usize::from(space);
                    last = if space { Kind::Other } else { Kind::Lower };
                    continue;
                }
            } else if byte.is_ascii() && !byte.is_ascii_digit() {
                run.word(&mut self.word, at);
                run.opens |= matches!(byte, b'.' | b'!' | b'?' | b';' | b'\n');
                last = Kind::Other;
                at += 1;
                continue;
            }
            let mut letters = text.get(at..).unwrap_or_default().chars();
            let Some(letter) = letters.next() else { break };
            let kind = Kind::of(letter);
            let hump = humps == Humps::Split
                && kind == Kind::Upper
                && (last == Kind::Lower
                    || (last == Kind::Upper && letters.next().is_some_and(|next| Kind::of(next) == Kind::Lower)));
            if hump || !kind.continues(last) {
                run.word(&mut self.word, at);
            }
            match kind {
                Kind::Lower | Kind::Upper | Kind::Digit => {
                    if self.word.is_empty() {
                        run.start = at;
                    }
                    fold_into(&mut self.word, letter);
                }
                Kind::Unspaced => run.unspaced(at, letter),
                Kind::Other => run.opens |= matches!(letter, '。' | '！' | '；'),
            }
            last = kind;
            at += letter.len_utf8();
        }
        run.word(&mut self.word, at);
    }
}

/// A word of at most sixteen ASCII letters, made small; what is behind its end is 0.
#[derive(Clone, Copy)]
struct Plain {
    length: usize,
    letters: [u64; 2],
}

impl Plain {
    /// The word that `text` begins with, where it surely ends. Eight letters are looked at at once, each in a
    /// byte of a number: how long words are is nothing that a processor can guess.
    fn of(text: &[u8], humps: Humps) -> Option<Plain> {
        // Where a capital ends a word. At the beginning of one it does not.
        let hump = if humps == Humps::Split { HIGH } else { 0 };
        let (mut length, first, mut capitals) = begins(text, hump & !0x80);
        let mut letters = [first, 0];
        if length == EIGHT {
            let (more, second, others) = begins(text.get(EIGHT..).unwrap_or_default(), hump);
            if more == EIGHT {
                return None;
            }
            letters = [first, second];
            length += more;
            capitals |= others;
        }
        let plain = Plain { length, letters };
        match text.get(length) {
            // Another capital begins a word only behind a small letter.
            Some(next) if next.is_ascii_uppercase() => (length > 1 || capitals == 0).then_some(plain),
            Some(next) if !next.is_ascii() => None,
            _ => Some(plain),
        }
    }
}

/// How many letters are looked at at once.
const EIGHT: usize = size_of::<u64>();
const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * EACH;

/// How many of the first eight bytes are letters, up to a capital in one of the `humps`; these, made small; and
/// which of them are capitals.
fn begins(text: &[u8], humps: u64) -> (usize, u64, u64) {
    let bytes = head(text);
    // The highest bit of each byte says whether it is a letter, and whether that is a capital.
    let folded = (bytes & (0x7f * EACH)) | (0x20 * EACH);
    let from_a = folded.wrapping_add(u64::from(0x80 - b'a') * EACH);
    let behind_z = folded.wrapping_add(u64::from(0x7f - b'z') * EACH);
    let letters = from_a & !behind_z & !bytes & HIGH;
    let capitals = letters & !(bytes << 2);
    let ends = (!letters | (capitals & humps)) & HIGH;
    // Every bit below the first end.
    let within = ends.wrapping_sub(1) & !ends;
    let within = if ends == 0 { u64::MAX } else { within >> 7 };
    (ends.trailing_zeros() as usize / 8, folded & within, capitals & within)
}

/// The first eight bytes as a number; what is missing is 0.
fn head(bytes: &[u8]) -> u64 {
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

/// What is to be known of a word.
#[derive(Clone, Copy)]
struct Word {
    hash: u32,
    stem: u32,
    means: Concepts,
}

impl Word {
    fn of(folded: &str) -> Word {
        let (hash, stem) = hashes(folded);
        Word { hash, stem, means: lexicon().word(folded) }
    }
}

/// Plain words that were read before: tools are described in few, and what one means costs more to find out than
/// to remember. Each has one place, and gives it to the next that comes there.
struct Memory([([u64; 2], Word); 1 << Memory::BITS]);

impl Memory {
    const BITS: u32 = 12;

    fn new() -> Box<Memory> {
        // No word is without letters.
        Box::new(Memory([([0; 2], Word { hash: 0, stem: 0, means: Concepts::NONE }); 1 << Memory::BITS]))
    }

    fn word(&mut self, plain: Plain) -> Word {
        let [first, second] = plain.letters;
        let spread = (first ^ second.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = usize::try_from(spread >> (u64::BITS - Memory::BITS)).unwrap_or_default();
        match self.0.get_mut(place) {
            Some((known, word)) if *known == plain.letters => *word,
            Some(other) => {
                *other = (plain.letters, Memory::read(plain));
                other.1
            }
            None => Memory::read(plain),
        }
    }

    #[cold]
    fn read(plain: Plain) -> Word {
        let mut letters = [0; 2 * EIGHT];
        letters.as_chunks_mut().0.iter_mut().zip(plain.letters).for_each(|(eight, of)| *eight = of.to_le_bytes());
        let letters = letters.get(..plain.length).and_then(|letters| str::from_utf8(letters).ok());
        Word::of(letters.unwrap_or_default())
    }
}

/// A text that is being split.
struct Run<'a> {
    text: &'a str,
    tokens: &'a mut Vec<Token>,
    opens: bool,
    /// Where the word begins that is being read.
    start: usize,
    /// Up to where a word of the lexicon was found in a script without spaces.
    matched: usize,
    /// The last character of such a script, and where it begins.
    single: Option<usize>,
}

impl Run<'_> {
    fn push(&mut self, start: usize, end: usize, Word { hash, stem, means }: Word) {
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
            return;
        };
        self.tokens.push(Token { start, end, hash, stem, means, opens: std::mem::take(&mut self.opens) });
    }

    /// Ends the word that was being read, if there is one.
    #[inline]
    fn word(&mut self, word: &mut String, end: usize) {
        self.single = None;
        if !word.is_empty() {
            self.composed(word, end);
        }
    }

    /// Ends a word that was read letter by letter.
    fn composed(&mut self, word: &mut String, end: usize) {
        self.push(self.start, end, Word::of(word));
        word.clear();
    }

    /// A character of a script without spaces: a word of the lexicon may begin here, and it is a
    /// pair with the one before.
    fn unspaced(&mut self, at: usize, letter: char) {
        let text = self.text;
        let end = at + letter.len_utf8();
        if let Some(pair) = self.single.and_then(|before| text.get(before..end)) {
            let pair_hash = hash(pair);
            self.push(end - pair.len(), end, Word { hash: pair_hash, stem: pair_hash, means: Concepts::NONE });
        }
        if at >= self.matched
            && let Some((length, means)) = text.get(at..).and_then(|rest| lexicon().at(rest))
        {
            self.matched = at + length;
            let hash = hash(text.get(at..self.matched).unwrap_or_default());
            self.push(at, self.matched, Word { hash, stem: hash, means });
        }
        self.single = Some(at);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Unspaced,
    Other,
}

impl Kind {
    fn of(letter: char) -> Kind {
        match letter {
            'a'..='z' => Kind::Lower,
            'A'..='Z' => Kind::Upper,
            '0'..='9' => Kind::Digit,
            _ if letter.is_ascii() => Kind::Other,
            _ if is_unspaced(letter) => Kind::Unspaced,
            _ if letter.is_uppercase() => Kind::Upper,
            _ if letter.is_alphabetic() => Kind::Lower,
            _ => Kind::Other,
        }
    }

    /// Whether a character of this kind goes on with the word of the one before.
    fn continues(self, last: Kind) -> bool {
        match self {
            Kind::Lower | Kind::Upper => matches!(last, Kind::Lower | Kind::Upper),
            _ => self == last,
        }
    }
}

/// What a hash begins with.
const BASIS: u32 = 0x811c_9dc5;

/// The hash of a folded word: FNV-1a of 32 bits.
pub(crate) fn hash(word: &str) -> u32 {
    hash_bytes(word.as_bytes())
}

/// The [`hash`] of a text that lies in a buffer.
pub(crate) fn hash_bytes(word: &[u8]) -> u32 {
    word.iter().fold(BASIS, |hash, byte| goes_on(hash, *byte))
}

/// The hash of a folded word, and that of its first five letters, which lies on the way.
fn hashes(word: &str) -> (u32, u32) {
    let end = word.char_indices().nth(STEM).map_or(word.len(), |(end, _)| end);
    let (stem, rest) = word.as_bytes().split_at(end);
    let stem = hash_bytes(stem);
    (rest.iter().fold(stem, |hash, byte| goes_on(hash, *byte)), stem)
}

fn goes_on(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concept::Concept;

    fn words(text: &str, humps: Humps) -> Vec<&str> {
        let mut tokens = Vec::new();
        Splitter::new().split(text, humps, 100, &mut tokens);
        tokens.iter().map(|token| text.get(token.start as usize..token.end as usize).unwrap()).collect()
    }

    #[test]
    fn names_and_prose() {
        assert_eq!(words("getHTTPUrl_v2-list", Humps::Split), ["get", "HTTP", "Url", "v", "2", "list"]);
        assert_eq!(words("GitHub is (not) down.", Humps::Keep), ["GitHub", "is", "not", "down"]);
        assert_eq!(words("Löschen: ä", Humps::Keep), ["Löschen", "ä"]);
    }

    #[test]
    fn scripts_without_spaces_give_known_words_and_pairs() {
        assert_eq!(words("删除文件", Humps::Keep), ["删除", "删除", "除文", "文件", "文件"]);
        assert_eq!(words("ID를 삭제", Humps::Keep), ["ID", "삭제", "삭제"]);
    }

    #[test]
    fn words_are_remembered_as_they_were_read() {
        let mut splitter = Splitter::new();
        let letters = |number: u32| (0..1 + number % 19).map(move |at| char::from(b'a' + ((number >> at) % 26) as u8));
        // Twice, and more words than there are places.
        for number in (0..9000).chain(0..9000) {
            let word: String = letters(number * 77).collect();
            let mut tokens = Vec::new();
            splitter.split(&word.to_uppercase(), Humps::Keep, 9, &mut tokens);
            let [token] = tokens[..] else { panic!("{word}") };
            assert_eq!((token.hash, token.end as usize), (hash(&word), word.len()));
            assert_eq!(token.stem, hash_bytes(&word.as_bytes()[..word.len().min(STEM)]));
            assert_eq!(token.means, lexicon().word(&word));
        }
    }

    #[test]
    fn sentences_open() {
        let mut tokens = Vec::new();
        Splitter::new().split("Delete it. Or keep", Humps::Keep, 100, &mut tokens);
        assert_eq!(tokens.iter().map(|token| token.opens).collect::<Vec<_>>(), [true, false, true, false]);
        assert!(tokens[0].means.has(Concept::Delete));
    }

    #[test]
    fn at_most_so_many() {
        let mut tokens = Vec::new();
        Splitter::new().split("a b c d", Humps::Keep, 2, &mut tokens);
        assert_eq!(tokens.len(), 2);
    }
}
