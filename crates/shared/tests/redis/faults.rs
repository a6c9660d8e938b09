//! Redis stopped, frozen, slow, read-only, full or flushed, at the start and while it runs: nothing is
//! granted that could not be counted, whoever asks is told why, and counting resumes by itself.

use std::time::Duration;

use quota::{StoreDown, Taken};
use shared::Counts;
use testkit::redis::{Redis, Slow};
use testkit::wait;
use tokio::runtime::Runtime;

use crate::{hourly, open, options, runtime, until_up, within};

/// Ten times the time limit, for an answer that is promised within it.
const WATCHDOG: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Stopped,
    Frozen,
    Slow,
    ReadOnly,
    OutOfMemory,
    Forgetful,
}

impl Fault {
    fn begin(self, redis: &mut Redis, way: &Slow) {
        match self {
            Self::Stopped => redis.stop(),
            Self::Frozen => redis.freeze(),
            Self::Slow => {
                way.delay(Duration::from_secs(2));
                Ok(())
            }
            Self::ReadOnly => redis.read_only(true),
            Self::OutOfMemory => redis.out_of_memory(true),
            Self::Forgetful => redis
                .command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
                .and_then(|_| redis.command(&["CONFIG", "SET", "maxmemory", "100mb"]).map(drop)),
        }
        .unwrap();
    }

    fn end(self, redis: &mut Redis, way: &Slow) {
        match self {
            Self::Stopped => redis.restart(),
            Self::Frozen => redis.thaw(),
            Self::Slow => {
                way.delay(Duration::ZERO);
                Ok(())
            }
            Self::ReadOnly => redis.read_only(false),
            Self::OutOfMemory => redis.out_of_memory(false),
            Self::Forgetful => redis.command(&["CONFIG", "SET", "maxmemory", "0"]).map(drop),
        }
        .unwrap();
    }

    /// A word of the reason.
    fn told(self) -> &'static [&'static str] {
        match self {
            Self::Stopped => &["refuses connections", "cannot be reached"],
            Self::Frozen | Self::Slow => &["did not answer within"],
            Self::ReadOnly => &["is a read-only replica"],
            Self::OutOfMemory => &["has no memory left for counts"],
            Self::Forgetful => &["forgets keys when memory is short"],
        }
    }
}

fn counts(way: &Slow, runtime: &Runtime) -> Counts {
    open(options(&way.url()), runtime)
}

/// Asks for one unit of each, and insists on an answer.
fn ask(counts: &Counts, runtime: &Runtime, counter: &str) -> Result<Taken, StoreDown> {
    let takes = [hourly(counter, 3)];
    let asked = async { tokio::time::timeout(WATCHDOG, counts.take(&takes)).await };
    runtime.block_on(asked).expect("an answer within ten times the time limit")
}

fn refused(counts: &Counts, runtime: &Runtime, fault: Fault) {
    let told = ask(counts, runtime, "kept").expect_err("nothing is granted that is not counted").to_string();
    let known = fault.told().iter().any(|word| told.contains(word));
    assert!(known || told.contains("is being connected to"), "{fault:?}: {told}");
    assert!(told.starts_with("the counts cannot be reached: Redis at 127.0.0.1:"), "{told}");
}

