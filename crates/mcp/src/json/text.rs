//! Strings: escapes undone and done, and keys that some decoders hold for equal.

use std::borrow::Cow;
use std::fmt::Write;

/// Undoes the escapes of what stands between the quotes of a string the scanner has passed.
pub(crate) fn unescape(inner: &str, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut following = after.chars();
        let letter = following.next().unwrap_or_default();
        rest = following.as_str();
        match letter {
            'b' => plain.push('\u{8}'),
            'f' => plain.push('\u{c}'),
            'n' => plain.push('\n'),
            'r' => plain.push('\r'),
            't' => plain.push('\t'),
            'u' => {
                let (unit, behind) = unit(rest);
                rest = behind;
                let low = rest.strip_prefix("\\u").filter(|_| (0xd800..0xdc00).contains(&unit));
                if let Some(low) = low {
                    let (second, behind) = self::unit(low);
                    rest = behind;
                    plain.extend(char::decode_utf16([unit, second]).map(|unit| unit.unwrap_or('\u{fffd}')));
                } else {
                    plain.extend(char::decode_utf16([unit]).map(|unit| unit.unwrap_or('\u{fffd}')));
                }
            }
            other => plain.push(other),
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Four hexadecimal digits and what follows them.
fn unit(text: &str) -> (u16, &str) {
    let (digits, rest) = text.split_at_checked(4).unwrap_or((text, ""));
    (u16::from_str_radix(digits, 16).unwrap_or(0), rest)
}

/// The text of a JSON string literal, quotes included; `None` if `literal` is none.
#[must_use]
pub fn unquote(literal: &str) -> Option<Cow<'_, str>> {
    let mut scanner = super::Scanner::new(literal);
    (scanner.at() == 0 && scanner.peek() == Some(b'"')).then_some(())?;
    let quoted = scanner.string().ok()?;
    (quoted.outer().end() == literal.len()).then(|| scanner.decode(quoted))
}

/// The text as a JSON string literal, with the fewest escapes JSON allows.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    quote_into(text, &mut literal);
    literal
}

/// Appends the text as a JSON string literal, with the fewest escapes JSON allows.
pub fn quote_into(text: &str, out: &mut String) {
    out.push('"');
    for part in text.split_inclusive(|character| matches!(character, '"' | '\\' | '\0'..='\u{1f}')) {
        let mut before = part.chars();
        let escape = match before.next_back() {
            Some('"') => "\\\"",
            Some('\\') => "\\\\",
            Some('\u{8}') => "\\b",
            Some('\u{c}') => "\\f",
            Some('\n') => "\\n",
            Some('\r') => "\\r",
            Some('\t') => "\\t",
            Some(control @ '\0'..='\u{1f}') => {
                out.push_str(before.as_str());
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
                continue;
            }
            _ => {
                out.push_str(part);
                continue;
            }
        };
        out.push_str(before.as_str());
        out.push_str(escape);
    }
    out.push('"');
}

/// Whether a lenient decoder could take `key` for `known`, which must be plain ASCII: equal without surrounding space
/// and controls, and without regard to case. Go's decoder folds the long s and the Kelvin sign as well.
pub(crate) fn folds_to(key: &str, known: &str) -> bool {
    let ignored = |character: char| character.is_whitespace() || character.is_control() || character == '\u{feff}';
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.trim_matches(ignored).chars().map(fold).eq(known.chars().map(fold))
}
