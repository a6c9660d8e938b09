//! What stood there before, put back without undoing what others wrote since.

use std::fmt;

use crate::diff::masked_text;
use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::entry::Entry;
use crate::refusal::Refusal;

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
    /// after [`Document::wrap`], `current` is the entry as it stands in this document.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn restore(&self, original: &str, written: &str, current: &Entry) -> Result<Restored, Refusal> {
        let span = self.node_of(current)?.span.clone();
        let now = self.raw(&span);
        if now == written || now == original {
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
}
