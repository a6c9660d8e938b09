//! One of three replicas over PostgreSQL and Redis, killed while all of them are called: what it had forwarded is in its
//! log, what it had taken of a limit stays taken, and the others go on.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::redis::Redis;
use testkit::script::{Script, Tool};
use testkit::toolgate::{Setup, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait;

use super::{START, recorded, rounds};
use crate::desk::{Desk, endpoint, instance, said};
use crate::replicas::{KEYS, POSTGRES};

const REPLICAS: [&str; 3] = ["one", "two", "three"];

/// Agents that call at once, at each replica.
const AGENTS: usize = 3;

/// Tools, each called once a round, and how many of these calls the limit lets pass.
const TOOLS: usize = 600;
const MOST: usize = 400;

const LIMITED: &str = r#"{ "version": "1", "default": "allow",
    "all_tools": { "limits": [{ "counter": "calls", "window": 3600, "max": 400 }] } }"#;

/// Where everything of an instance lies.
struct Place<'a> {
    folder: &'a Path,
    database: &'a str,
    redis: &'a Redis,
}

impl Place<'_> {
    fn replica(&self, name: &str) -> anyhow::Result<Setup> {
        let setup = instance(&self.folder.join(name))?.variable("TOOLGATE_DATABASE", self.database);
        let setup = setup.variable("TOOLGATE_KEYS", KEYS).variable("TOOLGATE_REDIS", &self.redis.url());
        Ok(setup.options(["--replica", name, "--redis-timeout", "1000"]))
    }
}

/// What agents have learned of their calls.
#[derive(Default)]
struct Learned {
    done: usize,
    /// What was refused for another reason than the limit: a machine so busy that a lease ended, or Redis was late.
    /// It may have been taken, and forwarded.
    unclear: usize,
}

/// Calls each tool at one of the replicas, of which one is killed in the midst of it.
fn under_load(replicas: &mut [Toolgate], killed: usize, upstream: &Upstream, token: &str) -> anyhow::Result<Learned> {
    let before = upstream.called().len();
    let each = replicas.iter().flat_map(|replica| std::iter::repeat_n(endpoint(replica, "files"), AGENTS));
    let agents = each.map(|url| McpHttp::legacy(&url, Some(token))).collect::<anyhow::Result<Vec<_>>>()?;
    let tools = Mutex::new(0..TOOLS);
    let next = || tools.lock().ok().and_then(|mut tools| tools.next());
    std::thread::scope(|scope| {
        let agents: Vec<_> = agents
            .iter()
            .enumerate()
            .map(|(number, agent)| {
                scope.spawn(move || -> anyhow::Result<Learned> {
                    let mut learned = Learned::default();
                    while let Some(tool) = next() {
                        match agent.call(&format!("tool_{tool}"), json!({})) {
                            Ok(outcome) if outcome.is_done() => learned.done += 1,
                            Ok(outcome) if outcome.is_limited() => {}
                            Ok(_) => learned.unclear += 1,
                            Err(_) if number / AGENTS == killed => return Ok(learned),
                            Err(error) => return Err(error),
                        }
                    }
                    Ok(learned)
                })
            })
            .collect();
        wait::for_it("some calls", || {
            upstream.called().len() > before + 60 || agents.iter().all(|agent| agent.is_finished())
        })?;
        replicas[killed].kill()?;
        let mut all = Learned::default();
        for agent in agents {
            let learned = agent.join().map_err(|_| anyhow::anyhow!("an agent panicked"))??;
            all = Learned { done: all.done + learned.done, unclear: all.unclear + learned.unclear };
        }
        Ok(all)
    })
}

#[test]
fn one_of_three_has_recorded_what_it_forwarded_and_gives_no_quota_back() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with((0..TOOLS).map(|number| Tool::named(&format!("tool_{number}")))))?;
    let (folder, database, redis) = (testkit::toolgate::folder()?, POSTGRES.database()?, Redis::start()?);
    let place = Place { folder: folder.path(), database: &database, redis: &redis };
    let mut replicas = Vec::new();
    for name in REPLICAS {
        replicas.push(place.replica(name)?.serve()?);
    }
    let desk = Desk::set_up(&replicas[2])?;
    desk.grant_under("files", &upstream.url(), LIMITED)?;
    replicas[0].wait_stderr("audit-key ")?;
    let key = said(&replicas[0], "audit-key ").context("no fingerprint")?;
    let mut known = HashSet::new();
    for round in 0..rounds()? {
        let killed = round % REPLICAS.len();
        let desk = Desk::at(&replicas[(killed + 1) % REPLICAS.len()])?;
        let grant = desk.mint(&format!("round-{round}"), "files")?;
        let before = upstream.called().len();
        let Learned { done, unclear } = under_load(&mut replicas, killed, &upstream, &grant.token)?;
        let arrived: Vec<String> = upstream.called().into_iter().skip(before).collect();
        // Whatever was under way at the killed one may have been taken, and not forwarded; and nothing came twice.
        let open = AGENTS + unclear;
        let (least, most) = (MOST.saturating_sub(open), MOST);
        ensure!((least..=most).contains(&arrived.len()), "round {round}: {} of {MOST} were forwarded", arrived.len());
        ensure!(done <= arrived.len() && arrived.len() <= done + open, "round {round}: {done} of {}", arrived.len());

        let begun = Instant::now();
        replicas[killed] = place.replica(REPLICAS[killed])?.serve()?;
        ensure!(begun.elapsed() < START, "round {round}: {:?}", begun.elapsed());
        let agent = McpHttp::legacy(&endpoint(&replicas[killed], "files"), Some(&grant.token))?;
        let more = agent.call("tool_0", json!({}))?;
        ensure!(!more.is_done(), "round {round}: {more:?}");
        let uses = desk.done("GET", "limits", &Value::Null)?;
        let (all, most) = (uses["items"].as_array().into_iter().flatten(), MOST.to_string());
        let full = all.filter(|used| used["used"].as_str() == Some(most.as_str())).count();
        ensure!(full == round + 1, "round {round}: {uses}");

        let mut fresh = HashSet::new();
        for replica in &replicas {
            let decisions = recorded(replica)?.into_iter();
            fresh.extend(decisions.filter(|(id, _)| known.insert(id.clone())).map(|(_, tool)| tool));
            let verified = replica.setup.ask(&["audit", "verify", "--key", &key])?;
            ensure!(verified.status.success(), "round {round}: {verified:?}");
        }
        let missing: Vec<_> = arrived.iter().filter(|tool| !fresh.contains(*tool)).collect();
        ensure!(missing.is_empty(), "round {round}: {missing:?} arrived without a record");
    }
    Ok(())
}
