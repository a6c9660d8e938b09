//! News reach every replica, or it learns that it has missed some.

use std::time::Duration;

use shared::{Heard, Hearing, News};
use testkit::redis::Redis;
use testkit::wait;
use tokio::runtime::Runtime;

use crate::{options, runtime};

const PATIENCE: Duration = Duration::from_secs(30);

fn next(runtime: &Runtime, hearing: &mut Hearing) -> Heard {
    let heard = async { tokio::time::timeout(PATIENCE, hearing.next()).await };
    runtime.block_on(heard).expect("something to be heard").expect("a runtime")
}

fn changed(topic: &str, version: u64) -> Heard {
    Heard::Changed { topic: topic.to_owned(), version }
}

/// Hears on until this.
fn until(runtime: &Runtime, hearing: &mut Hearing, wanted: &Heard) {
    while next(runtime, hearing) != *wanted {}
}

fn open(redis: &Redis, runtime: &Runtime) -> News {
    let news = News::open(options(&redis.url()), runtime.handle()).unwrap();
    wait::for_it("Redis to be reached", || news.reachable().is_ok()).unwrap();
    news
}

#[test]
fn every_listener_hears_everything_in_order() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let replicas: Vec<News> = (0..3).map(|_| open(&redis, &runtime)).collect();
    let mut hearings: Vec<Hearing> = replicas.iter().map(News::listen).collect();
    for hearing in &mut hearings {
        assert_eq!(next(&runtime, hearing), Heard::MayHaveMissed, "listening has begun");
    }
    for version in 0..20 {
        runtime.block_on(replicas[0].publish("organisation a b", version)).unwrap();
    }
    runtime.block_on(replicas[1].publish("stop", u64::MAX - 1)).err();
    for hearing in &mut hearings {
        for version in 0..20 {
            let heard = next(&runtime, hearing);
            // A counter that had no number yet begins anywhere.
            let heard = if heard == Heard::MayHaveMissed { next(&runtime, hearing) } else { heard };
            assert_eq!(heard, changed("organisation a b", version));
        }
    }
}

#[test]
fn a_restart_is_noticed_and_listening_goes_on() {
    let mut redis = Redis::start().unwrap();
    let runtime = runtime();
    let news = open(&redis, &runtime);
    let mut hearing = news.listen();
    until(&runtime, &mut hearing, &Heard::MayHaveMissed);
    runtime.block_on(news.publish("one", 1)).unwrap();
    until(&runtime, &mut hearing, &changed("one", 1));
    redis.restart().unwrap();
    until(&runtime, &mut hearing, &Heard::MayHaveMissed);
    let published = || runtime.block_on(news.publish("two", 2)).is_ok();
    wait::for_it("Redis to take news again", published).unwrap();
    until(&runtime, &mut hearing, &changed("two", 2));
}

#[test]
fn a_lost_message_is_noticed_though_none_follows() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let news = open(&redis, &runtime);
    let mut hearing = news.listen();
    until(&runtime, &mut hearing, &Heard::MayHaveMissed);
    runtime.block_on(news.publish("one", 1)).unwrap();
    until(&runtime, &mut hearing, &changed("one", 1));
    // A number that nobody was told.
    redis.command(&["INCR", "toolgate:{news}"]).unwrap();
    until(&runtime, &mut hearing, &Heard::MayHaveMissed);
}

#[test]
fn a_gap_is_told_before_what_follows_it() {
    let redis = Redis::start().unwrap();
    let runtime = runtime();
    let news = open(&redis, &runtime);
    let mut hearing = news.listen();
    until(&runtime, &mut hearing, &Heard::MayHaveMissed);
    runtime.block_on(news.publish("one", 1)).unwrap();
    until(&runtime, &mut hearing, &changed("one", 1));
    redis.command(&["INCR", "toolgate:{news}"]).unwrap();
    runtime.block_on(news.publish("three", 3)).unwrap();
    assert_eq!(next(&runtime, &mut hearing), Heard::MayHaveMissed);
    until(&runtime, &mut hearing, &changed("three", 3));
}

#[test]
fn what_cannot_be_published_is_refused() {
    let mut redis = Redis::start().unwrap();
    let runtime = runtime();
    let news = open(&redis, &runtime);
    assert!(runtime.block_on(news.publish("", 1)).is_err());
    assert!(runtime.block_on(news.publish(&"x".repeat(513), 1)).is_err());
    redis.stop().unwrap();
    let told = runtime.block_on(news.publish("one", 1)).unwrap_err().to_string();
    assert!(told.contains("Redis at 127.0.0.1:"), "{told}");
}
