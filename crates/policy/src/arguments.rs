//! Ambiguous arguments: keys that some reader may take for another key.
//!
//! Go matches keys without regard to case, others trim or normalise them. A rule that reads `amount` says nothing about
//! a call whose reader finds `Amount`, so such calls are denied before any rule, whether or not one reads arguments.

use std::borrow::Cow;
use std::fmt;

use mcp::json::{self, Object, Value};
use unicode_normalization::UnicodeNormalization;

use crate::condition::Condition;
use crate::operand::Operand;
use crate::path::{Path, Root, Step};
use crate::tool_schema::ToolSchema;

/// Up to so many keys are compared pairwise, without allocating.
const PAIRWISE: usize = 16;
/// Up to so many names are looked through one by one.
const FEW: usize = 16;

/// Two keys that are equal after trimming, NFKC and case folding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// The key that was sent.
    pub sent: String,
    /// The key it may be taken for.
    pub other: String,
    /// Whether the other one was sent too. Otherwise a rule or the schema names it.
    pub both_sent: bool,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, other) = (self.sent.escape_debug(), self.other.escape_debug());
        if self.both_sent {
            write!(f, "some readers take the keys `{sent}` and `{other}` for the same")
        } else {
            write!(f, "some readers take the key `{sent}` for `{other}`, which the policy or the tool's schema names")
        }
    }
}

/// The keys that rules and the pinned schema name.
///
/// The arguments themselves and what is inside of them are kept apart: no reader takes a key of one object for a key of
/// another.
#[derive(Debug, Clone, Default)]
pub struct KnownKeys {
    arguments: Names,
    inner: Names,
}

#[derive(Debug, Clone, Default)]
struct Names {
    /// In order.
    names: Vec<Box<str>>,
    /// The same by their folded form, with one name for each, in order.
    folded: Vec<(Box<str>, Box<str>)>,
    /// Some name is not its own folded form.
    spelled: bool,
}

impl Names {
    fn add(&mut self, name: &str) {
        let Err(at) = self.names.binary_search_by(|known| known.as_ref().cmp(name)) else { return };
        self.names.insert(at, name.into());
        let folded = folded(name);
        self.spelled |= folded != name;
        if let Err(at) = self.folded.binary_search_by(|(known, _)| known.as_ref().cmp(&folded)) {
            self.folded.insert(at, (folded.into(), name.into()));
        }
    }

    fn has(&self, key: &str) -> bool {
        if self.names.len() <= FEW {
            return self.names.iter().any(|name| **name == *key);
        }
        self.names.binary_search_by(|name| name.as_ref().cmp(key)).is_ok()
    }

    /// The name that `key` may be taken for, if it is not named itself.
    fn mistaken(&self, key: &str) -> Option<&str> {
        if self.names.is_empty() || self.has(key) {
            return None;
        }
        let folded = folded(key);
        let at = self.folded.binary_search_by(|(known, _)| known.as_ref().cmp(&folded)).ok()?;
        self.folded.get(at).map(|(_, name)| name.as_ref())
    }
}

impl KnownKeys {
    /// Adds the keys that a path enters.
    pub fn add_path(&mut self, path: &Path) {
        let mut inside = *path.root() == Root::Item;
        for step in path.steps() {
            if let Step::Key(key) = step {
                if inside { self.inner.add(key) } else { self.arguments.add(key) }
            }
            inside = true;
        }
    }

    /// Adds the keys that a condition reads.
    pub fn add_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Test(test) => {
                self.add_path(&test.path);
                if let Operand::Path(other) = &test.value {
                    self.add_path(other);
                }
            }
            Condition::AnyOf(conditions) => conditions.iter().for_each(|condition| self.add_condition(condition)),
            Condition::Not(inner) => self.add_condition(inner),
            Condition::Each { path, conditions } => {
                self.add_path(path);
                conditions.iter().for_each(|condition| self.add_condition(condition));
            }
        }
    }

    /// Adds the properties that a schema declares, at any depth.
    pub fn add_schema(&mut self, schema: &ToolSchema) {
        schema.property_names().for_each(|name| self.arguments.add(name));
        schema.inner_property_names().for_each(|name| self.inner.add(name));
    }
}

