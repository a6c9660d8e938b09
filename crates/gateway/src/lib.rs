//! The data plane: one visible pipeline from an agent's message to the record of what was decided.
//!
//! Start reading at [`pipeline`]: it is the whole way of a call. [`http_front`] and
//! [`stdio_front`] bring messages to it, [`relay`] watches what comes back.

mod admission;
mod arriving;
pub mod body;
mod bounded;
pub mod caller;
pub mod child_link;
pub mod connections;
pub mod counting;
pub mod era;
pub mod events;
pub mod expected;
pub mod gateway;
mod given_up;
pub mod grant;
mod halt;
pub mod hex;
pub mod http_front;
pub mod http_link;
pub mod lease;
pub mod limits;
pub mod listen;
pub mod measures;
pub mod methods;
mod names;
pub mod partner;
mod phase;
pub mod pins;
pub mod pipeline;
pub mod policy_file;
mod record;
pub mod refusal;
mod refused;
pub mod relay;
mod returning;
pub mod seal;
pub mod server;
pub mod sessions;
pub mod spans;
pub mod sse_link;
pub mod stack;
pub mod stdio_front;
mod streams;
pub mod tasks;
pub mod terms;
pub mod ticket;
pub mod tls;
pub mod tools;
pub mod trace;
pub mod transport;
pub mod trust;
mod unreadable;
