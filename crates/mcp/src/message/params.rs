//! The members of `params` that a gateway reads.

use std::borrow::Cow;

use super::member::{Member, Shape};
use super::scan::{Envelope, Found, Slot, UNKNOWN_METHOD};
use super::{Id, Malformed, Side};
use crate::json::{self, Span, quote};
use crate::method::{Kind, Method};

/// How many characters a method's, tool's, prompt's or task's name may have.
pub const MAX_NAME: usize = 1_024;

/// What a gateway reads of `params`; all else stays in [`raw`](Self::raw).
///
/// Of a method that the table has, only members that it knows are here. Spans are relative to the message's own text.
#[derive(Debug, Clone, Default)]
pub struct Params<'a> {
    /// The whole object.
    pub raw: Option<&'a str>,
    /// The tool or prompt.
    pub name: Option<Cow<'a, str>>,
    /// The resource.
    pub uri: Option<Cow<'a, str>>,
    /// Where a list goes on.
    pub cursor: Option<Cow<'a, str>>,
    /// The task.
    pub task_id: Option<Cow<'a, str>>,
    /// What a server gave along with `input_required`, opaque.
    pub request_state: Option<Cow<'a, str>>,
    /// The revision that `initialize` asks for.
    pub protocol_version: Option<Cow<'a, str>>,
    /// The level of `logging/setLevel`.
    pub level: Option<Cow<'a, str>>,
    /// `arguments`, an object.
    pub arguments: Option<&'a str>,
    /// `_meta`, an object.
    pub meta: Option<&'a str>,
    /// `capabilities` of `initialize`, an object.
    pub capabilities: Option<&'a str>,
    /// `clientInfo` of `initialize`, an object. Self-reported: to show, never to judge by.
    pub client_info: Option<&'a str>,
    /// `inputResponses` of a repeated call, an object.
    pub input_responses: Option<&'a str>,
    /// `ref` of `completion/complete`, an object; see [`Self::completes`].
    pub reference: Option<&'a str>,
    /// `requestId` of `notifications/cancelled`, an id.
    pub request_id: Option<&'a str>,
    /// `progressToken`, an id: of `notifications/progress` itself, of any other message from its `_meta`.
    pub progress_token: Option<&'a str>,
    /// `task` of a call that asks for a task, an object.
    pub task: Option<&'a str>,
    /// `notifications` of `subscriptions/listen`, an object.
    pub notifications: Option<&'a str>,
    /// The revision of a stateless request, from `_meta`.
    pub meta_protocol_version: Option<Cow<'a, str>>,
    /// The client's capabilities in a stateless request, from `_meta`; an object.
    pub meta_client_capabilities: Option<&'a str>,
    /// The log level of a stateless request, from `_meta`.
    pub meta_log_level: Option<Cow<'a, str>>,
    /// Where those stand that a gateway may have to replace.
    pub spans: Spans,
}

/// Where members stand in the text of their message. Strings with their quotes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spans {
    /// `params`
    pub params: Option<Span>,
    /// `params.name`
    pub name: Option<Span>,
    /// `params.uri`
    pub uri: Option<Span>,
    /// `params.arguments`
    pub arguments: Option<Span>,
    /// `params.taskId`
    pub task_id: Option<Span>,
    /// `params.requestId`
    pub request_id: Option<Span>,
    /// `params.progressToken`, or the one in `_meta`
    pub progress_token: Option<Span>,
    /// `params.capabilities`
    pub capabilities: Option<Span>,
    /// `params._meta`
    pub meta: Option<Span>,
    /// `params._meta["io.modelcontextprotocol/clientCapabilities"]`
    pub meta_client_capabilities: Option<Span>,
}

/// What `completion/complete` completes an argument of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The prompt of that name.
    Prompt(String),
    /// The resource or template of that URI.
    Resource(String),
}

impl Params<'_> {
    /// What `completion/complete` completes an argument of; `None` when `ref` is missing or neither a prompt nor a
    /// resource, which cannot be judged and so cannot be allowed.
    #[must_use]
    pub fn completes(&self) -> Option<Reference> {
        let reference = json::parse(self.reference?).ok()?;
        let object = reference.as_object()?;
        // A decoder that folds case must not find another prompt than the one that is judged.
        let aliased = object.iter().any(|(key, _)| {
            ["type", "name", "uri"]
                .iter()
                .any(|known| key != *known && json::folds_to(key, known))
        });
        let text =
            |key| Some(object.get(key)?.as_str()?.to_owned()).filter(|text| !text.is_empty());
        match (aliased, text("type")?.as_str()) {
            (false, "ref/prompt") => text("name").map(Reference::Prompt),
            (false, "ref/resource") => text("uri").map(Reference::Resource),
            _ => None,
        }
    }
}

/// Whether a name has more than [`MAX_NAME`] characters.
pub(super) fn is_long(name: &str) -> bool {
    name.len() > MAX_NAME && name.chars().count() > MAX_NAME
}

