//! The pages of a small catalogue, asked as a browser, a program or a search engine asks.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that is wrong about its own input should fail"
)]

mod agents;
mod api;
mod large;
mod place;
mod programs;
mod seeds;
mod stack;
