//! Real gateways that follow a control plane, over SQLite and over PostgreSQL, in front of a server that records what
//! reaches it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is wrong about its own input should fail"
)]

mod away;
mod changes;
mod decisions;
mod egress;
mod endings;
mod first_start;
mod house;
mod limits;
mod redis;
mod secrets;
mod stacks;
mod suite;
