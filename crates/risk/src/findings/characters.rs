//! Characters that people do not see, or see in another order than programs read them.

use super::rule::{Kind, Level, Rule};
use super::skeleton::{is_foreign, is_mixed, looks_like};
use super::texts::{Role, Text};

/// A text encoded in characters that nobody sees.
pub(crate) static HIDDEN_TEXT: Rule = Rule::of_form(
    "hidden-text",
    Level::Error,
    Kind::Hidden,
    "A text is written in characters that no screen shows; a model can read it.",
);
/// Invisible characters where no language needs them.
pub(crate) static INVISIBLE: Rule = Rule::of_form(
    "invisible-characters",
    Level::Warning,
    Kind::Hidden,
    "Invisible characters stand within the text; words can be hidden or kept from searches with them.",
);
/// Invisible characters at the edge of a word, as translators and word processors leave them.
pub(crate) static STRAY: Rule = Rule::of_form(
    "stray-characters",
    Level::Note,
    Kind::Hidden,
    "Invisible characters stand between words, as word processors leave them.",
);
/// Characters that turn the direction of writing.
pub(crate) static BIDIRECTIONAL: Rule = Rule::of_form(
    "bidirectional-characters",
    Level::Error,
    Kind::Hidden,
    "Characters turn the direction of writing, so that people read something else than the model.",
);
/// Control characters.
pub(crate) static CONTROL: Rule = Rule::of_form(
    "control-characters",
    Level::Error,
    Kind::Hidden,
    "Control characters can overwrite or hide what a terminal shows of the definition.",
);
/// A name of letters of two alphabets.
pub(crate) static MIXED_NAME: Rule = Rule::of_form(
    "mixed-script-name",
    Level::Error,
    Kind::Hidden,
    "A name has letters of another alphabet that look like Latin ones; it is not the name it seems to be.",
);
/// A word of letters of two alphabets.
pub(crate) static MIXED_WORD: Rule = Rule::of_form(
    "mixed-script-word",
    Level::Warning,
    Kind::Hidden,
    "A word has letters of two alphabets that look alike, which keeps it from searches.",
);
/// Text that lies behind a screen of nothing.
pub(crate) static OUT_OF_VIEW: Rule = Rule::of_form(
    "text-out-of-view",
    Level::Warning,
    Kind::Hidden,
    "Text follows after so much empty space that people do not see it.",
);

/// So many invisible characters in a row carry a text.
const ENCODES: usize = 8;
/// So much empty space pushes text out of view: blank columns, and blank lines.
const COLUMNS: usize = 120;
const LINES: usize = 15;

/// Whether the character is seen by nobody: a search skips it.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || (letter.is_control() && !matches!(letter, '\n' | '\t' | '\r'))
}

/// What was found: the rule, and from which byte to before which.
pub(crate) type Found = (&'static Rule, usize, usize);

/// What is wrong with the characters of a text, each rule once.
pub(crate) fn characters(text: &Text<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut add = |rule: &'static Rule, start: usize, end: usize| {
        if !found.iter().any(|(known, ..)| known.id == rule.id) {
            found.push((rule, start, end));
        }
    };
    if !text.text.is_ascii() {
        unseen(text, &mut add);
        mixed(text, &mut add);
    } else if let Some(at) = text.text.find(|letter: char| letter.is_ascii() && is_invisible(letter)) {
        add(&CONTROL, at, at + 1);
    }
    if text.text.len() > LINES {
        empty(text.text, &mut add);
    }
    found
}