fn while_running(fault: Fault) {
    let mut redis = Redis::start_durable().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let runtime = runtime();
    let counts = counts(&way, &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    assert!(matches!(ask(&counts, &runtime, "kept"), Ok(Taken::Granted(_))));

    fault.begin(&mut redis, &way);
    if fault == Fault::Forgetful {
        // Nothing fails yet: it is found by looking.
        runtime.block_on(counts.heartbeat());
    }
    refused(&counts, &runtime, fault);
    // From the first failure on nobody waits: the reason is known without asking.
    assert!(counts.reachable().is_err(), "{fault:?}");
    for _ in 0..20 {
        refused(&counts, &runtime, fault);
    }
    // Wait until somebody has asked Redis again, in vain.
    let known =
        || fault.told().iter().any(|word| counts.reachable().is_err_and(|down| down.to_string().contains(word)));
    let waited = wait::for_it("the reason of the latest attempt", known);
    waited.unwrap_or_else(|error| panic!("{error}: {:?}", counts.reachable()));

    fault.end(&mut redis, &way);
    until_up(&counts);
    // At most one of three may have been counted although nobody learned of it.
    let granted = std::iter::from_fn(|| match ask(&counts, &runtime, "kept").unwrap() {
        Taken::Granted(_) => Some(()),
        Taken::Full(_) => None,
    });
    let granted = granted.count();
    assert!((1..=2).contains(&granted), "{fault:?}: {granted} of the two that were left");
}

fn at_the_start(fault: Fault) {
    let mut redis = Redis::start_durable().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let runtime = runtime();
    {
        // Somebody else has begun, and taken one.
        let before = counts(&way, &runtime);
        until_up(&before);
        runtime.block_on(before.begin("local")).unwrap();
        assert!(matches!(ask(&before, &runtime, "kept"), Ok(Taken::Granted(_))));
    }
    fault.begin(&mut redis, &way);
    let counts = counts(&way, &runtime);
    refused(&counts, &runtime, fault);
    let known =
        || fault.told().iter().any(|word| counts.reachable().is_err_and(|down| down.to_string().contains(word)));
    let waited = wait::for_it("the reason", known);
    waited.unwrap_or_else(|error| panic!("{error}: {:?}", counts.reachable()));
    refused(&counts, &runtime, fault);
    fault.end(&mut redis, &way);
    until_up(&counts);
    for _ in 0..2 {
        assert!(matches!(ask(&counts, &runtime, "kept"), Ok(Taken::Granted(_))), "{fault:?}");
    }
    assert!(matches!(ask(&counts, &runtime, "kept"), Ok(Taken::Full(_))), "{fault:?}");
}

macro_rules! faults {
    ($($name:ident: $fault:ident,)*) => {
        mod running {
            $(#[test] fn $name() { super::while_running(super::Fault::$fault); })*
        }
        mod starting {
            $(#[test] fn $name() { super::at_the_start(super::Fault::$fault); })*
        }
    };
}

faults! {
    stopped: Stopped,
    frozen: Frozen,
    slow: Slow,
    read_only: ReadOnly,
    out_of_memory: OutOfMemory,
    forgetful: Forgetful,
}

/// What is flushed is not taken for zero. Short windows count again by themselves, long ones when they are over, or
/// somebody has confirmed it.
#[test]
fn flushed() {
    let redis = Redis::start().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let runtime = runtime();
    let counts = counts(&way, &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let second = [within("second", 1, 3)];
    for _ in 0..3 {
        assert!(matches!(ask(&counts, &runtime, "hour"), Ok(Taken::Granted(_))));
    }
    redis.flush().unwrap();
    let told = ask(&counts, &runtime, "hour").unwrap_err().to_string();
    assert!(told.contains("Redis has lost counts; limits per 3600 s count again from"), "{told}");
    assert!(counts.reachable().is_ok(), "Redis itself is well");
    let again = || matches!(runtime.block_on(counts.take(&second)), Ok(Taken::Granted(_)));
    wait::for_it("the limit of a second to count again", again).unwrap();
    assert!(ask(&counts, &runtime, "hour").is_err(), "the hour is not over");
    assert!(runtime.block_on(counts.confirm("local")).unwrap());
    assert!(matches!(ask(&counts, &runtime, "hour"), Ok(Taken::Granted(_))));
}

/// An organisation of which nobody has said that it is new waits too: its counts may have been lost.
#[test]
fn empty_at_the_start() {
    let redis = Redis::start().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let runtime = runtime();
    let counts = counts(&way, &runtime);
    until_up(&counts);
    assert!(ask(&counts, &runtime, "hour").is_err());
    assert!(!runtime.block_on(counts.begin("local")).unwrap(), "it is too late to say so");
    assert!(ask(&counts, &runtime, "hour").is_err());
}
