//! Clients of MCP servers: Streamable HTTP endpoints and child processes on stdio.
//!
//! This crate moves bytes to and from a server and knows when a request provably never left.
//! It decides nothing: what may be sent is the business of the `gateway` crate. Only where connections may lead is
//! said here ([`egress`]), because that can be known for sure only where they are opened.

pub mod child;
pub mod clear;
pub mod egress;
pub mod http;
pub mod resolve;
