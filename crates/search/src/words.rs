//! Words: how names and prose are cut and folded, the same for what is found and what is asked.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest word that is kept, in characters.
const LONGEST: usize = 60;

/// A word as it is searched: lower case, without accents, `ß` as `ss`, one form of every character.
#[must_use]
pub fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    // Lower case behind the decomposition, which can bring capitals to light.
    let bare = word.nfkd().flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter));
    let mut folded = String::with_capacity(word.len());
    for letter in bare.nfc() {
        match letter {
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            'ı' => folded.push('i'),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            letter => folded.push(letter),
        }
    }
    folded
}

/// A mark on a letter of an alphabet. Marks of Indic scripts and of kana are letters of their own.
fn is_accent(letter: char) -> bool {
    is_combining_mark(letter) && matches!(letter, '\u{300}'..='\u{36f}')
}

/// Whether words of the script stand without spaces between them.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{3134f}')
}

/// A run of letters and digits, as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// One word.
    Word(String),
    /// A word of several: `updateLead`.
    Humps {
        /// All of it.
        whole: String,
        /// Its parts.
        parts: Vec<String>,
    },
    /// Characters of a script without spaces, in pairs; alone where there is one.
    Pairs(Vec<String>),
}

/// The runs of a text.
#[must_use]
pub fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    for chunk in text.split(|c: char| !is_within(c)) {
        if chunk.is_ascii() {
            runs.extend(word(chunk));
            continue;
        }
        let mut rest = chunk;
        while let Some(first) = rest.chars().next() {
            let unspaced = is_unspaced(first);
            let end = rest
                .char_indices()
                .find(|(_, letter)| is_unspaced(*letter) != unspaced && !is_combining_mark(*letter))
                .map_or(rest.len(), |(end, _)| end);
            let (run, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = behind;
            runs.extend(if unspaced { pairs(run) } else { word(run) });
        }
    }
    runs
}

/// Whether it stands within a run. An apostrophe stays within its word and is dropped from it.
fn is_within(letter: char) -> bool {
    match letter.is_ascii() {
        true => letter.is_ascii_alphanumeric() || letter == '\'',
        false => letter.is_alphanumeric() || is_combining_mark(letter) || letter == '’',
    }
}

fn pairs(run: &str) -> Option<Run> {
    let letters: Vec<char> = fold(run).chars().collect();
    let pairs: Vec<String> = match letters.as_slice() {
        [] => return None,
        [one] => vec![one.to_string()],
        several => several.windows(2).map(|pair| pair.iter().collect()).collect(),
    };
    Some(Run::Pairs(pairs))
}

fn word(run: &str) -> Option<Run> {
    // Most words: nothing to fold, no humps.
    let is_plain = |(at, byte): (usize, u8)| byte.is_ascii_alphanumeric() && (at == 0 || !byte.is_ascii_uppercase());
    if !run.is_empty() && run.len() <= LONGEST && run.bytes().enumerate().all(is_plain) {
        return Some(Run::Word(run.to_ascii_lowercase()));
    }
    let run: String = run.chars().filter(|c| !matches!(c, '\'' | '’')).take(LONGEST).collect();
    let whole = fold(&run);
    if whole.is_empty() {
        return None;
    }
    let parts: Vec<String> = humps(&run).iter().map(|part| fold(part)).filter(|part| !part.is_empty()).collect();
    Some(if parts.len() > 1 { Run::Humps { whole, parts } } else { Run::Word(whole) })
}

/// `getHTTPUrl` as `get`, `HTTP`, `Url`. Digits stay with the letters before them.
fn humps(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for (at, letter) in letters.iter().enumerate() {
        let lower_next = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || (before.is_uppercase() && lower_next));
        match parts.last_mut() {
            Some(part) if !begins => part.push(*letter),
            _ => parts.push(letter.to_string()),
        }
        before = Some(*letter);
    }
    parts
}

/// Every word of a text that can be found: of a word with humps the whole and its parts.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => terms.push(word),
            Run::Humps { whole, parts } => {
                terms.push(whole);
                terms.extend(parts);
            }
            Run::Pairs(pairs) => terms.extend(pairs),
        }
    }
    terms
}

/// The parts of a name, in their order.
#[must_use]
pub fn parts(name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for run in runs(name) {
        match run {
            Run::Word(word) => all.push(word),
            Run::Humps { parts, .. } => all.extend(parts),
            Run::Pairs(pairs) => all.extend(pairs),
        }
    }
    all
}

/// What two spellings of one name have in common: `update_lead`, `updateLead` and `Update lead`.
#[must_use]
pub fn exact(name: &str) -> String {
    parts(name).concat()
}

/// What names of the same parts in another order have in common: `lead update`.
#[must_use]
pub fn unordered(name: &str) -> String {
    let mut parts = parts(name);
    parts.sort();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        for name in
            ["update_lead", "updateLead", "UpdateLead", "update-lead", "update.lead", "Update Lead", "UPDATE_LEAD"]
        {
            assert_eq!(parts(name), ["update", "lead"], "{name}");
            assert_eq!(exact(name), "updatelead", "{name}");
            assert_eq!(unordered(name), unordered("lead update"), "{name}");
        }
    }

    #[test]
    fn names_in_parts() {
        let table: [(&str, &[&str]); 9] = [
            ("getHTTPUrl_v2", &["get", "http", "url", "v2"]),
            ("s3_list", &["s3", "list"]),
            ("GitHub", &["git", "hub"]),
            ("excluir_usuário", &["excluir", "usuario"]),
            ("Löschen", &["loschen"]),
            ("don't", &["dont"]),
            ("查询文件", &["查询", "询文", "文件"]),
            ("IP情报", &["ip", "情报"]),
            ("ファイル", &["ファ", "ァイ", "イル"]),
        ];
        for (name, wanted) in table {
            assert_eq!(parts(name), wanted, "{name}");
        }
        assert_eq!(terms("GitHub"), ["github", "git", "hub"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_folded_words(text in "\\PC{0,60}") {
            for word in terms(&text) {
                prop_assert!(!word.is_empty());
                prop_assert_eq!(fold(&word), word);
            }
        }

        #[test]
        fn case_of_whole_names_says_nothing(words in proptest::collection::vec("[a-z]{1,8}", 1..5)) {
            let snake = words.join("_");
            let kebab = words.join("-").to_uppercase();
            prop_assert_eq!(exact(&snake), exact(&kebab));
            prop_assert_eq!(parts(&snake), words);
        }
    }
}
