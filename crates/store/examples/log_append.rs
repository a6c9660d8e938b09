//! What a record costs: `cargo run --release -p store --example log_append [DIRECTORY]`.
//!
//! Prints nanoseconds an append. The directory (a temporary one if none is given) should lie on
//! the disk whose speed is of interest.

#![expect(clippy::expect_used, reason = "a measurement that fails has nothing to say")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::{ArgumentKeys, Count, Decision, Effect, Ending, Event, Id, Outcome, Target};
use store::log::{AuditLog, Durability, Options, ids};

fn main() -> std::io::Result<()> {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = given.unwrap_or_else(|| std::env::temp_dir().join(format!("toolgate-log-{}", ids::next())));
    encoding();
    buffered(&directory)?;
    threads(&directory)?;
    strict(&directory)?;
    std::fs::remove_dir_all(&directory)
}

/// Encoding and hashing alone.
fn encoding() {
    let (counts, mut out) = (counts(), Vec::with_capacity(1 << 16));
    let id = ids::next();
    let mut head = audit::Head::EMPTY;
    let stamp = audit::Stamp { seq: 1_000_000, id, time: jiff::Timestamp::now() };
    report("encode and hash only", 500_000, || {
        out.clear();
        head = audit::encode(stamp, &admission(id, &counts), &head, &mut out);
    });
    println!("{:>36} {} bytes", "a record of", out.len());
    report("an identifier", 1_000_000, || _ = ids::next());
}

fn buffered(directory: &Path) -> std::io::Result<()> {
    let log = AuditLog::open(directory, Options::default())?;
    let counts = counts();
    report("buffered, one thread", 500_000, || {
        log.append(&admission(ids::next(), &counts)).expect("the disk takes it");
    });
    report("with the outcome of each call", 500_000, || {
        let id = ids::next();
        log.append(&admission(id, &counts)).expect("the disk takes it");
        log.append_later(&outcome(id));
    });
    Ok(())
}

fn threads(directory: &Path) -> std::io::Result<()> {
    let log = Arc::new(AuditLog::open(directory, Options::default())?);
    let began = Instant::now();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                let counts = counts();
                for _ in 0..50_000 {
                    log.append(&admission(ids::next(), &counts)).expect("the disk takes it");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    print("buffered, eight threads", began.elapsed(), 400_000);
    Ok(())
}

fn strict(directory: &Path) -> std::io::Result<()> {
    let options = Options { durability: Durability::Strict, ..Options::default() };
    let log = Arc::new(AuditLog::open(directory, options)?);
    let began = Instant::now();
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                let counts = counts();
                for _ in 0..100 {
                    log.append(&admission(ids::next(), &counts)).expect("the disk takes it");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    print("strict, 64 threads", began.elapsed(), 6_400);
    Ok(())
}

fn report(what: &str, times: u32, mut work: impl FnMut()) {
    (0..times / 10).for_each(|_| work());
    let began = Instant::now();
    (0..times).for_each(|_| work());
    print(what, began.elapsed(), times);
}

fn print(what: &str, took: Duration, times: u32) {
    println!("{what:>36} {:>8.0} ns", took.as_secs_f64() * 1e9 / f64::from(times));
}

fn counts() -> Vec<Count<'static>> {
    vec![Count { id: "local|daily_calls|day|UTC|quota".into(), amount: 1_000_000, ..Count::default() }]
}

fn admission<'a>(id: Id, counts: &'a [Count<'a>]) -> Event<'a> {
    Event::Decision(Decision {
        id,
        grant: Some("local"),
        server: Some("filesystem"),
        session: Some("5f2c9a7be01d"),
        method: Some("tools/call"),
        target: Target::Tool("read_file"),
        effect: Effect::Allow,
        rule: Some("tools.read_file"),
        policy: Some("9f86d081884c7d65"),
        argument_keys: ArgumentKeys::In(r#"{"path":"/home/user/notes.txt","head":20}"#),
        counts,
        bytes: Some(171),
        ..Decision::default()
    })
}

fn outcome(id: Id) -> Event<'static> {
    Event::Outcome(Outcome {
        decision: id,
        ending: Ending::Ok,
        duration_us: Some(1234),
        bytes: Some(512),
        ..Outcome::default()
    })
}
