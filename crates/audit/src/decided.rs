//! What was decided, read without the rest of the record.

use jiff::Timestamp;
use serde::Deserialize;

use crate::event::{Effect, Kind, Would};

/// A decision about a tool, a resource or a prompt, as far as those need it who count: a log of a million lines is
/// read in about a second.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "each member is that of the record")]
pub struct Decided {
    pub time: Timestamp,
    kind: Kind,
    pub server: Option<String>,
    pub tool: Option<String>,
    pub uri: Option<String>,
    pub prompt: Option<String>,
    #[serde(default)]
    pub effect: Effect,
    pub rule: Option<String>,
    pub policy: Option<String>,
    #[serde(default)]
    pub would: Vec<Would<'static>>,
}

impl Decided {
    /// Reads a line; none, where it is no such decision.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        // Most lines are none, and a look is cheaper than reading them: the log writes no spaces.
        let mark: &[u8] = br#""kind":"decision""#;
        if !line.get(..line.len().min(256))?.windows(mark.len()).any(|part| part == mark) {
            return None;
        }
        let decided: Self = serde_json::from_slice(line).ok()?;
        let about = decided.tool.is_some() || decided.uri.is_some() || decided.prompt.is_some();
        (decided.kind == Kind::Decision && about).then_some(decided)
    }

    /// The name of the tool or prompt, or the URI of the resource.
    #[must_use]
    pub fn name(&self) -> &str {
        [&self.tool, &self.uri, &self.prompt].into_iter().flatten().next().map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ArgumentKeys, Decision, Event, Outcome, Target};
    use crate::{Ending, Head, Id, Stamp, encode};

    #[test]
    fn only_decisions_about_something_are_read() {
        let stamp = Stamp { seq: 7, id: Id::from_bits(9), time: Timestamp::UNIX_EPOCH };
        let would = [Would { rule: "tools[\"x\"].action".into(), effect: Effect::Ask }];
        let decision = Decision {
            id: Id::from_bits(9),
            grant: Some("g"),
            grant_id: None,
            organisation: None,
            agent: None,
            server: Some("files"),
            session: None,
            client: None,
            revision: None,
            method: Some("tools/call"),
            target: Target::Tool("x\u{202e}y"),
            effect: Effect::Allow,
            rule: Some("default"),
            pointer: None,
            policy: Some("00"),
            reason: None,
            argument_keys: ArgumentKeys::None,
            counts: &[],
            would: &would,
            bytes: None,
            trace: None,
        };
        let line = |event: &Event<'_>| {
            let mut out = Vec::new();
            encode(stamp, event, &Head::EMPTY, &mut out);
            out
        };
        let read = Decided::read(&line(&Event::Decision(decision))).unwrap();
        assert_eq!((read.name(), read.server.as_deref(), read.effect), ("x\u{202e}y", Some("files"), Effect::Allow));
        assert_eq!(read.would, would);
        let listing = Decision { target: Target::None, ..decision };
        assert_eq!(Decided::read(&line(&Event::Decision(listing))), None);
        let decision = Id::from_bits(9);
        let outcome = Outcome {
            decision,
            ending: Ending::Ok,
            duration_us: None,
            bytes: None,
            refunded: &[],
            reason: None,
            edits: None,
        };
        assert_eq!(Decided::read(&line(&Event::Outcome(outcome))), None);
        assert_eq!(Decided::read(b"{"), None);
    }
}
