//! Texts of servers that cut a character in two.

/// Replaces every half of a surrogate pair (`\ud83d` without its second half) by `\ufffd`, which is as long and is
/// what decoders make of it; `None` when there is none.
///
/// JavaScript servers that shorten a text may cut an emoji, and write what is left of it so. For what agents send
/// this is no help: there such a text is refused, because servers read it in different ways.
///
/// ```
/// use mcp::json::mend_surrogates;
/// assert_eq!(mend_surrogates(br#"["\ud83d"]"#).as_deref(), Some(&br#"["\ufffd"]"#[..]));
/// assert_eq!(mend_surrogates(br#"["\ud83d\ude00", "\\ud83d"]"#), None);
/// ```
#[must_use]
pub fn mend_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let start = at + found;
        at = match (unit(text, start), unit(text, start + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => start + 12,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(half) = mended.get_or_insert_with(|| text.to_vec()).get_mut(start..start + 6) {
                    half.copy_from_slice(br"\ufffd");
                }
                start + 6
            }
            (Some(_), _) => start + 6,
            // Whatever this backslash escapes begins no escape of its own.
            (None, _) => start + 2,
        };
    }
    mended
}

/// The UTF-16 unit of a `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let Some([b'\\', b'u', digits @ ..]) = text.get(at..)?.first_chunk::<6>() else { return None };
    digits.iter().try_fold(0_u16, |unit, digit| {
        let value = u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
        Some(unit << 4 | value)
    })
}

#[cfg(test)]
mod tests {
    use super::mend_surrogates;

    #[test]
    fn halves_are_replaced_and_nothing_else() {
        for (text, mended) in [
            (r#""a\ud83d""#, Some(r#""a\ufffd""#)),
            (r#""\ude00\ud83d""#, Some(r#""\ufffd\ufffd""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\uD83Dx\uDE00""#, Some(r#""\ufffdx\ufffd""#)),
            (r#""\\\ud83d""#, Some(r#""\\\ufffd""#)),
            (r#""\\ud83d \u0041 \n \"""#, None),
            (r#""\ud8"#, None),
            ("\\", None),
            ("", None),
        ] {
            assert_eq!(mend_surrogates(text.as_bytes()).as_deref(), mended.map(str::as_bytes), "{text}");
        }
    }
}
