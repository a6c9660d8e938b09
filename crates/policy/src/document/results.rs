//! Reading `results`.

use std::sync::Arc;

use crate::condition::expression;
use crate::diagnostic::{Code, Diagnostic};
use crate::results::{self, Cap, Detector, GREATEST_CAP, LEAST_CAP, LONGEST_MATCH, MOST_ENTRIES, Own, Results};
use crate::rule_id::RuleId;
use crate::source::{Node, Value, shown};
use crate::suggest::nearest;

use super::reader::{Reader, listed};

const FIELDS: &[&str] = &["max_bytes", "redact", "strip_invisible"];
const OWN_FIELDS: &[&str] = &["name", "pattern"];

impl Reader {
    pub(super) fn results(&mut self, node: &Node) -> Option<Results> {
        let fields = self.fields(node, "`results`", FIELDS, &[])?;
        let errors = self.errors();
        let mut read = Results { observed: self.observed, ..Results::default() };
        if let Some(node) = fields.get("max_bytes") {
            let bytes = self.integer(node, "`max_bytes`", LEAST_CAP, GREATEST_CAP);
            let rule = Arc::new(RuleId::new("/results/max_bytes", "/results/max_bytes"));
            read.cap = bytes.map(|bytes| Cap { bytes, rule });
        }
        if let Some(node) = fields.get("redact") {
            self.redact(node, &mut read);
        }
        if let Some(node) = fields.get("strip_invisible") {
            read.strip_invisible = self.boolean(node, "`strip_invisible`").unwrap_or(false);
        }
        let says_nothing = FIELDS.iter().all(|name| !fields.has(name))
            || (read.cap.is_none() && !read.strip_invisible && read.detectors.is_empty() && read.own.is_empty());
        // What cannot be read was meant to have one.
        if says_nothing && self.errors() == errors {
            let found = Diagnostic::new(Code::NoEffect, fields.opening(), "`results` has no effect as it stands");
            self.report(found.help("name what is to be done: `max_bytes`, `redact` or `strip_invisible`"));
        }
        Some(read)
    }

    fn redact(&mut self, node: &Node, read: &mut Results) {
        let Some(items) = self.array(node, "`redact`") else { return };
        if items.len() > MOST_ENTRIES {
            let message = format!("`redact` may have at most {MOST_ENTRIES} entries");
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
            return;
        }
        for item in items {
            match &item.value {
                Value::String(name) => self.detector(item, name, read),
                Value::Object(_) => self.own_pattern(item, read),
                _ => self.wrong_type(item, "an entry of `redact`", "the name of a detector or an object"),
            }
        }
    }

    fn detector(&mut self, node: &Node, name: &str, read: &mut Results) {
        match Detector::named(name) {
            Some(known) if read.detectors.contains(&known) => {
                let message = format!("the detector `{known}` is named twice", known = known.as_str());
                self.report(Diagnostic::new(Code::Combination, node.range.clone(), message));
            }
            Some(known) => read.detectors.push(known),
            None => {
                let names = Detector::ALL.map(Detector::as_str);
                let message = format!("there is no detector `{}`", shown(name));
                let found = Diagnostic::new(Code::UnknownValue, node.range.clone(), message)
                    .label(format!("expected {}", listed(names)));
                let near = nearest(name, names);
                let stands = near.and_then(Detector::named).is_some_and(|near| read.detectors.contains(&near));
                self.report(match near {
                    Some(near) if stands => found.help(format!("`{near}` is named already: remove this one")),
                    Some(near) => {
                        found.fix(node.range.clone(), format!("\"{near}\""), "a detector with a similar name exists")
                    }
                    None => found.help(
                        "for a pattern of your own write `{ \"name\": \"ticket\", \"pattern\": \"TK-[0-9]{6}\" }`",
                    ),
                });
            }
        }
    }

    fn own_pattern(&mut self, node: &Node, read: &mut Results) {
        const WHAT: &str = "a pattern of `redact`";
        let Some(fields) = self.fields(node, WHAT, OWN_FIELDS, &[]) else { return };
        let name = self.required(fields, "name", WHAT, "\"ticket\"");
        let pattern = self.required(fields, "pattern", WHAT, "\"TK-[0-9]{6}\"");
        let name = name.and_then(|node| Some((node, self.string(node, "`name`")?)));
        if let Some((node, name)) = name {
            self.own_name(node, name, read);
        }
        let Some((node, text)) = pattern.and_then(|node| Some((node, self.string(node, "`pattern`")?))) else { return };
        let regex = match expression(text, false) {
            Ok(regex) => regex,
            Err(error) => {
                let mut found = Diagnostic::new(Code::Operand, node.range.clone(), error.message);
                if let Some(help) = error.help {
                    found = found.help(help);
                }
                return self.report(found);
            }
        };
        // It compiled, so it parses.
        let Ok(parsed) = regex_syntax::parse(text) else { return };
        let (least, most) = (parsed.properties().minimum_len(), parsed.properties().maximum_len());
        let fault = match (least, most) {
            (None, _) => Some(("this pattern can match nothing at all", "remove it, or write what is to be found")),
            (Some(0), _) => Some((
                "this pattern matches the empty text, which is everywhere",
                "ask for at least one character, such as `{1,200}` in place of `*`",
            )),
            (_, most) if most.is_none_or(|most| most > LONGEST_MATCH) => Some((
                "a match of this pattern could be longer than 1024 bytes",
                "say how many there are at most, such as `{1,200}` in place of `+`",
            )),
            _ => None,
        };
        if let Some((message, help)) = fault {
            return self.report(Diagnostic::new(Code::Operand, node.range.clone(), message).help(help));
        }
        if let Some((_, name)) = name {
            read.own.push(Own { name: name.to_owned(), regex });
        }
    }

    /// Names stand in marks and in records, so they are plain and tell one thing from another.
    fn own_name(&mut self, node: &Node, name: &str, read: &Results) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let message = "`name` must have 1 to 64 characters of `a` to `z`, `0` to `9`, `_` and `-`";
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
        } else if Detector::named(name).is_some() || results::names().any(|known| known == name) {
            let message = format!("`{name}` is what this build's own detectors find");
            self.report(Diagnostic::new(Code::Combination, node.range.clone(), message).help("choose another name"));
        } else if read.own.iter().any(|own| own.name == name) {
            let message = format!("two patterns of `redact` are called `{name}`");
            self.report(Diagnostic::new(Code::Combination, node.range.clone(), message).help("choose another name"));
        }
    }
}
