//! Killed under load, again and again: no forwarded call without its record, every chain in order and signed, and
//! everything shown in the end.

mod replicas;

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{Desk, endpoint, instance, said};

/// Rounds, unless `TOOLGATE_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

/// Tools, each called once a round, so that each call is told from the others.
const TOOLS: usize = 400;

/// Ten times what is promised for a start after a crash.
const START: Duration = Duration::from_secs(30);

/// Agents that call at once.
const AGENTS: usize = 4;

fn rounds() -> anyhow::Result<usize> {
    Ok(std::env::var("TOOLGATE_ROUNDS").ok().map(|rounds| rounds.parse()).transpose()?.unwrap_or(ROUNDS))
}

/// The ids and tools of the decisions in the segments that let a call pass.
fn recorded(toolgate: &Toolgate) -> anyhow::Result<Vec<(String, String)>> {
    let word = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let all = toolgate.setup.decisions()?;
    let allowed = all.iter().filter(|record| record["effect"] == "allow");
    Ok(allowed.map(|record| (word(record, "id"), word(record, "tool"))).collect())
}

/// Calls every tool until the process is killed in the midst of it. Returns the tools that were reached.
fn killed_under_load(toolgate: &mut Toolgate, upstream: &Upstream, token: &str) -> anyhow::Result<HashSet<String>> {
    let before = upstream.called().len();
    let endpoint = endpoint(toolgate, "files");
    let agents = (0..AGENTS).map(|_| McpHttp::legacy(&endpoint, Some(token))).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        for (number, agent) in agents.iter().enumerate() {
            scope.spawn(move || {
                for tool in (number..TOOLS).step_by(AGENTS) {
                    if agent.call(&format!("tool_{tool}"), json!({})).is_err() {
                        return;
                    }
                }
            });
        }
        wait::for_it("some calls", || upstream.called().len() > before + 40)?;
        toolgate.kill()
    })?;
    Ok(upstream.called().into_iter().skip(before).collect())
}

#[test]
fn every_call_that_arrived_was_recorded_and_is_shown_in_the_end() -> anyhow::Result<()> {
    let rounds = rounds()?;
    let tools = (0..TOOLS).map(|number| Tool::named(&format!("tool_{number}")));
    let upstream = Upstream::start(Script::with(tools))?;
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    let mut toolgate = instance(&data)?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let token = desk.grant_under("files", &upstream.url(), r#"{ "version": "1", "default": "allow" }"#)?.token;
    let key = said(&toolgate, "audit-key ").context("no fingerprint")?;
    let mut known = HashSet::new();
    for round in 0..rounds {
        let arrived = killed_under_load(&mut toolgate, &upstream, &token)?;
        let fresh = recorded(&toolgate)?.into_iter().filter(|(id, _)| known.insert(id.clone()));
        let fresh: HashSet<String> = fresh.map(|(_, tool)| tool).collect();
        let missing: Vec<_> = arrived.difference(&fresh).collect();
        ensure!(missing.is_empty(), "round {round}: {missing:?} arrived without a record");
        let verified = toolgate.setup.ask(&["audit", "verify", "--key", &key])?;
        let text = String::from_utf8_lossy(&verified.stdout).into_owned();
        ensure!(verified.status.success() && text.contains("signed up to record"), "round {round}: {text}");
        let begun = Instant::now();
        toolgate = instance(&data)?.serve()?;
        assert!(begun.elapsed() < START, "{:?}", begun.elapsed());
        // It is said behind the addresses.
        toolgate.wait_stderr("audit-key ")?;
        assert_eq!(said(&toolgate, "audit-key "), Some(key.clone()), "the key stays");
    }
    // What the killed ones left behind is shown, each once.
    let desk = Desk::at(&toolgate)?;
    let shown = || -> anyhow::Result<Vec<String>> {
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page = desk.done("GET", &format!("decisions?limit=200{next}"), &Value::Null)?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let calls = items.iter().filter(|item| item["method"] == "tools/call");
            all.extend(calls.filter_map(|item| item["id"].as_str().map(str::to_owned)));
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return Ok(all),
            }
        }
    };
    let all = wait::until("all decisions", wait::PATIENCE, || shown().ok().filter(|shown| shown.len() >= known.len()))?;
    assert_eq!(all.len(), known.len());
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), known.into_iter().collect::<BTreeSet<_>>());

    // Another key has signed nothing of it.
    let other = format!("sha256:{}", "0".repeat(64));
    let (status, text) = {
        let output = toolgate.setup.ask(&["audit", "verify", "--key", &other])?;
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("signed by another key"), "{text}");
    let output = toolgate.setup.ask(&["audit", "verify"])?;
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("signed by {key}")));
    let public = data.join("keys/audit.pub");
    let by_file = toolgate.setup.ask(&["audit", "verify", "--key", &public.display().to_string()])?;
    assert!(by_file.status.success());
    toolgate.stop()
}
