//! The language from the outside: documents in, decisions out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod access;
mod asking;
mod checking;
mod diagnostics;
mod documentation;
mod evaluation;
mod explaining;
mod limits;
mod listing;
mod merging;
mod observe;
mod opening;
mod properties;
mod rule_ids;
mod schema;
mod seeds;
mod stack;
