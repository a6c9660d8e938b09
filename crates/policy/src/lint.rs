//! Findings of `check`: policies that can be used and probably do not do what was meant.

mod clauses;
mod entries;
mod qualified;
mod schema_path;
mod tools;

use crate::diagnostic::Diagnostic;
use crate::policy::{Document, Policy};

pub(crate) use self::qualified::of_a_stack;
pub use self::tools::{Known, check};

/// What can be found without knowing the tools.
pub(crate) fn document(document: &Document) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    entries::check(document, &mut found);
    for entry in document.entries() {
        for (kind, clause) in entry.clauses() {
            clauses::check(kind, clause, &mut found);
        }
    }
    found
}

impl Policy {
    /// What can be found knowing the tools and the time: see [`check`].
    #[must_use]
    pub fn check(&self, known: &Known<'_>) -> Vec<Diagnostic> {
        check(self, known)
    }
}
