//! Texts from outside, as they are shown: nothing in them acts, nothing in them hides.

use maud::{Markup, html};

/// A text in visible characters on one line, cut at `most` characters.
pub(crate) fn shown(text: &str, most: usize) -> String {
    audit::visible::shown(&one_line(text, most))
}

/// A text with a space in place of line breaks, tabulators and runs of spaces, cut at `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    for word in text.split_ascii_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// A text, as a link where it is the address of a page. Links lead out of the catalogue, and say nothing for it.
pub(crate) fn linked(text: &str) -> Markup {
    let address = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    html! {
        @if address { a href=(text) rel="nofollow noopener" { (text.split_once("://").map_or(text, |(_, rest)| rest)) } }
        @else { (shown(text, 300)) }
    }
}

/// A name as Markdown takes it: as code, which needs no other marks.
pub(crate) fn code(name: &str) -> String {
    format!("`{}`", shown(name, 200).replace('`', "'").replace('|', "\\|"))
}

/// A text as Markdown takes it: one line, its marks made plain.
pub(crate) fn markdown(text: &str) -> String {
    let line = audit::visible::shown(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut plain = String::with_capacity(line.len());
    for letter in line.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!') {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// A number as people write it: `41,954`.
pub(crate) fn number(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// [`number`] of what was counted.
pub(crate) fn counted(count: usize) -> String {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

/// With a capital at the beginning, where a name with a small one (`macOS`) does not stand there.
pub(crate) fn sentence(words: &str) -> String {
    if words.split(' ').next().is_some_and(|first| first.contains(|letter: char| letter.is_ascii_uppercase())) {
        return words.to_owned();
    }
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// A number of what a page counts.
pub(crate) fn many(count: impl TryInto<usize>, one: &str, several: &str) -> String {
    let count = count.try_into().unwrap_or(usize::MAX);
    let word = if count == 1 { one } else { several };
    format!("{} {word}", counted(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let found = [0_u32, 999, 1_000, 41_954, 1_234_567].map(number);
        assert_eq!(found, ["0", "999", "1,000", "41,954", "1,234,567"]);
    }

    #[test]
    fn nothing_hides_and_nothing_acts() {
        assert_eq!(shown("abcdef", 3), "abc…");
        assert!(!shown("a\u{202e}b", 9).contains('\u{202e}'));
        assert_eq!(markdown("a [link](x)\n# head <b>"), r"a \[link\](x) \# head \<b\>");
    }
}
