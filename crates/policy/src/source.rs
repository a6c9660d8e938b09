//! The document as JSON with positions: syntax, duplicate keys, depth and numbers are judged here, meaning is not.

mod plain;

use std::collections::HashMap;
use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::diagnostic::{Code, Diagnostic};

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// One JSON value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) range: Range<usize>,
    pub(crate) value: Value,
}

/// A JSON value. Numbers keep their text.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_range: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// The JSON type, with its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member of an object; `None` also where this is none.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_object()?.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// The value as plain JSON text.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(text) => out.push_str(text),
            Value::String(text) => quote(text, out),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote(&member.key, out);
                    out.push(':');
                    member.value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Parses `text`. `None` when there is no value to go on with; every finding is in `diagnostics`.
pub(crate) fn parse(text: &str, comments_allowed: bool, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    if text.len() > MAX_BYTES {
        let message = format!("the document has {} bytes, more than {MAX_BYTES}", text.len());
        diagnostics.push(Diagnostic::new(Code::TooLarge, 0..0, message));
        return None;
    }
    if text.starts_with('\u{feff}') {
        let found = Diagnostic::new(Code::Syntax, 0..3, "the document begins with a byte order mark");
        diagnostics.push(found.help("save it as UTF-8 without a byte order mark"));
        return None;
    }
    let options = ParseOptions {
        allow_comments: comments_allowed,
        allow_loose_object_property_names: false,
        allow_trailing_commas: comments_allowed,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => parsed,
        Err(error) => {
            let range = error.range();
            diagnostics.push(syntax(error.kind(), range.start..range.end));
            return None;
        }
    };
    let Some(root) = parsed.value else {
        let found = Diagnostic::new(Code::Syntax, 0..text.len(), "the document is empty");
        diagnostics.push(found.help("the smallest policy is `{ \"version\": \"1\", \"default\": \"deny\" }`"));
        return None;
    };
    let mut reading = Reading { text, diagnostics, too_deep: false };
    let root = reading.node(&root, 1);
    check_strictly(text, comments_allowed, diagnostics);
    Some(root)
}

/// The parser above finds positions and lets some things pass that are not JSON; the strict one says so.
fn check_strictly(text: &str, comments_allowed: bool, diagnostics: &mut Vec<Diagnostic>) {
    let checked =
        if comments_allowed { mcp::json::check(&plain::plain(text)) } else { mcp::json::check(text.as_bytes()) };
    // What was said already, about a key, a number or a string, is not said twice.
    if let Err(error) = checked
        && diagnostics.is_empty()
    {
        let end = text.get(error.offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let range = error.offset..error.offset.saturating_add(end);
        diagnostics.push(Diagnostic::new(Code::Syntax, range, format!("this is not JSON: {error}")));
    }
}

fn syntax(kind: &ParseErrorKind, range: Range<usize>) -> Diagnostic {
    match kind {
        ParseErrorKind::CommentsNotAllowed => {
            Diagnostic::new(Code::Comments, range, "comments are accepted in files only, not here")
                .help("remove the comment, or put the text into `description`")
        }
        ParseErrorKind::TrailingCommasNotAllowed => Diagnostic::new(
            Code::Comments,
            range.clone(),
            "trailing commas are accepted in files only, not here",
        )
        .fix(range, "", "remove the comma"),
        ParseErrorKind::ExpectedComma => {
            Diagnostic::new(Code::Syntax, range.clone(), "expected a comma").fix(range, ",", "put a comma here")
        }
        ParseErrorKind::NestingDepthExceeded => {
            Diagnostic::new(Code::TooLarge, range, format!("nested more than {MAX_DEPTH} deep"))
        }
        ParseErrorKind::SingleQuotedStringsNotAllowed => {
            Diagnostic::new(Code::Syntax, range, "strings are written with `\"`, not with `'`")
        }
        ParseErrorKind::ExpectedStringObjectProperty => {
            Diagnostic::new(Code::Syntax, range, "names of fields are written in quotes")
        }
        other => {
            let message = other.to_string();
            let mut characters = message.chars();
            let lowered: String =
                characters.next().into_iter().flat_map(char::to_lowercase).chain(characters).collect();
            Diagnostic::new(Code::Syntax, range, lowered)
        }
    }
}

struct Reading<'a> {
    text: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
    too_deep: bool,
}

