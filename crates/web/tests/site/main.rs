//! The whole site, in the process: a small catalogue with public, private and hostile entries.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that is wrong about its own input should fail"
)]

mod answers;
mod corpus;
mod crawl;
mod html;
mod machines;
mod privacy;
mod spellings;
