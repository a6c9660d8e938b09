//! The control plane over HTTP: a real listener, a plain client, tables over SQLite, and the same story over PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that is wrong about its own input should fail"
)]

mod client;
mod document;
mod house;
mod keys;
mod limits;
mod log;
mod matrix;
mod pages;
mod secrets;
mod sign_in;
mod stacks;
mod validation;
