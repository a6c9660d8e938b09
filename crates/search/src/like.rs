//! Words that are spelt nearly like another: an automaton over the bytes of words, for the dictionary of the index.
//!
//! A letter too many, a letter too few, another letter, and two that changed places are one mistake each. For each number
//! of mistakes there is a row of bits: bit *i* is set where the first *i* letters can have been read with so many mistakes
//! (Wu and Manber, "Fast Text Searching Allowing Errors", 1992; places that changed as Hyyrö has them, 2003). A step is
//! some operations on three numbers, and nothing is made before: a table of all states costs more than the search itself.

use tantivy_fst::Automaton;

/// The longest word, in letters: the end of it has a bit too.
const LONGEST: usize = 63;

/// The most mistakes.
const MISTAKES: usize = 2;

/// Words like another.
#[derive(Debug)]
pub(crate) struct Like {
    letters: Vec<char>,
    /// Where each ASCII letter stands.
    ascii: [u64; 128],
    /// How many mistakes may be in them.
    mistakes: usize,
    /// Whether they may go on.
    open: bool,
}

impl Like {
    /// Words that are this one but for so many mistakes; `open` ones may go on behind it. Nothing for a word that is longer than any
    /// that people type.
    pub(crate) fn new(word: &str, mistakes: usize, open: bool) -> Option<Self> {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() > LONGEST {
            return None;
        }
        let mut ascii = [0; 128];
        for (at, letter) in letters.iter().enumerate() {
            if let Some(places) = usize::try_from(u32::from(*letter)).ok().and_then(|code| ascii.get_mut(code)) {
                *places |= 1 << at;
            }
        }
        Some(Self { letters, ascii, mistakes: mistakes.min(MISTAKES), open })
    }

    /// Where a letter stands in the word.
    fn places(&self, letter: u32) -> u64 {
        match usize::try_from(letter).ok().and_then(|code| self.ascii.get(code)) {
            Some(places) => *places,
            None => (0..)
                .zip(&self.letters)
                .filter(|(_, one)| u32::from(**one) == letter)
                .fold(0, |all, (at, _)| all | 1_u64 << at),
        }
    }

    /// The bits of all places, the end among them.
    fn all(&self) -> u64 {
        u64::MAX >> (LONGEST - self.letters.len())
    }

    fn is_at_end(&self, rows: &[u64]) -> bool {
        rows.iter().any(|row| row >> self.letters.len() & 1 == 1)
    }

    /// The state behind a letter.
    fn step(&self, state: &State, letter: u32) -> State {
        let places = self.places(letter);
        let mut next = State { met: state.met, ..State::default() };
        let (mut before, mut before_now, mut swapped) = (0, 0, 0);
        let rows = state.rows.iter().zip(&state.swaps).zip(next.rows.iter_mut().zip(&mut next.swaps));
        for ((row, swap), (row_now, swap_now)) in rows.take(self.mistakes + 1) {
            // The letter itself; one too many; another; one too few; the second of two that changed places.
            *row_now = ((row & places) << 1 | before | before << 1 | before_now << 1 | swapped) & self.all();
            *swap_now = row & places >> 1;
            swapped = (swap & places) << 2;
            (before, before_now) = (*row, *row_now);
        }
        next.met |= self.open && self.is_at_end(&next.rows);
        next
    }
}

/// How far a word was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct State {
    /// How many letters of the word can have been read, by the number of mistakes.
    rows: [u64; MISTAKES + 1],
    /// Where the letter that was read stands one place later: the next may be the one that belongs here.
    swaps: [u64; MISTAKES + 1],
    /// Whether all of the word was read, and it may go on.
    met: bool,
    /// What is known of a letter of several bytes.
    letter: u32,
    /// How many bytes of it are still to come.
    bytes: u8,
}

impl Automaton for Like {
    type State = State;

    fn start(&self) -> State {
        let mut state = State::default();
        // The first letters may be missing.
        for (mistakes, row) in state.rows.iter_mut().enumerate().take(self.mistakes + 1) {
            *row = (u64::MAX >> (LONGEST - mistakes)) & self.all();
        }
        state.met = self.open && self.is_at_end(&state.rows);
        state
    }

    fn is_match(&self, state: &State) -> bool {
        state.bytes == 0 && (state.met || self.is_at_end(&state.rows))
    }

    fn can_match(&self, state: &State) -> bool {
        state.met || state.rows.iter().any(|row| *row != 0)
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        let part = |bits: u8| u32::from(byte & bits);
        match (state.bytes, byte) {
            (_, 0..=0x7f) => self.step(state, u32::from(byte)),
            (1, _) => self.step(state, state.letter << 6 | part(0x3f)),
            (2.., _) => State { letter: state.letter << 6 | part(0x3f), bytes: state.bytes - 1, ..*state },
            (0, 0xf0..) => State { letter: part(0x07), bytes: 3, ..*state },
            (0, 0xe0..) => State { letter: part(0x0f), bytes: 2, ..*state },
            (0, _) => State { letter: part(0x1f), bytes: 1, ..*state },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(word: &str, mistakes: usize, open: bool, other: &str) -> bool {
        let like = Like::new(word, mistakes, open).unwrap();
        let mut state = like.start();
        for byte in other.bytes() {
            if !like.can_match(&state) {
                return false;
            }
            state = like.accept(&state, byte);
        }
        like.is_match(&state)
    }

    /// How many mistakes there are between two words, by the table of all their beginnings.
    fn between(one: &[char], other: &[char]) -> usize {
        let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
        for (i, row) in table.iter_mut().enumerate() {
            row[0] = i;
        }
        table[0] = (0..=other.len()).collect();
        for i in 1..=one.len() {
            for j in 1..=other.len() {
                let another = usize::from(one[i - 1] != other[j - 1]);
                let mut least = (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + another);
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = least;
            }
        }
        table[one.len()][other.len()]
    }

    #[test]
    fn mistakes_of_people() {
        let table = [
            ("udpate", 1, "update", true),
            ("smartlaed", 1, "smartlead", true),
            ("delte", 1, "delete", true),
            ("deelete", 1, "delete", true),
            ("dalete", 1, "delete", true),
            ("dalte", 1, "delete", false),
            ("dalte", 2, "delete", true),
            ("usuàrio", 1, "usuario", true),
            ("ファイル", 1, "ファイ", true),
            ("ファイル", 1, "フイァル", true),
        ];
        for (word, mistakes, other, like) in table {
            assert_eq!(matches(word, mistakes, false, other), like, "{word} {other}");
            assert!(!matches(word, mistakes, false, &format!("{other}zzz")), "{word} {other}");
            assert_eq!(matches(word, mistakes, true, &format!("{other}zzz")), like, "{word} {other}");
        }
        assert!(Like::new(&"x".repeat(64), 1, true).is_none());
        assert!(matches(&"x".repeat(63), 1, false, &"x".repeat(64)));
    }

    proptest! {
        #[test]
        fn as_many_mistakes_as_the_table_has(word in "[abé文]{0,8}", other in "[abé文]{0,9}", mistakes in 0_usize..=2) {
            let (one, letters): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
            prop_assert_eq!(matches(&word, mistakes, false, &other), between(&one, &letters) <= mistakes);
            let begins = (0..=letters.len()).any(|end| between(&one, &letters[..end]) <= mistakes);
            prop_assert_eq!(matches(&word, mistakes, true, &other), begins);
        }
    }
}
