//! Questions as people ask them: names while they are typed, misspelt, in another spelling, in other languages, with
//! conditions.

use super::blown_up::BlownUp;
use super::chance::Chance;

/// Conditions that are asked for beside words.
const FILTERS: [&str; 8] = [
    "class=read",
    "class=destructive",
    "severity=high",
    "facet=sends_external",
    "kind=server",
    "kind=tool",
    "class=write&severity=medium",
    "class=execute",
];

/// So many questions, as the query of an address.
pub fn questions(data: &BlownUp, count: usize) -> Vec<String> {
    let mut chance = Chance::new(7);
    let foreign: Vec<&str> =
        data.sample.iter().flat_map(|(_, text)| text.split_whitespace()).filter(is_foreign).collect();
    (0..count)
        .filter_map(|at| {
            let (name, text) = chance.pick(&data.sample)?;
            let words = match at % 8 {
                // As it is typed: the first letters of a name.
                0 | 1 => beginning(name, 2 + chance.below(10)),
                2 => name.clone(),
                3 => name.replace(['_', '-'], " "),
                4 => misspelt(name, &mut chance),
                5 => {
                    let words: Vec<&str> = text.split_whitespace().collect();
                    let one = chance.pick(&words).copied().unwrap_or("file");
                    format!("{one} {}", chance.pick(&words).copied().unwrap_or("list"))
                }
                6 => chance.pick(&foreign).map_or_else(|| "arquivo".to_owned(), |word| (*word).to_owned()),
                _ => beginning(name, 4 + chance.below(10)),
            };
            let filter = match at % 5 {
                0 => chance.pick(&FILTERS).map(|filter| format!("&{filter}")).unwrap_or_default(),
                _ => String::new(),
            };
            Some(format!("q={}{filter}", escaped(&words)))
        })
        .collect()
}

fn is_foreign(word: &&str) -> bool {
    word.chars().any(|letter| !letter.is_ascii() && letter.is_alphabetic()) && word.chars().count() < 12
}

fn beginning(name: &str, letters: u64) -> String {
    name.chars().take(usize::try_from(letters).unwrap_or_default()).collect()
}

/// A name with two letters that changed places.
fn misspelt(name: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = usize::try_from(chance.below(letters.len() as u64)).unwrap_or_default();
    if at + 1 < letters.len() {
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

/// As it stands in an address.
pub fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}
