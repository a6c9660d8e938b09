//! Classes that open their tools.

use std::ops::Range;
use std::sync::Arc;

use crate::entry::Entry;
use crate::facts::Class;

/// An entry of `classes` with `"opens": true`. There is none for `unclassified`.
#[derive(Debug)]
pub(crate) struct Opening {
    class: Class,
    entry: Arc<Entry>,
    range: Range<usize>,
}

impl Opening {
    /// `range` is where `opens` stands. `None` for `unclassified`: what nobody classified is opened by its name alone.
    pub(crate) fn new(class: Class, entry: &Arc<Entry>, range: Range<usize>) -> Option<Opening> {
        (class != Class::Unclassified).then(|| Opening { class, entry: Arc::clone(entry), range })
    }

    /// Whether it is for tools of this class: for no other, although an unclassified tool may be under its rules.
    pub(crate) fn is_for(&self, class: Class) -> bool {
        self.class == class
    }

    /// The rules that stand beside it.
    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// The bytes of `opens`.
    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}
