//! The one pass over a body: strict JSON, with the places of what a gateway reads.

use std::borrow::Cow;
use std::collections::HashSet;

use smallvec::SmallVec;

use super::member::{Member, Members};
use super::{Body, MAX_BATCH, Malformed, Message, Side, envelope, salvage};
use crate::json::{self, Quoted, Scanner, Span, folds_to};

/// A value in the text: where it stands and what it begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) span: Span,
    /// The first byte, which tells the type.
    pub(super) first: u8,
    escaped: bool,
}

impl Slot {
    pub(super) fn is_string(self) -> bool {
        self.first == b'"'
    }

    pub(super) fn is_object(self) -> bool {
        self.first == b'{'
    }

    pub(super) fn is_null(self) -> bool {
        self.first == b'n'
    }

    /// The JSON text.
    pub(super) fn raw(self, text: &str) -> &str {
        self.span.of(text)
    }

    /// The string, escapes undone; `None` for any other type.
    pub(super) fn string(self, text: &str) -> Option<Cow<'_, str>> {
        self.is_string().then_some(())?;
        let inner = text.get(self.span.start() + 1..self.span.end() - 1)?;
        Some(json::unescape(inner, self.escaped))
    }
}

/// The envelope of one message.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) version: Option<Slot>,
    pub(super) id: Option<Slot>,
    pub(super) method: Option<Slot>,
    pub(super) params: Option<Slot>,
    pub(super) result: Option<Slot>,
    pub(super) error: Option<Slot>,
    /// The first key that a decoder could take for one of these.
    pub(super) odd: Option<Quoted>,
    pub(super) found: Found,
}

/// What was found in `params`.
#[derive(Default)]
pub(super) struct Found {
    /// Members that some method knows, in the order they came.
    pub(super) members: SmallVec<[(Member, Slot); 8]>,
    /// `_meta`'s `io.modelcontextprotocol/protocolVersion`.
    pub(super) protocol_version: Option<Slot>,
    /// `_meta`'s `io.modelcontextprotocol/clientCapabilities`.
    pub(super) client_capabilities: Option<Slot>,
    /// `_meta`'s `io.modelcontextprotocol/logLevel`.
    pub(super) log_level: Option<Slot>,
    /// `_meta`'s `progressToken`.
    pub(super) progress_token: Option<Slot>,
    /// `_meta`'s `traceparent`.
    pub(super) trace_parent: Option<Slot>,
    /// `_meta`'s `tracestate`.
    pub(super) trace_state: Option<Slot>,
    /// The first key that no method can have.
    pub(super) odd: Option<Quoted>,
    /// Keys that are a problem to the methods that know the member they could be taken for.
    pub(super) aliases: Vec<(Member, Quoted)>,
}

/// Reads a whole body.
pub(super) fn body(bytes: &[u8], side: Side) -> Result<Body<'_>, Malformed> {
    let text = json::utf8(bytes).map_err(not_json)?;
    let mut scanner = Scanner::new(text);
    match scanner.peek() {
        Some(b'{') => {
            let read = message(&mut scanner, 0).and_then(|message| scanner.end().map(|()| message));
            let (raw, envelope) = read.map_err(|fault| Malformed {
                id: if side == Side::Client { salvage::id(text) } else { None },
                ..not_json(fault)
            })?;
            envelope::read(text, raw, &envelope, side).map(Body::One)
        }
        Some(b'[') => batch(&mut scanner, side),
        _ => {
            scanner.skip(0).and_then(|_| scanner.end()).map_err(not_json)?;
            Err(refuse("The body is neither a JSON-RPC message nor a batch of messages."))
        }
    }
}

fn batch<'a>(scanner: &mut Scanner<'a>, side: Side) -> Result<Body<'a>, Malformed> {
    let text = scanner.text();
    let mut messages: Vec<Message<'a>> = Vec::new();
    let mut ids = HashSet::new();
    let mut problem = None;
    let mut element = |scanner: &mut Scanner<'a>| {
        if problem.is_some() || scanner.peek() != Some(b'{') || messages.len() >= MAX_BATCH {
            problem.get_or_insert_with(|| {
                refuse(if messages.len() >= MAX_BATCH {
                    "The batch has more than 1000 messages."
                } else {
                    "An element of the batch is no JSON-RPC message."
                })
            });
            return scanner.skip(1).map(drop);
        }
        let (raw, envelope) = message(scanner, 1)?;
        match envelope::read(text, raw, &envelope, side) {
            Ok(Message::Request(request)) if !ids.insert(request.id.key()) => {
                problem = Some(refuse("Two requests of the batch have the same id."));
            }
            Ok(message) => messages.push(message),
            Err(malformed) => problem = Some(Malformed { id: None, ..malformed }),
        }
        Ok(())
    };
    scanner.array(0, &mut element).and_then(|()| scanner.end()).map_err(not_json)?;
    match problem {
        Some(problem) => Err(problem),
        None if messages.is_empty() => Err(refuse("The batch is empty.")),
        None => Ok(Body::Batch(messages)),
    }
}

