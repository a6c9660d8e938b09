//! Records that are encoded and not yet written: the growing end of the chain.

use std::time::Duration;

use audit::{After, Event, Head, Id, Recovered, Segment, Stamp, checkpoint, encode};
use jiff::Timestamp;

use super::{Options, Signer, ids};

/// Most bytes of records that may wait, before those that come later are dropped.
const MOST_WAITING: usize = 1 << 20;
/// A buffer that grew beyond this is not kept.
const LARGEST_KEPT: usize = 1 << 16;

/// The end of the chain as it will be when the draft is written.
pub(super) struct Draft {
    chain: Id,
    after: Option<After>,
    rotate_bytes: u64,
    rotate_age: Duration,
    bytes: Vec<u8>,
    head: Head,
    seq: u64,
    segment: u32,
    /// Bytes in the segment, the draft's with them.
    size: u64,
    begun: Timestamp,
    /// The segment that the draft begins.
    opens: Option<u32>,
    /// Begin a segment whatever the size and age of the present one.
    must_open: bool,
    /// Records in the draft that wait for no answer.
    later: u64,
    /// Records that were dropped and not yet owned up to.
    dropped: u64,
    /// Whether the last write worked.
    works: bool,
    signer: Option<Signer>,
    /// The number of the last checkpoint, and when it was written.
    signed: (u64, Timestamp),
}

/// A place in the chain to come back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    length: usize,
    head: Head,
    seq: u64,
    size: u64,
}

/// A draft that was handed over for writing.
pub(super) struct Handed {
    pub(super) bytes: Vec<u8>,
    pub(super) opens: Option<u32>,
    head: Head,
    seq: u64,
    segment: u32,
    size: u64,
    begun: Timestamp,
    later: u64,
    signed: (u64, Timestamp),
}

