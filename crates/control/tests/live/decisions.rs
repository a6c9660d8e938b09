//! Decisions of real gateways, brought from their segments into the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit::{Effect, Ending, Kind};
use control::ship::{Shipper, Shipping};
use serde_json::json;
use store::log::{Begin, Cursor, State, chains, verify_signed};
use testkit::postgres::Postgres;
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::until;

use crate::house::{Desk, House, OPEN, given};

const PATIENCE: Duration = Duration::from_secs(60);

/// Ids of the decisions about tools in the segments of a replica.
fn recorded(audit: &Path) -> BTreeSet<audit::Id> {
    let mut cursor = Cursor::open(audit, Begin::Oldest).unwrap();
    let mut all = BTreeSet::new();
    while let Some(entry) = cursor.next().unwrap() {
        if entry.record.kind == Kind::Decision && entry.record.tool.is_some() {
            all.insert(entry.record.id);
        }
    }
    all
}

fn shown(desk: &Desk) -> BTreeSet<audit::Id> {
    desk.decisions().into_iter().map(|decision| decision.id).collect()
}

/// A shipper of a replica's directory that nobody runs, and what it told.
fn shipper(desk: &Desk, audit: &Path, keep: Option<Duration>) -> (Shipper, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let told = Arc::clone(&told);
        Arc::new(move |text: &str| told.lock().unwrap().push(text.to_owned()))
    };
    (Shipper::new(desk.instance.clone(), Shipping { audit: audit.to_owned(), keep, tell }), told)
}

fn signed_by(desk: &Desk, audit: &Path) -> store::log::Report {
    verify_signed(audit, None, Some(&BTreeSet::from([desk.instance.fingerprint()]))).unwrap()
}

/// Two replicas, five calls on each; returns when all are shown.
fn two_replicas(house: &House) -> Desk {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replicas = [house.replica("one"), house.replica("two")];
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    for replica in &replicas {
        let agent = replica.agent("files", &minted);
        for _ in 0..5 {
            assert!(agent.call("echo", json!({ "text": "a secret" })).unwrap().is_done());
        }
    }
    let settled = || {
        let all = desk.decisions();
        (all.len() == 10 && all.iter().all(|decision| decision.outcome.is_some())).then_some(all)
    };
    let all = until("ten decisions with their outcomes", PATIENCE, settled).unwrap();
    assert!(all.iter().all(|decision| decision.grant == minted.grant.to_string()));
    desk
}

pub fn what_replicas_decide_is_in_one_place(house: &House) {
    let desk = two_replicas(house);
    let all = desk.decisions();
    let chains: BTreeMap<_, usize> = all.iter().fold(BTreeMap::new(), |mut chains, decision| {
        *chains.entry(decision.chain).or_default() += 1;
        chains
    });
    assert_eq!(chains.into_values().collect::<Vec<_>>(), [5, 5]);
    for decision in &all {
        assert_eq!((decision.effect, decision.grant_label.as_str()), (Effect::Allow, "desk"));
        assert_eq!(decision.outcome.as_ref().unwrap().ending, Ending::Ok);
        assert!(!decision.line.contains("a secret") && decision.line.contains("\"argument_keys\":[\"text\"]"));
    }
    for replica in ["one", "two"] {
        let audit = house.folder.path().join(replica).join("audit");
        let report = signed_by(&desk, &audit);
        assert!(report.is_intact(), "{report:?}");
        assert!(report.chains.iter().all(|chain| chain.report.signed.is_some()));
    }
}

pub fn what_was_left_behind_is_shipped_by_the_next(house: &House) {
    let desk = two_replicas(house);
    let audit = house.folder.path().join("one/audit");
    let chain = chains(&audit).unwrap()[0].id;
    // As if it had died before anything was shipped.
    desk.runtime.block_on(desk.instance.database().ship_again(chain, Default::default())).unwrap();
    assert_eq!(desk.decisions().len(), 5);
    let next = house.replica("one");
    until("all of them", PATIENCE, || (desk.decisions().len() == 10).then_some(())).unwrap();
    drop(next);
    let ended = desk.runtime.block_on(desk.instance.database().shipped(chain)).unwrap().unwrap();
    assert!(ended.ended);
}

pub fn rows_are_made_anew_the_same(house: &House) {
    let desk = two_replicas(house);
    let before = desk.decisions();
    for replica in ["one", "two"] {
        let (mut shipper, _) = shipper(&desk, &house.folder.path().join(replica).join("audit"), None);
        desk.runtime.block_on(shipper.rebuild()).unwrap();
    }
    assert_eq!(desk.decisions(), before);
}

