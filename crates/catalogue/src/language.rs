//! The language of a text, as far as its script says it.

/// The language of a text; `None` for Latin script, where words would have to be counted, and for too
/// little text.
pub(crate) fn language(text: &str) -> Option<&'static str> {
    let (mut letters, mut han, mut kana, mut hangul, mut cyrillic, mut arabic) =
        (0_u32, 0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
    for letter in text.chars().take(400).filter(|letter| letter.is_alphabetic()) {
        letters += 1;
        match letter {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{4e00}'..='\u{9fff}' => han += 1,
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            '\u{400}'..='\u{4ff}' => cyrillic += 1,
            '\u{600}'..='\u{6ff}' => arabic += 1,
            _ => {}
        }
    }
    // Names of products stand in Latin letters in any language.
    let much = |count: u32| letters >= 4 && count * 4 >= letters;
    match () {
        () if kana > 2 && much(kana + han) => Some("ja"),
        () if much(han) => Some("zh"),
        () if much(hangul) => Some("ko"),
        () if much(cyrillic) => Some("ru"),
        () if much(arabic) => Some("ar"),
        () => latin(text),
    }
}

/// Little words that one language has and its neighbours have not.
const WORDS: [(&str, [&str; 10]); 5] = [
    ("en", ["the", "and", "of", "with", "to", "for", "is", "this", "from", "by"]),
    ("pt", ["uma", "um", "para", "dos", "não", "os", "com", "ou", "pelo", "são"]),
    ("es", ["una", "el", "los", "las", "con", "del", "y", "es", "por", "según"]),
    ("fr", ["le", "les", "des", "et", "pour", "une", "du", "avec", "dans", "sur"]),
    ("de", ["der", "die", "und", "das", "ein", "eine", "mit", "von", "für", "zu"]),
];

fn latin(text: &str) -> Option<&'static str> {
    let mut counts = [0_u32; WORDS.len()];
    for word in text.split(|c: char| !c.is_alphabetic()).take(60) {
        let word = word.to_lowercase();
        for ((_, words), count) in WORDS.iter().zip(&mut counts) {
            *count += u32::from(words.contains(&word.as_str()));
        }
    }
    let best = counts.iter().copied().max().filter(|best| *best > 0)?;
    let mut winners = WORDS.iter().zip(counts).filter(|(_, count)| *count == best).map(|((language, _), _)| *language);
    // A tie is no answer.
    winners.next().filter(|_| winners.next().is_none())
}