impl Reading<'_> {
    fn node(&mut self, value: &ast::Value<'_>, depth: usize) -> Node {
        let range = value.range();
        let range = range.start..range.end;
        if depth > MAX_DEPTH {
            // Said once: everything inside is as deep.
            if !self.too_deep {
                let message = format!("nested more than {MAX_DEPTH} deep");
                self.diagnostics.push(Diagnostic::new(Code::TooLarge, range.clone(), message));
            }
            self.too_deep = true;
            return Node { range, value: Value::Null };
        }
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::NumberLit(literal) => {
                self.check_number(literal.value, &range);
                Value::Number(literal.value.to_owned())
            }
            ast::Value::StringLit(literal) => {
                self.check_string(&range);
                Value::String(literal.value.clone().into_owned())
            }
            ast::Value::Array(array) => {
                Value::Array(array.elements.iter().map(|element| self.node(element, depth.saturating_add(1))).collect())
            }
            ast::Value::Object(object) => self.object(object, depth),
        };
        Node { range, value }
    }

    fn object(&mut self, object: &ast::Object<'_>, depth: usize) -> Value {
        let mut first: HashMap<&str, Range<usize>> = HashMap::new();
        let mut members = Vec::with_capacity(object.properties.len());
        for property in &object.properties {
            let key = property.name.as_str();
            let key_range = property.name.range();
            let key_range = key_range.start..key_range.end;
            self.check_string(&key_range);
            if let Some(earlier) = first.get(key) {
                self.diagnostics.push(
                    Diagnostic::new(Code::DuplicateKey, key_range, format!("the key `{}` occurs twice", shown(key)))
                        .label("again here")
                        .also(earlier.clone(), "first here")
                        .help("readers of JSON differ on which of the two counts: keep one"),
                );
                continue;
            }
            first.insert(key, key_range.clone());
            let value = self.node(&property.value, depth.saturating_add(1));
            members.push(Member { key: key.to_owned(), key_range, value });
        }
        Value::Object(members)
    }

    /// JSON has no control characters inside strings; the parser lets them pass.
    fn check_string(&mut self, range: &Range<usize>) {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        if let Some((at, _)) = raw.char_indices().find(|&(_, character)| character < ' ') {
            let at = range.start.saturating_add(at);
            let found = Diagnostic::new(Code::Syntax, at..at.saturating_add(1), "a control character inside a string");
            self.diagnostics.push(found.help("write it as an escape such as `\\n`"));
        }
    }

    fn check_number(&mut self, literal: &str, range: &Range<usize>) {
        if let Err(error) = mcp::json::check(literal.as_bytes()) {
            // The place in the number is where the finding points anyway.
            let error = error.to_string();
            let what = error.split_once(" at byte").map_or(error.as_str(), |(what, _)| what);
            let message = format!("the number `{}` cannot be used: {what}", shown(literal));
            let found = Diagnostic::new(Code::Number, range.clone(), message);
            self.diagnostics
                .push(found.help("numbers have at most 64 digits, an exponent within ±400 and a finite value"));
        }
    }
}

/// A name as messages show it: cut, and without characters that do not show.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| if c.is_control() || is_invisible(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if text.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

/// Characters that change how text around them is shown, or that do not show at all.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_and_reading_again_changes_nothing() {
        for text in [
            "null",
            "[1, 1.50, -0, 1e2, 12345678901234567890]",
            r#"{ "a": [true, false, null], "b\n\"\\": "\u00e9\ud83d\ude00\u0001", "": {} }"#,
        ] {
            let read = |text: &str| {
                let mut found = Vec::new();
                let node = parse(text, true, &mut found).unwrap();
                assert_eq!(found, [], "{text}");
                node.to_json()
            };
            let printed = read(text);
            assert_eq!(read(&printed), printed);
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&printed), value(text));
        }
    }
}
