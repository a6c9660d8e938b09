//! Texts inside a message, each looked at once and replaced where it must be.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Error, Fault, Quoted, Scanner, quote, splice};

/// A token that can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'t> {
    /// The key of a member, escapes undone.
    Key(&'t str),
    /// A string that is a value, escapes undone.
    String(&'t str),
    /// A number, as it is written.
    Number(&'t str),
}

/// Shows every key, string and number to `replace`, together with the keys that lead to it (an array adds an empty one;
/// the key of a member is not among its own), and puts the text that it gives in the token's place, as a string. `None`
/// leaves the token as it is, byte for byte; the whole is `None` when nothing was replaced.
///
/// Keys of one object stay different: where two would become one, the later ones get a number.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn rewrite(
    raw: &str,
    mut replace: impl FnMut(&[Cow<'_, str>], Token<'_>) -> Option<String>,
) -> Result<Option<String>, Error> {
    let mut scanner = Scanner::new(raw);
    let mut walk = Walk { path: Vec::new(), edits: Vec::new(), replace: &mut replace };
    walk.value(&mut scanner, 0)?;
    scanner.end()?;
    let edits = walk.edits;
    if edits.is_empty() {
        return Ok(None);
    }
    let literals: Vec<_> = edits.iter().map(|(range, text)| (range.clone(), text.as_str())).collect();
    Ok(splice(raw, &literals))
}

/// One step on the way to a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Key(&'static str),
    /// Every element of an array.
    Each,
}

/// Replaces the strings at the end of `paths` by what `replace` makes of them, as [`rewrite`] does.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn replace_strings(
    raw: &str,
    paths: &[&[Step]],
    mut replace: impl FnMut(&str) -> Option<String>,
) -> Result<Option<String>, Error> {
    let leads_to = |way: &[Cow<'_, str>], path: &[Step]| {
        way.len() == path.len()
            && way.iter().zip(path).all(|(key, step)| match step {
                Step::Key(name) => key == name,
                Step::Each => key.is_empty(),
            })
    };
    rewrite(raw, |way, token| match token {
        Token::String(text) if paths.iter().any(|path| leads_to(way, path)) => replace(text),
        _ => None,
    })
}

struct Walk<'a, 'f, F> {
    path: Vec<Cow<'a, str>>,
    /// What goes where, as literals.
    edits: Vec<(Range<usize>, String)>,
    replace: &'f mut F,
}

