//! The control plane's tables: one suite, run over SQLite and over PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is wrong about its own input should fail"
)]

mod bad_places;
mod changes;
mod decisions;
mod isolation;
mod leases;
mod place;
mod repeated;
mod stacks;
mod suite;
