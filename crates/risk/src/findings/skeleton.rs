//! Names as the eye takes them: two names with one skeleton are confused.

use unicode_normalization::UnicodeNormalization;

use super::characters::is_invisible;

/// The Latin letter that a Cyrillic or Greek one looks like.
pub(crate) fn looks_like(letter: char) -> Option<char> {
    Some(match letter {
        'а' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'в' | 'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'ҽ' | 'є' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'н' | 'Н' | 'Η' => 'H',
        'і' | 'ι' | 'ı' => 'i',
        'І' | 'Ι' | 'Ӏ' | 'ӏ' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'м' | 'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'о' | 'ο' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}

/// The name without what the eye passes over: case, width, `-`, `_`, `.` and spaces, and which
/// alphabet a letter is from.
pub(crate) fn skeleton(name: &str) -> String {
    name.nfkc()
        .filter(|letter| !matches!(letter, '-' | '_' | '.' | ' ') && !is_invisible(*letter))
        .flat_map(|letter| looks_like(letter).unwrap_or(letter).to_lowercase())
        .map(|letter| looks_like(letter).map_or(letter, |latin| latin.to_ascii_lowercase()))
        .collect()
}

/// Whether a word has Latin letters and letters that only look Latin.
pub(crate) fn is_mixed(word: &str) -> bool {
    word.chars().any(|letter| letter.is_ascii_alphabetic()) && word.chars().any(is_foreign)
}

/// Whether the letter is Cyrillic or Greek.
pub(crate) fn is_foreign(letter: char) -> bool {
    matches!(letter, '\u{370}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{1f00}'..='\u{1fff}')
        && letter.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_confused_have_one_skeleton() {
        for other in
            ["send-email", "SendEmail", "send.email", "s\u{435}nd_email", "ｓｅｎｄ_email", "send\u{200b}_email"]
        {
            assert_eq!(skeleton(other), skeleton("send_email"), "{other}");
        }
        assert_ne!(skeleton("send_mail"), skeleton("send_email"));
    }

    #[test]
    fn mixed_words() {
        assert!(is_mixed("p\u{430}ypal") && is_mixed("τoken"));
        assert!(!is_mixed("отправить") && !is_mixed("paypal") && !is_mixed("größe"));
    }
}
