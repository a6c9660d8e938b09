//! The script against the table of cases, with the time that each case gives; and replicas whose idea
//! of the time is wrong.

mod model;

use jiff::Timestamp;
use quota::{Counters, Full, Receipt, StoreDown, Take, Taken, Use, Window};
use testkit::redis::Redis;
use tokio::runtime::Runtime;

use super::*;
use crate::Unknown;

fn options(redis: &Redis, prefix: &str) -> Options {
    let timeout = crate::Timeout::new(Duration::from_secs(1)).unwrap();
    Options { prefix: prefix.to_owned(), timeout, ..Options::new(redis.url().into()) }
}

fn up(counts: &Counts) {
    testkit::wait::for_it("Redis to be reached", || counts.reachable().is_ok()).unwrap();
}

/// The counts as the table of cases asks them: blocking, and at a time of its own.
struct Blocking {
    counts: Counts,
    runtime: Arc<Runtime>,
}

impl Counters for Blocking {
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown> {
        self.runtime.block_on(self.counts.take_at(takes, Some(now)))
    }

    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown> {
        self.runtime.block_on(self.counts.look_at(takes, Beside::default(), Some(now)))
    }

    fn give_back(&self, receipt: Receipt, _now: Timestamp) -> Result<(), StoreDown> {
        self.runtime.block_on(self.counts.give_back(receipt))
    }

    fn reset(&self, id: &str) -> Result<bool, StoreDown> {
        self.runtime.block_on(self.counts.reset(id))
    }

    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown> {
        self.runtime.block_on(self.counts.snapshot_at(&self.counts.shared.keys.every_count(), Some(now)))
    }
}

fn does_what_every_form_must(redis: &Redis) {
    let runtime = Arc::new(Runtime::new().unwrap());
    let number = std::cell::Cell::new(0);
    quota::conformance::cases(&|| {
        number.set(number.get() + 1);
        let counts = Counts::open(options(redis, &format!("case-{}", number.get())), runtime.handle()).unwrap();
        up(&counts);
        runtime.block_on(counts.begin("local")).unwrap();
        Box::new(Blocking { counts, runtime: Arc::clone(&runtime) })
    });
}

#[test]
fn one_server_does_what_every_form_must() {
    does_what_every_form_must(&Redis::start().unwrap());
}

/// A cluster of one node refuses a script whose keys lie in several slots, or that touches a key it did not name.
#[test]
fn a_cluster_does_what_every_form_must() {
    let redis = Redis::start_with(&["--save", "", "--cluster-enabled", "yes"]).unwrap();
    redis.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    testkit::wait::for_it("the cluster to stand", || {
        redis.command(&["CLUSTER", "INFO"]).unwrap().iter().any(|line| line == "cluster_state:ok")
    })
    .unwrap();
    does_what_every_form_must(&redis);
}

fn take(counter: &str, window: Window, max: u32) -> Take {
    let zone = jiff::tz::TimeZone::UTC;
    Take {
        id: CountId::new("local", &[("grant", "g")], counter, Some(window), &zone, Kind::Quota),
        window: Some(window),
        zone,
        kind: Kind::Quota,
        max: quota::Amount::from(max),
        amount: quota::Amount::ONE,
    }
}