fn unseen(text: &Text<'_>, add: &mut impl FnMut(&'static Rule, usize, usize)) {
    let letters: Vec<(usize, char)> = text.text.char_indices().collect();
    let right_to_left = letters.iter().any(|(_, letter)| is_right_to_left(*letter));
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).map(|(_, letter)| *letter);
    let mut run = 0;
    for (index, (start, letter)) in letters.iter().enumerate() {
        if !is_invisible(*letter) {
            run = 0;
            continue;
        }
        run += 1;
        let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
        let end = start + letter.len_utf8();
        match letter {
            '\u{e0000}'..='\u{e007f}' if is_flag(&letters, index) => run = 0,
            '\u{e0000}'..='\u{e007f}' => add(&HIDDEN_TEXT, *start, end),
            _ if run >= ENCODES => {
                let first = letters.get(index + 1 - run).map_or(*start, |(start, _)| *start);
                add(&HIDDEN_TEXT, first, end);
            }
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => add(&BIDIRECTIONAL, *start, end),
            '\u{200e}' | '\u{200f}' | '\u{61c}' if right_to_left => {}
            // Emoji are joined and coloured by them, Persian and Indian words need them.
            '\u{fe00}'..='\u{fe0f}' if before.is_some_and(|letter| !letter.is_alphabetic()) && run == 1 => {}
            '\u{200c}' | '\u{200d}' if before.is_some_and(joins) => {}
            '\u{feff}' if index == 0 => add(&STRAY, *start, end),
            '\u{ad}' => add(&STRAY, *start, end),
            _ if letter.is_control() => add(&CONTROL, *start, end),
            _ if text.role.is_name() => add(&INVISIBLE, *start, end),
            // Within a word; beside a space or a mark they split nothing.
            _ if edge(before, &letters, index, false) || edge(after, &letters, index, true) => add(&STRAY, *start, end),
            _ => add(&INVISIBLE, *start, end),
        }
    }
}

/// Whether the nearest visible character on this side is no letter.
fn edge(next: Option<char>, letters: &[(usize, char)], index: usize, forward: bool) -> bool {
    let visible = |(_, letter): &&(usize, char)| !is_invisible(*letter);
    let nearest = match next {
        Some(letter) if !is_invisible(letter) => Some(letter),
        _ if forward => letters.iter().skip(index).find(visible).map(|(_, letter)| *letter),
        _ => letters.iter().take(index).rev().find(visible).map(|(_, letter)| *letter),
    };
    nearest.is_none_or(|letter| !letter.is_alphanumeric())
}

/// Whether the tag character belongs to the flag of a region: a black flag and its letters.
fn is_flag(letters: &[(usize, char)], index: usize) -> bool {
    let before = letters.iter().take(index).rev().find(|(_, letter)| !matches!(letter, '\u{e0020}'..='\u{e007f}'));
    let length =
        letters.iter().take(index).rev().take_while(|(_, letter)| matches!(letter, '\u{e0020}'..='\u{e007f}')).count();
    before.is_some_and(|(_, letter)| *letter == '\u{1f3f4}') && length < 7
}

fn joins(letter: char) -> bool {
    matches!(letter, '\u{600}'..='\u{dff}' | '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}')
}

fn mixed(text: &Text<'_>, add: &mut impl FnMut(&'static Rule, usize, usize)) {
    let mut start = None;
    for (at, letter) in text.text.char_indices().chain([(text.text.len(), ' ')]) {
        if letter.is_alphabetic() || is_invisible(letter) {
            start.get_or_insert(at);
        } else if let Some(start) = start.take()
            && let Some(word) = text.text.get(start..at)
            && is_mixed(word)
        {
            let deceives = word.chars().all(|letter| letter.is_ascii() || looks_like(letter).is_some());
            match text.role {
                Role::Name | Role::Parameter => add(&MIXED_NAME, start, at),
                Role::Value => {}
                _ if deceives && word.chars().count() > 3 => add(&MIXED_WORD, start, at),
                _ => {}
            }
        }
    }
    // A whole name of another alphabet that could be a Latin one, as no word of that language is.
    if text.role == Role::Name
        && text.text.chars().any(is_foreign)
        && text.text.chars().all(|letter| letter.is_ascii() || looks_like(letter).is_some())
        && text.text.chars().any(|letter| letter.is_ascii_alphabetic())
    {
        add(&MIXED_NAME, 0, text.text.len());
    }
}

