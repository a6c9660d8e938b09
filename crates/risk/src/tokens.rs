//! The words of a text, with their places.

use crate::concept::Concepts;
use crate::fold::{fold_into, is_unspaced};
use crate::lexicon::{Key, head, lexicon};

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

/// Splits texts into words; keeps its buffer from one to the next.
pub(crate) struct Splitter {
    word: String,
}

impl Splitter {
    /// With an empty buffer.
    pub(crate) const fn new() -> Splitter {
        Splitter { word: String::new() }
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
                    run.plain(&mut self.word, at, &plain);
                    last = Kind::Lower;
                    at += plain.length;
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

/// A word of ASCII letters.
struct Plain {
    length: usize,
    /// As [`Token::stem`].
    stem: u32,
    /// What the lexicon looks for.
    key: Key,
}

impl Plain {
    /// The word that `text` begins with, where it surely ends. Its first eight letters are looked at at
    /// once, each in a byte of a number: how long words are is nothing that a processor can guess.
    fn of(text: &[u8], humps: Humps) -> Option<Plain> {
        const EACH: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x80 * EACH;
        let bytes = head(text);
        // The highest bit of each byte says whether it is a letter, and whether that is a capital.
        let folded = (bytes & (0x7f * EACH)) | (0x20 * EACH);
        let from_a = folded + u64::from(0x80 - b'a') * EACH;
        let behind_z = folded + u64::from(0x7f - b'z') * EACH;
        let letters = from_a & !behind_z & !bytes & HIGH;
        let capitals = letters & !(bytes << 2);
        let hump = if humps == Humps::Split { capitals & !0x80 } else { 0 };
        let ends = (!letters | hump) & HIGH;
        let mut length = ends.trailing_zeros() as usize / 8;
        let within = ends.wrapping_sub(1) & !ends;
        let head = folded & if ends == 0 { u64::MAX } else { within >> 7 };
        let mut small = capitals & within == 0;
        let mut hashes = [BASIS; Key::HEAD + 1];
        let mut hash = BASIS;
        for (slot, byte) in hashes.iter_mut().skip(1).zip(head.to_le_bytes()) {
            hash = goes_on(hash, byte);
            *slot = hash;
        }
        let begins = |most: usize| hashes.get(length.min(most)).copied().unwrap_or_default();
        let mut key = Key { hash: begins(Key::HEAD), begins: [begins(3), begins(4), begins(5)], head };
        let stem = begins(STEM);
        if length == Key::HEAD {
            for byte in text.iter().skip(Key::HEAD) {
                let capital = byte.is_ascii_uppercase();
                if !byte.is_ascii_alphabetic() || (capital && humps == Humps::Split) {
                    break;
                }
                small &= !capital;
                key.hash = goes_on(key.hash, byte | 0x20);
                length += 1;
            }
        }
        let plain = Plain { length, stem, key };
        match text.get(length) {
            // Another capital begins a word only behind a small letter.
            Some(next) if next.is_ascii_uppercase() => (length > 1 || small).then_some(plain),
            Some(next) if !next.is_ascii() => None,
            _ => Some(plain),
        }
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
    fn push(&mut self, start: usize, end: usize, hash: u32, stem: u32, means: Concepts) {
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
        let (whole, stem) = hashes(word);
        self.push(self.start, end, whole, stem, lexicon().word(word));
        word.clear();
    }

    /// A word of ASCII letters; `folded` is an empty buffer, and stays so.
    fn plain(&mut self, folded: &mut String, start: usize, plain: &Plain) {
        let end = start + plain.length;
        let means = if !lexicon().may_know(&plain.key) {
            Concepts::default()
        } else if plain.length <= Key::HEAD {
            // All of it is in the key.
            lexicon().means("", &plain.key)
        } else {
            folded.push_str(self.text.get(start..end).unwrap_or_default());
            folded.make_ascii_lowercase();
            let means = lexicon().means(folded, &plain.key);
            folded.clear();
            means
        };
        self.push(start, end, plain.key.hash, plain.stem, means);
        self.single = None;
    }

    /// A character of a script without spaces: a word of the lexicon may begin here, and it is a
    /// pair with the one before.
    fn unspaced(&mut self, at: usize, letter: char) {
        let text = self.text;
        let end = at + letter.len_utf8();
        if let Some(pair) = self.single.and_then(|before| text.get(before..end)) {
            let pair_hash = hash(pair);
            self.push(end - pair.len(), end, pair_hash, pair_hash, Concepts::default());
        }
        if at >= self.matched
            && let Some((length, means)) = text.get(at..).and_then(|rest| lexicon().at(rest))
        {
            self.matched = at + length;
            let word = hash(text.get(at..self.matched).unwrap_or_default());
            self.push(at, self.matched, word, word, means);
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
