//! Reading fields of objects: every finding is noted and reading goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::tz::TimeZone;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Member, Node, Value, shown};
use crate::suggest::nearest;

/// A field of the language that this build does not obey, and what it would do.
pub(super) struct NotObeyed {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
}

/// Fields that are easily written in the wrong place, and what to do instead.
const ELSEWHERE: &[(&str, &str)] =
    &[("opens", "it stands in an entry of `classes`; a tool is opened by an entry of `tools` that names it")];

/// The state of reading one document.
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The named arrays. `None` where the value is no array, which was said already.
    pub(super) lists: BTreeMap<String, Option<Node>>,
    pub(super) lists_used: BTreeSet<String>,
    pub(super) zone: TimeZone,
    pub(super) observed: bool,
    /// The servers that the document spans; its patterns then name them.
    pub(super) servers: Option<Vec<Box<str>>>,
}

/// The members of an object whose names were checked.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    pub(super) node: &'n Node,
    members: &'n [Member],
}

impl<'n> Fields<'n> {
    pub(super) fn member(&self, name: &str) -> Option<&'n Member> {
        self.members.iter().find(|member| member.key == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.member(name).map(|member| &member.value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Where to point when something about the whole object is wrong: its opening brace.
    pub(super) fn opening(&self) -> Range<usize> {
        self.node.range.start..self.node.range.start.saturating_add(1)
    }
}

impl Reader {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// How many findings so far let nothing be a policy.
    pub(super) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|found| found.is_error()).count()
    }

    /// The members of an object that may have the `known` fields only. `of` is what the object is, such as "a limit".
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        of: &str,
        known: &[&str],
        not_obeyed: &[NotObeyed],
    ) -> Option<Fields<'n>> {
        let Some(members) = node.as_object() else {
            self.wrong_type(node, of, "an object");
            return None;
        };
        for member in members {
            if known.contains(&member.key.as_str()) {
                continue;
            }
            if let Some(field) = not_obeyed.iter().find(|field| field.name == member.key) {
                self.not_obeyed(&member.key_range, field.name, field.what);
            } else {
                self.unknown_field(member, of, known, members);
            }
        }
        Some(Fields { node, members })
    }

    pub(super) fn not_obeyed(&mut self, range: &Range<usize>, name: &str, what: &str) {
        let message = format!("`{name}` is not obeyed by this build");
        self.report(
            Diagnostic::new(Code::NotObeyed, range.clone(), message)
                .label(format!("this would {what}"))
                .help(format!("remove `{name}`: a rule that is not enforced must not look as if it were")),
        );
    }

    fn unknown_field(&mut self, member: &Member, of: &str, known: &[&str], beside: &[Member]) {
        let message = format!("{of} has no field `{}`", shown(&member.key));
        let mut found = Diagnostic::new(Code::UnknownField, member.key_range.clone(), message).label("unknown field");
        if let Some((_, instead)) = ELSEWHERE.iter().find(|(name, _)| *name == member.key) {
            found = found.help(*instead);
        } else if let Some(near) = nearest(&member.key, known.iter().copied())
            && beside.iter().any(|other| other.key == near)
        {
            found = found.help(format!("`{near}` stands here already: remove one of them"));
        } else if let Some(near) = nearest(&member.key, known.iter().copied()) {
            found = found.fix(
                member.key_range.clone(),
                serde_json::Value::from(near).to_string(),
                "a field with a similar name exists",
            );
        } else {
            let (word, names) =
                (if known.len() == 1 { "only field" } else { "fields" }, joined(known.iter().copied(), "and"));
            let verb = if known.len() == 1 { "is" } else { "are" };
            found = found.help(format!("the {word} of {of} {verb} {names}"));
        }
        self.report(found);
    }

    /// The value of a field that must be there.
    pub(super) fn required<'n>(&mut self, fields: Fields<'n>, name: &str, of: &str, example: &str) -> Option<&'n Node> {
        let node = fields.get(name);
        if node.is_none() {
            let message = format!("{of} needs the field `{name}`");
            self.report(
                Diagnostic::new(Code::MissingField, fields.opening(), message)
                    .label(format!("`{name}` is missing"))
                    .help(format!("add `\"{name}\": {example}`")),
            );
        }
        node
    }

    pub(super) fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let message = format!("{what} must be {expected}");
        self.report(
            Diagnostic::new(Code::WrongType, node.range.clone(), message).label(format!("this is {}", node.kind())),
        );
    }

    pub(super) fn string<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = node.as_str();
        if text.is_none() {
            self.wrong_type(node, what, "a string");
        }
        text
    }

    /// A text that people or agents read.
    pub(super) fn text(&mut self, node: Option<&Node>, what: &str) -> Option<String> {
        const LONGEST: usize = 4096;
        let node = node?;
        let text = self.string(node, what)?;
        if text.chars().count() > LONGEST {
            let message = format!("{what} may have at most {LONGEST} characters");
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
        }
        Some(text.to_owned())
    }

    /// A name: not empty, at most 256 characters, none of them a control character.
    pub(super) fn name(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.string(node, what)?;
        let length = text.chars().count();
        if length == 0 || length > 256 || text.chars().any(char::is_control) {
            let message = format!("{what} must have 1 to 256 characters and no control characters");
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, what, "`true` or `false`");
                None
            }
        }
    }

    pub(super) fn array<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::Array(items) => Some(items),
            _ => {
                self.wrong_type(node, what, "an array");
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn integer(&mut self, node: &Node, what: &str, least: u64, most: u64) -> Option<u64> {
        let Value::Number(literal) = &node.value else {
            self.wrong_type(node, what, "a number");
            return None;
        };
        match literal.parse::<u64>() {
            Ok(value) if (least..=most).contains(&value) => Some(value),
            _ => {
                let message = format!("{what} must be a whole number from {least} to {most}");
                self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
                None
            }
        }
    }

    /// One of the texts in `choices`.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string(node, what)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.unknown_value(&node.range, text, what, &names);
        None
    }

    pub(super) fn unknown_value(&mut self, range: &Range<usize>, written: &str, what: &str, names: &[&str]) {
        let message = format!("{what} cannot be `{}`", shown(written));
        let found = Diagnostic::new(Code::UnknownValue, range.clone(), message)
            .label(format!("expected {}", listed(names.iter().copied())));
        self.report(match nearest(written, names.iter().copied()) {
            Some(near) => {
                let replacement = serde_json::Value::from(near).to_string();
                found.fix(range.clone(), replacement, "a similar value exists")
            }
            None => found,
        });
    }
}

/// "`a`, `b` or `c`".
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "or")
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
    }
}
