//! The full-text index of the catalogue: derived data in a folder, made anew from the store.
//!
//! An index is built beside the one in use and takes its place in one step ([`Builder::finish`]); who
//! reads meanwhile reads the old one to the end. Names are searched by their parts, in any spelling
//! ([`words`]); the query of a person becomes terms in [`Query`].

mod build;
mod conditions;
mod fields;
mod folder;
mod like;
mod query;
mod read;
mod weigh;
pub mod words;

pub use build::{Builder, Entry};
pub use fields::Kind;
pub use folder::{current, is_stale, mark_fresh, mark_stale};
pub use query::{Filter, Query};
pub use read::{Found, Hit, Index};

/// Why the index cannot be used. It can always be made anew.
#[derive(Debug, thiserror::Error)]
pub enum BadIndex {
    /// There is none yet.
    #[error("there is no search index yet: `toolgate catalogue index` makes it from what was imported")]
    None,
    /// The operating system's reason.
    #[error("the search index: {0}")]
    Io(#[from] std::io::Error),
    /// It cannot be read or written.
    #[error("the search index: {0}; `toolgate catalogue index` makes it anew")]
    Broken(#[from] tantivy::TantivyError),
}
