//! Text in columns of a terminal: what is wide is counted as wide, what is long is wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text with spaces behind it, to so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Lines of at most so many columns, broken at spaces; a word that is longer is broken too, after a
/// joint such as `_` or `/` where there is one.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(4);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let mut rest = word;
        while width(&line) + width(rest) > columns {
            let (head, tail) = cut(rest, columns);
            lines.push(head.to_owned());
            rest = tail;
        }
        line.push_str(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The beginning of a word that fits, and the rest of it. The beginning is never empty.
fn cut(word: &str, columns: usize) -> (&str, &str) {
    let mut taken = 0;
    let mut fits = 0;
    let mut joint = 0;
    for (at, character) in word.char_indices() {
        taken += character.width().unwrap_or(0);
        if taken > columns && at > 0 {
            break;
        }
        fits = at + character.len_utf8();
        if matches!(character, '_' | '-' | '/' | '.' | ':') {
            joint = fits;
        }
    }
    // A joint near the beginning would waste the line.
    let at = if joint * 2 > fits { joint } else { fits };
    word.split_at_checked(at).unwrap_or((word, ""))
}

/// Puts cells side by side, each wrapped to its width; the last is not padded.
pub fn row(indent: usize, cells: &[(&str, usize)]) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = cells.iter().map(|(text, columns)| wrap(text, *columns)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or_default();
    let line = |number: usize| {
        let mut line = " ".repeat(indent);
        for (lines, (_, columns)) in wrapped.iter().zip(cells) {
            line.push_str(&pad(lines.get(number).map_or("", String::as_str), *columns));
            line.push_str("  ");
        }
        line.truncate(line.trim_end().len());
        line
    };
    (0..height).map(line).collect()
}

/// A paragraph behind an indent.
pub fn paragraph(text: &str, indent: usize, columns: usize) -> String {
    let lines = wrap(text, columns.saturating_sub(indent));
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        for text in ["a bc def ghij", "one_very_long_name_without_spaces", "漢字漢字漢字漢字漢字", "", "  x  ", "é́x"]
        {
            for columns in 4..20 {
                let lines = wrap(text, columns);
                assert!(lines.iter().all(|line| width(line) <= columns), "{text} {columns} {lines:?}");
                let joined: String = lines.concat().replace(' ', "");
                assert_eq!(joined, text.replace(' ', ""), "nothing is lost");
            }
        }
        assert_eq!(wrap("reads_private, sends_external", 16), ["reads_private,", "sends_external"]);
        assert_eq!(wrap("get_interline_tickets", 16), ["get_interline_", "tickets"]);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let lines = row(2, &[("漢字", 6), ("one two three", 7), ("x", 1)]);
        assert_eq!(lines, ["  漢字    one two  x", "          three"]);
    }
}
