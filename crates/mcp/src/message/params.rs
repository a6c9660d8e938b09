//! The members of `params` that a gateway reads.

use std::borrow::Cow;

use super::member::{Member, Members, Shape};
use super::scan::{Envelope, Found, Slot, UNKNOWN_METHOD};
use super::{Id, MAX_ID, Malformed, Side};
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
    /// The W3C `traceparent`, from `_meta`, as it was sent.
    pub trace_parent: Option<Cow<'a, str>>,
    /// The W3C `tracestate`, from `_meta`, as it was sent.
    pub trace_state: Option<Cow<'a, str>>,
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
        let aliased = object
            .iter()
            .any(|(key, _)| ["type", "name", "uri"].iter().any(|known| key != *known && json::folds_to(key, known)));
        let text = |key| Some(object.get(key)?.as_str()?.to_owned()).filter(|text| !text.is_empty());
        match (aliased, text("type")?.as_str()) {
            (false, "ref/prompt") => text("name").map(Reference::Prompt),
            (false, "ref/resource") => text("uri").map(Reference::Resource),
            _ => None,
        }
    }
}

impl Params<'_> {
    /// The resources that `subscriptions/listen` names; `None` when that cannot be told, so that nobody can judge it.
    #[must_use]
    pub fn subscribes(&self) -> Option<Vec<String>> {
        const KEY: &str = "resourceSubscriptions";
        let wanted = json::parse(self.notifications?).ok()?;
        let object = wanted.as_object()?;
        // A decoder that folds case must not find other resources than those that are judged.
        if object.iter().any(|(key, _)| key != KEY && json::folds_to(key, KEY)) {
            return None;
        }
        match object.get(KEY) {
            None | Some(json::Value::Null) => Some(Vec::new()),
            Some(uris) => uris.as_array()?.iter().map(|uri| uri.as_str().map(str::to_owned)).collect(),
        }
    }
}

/// Whether a name has more than [`MAX_NAME`] characters.
pub(super) fn is_long(name: &str) -> bool {
    name.len() > MAX_NAME && name.chars().count() > MAX_NAME
}

/// Reads what was found; `base` is where the message begins in `text`.
#[inline]
pub(super) fn read<'a>(
    text: &'a str,
    base: usize,
    envelope: &Envelope,
    row: Option<&Method>,
    side: Side,
) -> Result<Params<'a>, Malformed> {
    let found = &envelope.found;
    let place = |slot: Slot| Some(slot.span.relative_to(base));
    let mut params = Params::default();
    if let Some(slot) = envelope.params {
        params.raw = Some(slot.raw(text));
        params.spans.params = place(slot);
    }
    let known = row.filter(|_| side == Side::Client).map_or(UNKNOWN_METHOD, |row| row.known);
    let strict = row.filter(|_| side == Side::Client);
    if side == Side::Client {
        keys(text, found, known)?;
    }
    let mut missing = strict.map_or(Members::of(&[]), |row| row.required);
    for (member, slot) in found.members.iter().filter(|(member, _)| known.has(*member)) {
        let fits = params.take(text, *member, *slot, place(*slot));
        match strict {
            Some(row) if !fits => return Err(wrong(*member, row)),
            _ => missing = missing.without(*member),
        }
    }
    if let (Some(row), Some(member)) = (strict, missing.first()) {
        return Err(wrong(member, row));
    }
    if row.is_none_or(|row| row.kind != Kind::Progress) {
        let token = found.progress_token.filter(|slot| fits(text, *slot, Shape::Id));
        params.progress_token = token.map(|slot| slot.raw(text));
        params.spans.progress_token = token.and_then(place);
    }
    if let Some(slot) = found.protocol_version {
        params.meta_protocol_version = slot.string(text).filter(|version| !version.is_empty());
        if side == Side::Client && params.meta_protocol_version.is_none() {
            return Err(wrong_meta("protocolVersion", Shape::Text));
        }
    }
    if let Some(slot) = found.client_capabilities {
        if slot.is_object() {
            params.meta_client_capabilities = Some(slot.raw(text));
            params.spans.meta_client_capabilities = place(slot);
        } else if side == Side::Client {
            return Err(wrong_meta("clientCapabilities", Shape::Object));
        }
    }
    params.meta_log_level = found.log_level.and_then(|slot| slot.string(text));
    params.trace_parent = found.trace_parent.and_then(|slot| slot.string(text));
    params.trace_state = found.trace_state.and_then(|slot| slot.string(text));
    Ok(params)
}

