//! Every way to break a chain is found where it was broken, and a crash is told from tampering.

use proptest::prelude::*;

use super::*;
use crate::event::{Decision, Effect, Event, Outcome, Segment, Stop, Target};
use crate::signature::tests::fresh;
use crate::{SigningKey, Stamp, checkpoint, encode};

const CHAIN: Id = Id::from_bits(42);

/// Writes a chain into memory.
struct Writing {
    head: Head,
    seq: u64,
    segments: Vec<Vec<u8>>,
}

impl Writing {
    fn new() -> Writing {
        let mut writing = Writing { head: Head::EMPTY, seq: 0, segments: Vec::new() };
        writing.segment(CHAIN);
        writing
    }

    fn segment(&mut self, chain: Id) {
        self.segments.push(Vec::new());
        let segment = u32::try_from(self.segments.len()).unwrap();
        self.add(&Event::Segment(Segment { chain, segment, previous: self.head, after: None }));
    }

    fn add(&mut self, event: &Event<'_>) -> Id {
        self.seq += 1;
        let id = Id::from_bits(u128::from(self.seq));
        let time = jiff::Timestamp::from_second(i64::try_from(self.seq).unwrap()).unwrap();
        let out = self.segments.last_mut().unwrap();
        self.head = encode(Stamp { seq: self.seq, id, time }, event, &self.head, out);
        id
    }

    fn checkpoint(&mut self, key: &SigningKey) {
        let time = jiff::Timestamp::from_second(i64::try_from(self.seq + 1).unwrap()).unwrap();
        let checkpoint = checkpoint::sign(key, CHAIN, self.seq, self.head, time).unwrap();
        self.add(&Event::Checkpoint(checkpoint));
    }

    fn call(&mut self) -> Id {
        let effect = Effect::Allow;
        let target = Target::Tool("read ä file");
        let id = Id::from_bits(u128::from(self.seq + 1));
        self.add(&Event::Decision(Decision { id, effect, target, ..Decision::default() }))
    }

    /// Two segments of five calls each, all settled.
    fn calls() -> Writing {
        let mut writing = Writing::new();
        for segment in 0..2 {
            if segment > 0 {
                writing.segment(CHAIN);
            }
            for _ in 0..5 {
                let decision = writing.call();
                writing.add(&Event::Outcome(Outcome { decision, ..Outcome::default() }));
            }
        }
        writing
    }
}

fn check_with(segments: &[(u32, &[u8])], known: &[(u64, Head)]) -> ChainReport {
    let mut verifier = Verifier::new(CHAIN);
    known.iter().for_each(|(seq, head)| verifier.expect(*seq, *head));
    for (index, (number, bytes)) in segments.iter().enumerate() {
        verifier.begin(*number);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
            verifier.line(&line[..line.len() - 1]);
        }
        verifier.end(&bytes[end..], index + 1 == segments.len());
    }
    verifier.finish()
}

