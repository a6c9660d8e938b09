//! The paths of a call's argument keys, without a single value.

use std::borrow::Cow;

use crate::encode;

/// Most paths in a record.
const MOST_PATHS: usize = 64;
/// Most values that are looked at, so that a long array costs no more than a short one.
const MOST_VALUES: usize = 256;
/// Longest path, in bytes.
const LONGEST: usize = 256;
/// Deepest nesting that is followed.
const DEEPEST: usize = 128;

/// Appends the paths of all keys in `json` (an object that has been parsed strictly before) as a
/// JSON array of strings: those that lead to a scalar or to something empty. Elements of an array
/// share the path `[*]`. Text that is no JSON ends the list where it stops being JSON.
pub(crate) fn write(json: &str, out: &mut Vec<u8>) {
    out.push(b'[');
    let mut paths = Paths { from: out.len(), out, path: String::new(), written: 0, seen: 0, whole: true };
    paths.walk(json);
    let whole = paths.whole;
    if !whole {
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        encode::string(out, "…");
    }
    out.push(b']');
}

struct Paths<'a> {
    out: &'a mut Vec<u8>,
    /// Where the list begins in `out`.
    from: usize,
    /// The path of the value at hand.
    path: String,
    written: usize,
    seen: usize,
    /// Whether everything has been looked at.
    whole: bool,
}

/// An object or array that is open, and the length of its own path.
struct Open {
    array: bool,
    path: usize,
}

impl Paths<'_> {
    fn walk(&mut self, json: &str) {
        let mut open: Vec<Open> = Vec::new();
        let mut rest = json.trim_ascii_start();
        loop {
            // A value begins here.
            let Some(first) = rest.bytes().next() else {
                return;
            };
            match first {
                b'{' | b'[' => {
                    if open.len() == DEEPEST {
                        self.whole = false;
                        return;
                    }
                    open.push(Open { array: first == b'[', path: self.path.len() });
                    rest = after(rest, 1).trim_ascii_start();
                    if rest.starts_with(if first == b'{' { '}' } else { ']' }) {
                        self.leaf();
                    } else if first == b'[' {
                        self.path.push_str("[*]");
                        continue;
                    } else if let Some(value) = self.key(rest, &open) {
                        rest = value;
                        continue;
                    } else {
                        return;
                    }
                }
                b'"' => {
                    self.leaf();
                    rest = after(rest, string_len(rest));
                }
                _ => {
                    self.leaf();
                    rest = rest.trim_start_matches(|c: char| !matches!(c, ',' | '}' | ']') && !c.is_ascii_whitespace());
                }
            }
            // A value has ended: close what closes, then go on to the next one.
            loop {
                if !self.whole {
                    return;
                }
                rest = rest.trim_ascii_start();
                let Some(inner) = open.last() else { return };
                if rest.starts_with(if inner.array { ']' } else { '}' }) {
                    self.path.truncate(inner.path);
                    open.pop();
                    rest = after(rest, 1);
                } else if rest.starts_with(',') {
                    let array = inner.array;
                    rest = after(rest, 1).trim_ascii_start();
                    if !array {
                        let Some(value) = self.key(rest, &open) else {
                            return;
                        };
                        rest = value;
                    }
                    break;
                } else {
                    return;
                }
            }
        }
    }

    /// Reads a key, puts it on the path of the object that is open, and returns the text from the
    /// value on.
    fn key<'t>(&mut self, text: &'t str, open: &[Open]) -> Option<&'t str> {
        self.path.truncate(open.last()?.path);
        let length = string_len(text);
        let quoted = text.get(..length)?;
        // With escapes undone, so that a key has one spelling here.
        let key: Cow<'_, str> = match quoted.strip_prefix('"')?.strip_suffix('"')? {
            escaped if escaped.contains('\\') => serde_json::from_str::<String>(quoted).ok()?.into(),
            plain => plain.into(),
        };
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !key.is_empty() && key.bytes().all(bare) {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(&key);
        } else {
            self.path.push_str("[\"");
            for character in key.chars() {
                if matches!(character, '"' | '\\') {
                    self.path.push('\\');
                }
                self.path.push(character);
            }
            self.path.push_str("\"]");
        }
        Some(after(text, length).trim_ascii_start().strip_prefix(':')?.trim_ascii_start())
    }

    fn leaf(&mut self) {
        self.seen += 1;
        if self.seen > MOST_VALUES {
            self.whole = false;
            return;
        }
        if self.path.is_empty() {
            return;
        }
        let start = self.out.len();
        if self.written > 0 {
            self.out.push(b',');
        }
        let text_start = self.out.len();
        if self.path.len() > LONGEST {
            let end = self.path.floor_char_boundary(LONGEST);
            let mut cut = self.path.get(..end).unwrap_or_default().to_owned();
            cut.push('…');
            encode::string(self.out, &cut);
        } else {
            encode::string(self.out, &self.path);
        }
        // The same path again can only come from another element of an array, or by being cut.
        let known = self.path.contains("[*]") || self.path.len() > LONGEST;
        if known && contains(self.out.get(self.from..start), self.out.get(text_start..)) {
            self.out.truncate(start);
        } else if self.written == MOST_PATHS {
            self.out.truncate(start);
            self.whole = false;
        } else {
            self.written += 1;
        }
    }
}

