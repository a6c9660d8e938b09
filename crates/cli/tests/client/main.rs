//! The commands that ask an instance: the real binary against a real API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that is wrong about its own input should fail"
)]

mod access;
mod apply;
mod grants;
mod house;
mod people;
mod pinned;
mod policies;
mod repeated;
mod stacks;
