//! One table of cases that every form of the store must pass.
#![expect(clippy::expect_used, clippy::panic, reason = "cases are tests, and fail as tests do")]

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::{Amount, CountId, Counters, Kind, Take, Taken, Window};

fn take(counter: &str, window: Window, max: &str, amount: &str) -> Take {
    Take {
        id: CountId::new("local", &[("grant", "g")], counter, Some(window), &TimeZone::UTC, Kind::Quota),
        window: Some(window),
        zone: TimeZone::UTC,
        kind: Kind::Quota,
        max: max.parse().unwrap_or_default(),
        amount: amount.parse().unwrap_or_default(),
    }
}

fn in_flight(counter: &str, max: &str) -> Take {
    Take {
        id: CountId::new("local", &[("grant", "g")], counter, None, &TimeZone::UTC, Kind::Concurrency),
        window: None,
        zone: TimeZone::UTC,
        kind: Kind::Concurrency,
        max: max.parse().unwrap_or_default(),
        amount: Amount::ONE,
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_767_614_400).unwrap_or_default()
}

fn granted(counters: &dyn Counters, takes: &[Take], now: Timestamp) -> bool {
    matches!(counters.take(takes, now), Ok(Taken::Granted(_)))
}

/// Runs every case against fresh stores.
///
/// # Panics
/// When a case fails.
pub fn cases(make: &dyn Fn() -> Box<dyn Counters>) {
    exactly_max(&*make());
    rolling_windows_never_hold_more(&*make());
    calendar_windows_reset_at_the_edge(&*make());
    all_or_nothing(&*make());
    identical_counts_are_taken_once(&*make());
    refunds_go_to_their_bucket(&*make());
    sums_are_exact(&*make());
    a_changed_maximum_keeps_the_use(&*make());
    calls_in_flight(&*make());
    clocks_that_go_back_free_nothing(&*make());
    looking_takes_nothing(&*make());
    what_is_reset_begins_anew(&*make());
}

fn exactly_max(counters: &dyn Counters) {
    let use_one = [take("exact", Window::Hour, "3", "1")];
    let taken = (0..10).filter(|_| granted(counters, &use_one, start())).count();
    assert_eq!(taken, 3);
    let full = counters.look(&use_one, start()).expect("reachable").expect("full");
    assert_eq!((full.used.to_string(), full.max.to_string()), ("3".to_owned(), "3".to_owned()));
    assert_eq!(full.frees_at, Some(start() + SignedDuration::from_hours(1)));
}

fn rolling_windows_never_hold_more(counters: &dyn Counters) {
    let use_one = [take("rolling", Window::Rolling(60), "10", "1")];
    let mut times: Vec<i64> = Vec::new();
    for tenth in 0..2_400_i64 {
        let now = start() + SignedDuration::from_millis(tenth * 100);
        if granted(counters, &use_one, now) {
            times.push(tenth);
        }
    }
    for (first, eleventh) in times.iter().zip(times.iter().skip(10)) {
        assert!(eleventh - first >= 600, "11 uses within {} tenths of a second", eleventh - first);
        assert!(eleventh - first <= 620, "a use freed more than 1/60 of the window late");
    }
    assert!(times.len() >= 40);
}

fn calendar_windows_reset_at_the_edge(counters: &dyn Counters) {
    let use_one = [take("calendar", Window::Minute, "2", "1")];
    let late = start() + SignedDuration::from_secs(59);
    assert!(granted(counters, &use_one, late) && granted(counters, &use_one, late));
    assert!(!granted(counters, &use_one, late));
    assert!(granted(counters, &use_one, start() + SignedDuration::from_secs(60)));
}

fn all_or_nothing(counters: &dyn Counters) {
    let both = [take("wide", Window::Day, "5", "1"), take("narrow", Window::Day, "1", "1")];
    assert!(granted(counters, &both, start()));
    let Ok(Taken::Full(full)) = counters.take(&both, start()) else { panic!("the narrow one is full") };
    assert_eq!(full.index, 1);
    let wide = [take("wide", Window::Day, "5", "1")];
    assert_eq!((0..10).filter(|_| granted(counters, &wide, start())).count(), 4, "the wide one kept its units");
}

