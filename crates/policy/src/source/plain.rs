//! The same text as plain JSON.

/// The bytes of `text` with comments and trailing commas replaced by spaces, so that every offset stays what it was.
pub(super) fn plain(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    // The last comma with nothing but white space and comments after it.
    let mut comma = None;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at.saturating_add(1)).copied();
        at = match (byte, next) {
            (b'"', _) => {
                comma = None;
                end_of_string(&bytes, at)
            }
            (b'/', Some(b'/')) => blank(&mut bytes, at, |rest| rest.iter().position(|&byte| byte == b'\n')),
            (b'/', Some(b'*')) => blank(&mut bytes, at, |rest| {
                let inside = rest.get(2..)?;
                inside.windows(2).position(|pair| pair == b"*/").map(|end| end.saturating_add(4))
            }),
            (b']' | b'}', _) => {
                if let Some(place) = comma.take().and_then(|comma: usize| bytes.get_mut(comma)) {
                    *place = b' ';
                }
                at.saturating_add(1)
            }
            (b',', _) => {
                comma = Some(at);
                at.saturating_add(1)
            }
            (b' ' | b'\t' | b'\n' | b'\r', _) => at.saturating_add(1),
            _ => {
                comma = None;
                at.saturating_add(1)
            }
        };
    }
    bytes
}

/// The byte after the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start.saturating_add(1);
    while let Some(byte) = bytes.get(at) {
        at = at.saturating_add(match byte {
            b'"' => return at.saturating_add(1),
            b'\\' => 2,
            _ => 1,
        });
    }
    bytes.len()
}

/// Replaces a comment by spaces, line breaks kept; returns the byte after it.
fn blank(bytes: &mut [u8], start: usize, end: impl Fn(&[u8]) -> Option<usize>) -> usize {
    let Some(rest) = bytes.get_mut(start..) else { return bytes.len() };
    let length = end(rest).unwrap_or(rest.len());
    for byte in rest.iter_mut().take(length).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
    start.saturating_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_become_spaces() {
        for (text, expected) in [
            ("[1, 2]", "[1, 2]"),
            ("[1, 2,]", "[1, 2 ]"),
            ("[1, 2, /* x */ ]", "[1, 2          ]"),
            ("{\"a\": 1, // x\n}", "{\"a\": 1      \n}"),
            ("[\"// , ]\", \"\\\"/*\"]", "[\"// , ]\", \"\\\"/*\"]"),
            ("[,]", "[ ]"),
            ("[1,,]", "[1, ]"),
            ("/*", "  "),
            ("/**/1", "    1"),
            ("/*/ 1", "     "),
            ("\"\\", "\"\\"),
        ] {
            assert_eq!(String::from_utf8(plain(text)).unwrap(), expected, "{text}");
        }
    }
}
