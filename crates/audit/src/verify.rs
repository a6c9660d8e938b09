//! Checks one chain, line by line, and says where it was broken.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::event::After;
use crate::torn::{self, Tail};
use crate::{Head, Id, chain};

/// Checks the segments of one chain in their order: [`begin`](Verifier::begin) a segment,
/// [`line`](Verifier::line) for each of its lines, [`end`](Verifier::end) with what follows the
/// last line feed, and [`finish`](Verifier::finish). It stops at the first thing that is wrong:
/// behind it nothing can be trusted.
#[derive(Debug)]
pub struct Verifier {
    chain: Id,
    /// Hashes that records are known to have had, by their numbers.
    known: BTreeMap<u64, Head>,
    head: Head,
    seq: u64,
    segment: u32,
    line: u64,
    offset: u64,
    stopped: bool,
    after: Option<After>,
    unfinished: HashSet<Id>,
    crash: Option<Crash>,
    finding: Option<Finding>,
}

/// What is known of a chain after it was checked.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ChainReport {
    /// The chain.
    pub chain: Id,
    /// Hash of the last record that is in order.
    pub head: Head,
    /// How many records are in order, which is also the number of the last one.
    pub records: u64,
    /// How many segments were begun.
    pub segments: u32,
    /// Whether the process said that it ended.
    pub stopped: bool,
    /// The chain that was there when this one began.
    pub after: Option<After>,
    /// Allowed requests whose outcome was not recorded: unknown, or still under way.
    pub unfinished: Vec<Id>,
    /// The last record was cut off by a crash.
    pub crash: Option<Crash>,
    /// The first thing that no crash explains.
    pub finding: Option<Finding>,
}

/// A record that was begun and not completed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Crash {
    /// Number of the segment.
    pub segment: u32,
    /// Its line there, from 1.
    pub line: u64,
    /// Where the line begins, in bytes.
    pub offset: u64,
    /// How much of it is there.
    pub bytes: usize,
}

/// Tampering, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("segment {segment:06}, line {line} (byte {offset}): {damage}")]
pub struct Finding {
    /// Number of the segment file.
    pub segment: u32,
    /// The first line that is wrong, from 1.
    pub line: u64,
    /// Where that line begins in the file, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub damage: Damage,
}

/// What can be wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The line is no record at all.
    NotARecord,
    /// The record or one before it was altered.
    WrongHash,
    /// The record has another number than the one that comes next.
    WrongNumber {
        /// The number that comes next.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// Bytes at the end that are not the beginning of the next record.
    ForeignTail,
    /// A segment that is not the last one ends within a record or is empty.
    CutSegment,
    /// A segment file is not there.
    MissingSegment,
    /// The first record of a segment does not name this chain, this segment and the head before.
    WrongSegment,
    /// Something follows the record with which the process ended.
    AfterStop,
    /// Another chain, or a head that was kept, says that there was more of this one.
    Shortened {
        /// Number of a record that was there.
        seq: u64,
    },
    /// Another chain, or a head that was kept, says that this record was another one.
    Rewritten {
        /// Number of that record.
        seq: u64,
    },
    /// Another chain, or a head that was kept, says that there was such a chain.
    MissingChain,
}

/// What ties a record to its place. Nothing else is read here, so that records of a later version
/// are in order if their hashes say so.
#[derive(serde::Deserialize)]
struct Link<'a> {
    seq: u64,
    id: Id,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    effect: Option<Cow<'a, str>>,
    decision: Option<Id>,
    chain: Option<Id>,
    segment: Option<u32>,
    previous: Option<Head>,
    after: Option<After>,
    hash: Head,
}

impl Verifier {
    /// Begins with a chain of which nothing has been seen.
    pub fn new(chain: Id) -> Verifier {
        Verifier {
            chain,
            known: BTreeMap::new(),
            head: Head::EMPTY,
            seq: 0,
            segment: 0,
            line: 0,
            offset: 0,
            stopped: false,
            after: None,
            unfinished: HashSet::new(),
            crash: None,
            finding: None,
        }
    }

    /// Has to find that record `seq` has the hash `head`, as somebody noted at the time. This is
    /// what finds a chain that was cut off at its end or written anew.
    pub fn expect(&mut self, seq: u64, head: Head) {
        if let Some(other) = self.known.insert(seq, head)
            && other != head
        {
            self.found(Damage::Rewritten { seq });
        }
    }

    /// Hash of the last record that was in order.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Its number; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether something was wrong already.
    pub fn is_broken(&self) -> bool {
        self.finding.is_some()
    }

    /// Goes on to a segment file, by its number. Returns whether the chain is in order so far.
    pub fn begin(&mut self, segment: u32) -> bool {
        if self.is_broken() {
            return false;
        }
        let expected = self.segment.saturating_add(1);
        (self.segment, self.line, self.offset) = (expected, 0, 0);
        if segment != expected {
            return self.found(Damage::MissingSegment);
        }
        if self.stopped {
            return self.found(Damage::AfterStop);
        }
        true
    }

