//! The canonical bytes of a record, written by hand: one pass, one buffer, no allocation.
//!
//! Members stand in a fixed order, absent ones are left out, texts are escaped in one way. What a
//! reader cannot see is escaped, so that a log file can be shown on a terminal as it is.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::event::{
    ArgumentKeys, Checkpoint, Count, Decision, DefinitionNotice, Edits, Event, Outcome, PolicyNotice, Recovered,
    Refused, Segment, Start, Stop, Target, Upstream, Would,
};
use crate::{Head, Id, argument_keys, chain, visible};

/// Longest text that a record carries, in bytes; longer ones are cut and end with `…`. Identities
/// of counts are never cut.
const LONGEST: usize = 2048;

/// What the log adds to an event.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Number of the record in its chain, from 1, without gaps.
    pub seq: u64,
    /// Identifier of the event.
    pub id: Id,
    /// When, by the clock of the process; written in UTC to the microsecond.
    pub time: Timestamp,
}

/// Appends the record of `event` to `out`, with its line feed, and returns the new head of the
/// chain, whose head was `prev`.
pub fn encode(stamp: Stamp, event: &Event<'_>, prev: &Head, out: &mut Vec<u8>) -> Head {
    let start = out.len();
    out.extend_from_slice(b"{\"seq\":");
    number(out, stamp.seq);
    out.extend_from_slice(b",\"id\":\"");
    out.extend_from_slice(&stamp.id.text());
    out.extend_from_slice(b"\",\"time\":\"");
    time(out, stamp.time);
    out.extend_from_slice(b"\",\"kind\":\"");
    out.extend_from_slice(event.kind().as_str().as_bytes());
    out.push(b'"');
    match event {
        Event::Segment(segment) => encode_segment(out, segment),
        Event::Start(start) => encode_start(out, start),
        Event::Decision(decision) => encode_decision(out, decision),
        Event::Outcome(outcome) => encode_outcome(out, outcome),
        Event::Refused(refused) => encode_refused(out, refused),
        Event::Policy(notice) => encode_policy(out, notice),
        Event::Definition(notice) => encode_definition(out, notice),
        Event::Upstream(upstream) => encode_upstream(out, upstream),
        Event::Recovered(recovered) => encode_recovered(out, recovered),
        Event::Checkpoint(checkpoint) => encode_checkpoint(out, checkpoint),
        Event::Stop(stop) => encode_stop(out, stop),
    }
    let head = chain::seal(prev, start, out);
    out.push(b'\n');
    head
}

fn encode_segment(out: &mut Vec<u8>, segment: &Segment) {
    member(out, "format");
    out.push(b'1');
    id(out, "chain", segment.chain);
    member(out, "segment");
    number(out, u64::from(segment.segment));
    head(out, "previous", &segment.previous);
    if let Some(after) = &segment.after {
        out.extend_from_slice(b",\"after\":{\"chain\":\"");
        out.extend_from_slice(&after.chain.text());
        out.extend_from_slice(b"\",\"seq\":");
        number(out, after.seq);
        head(out, "head", &after.head);
        out.push(b'}');
    }
}

fn encode_start(out: &mut Vec<u8>, start: &Start<'_>) {
    text(out, "version", Some(start.version));
    text(out, "command", Some(start.command));
    member(out, "pid");
    number(out, u64::from(start.pid));
    text(out, "durability", Some(start.durability));
}

fn encode_decision(out: &mut Vec<u8>, decision: &Decision<'_>) {
    text(out, "organisation", decision.organisation);
    text(out, "grant", decision.grant);
    text(out, "grant_id", decision.grant_id);
    text(out, "agent", decision.agent);
    text(out, "server", decision.server);
    text(out, "session", decision.session);
    address(out, decision.client);
    text(out, "revision", decision.revision);
    text(out, "method", decision.method);
    match decision.target {
        Target::None => {}
        Target::Tool(name) => text(out, "tool", Some(name)),
        Target::Resource(uri) => text(out, "uri", Some(uri)),
        Target::Prompt(name) => text(out, "prompt", Some(name)),
    }
    text(out, "effect", Some(decision.effect.as_str()));
    text(out, "rule", decision.rule);
    text(out, "pointer", decision.pointer);
    text(out, "policy", decision.policy);
    text(out, "reason", decision.reason);
    match decision.argument_keys {
        ArgumentKeys::None => {}
        ArgumentKeys::In(json) => {
            member(out, "argument_keys");
            argument_keys::write(json, out);
        }
        ArgumentKeys::Paths(paths) => {
            member(out, "argument_keys");
            list(out, paths, |out, path| string(out, path));
        }
    }
    counts(out, "counts", decision.counts);
    if !decision.would.is_empty() {
        member(out, "would");
        list(out, decision.would, would);
    }
    optional(out, "bytes", decision.bytes);
    text(out, "trace", decision.trace);
}