fn identical_counts_are_taken_once(counters: &dyn Counters) {
    let twice = [take("same", Window::Day, "9", "1"), take("same", Window::Day, "2", "1")];
    assert_eq!((0..10).filter(|_| granted(counters, &twice, start())).count(), 2);
}

fn refunds_go_to_their_bucket(counters: &dyn Counters) {
    let use_one = [take("refund", Window::Minute, "1", "1")];
    let Ok(Taken::Granted(receipt)) = counters.take(&use_one, start()) else { panic!("it is empty") };
    let next = start() + SignedDuration::from_secs(61);
    assert!(granted(counters, &use_one, next));
    counters.give_back(receipt, next).expect("reachable");
    assert!(!granted(counters, &use_one, next), "a refund of the window before frees nothing in this one");

    let Ok(Taken::Granted(receipt)) = counters.take(&[take("again", Window::Day, "1", "1")], start()) else {
        panic!("it is empty")
    };
    counters.give_back(receipt, start()).expect("reachable");
    assert!(granted(counters, &[take("again", Window::Day, "1", "1")], start()));
}

fn sums_are_exact(counters: &dyn Counters) {
    let tenth = [take("sum", Window::Day, "1", "0.1")];
    assert_eq!((0..20).filter(|_| granted(counters, &tenth, start())).count(), 10);
    let fraction = [take("fraction", Window::Day, "500", "0.99")];
    assert_eq!((0..600).filter(|_| granted(counters, &fraction, start())).count(), 505);
    assert!(!granted(counters, &[take("never", Window::Day, "1", "1.000001")], start()));
}

fn a_changed_maximum_keeps_the_use(counters: &dyn Counters) {
    assert!(granted(counters, &[take("max", Window::Day, "1", "1")], start()));
    assert!(!granted(counters, &[take("max", Window::Day, "1", "1")], start()));
    assert!(granted(counters, &[take("max", Window::Day, "2", "1")], start()));
    assert!(!granted(counters, &[take("max", Window::Day, "2", "1")], start()));
}

fn calls_in_flight(counters: &dyn Counters) {
    let call = [in_flight("flight", "2")];
    let Ok(Taken::Granted(first)) = counters.take(&call, start()) else { panic!("it is empty") };
    assert!(granted(counters, &call, start()));
    assert!(!granted(counters, &call, start()));
    counters.give_back(first, start()).expect("reachable");
    assert!(granted(counters, &call, start()));
    assert!(!granted(counters, &call, start()));
}

fn clocks_that_go_back_free_nothing(counters: &dyn Counters) {
    let use_one = [take("clock", Window::Minute, "1", "1")];
    assert!(granted(counters, &use_one, start() + SignedDuration::from_secs(61)));
    assert!(!granted(counters, &use_one, start()));
}

fn looking_takes_nothing(counters: &dyn Counters) {
    let use_one = [take("look", Window::Day, "1", "1")];
    for _ in 0..5 {
        assert_eq!(counters.look(&use_one, start()).expect("reachable"), None);
    }
    let shown = |counters: &dyn Counters| {
        counters.snapshot(start()).expect("reachable").iter().filter(|used| used.id.contains("look")).count()
    };
    assert_eq!(shown(counters), 0);
    assert!(granted(counters, &use_one, start()));
    assert_eq!(shown(counters), 1);
}

fn what_is_reset_begins_anew(counters: &dyn Counters) {
    for window in [Window::Day, Window::Rolling(60)] {
        let (one, other) = ([take("reset", window, "2", "1")], [take("kept", window, "1", "1")]);
        assert!(granted(counters, &one, start()) && granted(counters, &one, start()));
        assert!(granted(counters, &other, start()));
        let [Take { id, .. }] = &one;
        assert!(counters.reset(id.text()).expect("reachable"));
        assert!(!counters.reset(id.text()).expect("reachable"), "there is nothing left to forget");
        let taken = (0..5).filter(|_| granted(counters, &one, start())).count();
        assert_eq!(taken, 2, "{window}");
        assert!(!granted(counters, &other, start()), "{window}: another count keeps its uses");
    }
    assert!(!counters.reset("local|grant=g|counter=nobody|day in UTC").expect("reachable"));
}
