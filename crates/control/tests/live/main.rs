//! Real gateways that follow a control plane, over SQLite and over PostgreSQL, in front of a server that records what
//! reaches it.

mod away;
mod changes;
mod first_start;
mod house;
mod secrets;
mod suite;