    /// Checks the next line, given without its line feed. Returns whether it is in order.
    pub fn line(&mut self, line: &[u8]) -> bool {
        if self.is_broken() {
            return false;
        }
        self.line += 1;
        match self.check(line) {
            Ok(record) => self.accept(&record),
            Err(damage) => return self.found(damage),
        }
        self.offset += u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        true
    }

    /// Ends a segment: `tail` is what follows its last line feed, `last` whether no segment
    /// follows. Returns whether the chain is in order so far.
    pub fn end(&mut self, tail: &[u8], last: bool) -> bool {
        if self.is_broken() {
            return false;
        }
        let whole = tail.is_empty() && self.line > 0;
        if whole {
            return true;
        }
        self.line += 1;
        if !last {
            return self.found(Damage::CutSegment);
        }
        if self.stopped {
            return self.found(Damage::AfterStop);
        }
        match torn::judge(tail, self.seq + 1) {
            Tail::Begun => {}
            // All of it was written but the line feed: then it must be what it says it is. It
            // does not count all the same, since nothing was forwarded on its strength.
            Tail::Complete => {
                if let Err(damage) = self.check(tail) {
                    return self.found(damage);
                }
            }
            Tail::Foreign => return self.found(Damage::ForeignTail),
        }
        let (segment, line, offset) = (self.segment, self.line, self.offset);
        self.crash = Some(Crash { segment, line, offset, bytes: tail.len() });
        true
    }

    /// What was found.
    pub fn finish(mut self) -> ChainReport {
        let missing = self.known.last_key_value().map(|(seq, _)| *seq).filter(|seq| *seq > self.seq);
        if let Some(seq) = missing
            && !self.is_broken()
        {
            let damage = if self.segment == 0 { Damage::MissingChain } else { Damage::Shortened { seq } };
            self.line = self.line.max(1) + u64::from(self.crash.is_none() && self.line > 0);
            self.found(damage);
        }
        let mut unfinished: Vec<Id> = self.unfinished.into_iter().collect();
        unfinished.sort_unstable();
        ChainReport {
            chain: self.chain,
            head: self.head,
            records: self.seq,
            segments: self.segment,
            stopped: self.stopped,
            after: self.after,
            unfinished,
            crash: self.crash,
            finding: self.finding,
        }
    }

    fn found(&mut self, damage: Damage) -> bool {
        let (segment, line, offset) = (self.segment, self.line, self.offset);
        self.finding = Some(Finding { segment, line, offset, damage });
        false
    }

    fn check<'l>(&self, line: &'l [u8]) -> Result<Link<'l>, Damage> {
        let (body, hash) = chain::split(line).ok_or(Damage::NotARecord)?;
        let record: Link<'l> = serde_json::from_slice(line).map_err(|_| Damage::NotARecord)?;
        let expected = self.seq.saturating_add(1);
        if record.seq != expected {
            return Err(Damage::WrongNumber { expected, found: record.seq });
        }
        if self.head.then(&[body, b"}"]) != hash {
            return Err(Damage::WrongHash);
        }
        if self.stopped {
            return Err(Damage::AfterStop);
        }
        let opens = record.kind == "segment";
        if self.known.get(&record.seq).is_some_and(|known| *known != hash) {
            return Err(Damage::Rewritten { seq: record.seq });
        }
        if opens != (self.line == 1) || (opens && !self.opens_here(&record)) {
            return Err(Damage::WrongSegment);
        }
        Ok(record)
    }

    fn opens_here(&self, record: &Link<'_>) -> bool {
        record.chain == Some(self.chain) && record.segment == Some(self.segment) && record.previous == Some(self.head)
    }

    fn accept(&mut self, record: &Link<'_>) {
        (self.head, self.seq) = (record.hash, record.seq);
        match record.kind.as_ref() {
            "segment" if self.segment == 1 => self.after = record.after,
            "decision" if record.effect.as_deref() == Some("allow") => {
                self.unfinished.insert(record.id);
            }
            "outcome" => {
                let decision = record.decision.unwrap_or_default();
                self.unfinished.remove(&decision);
            }
            "stop" => self.stopped = true,
            _ => {}
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::NotARecord => f.write_str("not a record"),
            Damage::WrongHash => f.write_str("the record does not fit its hash or the record before it"),
            Damage::WrongNumber { expected, found } => {
                write!(f, "record {found} stands where record {expected} belongs")
            }
            Damage::ForeignTail => f.write_str("the last bytes are not the beginning of a record"),
            Damage::CutSegment => f.write_str("the segment was cut off, and another one follows"),
            Damage::MissingSegment => f.write_str("the segment file is missing"),
            Damage::WrongSegment => f.write_str("the segment does not begin as the next segment of this chain does"),
            Damage::AfterStop => f.write_str("something follows the end that the process recorded"),
            Damage::Shortened { seq } => write!(f, "record {seq} was there once and is missing"),
            Damage::Rewritten { seq } => write!(f, "record {seq} was another one once"),
            Damage::MissingChain => f.write_str("the whole chain is missing"),
        }
    }
}

#[cfg(test)]
mod tests;
