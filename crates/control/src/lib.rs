//! The control plane: what people and programs may do to servers, policies and grants, and how replicas follow it.
//!
//! - [`Instance`]: the tables, opened with the right keys; who asks ([`sign_in`]), and what they may do to [`servers`],
//!   [`policies`] and [`grants`].
//! - [`follow`]: a replica that keeps a gateway to what was decided, under a lease.
//! - [`confirm`]: the wait until every replica does so.
//! - [`ship`]: the decisions of every replica, brought from its segments into the tables.
//!
//! Every function takes the [`Actor`](store::control::access::Actor) who asks, and has the right checked before anything
//! is read. What is wrong with what they gave is said with the place ([`Refused::Invalid`]).

pub mod confirm;
pub mod follow;
pub mod grants;
mod instance;
pub mod keys;
mod limits;
pub mod lost;
pub mod people;
pub mod policies;
mod refused;
pub mod repeated;
pub mod servers;
pub mod ship;
pub mod sign_in;
pub mod stacks;
pub mod tools;

pub use gateway::counting::Counting;
pub use instance::{BadInstance, Instance};
pub use refused::Refused;
