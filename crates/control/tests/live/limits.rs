//! A limit of 1,000 forwards exactly 1,000, however many ask, and wherever it is counted.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use control::grants::Minted;
use serde_json::json;
use store::control::stops::Stoppable;
use testkit::message::Outcome;
use testkit::redis::{Redis, Slow};
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::house::{Counts, Desk, House, LONG, Serving, given, postgres, server, sqlite};

const CLIENTS: usize = 200;

/// Rounds of the long proof; one in a usual run.
fn rounds() -> usize {
    std::env::var("TOOLGATE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Each grant may make 1,000 calls in any hour, and all together many more.
const THOUSAND: &str = r#"{ "version": "1", "default": "allow", "all_tools": { "limits": [
    { "counter": "calls", "window": 3600, "max": 1000 },
    { "counter": "all", "window": 3600, "max": 1000000, "scope": "organisation" } ] } }"#;

/// Waits until the counts of every organisation have begun: what is asked before would wait for that.
pub fn begun(desk: &Desk) {
    let all = || desk.runtime.block_on(desk.instance.database().not_counted()).unwrap().is_empty();
    wait::for_it("the counts to begin", all).unwrap();
}

fn exactly_a_thousand(house: &House, replicas: &[Serving]) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    begun(&desk);
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "thousand", THOUSAND);
    for round in 0..rounds() {
        let minted = desk.mint(&desk.admin, &given(&format!("round {round}"), "files", "thousand"));
        let before = upstream.called().len();
        let barrier = Arc::new(Barrier::new(CLIENTS));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let agent = replicas[number % replicas.len()].agent("files", &minted);
                let barrier = Arc::clone(&barrier);
                std::thread::spawn(move || {
                    barrier.wait();
                    let mut done = 0;
                    loop {
                        match agent.call("echo", json!({})).unwrap() {
                            Outcome::Done(_) => done += 1,
                            limited if limited.is_limited() => return done,
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        let done: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert_eq!((done, upstream.called().len() - before), (1000, 1000), "round {round}");
    }
}

#[test]
fn three_replicas_on_redis_forward_exactly_a_thousand() {
    let redis = Redis::start().unwrap();
    let house = postgres();
    let replica = |name| house.replica_counting(name, LONG, Counts::redis(&redis.url()));
    exactly_a_thousand(&house, &["one", "two", "three"].map(replica));
}

#[test]
fn one_replica_on_a_file_forwards_exactly_a_thousand() {
    let house = sqlite();
    exactly_a_thousand(&house, &[house.replica_counting("one", LONG, Counts::File)]);
}

/// How often Redis has run a command.
fn stat(redis: &Redis, command: &str) -> usize {
    let lines = redis.command(&["INFO", "commandstats"]).unwrap();
    let line = lines.iter().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// One round trip a call, whatever its limits are: granted, full, observed, attempts.
#[test]
fn a_call_asks_redis_once() {
    let redis = Redis::start().unwrap();
    let house = sqlite();
    let replica = house.replica_counting("one", LONG, Counts::redis(&redis.url()));
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    begun(&desk);
    desk.register("files", &upstream);
    let policy = r#"{ "version": "1", "default": "allow", "all_tools": { "limits": [
        { "counter": "calls", "window": 3600, "max": 3 },
        { "counter": "under way", "kind": "concurrency", "max": 50 },
        { "counter": "tries", "window": 3600, "max": 100, "count": "attempts" } ] },
        "tools": { "echo": { "mode": "observe", "limits": [{ "counter": "seen", "window": 3600, "max": 1 }] } } }"#;
    desk.policy(&desk.admin, "many", policy);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "many"));
    let agent = replica.agent("files", &minted);
    let asked = || stat(&redis, "evalsha");
    // Calls in flight go back beside the way of the next call.
    let before = asked();
    let outcomes: Vec<_> = (0..5).map(|_| agent.call("echo", json!({})).unwrap()).collect();
    let done = outcomes.iter().filter(|outcome| outcome.is_done()).count();
    let limited = outcomes.iter().filter(|outcome| outcome.is_limited()).count();
    assert_eq!((done, limited, upstream.called().len()), (3, 2, 3), "{outcomes:?}");
    wait::for_it("what is given back", || asked() >= before + 8).unwrap();
    assert_eq!(asked() - before, 5 + 3, "five calls, and three that gave back what was in flight");
}

/// Somebody whose limit is full is let on by a reset, which has a reason.
#[test]
fn what_is_reset_goes_on() {
    let redis = Redis::start().unwrap();
    for (name, counts) in [("redis", Counts::redis(&redis.url())), ("file", Counts::File)] {
        let house = sqlite();
        let replica = house.replica_counting(name, LONG, counts);
        let upstream = Upstream::start(Script::default().modern()).unwrap();
        let desk = house.desk();
        begun(&desk);
        desk.register("files", &upstream);
        let once = r#"{ "version": "1", "default": "allow",
            "all_tools": { "limits": [{ "counter": "calls", "window": "month", "max": 1 }] } }"#;
        desk.policy(&desk.admin, "once", once);
        let minted = desk.mint(&desk.admin, &given("desk", "files", "once"));
        let agent = replica.agent("files", &minted);
        let call = || agent.call("echo", json!({})).unwrap();
        assert!(call().is_done());
        assert!(call().is_limited());
        let instance = desk.instance.clone().with_counting(replica.gateway.counting().clone());
        let uses = desk.runtime.block_on(instance.uses(&desk.admin)).unwrap();
        assert_eq!(uses.len(), 1, "{uses:?}");
        desk.runtime.block_on(instance.reset_count(&desk.admin, &uses[0].id, "paid for")).unwrap();
        assert!(call().is_done(), "{name}");
        assert!(call().is_limited());
        assert_eq!(upstream.called().len(), 2);
        assert!(desk.runtime.block_on(instance.reset_count(&desk.admin, "nothing", "a slip")).is_err());
    }
}

