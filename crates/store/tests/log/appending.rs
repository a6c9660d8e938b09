//! What was acknowledged is there, in order, in both durabilities and from many threads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use audit::{Event, Kind, Stop};
use store::log::{AuditLog, Durability, Options, State, chains, verify};

use super::*;

fn strict() -> Options {
    Options { durability: Durability::Strict, ..Options::default() }
}

#[test]
fn outcomes_join_the_next_write() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("audit");
    let log = AuditLog::open(&audit, Options::default()).unwrap();
    let first = call(&log, "a");
    log.append_later(&settled(first));
    assert_eq!(read_all(&audit).len(), 2, "segment head and decision");
    let second = call(&log, "b");
    let kinds: Vec<Kind> = read_all(&audit).iter().map(|entry| entry.record.kind).collect();
    assert_eq!(kinds, [Kind::Segment, Kind::Decision, Kind::Outcome, Kind::Decision]);
    log.append_later(&settled(second));
    log.flush().wait().unwrap();
    assert_eq!(read_all(&audit).len(), 5);

    let report = verify(&audit, None).unwrap();
    assert!(report.is_intact());
    assert_eq!((report.records, report.chains[0].state), (5, State::Running));
    assert_eq!((report.chains[0].report.head, report.chains[0].report.records), log.head());
    log.stop(Some("test")).unwrap();
    assert!(log.append(&settled(second)).is_err(), "nothing follows a stop");
    log.append_later(&settled(second));
    drop(log);
    let report = verify(&audit, None).unwrap();
    assert_eq!((report.records, report.chains[0].state), (6, State::Stopped));
    assert!(report.is_intact());
}

#[test]
fn a_log_that_is_dropped_has_written_everything() {
    for options in [Options::default(), strict()] {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::open(dir.path(), options).unwrap();
        let id = call(&log, "a");
        log.append_later(&settled(id));
        drop(log);
        let report = verify(dir.path(), None).unwrap();
        assert!(report.is_intact());
        assert_eq!((report.records, report.chains[0].state), (3, State::Crashed));
    }
}

#[test]
fn eight_threads() {
    for durability in [Durability::Buffered, Durability::Strict] {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { durability, rotate_bytes: 20_000, ..Options::default() };
        let log = Arc::new(AuditLog::open(dir.path(), options).unwrap());
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    (0..200)
                        .map(|_| {
                            let id = call(&log, &format!("tool{thread}"));
                            log.append_later(&settled(id));
                            id
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let acknowledged: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        log.stop(None).unwrap();
        let report = verify(dir.path(), None).unwrap();
        assert!(report.is_intact(), "{report:?}");
        let chain = &report.chains[0].report;
        assert!(chain.unfinished.is_empty() && chain.segments > 10);
        let decisions: HashSet<_> = read_all(dir.path())
            .into_iter()
            .filter(|entry| entry.record.kind == Kind::Decision)
            .map(|entry| entry.record.id)
            .collect();
        assert_eq!(decisions, acknowledged);
    }
}

#[test]
fn rotates_by_size_and_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let by_size = Options { rotate_bytes: 2_000, ..Options::default() };
    let by_age = Options { rotate_age: Duration::ZERO, ..Options::default() };
    let small = whole_chain(dir.path(), by_size, 30);
    let young = whole_chain(dir.path(), by_age, 10);
    let chains = chains(dir.path()).unwrap();
    assert_eq!(chains.len(), 2);
    assert!((5..30).contains(&chains[0].segments.len()), "{:?}", chains[0].segments);
    assert_eq!(chains[1].segments, (1..=11).collect::<Vec<_>>(), "a segment for each write");
    for path in [small, young] {
        let first = std::fs::metadata(path.join("000001.log")).unwrap();
        assert!(first.len() < 3_000);
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&first.permissions()) & 0o777, 0o600);
    }
    assert!(verify(dir.path(), None).unwrap().is_intact());
}

#[test]
fn a_commit_can_be_awaited() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), strict()).unwrap();
    let commits: Vec<_> = (0..50).map(|_| log.submit(&allowed(ids::next(), "a"))).collect();
    for commit in commits {
        block_on(commit).unwrap();
    }
    block_on(log.submit(&Event::Stop(Stop::default()))).unwrap();
    assert_eq!(verify(dir.path(), None).unwrap().records, 52);
    assert!(log.append(&allowed(ids::next(), "late")).is_err());
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
