//! A replica that is killed while it takes gives nothing back. This test is a program of its own, which starts itself
//! as the replica.
#![expect(clippy::unwrap_used, reason = "a test, and fails as tests do")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::tz::TimeZone;
use quota::{Amount, CountId, Kind, Take, Taken, Window};
use shared::{Counts, Options, Timeout};
use testkit::redis::Redis;
use testkit::wait;
use tokio::runtime::Runtime;

const MAX: u32 = 1000;

fn main() {
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next()) {
        (Some("replica"), Some(url)) => replica(&url),
        (Some("--list"), _) => println!("a_killed_replica_gives_nothing_back: test"),
        _ => a_killed_replica_gives_nothing_back(),
    }
}

/// Takes until nothing is left, and says so of each unit once it has it.
fn replica(url: &str) {
    let (runtime, counts) = open(url);
    let mut output = std::io::stdout().lock();
    while let Ok(Taken::Granted(_)) = runtime.block_on(counts.take(&[take()])) {
        writeln!(output, "forwarded").unwrap();
        output.flush().unwrap();
    }
}

fn a_killed_replica_gives_nothing_back() {
    // `kill -9` finds a replica anywhere in a call: several are killed, each a little later.
    let rounds = std::env::var("TOOLGATE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    for round in 0..rounds {
        let redis = Redis::start().unwrap();
        let (runtime, counts) = open(&redis.url());
        runtime.block_on(counts.begin("local")).unwrap();
        let mut forwarded = 0;
        for last in [1, 7 + round % 5, 40] {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["replica", &redis.url()])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            forwarded += lines.by_ref().take(last).filter(Result::is_ok).count();
            child.kill().unwrap();
            child.wait().unwrap();
            // What it had written before it died, it had forwarded.
            forwarded += lines.map_while(Result::ok).count();
        }
        let mut rest = 0;
        while let Taken::Granted(_) = runtime.block_on(counts.take(&[take()])).unwrap() {
            rest += 1;
        }
        let all = usize::try_from(MAX).unwrap();
        assert!(forwarded >= 40, "{forwarded}");
        // Each of the three may have died with a unit that it had not used.
        assert!((all - 3..=all).contains(&(forwarded + rest)), "{forwarded} and {rest} of {all}");
        let uses = runtime.block_on(counts.snapshot()).unwrap();
        assert_eq!(uses.first().unwrap().used, Amount::from(MAX));
    }
    println!("test a_killed_replica_gives_nothing_back ... ok");
}

fn open(url: &str) -> (Runtime, Counts) {
    let runtime = Runtime::new().unwrap();
    let timeout = Timeout::new(Duration::from_secs(1)).unwrap();
    let counts = Counts::open(Options { timeout, ..Options::new(url.to_owned().into()) }, runtime.handle()).unwrap();
    wait::for_it("Redis to be reached", || counts.reachable().is_ok()).unwrap();
    (runtime, counts)
}

fn take() -> Take {
    let window = Some(Window::Rolling(3600));
    Take {
        id: CountId::new("local", &[("grant", "g")], "killed", window, &TimeZone::UTC, Kind::Quota),
        window,
        zone: TimeZone::UTC,
        kind: Kind::Quota,
        max: Amount::from(MAX),
        amount: Amount::ONE,
    }
}
