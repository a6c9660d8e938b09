//! Another path of toolgate in an entry that starts it.

use crate::document::Document;
use crate::edit::Edit;
use crate::entry::{Entry, State, body, words};
use crate::refusal::Refusal;
use crate::wrapped::{Wrapped, is_as_written, is_ours};
use crate::write;

impl Document {
    /// The same entry, starting toolgate at another path.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn with_program(&self, entry: &Entry, program: &str) -> Result<Edit, Refusal> {
        let State::Wrapped(wrapped) = &entry.state else { return Err(Refusal::Bare) };
        if !is_ours(program) && !is_as_written(&wrapped.options) {
            return Err(Refusal::Program(audit::visible::word(program)));
        }
        let map = body(&entry.shape, self.node_of(entry)?).ok_or(Refusal::Unfit)?;
        let words = words(&entry.shape, map).map_err(Refusal::NotCovered)?;
        let first = words.first().ok_or(Refusal::Unfit)?;
        let text = write::text(self.format, program, self.raw(&first.span));
        let edit = self.edit(vec![(first.span.clone(), text)])?;
        let wanted = Wrapped { program: program.to_owned(), ..wrapped.clone() };
        self.check_after(&edit, entry, |state| matches!(state, State::Wrapped(words) if *words == wanted))?;
        Ok(edit)
    }
}
