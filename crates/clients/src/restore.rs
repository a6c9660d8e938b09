//! What stood there before, put back without undoing what others wrote since.

use std::fmt;
use std::ops::Range;

use crate::diff::masked_text;
use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::entry::Entry;
use crate::refusal::Refusal;
use crate::tree::{self, Kind, Node};

/// What can be done to put an entry back.
#[derive(Debug, Clone)]
pub enum Restored {
    /// It is as it was written: this puts the original back. Where nothing else changed in the file either, the
    /// file is then byte for byte what it was.
    Edit(Edit),
    /// Somebody changed it since.
    Conflict(Conflict),
}

/// An entry that was changed since it was written.
#[derive(Clone)]
pub struct Conflict {
    format: Format,
    key: String,
    /// What was written.
    base: String,
    /// What would be put back.
    ours: String,
    /// What stands there now.
    theirs: String,
    indent: String,
}

impl Conflict {
    /// What was written, as a text with its secrets.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What would be put back, with its secrets.
    #[must_use]
    pub fn ours(&self) -> &str {
        &self.ours
    }

    /// What stands there now, with its secrets.
    #[must_use]
    pub fn theirs(&self) -> &str {
        &self.theirs
    }
}

impl fmt::Display for Conflict {
    /// For people: values of variables and headers are masked.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = audit::visible::word(&self.key);
        writeln!(out, "The entry {key} was changed after toolgate wrote it, so nothing was put back.")?;
        let parts = [("toolgate wrote", &self.base), ("it stood before", &self.ours), ("it stands now", &self.theirs)];
        for (title, text) in parts {
            writeln!(out, "\n{title}:")?;
            for line in masked_text(self.format, &format!("{}{text}", self.indent)) {
                writeln!(out, "  {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Conflict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Conflict").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Document {
    /// Puts an entry back as it was: `original` and `written` are its texts ([`Document::text_of`]) before and
    /// after [`Document::wrap`], `current` is the entry as it stands in this document. An entry that says the same as
    /// was written, in other lines or another order of its keys, is as it was written: clients write files anew. A
    /// comment in it is somebody's own.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn restore(&self, original: &str, written: &str, current: &Entry) -> Result<Restored, Refusal> {
        let span = self.node_of(current)?.span.clone();
        let now = self.raw(&span);
        if now == written || now == original || self.says(now, written) {
            let edit = self.edit(vec![(span, original.to_owned())])?;
            self.after(&edit)?;
            return Ok(Restored::Edit(edit));
        }
        let indent = " ".repeat(self.raw(&(self.line_start(span.start)..span.start)).chars().count());
        Ok(Restored::Conflict(Conflict {
            format: self.format,
            key: current.key.clone(),
            base: written.to_owned(),
            ours: original.to_owned(),
            theirs: now.to_owned(),
            indent: if self.format == Format::Yaml { indent } else { String::new() },
        }))
    }

    /// Whether the text of an entry of such a file says the same as another, and nothing more.
    #[must_use]
    pub fn says(&self, now: &str, written: &str) -> bool {
        let (now, written) = (even(self.format, now), even(self.format, written));
        let read = |text: &str| tree::read(self.format, text).ok().flatten();
        let (Some(one), Some(two)) = (read(&now), read(&written)) else { return now == written };
        now == written || (one.twice().is_none() && one.means(&two) && !has_comment(&one, &now))
    }
}

/// Whether something stands in a text beside its keys and values.
fn has_comment(root: &Node, text: &str) -> bool {
    fn known(node: &Node, spans: &mut Vec<Range<usize>>) {
        match &node.kind {
            Kind::Map(map) => spans.extend(map.members.iter().map(|member| member.key_span.clone())),
            Kind::List(_) => {}
            Kind::Text(_) | Kind::Bare(_) => spans.push(node.span.clone()),
        }
        node.children().for_each(|child| known(child, spans));
    }
    let mut spans = Vec::new();
    known(root, &mut spans);
    spans.push(text.len()..text.len());
    spans.sort_by_key(|span| span.start);
    let mut at = 0;
    spans.into_iter().any(|span| {
        let beside = text.get(at..span.start.max(at)).unwrap_or_default();
        at = span.end.max(at);
        beside.contains(['/', '#'])
    })
}

/// A part of a file as a text by itself: in YAML, its first line as far to the right as the others.
fn even(format: Format, text: &str) -> String {
    let rest = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let indent = rest.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or_default();
    if format == Format::Yaml { " ".repeat(indent) + text } else { text.to_owned() }
}
