//! Which count a use belongs to.

use std::fmt::Write;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{Amount, Window};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// Uses within a window.
    #[default]
    Quota,
    /// Calls in flight.
    Concurrency,
}

/// The identity of a count: organisation, scope ids, counter, window, time zone and kind. Two
/// limits with the same identity share one count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CountId {
    text: Arc<str>,
    digest: [u8; 16],
}

impl CountId {
    /// The identity made of these parts; each scope is its name and the id that it has here.
    #[must_use]
    pub fn new(
        organisation: &str,
        scopes: &[(&str, impl AsRef<str>)],
        counter: &str,
        window: Option<Window>,
        zone: &TimeZone,
        kind: Kind,
    ) -> Self {
        let mut text = String::with_capacity(96);
        part(&mut text, organisation);
        for (scope, id) in scopes {
            for piece in ["|", scope, "="] {
                text.push_str(piece);
            }
            part(&mut text, id.as_ref());
        }
        text.push_str("|counter=");
        part(&mut text, counter);
        match (kind, window) {
            (Kind::Concurrency, _) | (_, None) => text.push_str("|in flight"),
            // Rolling windows are the same in every zone.
            (_, Some(window @ Window::Rolling(_))) => drop(write!(text, "|{window}")),
            (_, Some(window)) => {
                for piece in ["|", window.name(), " in ", zone.iana_name().unwrap_or("UTC")] {
                    text.push_str(piece);
                }
            }
        }
        Self { digest: digest(&text), text: text.into() }
    }

    /// The identity of a use in a window as [`text`](Self::text) wrote it, with that window and its
    /// zone; `None` for calls in flight, and for what is no such text.
    ///
    /// ```
    /// use quota::{CountId, Kind, Window};
    /// let zone = jiff::tz::TimeZone::UTC;
    /// let id = CountId::new("local", &[("grant", "files/ann")], "writes", Some(Window::Day), &zone, Kind::Quota);
    /// assert_eq!(CountId::parse(id.text()), Some((id, Window::Day, zone)));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, Window, TimeZone)> {
        let (_, last) = text.rsplit_once('|')?;
        let (window, zone) = match last.split_once(" in ") {
            Some((name, zone)) => (Window::named(name)?, TimeZone::get(zone).ok()?),
            None => (Window::Rolling(last.strip_suffix(" s")?.parse().ok()?), TimeZone::UTC),
        };
        Some((Self { digest: digest(text), text: text.into() }, window, zone))
    }

    /// The identity as text, unambiguous and readable.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// 128 bits that stand for the text, to find it by. Whoever keeps counts by them keeps the text
    /// as well, and compares it.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        self.digest
    }
}

/// Whether a count, by its identity, belongs to an organisation.
#[must_use]
pub fn is_of(id: &str, organisation: &str) -> bool {
    let mut own = String::with_capacity(organisation.len() + 1);
    part(&mut own, organisation);
    own.push('|');
    id.starts_with(&own)
}

/// What an identity says, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The scopes, each with the id that it has here.
    pub scopes: Vec<(String, String)>,
    /// The counter.
    pub counter: String,
    /// The window, such as `day in UTC`, `60 s`, or `in flight`.
    pub window: String,
}

impl Named {
    /// Reads what [`CountId::text`] wrote; `None` for what is no such text.
    ///
    /// ```
    /// use quota::{CountId, Kind, Named, Window};
    /// let zone = jiff::tz::TimeZone::UTC;
    /// let id = CountId::new("o", &[("grant", "files/a=b|c")], "writes", Some(Window::Day), &zone, Kind::Quota);
    /// let named = Named::read(id.text()).unwrap();
    /// assert_eq!(named.scopes, [("grant".to_owned(), "files/a=b|c".to_owned())]);
    /// assert_eq!((named.counter.as_str(), named.window.as_str()), ("writes", "day in UTC"));
    /// ```
    #[must_use]
    pub fn read(id: &str) -> Option<Self> {
        let mut parts = pieces(id, '|');
        // The organisation.
        parts.next()?;
        let mut scopes = Vec::new();
        let counter = loop {
            let (name, value) = parts.next()?.split_once('=')?;
            match name {
                "counter" => break plain(value),
                scope => scopes.push((scope.to_owned(), plain(value))),
            }
        };
        let window = parts.next()?.to_owned();
        parts.next().is_none().then_some(Self { scopes, counter, window })
    }
}

/// The pieces between separators that are not escaped.
fn pieces(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |c| {
        let ends = c == separator && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}

/// A part as it was before it was escaped.
fn plain(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    let mut escaped = false;
    for c in part.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            text.push(c);
        }
    }
    text
}

/// A part in which the separators are escaped, so that parts cannot be shifted into each other.
fn part(text: &mut String, part: &str) {
    if !part.contains(['|', '=', '\\']) {
        return text.push_str(part);
    }
    for c in part.chars() {
        if matches!(c, '|' | '=' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
}

/// FNV-1a with 128 bits.
fn digest(text: &str) -> [u8; 16] {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in text.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash.to_le_bytes()
}

/// One use that a call asks for.
#[derive(Debug, Clone)]
pub struct Take {
    /// The count.
    pub id: CountId,
    /// The window; `None` for calls in flight.
    pub window: Option<Window>,
    /// The zone of calendar windows.
    pub zone: TimeZone,
    /// What is counted.
    pub kind: Kind,
    /// The most that the window may hold, inclusive.
    pub max: Amount,
    /// How much the call takes.
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_do_not_collide_by_shifted_parts() {
        let id = |scopes: &[(&str, &str)], counter: &str| {
            CountId::new("local", scopes, counter, Some(Window::Rolling(60)), &TimeZone::UTC, Kind::Quota)
        };
        let one = id(&[("grant", "a|tool=b")], "c");
        let two = id(&[("grant", "a"), ("tool", "b")], "c");
        assert_ne!(one, two);
        assert_ne!(one.digest(), two.digest());
        assert_eq!(one, id(&[("grant", "a|tool=b")], "c"));
    }
}
