//! Letters as they are compared: lower case, without accents.

/// Appends `letter` to `word` as it is compared.
pub(crate) fn fold_into(word: &mut String, letter: char) {
    if letter.is_ascii() {
        word.push(letter.to_ascii_lowercase());
        return;
    }
    match letter {
        'à'..='å' | 'À'..='Å' | 'ā' | 'ă' | 'ą' | 'Ā' | 'Ă' | 'Ą' => word.push('a'),
        'ç' | 'Ç' | 'ć' | 'č' | 'Ć' | 'Č' => word.push('c'),
        'è'..='ë' | 'È'..='Ë' | 'ē' | 'ę' | 'ě' | 'Ē' | 'Ę' | 'Ě' => word.push('e'),
        'ì'..='ï' | 'Ì'..='Ï' | 'ī' | 'Ī' | 'ı' | 'İ' => word.push('i'),
        'ñ' | 'Ñ' | 'ń' | 'ň' | 'Ń' | 'Ň' => word.push('n'),
        'ò'..='ö' | 'ø' | 'Ò'..='Ö' | 'Ø' | 'ō' | 'ő' | 'Ō' | 'Ő' => word.push('o'),
        'ù'..='ü' | 'Ù'..='Ü' | 'ū' | 'ů' | 'ű' | 'Ū' | 'Ů' | 'Ű' => word.push('u'),
        'ý' | 'ÿ' | 'Ý' | 'Ÿ' => word.push('y'),
        'š' | 'ś' | 'ş' | 'Š' | 'Ś' | 'Ş' => word.push('s'),
        'ž' | 'ź' | 'ż' | 'Ž' | 'Ź' | 'Ż' => word.push('z'),
        'ß' | 'ẞ' => word.push_str("ss"),
        'æ' | 'Æ' => word.push_str("ae"),
        'œ' | 'Œ' => word.push_str("oe"),
        'ё' | 'Ё' => word.push('е'),
        other => word.extend(other.to_lowercase()),
    }
}

/// Whether the letter belongs to a script that writes no spaces between words, or glues endings to
/// them so that a word is found only inside another: Han, kana, Hangul.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{3005}' | '\u{31f0}'..='\u{31ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter() {
        let fold = |text: &str| {
            let mut word = String::new();
            text.chars().for_each(|letter| fold_into(&mut word, letter));
            word
        };
        assert_eq!(fold("Exclusão"), "exclusao");
        assert_eq!(fold("LÖSCHEN"), "loschen");
        assert_eq!(fold("Größe"), "grosse");
        assert_eq!(fold("Счёт"), "счет");
        assert_eq!(fold("œuvre"), "oeuvre");
    }

    #[test]
    fn scripts_without_spaces() {
        assert!("删ひカ삭".chars().all(is_unspaced));
        assert!(!"aéд。".chars().any(is_unspaced));
    }
}
