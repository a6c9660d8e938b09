//! Limits that replicas share in Redis.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::postgres::Postgres;
use testkit::redis::Redis;
use testkit::script::{Script, Tool};
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{Desk, endpoint, instance};
use crate::replicas::KEYS;

static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap_or_else(|error| panic!("{error:#}")));

/// Three calls in any hour, on all replicas together.
const THREE: &str = r#"{ "version": "1", "default": "deny",
    "tools": { "read": { "limits": [{ "counter": "reads", "window": 3600, "max": 3 }] } } }"#;

fn replica(folder: &Path, name: &str, database: &str, redis: &str) -> anyhow::Result<Setup> {
    let setup = instance(&folder.join(name))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    Ok(setup.variable("TOOLGATE_REDIS", redis).options(["--replica", name, "--redis-timeout", "1000"]))
}

fn limited(desk: &Desk, upstream: &Upstream) -> anyhow::Result<String> {
    let token = desk.grant("files", &upstream.url())?.token;
    desk.done("POST", "policies", &json!({ "name": "three", "document": THREE }))?;
    desk.done("POST", "policies/three/publish", &json!({ "version": 1, "reason": "the first" }))?;
    let grants = desk.done("GET", "grants", &Value::Null)?;
    let id = grants["items"][0]["id"].as_str().unwrap_or_default().to_owned();
    desk.done("POST", &format!("grants/{id}/attach"), &json!({ "policy": "three" }))?;
    Ok(token)
}

#[test]
fn replicas_share_a_limit_that_somebody_resets() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let (folder, database, redis) = (testkit::toolgate::folder()?, POSTGRES.database()?, Redis::start()?);
    let one = replica(folder.path(), "one", &database, &redis.url())?.serve()?;
    let two = replica(folder.path(), "two", &database, &redis.url())?.serve()?;
    let desk = Desk::set_up(&two)?;
    let token = limited(&desk, &upstream)?;
    let first = McpHttp::legacy(&endpoint(&one, "files"), Some(&token))?;
    let second = McpHttp::legacy(&endpoint(&two, "files"), Some(&token))?;
    let mut done = 0;
    for _ in 0..4 {
        for agent in [&first, &second] {
            let outcome = agent.call("read", json!({}))?;
            ensure!(outcome.is_done() || outcome.is_limited(), "{outcome:?}");
            done += usize::from(outcome.is_done());
        }
    }
    assert_eq!((done, upstream.called().len()), (3, 3));

    let uses = desk.done("GET", "limits", &Value::Null)?;
    let used = &uses["items"][0];
    assert_eq!((&used["counter"], &used["used"], &used["max"]), (&json!("reads"), &json!("3"), &json!("3")), "{uses}");
    assert_eq!((&used["scopes"][0]["name"], &used["scopes"][1]["name"]), (&json!("three"), &json!("desk")), "{uses}");
    desk.done("POST", "limits/reset", &json!({ "id": used["id"], "reason": "paid for" }))?;
    assert!(first.call("read", json!({}))?.is_done());
    Ok(())
}

#[test]
fn a_redis_that_is_away_at_the_start_stops_limited_calls_alone() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let (folder, mut redis) = (testkit::toolgate::folder()?, Redis::start_durable()?);
    let data = folder.path().join("data");
    let setup = || -> anyhow::Result<Setup> {
        Ok(instance(&data)?.variable("TOOLGATE_REDIS", &redis.url()).options(["--redis-timeout", "1000"]))
    };
    let mut before = setup()?.serve()?;
    let token = limited(&Desk::set_up(&before)?, &upstream)?;
    let agent = McpHttp::legacy(&endpoint(&before, "files"), Some(&token))?;
    assert!(agent.call("read", json!({}))?.is_done());
    before.stop()?;

    let starting = setup()?;
    redis.stop()?;
    let toolgate = starting.serve()?;
    toolgate.wait_stderr("Calls are denied whose limits do not say otherwise")?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&token))?;
    assert_eq!(agent.tools()?, ["read"]);
    let outcome = agent.call("read", json!({}))?;
    let told = format!("{outcome:?}");
    assert!(outcome.is_denied() && told.contains("Redis at 127.0.0.1"), "{told}");
    let (status, problem) = Desk::at(&toolgate)?.ask("GET", "limits", &Value::Null)?;
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/counts-away")), "{problem}");
    assert_eq!(upstream.called().len(), 1);
    redis.restart()?;
    wait::for_it("a call that is forwarded", || agent.call("read", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    toolgate.wait_stderr("Redis counts again")?;
    Ok(())
}

#[test]
fn how_replicas_count_is_said_and_no_password_shown() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let database = ["--database", "postgres://localhost/toolgate"];
    for (options, wanted) in [
        (database.to_vec(), "--limits-per-replica"),
        (vec!["--limits-per-replica"], "is for replicas over PostgreSQL"),
        (vec!["--redis", "redis://toolgate:hunter2@localhost"], "TOOLGATE_REDIS"),
        (vec!["--redis", "http://localhost"], "the URL of Redis is none"),
        (vec!["--redis", "redis://localhost", "--redis-prefix", "Tool gate"], "the prefix of keys"),
        (vec!["--redis-restarts", "trusted"], "--redis-restarts says more of a Redis"),
        (vec!["--redis", "redis://localhost", "--upstream", "http://127.0.0.1:1/"], "is for an instance"),
    ] {
        let setup = instance(&folder.path().join("data"))?.variable("TOOLGATE_KEYS", KEYS);
        let (status, text) = setup.options(options).refused()?;
        assert_eq!(status.code(), Some(2), "{text}");
        assert!(text.contains(wanted) && !text.contains("hunter2"), "{text}");
    }
    Ok(())
}