/// Whether a glance at the strict JSON text of arguments is enough to see that they are not [`ambiguous`].
#[must_use]
pub fn clear(text: &str, known: &KnownKeys) -> bool {
    !known.arguments.spelled && !known.inner.spelled && json::plain_keys(text)
}

/// Looks for a key that may be taken for another: for one beside it in the same object, or for a known one.
#[must_use]
pub fn ambiguous(args: &Value<'_>, known: &KnownKeys) -> Option<Ambiguity> {
    inside(args, known, &known.arguments)
}

fn inside(value: &Value<'_>, known: &KnownKeys, names: &Names) -> Option<Ambiguity> {
    match value {
        Value::Object(members) => {
            let plain = members.iter().all(|(key, _)| is_folded(key));
            let found = if plain { None } else { twins(members) };
            found
                .or_else(|| if plain && !names.spelled { None } else { mistaken(members, names) })
                .or_else(|| members.iter().find_map(|(_, member)| inside(member, known, &known.inner)))
        }
        Value::Array(items) => items.iter().find_map(|item| inside(item, known, &known.inner)),
        _ => None,
    }
}

/// A key that folds to the same as one of the names.
fn mistaken(members: &Object<'_>, names: &Names) -> Option<Ambiguity> {
    members.iter().find_map(|(key, _)| {
        let other = names.mistaken(key)?;
        Some(Ambiguity { sent: key.to_owned(), other: other.to_owned(), both_sent: false })
    })
}

/// Two keys of one object that fold to the same.
fn twins(members: &Object<'_>) -> Option<Ambiguity> {
    if members.len() < 2 {
        return None;
    }
    let ambiguity =
        |one: &str, other: &str| Ambiguity { sent: other.to_owned(), other: one.to_owned(), both_sent: true };
    if members.len() <= PAIRWISE && members.iter().all(|(key, _)| is_word(key)) {
        return members.iter().enumerate().find_map(|(at, (other, _))| {
            let twin = members.iter().take(at).find(|(one, _)| one.eq_ignore_ascii_case(other))?;
            Some(ambiguity(twin.0, other))
        });
    }
    let mut keys: Vec<(Cow<'_, str>, usize, &str)> =
        members.iter().enumerate().map(|(at, (key, _))| (folded(key), at, key)).collect();
    keys.sort_unstable();
    let pair = keys.iter().zip(keys.iter().skip(1)).find(|(one, other)| one.0 == other.0);
    pair.map(|(one, other)| ambiguity(one.2, other.2))
}

/// A key of which folding is at most lower case.
fn is_word(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A key that is its own folded form, as most are: there is no branch for each byte.
fn is_folded(key: &str) -> bool {
    key.bytes().fold(true, |folded, byte| folded & byte.is_ascii_graphic() & !byte.is_ascii_uppercase())
}

/// The key after trimming, NFKC and case folding.
///
/// Folded is by upper case and then lower case, scalar by scalar, which makes at least those equal that full case
/// folding does (`ß` and `ss`, `ſ` and `s`).
fn folded(key: &str) -> Cow<'_, str> {
    if is_folded(key) {
        return Cow::Borrowed(key);
    }
    if is_word(key) {
        return Cow::Owned(key.to_ascii_lowercase());
    }
    let normal: String = key.nfkc().collect();
    let trimmed = normal.trim_matches(is_blank);
    let lower = trimmed.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    // Once more, since folding can take texts out of the normal form.
    Cow::Owned(lower.nfkc().collect())
}

/// What readers trim: white space, control characters, and what nobody sees.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
