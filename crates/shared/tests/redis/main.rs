//! Counts and news on a real Redis, whatever happens to it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that is wrong about its own input should fail"
)]

mod exact;
mod faults;
mod news;
mod reach;

use std::time::Duration;

use jiff::tz::TimeZone;
use quota::{Amount, CountId, Kind, Take, Window};
use shared::{Counts, Options, Timeout};
use tokio::runtime::Runtime;

/// Whose counts.
const SCOPE: [(&str, &str); 1] = [("grant", "g")];

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// The longest time limit: a busy machine is no fault of Redis.
fn options(url: &str) -> Options {
    Options { timeout: Timeout::new(Duration::from_secs(1)).unwrap(), ..Options::new(url.to_owned().into()) }
}

fn open(options: Options, runtime: &Runtime) -> Counts {
    Counts::open(options, runtime.handle()).unwrap()
}

fn until_up(counts: &Counts) {
    testkit::wait::for_it("Redis to be reached", || counts.reachable().is_ok()).unwrap();
}

/// One unit of so many in any hour.
fn hourly(counter: &str, max: u32) -> Take {
    within(counter, 3600, max)
}

/// One unit of so many in any span of so many seconds.
fn within(counter: &str, seconds: u32, max: u32) -> Take {
    let window = Some(Window::Rolling(seconds));
    Take {
        id: CountId::new("local", &SCOPE, counter, window, &TimeZone::UTC, Kind::Quota),
        window,
        zone: TimeZone::UTC,
        kind: Kind::Quota,
        max: Amount::from(max),
        amount: Amount::ONE,
    }
}
