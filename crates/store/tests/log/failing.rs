//! Disks that fail: nothing is acknowledged that is not there, nothing half-written stays, and the
//! log works again by itself.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use audit::{Event, Kind, Record, Verifier};
use store::log::{AuditLog, Disk, Durability, Options};

use super::*;

/// Segments in memory, and what fails next.
#[derive(Default)]
struct Memory {
    segments: Vec<(u32, Vec<u8>)>,
    room: Option<usize>,
    no_open: bool,
    no_truncate: bool,
    no_sync: bool,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Memory>>);

impl Disk for Shared {
    fn open(&mut self, segment: u32) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        if memory.no_open {
            return Err(io::ErrorKind::StorageFull.into());
        }
        memory.segments.push((segment, Vec::new()));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        let fits = memory.room.unwrap_or(usize::MAX).min(bytes.len());
        memory.room = memory.room.map(|room| room - fits);
        memory.segments.last_mut().unwrap().1.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        if memory.no_truncate {
            return Err(io::Error::other("no"));
        }
        let segment = &mut memory.segments.last_mut().unwrap().1;
        segment.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.0.lock().unwrap().no_sync { Err(io::Error::other("disk on fire")) } else { Ok(()) }
    }
}

impl Shared {
    fn set(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.0.lock().unwrap());
    }

    /// Checks the chain and gives its records.
    fn check(&self, log: &AuditLog) -> Vec<Record> {
        let memory = self.0.lock().unwrap();
        let (mut verifier, mut records) = (Verifier::new(log.chain()), Vec::new());
        for (index, (number, bytes)) in memory.segments.iter().enumerate() {
            verifier.begin(*number);
            let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            let (tail, lines) = lines.split_last().unwrap();
            for line in lines {
                verifier.line(line);
                records.push(Record::decode(line).unwrap());
            }
            verifier.end(tail, index + 1 == memory.segments.len());
        }
        let report = verifier.finish();
        assert_eq!((&report.finding, &report.crash), (&None, &None));
        records
    }
}

fn options(durability: Durability) -> Options {
    Options { durability, rotate_bytes: 3_000, ..Options::default() }
}

/// Every amount of room that a few records can run out of, in both durabilities.
#[test]
fn a_full_disk_at_every_byte() {
    for durability in [Durability::Buffered, Durability::Strict] {
        let step = if durability == Durability::Buffered { 1 } else { 13 };
        for room in (0..1_500).step_by(step) {
            let disk = Shared::default();
            let log = AuditLog::on_disk(Box::new(disk.clone()), options(durability)).unwrap();
            disk.set(|memory| memory.room = Some(room));
            let mut acknowledged = HashSet::new();
            let mut refused = 0;
            for _ in 0..6 {
                let id = ids::next();
                match log.append(&allowed(id, "a")) {
                    Ok(()) => {
                        acknowledged.insert(id);
                        log.append_later(&settled(id));
                    }
                    Err(down) => {
                        assert!(down.is_full() && down.to_string().contains("free space"));
                        refused += 1;
                    }
                }
            }
            assert!(refused > 0, "room {room}");
            disk.set(|memory| memory.room = None);
            acknowledged.insert(call(&log, "after"));
            log.stop(None).unwrap();
            let records = disk.check(&log);
            let decisions: HashSet<_> =
                records.iter().filter(|record| record.kind == Kind::Decision).map(|record| record.id).collect();
            assert_eq!(decisions, acknowledged, "room {room}: no more and no less");
            if durability == Durability::Buffered {
                let outcomes = records.iter().filter(|record| record.kind == Kind::Outcome).count();
                assert_eq!(outcomes, acknowledged.len() - 1, "outcomes wait for better times");
            }
        }
    }
}

#[test]
fn a_disk_that_cannot_even_be_cut() {
    let disk = Shared::default();
    let log = AuditLog::on_disk(Box::new(disk.clone()), options(Durability::Buffered)).unwrap();
    call(&log, "a");
    disk.set(|memory| (memory.room, memory.no_truncate) = (Some(10), true));
    assert!(log.append(&allowed(ids::next(), "b")).is_err());
    disk.set(|memory| memory.room = None);
    // There is room again, but rubbish stands at the end.
    assert!(log.append(&allowed(ids::next(), "c")).is_err());
    disk.set(|memory| memory.no_truncate = false);
    call(&log, "d");
    let tools: Vec<_> = disk.check(&log).into_iter().filter_map(|record| record.tool).collect();
    assert_eq!(tools, ["a", "d"]);
}

