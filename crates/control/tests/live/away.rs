//! A control plane that is away: calls go on until the lease ends, then nothing is forwarded, and it goes on by itself.

use std::time::Duration;

use serde_json::json;
use testkit::postgres::Postgres;
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::until;

use crate::house::{House, OPEN, given};

/// Ten times what the product promises.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_replica_without_a_lease_forwards_nothing_and_comes_back() {
    let postgres = Postgres::start().unwrap();
    let house = House::at(store::control::Place::Postgres(postgres.database().unwrap()));
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica_with("one", Duration::from_secs(5));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = replica.agent("files", &minted);
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    assert!(ready(&replica.url));

    postgres.freeze().unwrap();
    let outcome = until("a denial", PATIENCE, || {
        let outcome = agent.call("echo", json!({})).unwrap();
        outcome.is_denied().then_some(outcome)
    });
    let outcome = format!("{:?}", outcome.unwrap());
    assert!(outcome.contains("lost its control plane"), "{outcome}");
    assert!(!ready(&replica.url));
    let before = upstream.called().len();
    for _ in 0..5 {
        assert!(agent.call("echo", json!({})).unwrap().is_denied());
    }
    assert_eq!(upstream.called().len(), before);

    postgres.thaw().unwrap();
    until("a call that is forwarded again", PATIENCE, || {
        agent.call("echo", json!({})).unwrap().is_done().then_some(())
    })
    .unwrap();
    assert!(ready(&replica.url));
}

fn ready(url: &str) -> bool {
    let address = url.trim_start_matches("http://").parse().unwrap();
    let request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = testkit::client::raw(address, request, Duration::from_secs(10)).unwrap();
    testkit::client::statuses(&answer) == [200]
}