/// What a replica believes the time to be decides on nothing, however wrong it is.
#[test]
fn clocks_ninety_seconds_apart_share_one_window() {
    let redis = Redis::start().unwrap();
    let runtime = Runtime::new().unwrap();
    let replicas: Vec<Counts> =
        (0..3).map(|_| Counts::open(options(&redis, "skewed"), runtime.handle()).unwrap()).collect();
    replicas.iter().for_each(up);
    runtime.block_on(replicas[0].begin("local")).unwrap();
    let (mut granted, mut full) = (0, 0);
    for round in 0..40_usize {
        let replica = &replicas[round % 3];
        // Learned anew with each answer, so it has to be wrong anew.
        let wrong = [-90_000_000, 0, 90_000_000][round % 3];
        let link = &replica.shared.link;
        link.learn(link.time() + wrong);
        let takes = [take("hourly", Window::Hour, 25), take("rolling", Window::Rolling(3600), 25)];
        match runtime.block_on(replica.take(&takes)).unwrap() {
            Taken::Granted(_) => granted += 1,
            Taken::Full(_) => full += 1,
        }
    }
    // An hour of Redis may end within the test; then the rolling one still holds.
    assert_eq!((granted, full), (25, 15));
    let minutes = [take("minutely", Window::Minute, 1000)];
    let link = &replicas[0].shared.link;
    link.learn(link.time() + 90_000_000);
    runtime.block_on(replicas[0].take(&minutes)).unwrap();
    let uses = runtime.block_on(replicas[0].snapshot()).unwrap();
    assert!(uses.iter().any(|used| used.id.contains("minutely")), "it was counted in Redis's own minute: {uses:?}");
}

/// Calls in flight of a replica that is gone lapse; those of one that lives do not.
#[test]
fn calls_in_flight_lapse_with_their_replica() {
    let redis = Redis::start().unwrap();
    let runtime = Runtime::new().unwrap();
    let open = || {
        let counts = Counts::open(options(&redis, "flights"), runtime.handle()).unwrap();
        up(&counts);
        counts
    };
    let (killed, living, asking) = (open(), open(), open());
    runtime.block_on(killed.begin("local")).unwrap();
    let zone = jiff::tz::TimeZone::UTC;
    let call = [Take {
        id: CountId::new("local", &[("grant", "g")], "calls", None, &zone, Kind::Concurrency),
        window: None,
        zone,
        kind: Kind::Concurrency,
        max: quota::Amount::from(2),
        amount: quota::Amount::ONE,
    }];
    let start: Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
    let later = |seconds| Some(start + jiff::SignedDuration::from_secs(seconds));
    let granted = |counts: &Counts, at| match runtime.block_on(counts.take_at(&call, at)).unwrap() {
        Taken::Granted(receipt) => Some(receipt),
        Taken::Full(_) => None,
    };
    let (lost, held) = (granted(&killed, later(0)), granted(&living, later(0)));
    assert!(lost.is_some() && held.is_some());
    runtime.block_on(living.heartbeat_at(later(50)));
    assert!(granted(&asking, later(59)).is_none(), "both are still counted");
    assert!(granted(&asking, later(61)).is_some(), "the dead one's place is free");
    assert!(granted(&asking, later(62)).is_none(), "the living one's is not");
    runtime.block_on(living.give_back(held.unwrap())).unwrap();
    assert!(granted(&asking, later(63)).is_some());
}

/// What was taken before counts were lost is not given back to those that came after.
#[test]
fn receipts_of_lost_counts_give_nothing_back() {
    let redis = Redis::start().unwrap();
    let runtime = Runtime::new().unwrap();
    let counts = Counts::open(options(&redis, "generations"), runtime.handle()).unwrap();
    up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [take("calls", Window::Day, 1)];
    let at = Some("2026-01-05T12:00:00Z".parse().unwrap());
    let Taken::Granted(before) = runtime.block_on(counts.take_at(&one, at)).unwrap() else { panic!("it is empty") };
    redis.flush().unwrap();
    assert!(runtime.block_on(counts.take_at(&one, at)).is_err(), "what was lost is not known");
    assert!(runtime.block_on(counts.confirm("local")).unwrap());
    assert!(matches!(runtime.block_on(counts.take_at(&one, at)), Ok(Taken::Granted(_))));
    runtime.block_on(counts.give_back(before)).unwrap();
    assert!(matches!(runtime.block_on(counts.take_at(&one, at)), Ok(Taken::Full(_))));
}

