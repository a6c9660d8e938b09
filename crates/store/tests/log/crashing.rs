//! Processes that are killed: every record that was acknowledged is there.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use audit::Kind;
use store::log::{AuditLog, Durability, Options, State, verify};

use super::*;

const ROUNDS: usize = 12;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = Chance(7);
    let mut acknowledged = HashSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashing::child_that_appends", "--nocapture"])
            .env("LOG_TEST_CRASH", dir.path())
            .env("LOG_TEST_STRICT", if round % 3 == 0 { "1" } else { "" })
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = 20 + chance.below(300);
        let ids =
            |line: std::io::Result<String>| line.unwrap().strip_prefix("ack ").map(|id| id.parse::<Id>().unwrap());
        acknowledged.extend(lines.by_ref().filter_map(ids).take(enough));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it died, the last line perhaps cut off.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        acknowledged.extend(rest.iter().filter_map(|line| line.strip_prefix("ack ")?.parse::<Id>().ok()));
    }
    let report = verify(dir.path(), None).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.chains.len(), ROUNDS);
    assert!(report.chains.iter().all(|chain| chain.state == State::Crashed));
    let written: HashSet<_> = read_all(dir.path())
        .into_iter()
        .filter(|entry| entry.record.kind == Kind::Decision)
        .map(|entry| entry.record.id)
        .collect();
    assert!(acknowledged.len() > ROUNDS * 20);
    assert_eq!(acknowledged.difference(&written).count(), 0, "none is missing");
    let unfinished: usize = report.chains.iter().map(|chain| chain.report.unfinished.len()).sum();
    assert!(unfinished > 0, "what was under way is unknown");
}

/// The other side of the test above; does nothing on its own.
#[test]
fn child_that_appends() {
    let Some(audit) = std::env::var_os("LOG_TEST_CRASH") else {
        return;
    };
    let strict = std::env::var_os("LOG_TEST_STRICT").is_some_and(|strict| !strict.is_empty());
    let durability = if strict { Durability::Strict } else { Durability::Buffered };
    let options = Options { durability, rotate_bytes: 5_000, ..Options::default() };
    let log = AuditLog::open(Path::new(&audit), options).unwrap();
    let mut out = std::io::stdout();
    for number in 0..1_000_000 {
        let id = call(&log, "a");
        // Straight to the pipe: what is read on the other side was acknowledged here.
        if out.write_all(format!("ack {id}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
        if number % 2 == 0 {
            log.append_later(&settled(id));
        }
    }
}