fn encode_outcome(out: &mut Vec<u8>, outcome: &Outcome<'_>) {
    id(out, "decision", outcome.decision);
    text(out, "outcome", Some(outcome.ending.as_str()));
    optional(out, "duration_us", outcome.duration_us);
    optional(out, "bytes", outcome.bytes);
    counts(out, "refunded", outcome.refunded);
    text(out, "reason", outcome.reason);
    if let Some(edits) = outcome.edits {
        member(out, "edits");
        encode_edits(out, edits);
    }
}

fn encode_edits(out: &mut Vec<u8>, edits: &Edits) {
    let start = out.len();
    if !edits.redacted.is_empty() {
        member(out, "redacted");
        let inner = out.len();
        for (name, times) in &edits.redacted {
            out.push(b',');
            cut_string(out, name);
            out.push(b':');
            number(out, *times);
        }
        opened(out, inner);
        out.push(b'}');
    }
    optional(out, "stripped", (edits.stripped > 0).then_some(edits.stripped));
    optional(out, "over", edits.over);
    text(out, "late", edits.late.as_deref());
    optional(out, "dropped", (edits.dropped > 0).then_some(edits.dropped));
    if edits.observed {
        member(out, "observed");
        out.extend_from_slice(b"true");
    }
    opened(out, start);
    out.push(b'}');
}

/// Makes the comma before the first member that was written since `start` the brace of their object.
fn opened(out: &mut Vec<u8>, start: usize) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
}

fn encode_refused(out: &mut Vec<u8>, refused: &Refused<'_>) {
    text(out, "server", refused.server);
    address(out, refused.client);
    text(out, "reason", Some(refused.reason));
    optional(out, "times", Some(refused.times));
}

fn encode_policy(out: &mut Vec<u8>, notice: &PolicyNotice<'_>) {
    text(out, "server", notice.server);
    text(out, "file", notice.file);
    text(out, "policy", notice.policy);
    member(out, "accepted");
    out.extend_from_slice(if notice.accepted { b"true" } else { b"false" });
    text(out, "reason", notice.reason);
}

fn encode_definition(out: &mut Vec<u8>, notice: &DefinitionNotice<'_>) {
    text(out, "server", Some(notice.server));
    text(out, "tool", Some(notice.tool));
    text(out, "digest", Some(notice.digest));
    text(out, "class", Some(notice.class));
    member(out, "accepted");
    out.extend_from_slice(if notice.accepted { b"true" } else { b"false" });
    text(out, "reason", notice.reason);
}

fn encode_upstream(out: &mut Vec<u8>, upstream: &Upstream<'_>) {
    text(out, "server", Some(upstream.server));
    text(out, "change", Some(upstream.change.as_str()));
    optional(out, "pid", upstream.pid.map(u64::from));
    text(out, "status", upstream.status);
    text(out, "reason", upstream.reason);
}

fn encode_recovered(out: &mut Vec<u8>, recovered: &Recovered<'_>) {
    text(out, "reason", Some(recovered.reason));
    optional(out, "times", recovered.times);
}

fn encode_checkpoint(out: &mut Vec<u8>, checkpoint: &Checkpoint) {
    id(out, "chain", checkpoint.chain);
    head(out, "head", &checkpoint.head);
    text(out, "key", Some(&checkpoint.key.text()));
    text(out, "signature", Some(&checkpoint.signature.text()));
}

fn encode_stop(out: &mut Vec<u8>, stop: &Stop<'_>) {
    text(out, "reason", stop.reason);
}

