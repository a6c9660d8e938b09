//! Replicas share a limit exactly, and what Redis keeps over a restart is what was taken.

use std::sync::Arc;

use quota::{Amount, CountId, Kind, Take, Taken, Window};
use shared::Beside;
use testkit::redis::Redis;

use crate::{SCOPE, hourly, open, options, runtime, until_up};

/// Rounds of the long proof; two in a usual run.
fn rounds() -> usize {
    std::env::var("TOOLGATE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

/// 200 takers on three replicas, against one limit of 1,000 and a wider one beside it.
#[test]
fn two_hundred_takers_on_three_replicas_get_exactly_the_maximum() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    for round in 0..rounds() {
        let replicas: Vec<_> = (0..3).map(|_| open(options(&redis.url()), &runtime)).collect();
        replicas.iter().for_each(until_up);
        runtime.block_on(replicas[0].begin("local")).unwrap();
        let takes: Arc<[Take]> =
            [hourly(&format!("wide {round}"), 5000), hourly(&format!("narrow {round}"), 1000)].into();
        let barrier = Arc::new(tokio::sync::Barrier::new(200));
        let takers: Vec<_> = (0..200)
            .map(|number| {
                let (counts, takes, barrier) = (replicas[number % 3].clone(), Arc::clone(&takes), Arc::clone(&barrier));
                runtime.spawn(async move {
                    barrier.wait().await;
                    let mut granted = 0;
                    loop {
                        match counts.take(&takes).await.unwrap() {
                            Taken::Granted(_) => granted += 1,
                            Taken::Full(full) => {
                                assert_eq!((full.index, full.used), (1, Amount::from(1000)));
                                return granted;
                            }
                        }
                    }
                })
            })
            .collect();
        let granted: u32 = takers.into_iter().map(|taker| runtime.block_on(taker).unwrap()).sum();
        assert_eq!(granted, 1000, "round {round}");
        let uses = runtime.block_on(replicas[1].snapshot()).unwrap();
        let wide = uses.iter().find(|used| used.id.contains(&format!("wide {round}"))).unwrap();
        assert_eq!(wide.used, Amount::from(1000), "what the narrow one refused was not taken from the wide one");
    }
}

/// Amounts are exact where floating point is not.
#[test]
fn the_largest_amounts_are_exact() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let take = |amount: &str| {
        [Take { max: "999999999999999.999999".parse().unwrap(), amount: amount.parse().unwrap(), ..hourly("large", 0) }]
    };
    let granted = |amount: &str| match runtime.block_on(counts.take(&take(amount))).unwrap() {
        Taken::Granted(receipt) => Ok(receipt),
        Taken::Full(full) => Err(full.used.to_string()),
    };
    let first = granted("999999999999990.000003").unwrap();
    assert_eq!(granted("9.999997").unwrap_err(), "999999999999990.000003");
    granted("9.999996").unwrap();
    assert_eq!(granted("0.000001").unwrap_err(), "999999999999999.999999");
    runtime.block_on(counts.give_back(first)).unwrap();
    let uses = runtime.block_on(counts.snapshot()).unwrap();
    assert_eq!(uses[0].used.to_string(), "9.999996");
    granted("999999999999990.000003").unwrap();
    assert!(granted("0.000001").is_err());
}

#[test]
fn a_server_with_a_log_of_every_change_keeps_its_counts_over_a_kill() {
    let mut redis = Redis::start_durable().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [hourly("kept", 3)];
    for used in 0..3 {
        assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))), "{used} are used");
        redis.restart().unwrap();
        // The first call may be the one to notice, and must not be forwarded.
        let answered = || runtime.block_on(counts.look(&one)).ok();
        testkit::wait::until("the counts to be reached again", testkit::wait::PATIENCE, answered).unwrap();
    }
    let Ok(Taken::Full(full)) = runtime.block_on(counts.take(&one)) else { panic!("three of three are used") };
    assert_eq!(full.used, Amount::from(3));
}

/// Nobody knows what was taken after the last snapshot.
#[test]
fn a_server_without_one_is_not_trusted_after_a_restart() {
    let mut redis = Redis::start_with(&["--save", "", "--appendonly", "no", "--dbfilename", "dump.rdb"]).unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [hourly("snapshot", 3)];
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))));
    redis.command(&["SAVE"]).unwrap();
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))));
    redis.restart().unwrap();
    let told = testkit::wait::until("Redis to be there again", testkit::wait::PATIENCE, || {
        let told = runtime.block_on(counts.take(&one)).unwrap_err().to_string();
        told.contains("lost counts").then_some(told)
    });
    let told = told.unwrap();
    assert!(told.contains("limits per 3600 s count again from"), "{told}");
    runtime.block_on(counts.confirm("local")).unwrap();
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))));
}