#[test]
fn a_segment_that_cannot_be_made() {
    for durability in [Durability::Buffered, Durability::Strict] {
        let disk = Shared::default();
        let log = AuditLog::on_disk(Box::new(disk.clone()), options(durability)).unwrap();
        disk.set(|memory| memory.no_open = true);
        assert!(log.append(&allowed(ids::next(), "a")).is_err());
        disk.set(|memory| memory.no_open = false);
        (0..20).for_each(|_| drop(call(&log, "b").to_string()));
        disk.set(|memory| memory.no_open = true);
        let before = (0..20).filter(|_| log.append(&allowed(ids::next(), "c")).is_ok()).count();
        assert!(before < 20);
        disk.set(|memory| memory.no_open = false);
        (0..20).for_each(|_| drop(call(&log, "d").to_string()));
        let decisions = disk.check(&log).iter().filter(|record| record.kind == Kind::Decision).count();
        assert_eq!(decisions, 40 + before);
    }
}

#[test]
fn a_disk_that_does_not_keep_what_it_took() {
    let disk = Shared::default();
    let log = AuditLog::on_disk(Box::new(disk.clone()), options(Durability::Strict)).unwrap();
    let first = call(&log, "a");
    disk.set(|memory| memory.no_sync = true);
    log.append_later(&settled(first));
    assert!(log.append(&allowed(ids::next(), "b")).is_err());
    assert!(log.append(&allowed(ids::next(), "c")).is_err());
    disk.set(|memory| memory.no_sync = false);
    call(&log, "d");
    call(&log, "e");
    let records = disk.check(&log);
    let tools: Vec<_> = records.iter().filter_map(|record| record.tool.as_deref()).collect();
    assert_eq!(tools, ["a", "d", "e"]);
    let lost = records.iter().find(|record| record.kind == Kind::Recovered).unwrap();
    assert_eq!(lost.times, Some(1), "the outcome that went down with it");
}

#[test]
fn a_disk_that_does_not_answer() {
    let disk = Shared::default();
    let log = AuditLog::on_disk(Box::new(disk.clone()), options(Durability::Strict)).unwrap();
    let held = disk.0.lock().unwrap();
    let first = log.submit(&allowed(ids::next(), "first"));
    let is_refused = || log.submit(&allowed(ids::next(), "meanwhile")).now().is_some_and(|done| done.is_err());
    testkit::wait::for_it("a refusal", is_refused).unwrap();
    assert!(is_refused());
    drop(held);
    first.wait().unwrap();
    call(&log, "after");
    log.stop(None).unwrap();
    let records = disk.check(&log);
    let told = records.iter().find(|record| record.kind == Kind::Recovered).unwrap();
    assert_eq!(told.times, Some(2), "what was refused without a record is counted");
}

#[test]
fn what_waits_is_bounded() {
    let disk = Shared::default();
    let big = Options { rotate_bytes: u64::MAX, ..options(Durability::Buffered) };
    let log = AuditLog::on_disk(Box::new(disk.clone()), big).unwrap();
    call(&log, "a");
    disk.set(|memory| memory.room = Some(0));
    let outcomes = 10_000;
    (0..outcomes).for_each(|_| log.append_later(&settled(ids::next())));
    assert!(log.flush().wait().is_err());
    assert!(log.append(&allowed(ids::next(), "b")).is_err());
    disk.set(|memory| memory.room = None);
    log.flush().wait().unwrap();
    call(&log, "c");
    let records = disk.check(&log);
    let kept = records.iter().filter(|record| record.kind == Kind::Outcome).count();
    let lost = records.iter().find(|record| record.kind == Kind::Recovered).unwrap().times.unwrap();
    assert!(kept < outcomes && lost > 0);
    assert_eq!(kept as u64 + lost, outcomes as u64);
}

/// A real file that may not grow: the limit on the size of files, which the child raises again.
#[test]
fn a_file_that_may_not_grow() {
    let dir = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 20; exec \"$0\" --exact failing::child_with_little_room --nocapture"])
        .arg(own)
        .env("LOG_TEST_LITTLE_ROOM", dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let report = store::log::verify(dir.path(), None).unwrap();
    assert!(report.is_intact() && report.records > 5, "{report:?}");
    let tools: Vec<_> = read_all(dir.path()).into_iter().filter_map(|entry| entry.record.tool).collect();
    assert!(tools.contains(&"before".to_owned()) && tools.contains(&"after".to_owned()));
    assert!(!tools.contains(&"refused".to_owned()));
}

/// The other side of the test above; does nothing on its own.
#[test]
fn child_with_little_room() {
    let Some(audit) = std::env::var_os("LOG_TEST_LITTLE_ROOM") else {
        return;
    };
    let log = AuditLog::open(Path::new(&audit), Options::default()).unwrap();
    while log.append(&allowed(ids::next(), "before")).is_ok() {}
    for _ in 0..3 {
        let down = log.append(&Event::Recovered(audit::Recovered { reason: &"x".repeat(500), times: None }));
        assert!(down.is_err_and(|down| down.is_full()));
    }
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Fsize);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    call(&log, "after");
    log.stop(None).unwrap();
}