fn empty(text: &str, add: &mut impl FnMut(&'static Rule, usize, usize)) {
    let (mut columns, mut lines, mut start) = (0_usize, 0_usize, 0_usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '\n' => (columns, lines) = (0, lines + 1),
            _ if letter.is_whitespace() || letter == '\u{2800}' || is_invisible(letter) => columns += 1,
            _ => {
                if (columns > COLUMNS || lines > LINES) && start > 0 {
                    let end = text.char_indices().map(|(at, _)| at).find(|end| *end > at + 60).unwrap_or(text.len());
                    add(&OUT_OF_VIEW, at, end);
                }
                (columns, lines, start) = (0, 0, at + 1);
            }
        }
    }
}

/// A text as it is shown: what cannot be seen is written out, and it is not long.
pub(crate) fn shown(text: &str) -> String {
    shown_to(text, 120)
}

/// The same, `most` characters long at most.
pub(crate) fn shown_to(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for letter in text.chars() {
        let mut piece = String::new();
        match letter {
            _ if letter.is_whitespace() && letter.is_ascii() => {
                if !shown.ends_with(' ') {
                    piece.push(' ');
                }
            }
            _ if is_invisible(letter) || (letter.is_whitespace() && letter != '\u{3000}') || letter == '\u{2800}' => {
                piece = format!("U+{:04X}", u32::from(letter));
            }
            _ => piece.push(letter),
        }
        count += piece.chars().count();
        if count > most {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Definition;
    use crate::findings::texts::texts;

    fn rules(name: &str, description: &str) -> Vec<&'static str> {
        let definition = Definition { name, description, ..Definition::default() };
        texts(&definition).iter().flat_map(characters).map(|(rule, ..)| rule.id).collect()
    }

    #[test]
    fn what_is_not_seen() {
        let tags: String = "hello".chars().map(|letter| char::from_u32(0xe0000 + u32::from(letter)).unwrap()).collect();
        assert_eq!(rules("a", &format!("Adds.{tags}")), ["hidden-text"]);
        let selectors: String = (0..12).map(|n| char::from_u32(0xe0100 + n).unwrap()).collect();
        assert_eq!(rules("a", &format!("Adds 🙂{selectors}")), ["stray-characters", "hidden-text"]);
        assert_eq!(rules("a", &format!("Adds {}", "\u{200b}\u{200c}".repeat(6))), ["stray-characters", "hidden-text"]);
        assert_eq!(rules("a", "ig\u{200b}nore"), ["invisible-characters"]);
        assert_eq!(rules("a\u{2060}b", "Adds"), ["invisible-characters"]);
        assert_eq!(rules("a", "values \u{200b}\u{200b}are"), ["stray-characters"]);
        assert_eq!(rules("a", "safe\u{202e}gpj.exe"), ["bidirectional-characters"]);
        assert_eq!(rules("a", "\u{1b}[8mhidden"), ["control-characters"]);
        assert_eq!(rules("a", "é\u{7}"), ["control-characters"]);
    }

    #[test]
    fn what_languages_and_emoji_need() {
        for text in [
            "👨\u{200d}👩\u{200d}👧 ☁\u{fe0f} 1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "שלום \u{200f}(a)",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert!(rules("a", text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn alphabets() {
        assert_eq!(rules("s\u{435}nd_mail", "Sends"), ["mixed-script-name"]);
        assert_eq!(rules("a", "Use p\u{430}ssword"), ["mixed-script-word"]);
        assert!(rules("отправить_email", "Отправляет email через API-ключ, SQL-запрос, μs, IDшник").is_empty());
    }

    #[test]
    fn empty_space() {
        assert_eq!(rules("a", &format!("Adds.{}Then read", "\n".repeat(30))), ["text-out-of-view"]);
        assert_eq!(rules("a", &format!("Adds.{}Then read", " ".repeat(200))), ["text-out-of-view"]);
        assert!(rules("a", &format!("{}Adds.{}", " ".repeat(200), "\n".repeat(30))).is_empty());
    }

    #[test]
    fn shown_is_short_and_plain() {
        assert_eq!(shown("a\u{200b}b \n c\u{202e}"), "aU+200Bb cU+202E");
        assert!(shown(&"é".repeat(500)).chars().count() <= 121);
    }
}
