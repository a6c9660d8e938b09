//! Many chains read as one log, followed while they grow, and summed up.

use audit::{Effect, Event, Filter, Outcome, Rows, Wanted};
use jiff::Timestamp;
use store::log::{AuditLog, Begin, Cursor, Options, uses_since};

use super::*;

fn tools(cursor: &mut Cursor) -> Vec<String> {
    let mut tools = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        tools.extend(entry.record.tool);
    }
    tools
}

#[test]
fn chains_are_one_log_in_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options { rotate_bytes: 1_500, ..Options::default() };
    let logs: Vec<_> = (0..3).map(|_| AuditLog::open(dir.path(), small).unwrap()).collect();
    let mut expected = Vec::new();
    for number in 0..60 {
        let tool = format!("tool{number}");
        call(&logs[number % 3], &tool);
        expected.push(tool);
    }
    drop(logs);
    let mut cursor = Cursor::open(dir.path(), Begin::Oldest).unwrap();
    assert_eq!(tools(&mut cursor), expected);
    assert_eq!(tools(&mut cursor), [""; 0]);
    assert_eq!(cursor.damaged(), 0);
    assert!(Cursor::open(&dir.path().join("none"), Begin::Oldest).unwrap().next().unwrap().is_none());
}

#[test]
fn a_cursor_follows_old_and_new_chains() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options { rotate_bytes: 600, ..Options::default() };
    let old = AuditLog::open(dir.path(), small).unwrap();
    let silent = AuditLog::open(dir.path(), small).unwrap();
    call(&old, "before");
    let mut all = Cursor::open(dir.path(), Begin::Oldest).unwrap();
    let mut new = Cursor::open(dir.path(), Begin::Newest).unwrap();
    assert_eq!(tools(&mut all), ["before"]);
    assert_eq!(tools(&mut new), [""; 0]);
    for round in 0..5 {
        let names = [format!("old{round}"), format!("silent{round}"), format!("late{round}")];
        call(&old, &names[0]);
        call(&silent, &names[1]);
        let late = AuditLog::open(dir.path(), small).unwrap();
        call(&late, &names[2]);
        // It has ended when it is seen first.
        drop(late);
        assert_eq!(tools(&mut all), names);
        assert_eq!(tools(&mut new), names);
    }
    drop((old, silent));
    assert_eq!(tools(&mut new), [""; 0]);
}

#[test]
fn a_line_that_is_being_written_is_read_once_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), Options::default()).unwrap();
    call(&log, "a");
    let file = log.path().join("000001.log");
    let whole = std::fs::read(&file).unwrap();
    let mut cursor = Cursor::open(dir.path(), Begin::Oldest).unwrap();
    let mut seen = Vec::new();
    for end in 0..=whole.len() {
        std::fs::write(&file, &whole[..end]).unwrap();
        while let Some(entry) = cursor.next().unwrap() {
            seen.push(entry.line);
        }
    }
    assert_eq!(seen.concat(), String::from_utf8(whole).unwrap().replace('\n', ""));
    assert_eq!(cursor.damaged(), 0);
}

#[test]
fn begins_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    whole_chain(dir.path(), Options::default(), 3);
    let after = Timestamp::now();
    let log = AuditLog::open(dir.path(), Options::default()).unwrap();
    call(&log, "new");
    assert_eq!(tools(&mut Cursor::open(dir.path(), Begin::Since(after)).unwrap()), ["new"]);
}

#[test]
fn filters_and_rows() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), Options::default()).unwrap();
    let id = call(&log, "read_file");
    log.append_later(&settled(id));
    let target = Target::Tool("write\u{202e} file");
    log.append(&Event::Decision(Decision { id: ids::next(), target, server: Some("fs"), ..Decision::default() }))
        .unwrap();
    let shown = |wanted: Wanted| {
        let mut filter = Filter::new(wanted);
        let mut rows = Rows::default();
        let all = read_all(dir.path()).into_iter().filter(|entry| filter.matches(&entry.record));
        all.map(|entry| rows.row(&entry.record)).map(|row| (row.verdict, row.subject)).collect::<Vec<_>>()
    };
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    let denied = pair("deny", "\"write\\u{202e} file\"");
    let read = [pair("allow", "read_file"), pair("ok", "read_file")];
    assert_eq!(shown(Wanted::default()).len(), 4);
    assert_eq!(shown(Wanted { effect: Some(Effect::Deny), ..Wanted::default() }), [denied]);
    assert_eq!(shown(Wanted { tool: Some("read_*".into()), ..Wanted::default() }), read);
    assert_eq!(shown(Wanted { grant: Some("local".into()), ..Wanted::default() }), read);
    assert_eq!(shown(Wanted { server: Some("fs".into()), ..Wanted::default() }).len(), 3);
    assert!(shown(Wanted { server: Some("other".into()), ..Wanted::default() }).is_empty());
}

#[test]
fn uses_are_summed_up_and_refunds_taken_off() {
    let dir = tempfile::tempdir().unwrap();
    let before = Timestamp::now();
    let small = Options { rotate_bytes: 2_000, ..Options::default() };
    for _ in 0..2 {
        let log = AuditLog::open(dir.path(), small).unwrap();
        for number in 0..20 {
            let id = ids::next();
            let mut lease = count("lease", 1);
            lease.concurrency = true;
            let counts = [count("calls", 1_000_000), count("spend", 2_500_000), lease];
            let effect = Effect::Allow;
            log.append(&Event::Decision(Decision { id, effect, counts: &counts, ..Decision::default() })).unwrap();
            let refunded = if number % 4 == 0 { &counts[1..] } else { &[] };
            if number != 19 {
                log.append_later(&Event::Outcome(Outcome { decision: id, refunded, ..Outcome::default() }));
            }
        }
    }
    let uses = uses_since(dir.path(), before).unwrap();
    assert_eq!(uses.total("calls", before), 40_000_000);
    assert_eq!(uses.total("spend", before), 30 * 2_500_000);
    assert_eq!((uses.total("lease", before), uses.total("none", before)), (0, 0));
    let summed: u128 = uses.iter().flat_map(|(_, uses)| uses.map(|one| one.amount)).sum();
    assert_eq!(summed, 40_000_000 + 75_000_000);
    let later = uses_since(dir.path(), Timestamp::now()).unwrap();
    assert_eq!(later.total("calls", before), 0);
}