pub fn what_is_too_old_goes_and_chains_stay_in_order(house: &House) {
    let desk = two_replicas(house);
    let audit = house.folder.path().join("one/audit");
    let (mut tidy, told) = shipper(&desk, &audit, Some(Duration::ZERO));
    desk.runtime.block_on(tidy.catch_up()).unwrap();
    desk.runtime.block_on(tidy.tidy()).unwrap();
    assert_eq!(desk.decisions(), []);
    assert!(chains(&audit).unwrap().iter().all(|chain| chain.segments.is_empty()));
    let report = signed_by(&desk, &audit);
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.chains.iter().map(|chain| chain.state).collect::<Vec<_>>(), [State::Removed]);
    assert_eq!(*told.lock().unwrap(), Vec::<String>::new());
    // The other replica's segments are its own business.
    assert_eq!(recorded(&house.folder.path().join("two/audit")).len(), 5);
}

/// A pipe in place of a file: whoever reads it waits until this is dropped.
struct Pipe(PathBuf);

impl Pipe {
    fn at(path: PathBuf) -> Self {
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self(path)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let end = std::fs::OpenOptions::new().read(true).write(true).open(&self.0);
        // Whoever comes later finds nothing; whoever waits finds its end.
        let _ = std::fs::remove_file(&self.0);
        drop(end);
    }
}

pub fn a_removal_that_takes_its_time_holds_up_no_shipping(house: &House) {
    let desk = two_replicas(house);
    let audit = house.folder.path().join("one/audit");
    // Another chain, so that no new one has to read the first.
    drop(house.replica("one"));
    let (mut all, _) = shipper(&desk, &audit, None);
    desk.runtime.block_on(all.catch_up()).unwrap();
    drop(all);
    let chain = chains(&audit).unwrap()[0].clone();
    let pipe = Pipe::at(chain.segment(1));
    let (mut both, _) = shipper(&desk, &audit, Some(Duration::ZERO));
    let running = desk.runtime.spawn(async move { both.run().await });
    // The rows go first, then the segments, of which one cannot be read to its end.
    until("the rows to go", PATIENCE, || desk.decisions().is_empty().then_some(())).unwrap();
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    desk.register("late", &upstream);
    let replica = house.replica("one");
    let minted = desk.mint(&desk.admin, &given("late", "late", "open"));
    assert!(replica.agent("late", &minted).call("echo", json!({})).unwrap().is_done());
    // Sooner than the patience with a database that does not answer.
    until("what was decided meanwhile", Duration::from_secs(20), || (desk.decisions().len() == 1).then_some(()))
        .unwrap();
    running.abort();
    drop((replica, pipe));
}

pub fn what_was_altered_is_not_shown_and_told(house: &House) {
    let desk = two_replicas(house);
    let audit = house.folder.path().join("one/audit");
    let chain = chains(&audit).unwrap()[0].clone();
    let file = chain.segment(1);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"effect\":\"allow\"", "\"effect\":\"deny\"", 1)).unwrap();
    let (mut shipper, told) = shipper(&desk, &audit, None);
    desk.runtime.block_on(shipper.rebuild()).unwrap();
    desk.runtime.block_on(shipper.catch_up()).unwrap();
    assert!(desk.decisions().iter().all(|decision| decision.effect == Effect::Allow && decision.chain != chain.id));
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("tampered with") && told[0].contains("audit verify"), "{told:?}");
}

pub fn a_chain_that_cannot_be_read_holds_up_no_other(house: &House) {
    let desk = two_replicas(house);
    let audit = house.folder.path().join("one/audit");
    let chain = chains(&audit).unwrap()[0].id;
    desk.runtime.block_on(desk.instance.database().ship_again(chain, Default::default())).unwrap();
    // An older one, whose segment is no file.
    std::fs::create_dir_all(audit.join("00ARZ3NDEKTSV4RRFFQ69G5FAV/000001.log")).unwrap();
    let (mut shipper, _) = shipper(&desk, &audit, None);
    assert!(desk.runtime.block_on(shipper.catch_up()).is_err(), "it is told");
    assert_eq!(desk.decisions().len(), 10);
}

#[test]
fn a_frozen_database_delays_no_call_and_nothing_is_missing_after() {
    let postgres = Postgres::start().unwrap();
    let house = House::at(store::control::Place::Postgres(postgres.database().unwrap()));
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = replica.agent("files", &minted);
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    postgres.freeze().unwrap();
    // Within its lease; the tables could not be asked for any of these.
    for _ in 0..50 {
        assert!(agent.call("echo", json!({})).unwrap().is_done());
    }
    postgres.thaw().unwrap();
    let audit = house.folder.path().join("one/audit");
    until("all of them", PATIENCE, || (shown(&desk).len() == 51).then_some(())).unwrap();
    assert_eq!(shown(&desk), recorded(&audit));
    assert_eq!(upstream.called().len(), 51);
}
