//! The policies that the seed pages print, obeyed as the pages say.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{bail, ensure};
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::script::{Script, Tool};
use testkit::seeds::{self, Seed};
use testkit::tee;
use testkit::upstream::Upstream;

use crate::setup::{recording, toolgate};

/// A tool of the same server that the policy does not name.
const OTHER: &str = "smartlead_delete_lead";

fn script(tool: &str) -> Script {
    Script::with([Tool::named(tool), Tool::named(OTHER)])
}

fn minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

/// Does `work` within one calendar minute, because the seeds' limits are by the minute. Each
/// try has counts of its own.
fn within_a_minute(work: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    for _ in 0..5 {
        let begun = minute();
        let done = work();
        if minute() == begun {
            return done;
        }
    }
    bail!("the work takes longer than a minute")
}

/// The calls that an agent makes: all that the limit allows, one too many, a tool that the
/// policy does not name and one that the server does not have.
fn calls(seed: &Seed, mut call: impl FnMut(&str) -> anyhow::Result<Outcome>) -> anyhow::Result<()> {
    for number in 1..=seed.max {
        let outcome = call(&seed.tool)?;
        ensure!(outcome.is_done(), "{}: call {number}: {outcome:?}", seed.file);
    }
    let outcome = call(&seed.tool)?;
    ensure!(outcome.is_limited(), "{}: one too many: {outcome:?}", seed.file);
    let Outcome::Denied { rule, text, .. } = call(OTHER)? else { bail!("{}: {OTHER} was not denied", seed.file) };
    ensure!(rule == "(default deny)", "{rule}");
    ensure!(text.starts_with("[POLICY DENIED]"), "{text}");
    ensure!(call("smartlead_nothing")?.is_unknown_tool(), "{}", seed.file);
    Ok(())
}

#[test]
fn over_http() -> anyhow::Result<()> {
    for seed in seeds::load()?.unwrap_or_default() {
        within_a_minute(|| {
            let upstream = Upstream::start(script(&seed.tool))?;
            let toolgate = toolgate()?.policy(&seed.policy)?.upstream(&upstream.url()).serve()?;
            let client = toolgate.legacy()?;
            assert_eq!(client.tools()?, std::slice::from_ref(&seed.tool));
            calls(&seed, |tool| client.call(tool, json!({})))?;
            let called = upstream.called();
            ensure!(called.len() as u64 == seed.max, "{called:?}");
            assert!(called.iter().all(|tool| *tool == seed.tool), "{called:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn over_stdio() -> anyhow::Result<()> {
    for seed in seeds::load()?.unwrap_or_default() {
        within_a_minute(|| {
            let setup = toolgate()?.policy(&seed.policy)?;
            let (words, record) = recording(&setup, &script(&seed.tool))?;
            let mut run = setup.program(words).run()?;
            run.client.initialize()?;
            assert_eq!(run.client.tools()?, std::slice::from_ref(&seed.tool));
            calls(&seed, |tool| run.client.call(tool, json!({})))?;
            assert_eq!(tee::called(&record).len() as u64, seed.max);
            Ok(())
        })?;
    }
    Ok(())
}

/// What the pages' questions tell a reader to add, each to the page's own policy.
#[test]
fn what_the_questions_say() -> anyhow::Result<()> {
    let Some(seed) = seeds::load()?.unwrap_or_default().into_iter().next() else { return Ok(()) };
    let with = |rules: Value| json!({ "version": "1", "default": "deny", "tools": { seed.tool.clone(): rules } });

    let rated = with(json!({ "rate_limit": { "max": 10, "window": 60 } }));
    let upstream = Upstream::start(script(&seed.tool))?;
    let toolgate_rated = toolgate()?.policy(&rated)?.upstream(&upstream.url()).serve()?;
    let client = toolgate_rated.legacy()?;
    for number in 1..=10 {
        assert!(client.call(&seed.tool, json!({}))?.is_done(), "call {number}");
    }
    assert!(client.call(&seed.tool, json!({}))?.is_limited());
    assert_eq!(upstream.called().len(), 10);

    let denied = with(json!({ "action": "deny", "reason": "Leads are changed by people." }));
    let toolgate_denied = toolgate()?.policy(&denied)?.upstream(&upstream.url()).serve()?;
    let client = toolgate_denied.legacy()?;
    assert_eq!(client.tools()?, Vec::<String>::new());
    let Outcome::Denied { effect, text, .. } = client.call(&seed.tool, json!({}))? else { bail!("not denied") };
    assert_eq!(effect, "deny");
    assert!(text.contains("Leads are changed by people."), "{text}");

    let asked = with(json!({ "action": "require_approval" }));
    let toolgate_asked = toolgate()?.policy(&asked)?.upstream(&upstream.url()).serve()?;
    let client = toolgate_asked.legacy()?;
    assert_eq!(client.tools()?, std::slice::from_ref(&seed.tool));
    let outcome = client.call(&seed.tool, json!({}))?;
    assert!(outcome.is_denied() && format!("{outcome:?}").contains("approv"), "{outcome:?}");
    assert_eq!(upstream.called().len(), 10);
    Ok(())
}
