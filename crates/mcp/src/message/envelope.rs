//! From a scanned envelope to a message.

use std::borrow::Cow;

use super::scan::{Envelope, Slot, refuse};
use super::{Id, Malformed, Message, Notification, Outcome, Request, Response, Side, params};
use crate::json::{Span, quote};
use crate::method::{self, Kind, Method};

/// Builds the message that stands at `place` in `text`.
#[inline]
pub(super) fn read<'a>(text: &'a str, place: Span, envelope: &Envelope, side: Side) -> Result<Message<'a>, Malformed> {
    let id = envelope.id.filter(|slot| !slot.is_null()).map(|slot| Id::parse(slot.raw(text)));
    let message = match id {
        Some(None) => Err(refuse("The `id` must be a string or an integer of at most 256 bytes.")),
        None => build(text, place, envelope, side, None),
        Some(Some(ref id)) => build(text, place, envelope, side, Some(id)),
    };
    // The id of an answer is one of the other side's: echoed, it would be taken for the sender's own request of that id.
    let answers = envelope.method.is_none() && (envelope.result.is_some() || envelope.error.is_some());
    message.map_err(|malformed| Malformed {
        // An id is worth echoing only where nothing else in the envelope could be taken for one.
        id: id.flatten().filter(|_| envelope.odd.is_none() && !answers).map(|id| id.raw().to_owned()),
        ..malformed
    })
}

#[inline]
fn build<'a>(
    text: &'a str,
    place: Span,
    envelope: &Envelope,
    side: Side,
    id: Option<&Id<'a>>,
) -> Result<Message<'a>, Malformed> {
    if let Some(key) = envelope.odd {
        let key = quote(key.inner().of(text));
        return Err(refuse(format!("The key {key} of the message could be taken for another; leave it out.")));
    }
    if envelope.version.and_then(|slot| slot.string(text)).as_deref() != Some("2.0") {
        return Err(refuse("The member `jsonrpc` must be \"2.0\"."));
    }
    let raw = place.of(text);
    let id_span = envelope.id.map(|slot| slot.span.relative_to(place.start()));
    match (envelope.method, envelope.result, envelope.error) {
        (Some(method), None, None) => {
            let (method, row) = name(text, method)?;
            let kind = row.map_or(Kind::Unknown, |row| row.kind);
            if envelope.params.is_some_and(|slot| !slot.is_object()) {
                return Err(refuse("The `params` must be an object."));
            }
            match (envelope.id, row) {
                (Some(_), Some(Method { notification: true, .. })) => {
                    return Err(refuse(format!("`{method}` is a notification and cannot have an `id`.")));
                }
                (None, Some(Method { notification: false, .. })) => {
                    return Err(refuse(format!("`{method}` is a request and needs an `id`.")));
                }
                _ => {}
            }
            let params = params::read(text, place.start(), envelope, row, side)?;
            match (envelope.id, id.cloned(), id_span) {
                (None, ..) => Ok(Message::Notification(Notification { method, kind, params, raw })),
                (Some(_), Some(id), Some(id_span)) => {
                    Ok(Message::Request(Request { id, id_span, method, kind, params, raw }))
                }
                _ => Err(refuse("The `id` of a request must not be null.")),
            }
        }
        (None, result, error) => {
            if envelope.params.is_some() {
                return Err(refuse("A response has no `params`."));
            }
            let outcome = match (result, error) {
                (Some(result), None) if side == Side::Client && !result.is_object() => {
                    return Err(refuse("The `result` must be an object."));
                }
                (Some(_), None) if id.is_none() => {
                    return Err(refuse("A response needs the `id` of its request."));
                }
                (Some(result), None) => Outcome::Result(result.raw(text)),
                (None, Some(error)) if error.is_object() => Outcome::Error(error.raw(text)),
                (None, Some(_)) => return Err(refuse("The `error` must be an object.")),
                (Some(_), Some(_)) => {
                    return Err(refuse("A response has either a `result` or an `error`, not both."));
                }
                (None, None) => {
                    return Err(refuse("The message has neither a `method` nor a `result` or `error`."));
                }
            };
            Ok(Message::Response(Response { id: id.cloned(), id_span, outcome, raw }))
        }
        (Some(_), ..) => Err(refuse("A message is either a request or a response, not both.")),
    }
}

fn name(text: &str, slot: Slot) -> Result<(Cow<'_, str>, Option<&'static Method>), Malformed> {
    match slot.string(text) {
        Some(name) if !name.is_empty() && !params::is_long(&name) => {
            let row = method::find(&name);
            Ok((name, row))
        }
        _ => Err(refuse("The `method` must be a string of 1 to 1024 characters.")),
    }
}