fn check(segments: &[Vec<u8>]) -> ChainReport {
    let numbered: Vec<(u32, &[u8])> = (1..).zip(segments.iter().map(Vec::as_slice)).collect();
    check_with(&numbered, &[])
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn a_chain_in_order() {
    let mut writing = Writing::calls();
    let report = check(&writing.segments);
    assert_eq!((report.head, report.records, report.segments), (writing.head, 22, 2));
    assert_eq!((report.finding, report.crash, report.stopped), (None, None, false));
    assert!(report.unfinished.is_empty());
    let open = writing.call();
    assert_eq!(check(&writing.segments).unfinished, [open]);
    writing.add(&Event::Stop(Stop::default()));
    assert!(check(&writing.segments).stopped);
}

#[test]
fn a_torn_last_record_is_a_crash_at_every_byte() {
    let writing = Writing::calls();
    let whole = &writing.segments[1];
    let start = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in start..whole.len() {
        let torn = [writing.segments[0].clone(), whole[..end].to_vec()];
        let report = check(&torn);
        assert_eq!((&report.finding, report.records), (&None, 21), "cut at {end}");
        let crash = Crash { segment: 2, line: 11, offset: start as u64, bytes: end - start };
        // Cut at the end of a line it is a chain that ends there.
        assert_eq!(report.crash, (end > start).then_some(crash), "cut at {end}");
        // A head from before the cut finds it all the same.
        let numbered = [(1, torn[0].as_slice()), (2, torn[1].as_slice())];
        let finding = check_with(&numbered, &[(22, writing.head)]).finding.unwrap();
        assert_eq!((finding.segment, finding.line, finding.damage), (2, 11, Damage::Shortened { seq: 22 }));
    }
    // The first record of a segment, too.
    for end in 0..start.min(200) {
        let report = check(&[writing.segments[0].clone(), whole[..end].to_vec()]);
        assert!(report.finding.is_none() && report.crash.is_some(), "cut at {end}");
    }
}

#[test]
fn each_kind_of_tampering_has_its_place() {
    let writing = Writing::calls();
    let (first, second) = (&writing.segments[0], &writing.segments[1]);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut all = lines(second);
        change(&mut all);
        check(&[first.clone(), all.concat()]).finding.unwrap()
    };
    let at = |finding: &Finding| (finding.segment, finding.line);

    let dropped = with(&|all| drop(all.remove(4)));
    assert_eq!((at(&dropped), &dropped.damage), ((2, 5), &Damage::WrongNumber { expected: 16, found: 17 }));
    let swapped = with(&|all| all.swap(4, 5));
    assert_eq!((at(&swapped), &swapped.damage), ((2, 5), &Damage::WrongNumber { expected: 16, found: 17 }));
    let repeated = with(&|all| all.insert(4, all[3].clone()));
    assert_eq!((at(&repeated), &repeated.damage), ((2, 5), &Damage::WrongNumber { expected: 16, found: 15 }));
    let appended = with(&|all| all.push(b"2026-01-01 admin approved\n".to_vec()));
    assert_eq!((at(&appended), &appended.damage), ((2, 12), &Damage::NotARecord));
    let blank = with(&|all| all.push(b"\n".to_vec()));
    assert_eq!((at(&blank), &blank.damage), ((2, 12), &Damage::NotARecord));
    let tail = with(&|all| all.push(b"rubbish".to_vec()));
    assert_eq!((at(&tail), &tail.damage), ((2, 12), &Damage::ForeignTail));
    let altered = with(&|all| {
        all[2] = String::from_utf8(all[2].clone()).unwrap().replace("unknown", "ok").into_bytes();
    });
    assert_eq!((at(&altered), &altered.damage), ((2, 3), &Damage::WrongHash));
    let offset = lines(second)[..2].concat().len();
    assert_eq!(altered.offset, offset as u64);
    let last_feed = with(&|all| *all.last_mut().unwrap().last_mut().unwrap() = b'x');
    assert_eq!((at(&last_feed), &last_feed.damage), ((2, 11), &Damage::ForeignTail));
}

#[test]
fn segments_belong_where_they_are() {
    let writing = Writing::calls();
    let (first, second) = (writing.segments[0].as_slice(), writing.segments[1].as_slice());
    let damage = |segments: &[(u32, &[u8])]| {
        check_with(segments, &[]).finding.map(|found| (found.segment, found.line, found.damage))
    };
    assert_eq!(damage(&[(1, first), (2, second)]), None);
    assert_eq!(damage(&[(2, second)]), Some((1, 0, Damage::MissingSegment)));
    assert_eq!(damage(&[(1, first), (3, second)]), Some((2, 0, Damage::MissingSegment)));
    assert_eq!(damage(&[(1, second)]), Some((1, 1, Damage::WrongNumber { expected: 1, found: 12 })));
    assert_eq!(damage(&[(1, first), (2, first)]), Some((2, 1, Damage::WrongNumber { expected: 12, found: 1 })));
    let cut = first.len() - 1;
    assert_eq!(damage(&[(1, &first[..cut]), (2, second)]), Some((1, 11, Damage::CutSegment)));
    assert_eq!(damage(&[(1, b""), (2, second)]), Some((1, 1, Damage::CutSegment)));
    let less = lines(first)[..10].concat();
    assert_eq!(damage(&[(1, &less), (2, second)]), Some((2, 1, Damage::WrongNumber { expected: 11, found: 12 })));

    // The same records under another name, or without a head.
    let mut other = Writing { head: Head::EMPTY, seq: 0, segments: Vec::new() };
    other.segment(Id::from_bits(7));
    assert_eq!(damage(&[(1, &other.segments[0])]), Some((1, 1, Damage::WrongSegment)));
    let mut headless = Writing { head: Head::EMPTY, seq: 0, segments: vec![Vec::new()] };
    headless.call();
    assert_eq!(damage(&[(1, &headless.segments[0])]), Some((1, 1, Damage::WrongSegment)));
}

