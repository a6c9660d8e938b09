//! What tells one count from another.

use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::sync::Arc;

use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::{Kind, Window};

/// The identity of a count: organisation, scope ids, counter, window, time zone and kind, as one
/// readable text with a digest of it.
///
/// The maximum is no part of it: changing `max` keeps the use. Neither is the time zone of a count
/// whose window does not depend on it (rolling windows, calls in flight).
///
/// The text is `local|grant=mail/ci|daily_spend|day|UTC|quota`. Equal texts are equal counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountId {
    text: Arc<str>,
    digest: [u8; 16],
}

/// What an identity says besides its names.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The identity again.
    pub id: CountId,
    /// Its window; `None` for calls in flight.
    pub window: Option<Window>,
    /// The zone of its calendar; UTC where it does not matter.
    pub zone: TimeZone,
    /// What it counts.
    pub kind: Kind,
}

/// The text is no identity of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the identity of a count: {0}")]
pub struct IdentityError(&'static str);

/// No secret: files name counts by what comes of it.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Stands where a time zone does not matter.
const NO_ZONE: &str = "-";
/// Stands where calls in flight have no window.
const NO_WINDOW: &str = "-";

impl CountId {
    /// Names a count. `scope` holds the kind and the id of each scope (`("grant", "mail/ci")`), in
    /// any order. Names may hold any text; what separates parts is escaped.
    #[must_use]
    pub fn new<Id: AsRef<str>>(
        organisation: &str,
        scope: &[(&str, Id)],
        counter: &str,
        window: Option<Window>,
        zone: &TimeZone,
        kind: Kind,
    ) -> CountId {
        let mut text = String::with_capacity(96);
        escape(&mut text, organisation);
        let mut push_scope = |name: &str, id: &str| {
            text.push('|');
            escape(&mut text, name);
            text.push('=');
            escape(&mut text, id);
        };
        if let [(name, id)] = scope {
            push_scope(name, id.as_ref());
        } else {
            let mut sorted: Vec<(&str, &str)> = scope.iter().map(|(name, id)| (*name, id.as_ref())).collect();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.into_iter().for_each(|(name, id)| push_scope(name, id));
        }
        text.push('|');
        escape(&mut text, counter);
        text.push('|');
        match window {
            // Writing to a string cannot fail.
            Some(window) => drop(write!(text, "{window}")),
            None => text.push_str(NO_WINDOW),
        }
        text.push('|');
        match window {
            Some(Window::Rolling(_)) | None => text.push_str(NO_ZONE),
            Some(_) => write_zone(&mut text, zone),
        }
        text.push_str(match kind {
            Kind::Quota => "|quota",
            Kind::Concurrency => "|concurrency",
        });
        CountId::of(text.into())
    }

    /// The identity of this text, which may be cut from a longer one.
    pub(crate) fn of(text: Arc<str>) -> CountId {
        let mut hasher = SipHasher24::new_with_key(&KEY);
        hasher.write(text.as_bytes());
        CountId { digest: hasher.finish128().as_bytes(), text }
    }

    /// Reads the text of an identity, as an audit record gives it.
    ///
    /// # Errors
    /// When it is not one that [`CountId::new`] makes, or names a time zone that is not known here.
    pub fn parse(text: &str) -> Result<Identity, IdentityError> {
        let mut parts = text.rsplit('|');
        let kind = match parts.next() {
            Some("quota") => Kind::Quota,
            Some("concurrency") => Kind::Concurrency,
            _ => return Err(IdentityError("it does not end in a kind")),
        };
        let zone = match parts.next() {
            None => return Err(IdentityError("it has no time zone")),
            Some(NO_ZONE) => TimeZone::UTC,
            Some(name) => read_zone(&unescape(name))?,
        };
        let window = match parts.next() {
            Some(NO_WINDOW) => None,
            Some(window) => Some(window.parse().map_err(|_| IdentityError("its window is not known"))?),
            None => return Err(IdentityError("it has no window")),
        };
        if parts.next().is_none() || parts.next().is_none() {
            return Err(IdentityError("it has too few parts"));
        }
        if (kind == Kind::Quota) != window.is_some() {
            return Err(IdentityError("its window and its kind do not go together"));
        }
        Ok(Identity { id: CountId::of(text.into()), window, zone, kind })
    }

    /// The readable text, the same for the same count on every machine.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, shared.
    #[must_use]
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// 128 bits of the text (SipHash-2-4, a fixed key): the name of the count in a store. Two texts that
    /// somebody made collide would share one count, which is never looser than two.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        self.digest
    }
}

