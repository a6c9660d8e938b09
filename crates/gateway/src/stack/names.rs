//! The names by which an agent knows what the servers of a stack offer.

use std::borrow::Cow;
use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use mcp::qualified;

use super::{Kind, Stack};

/// The longest name of a tool or prompt that a stack shows, in characters: model interfaces take no longer ones.
pub const LONGEST_NAME: usize = 64;

/// Digits of the digest that stands for what was cut off.
const DIGITS: usize = 10;

/// The name of a server's tool or prompt as it is shown: `<server>__<name>`, and where that is longer than
/// [`LONGEST_NAME`], its beginning, `_`, and ten hexadecimal digits of the SHA-256 of all of it.
pub fn shown(server: &str, name: &str) -> String {
    let whole = qualified::name(server, name);
    if whole.chars().count() <= LONGEST_NAME {
        return whole;
    }
    let digest = crate::hex::encode(digest(&SHA256, whole.as_bytes()).as_ref());
    let begins: String = whole.chars().take(LONGEST_NAME - DIGITS - 1).collect();
    let digits: String = digest.chars().take(DIGITS).collect();
    format!("{begins}_{digits}")
}

/// Where a name leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Meant<'n> {
    /// The place of the server among the members.
    pub member: usize,
    /// What the server calls it.
    pub own: Cow<'n, str>,
}

/// Gives the things of one kind the names that they are shown by.
#[derive(Debug)]
pub struct Names<'s> {
    stack: &'s Stack,
    kind: Kind,
    /// How many servers that keep their names have one of this name.
    own: HashMap<Box<str>, usize>,
}

impl<'s> Names<'s> {
    /// The names of one kind, when `listed` are those of all servers.
    pub fn new<'n>(stack: &'s Stack, kind: Kind, listed: impl Iterator<Item = (usize, &'n str)>) -> Self {
        let mut own: HashMap<Box<str>, usize> = HashMap::new();
        for (member, name) in listed {
            if stack.members.get(member).is_some_and(|member| member.unprefixed) {
                *own.entry(name.into()).or_default() += 1;
            }
        }
        Self { stack, kind, own }
    }

    /// The name that something of a server is shown by: its own only where that can mean nothing else.
    pub fn shown(&self, member: usize, name: &str) -> String {
        let Some(of) = self.stack.members.get(member) else { return name.to_owned() };
        let reserved = self.stack.reserves(self.kind, name);
        if of.unprefixed && !reserved && self.own.get(name) == Some(&1) {
            return name.to_owned();
        }
        if self.kind.is_resource() { qualified::uri(of.id(), name) } else { shown(of.id(), name) }
    }
}

/// The names of the tools by which a stack is searched.
pub const SEARCH: [&str; 3] = ["search_tools", "describe_tool", "call_tool"];

impl Stack {
    /// Whether a name reads as one that the stack itself gives.
    fn reserves(&self, kind: Kind, name: &str) -> bool {
        let server = if kind.is_resource() { qualified::split_uri(name) } else { qualified::split_name(name) };
        server.is_some_and(|(server, _)| self.place(server).is_some())
            || (kind == Kind::Tools && self.search && SEARCH.contains(&name))
    }

    /// Where the name of a tool or prompt, or the URI of a resource leads. Names that were shown mean what was shown;
    /// others are read as they are made, so that a server is asked for what it does not list (and its policy says what
    /// to answer), but only where one server alone can be meant.
    pub fn meant<'n>(&self, kind: Kind, name: &'n str) -> Option<Meant<'n>> {
        if let Some(list) = self.last(kind)
            && let Some(entry) = list.get(name)
        {
            return Some(Meant { member: entry.member, own: Cow::Owned(entry.own.to_string()) });
        }
        let split = if kind.is_resource() { qualified::split_uri(name) } else { qualified::split_name(name) };
        if let Some((server, own)) = split
            && let Some(member) = self.place(server)
        {
            return Some(Meant { member, own: Cow::Borrowed(own) });
        }
        if kind == Kind::Resources
            && let Some(member) = self.of_template(name)
        {
            return Some(Meant { member, own: Cow::Borrowed(name) });
        }
        // Of resources not all are listed, so whoever has any is asked.
        let has = |member: usize| kind != Kind::Resources || self.lists_resources(member);
        let unprefixed = self.members.iter().enumerate().filter(|(_, member)| member.unprefixed);
        let mut unprefixed = unprefixed.filter(|(member, _)| has(*member));
        match (unprefixed.next(), unprefixed.next()) {
            (Some((member, _)), None) => Some(Meant { member, own: Cow::Borrowed(name) }),
            _ => None,
        }
    }

    fn lists_resources(&self, member: usize) -> bool {
        let any = |kind| self.last(kind).is_some_and(|list| list.entries.iter().any(|entry| entry.member == member));
        any(Kind::Resources) || any(Kind::Templates)
    }

    /// The only server with a template that begins as a URI does.
    fn of_template(&self, uri: &str) -> Option<usize> {
        let list = self.last(Kind::Templates)?;
        let begins = |template: &str| uri.starts_with(template.split('{').next().unwrap_or_default());
        let mut fit = list.entries.iter().filter(|entry| entry.shown == entry.own && begins(&entry.own));
        let first = fit.next()?.member;
        fit.all(|entry| entry.member == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(shown("files", "read_file"), "files__read_file");
        let exact = "n".repeat(LONGEST_NAME - "files__".len());
        assert_eq!(shown("files", &exact), format!("files__{exact}"));
        let names: HashSet<String> = (0..100).map(|end| shown("files", &format!("{exact}{end}"))).collect();
        assert_eq!(names.len(), 100);
        for name in &names {
            assert_eq!(name.chars().count(), LONGEST_NAME);
            assert!(name.starts_with("files__nnn") && qualified::split_name(name).is_some());
        }
        // Characters count, not bytes.
        assert_eq!(shown("files", &"ü".repeat(200)).chars().count(), LONGEST_NAME);
    }
}
