//! Several processes on one data directory count together.

use std::path::Path;
use std::thread::ScopedJoinHandle;

use serde_json::json;
use testkit::message::Outcome;
use testkit::script::Script;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;

use crate::setup::{limited, toolgate};

fn start(upstream: &Upstream, data: &Path, max: u64) -> anyhow::Result<Toolgate> {
    toolgate()?.policy(&limited("read_file", max))?.upstream(&upstream.url()).data(data).serve()
}

/// Calls until a limit says no, and gives how many calls were done.
fn exhaust(toolgate: &Toolgate) -> anyhow::Result<u64> {
    let client = toolgate.legacy()?;
    let mut done = 0;
    loop {
        match client.call("read_file", json!({}))? {
            Outcome::Done(_) => done += 1,
            outcome if outcome.is_limited() => return Ok(done),
            outcome => anyhow::bail!("{outcome:?}"),
        }
    }
}

#[test]
fn four_processes_forward_exactly_the_maximum() -> anyhow::Result<()> {
    for max in [1_000, 10] {
        let folder = testkit::toolgate::folder()?;
        let upstream = Upstream::start(Script::default())?;
        let all = (0..4).map(|_| start(&upstream, folder.path(), max)).collect::<anyhow::Result<Vec<_>>>()?;
        let done = std::thread::scope(|scope| {
            // Two agents a process.
            let agents: Vec<ScopedJoinHandle<'_, _>> =
                all.iter().chain(&all).map(|one| scope.spawn(|| exhaust(one))).collect();
            agents
                .into_iter()
                .map(|agent| agent.join().map_err(|_| anyhow::anyhow!("an agent panicked"))?)
                .sum::<anyhow::Result<u64>>()
        })?;
        assert_eq!(done, max);
        assert_eq!(upstream.called().len() as u64, max);
        for one in &all {
            assert_eq!(exhaust(one)?, 0, "the limit is full for everybody");
        }
    }
    Ok(())
}

#[test]
fn a_killed_process_gives_nothing_back() -> anyhow::Result<()> {
    const MAX: u64 = 300;
    let folder = testkit::toolgate::folder()?;
    let upstream = Upstream::start(Script::default())?;
    let mut killed = start(&upstream, folder.path(), MAX)?;
    let others = (0..3).map(|_| start(&upstream, folder.path(), MAX)).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let agents: Vec<_> = others.iter().map(|one| scope.spawn(|| exhaust(one))).collect();
        let victim = killed.legacy()?;
        let calls =
            scope.spawn(move || while victim.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_done()) {});
        upstream
            .log()
            .until("some calls", testkit::wait::PATIENCE, |state| (state.requests.len() > 60).then_some(()))?;
        killed.kill()?;
        calls.join().map_err(|_| anyhow::anyhow!("the victim's agent panicked"))?;
        for agent in agents {
            agent.join().map_err(|_| anyhow::anyhow!("an agent panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let again = start(&upstream, folder.path(), MAX)?;
    exhaust(&again)?;
    let forwarded = upstream.called().len() as u64;
    assert!(forwarded <= MAX, "{forwarded} calls of {MAX}");
    // One unit may have died with the process between being taken and being used.
    assert!(forwarded + 2 >= MAX, "{forwarded} calls of {MAX}");
    Ok(())
}

#[test]
fn windows_of_one_agent_share_its_limit() -> anyhow::Result<()> {
    // Every client window starts a `toolgate run` of its own.
    let folder = testkit::toolgate::folder()?;
    let policy = limited("read_file", 3);
    let mut runs = Vec::new();
    for _ in 0..3 {
        let setup = toolgate()?.policy(&policy)?.data(folder.path());
        let (words, _) = crate::setup::recording(&setup, &Script::default())?;
        let mut run = setup.program(words).run()?;
        run.client.initialize()?;
        runs.push(run);
    }
    let mut done = 0;
    for _ in 0..2 {
        for run in &mut runs {
            done += usize::from(run.client.call("read_file", json!({}))?.is_done());
        }
    }
    assert_eq!(done, 3);
    Ok(())
}