/// Lost counts are waited out: each limit for as long as what was lost could still count.
#[test]
fn each_limit_waits_out_its_own_window() {
    let redis = Redis::start().unwrap();
    let runtime = Runtime::new().unwrap();
    let counts = Counts::open(options(&redis, "waiting"), runtime.handle()).unwrap();
    up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let lost = "2026-01-05T12:00:30Z".parse::<Timestamp>().unwrap();
    let after = |seconds| Some(lost + jiff::SignedDuration::from_secs(seconds));
    let minute = [take("minute", Window::Minute, 5)];
    let rolling = [take("rolling", Window::Rolling(60), 5)];
    let day = [take("day", Window::Day, 5)];
    let granted = |takes: &[Take], at| matches!(runtime.block_on(counts.take_at(takes, at)), Ok(Taken::Granted(_)));
    assert!([&minute, &rolling, &day].into_iter().all(|takes| granted(takes, after(-1))));
    redis.flush().unwrap();
    for (takes, seconds, counted) in [
        (&minute, 0, false),
        (&rolling, 0, false),
        (&day, 0, false),
        (&minute, 29, false),
        (&minute, 30, true),
        (&rolling, 60, false),
        (&rolling, 62, true),
        (&day, 62, false),
        (&day, 43_169, false),
        (&day, 43_170, true),
    ] {
        assert_eq!(granted(takes, after(seconds)), counted, "{takes:?} after {seconds} s");
    }
}

/// In the other mode nothing counts until somebody has said so.
#[test]
fn or_somebody_confirms() {
    let redis = Redis::start().unwrap();
    let runtime = Runtime::new().unwrap();
    let options = Options { unknown: Unknown::Confirm, ..options(&redis, "confirming") };
    let counts = Counts::open(options, runtime.handle()).unwrap();
    up(&counts);
    let second = [take("second", Window::Second, 5)];
    let years = Some("2100-01-01T00:00:00Z".parse().unwrap());
    let now = Some("2026-01-01T00:00:00Z".parse().unwrap());
    for at in [now, years] {
        let told = runtime.block_on(counts.take_at(&second, at)).unwrap_err().to_string();
        assert!(told.contains("Redis has lost counts, and somebody who may set limits can confirm"), "{told}");
    }
    assert!(!runtime.block_on(counts.begin("local")).unwrap(), "it has begun already");
    assert!(runtime.block_on(counts.confirm("local")).unwrap());
    assert!(!runtime.block_on(counts.confirm("local")).unwrap(), "once is enough");
    assert!(matches!(runtime.block_on(counts.take_at(&second, now)), Ok(Taken::Granted(_))));
}

/// An answer that is lost is asked for again, and what is given back twice counts once.
#[test]
fn what_is_given_back_twice_counts_once() {
    let redis = Redis::start().unwrap();
    let way = testkit::redis::Slow::start(redis.port()).unwrap();
    let runtime = Runtime::new().unwrap();
    let direct = Counts::open(options(&redis, "refunds"), runtime.handle()).unwrap();
    let options = Options { url: way.url().into(), ..options(&redis, "refunds") };
    let counts = Counts::open(options, runtime.handle()).unwrap();
    up(&direct);
    up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let used = || {
        let uses = runtime.block_on(direct.snapshot()).unwrap();
        uses.first().map_or(0, |used| used.used.micros() / 1_000_000)
    };
    let one = [take("calls", Window::Rolling(3600), 3)];
    let granted = || match runtime.block_on(counts.take(&one)).unwrap() {
        Taken::Granted(receipt) => receipt,
        Taken::Full(_) => panic!("it is not full"),
    };
    let (first, _, _) = (granted(), granted(), granted());
    way.swallow(true);
    counts.give_back_later(first);
    testkit::wait::for_it("Redis to have been asked", || used() == 2).unwrap();
    assert_eq!(counts.shared.waiting.load(Ordering::Relaxed), 1, "nobody here knows that it was done");
    way.swallow(false);
    let done = || counts.shared.waiting.load(Ordering::Relaxed) == 0;
    testkit::wait::for_it("an answer", done).unwrap();
    assert_eq!(used(), 2);
}
