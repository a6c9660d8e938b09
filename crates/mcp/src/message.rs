//! JSON-RPC messages, read once and kept as they were sent.
//!
//! [`parse_client`] reads what an agent sends and is the strictest: whatever servers of different languages could read
//! in different ways is refused. [`parse_upstream`] reads what a server sends: the same JSON and the same envelope,
//! but the members of `params` are the client's business.

mod envelope;
mod id;
pub(crate) mod member;
mod params;
mod salvage;
mod scan;

use std::borrow::Cow;

pub use crate::json::{Span, splice};
pub use id::{Id, IdKey, MAX_ID};
pub use params::{MAX_NAME, Params, Reference, Spans};

use crate::method::Kind;

/// How many messages a batch may have.
pub const MAX_BATCH: usize = 1_000;

/// What a body holds.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "one message is the rule, and a box would be the only allocation of a call"
)]
pub enum Body<'a> {
    /// One message.
    One(Message<'a>),
    /// An array of messages, which 2025-03-26 alone knows. Never empty; no two requests have the same id.
    Batch(Vec<Message<'a>>),
}

/// One message.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// Asks for an answer.
    Request(Request<'a>),
    /// Asks for none.
    Notification(Notification<'a>),
    /// Answers.
    Response(Response<'a>),
}

impl<'a> Message<'a> {
    /// The message as it was sent.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        match self {
            Self::Request(request) => request.raw,
            Self::Notification(notification) => notification.raw,
            Self::Response(response) => response.raw,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What the answer will name it by.
    pub id: Id<'a>,
    /// Where the id stands in `raw`.
    pub id_span: Span,
    /// The method's name, at most [`MAX_NAME`] characters, never empty.
    pub method: Cow<'a, str>,
    /// What the method is.
    pub kind: Kind,
    /// What a gateway reads of `params`.
    pub params: Params<'a>,
    /// The message as it was sent.
    pub raw: &'a str,
}

/// A notification.
#[derive(Debug, Clone)]
pub struct Notification<'a> {
    /// The method's name, at most [`MAX_NAME`] characters, never empty.
    pub method: Cow<'a, str>,
    /// What the method is.
    pub kind: Kind,
    /// What a gateway reads of `params`.
    pub params: Params<'a>,
    /// The message as it was sent.
    pub raw: &'a str,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response<'a> {
    /// The id of the request it answers. Only an error may lack one.
    pub id: Option<Id<'a>>,
    /// Where the id stands in `raw`, if there is one, `null` included.
    pub id_span: Option<Span>,
    /// What became of the request.
    pub outcome: Outcome<'a>,
    /// The message as it was sent.
    pub raw: &'a str,
}

/// What became of a request, as raw JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The `result`.
    Result(&'a str),
    /// The `error`, an object.
    Error(&'a str),
}

/// Bytes that are not one well-formed, unambiguous JSON-RPC body. Nothing of them may be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// -32700 for what is not strict JSON, -32600 for what is no message, -32602 for `params` the method cannot have.
    pub code: i32,
    /// What is wrong, for people.
    pub message: String,
    /// The raw id to answer with, when the rest could be read so far that there is no doubt about it.
    pub id: Option<String>,
}

impl Malformed {
    /// Not strict JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// No JSON-RPC message.
    pub const INVALID_REQUEST: i32 = -32600;
    /// Members of `params` that the method cannot have.
    pub const INVALID_PARAMS: i32 = -32602;
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Malformed {}

/// Who sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Upstream,
}

/// Reads what an agent sent.
///
/// Beyond strict JSON and the shape of JSON-RPC 2.0 this demands that no key of the envelope or of `params` could be
/// taken for one that the method knows, and that the members a gateway judges by have their types.
///
/// # Errors
/// [`Malformed`], with the code and text to answer with.
pub fn parse_client(bytes: &[u8]) -> Result<Body<'_>, Malformed> {
    scan::body(bytes, Side::Client)
}

/// Reads what a server sent: strict JSON and the shape of JSON-RPC 2.0. Members of `params` that have another type than
/// the protocol says are left unread.
///
/// # Errors
/// [`Malformed`]; a server gets no answer to it.
pub fn parse_upstream(bytes: &[u8]) -> Result<Body<'_>, Malformed> {
    scan::body(bytes, Side::Upstream)
}

#[cfg(test)]
mod tests;
