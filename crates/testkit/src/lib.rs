//! Recording servers, raw clients and the harness that runs the real binary.
//!
//! Everything here is blocking and works on plain sockets and pipes, so that a test sees each
//! byte that was sent and received, and no library repairs what the test wants to break.
//! [`upstream::Upstream`] is an MCP server whose [`calls`](upstream::Upstream::calls) are the
//! oracle for "not forwarded"; [`toolgate::Toolgate`] runs the gateway; [`client::McpHttp`] and
//! [`stdio::McpStdio`] speak to it.

pub mod attacks;
pub mod client;
pub mod collector;
pub mod decode;
pub mod disk;
pub mod exposition;
pub mod figures;
pub mod message;
pub mod peers;
pub mod place;
pub mod postgres;
pub mod record;
pub mod redis;
pub mod registry;
pub mod script;
pub mod seeds;
pub mod skew;
pub mod slow;
pub mod sse;
pub mod stdio;
pub mod tee;
pub mod toolgate;
pub mod upstream;
pub mod wait;
pub mod wire;