/// Renaming, rotating and publishing reset nothing; another policy has counts of its own, but for those of an organisation.
#[test]
fn counts_belong_to_ids_and_to_their_policy() {
    let house = sqlite();
    let replica = house.replica("one");
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let instance = &desk.instance;
    desk.register("files", &upstream);
    let limits = |max: u32, scope: &str| {
        format!(
            r#"{{ "version": "1", "default": "allow", "all_tools": {{ "limits": [
                {{ "counter": "calls", "window": "month", "max": {max}, "scope": "{scope}" }} ] }} }}"#
        )
    };
    for scope in ["grant", "agent", "tool", "server", "organisation"] {
        desk.policy(&desk.admin, scope, &limits(1, scope));
        desk.policy(&desk.admin, &format!("other-{scope}"), &limits(1, scope));
    }
    for scope in ["grant", "agent", "tool", "server", "organisation"] {
        let minted = desk.mint(&desk.admin, &given(scope, "files", scope));
        let called = |server: &str, minted: &Minted| replica.agent(server, minted).call("echo", json!({})).unwrap();
        assert!(called("files", &minted).is_done(), "{scope}");

        let minted = desk.runtime.block_on(instance.rotate(&desk.admin, minted.grant, 0, "leaked")).unwrap();
        let again = limits(1, scope).replace("month\"", "month\" ");
        let version = desk.runtime.block_on(async {
            let seen = instance.database().policy(&desk.admin.permit().unwrap(), scope).await.unwrap().latest;
            instance.edit_policy(&desk.admin, scope, seen, &again, "").await.unwrap();
            instance.publish(&desk.admin, scope, 2, "the same").await.unwrap();
            renamed(&desk, &upstream, "files", "papers").await
        });
        desk.confirmed(version);
        assert!(called("papers", &minted).is_limited(), "{scope}: neither token, version nor name begin it anew");

        let version = desk.runtime.block_on(async {
            instance.attach(&desk.admin, minted.grant, Some(&format!("other-{scope}")), "").await.unwrap();
            renamed(&desk, &upstream, "papers", "files").await
        });
        desk.confirmed(version);
        let outcome = called("files", &minted);
        let shared = matches!(scope, "server" | "organisation");
        assert_eq!((outcome.is_limited(), outcome.is_done()), (shared, !shared), "{scope}: {outcome:?}");
    }
}

async fn renamed(desk: &Desk, upstream: &Upstream, from: &str, to: &str) -> i64 {
    let seen = desk.instance.database().server(&desk.admin.permit().unwrap(), from).await.unwrap().changed;
    desk.instance.change_server(&desk.admin, from, seen, &server(to, upstream), "").await.unwrap()
}

/// A call that is stopped while Redis is asked for its units is not forwarded, and they go back.
#[test]
fn what_is_stopped_while_it_is_counted_is_not_forwarded() {
    let redis = Redis::start().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let house = sqlite();
    let replica = house.replica_counting("one", LONG, Counts::redis(&way.url()));
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    begun(&desk);
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "thousand", THOUSAND);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "thousand"));
    let agent = replica.agent("files", &minted);
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    let loaded = stat(&redis, "script|load");
    let used = || {
        let lines = redis.command(&["EVAL", USED, "0"]).unwrap();
        lines.concat().parse::<u64>().unwrap()
    };
    assert_eq!(used(), 2_000_000, "one of each");

    way.delay(Duration::from_secs(3600));
    let calling = std::thread::spawn(move || agent.call("echo", json!({})).unwrap());
    wait::for_it("Redis to have counted", || used() == 4_000_000).unwrap();
    let permit = desk.admin.permit().unwrap();
    let stopping = desk.instance.database().stop(permit, Stoppable::Everything, "it leaks");
    desk.confirmed(desk.runtime.block_on(stopping).unwrap());
    way.delay(Duration::ZERO);
    let told = format!("{:?}", calling.join().unwrap());
    assert_eq!(upstream.called().len(), 1, "{told}");
    // On a machine so busy that the answer of Redis was late nobody knows of the units, and the gateway connects anew.
    wait::for_it("the units to be back", || used() == 2_000_000 || stat(&redis, "script|load") > loaded).unwrap();
}

/// The sum of what all counts hold.
const USED: &str = "local sum = 0
for _, key in ipairs(redis.call('KEYS', '*:count:*')) do
  local fields = redis.call('HGETALL', key)
  for f = 1, #fields, 2 do if tonumber(fields[f]) then sum = sum + tonumber(fields[f + 1]) end end
end
return string.format('%.0f', sum)";

/// Ten times what the product promises.
pub const WATCHDOG: Duration = Duration::from_secs(10);
