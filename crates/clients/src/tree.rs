//! One tree for all formats: what stands in a file, and where. Edits are made from the places alone, so
//! whatever they do not name stays as it is.

mod json;
mod toml;
mod yaml;

use std::collections::HashSet;
use std::ops::Range;

use crate::document::{BadDocument, Format};

/// A text of YAML that stands on lines of its own.
pub(crate) const BLOCK_SCALAR: &str = "a block scalar";

/// A value and where it stands. The place of a map without brackets reaches from its first key (in TOML from
/// its header) to the end of its last value.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
    /// Why it cannot be edited.
    pub(crate) fixed: Option<&'static str>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Map(Map),
    List(List),
    Text(String),
    /// A number, a boolean, null, a date: as it is written.
    Bare(String),
}

/// Keys with values, in the file's order.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) members: Vec<Member>,
    /// Whether it is written in braces.
    pub(crate) flow: bool,
    /// Whether it is made of dotted keys, so that its own key may stand in many places.
    pub(crate) dotted: bool,
}

/// Values, in the file's order.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) items: Vec<Node>,
    /// Whether it is written in brackets.
    pub(crate) flow: bool,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn new(span: Range<usize>, kind: Kind) -> Self {
        Self { span, kind, fixed: None }
    }

    pub(crate) fn map(&self) -> Option<&Map> {
        if let Kind::Map(map) = &self.kind { Some(map) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&List> {
        if let Kind::List(list) = &self.kind { Some(list) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// A text, or a number or boolean as clients take it for one.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Bare(bare) if !is_null(bare) => Some(bare),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Bare(bare) if is_null(bare))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Member> {
        self.map()?.members.iter().find(|member| member.key == key)
    }

    /// The value at the end of a way of keys.
    pub(crate) fn at(&self, keys: &[String]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| Some(&node.get(key)?.value))
    }

    /// The first key that is there twice, in this map alone.
    pub(crate) fn twice_here(&self) -> Option<&Member> {
        let mut seen = HashSet::new();
        self.map()?.members.iter().find(|member| !seen.insert(member.key.as_str()))
    }

    /// The first key that is there twice, here or deeper.
    pub(crate) fn twice(&self) -> Option<&Member> {
        self.twice_here().or_else(|| self.children().find_map(Node::twice))
    }

    /// The first value in whose neighbourhood nothing can be edited, here or deeper. A block scalar is only in
    /// the way where it would have to move itself.
    pub(crate) fn first_fixed(&self) -> Option<(&Node, &'static str)> {
        let own = self.fixed.filter(|why| *why != BLOCK_SCALAR);
        own.map(|why| (self, why)).or_else(|| self.children().find_map(Node::first_fixed))
    }

    pub(crate) fn children(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match &self.kind {
            Kind::Map(map) => Box::new(map.members.iter().map(|member| &member.value)),
            Kind::List(list) => Box::new(list.items.iter()),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Whether both mean the same, in whatever order their keys stand.
    pub(crate) fn means(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Map(one), Kind::Map(two)) => {
                let has = |member: &Member| other.get(&member.key).is_some_and(|its| member.value.means(&its.value));
                one.members.len() == two.members.len() && one.members.iter().all(has)
            }
            (Kind::List(one), Kind::List(two)) => {
                one.items.len() == two.items.len() && one.items.iter().zip(&two.items).all(|(a, b)| a.means(b))
            }
            _ => self.same(other),
        }
    }

    /// Whether both say the same in the same order, however it is written.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Map(one), Kind::Map(two)) => {
                one.members.len() == two.members.len()
                    && one.members.iter().zip(&two.members).all(|(a, b)| a.key == b.key && a.value.same(&b.value))
            }
            (Kind::List(one), Kind::List(two)) => {
                one.items.len() == two.items.len() && one.items.iter().zip(&two.items).all(|(a, b)| a.same(b))
            }
            (Kind::Text(one), Kind::Text(two)) | (Kind::Bare(one), Kind::Bare(two)) => one == two,
            _ => false,
        }
    }
}

fn is_null(bare: &str) -> bool {
    matches!(bare, "null" | "~" | "" | "Null" | "NULL")
}

/// Reads a text. An empty one, or one of comments alone, has no tree.
pub(crate) fn read(format: Format, text: &str) -> Result<Option<Node>, BadDocument> {
    match format {
        Format::Json | Format::Jsonc => json::read(text),
        Format::Toml => toml::read(text).map(Some),
        Format::Yaml => yaml::read(text),
    }
}

/// Whether YAML reads a plain text as a number, a boolean or null.
pub(crate) fn yaml_reads_as_no_text(value: &str) -> bool {
    yaml::is_no_text(value)
}
