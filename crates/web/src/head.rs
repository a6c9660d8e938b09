//! What stands in the head of a page: for search engines, feeds and whoever shares its address.

use serde_json::Value;

/// The head of a page.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The title, at most about 60 characters; the product's name is added.
    pub title: String,
    /// What the page says, in at most about 155 characters.
    pub description: String,
    /// The one address of the page: a path, and a query where the page has one. Empty where there is no page.
    pub path: String,
    /// Whether search engines should list it.
    pub robots: Robots,
    /// The way to the page, from the home page on, without the page itself.
    pub crumbs: Vec<Crumb>,
    /// What the page is about, as schema.org says it: nodes of one graph.
    pub graph: Vec<Value>,
    /// The address of an Atom feed of the page.
    pub feed: Option<String>,
    /// Whether the page has the form of the search in its midst: the bar above has none then.
    pub searches: bool,
}

/// Whether search engines should list a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Robots {
    /// It says something that no other page says.
    #[default]
    Index,
    /// It says too little, or another page says it: its links may be followed.
    Follow,
    /// There is no page: what is said of that has no address of its own and no other forms.
    Nothing,
}

/// A step on the way to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
}

impl Crumb {
    /// A step.
    pub fn new(name: impl Into<String>, path: impl Into<String>) -> Self {
        Self { name: name.into(), path: path.into() }
    }
}
