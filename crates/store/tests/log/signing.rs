//! A chain that is signed as it grows, and one of which old segments were removed.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use audit::{Damage, Kind, SigningKey};
use jiff::Timestamp;
use store::DataDir;
use store::log::{AuditLog, Durability, Options, Signer, State, chains, keep_head, prune, verify, verify_signed};

use super::*;

fn key(folder: &Path) -> Arc<SigningKey> {
    Arc::new(store::keys::signing_key(&DataDir::open(folder).unwrap()).unwrap().0)
}

fn signer(key: &Arc<SigningKey>) -> Signer {
    Signer { every_records: 7, ..Signer::new(Arc::clone(key)) }
}

/// A chain of several segments; the process says that it ends if `stop`.
fn chain(audit: &Path, key: &Arc<SigningKey>, durability: Durability, stop: bool) -> AuditLog {
    let options = Options { rotate_bytes: 4_000, durability, ..Options::default() };
    let log = AuditLog::signed(audit, options, signer(key)).unwrap();
    for number in 0..40 {
        let id = call(&log, &format!("tool {number}"));
        log.append_later(&settled(id));
    }
    if stop {
        log.stop(None).unwrap();
    }
    log
}

fn trust(keys: &[&Arc<SigningKey>]) -> Option<BTreeSet<audit::Fingerprint>> {
    Some(keys.iter().map(|key| key.public().fingerprint()).collect())
}

fn late() -> Timestamp {
    Timestamp::now() + Duration::from_secs(60)
}

#[test]
fn every_segment_and_every_few_records_are_signed() {
    for durability in [Durability::Buffered, Durability::Strict] {
        let folder = tempfile::tempdir().unwrap();
        let (key, audit) = (key(folder.path()), folder.path().join("audit"));
        drop(chain(&audit, &key, durability, true));
        let report = verify_signed(&audit, None, trust(&[&key]).as_ref()).unwrap();
        assert!(report.is_intact(), "{report:?}");
        let state = &report.chains[0].report;
        let signed = state.signed.as_ref().unwrap();
        assert!(state.segments > 3);
        assert_eq!(signed.through, state.records - 2, "all but the checkpoint and the end that was said after it");
        let all = read_all(&audit);
        let places = all.iter().enumerate().filter(|(_, entry)| entry.record.kind == Kind::Checkpoint);
        let places: Vec<_> = places.map(|(place, _)| place).collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{places:?}");
        for (place, entry) in all.iter().enumerate().filter(|(_, entry)| entry.record.kind == Kind::Segment) {
            assert!(places.contains(&(place + 1)), "{entry:?}");
        }
    }
}

#[test]
fn what_waits_is_signed_in_time_and_silence_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (key, audit) = (key(folder.path()), folder.path().join("audit"));
    let at_once = Signer { every: Duration::ZERO, ..Signer::new(key) };
    let log = AuditLog::signed(&audit, Options::default(), at_once).unwrap();
    log.flush().wait().unwrap();
    assert_eq!(log.head().1, 0, "nothing to sign");
    call(&log, "a");
    log.flush().wait().unwrap();
    log.flush().wait().unwrap();
    let kinds: Vec<_> = read_all(&audit).iter().map(|entry| entry.record.kind).collect();
    assert_eq!(kinds, [Kind::Segment, Kind::Checkpoint, Kind::Decision, Kind::Checkpoint]);
}

#[test]
fn another_key_and_no_key_are_told_apart() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (key, other, audit) = (key(folder.path()), key(elsewhere.path()), folder.path().join("audit"));
    drop(chain(&audit, &key, Durability::Buffered, true));
    let damages = |keys: &[&Arc<SigningKey>]| {
        let report = verify_signed(&audit, None, trust(keys).as_ref()).unwrap();
        report.chains.into_iter().map(|state| state.report.finding.map(|finding| finding.damage)).collect::<Vec<_>>()
    };
    assert_eq!(damages(&[&key]), [None]);
    assert_eq!(damages(&[&other]), [Some(Damage::OtherKey)]);
    whole_chain(&audit, Options::default(), 3);
    assert_eq!(damages(&[&key]), [None, Some(Damage::Unsigned)]);
    assert!(verify(&audit, None).unwrap().is_intact(), "what an older version wrote is in order");
}