impl Draft {
    pub(super) fn new(chain: Id, options: Options, after: Option<After>, signer: Option<Signer>) -> Draft {
        Draft {
            chain,
            after,
            rotate_bytes: options.rotate_bytes,
            rotate_age: options.rotate_age,
            bytes: Vec::with_capacity(4096),
            head: Head::EMPTY,
            seq: 0,
            segment: 0,
            size: 0,
            begun: Timestamp::UNIX_EPOCH,
            opens: None,
            must_open: true,
            later: 0,
            dropped: 0,
            works: false,
            signer,
            signed: (0, Timestamp::UNIX_EPOCH),
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn opens(&self) -> Option<u32> {
        self.opens
    }

    /// Adds what has to come before the next record: the head of a segment if it is time for one, a checkpoint
    /// likewise, and how many records were dropped once writing works again. Both stay in the draft when a
    /// record behind them has to be taken back, so this comes before any [`mark`](Draft::mark).
    pub(super) fn prepare(&mut self, now: Timestamp) {
        self.rotate(now);
        if self.signer.as_ref().is_some_and(|signer| self.seq.saturating_sub(self.signed.0) >= signer.every_records) {
            self.sign(now);
        }
        if self.works && self.dropped > 0 {
            let times = Some(std::mem::take(&mut self.dropped));
            let reason = "so many could not be recorded while the log was down";
            self.add(&Event::Recovered(Recovered { reason, times }), now);
        }
    }

    fn rotate(&mut self, now: Timestamp) {
        let old = || now.duration_since(self.begun).unsigned_abs() >= self.rotate_age;
        if !self.bytes.is_empty() || !(self.must_open || self.size >= self.rotate_bytes || old()) {
            return;
        }
        self.segment = self.segment.saturating_add(1);
        self.size = 0;
        self.begun = now;
        self.must_open = false;
        self.opens = Some(self.segment);
        let after = self.after.filter(|_| self.segment == 1);
        let (chain, segment, previous) = (self.chain, self.segment, self.head);
        self.add(&Event::Segment(Segment { chain, segment, previous, after }), now);
        // So the end of the segment before is signed, and a chain can begin with this one when older ones are removed.
        self.sign(now);
    }

    /// Signs the chain up to here, unless nothing has come since it was signed.
    pub(super) fn sign(&mut self, now: Timestamp) {
        let Some(signer) = self.signer.as_ref().filter(|_| self.seq > self.signed.0) else { return };
        // Without a signature the chain is what it was without a key: the next attempt signs all of it.
        if let Ok(checkpoint) = checkpoint::sign(&signer.key, self.chain, self.seq, self.head, now) {
            self.add(&Event::Checkpoint(checkpoint), now);
            self.signed = (self.seq, now);
        }
    }

    /// Signs what has been waiting for it for too long. To be called while nothing waits to be written.
    pub(super) fn sign_in_time(&mut self, now: Timestamp) {
        let old = |signer: &Signer| now.duration_since(self.signed.1).unsigned_abs() >= signer.every;
        if self.works && self.signer.as_ref().is_some_and(old) {
            self.sign(now);
        }
    }

    pub(super) fn add(&mut self, event: &Event<'_>, now: Timestamp) {
        let start = self.bytes.len();
        self.seq += 1;
        let stamp = Stamp { seq: self.seq, id: event.id().unwrap_or_else(ids::next), time: now };
        self.head = encode(stamp, event, &self.head, &mut self.bytes);
        self.size += u64::try_from(self.bytes.len() - start).unwrap_or(u64::MAX);
    }

    /// Adds a record for which nobody waits, unless too many wait already.
    pub(super) fn add_later(&mut self, event: &Event<'_>, now: Timestamp) {
        if self.bytes.len() >= MOST_WAITING {
            self.dropped += 1;
            return;
        }
        self.prepare(now);
        self.add(event, now);
        self.later += 1;
    }

    /// A record was refused before it came here: its number is told like those that were dropped.
    pub(super) fn drop_one(&mut self) {
        self.dropped += 1;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.bytes.len(), head: self.head, seq: self.seq, size: self.size }
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.bytes.truncate(mark.length);
        (self.head, self.seq, self.size) = (mark.head, mark.seq, mark.size);
    }

    /// All of it is in the file.
    pub(super) fn written(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(LARGEST_KEPT);
        (self.opens, self.later, self.works) = (None, 0, true);
    }

    /// It could not be written and stays.
    pub(super) fn refused(&mut self) {
        self.works = false;
    }

    /// Hands the draft over for writing; what is added from now on follows it.
    pub(super) fn hand_over(&mut self, spare: Vec<u8>) -> Handed {
        let handed = Handed {
            bytes: std::mem::replace(&mut self.bytes, spare),
            opens: self.opens.take(),
            head: self.head,
            seq: self.seq,
            segment: self.segment,
            size: self.size,
            begun: self.begun,
            later: self.later,
            signed: self.signed,
        };
        self.later = 0;
        handed
    }

    /// A draft that was handed over is in the file.
    pub(super) fn succeeded(&mut self) {
        self.works = true;
    }

    /// A draft that was handed over is not in the file: goes back to `before`, the last one that
    /// is. What was added since follows on records that will never be, and is dropped with them.
    pub(super) fn failed(&mut self, failed: &Handed, before: &Handed) {
        self.dropped += failed.later + self.later;
        self.bytes.clear();
        (self.head, self.seq, self.segment) = (before.head, before.seq, before.segment);
        (self.size, self.begun, self.signed) = (before.size, before.begun, before.signed);
        (self.opens, self.later, self.works) = (None, 0, false);
        // The file of a segment that was not begun may be there already, empty.
        self.must_open = failed.opens.is_some() || before.segment == 0;
    }
}

impl Handed {
    /// The chain before its first record.
    pub(super) fn nothing() -> Handed {
        Handed {
            bytes: Vec::new(),
            opens: None,
            head: Head::EMPTY,
            seq: 0,
            segment: 0,
            size: 0,
            begun: Timestamp::UNIX_EPOCH,
            later: 0,
            signed: (0, Timestamp::UNIX_EPOCH),
        }
    }
}