fn counts(out: &mut Vec<u8>, name: &str, counts: &[Count<'_>]) {
    if !counts.is_empty() {
        member(out, name);
        list(out, counts, count);
    }
}

fn count(out: &mut Vec<u8>, count: &Count<'_>) {
    out.extend_from_slice(b"{\"id\":");
    string(out, &count.id);
    for (name, value) in [("counter", &count.counter), ("scope", &count.scope), ("window", &count.window)] {
        text(out, name, (!value.is_empty()).then_some(value));
    }
    out.extend_from_slice(b",\"amount\":\"");
    amount(out, count.amount);
    out.push(b'"');
    for (name, said) in
        [("concurrency", count.concurrency), ("observed", count.observed), ("uncounted", count.uncounted)]
    {
        if said {
            member(out, name);
            out.extend_from_slice(b"true");
        }
    }
    out.push(b'}');
}

fn would(out: &mut Vec<u8>, would: &Would<'_>) {
    out.extend_from_slice(b"{\"rule\":");
    cut_string(out, &would.rule);
    text(out, "effect", Some(would.effect.as_str()));
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn member(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        member(out, name);
        cut_string(out, value);
    }
}

fn cut_string(out: &mut Vec<u8>, text: &str) {
    let (kept, whole) = cut(text);
    string(out, kept);
    if !whole {
        // Inside the string: before its closing quotation mark.
        out.pop();
        out.extend_from_slice("…\"".as_bytes());
    }
}

fn id(out: &mut Vec<u8>, name: &str, id: Id) {
    member(out, name);
    out.push(b'"');
    out.extend_from_slice(&id.text());
    out.push(b'"');
}

fn head(out: &mut Vec<u8>, name: &str, head: &Head) {
    member(out, name);
    out.push(b'"');
    out.extend_from_slice(&head.text());
    out.push(b'"');
}

fn optional(out: &mut Vec<u8>, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        member(out, name);
        number(out, value);
    }
}

fn address(out: &mut Vec<u8>, address: Option<IpAddr>) {
    use std::io::Write;
    if let Some(address) = address {
        member(out, "client");
        // Writing to a vector cannot fail.
        _ = write!(out, "\"{address}\"");
    }
}

/// The part of a text that is recorded, and whether that is all of it. Cutting twice is cutting
/// once: what was cut has room for its `…`.
fn cut(text: &str) -> (&str, bool) {
    if text.len() <= LONGEST {
        return (text, true);
    }
    let end = text.floor_char_boundary(LONGEST - '…'.len_utf8());
    (text.get(..end).unwrap_or_default(), false)
}

/// A text as a JSON string. Everything that is not [`visible::is_plain`] is escaped as `\uXXXX`.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let odd = |byte: u8| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
    // Without a branch a byte, so that the compiler can look at many bytes at once.
    if !text.bytes().fold(false, |found, byte| found | odd(byte)) {
        out.extend_from_slice(text.as_bytes());
    } else {
        let mut utf8 = [0; 4];
        for character in text.chars() {
            match character {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                plain if visible::is_plain(plain) => {
                    out.extend_from_slice(plain.encode_utf8(&mut utf8).as_bytes());
                }
                unseen => escape(out, unseen),
            }
        }
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, character: char) {
    use std::io::Write;
    for unit in character.encode_utf16(&mut [0; 2]) {
        _ = write!(out, "\\u{unit:04x}");
    }
}

fn number(out: &mut Vec<u8>, value: u64) {
    if value >= 10 {
        number(out, value / 10);
    }
    digit(out, value);
}

/// The last decimal digit of a number.
fn digit(out: &mut Vec<u8>, value: u64) {
    out.push(b'0' + u8::try_from(value % 10).unwrap_or(0));
}

/// An amount in millionths as decimal text without trailing zeros: `12.5`.
pub(crate) fn amount(out: &mut Vec<u8>, micros: u128) {
    use std::io::Write;
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    match u64::try_from(whole) {
        Ok(whole) => number(out, whole),
        Err(_) => _ = write!(out, "{whole}"),
    }
    if part > 0 {
        _ = write!(out, ".{part:06}");
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// A time as `2026-01-05T12:00:00.123456Z`.
pub(crate) fn time(out: &mut Vec<u8>, time: Timestamp) {
    let micros = time.as_microsecond();
    let (year, month, day) = date(micros.div_euclid(86_400_000_000));
    let within = u64::try_from(micros.rem_euclid(86_400_000_000)).unwrap_or(0);
    let seconds = within / 1_000_000;
    for (value, places, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (seconds / 3600, 2, b':'),
        (seconds / 60 % 60, 2, b':'),
        (seconds % 60, 2, b'.'),
        (within % 1_000_000, 6, b'Z'),
    ] {
        for place in (0..places).rev() {
            digit(out, value / 10u64.pow(place));
        }
        out.push(after);
    }
}

/// Year, month and day of a day counted from 1970-01-01: the years are taken to begin in March,
/// so that the leap day is the last of a year.
fn date(day: i64) -> (u64, u64, u64) {
    let shifted = u64::try_from(day + 719_468).unwrap_or(0);
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