#[test]
fn scripts_that_redis_has_forgotten_are_sent_again_within_the_call() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    redis.command(&["SCRIPT", "FLUSH"]).unwrap();
    assert!(matches!(runtime.block_on(counts.take(&[hourly("scripts", 1)])), Ok(Taken::Granted(_))));
    assert!(counts.reachable().is_ok());
}

#[test]
fn a_count_that_is_reset_begins_anew() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [hourly("reset", 1)];
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))));
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Full(_))));
    assert!(runtime.block_on(counts.reset(one[0].id.text())).unwrap());
    assert!(!runtime.block_on(counts.reset(one[0].id.text())).unwrap());
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_))));
}

#[test]
fn organisations_count_apart_and_never_together_in_one_call() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    let of = |organisation: &str| {
        let one = hourly("same", 1);
        let window = Some(Window::Rolling(3600));
        Take { id: CountId::new(organisation, &SCOPE, "same", window, &one.zone, Kind::Quota), ..one }
    };
    for organisation in ["one", "two", "a|b{c}"] {
        runtime.block_on(counts.begin(organisation)).unwrap();
        assert!(matches!(runtime.block_on(counts.take(&[of(organisation)])), Ok(Taken::Granted(_))), "{organisation}");
    }
    let told = runtime.block_on(counts.take(&[of("one"), of("two")])).unwrap_err().to_string();
    assert!(told.contains("several organisations"), "{told}");
}

/// The count of replicas that must have a take before a call goes on.
#[test]
fn a_take_that_too_few_replicas_have_is_refused_and_given_back() {
    let redis = Redis::start().unwrap();
    let follower = Redis::start().unwrap();
    let runtime = runtime();
    let careful = shared::Options { replicas: 1, ..options(&redis.url()) };
    let counts = open(careful, &runtime);
    let told = testkit::wait::until("the reason", testkit::wait::PATIENCE, || {
        let told = counts.reachable().unwrap_err().to_string();
        told.contains("0 replicas that keep up, and each count must be on 1").then_some(told)
    });
    told.unwrap();
    follower.command(&["REPLICAOF", "127.0.0.1", &redis.port().to_string()]).unwrap();
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [hourly("copied", 2)];
    let granted = || matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_)));
    // A follower that has just come may not keep up at once.
    testkit::wait::for_it("the first unit", granted).unwrap();
    assert!(follower.command(&["KEYS", "*copied*"]).unwrap().len() == 1, "it was there before the call went on");
    let rest = || matches!(runtime.block_on(counts.look(&one)), Ok(None));
    testkit::wait::for_it("what was refused to be given back", rest).unwrap();
    follower.freeze().unwrap();
    let told = runtime.block_on(counts.take(&one)).unwrap_err().to_string();
    assert!(told.contains("0 replicas that keep up"), "{told}");
    follower.thaw().unwrap();
    // What was refused is given back, so the second of two is still there.
    testkit::wait::for_it("the second unit", granted).unwrap();
    assert!(matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Full(_))));
}

/// A call costs one round trip, whatever windows its limits have.
#[test]
fn a_call_is_one_round_trip() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let calendar = |window: Window| {
        let one = hourly("calendar", 1000);
        let id = CountId::new("local", &SCOPE, "calendar", Some(window), &one.zone, Kind::Quota);
        Take { id, window: Some(window), ..one }
    };
    let takes = [hourly("rolling", 1000), calendar(Window::Second), calendar(Window::Minute), calendar(Window::Month)];
    let asked = || -> u32 {
        let lines = redis.command(&["INFO", "commandstats"]).unwrap();
        let line = lines.iter().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
        line.split(',').next().unwrap().parse().unwrap()
    };
    let before = asked();
    for _ in 0..100 {
        assert!(matches!(runtime.block_on(counts.take(&takes)), Ok(Taken::Granted(_))));
    }
    assert_eq!(asked() - before, 100);
}

