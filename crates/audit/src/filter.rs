//! Which records a reader asked for.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::event::{Effect, Kind};
use crate::{Id, Record};

/// What a reader asked for; all of it has to fit.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only decisions with this effect.
    pub effect: Option<Effect>,
    /// Only decisions that did not allow.
    pub denied: bool,
    /// Only decisions about this tool, resource or prompt; `*` stands for any text.
    pub tool: Option<String>,
    /// Only decisions under this grant.
    pub grant: Option<String>,
    /// Only decisions and events of this server.
    pub server: Option<String>,
    /// Nothing before this time.
    pub since: Option<Timestamp>,
}

/// Chooses records. Outcomes are chosen with the decision that they belong to, which makes it
/// remember the decisions that it chose: give it every record, in order, once.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    wanted: Wanted,
    chosen: HashSet<Id>,
}

impl Filter {
    /// Chooses what is wanted.
    pub fn new(wanted: Wanted) -> Filter {
        Filter { wanted, chosen: HashSet::new() }
    }

    /// Whether to show the record.
    pub fn matches(&mut self, record: &Record) -> bool {
        if self.wanted.since.is_some_and(|since| record.time < since) {
            return false;
        }
        let selective = self.wanted.effect.is_some()
            || self.wanted.denied
            || self.wanted.tool.is_some()
            || self.wanted.grant.is_some();
        if !selective && self.wanted.server.is_none() {
            return true;
        }
        if record.kind == Kind::Outcome {
            return record.decision.is_some_and(|decision| self.chosen.remove(&decision));
        }
        let fits = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is.is_some_and(|is| like(wanted, is)))
        };
        if !fits(&self.wanted.server, record.server.as_deref()) {
            return false;
        }
        if !selective {
            self.remember(record);
            return true;
        }
        let name = record.tool.as_deref().or(record.uri.as_deref()).or(record.prompt.as_deref());
        let chosen = record.kind == Kind::Decision
            && self.wanted.effect.is_none_or(|effect| record.effect == Some(effect))
            && !(self.wanted.denied && record.effect == Some(Effect::Allow))
            && fits(&self.wanted.tool, name)
            && fits(&self.wanted.grant, record.grant.as_deref());
        if chosen {
            self.remember(record);
        }
        chosen
    }

    fn remember(&mut self, record: &Record) {
        if record.kind == Kind::Decision && record.effect == Some(Effect::Allow) {
            self.chosen.insert(record.id);
        }
    }
}

/// Whether `text` is like `pattern`, in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (pattern, text, is) in [
            ("read_file", "read_file", true),
            ("read_file", "read_files", false),
            ("read_*", "read_file", true),
            ("*file", "read_file", true),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(like(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn outcomes_go_with_their_decisions() {
        let line = |text: &str| {
            let zero = "0".repeat(64);
            Record::decode(
                format!("{{\"seq\":1,\"time\":\"2026-01-05T12:00:00Z\",{text},\"hash\":\"{zero}\"}}").as_bytes(),
            )
            .unwrap()
        };
        let id = |n: u128| Id::from_bits(n).to_string();
        let first = line(&format!("\"id\":\"{}\",\"kind\":\"decision\",\"effect\":\"allow\",\"tool\":\"a\"", id(1)));
        let second = line(&format!("\"id\":\"{}\",\"kind\":\"decision\",\"effect\":\"allow\",\"tool\":\"b\"", id(2)));
        let outcome = |of| {
            line(&format!("\"id\":\"{}\",\"kind\":\"outcome\",\"decision\":\"{}\",\"outcome\":\"ok\"", id(9), id(of)))
        };
        let mut filter = Filter::new(Wanted { tool: Some("a".to_owned()), ..Wanted::default() });
        assert!(filter.matches(&first) && !filter.matches(&second));
        assert!(!filter.matches(&outcome(2)) && filter.matches(&outcome(1)));
        let mut denied = Filter::new(Wanted { denied: true, ..Wanted::default() });
        assert!(!denied.matches(&first) && !denied.matches(&outcome(1)));
        let third = line(&format!("\"id\":\"{}\",\"kind\":\"decision\",\"effect\":\"ask\",\"tool\":\"a\"", id(3)));
        assert!(denied.matches(&third));
        let mut late =
            Filter::new(Wanted { since: Some("2026-01-05T12:00:01Z".parse().unwrap()), ..Wanted::default() });
        assert!(!late.matches(&first));
        assert!(Filter::default().matches(&outcome(7)));
    }
}
