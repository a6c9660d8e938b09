//! A text as phrases are searched in it: what is only there to escape a search is gone.
//!
//! Lower case without accents, compatibility forms resolved, invisible characters and emphasis
//! marks taken out, Cyrillic and Greek letters amid Latin ones read as what they look like, one
//! sentence a line however the text was wrapped.

use unicode_normalization::UnicodeNormalization;

use super::characters::is_invisible;
use super::skeleton::looks_like;
use crate::fold::fold_into;

/// A folded text, and where its bytes came from.
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each byte of `text`, where the character began that it came from.
    origins: Vec<usize>,
    /// How long the text was.
    length: usize,
}

impl Folded {
    /// `words` says whether `_` and `-` stand between words, as they do in names.
    pub(crate) fn new(text: &str, words: bool) -> Folded {
        Self::of(text.char_indices(), text.len(), words)
    }

    /// The same of letters that stand in a text of this length.
    pub(crate) fn of(letters: impl Iterator<Item = (usize, char)>, length: usize, words: bool) -> Folded {
        let mut folded = Folded { text: String::with_capacity(length), origins: Vec::with_capacity(length), length };
        let mut letters = letters.filter(|(_, letter)| !is_invisible(*letter)).peekable();
        let mut before = '\n';
        while let Some((at, letter)) = letters.next() {
            if letter.is_whitespace() {
                let mut breaks = usize::from(letter == '\n');
                while let Some((_, next)) = letters.next_if(|(_, next)| next.is_whitespace()) {
                    breaks += usize::from(next == '\n');
                }
                // Wrapped lines go on; empty lines and lists do not.
                let listed = letters.peek().is_some_and(|(_, next)| matches!(next, '-' | '*' | '•' | '#' | '<' | '['));
                let stops = matches!(before, '.' | '!' | '?') && !folded.text.ends_with("e.g.");
                let ends = breaks > 1 || (breaks == 1 && listed) || stops;
                if !folded.text.ends_with(['\n', ' ']) || (ends && !folded.text.ends_with('\n')) {
                    folded.push(at, if ends { '\n' } else { ' ' });
                }
                before = ' ';
                continue;
            }
            match letter {
                '*' | '`' | '"' | '“' | '”' | '„' | '«' | '»' => continue,
                '’' | 'ʼ' => folded.push(at, '\''),
                '_' | '-' if words => folded.push(at, ' '),
                '。' | '！' | '？' => folded.push(at, '\n'),
                _ if letter.is_ascii() => {
                    // A hump begins a word, in names.
                    if words && letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
                        folded.push(at, ' ');
                    }
                    folded.push(at, letter.to_ascii_lowercase());
                }
                _ => {
                    let amid = before.is_ascii_alphabetic()
                        || letters.peek().is_some_and(|(_, next)| next.is_ascii_alphabetic());
                    match looks_like(letter).filter(|_| amid) {
                        Some(latin) => folded.push(at, latin.to_ascii_lowercase()),
                        None => folded.compatible(at, letter),
                    }
                }
            }
            before = letter;
        }
        folded
    }

    /// Where the piece from `start` to before `end` stood.
    pub(crate) fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let start = self.origins.get(start).copied().unwrap_or(self.length);
        let end = self.origins.get(end).copied().unwrap_or(self.length);
        (start, end)
    }

    fn push(&mut self, at: usize, letter: char) {
        self.text.push(letter);
        self.origins.resize(self.text.len(), at);
    }

    fn compatible(&mut self, at: usize, letter: char) {
        let mut word = String::new();
        // Of languages whose words are looked for here and are not told apart elsewhere.
        let letter = match letter {
            'ł' | 'Ł' => 'l',
            'ğ' | 'Ğ' => 'g',
            other => other,
        };
        for part in std::iter::once(letter).nfkc().filter(|part| !matches!(part, '\u{300}'..='\u{36f}')) {
            fold_into(&mut word, part);
        }
        self.text.push_str(&word);
        self.origins.resize(self.text.len(), at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(text: &str) -> String {
        Folded::new(text, false).text
    }

    #[test]
    fn what_escapes_a_search_is_undone() {
        assert_eq!(fold("Ig\u{200b}nore **ALL**"), "ignore all");
        assert_eq!(fold("ｉｇｎｏｒｅ"), "ignore");
        assert_eq!(fold("ign\u{43e}re"), "ignore");
        assert_eq!(fold("Não e\u{301}"), "nao e");
        assert_eq!(fold("Łącz BAĞLI ığ"), "lacz bagli ig");
        assert_eq!(fold("Он"), "он");
    }

    #[test]
    fn a_sentence_a_line() {
        assert_eq!(fold("One two\n   three. Four\n\nfive\n- six"), "one two three.\nfour\nfive\n- six");
        assert_eq!(fold("v1.2 of mcp.json, e.g. one"), "v1.2 of mcp.json, e.g. one");
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(Folded::new("ignorePrevious_rules-now", true).text, "ignore previous rules now");
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "é \u{200b}Größe x";
        let folded = Folded::new(text, false);
        let at = folded.text.find("grosse").unwrap();
        let (start, end) = folded.origin(at, at + 6);
        assert_eq!(text.get(start..end), Some("Größe"));
    }
}
