//! The counts file: what every form must do, and what only a shared file must.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quota::{Amount, CountId, Counters, Kind, Take, Taken, Window};
use store::DataDir;
use store::counts::{Frozen, Ledger, PATIENCE};
use store::log::{AuditLog, Options};

fn take(counter: &str, max: u32) -> Take {
    Take {
        id: CountId::new("local", &[("grant", "g")], counter, Some(Window::Day), &TimeZone::UTC, Kind::Quota),
        window: Some(Window::Day),
        zone: TimeZone::UTC,
        kind: Kind::Quota,
        max: Amount::from(max),
        amount: Amount::ONE,
    }
}

#[expect(clippy::unwrap_used, reason = "a constant that reads")]
fn noon() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

#[test]
fn does_what_every_form_must() {
    let dirs = std::cell::RefCell::new(Vec::new());
    quota::conformance::cases(&|| {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&DataDir::open(dir.path()).unwrap()).unwrap();
        dirs.borrow_mut().push(dir);
        Box::new(ledger)
    });
}

#[test]
fn eight_threads_and_two_handles_take_exactly_the_maximum() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let ledgers = [Arc::new(Ledger::open(&data).unwrap()), Arc::new(Ledger::open(&data).unwrap())];
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let ledger = Arc::clone(&ledgers[number % 2]);
            std::thread::spawn(move || {
                (0..500)
                    .filter(|_| matches!(ledger.take(&[take("shared", 1000)], noon()), Ok(Taken::Granted(_))))
                    .count()
            })
        })
        .collect();
    let granted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(granted, 1000);
}

#[test]
fn a_count_that_one_process_resets_is_reset_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let [one, other] = [(); 2].map(|()| Ledger::open(&data).unwrap());
    let granted = |ledger: &Ledger| matches!(ledger.take(&[take("reset", 1)], noon()), Ok(Taken::Granted(_)));
    assert!(granted(&one) && !granted(&other));
    assert!(other.reset(take("reset", 1).id.text()).unwrap());
    assert!(granted(&one), "it knew the count as full");
    assert!(!granted(&other), "it knew the count as empty");
    // A count with a long name stands in the file, and in what is shown, under a shorter one.
    let id =
        CountId::new("local", &[("grant", "g".repeat(900))], "long", Some(Window::Day), &TimeZone::UTC, Kind::Quota);
    let long = [Take { id, ..take("long", 1) }];
    assert!(matches!(one.take(&long, noon()), Ok(Taken::Granted(_))));
    let uses = other.snapshot(noon()).unwrap();
    let shown = uses.iter().find(|used| used.id.contains('…')).unwrap();
    assert!(other.reset(&shown.id).unwrap());
    assert!(matches!(one.take(&long, noon()), Ok(Taken::Granted(_))));
}

#[test]
fn counts_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    for _ in 0..3 {
        let ledger = Ledger::open(&data).unwrap();
        assert!(matches!(ledger.take(&[take("kept", 3)], noon()), Ok(Taken::Granted(_))));
    }
    let ledger = Ledger::open(&data).unwrap();
    assert!(matches!(ledger.take(&[take("kept", 3)], noon()), Ok(Taken::Full(_))));
}

#[test]
fn the_table_grows_and_forgets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let (ledger, other) = (Ledger::open(&data).unwrap(), Ledger::open(&data).unwrap());
    // The calendar is today's, because growing leaves out what has run out.
    let now = Timestamp::now();
    for number in 0..7_000 {
        let asked = if number % 2 == 0 { &ledger } else { &other };
        assert!(matches!(asked.take(&[take(&format!("count {number}"), 1)], now), Ok(Taken::Granted(_))), "{number}");
    }
    for number in (0..7_000).step_by(7) {
        assert!(matches!(other.take(&[take(&format!("count {number}"), 1)], now), Ok(Taken::Full(_))), "{number}");
    }
    assert_eq!(ledger.snapshot(now).unwrap().len(), 7_000);
}

#[test]
fn a_frozen_process_stops_nobody_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let ledger = Ledger::open(&data).unwrap();
    let frozen = Frozen::new(&data).unwrap();
    let begun = Instant::now();
    assert!(ledger.take(&[take("x", 1)], noon()).is_err());
    assert!(begun.elapsed() < PATIENCE * 10);
    drop(frozen);
    // It is tried again by itself.
    let deadline = Instant::now() + Duration::from_secs(10);
    while ledger.take(&[take("x", 1)], noon()).is_err() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn a_damaged_file_is_down_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    drop(Ledger::open(&data).unwrap());
    std::fs::write(dir.path().join("counts/ledger"), b"something else").unwrap();
    let ledger = Ledger::open(&data).unwrap();
    let error = ledger.take(&[take("x", 1)], noon()).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("move it away"), "{error}");
}

#[test]
fn calls_in_flight_of_the_dead_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let call = Take { window: None, kind: Kind::Concurrency, ..take("flight", 1) };
    let dead = Ledger::open(&data).unwrap();
    let Ok(Taken::Granted(_)) = dead.take(std::slice::from_ref(&call), noon()) else { panic!("it is empty") };
    let other = Ledger::open(&data).unwrap();
    assert!(matches!(other.take(std::slice::from_ref(&call), noon()), Ok(Taken::Full(_))));
    drop(dead);
    assert!(matches!(other.take(std::slice::from_ref(&call), noon()), Ok(Taken::Granted(_))));
}

