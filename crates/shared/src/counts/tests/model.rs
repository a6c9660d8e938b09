//! Random uses, against the form in memory: the two never differ.

use proptest::prelude::*;
use quota::{Amount, Memory, Window};

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// Takes of several counts: which, how much, and under which maximum.
    Take(Vec<(usize, u128, u128)>),
    Look(usize, u128, u128),
    /// Gives back one of what was granted.
    GiveBack(usize),
    /// Time passes, or the clock goes back a little.
    Pass(i64),
}

const WINDOWS: [Option<Window>; 7] = [
    Some(Window::Second),
    Some(Window::Minute),
    Some(Window::Day),
    Some(Window::Month),
    Some(Window::Rolling(1)),
    Some(Window::Rolling(20)),
    None,
];

fn amount() -> impl Strategy<Value = u128> {
    prop_oneof![
        Just(1_000_000),
        0_u128..3_000_000,
        // Around the halves, and far beyond what floating point holds.
        999_999_999_990_u128..1_000_000_000_010,
        0_u128..999_999_999_999_999_999_999,
    ]
}

fn max() -> impl Strategy<Value = u128> {
    prop_oneof![Just(3_000_000), 0_u128..9_000_000, Just(3_000_000_000_000), Just(999_999_999_999_999_999_999)]
}

fn step() -> impl Strategy<Value = Step> {
    let one = || (0..WINDOWS.len(), amount(), max());
    prop_oneof![
        6 => prop::collection::vec(one(), 1..4).prop_map(Step::Take),
        1 => one().prop_map(|(count, amount, max)| Step::Look(count, amount, max)),
        2 => any::<usize>().prop_map(Step::GiveBack),
        2 => prop_oneof![0_i64..3_000, 0_i64..200_000, -5_000_i64..0].prop_map(Step::Pass),
    ]
}

fn asked((count, amount, max): (usize, u128, u128)) -> Take {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let window = WINDOWS[count];
    let kind = if window.is_some() { Kind::Quota } else { Kind::Concurrency };
    let amount = if window.is_some() { amount } else { Amount::ONE.micros() };
    Take {
        id: CountId::new("local", &[("grant", "g")], "model", window, &zone, kind),
        window,
        zone,
        kind,
        max: Amount::from_micros(max).unwrap(),
        amount: Amount::from_micros(amount).unwrap(),
    }
}

/// A result that can be compared; what Redis's clock cannot tell is left out.
fn shown(taken: &Taken) -> Option<&Full> {
    match taken {
        Taken::Granted(_) => None,
        Taken::Full(full) => Some(full),
    }
}

#[test]
fn redis_and_memory_never_differ() {
    let redis = Redis::start().unwrap();
    let runtime = Arc::new(Runtime::new().unwrap());
    let number = AtomicI64::new(0);
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    proptest!(ProptestConfig::with_cases(cases), |(steps in prop::collection::vec(step(), 1..40))| {
        let prefix = format!("model-{}", number.fetch_add(1, Ordering::Relaxed));
        let counts = Counts::open(options(&redis, &prefix), runtime.handle()).unwrap();
        up(&counts);
        runtime.block_on(counts.begin("local")).unwrap();
        let (here, there) = (Memory::default(), Blocking { counts, runtime: Arc::clone(&runtime) });
        let start: Timestamp = "2026-03-29T00:59:50Z".parse().unwrap();
        let mut now = start;
        // Calls in flight lapse in Redis, and not in memory: less than a lease goes by.
        let end = start + jiff::SignedDuration::from_secs(55);
        let mut granted: Vec<(Receipt, Receipt)> = Vec::new();
        for step in steps {
            match step {
                Step::Take(takes) => {
                    let takes: Vec<Take> = takes.into_iter().map(asked).collect();
                    let (one, other) = (here.take(&takes, now).unwrap(), there.take(&takes, now).unwrap());
                    prop_assert_eq!(shown(&one), shown(&other), "{:?}", takes);
                    if let (Taken::Granted(one), Taken::Granted(other)) = (one, other) {
                        granted.push((one, other));
                    }
                }
                Step::Look(count, amount, max) => {
                    let takes = [asked((count, amount, max))];
                    prop_assert_eq!(here.look(&takes, now).unwrap(), there.look(&takes, now).unwrap());
                }
                Step::GiveBack(which) if !granted.is_empty() => {
                    let (one, other) = granted.swap_remove(which % granted.len());
                    here.give_back(one, now).unwrap();
                    there.give_back(other, now).unwrap();
                }
                Step::GiveBack(_) => {}
                Step::Pass(millis) => now = (now + jiff::SignedDuration::from_millis(millis)).clamp(start, end),
            }
            prop_assert_eq!(here.snapshot(now).unwrap(), there.snapshot(now).unwrap());
        }
    });
}
