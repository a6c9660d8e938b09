//! Servers and clients that other people wrote, with the real binary between them.
//!
//! They are installed by `cargo xtask peers` (`cargo xtask test` does that first); where they are
//! not, these tests say that they are skipped.

mod catalogue;
mod clients;
mod http;
mod stdio;
mod wrapped;
