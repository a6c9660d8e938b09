//! What counts are called in Redis.

use quota::CountId;

/// The names of one instance's keys.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Since when the counts of an organisation are known.
    pub(super) fn generation(&self, tag: &str) -> String {
        format!("{}:{{{tag}}}:generation", self.prefix)
    }

    /// That something was given back.
    pub(super) fn given_back(&self, tag: &str, mark: u64) -> String {
        format!("{}:{{{tag}}}:back:{mark:016x}", self.prefix)
    }

    /// A count: its whole identity, so that no two can meet.
    pub(super) fn count(&self, tag: &str, id: &str) -> String {
        format!("{}:{{{tag}}}:count:{id}", self.prefix)
    }

    /// A pattern that every count matches.
    pub(super) fn every_count(&self) -> String {
        format!("{}:{{*}}:count:*", self.prefix)
    }

    /// A pattern that every count of a tag matches.
    pub(super) fn counts_of(&self, tag: &str) -> String {
        let mut pattern = format!("{}:{{", self.prefix);
        for c in tag.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push_str("}:count:*");
        pattern
    }

    /// The identity of the count that is called so.
    pub(super) fn identity<'a>(&self, key: &'a str) -> Option<&'a str> {
        let rest = key.strip_prefix(self.prefix.as_str())?.strip_prefix(":{")?;
        rest.split_once("}:count:").map(|(_, id)| id)
    }
}

/// What decides on the slot of a cluster: the organisation of a count, by its identity.
pub(super) fn tag(id: &str) -> String {
    let mut escaped = false;
    let organisation = id.split(|c| {
        let ends = c == '|' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let mut organisation = organisation;
    tag_of_text(organisation.next().unwrap_or_default())
}

/// [`tag`] for an organisation by its id.
pub(super) fn tag_of(organisation: &str) -> String {
    let zone = jiff::tz::TimeZone::UTC;
    let scopes: [(&str, &str); 0] = [];
    tag(CountId::new(organisation, &scopes, "", None, &zone, quota::Kind::Quota).text())
}

/// Braces would end the tag early, and an empty one is none. Two organisations with one tag share a slot, not counts.
fn tag_of_text(organisation: &str) -> String {
    if organisation.is_empty() { "-".to_owned() } else { organisation.replace(['{', '}'], "-") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use quota::{Kind, Window};

    #[test]
    fn keys_of_an_organisation_share_a_tag_and_no_two_counts_a_key() {
        let keys = Keys::new("toolgate");
        for (organisation, expected) in
            [("local", "local"), ("a|b", "a\\|b"), ("", "-"), ("x{y}z", "x-y-z"), ("back\\", "back\\\\")]
        {
            let id = CountId::new(
                organisation,
                &[("grant", "g}:count:")],
                "c",
                Some(Window::Day),
                &TimeZone::UTC,
                Kind::Quota,
            );
            assert_eq!(tag(id.text()), expected);
            assert_eq!(tag_of(organisation), expected);
            let key = keys.count(&tag(id.text()), id.text());
            assert_eq!(keys.identity(&key), Some(id.text()), "{key}");
        }
    }
}