#[test]
fn nothing_follows_a_stop() {
    let mut writing = Writing::new();
    writing.add(&Event::Stop(Stop::default()));
    let stopped = writing.segments[0].clone();
    let torn = [stopped.clone(), b"{\"seq\":3".to_vec()].concat();
    assert_eq!(check(&[torn]).finding.unwrap().damage, Damage::AfterStop);
    writing.call();
    assert_eq!(check(&writing.segments).finding.unwrap().damage, Damage::AfterStop);
    assert_eq!(check(&[stopped, Vec::new()]).finding.unwrap().damage, Damage::AfterStop);
}

#[test]
fn a_chain_written_anew_is_found_by_a_kept_head() {
    let old = Writing::calls();
    let mut new = Writing::new();
    for _ in 0..30 {
        new.call();
    }
    let report = check_with(&[(1, &new.segments[0])], &[(22, old.head)]);
    assert_eq!(report.finding.unwrap().damage, Damage::Rewritten { seq: 22 });
    let empty = check_with(&[], &[(22, old.head)]);
    assert_eq!(empty.finding.unwrap().damage, Damage::MissingChain);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Any byte of any record that ends with a line feed, altered to any other byte.
    #[test]
    fn any_altered_byte_is_found(place in any::<prop::sample::Index>(), to: u8) {
        let mut writing = Writing::calls();
        let length: usize = writing.segments.iter().map(Vec::len).sum();
        let mut at = place.index(length);
        let segment = usize::from(at >= writing.segments[0].len());
        at -= segment * writing.segments[0].len();
        let bytes = &mut writing.segments[segment];
        prop_assume!(bytes[at] != to);
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        bytes[at] = to;
        let report = check(&writing.segments);
        let found = report.finding.expect("it is found");
        prop_assert_eq!((found.segment, found.line), (u32::try_from(segment).unwrap() + 1, line));
    }

    /// Bytes taken out anywhere but at the very end.
    #[test]
    fn any_missing_bytes_are_found(place in any::<prop::sample::Index>(), length in 1usize..2000) {
        let writing = Writing::calls();
        let mut bytes = writing.segments[1].clone();
        let at = place.index(bytes.len() - 2);
        let end = (at + length).min(bytes.len() - 1);
        prop_assume!(end > at);
        bytes.drain(at..end);
        // What is left may be the beginning of the chain: only a kept head tells that.
        prop_assume!(!writing.segments[1].starts_with(&bytes));
        let report = check(&[writing.segments[0].clone(), bytes]);
        prop_assert!(report.finding.is_some());
    }
}

/// Three segments, each signed behind its first record; the segments, and the number and hash before the last one.
fn signed(key: &SigningKey) -> (Writing, u64, Head) {
    let mut writing = Writing::new();
    writing.checkpoint(key);
    let mut last = (0, Head::EMPTY);
    for segment in 0..3 {
        if segment > 0 {
            last = (writing.seq, writing.head);
            writing.segment(CHAIN);
            writing.checkpoint(key);
        }
        (0..3).for_each(|_| {
            writing.call();
        });
    }
    (writing, last.0, last.1)
}

fn trusting(segments: &[Vec<u8>], first: u32, keys: &[&SigningKey], beginning: Option<&str>) -> ChainReport {
    let mut verifier = Verifier::new(CHAIN);
    if !keys.is_empty() {
        verifier.trust(keys.iter().map(|key| key.public().fingerprint()).collect());
    }
    if let Some(text) = beginning {
        verifier.begin_with(Beginning::open(text));
    }
    for (index, bytes) in segments.iter().enumerate() {
        verifier.begin(first + u32::try_from(index).unwrap());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            verifier.line(&line[..line.len() - 1]);
        }
        verifier.end(&[], index + 1 == segments.len());
    }
    verifier.finish()
}

fn damage(report: ChainReport) -> Option<Damage> {
    report.finding.map(|finding| finding.damage)
}

