//! Characters that nobody sees: what models read and people do not.

use std::ops::RangeInclusive;

/// Characters that show nothing of themselves, each range with what it could be used for.
///
/// Spaces and line breaks of any width are not among them: they part words. Two kinds have honest uses beside others,
/// and stay there: see [`stays`].
const INVISIBLE: &[(RangeInclusive<char>, &str)] = &[
    ('\u{0}'..='\u{8}', "controls: nothing in texts, cut strings short in some readers"),
    ('\u{b}'..='\u{b}', "vertical tab: nothing in texts"),
    ('\u{e}'..='\u{1f}', "controls, escape among them: terminals hide what follows"),
    ('\u{7f}'..='\u{84}', "delete and controls"),
    // U+0085 breaks lines.
    ('\u{86}'..='\u{9f}', "controls, one of which begins a terminal's sequences"),
    ('\u{ad}'..='\u{ad}', "soft hyphen: parts a word unseen"),
    ('\u{34f}'..='\u{34f}', "grapheme joiner: shows nothing"),
    ('\u{61c}'..='\u{61c}', "Arabic letter mark: turns the direction"),
    ('\u{115f}'..='\u{1160}', "Hangul fillers: letters without a shape"),
    ('\u{17b4}'..='\u{17b5}', "Khmer vowels without a shape"),
    ('\u{180b}'..='\u{180f}', "Mongolian selectors: an alphabet of unseen signs"),
    ('\u{200b}'..='\u{200f}', "zero width: space, joiners, marks of direction"),
    ('\u{202a}'..='\u{202e}', "bidirectional: shows another order than is read"),
    ('\u{2060}'..='\u{206f}', "word joiner, unseen operators, isolates, deprecated formats"),
    ('\u{3164}'..='\u{3164}', "Hangul filler: a letter without a shape"),
    ('\u{fe00}'..='\u{fe0f}', "variation selectors: sixteen signs that carry any bytes"),
    ('\u{feff}'..='\u{feff}', "zero width no-break space"),
    ('\u{ffa0}'..='\u{ffa0}', "Hangul filler of half width"),
    ('\u{fff0}'..='\u{fffb}', "unassigned, and marks of annotations"),
    ('\u{1bca0}'..='\u{1bca3}', "formats of shorthand"),
    ('\u{1d173}'..='\u{1d17a}', "formats of music"),
    ('\u{e0000}'..='\u{e0fff}', "tags, the ASCII that nobody sees, and 240 more selectors"),
];

/// Whether a text could hold any of them, told by its bytes.
pub(super) fn may_hide(text: &str) -> bool {
    text.bytes().any(|byte| byte >= 0x7f || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0xc | b'\r')))
}

/// Whether nobody sees the character.
pub(super) fn is_invisible(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    let after = INVISIBLE.partition_point(|(range, _)| *range.end() < c);
    INVISIBLE.get(after).is_some_and(|(range, _)| range.contains(&c))
}

/// How many bytes of `text`, which begins with an invisible character, stay for what they do to the sign before them: a
/// joiner in an emoji or between letters of a script that is written with it, the selector of an emoji, the tags of a
/// flag. `before` is the last character that stays, or the one before that is a selector.
pub(super) fn stays(before: Option<char>, text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let (sign, before) = (chars.next()?, before?);
    match sign {
        '\u{200d}' => {
            let next = chars.next()?;
            let emoji = (is_emoji(before) || before == '\u{fe0f}') && is_emoji(next);
            (emoji || (joins(before) && joins(next))).then_some(sign.len_utf8())
        }
        '\u{200c}' => (joins(before) && chars.next().is_some_and(joins)).then_some(sign.len_utf8()),
        '\u{fe0e}' | '\u{fe0f}' => {
            let keycap = matches!(before, '#' | '*' | '0'..='9') && chars.next() == Some('\u{20e3}');
            (is_emoji(before) || is_base(before) || keycap).then_some(sign.len_utf8())
        }
        '\u{e0067}' if before == '\u{1f3f4}' => {
            FLAGS.iter().find(|flag| text.starts_with(**flag)).map(|flag| flag.len())
        }
        _ => None,
    }
}

/// The three flags that are written with tags: England, Scotland, Wales.
const FLAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Pictures, and what changes their skin: the blocks in which they stand.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Signs beside the pictures that are drawn as one under a selector.
fn is_base(c: char) -> bool {
    matches!(c, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | 'Ⓜ' | '〰' | '〽' | '㊗' | '㊙')
}

/// Letters and signs of scripts in which a joiner changes the shape of a word: Arabic and its kin, Mongolian, and those
/// of India and South-East Asia.
fn joins(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{6ff}' | '\u{710}'..='\u{7ff}' | '\u{840}'..='\u{8ff}' | '\u{900}'..='\u{dff}'
        | '\u{f40}'..='\u{fbc}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17d3}'
        | '\u{1820}'..='\u{18aa}' | '\u{1900}'..='\u{1cff}' | '\u{a840}'..='\u{a877}' | '\u{a880}'..='\u{aaff}'
        | '\u{11000}'..='\u{11fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_sorted_and_give_their_reason() {
        assert!(INVISIBLE.windows(2).all(|pair| pair[0].0.end() < pair[1].0.start()));
        assert!(INVISIBLE.iter().all(|(range, why)| range.start() <= range.end() && !why.is_empty()));
    }

    #[test]
    fn what_is_seen() {
        for seen in "aZ0 \t\n\r\u{c}\u{85}\u{a0}\u{2003}\u{2028}\u{3000}äß漢字🦀€\u{301}\u{200}\u{1f1e9}".chars()
        {
            assert!(!is_invisible(seen), "{seen:?}");
        }
        for (range, _) in INVISIBLE {
            assert!(is_invisible(*range.start()) && is_invisible(*range.end()), "{range:?}");
        }
        for c in ('\0'..=char::MAX).filter(|c| is_invisible(*c)) {
            assert!(may_hide(&c.to_string()), "{c:?}");
        }
    }
}
