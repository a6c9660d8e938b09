//! Checks one chain, line by line, and says where it was broken.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use crate::checkpoint::{BadBeginning, Beginning, is_signed};
use crate::event::{After, Checkpoint};
use crate::signature::{Fingerprint, PublicKey, Signature};
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
    /// The keys whose signatures count; `None`: any one key, for the whole chain.
    trusted: Option<BTreeSet<Fingerprint>>,
    signed: Option<Signed>,
    beginning: Option<Beginning>,
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
    /// The number of the last record that is in order. Where nothing was removed, that is how many there are.
    pub records: u64,
    /// How many segments were begun.
    pub segments: u32,
    /// Whether the process said that it ended.
    pub stopped: bool,
    /// The chain that was there when this one began.
    pub after: Option<After>,
    /// Allowed requests whose outcome was not recorded: unknown, or still under way.
    pub unfinished: Vec<Id>,
    /// How far the chain is signed, by its last checkpoint.
    pub signed: Option<Signed>,
    /// Where it begins, if older segments were removed and the instance has signed that they were.
    pub beginning: Option<Beginning>,
    /// The last record was cut off by a crash.
    pub crash: Option<Crash>,
    /// The first thing that no crash explains.
    pub finding: Option<Finding>,
}

impl ChainReport {
    /// How many records are there and in order.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.records.saturating_sub(self.beginning.as_ref().map_or(0, |beginning| beginning.seq.saturating_sub(1)))
    }
}

/// How far a chain is signed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Signed {
    /// The number of the last record that the signature stands for.
    pub through: u64,
    /// When it was signed, as the record says.
    pub time: String,
    /// The key that signed.
    pub key: Fingerprint,
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
    /// A checkpoint's signature is not what its key made of this chain.
    WrongSignature,
    /// A checkpoint, or the statement that older segments were removed, is signed by another key than the one that
    /// is trusted, or than the one that signed before.
    OtherKey,
    /// No checkpoint signs anything of it, and a key was given that should have.
    Unsigned,
    /// What says that older segments were removed is not what the instance signed.
    WrongBeginning,
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

/// What a checkpoint says.
#[derive(serde::Deserialize)]
struct Sealed<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    chain: Id,
    head: Head,
    key: PublicKey,
    signature: Signature,
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
            trusted: None,
            signed: None,
            beginning: None,
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

    /// Takes signatures of these keys alone, and the chain only if one of them has signed some of it.
    pub fn trust(&mut self, keys: BTreeSet<Fingerprint>) {
        self.trusted = Some(keys);
    }

    /// Begins where a signed statement says that the chain does since older segments were removed; to be called before
    /// the first segment, and after [`trust`](Self::trust) and [`expect`](Self::expect). What is known of records that
    /// were removed is passed over. Returns whether the chain is in order so far.
    pub fn begin_with(&mut self, beginning: Result<Beginning, BadBeginning>) -> bool {
        let Ok(beginning) = beginning else { return self.found(Damage::WrongBeginning) };
        let last = beginning.seq.saturating_sub(1);
        (self.segment, self.seq, self.head) = (beginning.segment.saturating_sub(1), last, beginning.previous);
        self.after = beginning.after;
        self.known = self.known.split_off(&last);
        let known = self.known.get(&last).copied();
        let (chain, key) = (beginning.chain, beginning.key.fingerprint());
        self.beginning = Some(beginning);
        if chain != self.chain {
            return self.found(Damage::WrongBeginning);
        }
        if !self.trusts(key) {
            return self.found(Damage::OtherKey);
        }
        if known.is_some_and(|known| known != self.head) {
            return self.found(Damage::Rewritten { seq: last });
        }
        true
    }

    fn trusts(&self, key: Fingerprint) -> bool {
        self.trusted.as_ref().is_none_or(|trusted| trusted.contains(&key))
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
            Ok(record) => {
                if record.kind == "checkpoint" {
                    match self.sealed(line, record.seq) {
                        Ok(signed) => self.signed = Some(signed),
                        Err(damage) => return self.found(damage),
                    }
                }
                self.accept(&record);
            }
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
        // A process that died in its first write has left nothing that a signature would have to stand for.
        let removed = self.beginning.as_ref().map_or(0, |beginning| beginning.seq.saturating_sub(1));
        let kept = self.seq.saturating_sub(removed);
        if self.trusted.is_some() && self.signed.is_none() && kept > 1 && !self.is_broken() {
            (self.line, self.offset) = (self.line.max(1), 0);
            self.found(Damage::Unsigned);
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
            signed: self.signed,
            beginning: self.beginning,
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

    /// What a checkpoint signs: everything up to the record before it.
    fn sealed(&self, line: &[u8], seq: u64) -> Result<Signed, Damage> {
        let sealed: Sealed<'_> = serde_json::from_slice(line).map_err(|_| Damage::NotARecord)?;
        let through = seq.saturating_sub(1);
        let Sealed { time, chain, head, key, signature } = sealed;
        let here = chain == self.chain && head == self.head;
        if !here || !is_signed(&Checkpoint { chain, head, key, signature }, through, &time) {
            return Err(Damage::WrongSignature);
        }
        let key = key.fingerprint();
        let before = self.signed.as_ref().map(|signed| signed.key);
        let before = before.or(self.beginning.as_ref().map(|beginning| beginning.key.fingerprint()));
        if !self.trusts(key) || (self.trusted.is_none() && before.is_some_and(|before| before != key)) {
            return Err(Damage::OtherKey);
        }
        Ok(Signed { through, time: time.into_owned(), key })
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
            Damage::WrongSignature => f.write_str("the checkpoint's signature does not fit the records before it"),
            Damage::OtherKey => f.write_str("it is signed by another key"),
            Damage::Unsigned => f.write_str("nothing of the chain is signed by the key"),
            Damage::WrongBeginning => {
                f.write_str("what says that older segments were removed was not signed, or changed since")
            }
        }
    }
}

#[cfg(test)]
mod tests;