/// Scans the object the scanner stands before, inside `depth` open arrays.
fn message(scanner: &mut Scanner<'_>, depth: usize) -> Result<(Span, Envelope), json::Fault> {
    let start = scanner.at();
    let mut envelope = Envelope::default();
    scanner.object(depth, |scanner, key| {
        let name = scanner.decode(key);
        if name == "params" && scanner.peek() == Some(b'{') {
            let start = scanner.at();
            params(scanner, depth + 1, &mut envelope.found)?;
            envelope.params = Some(Slot { span: scanner.span(start), first: b'{', escaped: false });
            return Ok(());
        }
        let value = Some(slot(scanner, depth + 1)?);
        match name.as_ref() {
            "jsonrpc" => envelope.version = value,
            "id" => envelope.id = value,
            "method" => envelope.method = value,
            "params" => envelope.params = value,
            "result" => envelope.result = value,
            "error" => envelope.error = value,
            other => {
                const KNOWN: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
                if is_odd(other) || KNOWN.iter().any(|known| folds_to(other, known)) {
                    envelope.odd.get_or_insert(key);
                }
            }
        }
        Ok(())
    })?;
    Ok((scanner.span(start), envelope))
}

fn params(scanner: &mut Scanner<'_>, depth: usize, found: &mut Found) -> Result<(), json::Fault> {
    scanner.object(depth, |scanner, key| {
        let name = scanner.decode(key);
        match Member::of_key(&name) {
            Some(Member::Meta) if scanner.peek() == Some(b'{') => {
                let start = scanner.at();
                meta(scanner, depth + 1, found)?;
                found.members.push((Member::Meta, Slot { span: scanner.span(start), first: b'{', escaped: false }));
            }
            Some(member) => {
                let value = slot(scanner, depth + 1)?;
                found.members.push((member, value));
            }
            None => {
                scanner.skip(depth + 1)?;
                if is_odd(&name) {
                    found.odd.get_or_insert(key);
                }
                let alias = Member::ALL.into_iter().find(|member| folds_to(&name, member.key()));
                found.aliases.extend(alias.map(|member| (member, key)));
            }
        }
        Ok(())
    })
}

fn meta(scanner: &mut Scanner<'_>, depth: usize, found: &mut Found) -> Result<(), json::Fault> {
    scanner.object(depth, |scanner, key| {
        let name = scanner.decode(key);
        let value = Some(slot(scanner, depth + 1)?);
        match name.as_ref() {
            "progressToken" => found.progress_token = value,
            "io.modelcontextprotocol/protocolVersion" => found.protocol_version = value,
            "io.modelcontextprotocol/clientCapabilities" => found.client_capabilities = value,
            "io.modelcontextprotocol/logLevel" => found.log_level = value,
            // Nothing is judged by these, so they may be written in whatever other ways beside.
            "traceparent" => found.trace_parent = value,
            "tracestate" => found.trace_state = value,
            // Other keys of `_meta` are anybody's, but not in a spelling that passes for one of these.
            other => {
                const KNOWN: [&str; 4] = [
                    "progressToken",
                    "io.modelcontextprotocol/protocolVersion",
                    "io.modelcontextprotocol/clientCapabilities",
                    "io.modelcontextprotocol/logLevel",
                ];
                if other == "__proto__" || KNOWN.iter().any(|known| folds_to(other, known)) {
                    found.aliases.push((Member::Meta, key));
                }
            }
        }
        Ok(())
    })
}

fn slot(scanner: &mut Scanner<'_>, depth: usize) -> Result<Slot, json::Fault> {
    let first = scanner.peek().unwrap_or_default();
    if first == b'"' {
        let quoted = scanner.string()?;
        return Ok(Slot { span: quoted.outer(), first, escaped: quoted.escaped() });
    }
    Ok(Slot { span: scanner.skip(depth)?, first, escaped: false })
}

/// Keys that have no place in an envelope or in `params`, whoever knows them: what is not plain ASCII could be folded
/// to a known key by some decoder, and `__proto__` changes what JavaScript sees.
fn is_odd(key: &str) -> bool {
    !key.bytes().all(|byte| matches!(byte, b' '..=b'~')) || folds_to(key, "__proto__")
}

/// The problem, as the agent will read it.
pub(super) fn refuse(message: impl Into<String>) -> Malformed {
    Malformed { code: Malformed::INVALID_REQUEST, message: message.into(), id: None }
}

fn not_json(error: impl Into<json::Error>) -> Malformed {
    let error = error.into();
    Malformed { code: Malformed::PARSE_ERROR, message: format!("The body is not strict JSON: {error}."), id: None }
}

/// What a method knows that the table does not have: it could be any member.
pub(super) const UNKNOWN_METHOD: Members = Members::ALL;