/// Limits that are only observed are counted in the round trip of the others, each by itself, and hold nothing up.
#[test]
fn what_is_observed_is_counted_beside_what_is_enforced() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let enforced = [hourly("enforced", 4)];
    let observed = [hourly("observed", 2), hourly("observed", 5), hourly("other", 3)];
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (taken, would) =
            runtime.block_on(counts.take_with(&enforced, Beside { observed: &observed, attempts: &[] })).unwrap();
        seen.push((matches!(taken, Taken::Granted(_)), would));
    }
    // The first two are one count, which a call takes once for each.
    let expected = [(true, vec![]), (true, vec![0]), (true, vec![0]), (true, vec![0, 2]), (false, vec![])];
    assert_eq!(seen, expected);
    let (taken, would) =
        runtime.block_on(counts.take_with(&[], Beside { observed: &observed, attempts: &[] })).unwrap();
    assert!(matches!(taken, Taken::Granted(receipt) if receipt.is_empty()));
    assert_eq!(would, [0, 1, 2]);
}

/// A call that is not made counts its attempts in the round trip that says so, each by itself.
#[test]
fn attempts_are_counted_where_the_call_is_not_made() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let counts = open(options(&redis.url()), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let (enforced, attempts) = ([hourly("enforced", 1)], [hourly("tries", 3), hourly("few", 1)]);
    let beside = Beside { observed: &[], attempts: &attempts };
    let used = |counter: &str| {
        let uses = runtime.block_on(counts.snapshot_of("local")).unwrap();
        uses.iter().find(|used| used.id.contains(counter)).map(|used| used.used.to_string())
    };
    assert!(matches!(runtime.block_on(counts.take_with(&enforced, beside)).unwrap().0, Taken::Granted(_)));
    assert_eq!(used("tries"), None, "the call is made");
    assert!(matches!(runtime.block_on(counts.take_with(&enforced, beside)).unwrap().0, Taken::Full(_)));
    assert!(runtime.block_on(counts.look_with(&[], &attempts)).unwrap().is_none());
    assert!(runtime.block_on(counts.look_with(&enforced, &attempts)).unwrap().is_some());
    assert!(runtime.block_on(counts.look_with(&enforced, &attempts)).unwrap().is_some());
    assert_eq!((used("tries"), used("few")), (Some("3".to_owned()), Some("1".to_owned())));
    assert_eq!(used("enforced"), Some("1".to_owned()));
    assert!(runtime.block_on(counts.snapshot_of("loca")).unwrap().is_empty(), "another organisation's are not shown");
}

/// Replication is not awaited by default, so what the one before had counted last may be missing.
#[test]
fn a_replica_that_took_over_is_trusted_only_by_who_says_so() {
    let mut redis = Redis::start_durable().unwrap();
    let follower = Redis::start_durable().unwrap();
    let runtime = runtime();
    let one = [hourly("promoted", 3)];
    follower.command(&["REPLICAOF", "127.0.0.1", &redis.port().to_string()]).unwrap();
    let careful = shared::Options { replicas: 1, ..options(&redis.url()) };
    let counts = open(careful, &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    for _ in 0..2 {
        let granted = || matches!(runtime.block_on(counts.take(&one)), Ok(Taken::Granted(_)));
        testkit::wait::for_it("a unit, and what was refused before it to be given back", || {
            granted() && matches!(runtime.block_on(counts.look(&one)), Ok(None))
        })
        .unwrap();
    }
    redis.stop().unwrap();
    follower.read_only(false).unwrap();

    let trusting = shared::Options { restarts: shared::Restarts::Trusted, ..options(&follower.url()) };
    let trusting = open(trusting, &runtime);
    until_up(&trusting);
    assert_eq!(runtime.block_on(trusting.look(&one)).unwrap(), None, "it has both uses of three");
    let usual = open(options(&follower.url()), &runtime);
    until_up(&usual);
    let told = runtime.block_on(usual.take(&one)).unwrap_err().to_string();
    assert!(told.contains("Redis has lost counts"), "{told}");
    // Once one replica of ours has called the counts lost, they are for all.
    assert!(runtime.block_on(trusting.take(&one)).is_err());
    assert!(runtime.block_on(usual.confirm("local")).unwrap());
    assert!(matches!(runtime.block_on(trusting.take(&one)), Ok(Taken::Granted(_))));
    assert!(matches!(runtime.block_on(trusting.take(&one)), Ok(Taken::Full(_))), "and what was counted still is");
}
