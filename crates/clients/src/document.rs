//! A file as it was read.

use std::ops::Range;

use serde::Deserialize;

use crate::edit::Edit;
use crate::entry::Entry;
use crate::position::Position;
use crate::refusal::Refusal;
use crate::tree::{self, Map, Member, Node};

const MARK: &str = "\u{feff}";

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON. Comments and trailing commas are read all the same: clients do.
    Json,
    /// JSON with comments.
    Jsonc,
    /// TOML.
    Toml,
    /// YAML, of one document.
    Yaml,
}

/// Why a file cannot be read. Nothing of it is quoted but keys: it may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {what}; {remedy}")]
pub struct BadDocument {
    /// Where.
    pub position: Position,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl BadDocument {
    pub(crate) fn at(text: &str, byte: usize, what: String) -> Self {
        Self {
            position: Position::of(text, byte),
            what,
            remedy: "correct it there and try again: the file was not changed",
        }
    }
}

/// A file that keeps its bytes.
#[derive(Clone)]
pub struct Document {
    pub(crate) format: Format,
    /// The text behind the byte-order mark.
    pub(crate) text: String,
    pub(crate) marked: bool,
    pub(crate) root: Option<Node>,
    /// The line ending that it uses.
    pub(crate) line_end: &'static str,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// [`BadDocument`], when it is no UTF-8, not of that format, or has keys twice at its top.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, BadDocument> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let good = String::from_utf8_lossy(good);
            let text = good.strip_prefix(MARK).unwrap_or(&good);
            let remedy = "save the file as UTF-8 and try again: it was not changed";
            BadDocument { position: Position::of(text, text.len()), what: "this is no UTF-8".to_owned(), remedy }
        })?;
        let marked = text.starts_with(MARK);
        let text = text.strip_prefix(MARK).unwrap_or(text);
        let root = tree::read(format, text)?;
        let line_end =
            if text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r')) { "\r\n" } else { "\n" };
        Ok(Self { format, text: text.to_owned(), marked, root, line_end })
    }

    /// The bytes that were read.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mark = if self.marked { MARK } else { "" };
        [mark.as_bytes(), self.text.as_bytes()].concat()
    }

    /// Where an entry stands.
    #[must_use]
    pub fn position(&self, entry: &Entry) -> Position {
        Position::of(&self.text, entry.at)
    }

    /// The text of an entry, as a journal keeps it for [`Document::restore`].
    ///
    /// # Errors
    /// [`Refusal::Stale`], when this is not the document that the entry is of.
    pub fn text_of(&self, entry: &Entry) -> Result<&str, Refusal> {
        Ok(self.raw(&self.node_of(entry)?.span))
    }

    pub(crate) fn raw(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The node of an entry of this document.
    pub(crate) fn node_of(&self, entry: &Entry) -> Result<&Node, Refusal> {
        self.node_at(entry).filter(|node| node.span == entry.span).ok_or(Refusal::Stale)
    }

    /// What stands where an entry of this document, or of an earlier state of it, stood.
    pub(crate) fn node_at(&self, entry: &Entry) -> Option<&Node> {
        let root = self.root.as_ref()?;
        match (entry.place.split_last(), entry.index) {
            (Some((_, way)), Some(index)) => root.at(way).and_then(Node::list).and_then(|list| list.items.get(index)),
            _ => root.at(&entry.place),
        }
    }

    /// An edit of this document.
    pub(crate) fn edit(&self, changes: Vec<(Range<usize>, String)>) -> Result<Edit, Refusal> {
        let shift = if self.marked { MARK.len() } else { 0 };
        let changes = changes.into_iter().map(|(range, text)| {
            let old = self.raw(&range).as_bytes().to_vec();
            (range.start + shift..range.end + shift, old, text.into_bytes())
        });
        Edit::new(self.format, changes.collect()).ok_or(Refusal::Stale)
    }

    /// The document after an edit. What cannot be read afterwards is not offered to anybody.
    pub(crate) fn after(&self, edit: &Edit) -> Result<Self, Refusal> {
        let bytes = edit.apply(&self.bytes()).map_err(|_| Refusal::Stale)?;
        Self::read(self.format, &bytes).map_err(|_| Refusal::Unfit)
    }

    /// Where the line of a byte begins.
    pub(crate) fn line_start(&self, byte: usize) -> usize {
        self.text.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
    }

    /// Where the line of a byte ends, before its line ending.
    pub(crate) fn line_stop(&self, byte: usize) -> usize {
        let rest = self.text.get(byte..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        byte + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// What stands on a member's line before its key.
    pub(crate) fn lead(&self, member: &Member) -> &str {
        self.raw(&(self.line_start(member.key_span.start)..member.key_span.start))
    }

    /// The error of a key that is there twice.
    pub(crate) fn twice(&self, member: &Member) -> BadDocument {
        let what = format!("the key {} is here for the second time", audit::visible::word(&member.key));
        let remedy = "remove one of the two: clients differ on which they take; the file was not changed";
        BadDocument { position: Position::of(&self.text, member.key_span.start), what, remedy }
    }

    pub(crate) fn fixed(&self, node: &Node, why: &'static str) -> BadDocument {
        let what = format!("{why} stands here, which cannot be edited without changing more than the entry");
        let remedy = "write the value out in its place, or edit the file by hand";
        BadDocument { position: Position::of(&self.text, node.span.start), what, remedy }
    }

    /// What separates a new member from the one before it, and what stands between key and value.
    pub(crate) fn beside(&self, map: &Map, member: &Member) -> (String, String) {
        let lead = self.lead(member);
        let between = self.raw(&(member.key_span.end..member.value.span.start));
        let plain = between.trim_matches([' ', '\t', '"', '\'']);
        let colon = match self.format {
            Format::Toml => {
                if plain == "=" {
                    between
                } else {
                    " = "
                }
            }
            Format::Json | Format::Jsonc => {
                if plain == ":" {
                    between
                } else {
                    ": "
                }
            }
            // A block on lines of its own, or aligned values.
            Format::Yaml => {
                if between == ":" || plain != ":" {
                    ": "
                } else {
                    between
                }
            }
        };
        let blank = lead.chars().all(|letter| letter == ' ' || letter == '\t');
        let separator = match (map.flow, self.format) {
            (true, _) if blank && self.line_start(member.key_span.start) > 0 => format!(",{}{lead}", self.line_end),
            (true, Format::Json | Format::Jsonc) if between == ":" => ",".to_owned(),
            (true, _) => ", ".to_owned(),
            (false, Format::Yaml) => format!("{}{}", self.line_end, indentation(lead)),
            (false, _) => format!("{}{lead}", self.line_end),
        };
        (separator, colon.to_owned())
    }
}

/// As many spaces as a text is wide that may hold the hyphens of list items.
pub(crate) fn indentation(lead: &str) -> String {
    lead.chars().map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect()
}

impl std::fmt::Debug for Document {
    /// Without the text, which may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Document")
            .field("format", &self.format)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}