#[test]
fn a_busy_process_leaves_room_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let (busy, other) = (Ledger::open(&data).unwrap(), Ledger::open(&data).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                assert!(busy.take(&[take("busy", u32::MAX)], noon()).is_ok());
            }
        });
        for number in 1..=300 {
            // Each sees what the other has counted, and neither finds the counts down.
            assert!(matches!(other.take(&[take("quiet", 300)], noon()), Ok(Taken::Granted(_))), "{number}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(matches!(busy.take(&[take("quiet", 300)], noon()), Ok(Taken::Full(_))));
}

#[test]
fn a_turn_ends_without_another_call() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let (busy, other) = (Ledger::open(&data).unwrap(), Ledger::open(&data).unwrap());
    for _ in 0..1000 {
        assert!(busy.take(&[take("x", 1001)], noon()).is_ok());
    }
    // Nobody calls `busy` any more, and still its lock is to be had.
    assert!(matches!(other.take(&[take("x", 1001)], noon()), Ok(Taken::Granted(_))));
    assert!(matches!(other.take(&[take("x", 1001)], noon()), Ok(Taken::Full(_))));
}

#[test]
fn uses_that_a_loss_of_power_took_are_counted_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let log = AuditLog::open(&data.audit(), Options::default()).unwrap();
    let ledger = Ledger::open(&data).unwrap();
    let (first, second) = ([1; 16], [2; 16]);
    assert_eq!(ledger.recover_in(first, &data.audit()).unwrap(), Some(0));
    // The log has three uses of which the file knows nothing.
    let lost = take("lost", 5);
    let count = audit::Count { id: lost.id.text().into(), amount: 1_000_000, ..Default::default() };
    for _ in 0..3 {
        let counts = std::slice::from_ref(&count);
        let decision = audit::Decision { id: store::log::ids::next(), counts, ..Default::default() };
        log.append(&audit::Event::Decision(decision)).unwrap();
    }
    let now = Timestamp::now();
    let used =
        |ledger: &Ledger| ledger.snapshot(now).unwrap().iter().map(|used| used.used.to_string()).collect::<Vec<_>>();
    // The same boot: a killed process loses nothing, so there is nothing to do.
    assert_eq!(ledger.recover_in(first, &data.audit()).unwrap(), None);
    assert!(used(&ledger).is_empty());
    let after = Ledger::open(&data).unwrap();
    assert!(after.recover_in(second, &data.audit()).unwrap().is_some_and(|added| added > 0));
    assert_eq!(used(&after), ["3"]);
    // Whoever comes second adds nothing.
    assert_eq!(ledger.recover_in(second, &data.audit()).unwrap(), None);
    assert_eq!(used(&ledger), ["3"]);
    let left = (0..9).filter(|_| matches!(after.take(&[take("lost", 5)], now), Ok(Taken::Granted(_)))).count();
    assert_eq!(left, 2);
}

#[test]
fn a_table_that_was_replaced_is_left_for_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let (running, path) = (Ledger::open(&data).unwrap(), dir.path().join("counts/ledger"));
    assert!(matches!(running.take(&[take("x", 3)], noon()), Ok(Taken::Granted(_))));
    // As after a growth whose process died at once: another file has the name now.
    let copy = dir.path().join("counts/copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let fresh = Ledger::open(&data).unwrap();
    let granted = |ledger: &Ledger| matches!(ledger.take(&[take("x", 3)], noon()), Ok(Taken::Granted(_)));
    assert!(granted(&fresh) && granted(&running));
    assert!(!granted(&fresh) && !granted(&running));
}

#[test]
fn killed_processes_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let living = Ledger::open(&data).unwrap();
    // A sign of life that nobody holds.
    std::fs::write(dir.path().join("counts/alive-00000000000000ff"), b"").unwrap();
    drop(Ledger::open(&data).unwrap());
    let names: Vec<_> =
        std::fs::read_dir(dir.path().join("counts")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.iter().filter(|name| name.to_string_lossy().starts_with("alive-")).count(), 1, "{names:?}");
    assert!(living.take(&[take("x", 1)], noon()).is_ok());
}

#[test]
fn a_take_that_fails_half_way_keeps_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let ledger = Ledger::open(&data).unwrap();
    let flight = |counter: &str| Take { window: None, kind: Kind::Concurrency, ..take(counter, 100) };
    // More processes than a count has room for have a call in flight.
    let crowd: Vec<_> = (0..quota::BUCKETS).map(|_| Ledger::open(&data).unwrap()).collect();
    for one in &crowd {
        assert!(matches!(one.take(&[flight("crowded")], noon()), Ok(Taken::Granted(_))));
    }
    assert!(ledger.take(&[take("first", 1), flight("crowded")], noon()).is_err());
    assert!(matches!(ledger.take(&[take("first", 1)], noon()), Ok(Taken::Granted(_))), "it was given back");
}
