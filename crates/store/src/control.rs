//! What a team decides, and who decided it: the tables of the control plane, a module a resource.
//!
//! One set of statements serves SQLite (a file in the data directory) and PostgreSQL. Every statement
//! that touches an organisation's rows takes the organisation from a [`Permit`](access::Permit), and every
//! change is one transaction with the event that says who made it ([`Change`]).

pub mod access;
pub mod agents;
pub mod backup;
mod change;
pub mod decisions;
mod engine;
pub mod events;
pub mod grants;
pub mod idempotency;
pub mod instance;
pub mod leads;
pub mod limits;
pub mod live;
pub mod members;
pub mod page;
pub mod pins;
pub mod policies;
pub mod programs;
pub mod secrets;
pub mod servers;
pub mod stops;

pub use change::{Change, Deed};
pub use engine::{BadControl, ControlDatabase, Place};
