//! The audit record: canonical bytes, hash chain and verification, without any IO.
//!
//! A chain is a sequence of records, one JSON object a line, written by one process. Each line
//! ends with a `hash` over the line itself and the hash of the line before it, so that nothing in
//! the middle can be altered, dropped, swapped or inserted without every later hash giving it
//! away. This crate knows how such a line is written, read, checked and shown; files, clocks and
//! identifiers are brought by the `store` crate.

mod argument_keys;
mod chain;
pub mod checkpoint;
mod decided;
mod encode;
mod event;
mod filter;
mod id;
mod record;
mod row;
mod signature;
mod torn;
mod uses;
mod verify;

pub mod visible;

pub use chain::{Head, HeadError};
pub use decided::Decided;
pub use encode::{Stamp, encode};
pub use event::{
    After, ArgumentKeys, Change, Checkpoint, Count, Decision, DefinitionNotice, Edits, Effect, Ending, Event, Kind,
    Outcome, PolicyNotice, Recovered, Refused, Segment, Start, Stop, Target, Upstream, Would,
};
pub use filter::{Filter, Wanted};
pub use id::{Id, IdError};
pub use record::{DecodeError, Record};
pub use row::{Row, Rows};
pub use signature::{BadKey, Fingerprint, PublicKey, Signature, SigningKey};
pub use uses::{Use, Uses};
pub use verify::{ChainReport, Crash, Damage, Finding, Signed, Verifier};