fn escape(out: &mut String, part: &str) {
    for char in part.chars() {
        match char {
            '|' => out.push_str("%7C"),
            '=' => out.push_str("%3D"),
            '%' => out.push_str("%25"),
            char => out.push(char),
        }
    }
}

fn unescape(part: &str) -> String {
    part.replace("%7C", "|").replace("%3D", "=").replace("%25", "%")
}

fn write_zone(out: &mut String, zone: &TimeZone) {
    match zone.iana_name() {
        Some(name) => escape(out, name),
        // Fixed offsets and POSIX rules are told apart by what they say.
        None => match DateTimePrinter::new().time_zone_to_string(zone) {
            Ok(name) => escape(out, &name),
            Err(_) => escape(out, &format!("{zone:?}")),
        },
    }
}

fn read_zone(name: &str) -> Result<TimeZone, IdentityError> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    DateTimeParser::new().parse_time_zone(name).map_err(|_| IdentityError("its time zone is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(scope: &[(&str, &str)], counter: &str, window: Option<Window>, zone: &str) -> CountId {
        let kind = if window.is_some() { Kind::Quota } else { Kind::Concurrency };
        CountId::new("local", scope, counter, window, &TimeZone::get(zone).unwrap(), kind)
    }

    #[test]
    fn texts_are_readable_and_read_back() {
        let day = id(&[("tool", "mail/send"), ("grant", "mail/ci")], "spend", Some(Window::Day), "Europe/Berlin");
        assert_eq!(day.text(), "local|grant=mail/ci|tool=mail/send|spend|day|Europe/Berlin|quota");
        let rolling = id(&[("grant", "a")], "c", Some(Window::Rolling(60)), "Europe/Berlin");
        assert_eq!(rolling.text(), "local|grant=a|c|60 s|-|quota");
        let flight = id(&[("grant", "a")], "c", None, "UTC");
        assert_eq!(flight.text(), "local|grant=a|c|-|-|concurrency");
        for one in [day, rolling, flight] {
            let read = CountId::parse(one.text()).unwrap();
            assert_eq!(read.id, one);
        }
        let fixed = TimeZone::fixed(jiff::tz::offset(-3));
        let id = CountId::new("local", &[("grant", "a")], "c", Some(Window::Day), &fixed, Kind::Quota);
        assert_eq!(CountId::parse(id.text()).unwrap().zone, fixed);
    }

    #[test]
    fn different_counts_have_different_names() {
        let all = [
            id(&[("grant", "a")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "a|b")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "a")], "b|b", Some(Window::Day), "UTC"),
            id(&[("grant", "a%7Cb")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "a"), ("tool", "b")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "a|tool=b")], "b", Some(Window::Day), "UTC"),
            id(&[("grant=a|tool", "b")], "b", Some(Window::Day), "UTC"),
            id(&[("agent", "a")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "A")], "b", Some(Window::Day), "UTC"),
            id(&[("grant", "a")], "b", Some(Window::Week), "UTC"),
            id(&[("grant", "a")], "b", Some(Window::Day), "Europe/Paris"),
            id(&[("grant", "a")], "b", Some(Window::Rolling(86_400)), "UTC"),
            id(&[("grant", "a")], "b", None, "UTC"),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in all.iter().skip(index + 1) {
                assert_ne!(one.text(), other.text());
                assert_ne!(one.digest(), other.digest());
            }
        }
    }

    #[test]
    fn the_digest_is_fixed_for_all_time() {
        // The first vector of SipHash's authors.
        assert_eq!(hex(CountId::of("".into()).digest()), "a3817f04ba25a8e66df67214c7550293");
    }

    fn hex(bytes: [u8; 16]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "quota", "a|b|quota", "local|c|day|Nowhere/Land|quota", "local|c|century|UTC|quota",
            "local|c|-|-|quota", "local|c|day|UTC|concurrency", "day|UTC|quota"]
        {
            assert!(CountId::parse(text).is_err(), "{text}");
        }
    }
}