/// Reads what was found; `base` is where the message begins in `text`.
pub(super) fn read<'a>(
    text: &'a str,
    base: usize,
    envelope: &Envelope,
    row: Option<&Method>,
    side: Side,
) -> Result<Params<'a>, Malformed> {
    let found = &envelope.found;
    let known = row
        .filter(|_| side == Side::Client)
        .map_or(UNKNOWN_METHOD, |row| row.known);
    if side == Side::Client {
        check(text, found, row)?;
    }
    let slot = |member: Member| {
        let slot = found.member(member).filter(|_| known.has(member))?;
        (!slot.is_null() && fits(text, slot, member.shape())).then_some(slot)
    };
    let string = |member| slot(member).and_then(|slot| slot.string(text));
    let raw = |member| slot(member).map(|slot| slot.raw(text));
    let span = |slot: Option<Slot>| slot.and_then(|slot| slot.span.relative_to(base));
    let progress_token = match row.map(|row| row.kind) {
        Some(Kind::Progress) => slot(Member::ProgressToken),
        _ => found
            .progress_token
            .filter(|slot| fits(text, *slot, Shape::Id)),
    };
    let client_capabilities = found.client_capabilities.filter(|slot| slot.is_object());
    Ok(Params {
        raw: envelope.params.map(|slot| slot.raw(text)),
        name: string(Member::Name),
        uri: string(Member::Uri),
        cursor: string(Member::Cursor),
        task_id: string(Member::TaskId),
        request_state: string(Member::RequestState),
        protocol_version: string(Member::ProtocolVersion),
        level: string(Member::Level),
        arguments: raw(Member::Arguments),
        meta: raw(Member::Meta),
        capabilities: raw(Member::Capabilities),
        client_info: raw(Member::ClientInfo),
        input_responses: raw(Member::InputResponses),
        reference: raw(Member::Reference),
        request_id: raw(Member::RequestId),
        progress_token: progress_token.map(|slot| slot.raw(text)),
        task: raw(Member::Task),
        notifications: raw(Member::Notifications),
        meta_protocol_version: found.protocol_version.and_then(|slot| slot.string(text)),
        meta_client_capabilities: client_capabilities.map(|slot| slot.raw(text)),
        meta_log_level: found.log_level.and_then(|slot| slot.string(text)),
        spans: Spans {
            params: span(envelope.params),
            name: span(slot(Member::Name)),
            uri: span(slot(Member::Uri)),
            arguments: span(slot(Member::Arguments)),
            task_id: span(slot(Member::TaskId)),
            request_id: span(slot(Member::RequestId)),
            progress_token: span(progress_token),
            capabilities: span(slot(Member::Capabilities)),
            meta: span(slot(Member::Meta)),
            meta_client_capabilities: span(client_capabilities),
        },
    })
}

/// What an agent's `params` must be.
fn check(text: &str, found: &Found, row: Option<&Method>) -> Result<(), Malformed> {
    let known = row.map_or(UNKNOWN_METHOD, |row| row.known);
    let alias = found
        .aliases
        .iter()
        .find(|(member, _)| known.has(*member))
        .map(|(_, key)| *key);
    if let Some(key) = found.odd.or(alias) {
        let key = quote(key.inner().of(text));
        return Err(refuse(format!(
            "The key {key} of `params` could be taken for another; leave it out."
        )));
    }
    let modern = [
        (found.protocol_version, Shape::Text, "protocolVersion"),
        (
            found.client_capabilities,
            Shape::Object,
            "clientCapabilities",
        ),
    ];
    for (slot, shape, name) in modern {
        if slot.is_some_and(|slot| !fits(text, slot, shape)) {
            return Err(refuse(format!(
                "The member `_meta[\"io.modelcontextprotocol/{name}\"]` must be {}.",
                describe(shape)
            )));
        }
    }
    let Some(row) = row else { return Ok(()) };
    for member in Member::ALL {
        let missing = match found.member(member).filter(|_| known.has(member)) {
            Some(slot) => !fits(text, slot, member.shape()),
            None => row.required.has(member),
        };
        if missing {
            let (key, shape) = (member.key(), describe(member.shape()));
            return Err(refuse(format!(
                "The member `{key}` of `params` of `{}` must be {shape}.",
                row.name
            )));
        }
    }
    Ok(())
}

fn fits(text: &str, slot: Slot, shape: Shape) -> bool {
    match shape {
        Shape::Name => slot
            .string(text)
            .is_some_and(|name| !name.is_empty() && !is_long(&name)),
        Shape::Text => slot.string(text).is_some_and(|text| !text.is_empty()),
        Shape::String => slot.is_string(),
        Shape::OptionalString => slot.is_string() || slot.is_null(),
        Shape::Object => slot.is_object(),
        Shape::OptionalObject => slot.is_object() || slot.is_null(),
        Shape::Id => Id::parse(slot.raw(text)).is_some(),
        Shape::Any => true,
    }
}

fn describe(shape: Shape) -> &'static str {
    match shape {
        Shape::Name => "a string of 1 to 1024 characters",
        Shape::Text => "a string that is not empty",
        Shape::String | Shape::OptionalString => "a string",
        Shape::Object | Shape::OptionalObject => "an object",
        Shape::Id => "a string or an integer of at most 256 bytes",
        Shape::Any => "there",
    }
}

fn refuse(message: String) -> Malformed {
    Malformed {
        code: Malformed::INVALID_PARAMS,
        message,
        id: None,
    }
}
