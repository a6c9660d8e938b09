//! Values as text, for people with the right to know them.

use std::fmt::Write;

use mcp::json;

use super::view::{Members, View};

/// The longest text of a value, in Unicode scalars.
const MAX_SHOWN: usize = 200;

/// The value as JSON, shortened to 200 characters.
pub(super) fn shown(view: View<'_>) -> String {
    let mut text = String::new();
    write_view(view, &mut text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => {
            text.truncate(end);
            text.push('…');
            text
        }
        None => text,
    }
}

/// Writes JSON, and stops soon after more was written than will be shown.
fn write_view(view: View<'_>, out: &mut String) {
    if out.len() > MAX_SHOWN * 4 {
        return;
    }
    match view {
        View::Null => out.push_str("null"),
        View::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        View::Sent(number) => out.push_str(number.text()),
        View::Exact(number) => _ = write!(out, "{number}"),
        View::Small(number) => _ = write!(out, "{number}"),
        View::Text(text) => {
            let end = text.char_indices().nth(MAX_SHOWN).map_or(text.len(), |(end, _)| end);
            out.push_str(&json::quote(text.get(..end).unwrap_or(text)));
        }
        View::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_view(item, out);
                if out.len() > MAX_SHOWN * 4 {
                    return;
                }
            }
            out.push(']');
        }
        View::Object(members) => write_members(members, out),
        View::Address(address) => _ = write!(out, "\"{address}\""),
        View::Time(time) => _ = write!(out, "\"{time}\""),
    }
}

fn write_members(members: Members<'_>, out: &mut String) {
    let entries: Vec<(&str, View<'_>)> = match members {
        Members::Sent(members) => members.iter().take(MAX_SHOWN).map(|(key, value)| (key, View::from(value))).collect(),
        Members::Written(members) => {
            members.iter().take(MAX_SHOWN).map(|(key, value)| (key.as_ref(), View::from(value))).collect()
        }
    };
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&json::quote(key));
        out.push(':');
        write_view(value, out);
    }
    out.push('}');
}
