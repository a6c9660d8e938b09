//! The language in which a server describes a tool, as far as script and little words say it.

/// The language by its English name; `None` where it cannot be told.
pub(super) fn language(text: &str) -> Option<&'static str> {
    let mut counts = [0_u32; SCRIPTS.len()];
    let mut letters = 0_u32;
    for letter in text.chars().take(400).filter(|letter| letter.is_alphabetic()) {
        letters += 1;
        for ((_, from, to), count) in SCRIPTS.iter().zip(&mut counts) {
            *count += u32::from((*from..=*to).contains(&letter));
        }
    }
    let [kana, han, rest @ ..] = counts;
    // Names of products stand in Latin letters in any language.
    let much = |count: u32| letters >= 4 && count * 4 >= letters;
    if kana > 2 && much(kana + han) {
        return Some("Japanese");
    }
    if much(han) {
        return Some("Chinese");
    }
    let by_script = SCRIPTS.iter().skip(2).zip(rest).find(|(_, count)| much(*count)).map(|((name, ..), _)| *name);
    by_script.or_else(|| latin(text))
}

const SCRIPTS: [(&str, char, char); 9] = [
    ("Japanese", '\u{3040}', '\u{30ff}'),
    ("Chinese", '\u{4e00}', '\u{9fff}'),
    ("Korean", '\u{ac00}', '\u{d7a3}'),
    ("Russian", '\u{400}', '\u{4ff}'),
    ("Arabic", '\u{600}', '\u{6ff}'),
    ("Hebrew", '\u{590}', '\u{5ff}'),
    ("Thai", '\u{e00}', '\u{e7f}'),
    ("Greek", '\u{370}', '\u{3ff}'),
    ("Hindi", '\u{900}', '\u{97f}'),
];

/// Little words that one language has and its neighbours have not.
const WORDS: [(&str, &str); 8] = [
    ("English", "the and of with to for is this from by a an in or that it get list create update delete given"),
    ("Portuguese", "uma um para dos não os com ou pelo são criar obter novo do da listar em por dados ao no na"),
    ("Spanish", "una el los las con del y es por según para un obtener crear listar la en lista obtiene de"),
    ("French", "le les des et pour une du avec dans sur la un récupère liste créer obtenir de à"),
    ("German", "der die und das ein eine mit von für zu den einen im liste alle ist gibt zurück"),
    ("Italian", "il lo gli della per con che una di nel elenco ottieni crea del dei"),
    ("Dutch", "het een van en met voor op de alle haal te"),
    ("Turkish", "ve bir için ile bu yeni getirir listeler olarak"),
];

fn latin(text: &str) -> Option<&'static str> {
    let mut counts = [0_u32; WORDS.len()];
    for word in text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).take(60) {
        let word = word.to_lowercase();
        for ((_, words), count) in WORDS.iter().zip(&mut counts) {
            *count += u32::from(words.split(' ').any(|one| one == word));
        }
    }
    let best = counts.iter().copied().max().filter(|best| *best > 1)?;
    let mut winners = WORDS.iter().zip(counts).filter(|(_, count)| *count == best).map(|((language, _), _)| *language);
    // A tie is no answer.
    winners.next().filter(|_| winners.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_script_and_by_little_words() {
        for (text, name) in [
            ("获取当前日期", Some("Chinese")),
            ("ファイルを削除する", Some("Japanese")),
            ("Создать новую сделку", Some("Russian")),
            ("Criar um novo lead no Kommo CRM", Some("Portuguese")),
            ("Get the current weather for a city", Some("English")),
            ("OK", None),
            ("", None),
        ] {
            assert_eq!(language(text), name, "{text}");
        }
    }
}
