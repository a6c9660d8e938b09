//! Pinned definitions: what somebody has accepted, by the digest of every field, and the text of the
//! lock file in which that stands.
//!
//! A lock file has a section for each server and a line for each tool, both sorted, so that two
//! people's changes merge and a review shows what is accepted:
//!
//! ```toml
//! version = 1
//!
//! [servers.github]
//! "close_issue" = { digest = "sha256:…", class = "write", accepted = "2026-11-21T14:00:00Z", by = "first list", definition = "{…}" }
//! ```
//!
//! ```
//! use risk::pins::Pins;
//!
//! let pins = Pins::parse("version = 1\n\n[servers.github]\n").unwrap();
//! assert!(pins.server("github").is_some_and(|tools| tools.is_empty()));
//! assert_eq!(Pins::parse(&pins.to_string()).unwrap(), pins);
//! ```

mod difference;

pub use difference::{Difference, differences, is_cosmetic};

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use policy::Class;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The form of the file.
const VERSION: u32 = 1;

/// One accepted definition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// `sha256:` and the digest of the canonical definition, in hexadecimal.
    pub digest: String,
    /// The class that the classifier gave when it was accepted.
    #[serde(deserialize_with = "class")]
    pub class: Class,
    /// The class that a person gave it instead.
    #[serde(default, deserialize_with = "set_class")]
    pub set: Option<Class>,
    /// When it was accepted (RFC 3339).
    pub accepted: String,
    /// Who accepted it: [`FIRST_LIST`], [`COSMETIC`], or a person.
    pub by: String,
    /// The definition in canonical form, to show what a later one changes.
    pub definition: String,
}

/// Accepted because the server had no pins yet.
pub const FIRST_LIST: &str = "first list";

/// Accepted because nothing but spelling had changed.
pub const COSMETIC: &str = "cosmetic rule";

impl Pin {
    /// Whether a person has looked at it, and not a rule.
    #[must_use]
    pub fn by_person(&self) -> bool {
        self.set.is_some() || (self.by != FIRST_LIST && self.by != COSMETIC)
    }

    /// The class that policies match on.
    #[must_use]
    pub fn class_in_force(&self) -> Class {
        self.set.unwrap_or(self.class)
    }
}

/// The tools of one server, by name.
pub type Section = BTreeMap<String, Pin>;

/// All that a lock file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    servers: BTreeMap<String, Section>,
}

/// A text that is no lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadLock {
    /// It cannot be read; the sentence names the line.
    Unreadable(String),
    /// A later version has written it.
    Newer(u32),
}

impl std::error::Error for BadLock {}

impl fmt::Display for BadLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadLock::Unreadable(why) => write!(
                f,
                "it is no lock file of Toolgate, or its merge left conflicts: {why}; restore it from version control"
            ),
            BadLock::Newer(version) => {
                write!(f, "a newer version of Toolgate has written it (form {version}, this one reads {VERSION})")
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    servers: BTreeMap<String, Section>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Pins {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// [`BadLock`], with the line where it cannot be read.
    pub fn parse(text: &str) -> Result<Pins, BadLock> {
        let version = |text| toml::from_str(text).map(|Version { version }| version);
        match toml::from_str(text) {
            Ok(Document { version: VERSION, servers }) => Ok(Pins { servers }),
            Ok(Document { version, .. }) => Err(BadLock::Newer(version)),
            // A later form may hold what this one does not know; its number tells.
            Err(error) => match version(text) {
                Ok(version) if version != VERSION => Err(BadLock::Newer(version)),
                _ => Err(BadLock::Unreadable(error.to_string().trim_end().to_owned())),
            },
        }
    }

    /// The tools that are pinned for a server; `None` where it was never seen.
    #[must_use]
    pub fn server(&self, id: &str) -> Option<&Section> {
        self.servers.get(id)
    }

    /// The servers, sorted.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.servers.iter().map(|(id, section)| (id.as_str(), section))
    }

    /// The section of a server, made where there is none.
    pub fn section(&mut self, id: &str) -> &mut Section {
        self.servers.entry(id.to_owned()).or_default()
    }

    /// Takes a server out.
    pub fn remove(&mut self, id: &str) -> Option<Section> {
        self.servers.remove(id)
    }
}

impl fmt::Display for Pins {
    /// The text of the file: the same pins always give the same text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Definitions of tools that were accepted, by `toolgate`. Fit for version control; edit it with")?;
        writeln!(f, "# `toolgate server accept`.")?;
        writeln!(f, "version = {VERSION}")?;
        for (id, section) in &self.servers {
            writeln!(f, "\n[servers.{id}]")?;
            for (name, pin) in section {
                write!(
                    f,
                    "{} = {{ digest = {}, class = {}",
                    Quoted(name),
                    Quoted(&pin.digest),
                    Quoted(pin.class.as_str())
                )?;
                if let Some(set) = pin.set {
                    write!(f, ", set = {}", Quoted(set.as_str()))?;
                }
                writeln!(
                    f,
                    ", accepted = {}, by = {}, definition = {} }}",
                    Quoted(&pin.accepted),
                    Quoted(&pin.by),
                    Quoted(&pin.definition)
                )?;
            }
        }
        Ok(())
    }
}

/// A basic string of TOML, on one line. What nobody sees is escaped, so that a review sees it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                letter if letter.is_control() || crate::findings::is_invisible(letter) => {
                    let code = u32::from(letter);
                    if code <= 0xffff { write!(f, "\\u{code:04X}")? } else { write!(f, "\\U{code:08X}")? }
                }
                letter => f.write_char(letter)?,
            }
        }
        f.write_char('"')
    }
}

fn class<'de, D: Deserializer<'de>>(from: D) -> Result<Class, D::Error> {
    let word = String::deserialize(from)?;
    let known = Class::ALL.into_iter().find(|class| class.as_str() == word);
    known.ok_or_else(|| D::Error::custom(format!("`{word}` is no class")))
}

fn set_class<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Class>, D::Error> {
    class(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(definition: &str) -> Pin {
        Pin {
            digest: "sha256:00".to_owned(),
            class: Class::Write,
            set: None,
            accepted: "2026-11-21T14:00:00Z".to_owned(),
            by: FIRST_LIST.to_owned(),
            definition: definition.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut pins = Pins::default();
        for text in ["{}", "'\"\\\n\t\r\u{0}\u{7f}\u{202e}\u{e0041}é漢🙂", "]] = # [x]"] {
            pins.section("b").insert(format!("tool {text}"), pin(text));
            pins.section("a-1").insert(text.to_owned(), Pin { set: Some(Class::Financial), ..pin(text) });
        }
        pins.section("version");
        let text = pins.to_string();
        assert_eq!(Pins::parse(&text).map(|again| again.to_string()).as_ref(), Ok(&text), "{text}");
        assert!(!text.contains('\u{202e}') && text.lines().count() == 15, "{text}");
    }

    #[test]
    fn what_is_no_lock_file_is_said_with_its_line() {
        let twice = "version = 1\n[servers.a]\nx = 1\n";
        assert!(matches!(Pins::parse(twice), Err(BadLock::Unreadable(why)) if why.contains("line 3")));
        assert_eq!(Pins::parse("version = 9\n[a.b]\n"), Err(BadLock::Newer(9)));
        let merged = "version = 1\n<<<<<<< ours\n[servers.a]\n";
        assert!(Pins::parse(merged).is_err_and(|error| error.to_string().contains("line 2")));
        assert!(Pins::parse("").is_err());
    }
}