#[test]
fn a_chain_without_its_old_segments_is_in_order_where_the_key_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (key, audit) = (key(folder.path()), folder.path().join("audit"));
    drop(chain(&audit, &key, Durability::Buffered, true));
    let running = chain(&audit, &key, Durability::Buffered, false);
    let kept = keep_head(&audit, &verify(&audit, None).unwrap()).unwrap();
    assert_eq!(prune(&audit, Timestamp::UNIX_EPOCH, &key).unwrap().segments, 0, "nothing is that old");
    let before = verify(&audit, None).unwrap();

    let pruned = prune(&audit, late(), &key).unwrap();
    assert!(pruned.segments > 5 && pruned.kept.is_empty(), "{pruned:?}");
    let report = verify_signed(&audit, Some(kept), trust(&[&key]).as_ref()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.chains.iter().map(|chain| chain.state).collect::<Vec<_>>(), [State::Removed, State::Running]);
    assert!(report.records < before.records && report.records > 0);
    assert_eq!(report.chains[1].report.records, before.chains[1].report.records, "numbers stay what they were");
    let there = chains(&audit).unwrap();
    assert_eq!((there[0].segments.len(), there[1].segments.len()), (0, 1), "the one that is written stays");

    // It goes on, and more can be removed.
    for number in 0..40 {
        call(&running, &format!("later {number}"));
    }
    assert!(prune(&audit, late(), &key).unwrap().segments > 1);
    let report = verify_signed(&audit, Some(kept), trust(&[&key]).as_ref()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert!(read_all(&audit).iter().any(|entry| entry.record.tool.as_deref() == Some("later 39")));
}

#[test]
fn what_was_removed_by_hand_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let (key, audit) = (key(folder.path()), folder.path().join("audit"));
    let running = chain(&audit, &key, Durability::Buffered, false);
    let path = running.path().to_owned();
    let damage = || {
        let report = verify_signed(&audit, None, trust(&[&key]).as_ref()).unwrap();
        report.chains[0].report.finding.clone().map(|finding| finding.damage)
    };
    // The first segments, without a word.
    let first = fs::read(path.join("000001.log")).unwrap();
    fs::remove_file(path.join("000001.log")).unwrap();
    assert_eq!(damage(), Some(Damage::MissingSegment));
    fs::write(path.join("000001.log"), &first).unwrap();

    prune(&audit, late(), &key).unwrap();
    assert_eq!(damage(), None);
    let begins = fs::read_to_string(path.join("begins")).unwrap();
    // The statement itself, or a letter of it.
    fs::remove_file(path.join("begins")).unwrap();
    assert_eq!(damage(), Some(Damage::MissingSegment));
    fs::write(path.join("begins"), begins.replace("\"seq\":", "\"seq\":1")).unwrap();
    assert_eq!(damage(), Some(Damage::WrongBeginning));
    // A process that died between the statement and the removal left something behind, which is no fault.
    fs::write(path.join("begins"), &begins).unwrap();
    fs::write(path.join("000001.log"), &first).unwrap();
    assert_eq!(damage(), None);
    assert_eq!(prune(&audit, Timestamp::UNIX_EPOCH, &key).unwrap().segments, 1);
    // More than was signed away.
    for number in 0..40 {
        call(&running, &format!("later {number}"));
    }
    let first = chains(&audit).unwrap()[0].segments[0];
    fs::remove_file(path.join(format!("{first:06}.log"))).unwrap();
    assert_eq!(damage(), Some(Damage::MissingSegment));
}

#[test]
fn nothing_is_removed_of_a_chain_that_is_not_in_order() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (key, other, audit) = (key(folder.path()), key(elsewhere.path()), folder.path().join("audit"));
    drop(chain(&audit, &key, Durability::Buffered, true));
    let there = chains(&audit).unwrap()[0].clone();
    assert_eq!(prune(&audit, late(), &other).unwrap().kept, [there.id], "signed by another key");
    let file = there.segment(2);
    let bytes = fs::read_to_string(&file).unwrap();
    fs::write(&file, bytes.replacen("tool 1", "tool 7", 1)).unwrap();
    let pruned = prune(&audit, late(), &key).unwrap();
    assert_eq!((pruned.segments, pruned.kept), (0, vec![there.id]));
    assert_eq!(chains(&audit).unwrap()[0], there);
}