/// What the keys of an agent's `params` must not be.
fn keys(text: &str, found: &Found, known: Members) -> Result<(), Malformed> {
    let alias = found.aliases.iter().find(|(member, _)| known.has(*member)).map(|(_, key)| *key);
    let Some(key) = found.odd.or(alias) else {
        return Ok(());
    };
    let key = quote(key.inner().of(text));
    Err(refuse(format!("The key {key} of `params` could be taken for another; leave it out.")))
}

impl<'a> Params<'a> {
    /// Takes one member, if it is what it must be; whether it was.
    fn take(&mut self, text: &'a str, member: Member, slot: Slot, place: Option<Span>) -> bool {
        let shape = member.shape();
        if matches!(shape, Shape::OptionalString | Shape::OptionalObject) && slot.is_null() {
            return true;
        }
        match shape {
            Shape::Any => return true,
            Shape::Name | Shape::Text | Shape::String | Shape::OptionalString => {
                let Some(string) = slot.string(text).filter(|string| string_fits(string, shape)) else {
                    return false;
                };
                let (field, span) = match member {
                    Member::Name => (&mut self.name, Some(&mut self.spans.name)),
                    Member::Uri => (&mut self.uri, Some(&mut self.spans.uri)),
                    Member::TaskId => (&mut self.task_id, Some(&mut self.spans.task_id)),
                    Member::Cursor => (&mut self.cursor, None),
                    Member::RequestState => (&mut self.request_state, None),
                    Member::ProtocolVersion => (&mut self.protocol_version, None),
                    Member::Level => (&mut self.level, None),
                    _ => return true,
                };
                *field = Some(string);
                if let Some(span) = span {
                    *span = place;
                }
            }
            Shape::Object | Shape::OptionalObject | Shape::Id => {
                if !fits(text, slot, shape) {
                    return false;
                }
                let (field, span) = match member {
                    Member::Arguments => (&mut self.arguments, Some(&mut self.spans.arguments)),
                    Member::Meta => (&mut self.meta, Some(&mut self.spans.meta)),
                    Member::Capabilities => (&mut self.capabilities, Some(&mut self.spans.capabilities)),
                    Member::RequestId => (&mut self.request_id, Some(&mut self.spans.request_id)),
                    Member::ProgressToken => (&mut self.progress_token, Some(&mut self.spans.progress_token)),
                    Member::ClientInfo => (&mut self.client_info, None),
                    Member::InputResponses => (&mut self.input_responses, None),
                    Member::Reference => (&mut self.reference, None),
                    Member::Task => (&mut self.task, None),
                    Member::Notifications => (&mut self.notifications, None),
                    _ => return true,
                };
                *field = Some(slot.raw(text));
                if let Some(span) = span {
                    *span = place;
                }
            }
        }
        true
    }
}

fn string_fits(string: &str, shape: Shape) -> bool {
    match shape {
        Shape::Name => !string.is_empty() && !is_long(string),
        Shape::Text => !string.is_empty(),
        _ => true,
    }
}

fn wrong(member: Member, row: &Method) -> Malformed {
    let (key, shape) = (member.key(), describe(member.shape()));
    refuse(format!("The member `{key}` of `params` of `{}` must be {shape}.", row.name))
}

fn wrong_meta(name: &str, shape: Shape) -> Malformed {
    let shape = describe(shape);
    refuse(format!("The member `_meta[\"io.modelcontextprotocol/{name}\"]` must be {shape}."))
}

fn fits(text: &str, slot: Slot, shape: Shape) -> bool {
    match shape {
        Shape::Name | Shape::Text | Shape::String | Shape::OptionalString => slot.is_string(),
        Shape::Object | Shape::OptionalObject => slot.is_object(),
        Shape::Id if slot.is_string() => slot.raw(text).len() <= MAX_ID,
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
    Malformed { code: Malformed::INVALID_PARAMS, message, id: None }
}
