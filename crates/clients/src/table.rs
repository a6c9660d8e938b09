//! The table of clients: which there are, where their files lie, how an entry is written in them.
//!
//! The table is a file, `data/clients.toml`, compiled in; another of the same form can be laid over it, so that
//! a client that moved its file does not wait for a release.

mod shape;

pub use shape::{Http, Kind, Off, Shape, Stdio, Untyped};

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::document::Format;
use crate::position::Position;

/// The form of the file.
pub const VERSION: u32 = 1;

const COMPILED: &str = include_str!("../data/clients.toml");

/// All clients that are known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The form of the file.
    pub version: u32,
    /// The clients, in the order in which they are listed.
    #[serde(rename = "client", default)]
    pub clients: Vec<Client>,
}

/// One client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The word that people type.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Other words for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whether it is still made.
    pub status: Status,
    /// Why nothing of it can be covered, where that is so.
    #[serde(default)]
    pub not_covered: Option<String>,
    /// Its files.
    #[serde(rename = "surface", default)]
    pub surfaces: Vec<Surface>,
    /// How its entries are written.
    #[serde(rename = "entry", default)]
    pub shape: Shape,
    /// How it fills in variables.
    #[serde(default)]
    pub interpolation: Vec<String>,
    /// When it sees a change of its file.
    pub reload: Reload,
    /// How long it waits.
    #[serde(default)]
    pub limits: Limits,
    /// Whether it asks for the tools again when told that they changed.
    pub list_changed: Known,
    /// Which questions of a server it shows.
    pub approvals: Approvals,
    /// Programs that show that it is installed.
    #[serde(default)]
    pub binaries: Vec<String>,
    /// Paths that show that it is installed, as templates.
    #[serde(default)]
    pub traces: Vec<String>,
    /// What else a person must know, in whole sentences.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The day on which this was checked (`2026-11-21`).
    pub checked: String,
}

/// Whether a client is still made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Active,
    /// It has been replaced; files of it are still found.
    Legacy,
}

/// A file, or files of one kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// Whom it is for.
    pub scope: Scope,
    /// Where there is one.
    #[serde(default = "every_system")]
    pub os: Vec<Os>,
    /// Where it lies: templates, of which more than one may be there.
    pub path: Vec<String>,
    /// Variables that move it, the first that is set.
    #[serde(default)]
    pub moved_by: Vec<Moved>,
    /// How it is written.
    pub format: Format,
    /// The keys down to the servers; `*` stands for any key.
    pub pointer: Vec<String>,
    /// A way of keys that shows that the file is of another surface.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The key of an entry that names it, where entries are a list.
    #[serde(default)]
    pub list: Option<String>,
}

/// A variable that moves a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Its name.
    pub variable: String,
    /// Where the file then lies; `{value}` is what the variable says.
    pub path: String,
}

/// Whom a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One person, in all projects.
    User,
    /// One project; the file may be shared.
    Project,
    /// A fleet; who manages it writes it.
    Managed,
}

/// A system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

fn every_system() -> Vec<Os> {
    vec![Os::Linux, Os::Macos, Os::Windows]
}

/// When a client sees that its file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reload {
    /// At once.
    Hot,
    /// When it starts again.
    Restart,
    /// With the next session or conversation.
    Session,
}

/// How long a client waits, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// For a server to start.
    #[serde(default)]
    pub start_ms: Option<u64>,
    /// For a call to be answered.
    #[serde(default)]
    pub call_ms: Option<u64>,
}

/// Which questions of a server a client shows to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// A form.
    pub form: Known,
    /// An address to open.
    pub url: Known,
}

/// What is known of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// It is there.
    Yes,
    /// It is not.
    No,
    /// Nobody has looked.
    Unknown,
}

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {what}; {remedy}")]
pub struct BadTable {
    /// Where.
    pub position: Position,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl Table {
    /// The table that is compiled in.
    ///
    /// # Errors
    /// None that a test would let pass.
    pub fn compiled() -> Result<Self, BadTable> {
        Self::read(COMPILED)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`BadTable`].
    pub fn read(text: &str) -> Result<Self, BadTable> {
        let bad = |byte: usize, what: String, remedy| BadTable { position: Position::of(text, byte), what, remedy };
        let table: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            bad(start, error.message().to_owned(), "correct it there; docs/clients.md lists the fields")
        })?;
        if table.version != VERSION {
            let what = format!("this table has version {}, and version {VERSION} is read", table.version);
            return Err(bad(0, what, "write it in that form, or remove the file"));
        }
        let mut words = BTreeSet::new();
        for client in &table.clients {
            // Where its record names itself.
            let place = text.find(&format!("id = \"{}\"", client.id)).unwrap_or(0);
            client.check().map_err(|what| bad(place, what, "correct the record"))?;
            for word in std::iter::once(&client.id).chain(&client.aliases) {
                if !words.insert(word.as_str()) {
                    let what = format!("`{word}` names two clients");
                    return Err(bad(place, what, "give one of them another id or alias"));
                }
            }
        }
        Ok(table)
    }

    /// This table with another laid over it: its records take the place of those with the same id, others are
    /// added at the end.
    ///
    /// # Errors
    /// [`BadTable`].
    pub fn with(&self, text: &str) -> Result<Self, BadTable> {
        let over = Self::read(text)?;
        let mut table = self.clone();
        for client in over.clients {
            match table.clients.iter_mut().find(|known| known.id == client.id) {
                Some(known) => *known = client,
                None => table.clients.push(client),
            }
        }
        Ok(table)
    }

    /// The client that a word means: its id, its name or an alias, in any case.
    #[must_use]
    pub fn client(&self, word: &str) -> Option<&Client> {
        let is = |name: &String| name.eq_ignore_ascii_case(word);
        let by_id = self.clients.iter().find(|client| is(&client.id));
        by_id.or_else(|| self.clients.iter().find(|client| is(&client.name) || client.aliases.iter().any(is)))
    }
}

impl Client {
    fn check(&self) -> Result<(), String> {
        let word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if self.id.is_empty() || !self.id.chars().all(word) {
            return Err("an id is of small letters, digits and hyphens".to_owned());
        }
        if self.not_covered.is_none() && self.surfaces.is_empty() {
            return Err(format!("`{}` has no surface, and no `not_covered` that says why", self.id));
        }
        if self.not_covered.is_none() && self.shape.stdio.is_none() {
            return Err(format!("`{}` has no `stdio`, the shape of an entry that starts a program", self.id));
        }
        for surface in &self.surfaces {
            if surface.path.is_empty() || surface.pointer.is_empty() || surface.os.is_empty() {
                return Err(format!("a surface of `{}` lacks its path, pointer or system", self.id));
            }
            let known = [
                "home",
                "config",
                "project",
                "application_support",
                "appdata",
                "localappdata",
                "programfiles",
                "programdata",
            ];
            for path in surface.path.iter().chain(&self.traces) {
                let named = path.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                if !path.starts_with('/') && !named.is_some_and(|(name, _)| known.contains(&name)) {
                    return Err(format!(
                        "a path of `{}` begins neither with a known name in braces nor with `/`",
                        self.id
                    ));
                }
            }
        }
        self.shape.check().map_err(|what| format!("`{}`: {what}", self.id))
    }
}