impl<'a, F: FnMut(&[Cow<'_, str>], Token<'_>) -> Option<String>> Walk<'a, '_, F> {
    fn value(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), Fault> {
        match scanner.peek() {
            Some(b'"') => {
                let quoted = scanner.string()?;
                if let Some(text) = (self.replace)(&self.path, Token::String(&scanner.decode(quoted))) {
                    self.edits.push((quoted.outer().range(), quote(&text)));
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let span = scanner.number()?;
                if let Some(text) = (self.replace)(&self.path, Token::Number(span.of(scanner.text()))) {
                    self.edits.push((span.range(), quote(&text)));
                }
            }
            Some(b'{') => self.object(scanner, depth)?,
            Some(b'[') => {
                self.path.push(Cow::Borrowed(""));
                scanner.array(depth, |scanner| self.value(scanner, depth + 1))?;
                self.path.pop();
            }
            _ => drop(scanner.skip(depth)?),
        }
        Ok(())
    }

    fn object(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), Fault> {
        let mut kept: Vec<Quoted> = Vec::new();
        let mut renamed: Vec<(Quoted, String)> = Vec::new();
        scanner.object(depth, |scanner, key| {
            let name = scanner.decode(key);
            match (self.replace)(&self.path, Token::Key(&name)) {
                Some(text) => renamed.push((key, text)),
                None => kept.push(key),
            }
            self.path.push(name);
            self.value(scanner, depth + 1)?;
            self.path.pop();
            Ok(())
        })?;
        if renamed.is_empty() {
            return Ok(());
        }
        let mut taken: HashSet<Cow<'_, str>> = kept.into_iter().map(|key| scanner.decode(key)).collect();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for (key, text) in renamed {
            let mut name = text.clone();
            while taken.contains(name.as_str()) {
                let number = numbers.entry(text.clone()).or_insert(1);
                *number += 1;
                name = format!("{text} {number}");
            }
            self.edits.push((key.outer().range(), quote(&name)));
            taken.insert(Cow::Owned(name));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout(raw: &str) -> Option<String> {
        let replace = |_: &[Cow<'_, str>], token: Token<'_>| match token {
            Token::Key(text) | Token::String(text) => text.contains("low").then(|| "LOUD".to_owned()),
            Token::Number(text) => (text == "7").then(|| "seven".to_owned()),
        };
        rewrite(raw, replace).unwrap()
    }

    #[test]
    fn what_is_not_replaced_keeps_every_byte() {
        for (raw, expected) in [
            (r#"{ "a" : "\u0041", "b": [1e0, null,true] }"#, None),
            (r#"{ "a" : "a l\u006fw one" , "b":"\u0042"}"#, Some(r#"{ "a" : "LOUD" , "b":"\u0042"}"#)),
            (r#"[7, 70, "7"]"#, Some(r#"["seven", 70, "7"]"#)),
            (r#""low""#, Some(r#""LOUD""#)),
            (r#"{"low 1":1,"low 2":{"low":7}}"#, Some(r#"{"LOUD":1,"LOUD 2":{"LOUD":"seven"}}"#)),
            // A key that was there already keeps its name, wherever it stands.
            (r#"{"low":1,"LOUD":2,"LOUD 2":3,"xlow":4}"#, Some(r#"{"LOUD 3":1,"LOUD":2,"LOUD 2":3,"LOUD 4":4}"#)),
        ] {
            assert_eq!(shout(raw).as_deref(), expected, "{raw}");
        }
        assert!(rewrite("{\"a\":1,\"a\":2}", |_, _| None).is_err());
    }

    #[test]
    fn the_path_leads_to_the_token() {
        let mut seen = Vec::new();
        rewrite(r#"{"a":[{"b":"x"},2],"c":{"d":3}}"#, |path, token| {
            seen.push(format!("{}: {token:?}", path.join("/")));
            None
        })
        .unwrap();
        let expected = [
            r#": Key("a")"#,
            r#"a/: Key("b")"#,
            r#"a//b: String("x")"#,
            r#"a/: Number("2")"#,
            r#": Key("c")"#,
            r#"c: Key("d")"#,
            r#"c/d: Number("3")"#,
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn strings_at_given_places() {
        const URIS: &[&[Step]] = &[&[Step::Key("a"), Step::Each, Step::Key("uri")], &[Step::Key("uri")]];
        let replaced = |raw| replace_strings(raw, URIS, |uri| (uri != "kept").then(|| format!("x+{uri}"))).unwrap();
        let raw = r#"{ "uri":"u","a":[{"uri":"v", "b":{"uri":"w"}},{"uri":"kept"},{"uri":1}],"b":["uri"]}"#;
        let expected = r#"{ "uri":"x+u","a":[{"uri":"x+v", "b":{"uri":"w"}},{"uri":"kept"},{"uri":1}],"b":["uri"]}"#;
        assert_eq!(replaced(raw).as_deref(), Some(expected));
        assert_eq!(replaced(r#"{"a":{"uri":"v"}}"#), None);
    }

    /// A hundred thousand keys that all become one cost no square.
    #[test]
    fn many_keys_become_one() {
        let raw: Vec<String> = (0..100_000).map(|number| format!("\"low{number}\":0")).collect();
        let edited = shout(&format!("{{{}}}", raw.join(","))).unwrap();
        assert_eq!(super::super::parse(&edited).unwrap().as_object().unwrap().len(), 100_000);
    }
}