/// Whether one of the quoted texts in `list` is `text`. Quotation marks within are escaped, so
/// that a match is a whole text.
fn contains(list: Option<&[u8]>, text: Option<&[u8]>) -> bool {
    let (Some(list), Some(text)) = (list, text) else {
        return false;
    };
    !text.is_empty() && list.windows(text.len()).any(|window| window == text)
}

fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

/// Length of the JSON string at the start of `text`, with both quotation marks.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(json: &str) -> Vec<String> {
        let mut out = Vec::new();
        write(json, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn finds_keys_and_no_values() {
        let cases: &[(&str, &[&str])] = &[
            ("{}", &[]),
            (r#"{"to":"bob@example.com","n": 12 , "ok":true,"x":null}"#, &["to", "n", "ok", "x"]),
            (r#"{"a":{"b":{"c":1},"d":"}"},"e":[]}"#, &["a.b.c", "a.d", "e"]),
            (
                r#"{"items":[{"p":1,"q":"x"},{"p":2},{"r":[1,[2]]}]}"#,
                &["items[*].p", "items[*].q", "items[*].r[*]", "items[*].r[*][*]"],
            ),
            (
                r#"{"any key":1,"":2,"a\"b":3,"\u0061":4,"sec\\ret":{"x":1}}"#,
                &["[\"any key\"]", "[\"\"]", "[\"a\\\"b\"]", "a", "[\"sec\\\\ret\"].x"],
            ),
            (r#"{"a":"\\","b":"\"c\":1"}"#, &["a", "b"]),
            (" { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", &["a[*]", "b"]),
            (r#"{"a":1,"#, &["a"]),
            ("\"just text\"", &[]),
            ("", &[]),
        ];
        for (json, expected) in cases {
            assert_eq!(paths(json), *expected, "{json}");
        }
    }

    #[test]
    fn is_bounded() {
        let many: Vec<String> = (0..1000).map(|n| format!("\"k{n}\":1")).collect();
        let found = paths(&format!("{{{}}}", many.join(",")));
        assert_eq!((found.len(), found.last().unwrap().as_str()), (MOST_PATHS + 1, "…"));

        let found = paths(&format!("{{\"a\":[{}1]}}", "1,".repeat(100_000)));
        assert_eq!(found, ["a[*]", "…"]);

        let found = paths(&format!("{{\"{}\":1}}", "x".repeat(5000)));
        assert_eq!(found.len(), 1);
        assert!(found[0].len() < 300);

        let deep = format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500));
        assert_eq!(paths(&deep), ["…"]);
    }
}
