//! The audit log on a real disk, on failing ones, and after a kill.

#![cfg(test)]

mod appending;
mod crashing;
mod failing;
mod reading;
mod signing;
mod tampering;

use std::path::{Path, PathBuf};

use audit::{Count, Decision, Effect, Ending, Event, Id, Outcome, Target};
use store::log::{AuditLog, Begin, Cursor, Entry, Options, ids};

/// An allowed call of `tool`.
fn allowed(id: Id, tool: &str) -> Event<'_> {
    let (effect, target) = (Effect::Allow, Target::Tool(tool));
    let server = Some("fs");
    Event::Decision(Decision { id, effect, target, server, grant: Some("local"), ..Decision::default() })
}

fn settled(decision: Id) -> Event<'static> {
    Event::Outcome(Outcome { decision, ending: Ending::Ok, duration_us: Some(5), ..Outcome::default() })
}

fn count(id: &'static str, amount: u64) -> Count<'static> {
    Count { id: id.into(), amount: u128::from(amount), ..Count::default() }
}

/// Appends an allowed call and returns its identifier.
fn call(log: &AuditLog, tool: &str) -> Id {
    let id = ids::next();
    log.append(&allowed(id, tool)).unwrap();
    id
}

/// A chain of one process that ended in order: `calls` settled calls.
fn whole_chain(audit: &Path, options: Options, calls: usize) -> PathBuf {
    let log = AuditLog::open(audit, options).unwrap();
    for number in 0..calls {
        let id = call(&log, &format!("tool {number}"));
        log.append_later(&settled(id));
    }
    log.stop(None).unwrap();
    log.path().to_owned()
}

/// Everything that a reader gets.
fn read_all(audit: &Path) -> Vec<Entry> {
    let mut cursor = Cursor::open(audit, Begin::Oldest).unwrap();
    let mut all = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        all.push(entry);
    }
    all
}

/// A sequence of numbers that looks random and is the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }
}