#[test]
fn a_checkpoint_says_who_has_signed_and_how_far() {
    let (key, other) = (fresh(), fresh());
    let (writing, before, _) = signed(&key);
    let report = trusting(&writing.segments, 1, &[], None);
    let state = report.signed.unwrap();
    assert_eq!((report.finding, state.through, state.key), (None, before + 1, key.public().fingerprint()));
    assert_eq!(damage(trusting(&writing.segments, 1, &[&key], None)), None);
    assert_eq!(damage(trusting(&writing.segments, 1, &[&other], None)), Some(Damage::OtherKey));
    assert_eq!(damage(trusting(&writing.segments, 1, &[&other, &key], None)), None);
    assert_eq!(damage(trusting(&Writing::calls().segments, 1, &[&key], None)), Some(Damage::Unsigned));

    // Whoever writes a chain anew, hashes and all, has no signature of the key for it.
    let forged = |signer: &SigningKey| {
        let mut forged = Writing::new();
        forged.checkpoint(&key);
        forged.call();
        forged.checkpoint(signer);
        forged.segments
    };
    assert_eq!(damage(trusting(&forged(&other), 1, &[], None)), Some(Damage::OtherKey));
    let mut moved = Writing::new();
    moved.call();
    let stolen = writing.segments[0].split_inclusive(|byte| *byte == b'\n').nth(1).unwrap();
    let stolen = crate::Record::decode(stolen).unwrap();
    moved.add(&stolen.event().unwrap());
    assert_eq!(damage(trusting(&moved.segments, 1, &[], None)), Some(Damage::WrongSignature));
}

#[test]
fn a_chain_begins_later_where_the_key_says_so_and_nowhere_else() {
    let (key, other) = (fresh(), fresh());
    let (writing, last, previous) = signed(&key);
    let kept = &writing.segments[2..];
    let beginning = |signer: &SigningKey| Beginning {
        chain: CHAIN,
        segment: 3,
        seq: last + 1,
        previous,
        after: None,
        removed_at: jiff::Timestamp::UNIX_EPOCH,
        key: signer.public(),
    };
    let sealed = beginning(&key).seal(&key).unwrap();
    let report = trusting(kept, 3, &[&key], Some(&sealed));
    assert_eq!((report.finding, report.records, report.segments), (None, writing.seq, 3));
    assert_eq!(report.beginning.unwrap().seq, last + 1);

    assert_eq!(damage(trusting(kept, 3, &[&key], None)), Some(Damage::MissingSegment));
    let changed = sealed.replace("\"segment\":3", "\"segment\":2");
    assert_eq!(damage(trusting(&writing.segments[1..], 2, &[], Some(&changed))), Some(Damage::WrongBeginning));
    let by_other = beginning(&other).seal(&other).unwrap();
    assert_eq!(damage(trusting(kept, 3, &[&key], Some(&by_other))), Some(Damage::OtherKey));
    assert_eq!(damage(trusting(kept, 3, &[], Some(&by_other))), Some(Damage::OtherKey));
    let named_other = beginning(&key).seal(&other).unwrap();
    assert_eq!(damage(trusting(kept, 3, &[], Some(&named_other))), Some(Damage::WrongBeginning));
    let elsewhere = Beginning { chain: Id::from_bits(7), ..beginning(&key) }.seal(&key).unwrap();
    assert_eq!(damage(trusting(kept, 3, &[], Some(&elsewhere))), Some(Damage::WrongBeginning));
    // One that was signed for fewer removed segments does not cover more.
    let fewer = Beginning { segment: 2, seq: 6, ..beginning(&key) }.seal(&key).unwrap();
    assert_eq!(damage(trusting(kept, 3, &[&key], Some(&fewer))), Some(Damage::MissingSegment));
}

#[test]
fn heads_that_were_kept_of_removed_records_are_passed_over_and_of_the_last_one_are_not() {
    let key = fresh();
    let (writing, last, previous) = signed(&key);
    let beginning = Beginning {
        chain: CHAIN,
        segment: 3,
        seq: last + 1,
        previous,
        after: None,
        removed_at: jiff::Timestamp::UNIX_EPOCH,
        key: key.public(),
    };
    let with = |known: &[(u64, Head)]| {
        let mut verifier = Verifier::new(CHAIN);
        known.iter().for_each(|(seq, head)| verifier.expect(*seq, *head));
        verifier.begin_with(Ok(beginning.clone()));
        verifier.begin(3);
        for line in writing.segments[2].split_inclusive(|byte| *byte == b'\n') {
            verifier.line(&line[..line.len() - 1]);
        }
        verifier.end(&[], true);
        damage(verifier.finish())
    };
    let other = Head::EMPTY.then(&[b"other"]);
    assert_eq!(with(&[(2, other), (last, previous), (writing.seq, writing.head)]), None);
    assert_eq!(with(&[(last, other)]), Some(Damage::Rewritten { seq: last }));
    assert_eq!(with(&[(writing.seq + 1, other)]), Some(Damage::Shortened { seq: writing.seq + 1 }));
}
