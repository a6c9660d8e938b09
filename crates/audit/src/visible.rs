//! What a reader sees: which characters are plain, and how all others are written out.
//!
//! Names and reasons come from agents and servers. A terminal obeys control characters, and a
//! reader cannot see bidirectional overrides, zero-width characters or odd spaces, so none of
//! them is ever written raw, neither into the file nor to a terminal.

use std::fmt::Write;

/// Ranges outside ASCII that are not plain: C1 controls, every space but U+0020, line and
/// paragraph separators, format characters that show nothing, default-ignorable code points,
/// variation selectors, blank letters, private use and noncharacters. Sorted, inclusive.
const UNSEEN: &[(u32, u32)] = &[
    (0x7f, 0xa0),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x600, 0x605),
    (0x61c, 0x61c),
    (0x6dd, 0x6dd),
    (0x70f, 0x70f),
    (0x890, 0x891),
    (0x8e2, 0x8e2),
    (0x115f, 0x1160),
    (0x1680, 0x1680),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x2000, 0x200f),
    (0x2028, 0x202f),
    (0x205f, 0x206f),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0x3164, 0x3164),
    (0xd800, 0xf8ff),
    (0xfdd0, 0xfdef),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffc),
    (0xfffe, 0xffff),
    (0x1_10bd, 0x1_10bd),
    (0x1_10cd, 0x1_10cd),
    (0x1_3430, 0x1_345f),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0x1_fffe, 0x1_ffff),
    (0x2_fffe, 0x2_ffff),
    (0x3_fffe, 0x10_ffff),
];

/// Longest text in a column, in characters; the rest becomes `…`.
const WIDEST: usize = 160;

/// Whether a reader sees this character as what it is. The space U+0020 is plain.
pub fn is_plain(character: char) -> bool {
    let code = u32::from(character);
    if code < 0x7f {
        return code >= 0x20;
    }
    let after = UNSEEN.partition_point(|(_, last)| *last < code);
    UNSEEN.get(after).is_none_or(|(first, _)| code < *first)
}

/// The text for a reader: what is not plain becomes `\u{202e}`, `\n`, `\r` or `\t`, a backslash
/// becomes `\\`, so that no two texts look alike for that reason. At most 160 characters are kept.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    for character in rest.by_ref().take(WIDEST) {
        push(&mut out, character);
    }
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

/// [`shown`], in quotation marks unless it is one bare word, so that a text with spaces cannot
/// pass for several columns, nor one with an equals sign for a column of its own.
pub fn word(text: &str) -> String {
    let bare = |c: char| is_plain(c) && !matches!(c, ' ' | '"' | '\\' | '=' | '…');
    if !text.is_empty() && text.chars().all(bare) {
        return shown(text);
    }
    format!("\"{}\"", shown(text).replace('"', "\\\""))
}

fn push(out: &mut String, character: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        plain if is_plain(plain) => out.push(plain),
        // Writing to a string cannot fail.
        unseen => _ = write!(out, "\\u{{{:x}}}", u32::from(unseen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_sorted() {
        assert!(UNSEEN.windows(2).all(|pair| pair[0].1 < pair[1].0 && pair[0].0 <= pair[0].1));
    }

    #[test]
    fn plain_is_what_is_seen() {
        for seen in "aZ09 ~äß漢字🦀€…—é".chars() {
            assert!(is_plain(seen), "{seen:?}");
        }
        for unseen in "\0\n\r\t\u{1b}\u{7f}\u{9b}\u{a0}\u{ad}\u{200b}\u{200f}\u{202e}\u{2028}\u{2066}\u{2069}\u{3000}\u{feff}\u{fe0f}\u{e0041}\u{e000}\u{10ffff}".chars() {
            assert!(!is_plain(unseen), "{unseen:?}");
        }
    }

    #[test]
    fn a_word_is_one_column() {
        let cases = [
            ("read_file", "read_file"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a\nb", "\"a\\nb\""),
            ("say \"x\"", "\"say \\\"x\\\"\""),
            ("C:\\x", "\"C:\\\\x\""),
            ("grant=x", "\"grant=x\""),
            ("\u{202e}abc", "\"\\u{202e}abc\""),
            ("\\u{202e}", "\"\\\\u{202e}\""),
        ];
        for (text, expected) in cases {
            assert_eq!(word(text), expected);
        }
        assert_eq!(shown(&"x".repeat(200)).chars().count(), WIDEST + 1);
    }
}
