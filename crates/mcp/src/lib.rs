//! The Model Context Protocol on the wire: strict JSON, envelopes, methods, headers and framing, without any IO.
//!
//! Everything here borrows from the bytes it was given and leaves them as they are: what is judged is what is forwarded.
//! Nothing reads a clock, a file or the environment, and the same bytes always give the same answer.

pub mod canonical;
pub mod elicitation;
pub mod header;
pub mod json;
pub mod line;
pub mod message;
pub mod method;
pub mod qualified;
pub mod result;
pub mod revision;
pub mod sse;
pub mod task;
pub mod trace;
pub mod translate;
