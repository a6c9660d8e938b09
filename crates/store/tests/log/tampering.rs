//! Whatever is done to the files, `verify` finds it, and says where.

use std::fs;

use audit::{Damage, Head};
use store::log::{AuditLog, Options, chains, keep_head, verify};

use super::*;

/// Three chains in several segments each.
fn three_chains(audit: &Path) {
    for _ in 0..3 {
        whole_chain(audit, Options { rotate_bytes: 3_000, ..Options::default() }, 15);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1
}

/// One change somewhere in a segment; the line where it shows, or `None` if it changes nothing.
fn tamper(bytes: &mut Vec<u8>, chance: &mut Chance) -> Option<u64> {
    let lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = chance.below(lines.len());
    match chance.below(6) {
        0 => {
            let at = chance.below(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
            Some(line_of(bytes, at).min(lines.len() as u64))
        }
        1 => {
            // Cut within the file, so that whole lines are missing at its end.
            let at = chance.below(bytes.len());
            bytes.truncate(at);
            None
        }
        2 => {
            let mut left = lines;
            left.remove(line);
            *bytes = left.concat();
            // Without its last line a segment ends too early; the next one, or nothing, shows it.
            (line < left.len()).then_some(line as u64 + 1)
        }
        3 => {
            let other = chance.below(lines.len());
            let mut swapped = lines;
            swapped.swap(line, other);
            *bytes = swapped.concat();
            (line != other).then_some(line.min(other) as u64 + 1)
        }
        4 => {
            let mut more = lines;
            more.insert(line + 1, more[line].clone());
            *bytes = more.concat();
            Some(line as u64 + 2)
        }
        _ => {
            let count = lines.len() as u64;
            bytes.extend_from_slice(b"{\"seq\":1,\"forged\":true}\n");
            Some(count + 1)
        }
    }
}

#[test]
fn a_thousand_changes_are_all_found() {
    let dir = tempfile::tempdir().unwrap();
    three_chains(dir.path());
    let kept = keep_head(dir.path(), &verify(dir.path(), None).unwrap()).unwrap();
    let mut chance = Chance(1);
    let (mut found, mut placed) = (0, 0);
    while found < 1_000 {
        let all = chains(dir.path()).unwrap();
        let chain = &all[chance.below(all.len())];
        let number = chain.segments[chance.below(chain.segments.len())];
        let file = chain.segment(number);
        let before = fs::read(&file).unwrap();
        let mut bytes = before.clone();
        let line = tamper(&mut bytes, &mut chance);
        if bytes == before {
            continue;
        }
        fs::write(&file, &bytes).unwrap();
        let report = verify(dir.path(), Some(kept)).unwrap();
        assert!(!report.is_intact(), "{line:?}");
        let state = report.chains.iter().find(|state| state.report.chain == chain.id).unwrap();
        let finding = state.report.finding.as_ref().expect("in that chain");
        if let Some(line) = line {
            assert_eq!((finding.segment, finding.line), (number, line), "{finding}");
            placed += 1;
        }
        // The other chains are not affected.
        assert_eq!(report.chains.iter().filter(|state| state.report.finding.is_some()).count(), 1);
        fs::write(&file, &before).unwrap();
        found += 1;
    }
    assert!(placed > 500);
    assert!(verify(dir.path(), Some(kept)).unwrap().is_intact());
}

#[test]
fn missing_and_misplaced_files() {
    let dir = tempfile::tempdir().unwrap();
    three_chains(dir.path());
    let ids: Vec<_> = chains(dir.path()).unwrap();
    let damages = |change: &dyn Fn(&Path)| {
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        change(copied.path());
        let report = verify(copied.path(), None).unwrap();
        report
            .chains
            .into_iter()
            .filter_map(|state| Some((state.report.chain, state.report.finding?.damage)))
            .collect::<Vec<_>>()
    };
    let name = |index: usize| ids[index].id.to_string();
    assert!(damages(&|_| ()).is_empty());
    let segment = |index: usize, number: u32| format!("{}/{number:06}.log", name(index));
    assert_eq!(damages(&|at| fs::remove_file(at.join(segment(0, 2))).unwrap()), [(ids[0].id, Damage::MissingSegment)]);
    assert_eq!(damages(&|at| fs::remove_file(at.join(segment(0, 1))).unwrap()), [(ids[0].id, Damage::MissingSegment)]);
    // The chain that began next says how far this one had come.
    assert_eq!(damages(&|at| fs::remove_dir_all(at.join(name(1))).unwrap()), [(ids[1].id, Damage::MissingChain)]);
    let last = *ids[1].segments.last().unwrap();
    let shortened = damages(&|at| fs::remove_file(at.join(segment(1, last))).unwrap());
    assert!(matches!(shortened[..], [(chain, Damage::Shortened { .. })] if chain == ids[1].id), "{shortened:?}");
    let moved = damages(&|at| fs::rename(at.join(segment(2, 1)), at.join(segment(2, 99))).unwrap());
    assert_eq!(moved, [(ids[2].id, Damage::MissingSegment)]);
    let swapped = damages(&|at| drop(fs::copy(at.join(segment(0, 1)), at.join(segment(2, 1))).unwrap().to_string()));
    assert!(matches!(swapped[..], [(chain, Damage::WrongSegment)] if chain == ids[2].id), "{swapped:?}");
    // Of the youngest chain nothing tells but a head that was kept.
    assert!(damages(&|at| fs::remove_dir_all(at.join(name(2))).unwrap()).is_empty());
}

#[test]
fn a_head_is_found_again_after_the_chains_grew() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(verify(dir.path(), None).unwrap().head, Head::EMPTY);
    let logs: Vec<_> = (0..3).map(|_| AuditLog::open(dir.path(), Options::default()).unwrap()).collect();
    let mut heads = vec![];
    for round in 0..5 {
        (0..=round % 3).for_each(|log| drop(call(&logs[log], "a").to_string()));
        let report = verify(dir.path(), None).unwrap();
        let kept = keep_head(dir.path(), &report).unwrap();
        assert_eq!(kept, report.head);
        // Nothing grew: the same head, and nothing more to keep.
        let size = fs::metadata(dir.path().join("heads")).unwrap().len();
        let again = verify(dir.path(), Some(kept)).unwrap();
        assert_eq!(keep_head(dir.path(), &again).unwrap(), kept);
        assert_eq!(fs::metadata(dir.path().join("heads")).unwrap().len(), size);
        heads.push(kept);
    }
    let (record, _) = logs[0].head();
    call(&logs[0], "later");
    for head in heads.iter().chain([&record]) {
        let report = verify(dir.path(), Some(*head)).unwrap();
        assert!(report.is_intact() && report.asked.unwrap().reached, "{head}");
    }
    assert!(verify(dir.path(), Some(record)).unwrap().asked.unwrap().record.is_some());
    let strange = Head::EMPTY.then(&[b"never"]);
    assert!(!verify(dir.path(), Some(strange)).unwrap().is_intact());
    drop(logs);

    // A tail that is cut off is missed by every head from after it, and by the kept ones.
    let chain = &chains(dir.path()).unwrap()[1];
    let text = fs::read_to_string(chain.segment(1)).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(chain.segment(1), lines[..lines.len() - 1].concat()).unwrap();
    let report = verify(dir.path(), None).unwrap();
    let finding = report.chains[1].report.finding.as_ref().unwrap();
    assert!(matches!(finding.damage, Damage::Shortened { .. }), "{finding}");
    assert!(keep_head(dir.path(), &report).is_err());

    // Removing the kept heads as well does not help against one that was kept elsewhere.
    fs::remove_file(dir.path().join("heads")).unwrap();
    assert!(verify(dir.path(), None).unwrap().is_intact());
    assert!(!verify(dir.path(), heads.last().copied()).unwrap().is_intact());
}

#[test]
fn the_kept_heads_cannot_be_altered_unseen() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), Options::default()).unwrap();
    let mut last = Head::EMPTY;
    for _ in 0..3 {
        call(&log, "a");
        last = keep_head(dir.path(), &verify(dir.path(), None).unwrap()).unwrap();
    }
    let file = dir.path().join("heads");
    let good = fs::read(&file).unwrap();
    // All but the last line feed: without it the last head counts as never given out, and is made
    // anew of what the chains say.
    for at in 0..good.len() - 1 {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert!(!verify(dir.path(), Some(last)).unwrap().is_intact(), "byte {at}");
    }
    // Cut off by a crash while one was kept: that one was never given out.
    let block = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for end in block..good.len() {
        fs::write(&file, &good[..end]).unwrap();
        let report = verify(dir.path(), None).unwrap();
        assert!(report.is_intact(), "cut at {end}");
        assert_eq!(keep_head(dir.path(), &report).unwrap(), last);
        assert_eq!(fs::read(&file).unwrap(), good);
    }
}
