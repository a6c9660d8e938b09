//! Replicas whose clocks are 90 seconds apart.

use std::path::Path;
use std::sync::{Arc, Barrier};

use anyhow::{Context, ensure};
use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::Outcome;
use testkit::redis::Redis;
use testkit::script::{Script, Tool};
use testkit::skew;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;

use crate::desk::{Desk, endpoint, instance};
use crate::replicas::{KEYS, POSTGRES};

const CLIENTS: usize = 200;

const THOUSAND: &str = r#"{ "version": "1", "default": "allow", "all_tools": { "limits": [
    { "counter": "calls", "window": 3600, "max": 1000 },
    { "counter": "month", "window": "month", "max": 100000000 } ] } }"#;

/// Rounds of the long proof; one in a usual run.
fn rounds() -> usize {
    std::env::var("TOOLGATE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// When a replica believes that it decided first, in seconds since 1970.
fn first_decision(toolgate: &Toolgate) -> anyhow::Result<i64> {
    let decisions = toolgate.setup.decisions()?;
    let time = decisions.first().and_then(|record| record["time"].as_str()).context("no decision")?;
    Ok(time.parse::<jiff::Timestamp>()?.as_second())
}

fn replica(folder: &Path, name: &str, database: &str, redis: &Redis, ahead: i64) -> anyhow::Result<Toolgate> {
    let setup = instance(&folder.join(name))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    let setup = skew::by(setup.variable("TOOLGATE_REDIS", &redis.url()), folder, ahead)?;
    setup.options(["--replica", name, "--redis-timeout", "1000"]).serve()
}

#[test]
fn three_replicas_ninety_seconds_apart_forward_exactly_a_thousand() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let (folder, database, redis) = (testkit::toolgate::folder()?, POSTGRES.database()?, Redis::start()?);
    let mut replicas = Vec::new();
    for (name, ahead) in [("behind", -90), ("ahead", 90), ("right", 0)] {
        replicas.push(replica(folder.path(), name, &database, &redis, ahead)?);
    }
    let desk = Desk::set_up(&replicas[2])?;
    desk.grant_under("files", &upstream.url(), THOUSAND)?;
    for round in 0..rounds() {
        let grant = desk.mint(&format!("round-{round}"), "files")?;
        let before = upstream.called().len();
        let barrier = Arc::new(Barrier::new(CLIENTS));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let agent =
                    McpHttp::legacy(&endpoint(&replicas[number % replicas.len()], "files"), Some(&grant.token))?;
                let barrier = Arc::clone(&barrier);
                Ok(std::thread::spawn(move || -> anyhow::Result<usize> {
                    barrier.wait();
                    let mut done = 0;
                    loop {
                        match agent.call("read", json!({}))? {
                            Outcome::Done(_) => done += 1,
                            limited if limited.is_limited() => return Ok(done),
                            other => anyhow::bail!("{other:?}"),
                        }
                    }
                }))
            })
            .collect::<anyhow::Result<_>>()?;
        let mut done = 0;
        for client in clients {
            done += client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        assert_eq!((done, upstream.called().len() - before), (1000, 1000), "round {round}");
    }
    // The clocks were apart, as each has recorded.
    let times = replicas.iter().map(first_decision).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(times[2] - times[0] > 60 && times[1] - times[2] > 60, "{times:?}");
    Ok(())
}
